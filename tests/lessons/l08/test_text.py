"""What the text of lesson 08 says in numbers, against the rows of studies, other pages, and sums of its own."""

import re

import pytest

from mlcourse.course import notebooks
from mlcourse.lessons.l08_compare import figures
from mlcourse.lessons.l08_compare.checks_results import CLAIMS
from mlcourse.lessons.l08_compare.figures import BATCHES, ONE_SHOT, STEPS
from mlcourse.lessons.l08_compare.results import ARMS, apart, by_seed
from mlcourse.lessons.l08_compare.study_comparing_arms import PICTURES
from mlcourse.lessons.l08_compare.study_comparing_settings import CANDIDATES
from mlcourse.rows import read
from mlcourse.system import paths

ROWS = read("comparing")


def text():
    """The Markdown of the lesson."""
    return "\n".join(cell.source for cell in notebooks.read(notebooks.find("08")).cells if cell.cell_type == "markdown")


def test_our_errors_in_the_one_shot_task_are_those_of_the_page():
    page = (paths.ROOT / "benchmarks" / "omniglot.md").read_text(encoding="utf-8")
    ours = [each for each in ONE_SHOT if not each.official]
    arms = "ProtoNet, `--domain omniglot-runs`, 5,500 steps|modified Hausdorff distance, full size"
    rows = re.findall(rf"^\| ({arms}) \| ([\d.]+) ± ([\d.]+) \|", page, re.MULTILINE)
    assert {(float(error), float(half)) for _, error, half in rows} == {(each.error, each.half) for each in ours}
    assert f"ProtoNet {ONE_SHOT[2].error}" in page and "BPL 3.3, people 4.5" in page and "38.8 %" in page
    assert (figures.PUBLISHED, figures.HUMAN) == (13.7, 4.5)


def test_the_pairs_of_a_batch_are_counted_right():
    pictures = 20 * (1 + 3)
    assert f"hold {pictures * (pictures - 1) // 2:,} pairs" in text()


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_a_verdict_is_that_of_its_paired_interval(claim):
    gap = apart(ROWS, claim.one, claim.other, claim.shot)
    assert claim.verdict == ("yes" if gap.low > 0 else "no" if gap.high < 0 else "open")


def test_the_study_has_five_seeds_of_every_arm_of_the_tables():
    for arm in {*ARMS, *STEPS, *BATCHES}:
        for shot in (1, 5):
            assert len(by_seed(ROWS, arm, shot)) == 5


def lost(one, other):
    """By how much `one` is behind `other` 1-shot, as the text says it; the interval must lie below 0."""
    gap = apart(ROWS, one, other, 1)
    assert gap.high < 0
    return gap.text().lstrip("-")


def test_what_the_text_says_of_batches_and_of_supcon_is_in_the_rows():
    batches = [lost(arm, "NCA") for arm in ("NCA, 16 × 8", "NCA, any pictures")]
    assert "cost {} points, pictures drawn regardless of class {} (".format(*batches) in text()
    warm = lost("NCA, unit length, warm", "NCA, unit length")
    behind = lost("SupCon, no views", "NCA, unit length, warm")
    copies = lost("SupCon", "SupCon, no views")
    assert f"the higher temperature costs {warm} points, the two layers {behind}, the copies {copies}." in text()


def test_what_the_text_says_of_nca_and_protonet_is_what_the_intervals_say():
    one, five = (apart(ROWS, "NCA", "ProtoNet", shot) for shot in (1, 5))
    assert one.low > 0 and f"1-shot NCA is {one.text()} points above ProtoNet" in text()
    assert five.low < 0 < five.high and f"5-shot not told apart from it ({five.text(2, sign=True)})" in text()
    gaps = [by_seed(ROWS, "NCA", 1)[seed] - by_seed(ROWS, "ProtoNet", 1)[seed] for seed in range(5)]
    assert sum(round(gap, 1) == 0 for gap in gaps) == 1 and min(gaps) > -0.05 and "in one of five seeds 0.0" in text()


def test_the_settings_of_the_study_are_those_that_the_text_states():
    arms = [CANDIDATES["glyphs", arm][0] for arm in ARMS]
    assert {(arm.pictures, arm.steps) for arm in arms} == {(PICTURES, 300)}
    assert "128 pictures in each of 300 steps" in text()
    network = {name: (arm.pool, arm.width) for name, arm in zip(ARMS, arms, strict=True)}
    assert [name for name in ARMS if network[name] != network["ProtoNet"]] == ["RelationNet"]
    warm, cool = (2 / CANDIDATES["why", f"NCA, unit length{name}"][0].settings["tau"] for name in (", warm", ""))
    assert (warm, cool) == (1 / 0.1, 1 / 0.05)
