"""What lesson 13 says of its studies is what their rows bear out."""

import pytest

from mlcourse import small
from mlcourse.course import notebooks
from mlcourse.lessons.l13_adaptation import figures as plots, study_label_shift as study
from mlcourse.rows import read
from mlcourse.statistics import paired_difference, t_interval
from mlcourse.system import paths

FAR = [  # what the lesson says or shows of label distance 0.6: one arm, less another, sign, as it is written
    ((study.ACROSS, "CORAL"), (study.ACROSS, "AdaBN"), "-", "CORAL less AdaBN: -17.2 ± 8.1"),
    ((study.ACROSS, "AdaBN"), (study.ACROSS, "no adaptation"), "-", "AdaBN less no adaptation: -9.1 ± 6.8"),
    ((study.WITHIN, "no adaptation, BBSE"), (study.WITHIN, "no adaptation"), "+", "+5.9 ± 3.4 points on faint print"),
    ((study.WITHIN, "no adaptation, BBSE"), (study.WITHIN, "no adaptation"), "+",
     "it brings *no adaptation* 5.9 ± 3.4 points at 0.6"),
    ((study.ACROSS, "AdaBN, BBSE"), (study.ACROSS, "AdaBN"), "+", "+5.9 ± 4.0 to AdaBN"),
    ((study.ACROSS, "no adaptation, BBSE"), (study.ACROSS, "no adaptation"), "open", "+0.6 ± 2.1 to no adaptation"),
    ((study.ACROSS, "AdaBN, true shares"), (study.ACROSS, "AdaBN, BBSE"), "+", "the true shares +8.0 ± 2.5 more"),
    ((study.ACROSS, "AdaBN, BBSE"), (study.ACROSS, "no adaptation"), "open", "no adaptation (-3.2 ± 7.5)"),
]


def lesson():
    """The Markdown of the lesson."""
    return "\n".join(cell.source for cell in notebooks.read(notebooks.find("13")).cells if cell.cell_type == "markdown")


def shown():
    """What the code cells print, and the alt texts of their pictures."""
    outputs = [output for cell in notebooks.read(notebooks.find("13")).cells for output in cell.get("outputs", ())]
    return "\n".join(output.get("text", "") or output["data"].get("text/plain", "") for output in outputs)


def sign(gap):
    """What an interval bears out."""
    return "+" if gap.low > 0 else "-" if gap.high < 0 else "open"


@pytest.mark.parametrize("one, other, expected, written", FAR)
def test_a_finding_at_the_largest_distance_is_that_of_the_rows(one, other, expected, written):
    gap = paired_difference(*(plots.at(read("label_shift"), *which, 0.6) for which in (one, other)))
    assert sign(gap) == expected and written in lesson() + shown()
    assert f"{abs(gap.mean):.1f} ± {gap.half:.1f}" in written


def test_the_baseline_is_ahead_where_shares_shift_far():
    assert "no adaptation is ahead of AdaBN, and AdaBN of CORAL" in lesson()       # the signs: the first two of FAR


@pytest.mark.parametrize("ground, base, distance, written", [
    (study.WITHIN, "no adaptation", 0.3, "At smaller distances its gain is open."),
    (study.WITHIN, "no adaptation", 0.0, "At smaller distances its gain is open."),
    (study.ACROSS, "AdaBN", 0.3, "at 0.6 (at 0.3: {})")])
def test_bbse_is_not_told_apart_at_smaller_distances(ground, base, distance, written):
    gap = paired_difference(*(plots.at(read("label_shift"), ground, arm, distance) for arm in (f"{base}, BBSE", base)))
    assert sign(gap) == "open" and written.format(gap.text(sign=True)) in lesson()


def test_no_loss_of_faint_print_by_other_shares_alone_can_be_told():
    near, far = (plots.at(read("label_shift"), study.WITHIN, "no adaptation", distance) for distance in (0.0, 0.6))
    gap = paired_difference(far, near)
    assert sign(gap) == "open"
    page = " ".join((paths.RESULTS.parent / "label-shift.md").read_text(encoding="utf-8").split())
    assert f"without adaptation 0.6 has {gap.text(sign=True)} over 0, paired" in page


