"""What the text of lesson 06 says in numbers, against the rows of its study, other pages, and sums of its own."""

import re

import pytest

from mlcourse.course import notebooks
from mlcourse.datasets import load_splits, omniglot
from mlcourse.exercises import exercise
from mlcourse.lessons.l06_images.checks_results import CLAIMS
from mlcourse.lessons.l06_images.results import by_seed, company, leak, mean, rival
from mlcourse.lessons.l06_images.selection import expected_best
from mlcourse.lessons.l06_images.settings import CHOSEN, Budget
from mlcourse.rows import read
from mlcourse.statistics import paired_difference
from mlcourse.system import paths

ROWS = read("protocol")


def text():
    """The Markdown of the lesson."""
    return "\n".join(cell.source for cell in notebooks.read(notebooks.find("06")).cells if cell.cell_type == "markdown")


def test_the_bars_are_those_of_the_benchmark():
    page = (paths.ROOT / "benchmarks" / "omniglot.md").read_text(encoding="utf-8")
    for method in ("MAML", "ProtoNet"):
        seeds = re.search(rf"\| {method} \| \d+ \| ([\d.]+) ± 0\.\d \| ([\d.]+) ± 0\.\d \| ([\d.]+) ±", page).groups()
        assert f"{method} {', '.join(seeds)} %" in text()


def test_the_settings_of_the_study_are_those_that_the_text_states():
    budget = Budget()
    assert f"{budget.width} filters, {budget.steps} outer steps" in text()
    assert budget.pretraining == 3 * budget.steps and "three times as many steps" in text()
    assert {row["seed"] for row in ROWS if row["split"] == "test"} >= {0, 1}


def test_the_best_of_twenty_is_nearly_two_of_its_deviations_above():
    assert expected_best(20) == pytest.approx(1.87, abs=0.01)


@pytest.mark.parametrize("key, one, other", [("a", "MAML", "RFS"), ("b", "Baseline++", "MAML"),
                                             ("c", "Baseline++", "ProtoNet")])
def test_a_verdict_is_that_of_its_paired_interval(key, one, other):
    gap = rival(ROWS, one, other)
    assert CLAIMS[key].verdict == ("yes" if gap.low > 0 else "no" if gap.high < 0 else "open")
    assert one in exercise("06.6").stub and other.split()[-1] in exercise("06.6").stub


def test_the_live_rates_are_those_that_validation_chose():
    source = "\n".join(cell.source for cell in notebooks.read(notebooks.find("06")).cells if cell.cell_type == "code")
    (inner, steps), (outer, _) = CHOSEN["MAML", "batch"], CHOSEN["ProtoNet", "batch"]
    assert f"lr={inner['lr']:.1f})" in source and f"steps={steps} if name" in source
    assert f'("ProtoNet", {outer["outer"]:g}), ("MAML", {inner["outer"]:g})' in source


def said(estimate):
    """An estimate as a loss or a gain in the text."""
    return estimate.text().lstrip("-")


def test_what_the_text_says_of_the_splits_is_in_the_rows():
    gain, same, turned = (leak(ROWS, each) for each in ("by picture", "by class", "turned"))
    assert f"it gains {said(gain)} points**" in text() and gain.low > 0
    assert f"({same.text(sign=True)})" in text() and same.low < 0 < same.high
    assert "Turned copies raised nothing here" in text() and turned.high < 0


def test_what_the_text_says_of_the_norms_is_in_the_rows():
    alone = [company(ROWS, arm, "batch", "alone", "all") for arm in ("MAML", "ProtoNet")]
    assert "costs MAML {} points and ProtoNet {}:".format(*map(said, alone)) in text()
    for arm, norm, words in (("MAML", "support", " points against company"), ("ProtoNet", "running", "")):
        gap = paired_difference(*(by_seed(ROWS, "norms", arm, "all", norm=each) for each in (norm, "batch")))
        assert f"*{norm}* for {arm} ({gap.text(sign=True)}{words})" in text()


def test_what_the_text_says_of_fixed_labels_is_in_the_rows():
    known, dealt = (paired_difference(*(by_seed(ROWS, "labels", "MAML", field, setting=each)
                                        for each in ("0 shuffled", "1 shuffled"))) for field in ("known", "reshuffled"))
    assert f"it is {said(known)} points above" in text() and f"dealt anew, {said(dealt)} below" in text()
    memory, whole = (mean(ROWS, "labels", "MAML", field, setting="0 shuffled").mean for field in ("no_step", "known"))
    assert f"still has {memory:.0f} of its {whole:.0f} %" in text()


def test_what_the_text_says_of_choosing_by_test_is_in_the_rows():
    gap = paired_difference(*(by_seed(ROWS, "selection", "ProtoNet", field, setting="100 episodes")
                              for field in ("fresh", "by_validation")))
    assert gap.low < 0 < gap.high and f"that gained {gap.text()} points" in text()


def test_the_scripts_that_omniglots_training_alphabets_share_are_those_that_the_text_names():
    same = {"Hebrew": "Hebrew", "Tifinagh": "Tifinagh", "Georgian Mkhedruli": "Mkhedruli_(Georgian)"}
    glyphs = set(load_splits("glyphs").test.groups)
    assert set(same.values()) <= set(omniglot.SPLITS["train"]) and glyphs - set(same) == {"Arabic", "Lao", "Digits"}
    assert not any(script in name for script in ("Arabic", "Lao", "Digits") for name in omniglot.SPLITS["train"])
