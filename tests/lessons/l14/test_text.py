"""Numbers that lesson 14 says and no cell of it prints are those of the stored rows."""

import pytest

from mlcourse.course import notebooks
from mlcourse.lessons.l14_daml import study_daml_arms as arms
from mlcourse.rows import by_seed, read
from mlcourse.statistics import paired_difference, unpaired_difference


@pytest.fixture(scope="module")
def text():
    """What a learner reads, its white space made even."""
    cells = notebooks.read(notebooks.find("14")).cells
    return " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())


def accuracies(arm, k):
    rows = [row for row in read("daml") if (row["source"], row["target"]) == ("glyphs-digits", "digits")]
    return by_seed(rows, arm, k, "accuracy")


def test_what_learnt_rates_cost_is_that_of_the_rows(text):
    one, five = (paired_difference(accuracies("DAML", k), accuracies(arms.LEARNT, k)) for k in (1, 5))
    assert f"{one.text()} points worse at $k = 1$, {five.text()} at $k = 5$" in text


def test_pairing_helps_most_at_one_label_per_class(text):
    halves = {}
    for k in (0, 1, 5):
        pair = [list(accuracies(arm, k).values()) for arm in ("source + generated", "source + hand-made")]
        halves[k] = unpaired_difference(*pair).half, paired_difference(*pair).half
    assert max(halves, key=lambda k: halves[k][0] / halves[k][1]) == 1
    assert f"± {halves[1][1]:.1f} for ± {halves[1][0]:.1f}" in text


def test_in_two_seeds_phase_2_falls_far_behind(text):
    plain, phase_2 = accuracies("source + generated", 0), accuracies("DAML", 0)
    behind = sorted(plain[seed] - phase_2[seed] for seed in plain)
    assert behind[2] < 5 and behind[3] > 20 and "it falls far behind in two seeds of five" in text


def test_the_steps_and_rate_are_those_of_the_study(text):
    assert (arms.TUNE_STEPS, arms.TUNE_RATE) == (30, 0.03) and "30 steps from $\\theta$ at one rate" in text
    budget = arms.Budget()
    assert f"for {budget.more} steps" in text and f"It also had {budget.task} steps against {budget.more}" in text
