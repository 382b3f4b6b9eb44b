"""What the text of lesson 11 says in numbers, against the rows of its study and sums of its own."""

import re

import pytest
import torch

from mlcourse.course import notebooks
from mlcourse.lessons.l11_unlabelled import figures, results
from mlcourse.lessons.l11_unlabelled import study_unlabelled_results as study
from mlcourse.lessons.l11_unlabelled.checks_results import CLAIMS
from mlcourse.lessons.l11_unlabelled.pool import EPISODES, characters
from mlcourse.lessons.l11_unlabelled.predictions import PREDICTIONS
from mlcourse.lessons.l11_unlabelled.results import BALANCES, DISTRACTORS, apart
from mlcourse.lessons.l11_unlabelled.study_unlabelled_arms import OMNIGLOT
from mlcourse.rows import read

ROWS = read("unlabelled")
GAP = re.compile(r"(\d+\.\d+) ± (\d+\.\d+)")


def text():
    """The Markdown of the lesson, its white space made even."""
    cells = notebooks.read(notebooks.find("11")).cells
    return " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_a_verdict_is_that_of_its_paired_interval(claim):
    gap = apart(ROWS, claim.one, claim.other, claim.distractors, claim.balance)
    assert claim.verdict == ("yes" if gap.low > 0 else "no" if gap.high < 0 else "open")


def test_every_gap_of_the_text_is_a_paired_difference():
    """Of two arms with one pool, or of one arm on even and on uneven pools."""
    places = [(arm, others, balance) for others in DISTRACTORS for balance in BALANCES for arm in results.ARMS]
    gaps = [study.apart(ROWS, one, other) for one in places for other in places
            if one != other and (one[1:] == other[1:] or one[:2] == other[:2])]
    known = {(f"{abs(gap.mean):.{digits}f}", f"{gap.half:.{digits}f}") for gap in gaps for digits in (1, 2)}
    said = GAP.findall(text())
    assert len(said) >= 6 and set(said) <= known


def test_what_is_said_of_the_arms_is_in_the_rows():
    gap = lambda one, other, others=0, balance="even": apart(ROWS, one, other, others, balance)
    worth = gap(results.MASKED, results.SOFT_AT_TEST, 5)
    assert worth.low > 0 and f"worth {worth.text(2)} points against soft k-means at test.**" in text()
    cost = gap(results.SOFT_AT_TEST, results.MASKED)
    assert cost.low > 0 and f"Without them it costs {cost.text(2)}." in text()
    costs = [gap(results.SOFT_AT_TEST, results.SOFT, others) for others in DISTRACTORS]
    assert all(each.low > 0 for each in costs)
    assert f"it loses {costs[0].text(2)} points, {costs[1].text(2)} with five other classes." in text()
    above = gap(results.BALANCED, results.PROTO)
    assert above.low > 0 and f"it is {above.text()} points above ProtoNet" in text()
    still = gap(results.SOFT_AT_TEST, results.PROTO, 0, "0.5")
    assert still.low > 0 and f"still gains {still.text()} points" in text()


def test_every_gap_that_the_text_says_is_printed_by_a_cell():
    """Whoever reads a difference finds it, with its interval, in an output."""
    cells = notebooks.read(notebooks.find("11")).cells
    printed = " ".join(str(output) for cell in cells if cell.cell_type == "code" for output in cell.outputs)
    main, _, _ = text().partition("## References")
    assert set(GAP.findall(main)) <= set(GAP.findall(printed))


def test_errors_on_omniglot_are_the_rows():
    error = lambda arm, others: f"{100 - study.mean(ROWS, arm, others, part=OMNIGLOT).mean:.2f}"
    assert f"ProtoNet 5.16 / {error(results.PROTO, 0)}" in text()
    for arm, name, published in ((results.SOFT, "soft k-means", (2.56, 4.59)),
                                 (results.MASKED, "masked", (2.46, 2.62))):
        assert (f"{name} {published[0]} / {error(arm, 0)}, with distractors {published[1]} / {error(arm, 5)}") in text()


def test_the_study_has_five_seeds_of_every_arm():
    for arm in results.ARMS:
        for others in DISTRACTORS:
            assert set(study.values(ROWS, arm, others)) == {0, 1, 2, 3, 4}
    assert all(arm in figures.table(ROWS) for arm in results.ARMS)


def test_the_predictions_about_the_study_are_borne_out():
    p = {each.id: each for each in PREDICTIONS}
    assert p["11.p2"].holds(gap=apart(ROWS, results.SOFT, results.PROTO, 5))
    assert p["11.p3"].holds(gap=apart(ROWS, results.BALANCED, results.PROTO, 0, "0.5"))


def test_two_drawings_that_are_shared_out_evenly():
    """The shares that Sinkhorn's scaling makes of (0.9, 0.1) and (0.6, 0.4)."""
    logits = torch.log(torch.tensor([[0.9, 0.1], [0.6, 0.4]]))
    for _ in range(100):
        logits = logits.log_softmax(0).log_softmax(1)
    assert [[f"{x:.2f}" for x in row] for row in logits.exp().tolist()] == [["0.71", "0.29"], ["0.29", "0.71"]]
    assert "(0.9, 0.1) and (0.6, 0.4) to (0.71, 0.29) and (0.29, 0.71)" in text()


def test_an_unknown_arm_number_or_balance_is_refused():
    with pytest.raises(ValueError, match="no arm 'MAML'"):
        apart(ROWS, "MAML", results.PROTO, 0)
    with pytest.raises(ValueError, match="no number of other classes 3"):
        apart(ROWS, results.SOFT, results.PROTO, 3)
    with pytest.raises(ValueError, match="no balance '7'"):
        apart(ROWS, results.SOFT, results.PROTO, 0, "7")
    with pytest.raises(ValueError, match="no balance 5; there are 'even', '5', "):
        apart(ROWS, results.SOFT, results.PROTO, 0, 5)


def test_the_shares_of_the_commonest_class_are_the_rows():
    shares = study.largest(ROWS)
    assert shares["even"] == 20 and f"has {shares['0.5']:.0f} % of the pool" in text()


def test_episodes_and_features_are_as_many_as_the_text_says():
    assert f"over {EPISODES} episodes and in all {characters().shape[-1]} features" in text()
