"""The two explorers of lesson 14, against independent computations and over every corner of their controls."""

import copy
from functools import cache

import numpy as np
import pytest
import torch
from scipy import stats

from mlcourse.domains import shift_domain
from mlcourse.episode.across import pixels
from mlcourse.learners import Translator
from mlcourse.lessons.l14_daml import imitation
from mlcourse.lessons.l14_daml.imitation import Snapshot, imitate
from mlcourse.lessons.l14_daml.scene_real_generated import COLUMNS
from mlcourse.lessons.l14_daml.widget_paired_gain import PairedGainExplorer, table
from mlcourse.lessons.l14_daml.widget_real_generated import RealGeneratedExplorer
from mlcourse.supervised import accuracy, classifier
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep
from tiny import patterns

SOURCE = patterns(0, 3, 30)
TARGET = shift_domain(SOURCE, "inversion", 1.0)
ARMS, KS = ("source only", "source + generated", "source + hand-made"), (0, 1, 5)


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


def train(steps=4, every=2):
    judge = classifier(TARGET, 15)
    translator = Translator(copy.deepcopy(classifier(SOURCE, 15)), 16)
    return imitate(translator, SOURCE, TARGET, TARGET, judge, steps=steps, every=every), translator, judge


once = cache(train)


def trained():
    """(snapshots, translator, judge): a copy of what one training left."""
    return copy.deepcopy(once())


def generated():
    snapshots, translator, judge = trained()
    with torch.no_grad():                   # an early generator draws what it sees; move it, so that there is something
        for taken in snapshots[1:]:
            taken.weights["out.weight"].normal_(std=0.5 * taken.step, generator=torch.Generator().manual_seed(0))
    return RealGeneratedExplorer(snapshots, translator.averaged, SOURCE, TARGET, judge)


def study(seed=0):
    rng = np.random.default_rng(seed)
    level = {"source only": 50, "source + generated": 60, "source + hand-made": 58}
    effect = rng.normal(0, 3, 5)
    return [{"arm": arm, "k": k, "seed": s, "accuracy": level[arm] + 2 * k + effect[s] + rng.normal(0, 0.5)}
            for arm in ARMS for k in KS for s in range(5)]


def paired():
    return PairedGainExplorer({"easy": study(), "hard": study(1)})


def test_snapshots_begin_with_the_identity_and_are_judged_as_the_library_judges():
    snapshots, translator, judge = trained()
    assert [taken.step for taken in snapshots] == [0, 2, 4] and isinstance(snapshots[0], Snapshot)
    assert float(snapshots[0].weights["out.weight"].abs().max()) == 0
    assert all(torch.equal(a, b) for a, b in zip(snapshots[-1].weights.values(), translator.averaged.parameters(),
                                                 strict=True))
    assert len(snapshots[0].scores_generated) == imitation.JUDGED
    assert accuracy(judge, TARGET) == pytest.approx(
        float((judge(pixels(TARGET.images)).argmax(1) == TARGET.labels).float().mean()))


def test_the_same_seed_trains_the_same_generator():
    one, two = trained()[0], train()[0]
    assert all(torch.equal(a, b) for a, b in zip(one[-1].weights.values(), two[-1].weights.values(), strict=True))


def test_the_pictures_are_those_of_the_generator_with_these_weights():
    shown = generated()
    shown.set(step=4, digit=1, scale=1.0, draw=3)
    got = shown.record
    net = copy.deepcopy(shown.generator)
    net.load_state_dict(shown.snapshots[4].weights)
    generator = torch.Generator().manual_seed(3)
    mine = torch.nonzero(SOURCE.labels == 1)[:, 0]
    x = pixels(SOURCE.images[mine[torch.randint(len(mine), (COLUMNS,), generator=generator)]])
    torch.randint(30, (COLUMNS,), generator=generator)
    noise = torch.randn(2, COLUMNS, 16, generator=generator)
    with torch.no_grad():
        for pictures, wrong, z in zip((got.first, got.second), (got.first_wrong, got.second_wrong), noise, strict=True):
            drawn = net(x, z)
            assert np.allclose(pictures, drawn[:, 0].numpy(), atol=1e-5)
            assert (wrong == (shown.judge(drawn).argmax(1) != 1).numpy()).all()
    assert got.apart == pytest.approx(float(np.abs(got.first - got.second).mean()))


def test_without_noise_two_drawings_are_one_and_step_0_gives_back_the_source():
    shown = generated()
    shown.set(step=4, scale=0.0)
    assert shown.record.apart == pytest.approx(0, abs=1e-6)
    shown.set(step=0, scale=1.0)
    assert np.allclose(shown.record.first, shown.record.source, atol=1e-6)


@pytest.mark.parametrize("make", [generated, paired])
def test_every_control_can_be_swept_and_moves_the_picture(make):
    shown, pictures = make(), {}
    for name, _, _ in sweep(shown):
        assert bytes(shown.picture.value).startswith(b"\x89PNG")
        pictures.setdefault(name, set()).add(shown.picture.value)
    assert set(pictures) == set(shown.controls) and all(len(seen) > 1 for seen in pictures.values())


def test_the_intervals_are_those_of_scipy():
    shown = paired()
    shown.set(pair="hard", k=5, one="source + generated", other="source only")
    a, b = (np.array([row["accuracy"] for row in study(1) if row["arm"] == arm and row["k"] == 5])
            for arm in ("source + generated", "source only"))
    got = shown.record
    want = stats.ttest_rel(a, b).confidence_interval()
    assert (got.mean - got.half, got.mean + got.half) == pytest.approx(want)
    loose = stats.ttest_ind(a, b).confidence_interval()
    assert got.unpaired == pytest.approx((loose.high - loose.low) / 2) and got.unpaired > got.half
    assert "(ahead)" in shown.headline(got) and "In 5 of 5 seeds the first is ahead" in shown.alt


def test_the_axis_of_differences_is_as_wide_as_the_two_arms_need_at_any_k():
    shown, reach = paired(), lambda: shown.scene.gaps.get_xlim()[1] / 1.05
    for one, other in (("source + generated", "source + hand-made"), ("source only", "source + generated"),
                       ("source only", "source only")):
        wanted = 0
        for k in KS:
            shown.set(pair="easy", one=one, other=other, k=k)
            got = shown.record
            wanted = max(wanted, *abs(got.differences), abs(got.mean) + got.half, abs(got.mean) + got.unpaired)
        assert reach() == pytest.approx(wanted)


def test_the_words_follow_the_numbers():
    shown = paired()
    shown.set(one="source only", other="source only")
    assert "+0.0 ± 0.0 points (not told apart)" in shown.headline(shown.record)
    shown.set(other="source + generated")
    assert "(behind)" in shown.headline(shown.record)
    made = generated()
    assert f"PAD to the target ≈{made.record.pad:.2f} (step 0: ≈{made.snapshots[0].pad:.2f})" in made.alt
    assert "Class class 0" in made.alt


def test_a_missing_row_is_named():
    with pytest.raises(ValueError, match=r"no row of 'source \+ generated' at k = 1 with seed 4; run mlcourse "
                                         "study daml"):
        table([row for row in study() if (row["arm"], row["k"], row["seed"]) != ("source + generated", 1, 4)])
    with pytest.raises(ValueError, match="at least one snapshot"):
        RealGeneratedExplorer([], None, SOURCE, TARGET, None)
