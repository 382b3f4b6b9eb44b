"""What the text of lesson 08 says in numbers, against the rows of studies, other pages, and sums of its own."""

import re
from statistics import NormalDist

import pytest

from mlcourse.course import notebooks
from mlcourse.lessons.l06_images.results import mean as mean_of_06
from mlcourse.lessons.l08_compare import figures
from mlcourse.lessons.l08_compare.checks_results import CLAIMS
from mlcourse.lessons.l08_compare.figures import ONE_SHOT
from mlcourse.lessons.l08_compare.results import ARMS, apart, by_seed, mean
from mlcourse.rows import read
from mlcourse.system import paths

ROWS = read("comparing")


def text():
    """The Markdown of the lesson."""
    return "\n".join(cell.source for cell in notebooks.read(notebooks.find("08")).cells if cell.cell_type == "markdown")


def test_what_it_quotes_of_lesson_06_is_in_its_rows():
    rows = read("protocol")
    for arm in ("Baseline++", "ProtoNet"):
        assert mean_of_06(rows, "rivals", arm, "accuracy").text() in text()


def test_our_errors_in_the_one_shot_task_are_those_of_the_page():
    page = (paths.ROOT / "benchmarks" / "omniglot.md").read_text(encoding="utf-8")
    ours = [each for each in ONE_SHOT if not each.official]
    rows = re.findall(r"^\| (ProtoNet, `--domain omniglot-runs`, 5,500 steps|modified Hausdorff distance, full size) \| "
                      r"([\d.]+) ± ([\d.]+) \|", page, re.MULTILINE)
    assert {(float(error), float(half)) for _, error, half in rows} == {(each.error, each.half) for each in ours}
    assert f"ProtoNet {ONE_SHOT[2].error}" in page and "BPL 3.3, people 4.5" in page and "38.8 %" in page
    assert (figures.OURS.mean, figures.OURS.half) == (ours[0].error, ours[0].half)


def test_the_pairs_of_a_batch_are_counted_right():
    pictures = 20 * (1 + 3)
    assert f"hold {pictures * (pictures - 1) // 2:,} pairs" in text()


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_a_verdict_is_that_of_its_paired_interval(claim):
    gap = apart(ROWS, claim.one, claim.other, claim.shot)
    assert claim.verdict == ("yes" if gap.low > 0 else "no" if gap.high < 0 else "open")


def test_the_study_has_five_seeds_of_every_arm_of_the_table():
    for arm in ARMS:
        for shot in (1, 5):
            assert len(by_seed(ROWS, arm, shot)) == 5
