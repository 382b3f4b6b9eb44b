"""What lesson 02 says of its study is what the rows bear out."""

import pytest
from scipy.special import stdtrit

from mlcourse.course import notebooks
from mlcourse.lessons.l02_transfer import figures, gaps
from mlcourse.lessons.l02_transfer.checks_results import CLAIMS
from mlcourse.rows import read
from mlcourse.system import paths

ROWS = read("freeze")
FOUND = [     # one curve, less another, at k: what the interval bears out, and how it is written
    (("typeset", "fine-tuned longer"), ("none", "head on 0"), 10, "+", "1.6 ± 0.8"),
    (("typeset", "fine-tuned longer"), ("none", "head on 0"), 50, "+", "4.9 ± 1.5"),
    (("none", "fine-tuned longer"), ("none", "head on 0"), 50, "+", "4.3 ± 1.8"),
    (("typeset", "fine-tuned"), ("typeset", "random head"), 2, "+", "1.9 ± 1.1"),
    (("typeset", "LP-FT"), ("typeset", "random head"), 2, "open", "+0.2 ± 1.1"),
    (("typeset", "fine-tuned"), ("typeset", "LP-FT"), 2, "+", "1.7 ± 0.4"),
    (("none", "fine-tuned"), ("inverted", "joint"), 2, "+", "8.9 ± 4.1"),
]


def lesson():
    """The Markdown of the lesson."""
    return "\n".join(cell.source for cell in notebooks.read(notebooks.find("02")).cells if cell.cell_type == "markdown")


def code():
    """The code of the lesson."""
    return "\n".join(cell.source for cell in notebooks.read(notebooks.find("02")).cells if cell.cell_type == "code")


def printed():
    """What the lesson's cells have printed."""
    cells = notebooks.read(notebooks.find("02")).cells
    return "\n".join(each["text"] for cell in cells for each in cell.get("outputs", ()) if each.output_type == "stream")


def study_page():
    """The study's page, its line breaks left out."""
    return " ".join((paths.ROOT / "benchmarks" / "freeze.md").read_text(encoding="utf-8").split())


def sign(gap):
    """What an interval bears out."""
    return "+" if gap.low > 0 else "-" if gap.high < 0 else "open"


@pytest.mark.parametrize("one, other, k, expected, written", FOUND)
def test_a_finding_is_that_of_the_rows(one, other, k, expected, written):
    gap = gaps.difference(ROWS, one, other, k)
    assert sign(gap) == expected and written in lesson()
    assert written == (gap.text(sign=True) if expected == "open" else f"{abs(gap.mean):.1f} ± {gap.half:.1f}")


@pytest.mark.parametrize("k", [1, 2, 5])
def test_with_few_labels_typeset_digits_are_not_told_ahead_of_pixels(k):
    gap = gaps.difference(ROWS, ("typeset", "fine-tuned"), ("none", "head on 0"), k)
    assert sign(gap) == "open" and f"{gap.text(sign=True)} at {k}" in printed()
    assert "typeset digits show no gain with one to five labels" in lesson()


def test_pixels_lead_scratch_with_one_label_and_the_cell_prints_it():
    gap = gaps.difference(ROWS, ("none", "head on 0"), ("none", "fine-tuned"), 1)
    assert sign(gap) == "+" and f"pixels less scratch   {gap.text(sign=True)}" in printed()


@pytest.mark.parametrize("source", ["inverted", "permuted"])
def test_two_sources_are_never_told_to_help_fine_tuning(source):
    assert figures.ends(ROWS, source) == 1
    assert "Fine-tuned, inverted and permuted glyphs are never told to help" in lesson()


@pytest.mark.parametrize("key", CLAIMS)
def test_a_verdict_is_that_of_the_gap_and_of_its_p_value_after_holm(key):
    claim = CLAIMS[key]
    if claim.arm != claim.other:
        assert claim.right == "unfair"
        return
    gap, p = figures.gaps_of(ROWS, claim.arm)[claim.source, claim.k]
    assert claim.side == ("hurts" if gap.mean > 0 else "helps")
    assert claim.right == ("open" if p >= 0.05 else "hurts" if gap.mean > 0 else "helps")


