"""The explorers of lesson 07 against eigenvalues, against steps of another make and against the library's runs."""

import numpy as np
import pytest
import torch
from marks import check_marked

from mlcourse.lessons.l07_optimiser import descent, race, shipped
from mlcourse.lessons.l07_optimiser.explorers import OptimiserRace, RateAndMomentum
from mlcourse.lessons.l07_optimiser.race import GRADIENTS, HORIZONS, LEARNED, RACERS
from mlcourse.lessons.l07_optimiser.widget_race import CONDITIONS
from mlcourse.optimisers import run, unroll
from mlcourse.widgets import sweep


@pytest.mark.parametrize("alpha, beta", [(0.02, 0.0), (0.1, 0.5), (0.05, 0.9), (0.3, 0.2)])
def test_the_factor_is_the_spectral_radius_of_a_step(alpha, beta):
    for h in descent.curvatures(30.0):
        step = np.array([[1 - alpha * h, -alpha * beta], [h, beta]])             # of (e, v)
        assert descent.factor(h, alpha, beta) == pytest.approx(np.abs(np.linalg.eigvals(step)).max())


def test_the_errors_are_those_of_momentum_on_a_quadratic():
    h = torch.from_numpy(descent.curvatures(30.0))
    e = torch.ones_like(h, requires_grad=True)
    sgd = torch.optim.SGD([e], lr=0.03, momentum=0.6)
    for wanted in descent.errors(h.numpy(), 0.03, 0.6, 12)[1:]:
        sgd.zero_grad()
        (0.5 * h * e**2).sum().backward()
        sgd.step()
        np.testing.assert_allclose(e.detach().numpy(), wanted)


def test_what_to_try_with_the_rate_comes_true():
    explorer = RateAndMomentum()
    assert 10 * np.log10(explorer.settings["largest"]) % 1 == pytest.approx(0)      # a value that the slider keeps
    explorer.set(alpha=10**-1.2, beta=0.0)
    slowest = lambda: int(np.argmax(explorer.record.factors))
    assert slowest() == 0
    explorer.set(alpha=10**-1.1)
    assert slowest() == 9
    for beta in (0.0, 0.25, 0.26, 0.46, 0.47):
        explorer.set(alpha=0.1, beta=beta)
        factors = explorer.record.factors
        assert (factors[-1] > 1) == (beta < 0.26) and (np.ptp(factors) < 0.01) == (beta == 0.47)
    for alpha, grows in ((10**-1.7, False), (10**-1.68, True)):          # about 0.02, a notch apart
        explorer.set(alpha=alpha, beta=0.0, largest=100.0)
        assert (explorer.record.factors[-1] > 1) == grows
    explorer.set(alpha=0.1, beta=0.55, largest=10**1.4)
    assert np.ptp(explorer.record.factors) < 0.01 and explorer.record.factors.max() < 0.75
    explorer.set(alpha=1.0)
    assert "does not shrink" in explorer.headline(explorer.record)


def test_the_learned_run_is_the_librarys():
    f, theta = race.drawn(100.0, 3.0)
    losses = run(shipped.learned().double(), f, theta, 20)
    np.testing.assert_allclose(race.learned_run(100.0, 3.0)[0][:21], race.typical(losses), rtol=1e-6)


def test_the_dissection_shows_what_the_optimiser_would_do():
    _, found = race.learned_run(None, 1.0)
    f, theta = race.drawn(None, 1.0)
    optimiser = shipped.learned().double()
    stretch = unroll(optimiser, f, theta, optimiser.start(theta), 10)
    at, state = stretch.detached()
    g = f.gradient(at)
    torch.testing.assert_close(torch.from_numpy(found[10].seen), g[0])
    torch.testing.assert_close(torch.from_numpy(found[10].taken), optimiser(g, state)[0][0].detach())
    for i in (0, 30, len(GRADIENTS) - 1):
        wanted = optimiser(torch.full_like(g, GRADIENTS[i]), state)[0][0].detach()
        torch.testing.assert_close(torch.from_numpy(found[10].updates[:, i].copy()), wanted)


def test_what_to_try_with_the_race_comes_true():
    _, found = race.learned_run(None, 1.0)
    at = lambda g: int(np.argmin(np.abs(GRADIENTS - g)))
    size = lambda steps, g: np.abs(found[steps].updates[:, at(g)])
    assert 8 < np.median(size(100, 100) / size(100, 1)) < 13
    assert np.ptp(found[10].updates[:, at(1)]) > 0.05                                     # each has its memory
    assert (size(100, 10) < size(10, 10)).all() and size(100, 10).mean() < size(10, 10).mean() / 2
    for steps in (100, 500):
        still = found[steps].updates[:, at(0)]
        assert len(set(np.sign(still))) == 1 and 0.005 < np.abs(still).min() and np.abs(still).max() < 0.02
    np.testing.assert_allclose(found[200].updates.mean(0), found[500].updates.mean(0), atol=2e-3)
    _, round_ones = race.learned_run(1.0, 1.0)
    assert (np.abs(np.abs(round_ones[500].taken) - 0.005) < 0.001).all()
    ours, (_, still) = race.learned_run(1.0, 1.0)[0], race.learned_run(1.0, 1.0)
    assert ours[-1] > 1e-6 > race.rival_run("SGD", 1.0, 1.0, 100)[-1] and len(still) == len(HORIZONS)


def test_every_racer_races_on_the_same_functions():
    record = OptimiserRace().record
    assert list(record.losses) == list(RACERS) and RACERS and LEARNED in RACERS
    assert len({float(losses[0]) for losses in record.losses.values()}) == 1
    assert all(len(losses) == record.steps + 1 for losses in record.losses.values())


@pytest.mark.parametrize("build, known", [(RateAndMomentum, {1}), (OptimiserRace, {10, 100})])
def test_every_control_can_be_swept_and_what_was_computed_is_marked(build, known):
    check_marked(build, known)
    explorer, pictures = build(), {}
    for name, _, _ in sweep(explorer):
        pictures.setdefault(name, set()).add(explorer.picture.value)
    assert all(len(seen) > 1 for seen in pictures.values())


def test_every_condition_number_can_be_shown():
    explorer = OptimiserRace()
    for condition in CONDITIONS:
        explorer.set(condition=condition, steps=5)
        assert explorer.error is None
