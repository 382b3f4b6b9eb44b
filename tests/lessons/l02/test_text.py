"""What lesson 02 says of its study is what the rows bear out."""

import pytest

from mlcourse.course import notebooks
from mlcourse.lessons.l02_transfer import figures, gaps
from mlcourse.lessons.l02_transfer.checks_results import CLAIMS
from mlcourse.rows import read
from mlcourse.system import paths

ROWS = read("freeze")
FOUND = [     # one curve, less another, at k: what the interval bears out, and how it is written
    (("none", "head on 0"), ("none", "fine-tuned"), 1, "+", "8.7 ± 2.7"),
    (("none", "fine-tuned longer"), ("none", "head on 0"), 50, "+", "4.3 ± 1.8"),
    (("none", "fine-tuned longer"), ("inverted", "fine-tuned longer"), 50, "+", "1.1 ± 0.9"),
    (("typeset", "fine-tuned"), ("typeset", "random head"), 2, "+", "1.9 ± 1.1"),
    (("typeset", "LP-FT"), ("typeset", "random head"), 2, "open", "+0.2 ± 1.1"),
    (("typeset", "fine-tuned"), ("typeset", "LP-FT"), 2, "+", "1.7 ± 0.4"),
    (("none", "fine-tuned"), ("inverted", "joint"), 2, "+", "8.9 ± 4.1"),
]


def lesson():
    """The Markdown of the lesson."""
    return "\n".join(cell.source for cell in notebooks.read(notebooks.find("02")).cells if cell.cell_type == "markdown")


def sign(gap):
    """What an interval bears out."""
    return "+" if gap.low > 0 else "-" if gap.high < 0 else "open"


@pytest.mark.parametrize("one, other, k, expected, written", FOUND)
def test_a_finding_is_that_of_the_rows(one, other, k, expected, written):
    gap = gaps.difference(ROWS, one, other, k)
    assert sign(gap) == expected and written in lesson()
    assert written == (gap.text(sign=True) if expected == "open" else f"{abs(gap.mean):.1f} ± {gap.half:.1f}")


@pytest.mark.parametrize("key", CLAIMS)
def test_a_verdict_is_that_of_the_gap_and_of_its_p_value_after_holm(key):
    claim = CLAIMS[key]
    if claim.arm != claim.other:
        assert claim.right == "unfair"
        return
    gap, p = figures.gaps_of(ROWS, claim.arm)[claim.source, claim.k]
    assert claim.right == ("open" if p >= 0.05 else "hurts" if gap.mean > 0 else "helps")


def test_no_source_hurts_after_holm_under_any_arm():
    every = figures.every_gap(ROWS)
    assert {"fine-tuned", "random head", "head on 4", "frozen 1", "LP-FT", "joint"} <= {arm for arm, *_ in every}
    assert not [key for key, (gap, p) in every.items() if gap.mean > 0 and p < 0.05]


def test_the_older_numbers_are_those_of_the_contrast_study():
    page = (paths.ROOT / "benchmarks" / "contrast.md").read_text(encoding="utf-8")
    assert "| raw pixels | 63.3 | 74.4 |" in page and "66.8 ± 2.1" in page and "57.5 ± 1.9" in page
    assert all(number in lesson() for number in ("74.4", "66.8 ± 2.1", "57.5 ± 1.9"))


def test_joint_training_with_inverted_glyphs_is_open_after_holm():
    (_, p), tests = gaps.gaps(ROWS, "joint")["inverted", 2], len(gaps.gaps(ROWS, "joint"))
    assert tests == 16 and p > 0.05