def test_no_source_hurts_after_holm_under_any_arm():
    every = figures.every_gap(ROWS)
    assert {"fine-tuned", "random head", "head on 4", "frozen 1", "LP-FT", "joint"} <= {arm for arm, *_ in every}
    assert not [key for key, (gap, p) in every.items() if gap.mean > 0 and p < 0.05]
    helps = [arm for (arm, *_), (gap, p) in every.items() if gap.mean < 0 and p < 0.05]
    kept = [arm for arm in helps if arm.startswith(("head on", "frozen"))]
    assert (len(every), len(helps), len(kept)) == (280, 34, 30)
    assert "none of the 280 is told to hurt, and 34 are told to help, 30 of them with frozen blocks" in lesson()


def test_no_gap_of_fine_tuning_counts_after_holm():
    least = min(p for _, p in figures.gaps_of(ROWS, "fine-tuned").values())
    assert least >= 0.05 and f"none counts (smallest p {least:.3f})" in lesson()


def test_how_many_half_widths_the_smallest_p_of_24_asks_of_five_seeds():
    ratio = stdtrit(4, 1 - 0.025 / 24) / stdtrit(4, 0.975)
    assert f"the smallest p of 24 passes only if its gap is at least about {ratio:.1f} times its half-width" in lesson()


def test_the_older_numbers_are_those_of_the_contrast_study():
    page = (paths.ROOT / "benchmarks" / "contrast.md").read_text(encoding="utf-8")
    assert "| raw pixels | 63.3 | 74.4 |" in page and "66.8 ± 2.1" in page and "57.5 ± 1.9" in page
    assert all(number in study_page() for number in ("74.4", "66.8 ± 2.1", "57.5 ± 1.9"))


def test_joint_training_with_inverted_glyphs_is_open_after_holm():
    (_, p), tests = gaps.gaps(ROWS, "joint")["inverted", 2], len(gaps.gaps(ROWS, "joint"))
    assert tests == 16 and p > 0.05


@pytest.mark.parametrize("k", [1, 50])
def test_the_fourth_block_loses_more_with_random_weights(k):
    typeset, none = (gaps.difference(ROWS, (source, "head on 4"), ("none", "head on 0"), k)
                     for source in ("typeset", "none"))
    assert none.mean < typeset.mean and typeset.high < 0
    assert gaps.difference(ROWS, ("typeset", "head on 4"), ("none", "head on 4"), k).low > 0
    assert all(each.text() in study_page() for each in (typeset, none))


def test_the_second_rung_is_the_best_at_every_k_from_glyphs_alone():
    mean = lambda source, depth, k: sum(gaps.at(ROWS, (source if depth else "none", f"head on {depth}"), k).values())
    best = {source: {max(range(5), key=lambda depth: mean(source, depth, k)) for k in gaps.measured_ks(ROWS)}
            for source in ("typeset", "glyphs", "inverted", "permuted", "none")}
    assert [source for source, depths in best.items() if depths == {2}] == ["glyphs"]
    assert "From glyphs the best rung is the second" in study_page()


def test_only_fine_tuning_and_scratch_were_run_with_400_steps():
    steps = {row["arm"]: set() for row in ROWS if "steps" in row}
    for row in ROWS:
        if "steps" in row:
            steps[row["arm"]].add(row["steps"])
    assert {arm for arm, found in steps.items() if max(found) > 120} == {"fine-tuned longer", "frozen 4"}
    assert {row["k"] for row in ROWS if row["arm"] == "fine-tuned longer"} == {10, 20, 50}
    assert "from ten labels on 400 steps, else at most 120" in code()


@pytest.mark.parametrize("key, count", [("c", 9), ("d", 8)])
def test_how_many_intervals_of_a_family_leave_out_zero(key, count):
    found = figures.gaps_of(ROWS, CLAIMS[key].arm)
    assert len(found) == 24 and sum(gap.low > 0 or gap.high < 0 for gap, _ in found.values()) == count
    assert f"so do {count} of the 24" in CLAIMS[key].why


def test_the_families_of_gaps_are_eleven_of_24_and_one_of_16():
    sizes = {arm: 0 for arm, *_ in figures.every_gap(ROWS)}
    for arm, *_ in figures.every_gap(ROWS):
        sizes[arm] += 1
    assert sorted(sizes.values()) == [16] + [24] * 11 and sizes["joint"] == 16
    said = "are 24 gaps for each algorithm, 16 for joint training (from the source's network, against scratch)"
    assert said in lesson()