def test_the_study_gets_the_part_of_the_true_shares_that_the_lesson_says():
    of = lambda arm: plots.at(read("label_shift"), study.WITHIN, arm, 0.6)
    part, whole = (paired_difference(of(f"no adaptation, {name}"), of("no adaptation")).text()
                   for name in ("BBSE", "true shares"))
    said = f"brings *no adaptation* {part} points at 0.6, of {whole} that the true shares bring"
    assert said in lesson()


@pytest.mark.parametrize("ground, arm, written", [
    (study.ACROSS, "CORAL", "paired 0.24 ± 0.15 above its floor"),
    (study.WITHIN, "no adaptation", "0.55 ± 0.13")])
def test_pad_lies_above_its_floor_as_the_page_says(ground, arm, written):
    gap = paired_difference(*(plots.at(read("label_shift"), ground, arm, 0.6, field) for field in ("pad", "floor")))
    page = " ".join((paths.RESULTS.parent / "label-shift.md").read_text(encoding="utf-8").split())
    assert gap.low > 0 and gap.text(2) in written and written in page


def test_pad_is_larger_where_only_shares_differ():
    for field in ("pad", "floor"):
        gap = paired_difference(*(plots.at(read("label_shift"), *which, 0.6, field) for which in
                                  ((study.WITHIN, "no adaptation"), (study.ACROSS, "CORAL"))))
        assert (gap.low > 0) == (field == "pad")


def test_bbse_costs_where_looks_shift_and_shares_do_not():
    cost = [paired_difference(*(plots.at(read("label_shift"), study.ACROSS, arm, distance)
                                for arm in ("no adaptation", "no adaptation, BBSE"))) for distance in (0.0, 0.3)]
    said = f"BBSE costs *no adaptation* {cost[0].text()} points at 0 and {cost[1].text()} at 0.3"
    assert min(each.low for each in cost) > 0 and said in lesson()


def test_fifty_labels_reach_what_the_lesson_says_without_a_source():
    reached = [t_interval(plots.crossing(read("transfer"), "from scratch", source, 5).values()).text()
               for source in plots.PAIRS]
    assert len(set(reached)) == 1 and f"fifty in all, reach {reached[0]} % without a source" in lesson()
    of = lambda source, arm, k=0: plots.crossing(read("transfer"), arm, source, k)
    typeset, near = plots.PAIRS
    behind = paired_difference(of(typeset, "from scratch", 5), of(typeset, "SHOT"))
    ahead = paired_difference(of(near, "DANN"), of(near, "from scratch", 5))
    assert min(behind.low, ahead.low) > 0
    assert (f"from typeset digits SHOT is {behind.text()} points behind that, from MNIST DANN {ahead.text()} "
            "ahead") in lesson()


def test_what_adabn_adds_is_less_with_the_good_baseline():
    of = lambda arm, *domains: plots.crossing(read("transfer"), arm, domains[0], 0, domains[1])
    before, now = ("glyphs-digits@unframed", "digits@unframed"), ("glyphs-digits", "digits")
    said = t_interval(of("no adaptation", *before).values()).text()
    assert f"another network read {said} % without adaptation" in lesson()
    first, ours = (paired_difference(of("AdaBN", *pair), of("no adaptation", *pair)) for pair in (before, now))
    assert f"AdaBN was {first.text()} points ahead" in lesson()
    assert f"and network mended it is {ours.text()}." in lesson()
    assert first.low > ours.high


def test_at_most_what_shares_have_in_common_is_right():
    q = small.proportions(10, (1, 4, 7), 0.6)
    assert float(q.clamp(max=0.1).sum()) == pytest.approx(1 - 0.6)
    assert f"$3\\times10 + 7\\times{100 * float(q[0]):.2f} \\approx 40$ % are right, that is $1 - 0.6$" in lesson()


def test_no_more_is_right_than_the_distance_of_answers_and_labels_leaves():
    for arm in ("CORAL", "SHOT"):
        right, apart = (plots.at(read("label_shift"), study.ACROSS, arm, 0.6, field)
                        for field in ("accuracy", "predicted"))
        assert all(right[seed] <= 100 * (1 - (0.6 - apart[seed])) for seed in right)
