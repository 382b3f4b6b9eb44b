"""What lesson 14 and the page of its study say, and no cell prints, is what the stored rows bear out."""

import pytest

from mlcourse.course import notebooks
from mlcourse.datasets import Form, load
from mlcourse.learners.translator import among
from mlcourse.lessons.l14_daml import study_daml as study, study_daml_arms as arms
from mlcourse.rows import by_seed, read
from mlcourse.statistics import cell, paired_difference, unpaired_difference
from mlcourse.system import paths


@pytest.fixture(scope="module")
def text():
    """What a learner reads, its white space made even."""
    cells = notebooks.read(notebooks.find("14")).cells
    return " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())


@pytest.fixture(scope="module")
def page():
    """The study's page, its white space made even."""
    return " ".join((paths.ROOT / "benchmarks" / "daml.md").read_text(encoding="utf-8").split())


def accuracies(arm, k, study="daml"):
    rows = [row for row in read(study) if (row["source"], row["target"]) == ("glyphs-digits", "digits")]
    return by_seed(rows, arm, k, "accuracy")


def test_pairing_helps_most_at_one_label_per_class(text):
    halves = {}
    for k in (0, 1, 5):
        pair = [list(accuracies(arm, k).values()) for arm in ("source + generated", "source + hand-made")]
        halves[k] = unpaired_difference(*pair).half, paired_difference(*pair).half
    assert max(halves, key=lambda k: halves[k][0] / halves[k][1]) == 1
    assert "At which $k$ does pairing help most? Both arms got the same draws of labels" in text


def test_in_two_seeds_phase_2_falls_far_behind(text):
    plain, phase_2 = accuracies("source + generated", 0), accuracies("DAML", 0)
    behind = sorted(plain[seed] - phase_2[seed] for seed in plain)
    assert behind[2] < 5 and behind[3] > 20 and "it falls far behind in two seeds of five" in text


def test_with_labels_phase_2_gains_little_at_most(text):
    gaps = [paired_difference(accuracies("DAML", k), accuracies("source + generated", k)) for k in (1, 5)]
    assert all(gap.low < 0 < gap.high for gap in gaps)
    assert f"with labels it is {max(gap.high for gap in gaps):.1f} points at most" in text


def test_the_learned_rates_are_behind_one_rate(text):
    lost = [paired_difference(accuracies("DAML", k), accuracies(arms.LEARNT, k)) for k in (1, 5)]
    assert min(gap.low for gap in lost) > 0
    assert f"{lost[0].text()} points behind the 30 steps at one rate at $k = 1$, {lost[1].text()} at $k = 5$" in text
    steps = next(row["steps"] for row in read("daml") if row["arm"] == "choice for labels")
    assert f"{steps} steps at them" in text


def test_the_transfer_studys_daml_does_not_fall_apart(page):
    kept = accuracies("DAML", 0, "transfer").values()
    assert f"{cell(kept)}, no seed below {min(kept):.1f}" in page


def test_shot_is_not_told_apart_from_hand_made_views(text):
    shot = accuracies("SHOT", 0, "transfer")
    gap = paired_difference(shot, accuracies("source + hand-made", 0))
    said = f"not told apart from them: {cell(shot.values())} at $k = 0$ (less hand-made, paired, {gap.text(sign=True)})"
    assert gap.low < 0 < gap.high and said in text


@pytest.mark.parametrize("k", [1, 5])
def test_phase_2_on_contradicting_tasks_is_not_told_apart_from_what_is_indifferent_to_names(k, text, page):
    less = lambda other: paired_difference(accuracies(arms.SUCH, k), other)
    for arm in ("from scratch", "linear probe"):
        blind = accuracies(arm, k, "transfer")
        assert less(blind).low < 0 < less(blind).high
        assert cell(blind.values()) in page and less(blind).text(sign=True) in page
    assert (less(accuracies(arms.PLAIN, k)).low > 0) == (k == 1)
    for said in (text, page):
        assert "ot told apart from training from scratch" in said and "indifferent to names" in said


def test_the_steps_and_rate_are_those_of_the_study(text):
    assert (arms.TUNE_STEPS, arms.TUNE_RATE) == (30, 0.03) and "30 steps from $\\theta$ at one rate" in text
    assert f"for {arms.Budget().more} steps" in text
    assert f"phase 2 ({arms.Budget().task} steps, not {arms.Budget().more})" in text


def test_of_what_chose_about_half_stands_in_each_test_half(text, page):
    whole = study.prepare([load("glyphs-digits", form=Form(16))], load("digits", form=Form(16)), study.KS)
    pilot = study.parts(whole, study.PILOT)[0].train.images
    both = [int(among(pilot, study.parts(whole, seed)[0].test.images).sum()) for seed in range(5)]
    assert f"of its {len(pilot)} unlabelled pictures {min(both)} to {max(both)} stand in the test half" in page
    assert all(abs(count / len(pilot) - 0.5) < 0.05 for count in both) and "about half of it stands in each" in text
