"""What an explorer says of numbers that it computed is marked ≈, whatever its controls stand at."""

import math

import pytest
import torch
from marks import unmarked
from tiny import patterns

from mlcourse import small
from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.domains import Domain, shift_domain
from mlcourse.episode.across import halves
from mlcourse.learners import MetaSGD
from mlcourse.lessons.l00_start.widget_you_against_machine import YouAgainstMachine
from mlcourse.lessons.l01_domains.widget_factor_dial import FactorDial
from mlcourse.lessons.l01_domains.widget_shift_dial import ShiftDial
from mlcourse.lessons.l03_maml.widget_inner_loop import InnerLoopExplorer
from mlcourse.lessons.l03_maml.widget_outer_loop import OuterLoopPlayer
from mlcourse.lessons.l05_meta_sgd.rate_history import RateHistory
from mlcourse.lessons.l05_meta_sgd.widget_learned_rates import LearnedRates
from mlcourse.lessons.l13_adaptation import widget_adversarial_weight as adversarial_weight
from mlcourse.lessons.l13_adaptation.widget_adversarial_weight import AdversarialWeight
from mlcourse.lessons.l14_daml.imitation import Snapshot
from mlcourse.lessons.l14_daml.widget_real_generated import RealGeneratedExplorer
from mlcourse.lessons.l15_distillation.widget_temperature import TemperatureExplorer
from mlcourse.lessons.l16_contrast.widget_contrast import ContrastExplorer
from mlcourse.nets import MLP, Conv4
from mlcourse.nets.gan import Generator
from mlcourse.plots.style import short
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep


def generated():
    source = patterns(0, 3, 30)
    weights = {name: p.detach() for name, p in Generator().named_parameters()}
    scores = torch.linspace(-1.25, 0.75, 9)
    snapshots = [Snapshot(step, weights, 1.25, 0.875, scores, -scores) for step in (0, 2)]
    return RealGeneratedExplorer(snapshots, Generator(), source, shift_domain(source, "inversion", 1.0),
                                 Conv4(3, 4, norm="none", side=16))


def aligned():
    source, target = patterns(0, 10, 40), shift_domain(patterns(0, 10, 200), "contrast", 0.6)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(small, "SOURCE_STEPS", 10)
        patched.setattr(adversarial_weight, "WEIGHTS", (0.3,))
        return AdversarialWeight(small.source_network(source), source, *halves(target), steps=1, every=1)


def played():
    player = OuterLoopPlayer()
    player.step(2)
    player.step(2)
    return player


def rated():
    rates = LearnedRates(RateHistory(MetaSGD(MLP((1, 6, 5, 1), seed=1), low=0.01, high=0.05), SinusoidSampler(5, 6)))
    rates.step(2)
    return rates


def paired():
    a, b = torch.randn(2, 30, 6, generator=torch.Generator().manual_seed(0))
    pictures = torch.rand(30, 1, 28, 28)
    return ContrastExplorer({"some": (lambda x: x, lambda x: x)}, a, a + b, torch.arange(30) // 3, pictures, pictures)


def softened():
    v, z = torch.randn(2, 40, 6, generator=torch.Generator().manual_seed(0))
    return TemperatureExplorer(v, {"one": z}, torch.rand(40, 1, 16, 16), torch.arange(40) % 6, tuple("abcdef"), [5, 7])


def dialled():
    home, away = patterns(0, 10, 40, side=28), patterns(1, 10, 40, side=28)
    return ShiftDial(Conv4(10, width=4, norm="none"), home, away)


@pytest.mark.parametrize("build, known", [
    (lambda: InnerLoopExplorer({"θ": MLP()}), {10}), (played, {2, 4, 40}), (rated, {60}), (dialled, {5, 95, 100}),
    (FactorDial, {95}), (aligned, {1, 5, 95, 150, 0.6}), (generated, {0, 1, 2, 16}), (paired, set(range(1, 11))),
    (softened, {1, 40, 1.79})])
def test_what_an_explorer_computed_is_marked(build, known):
    with one_core():
        explorer = build()
        for name, value, record in sweep(explorer):
            settings = {float(f"{x:.3g}") for x in explorer.settings.values() if isinstance(x, (int, float))}
            logs = {float(short(math.log(x))) for x in settings if x > 1}
            assert unmarked(explorer.alt, known | settings | logs) == [], (name, value, explorer.alt)
            assert "≈" in explorer.alt


def test_the_machines_of_a_quiz_are_marked_and_you_are_not():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 255, (8 * 20, 1, 28, 28), dtype=torch.uint8, generator=generator)
    names = tuple(f"c{i}" for i in range(8))
    labels = torch.arange(8).repeat_interleave(20)
    quiz = YouAgainstMachine(Domain("noise", images, labels, names, ("S",) * 8), key=None)
    for label in quiz.episode.query_y.tolist():
        quiz.answer(label)
    you, machine = quiz.record.scores
    assert f"with ≈{machine.correct}" in quiz.alt and f"nearest neighbour ≈{machine.correct};" in quiz.alt
    assert unmarked(quiz.alt, {10, 2, 95, round(100 * you.low), 100}) == []
