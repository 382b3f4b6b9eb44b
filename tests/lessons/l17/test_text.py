"""What the text of lesson 17 says in numbers, against the rows of its study and sums of its own."""

import re

import pytest
import torch

from mlcourse.context import LinearTasks, by_prefix, errors, prior_mean, ridge
from mlcourse.context.coins import kl
from mlcourse.course import notebooks
from mlcourse.exercises import exercise
from mlcourse.lessons.l17_context import figures, live, shipped
from mlcourse.lessons.l17_context import study_context_results as results
from mlcourse.lessons.l17_context.checks_results import CLAIMS
from mlcourse.lessons.l17_context.predictions import PREDICTIONS
from mlcourse.lessons.l17_context import study_context_words as words
from mlcourse.lessons.l17_context.study_context_glyphs import ARMS, SHOTS
from mlcourse.rows import read

ROWS = read("context")
GAP = re.compile(r"(\d+\.\d) ± (\d+\.\d)")


def text():
    """The Markdown of the lesson, its white space made even."""
    cells = notebooks.read(notebooks.find("17")).cells
    return " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_a_verdict_is_that_of_its_paired_interval(claim):
    gap = results.apart(ROWS, claim.one, claim.other, claim.shot)
    assert claim.verdict == ("yes" if gap.low > 0 else "no" if gap.high < 0 else "open")


def test_every_gap_of_the_text_is_a_paired_difference():
    gaps = [results.apart(ROWS, one, other, shot) for one in ARMS for other in ARMS for shot in SHOTS if one != other]
    gaps += [results.ahead(ROWS, one, other, shot) for one in words.ARMS for other in words.ARMS for shot in SHOTS]
    known = {(f"{abs(gap.mean):.1f}", f"{gap.half:.1f}") for gap in gaps}
    assert set(GAP.findall(text())) <= known


def test_the_checkpoint_is_within_five_per_cent_of_ridge():
    assert results.to_ridge(ROWS, "checkpoint").high < 1.05
    tasks = LinearTasks(5, 11, 0.5)
    prompts = tasks.sample(4000, torch.Generator().manual_seed(1)).to(torch.float64)
    own = live.of_network(shipped.regression(), prompts)
    best = errors(by_prefix(ridge(0.25), prompts.x, prompts.y), prompts.clean)
    assert live.ratio(own.mean(0), best.mean(0)) < 1.06 and live.gap(own, best).low > 0


def test_the_predictions_about_the_study_are_borne_out():
    p = {each.id: each for each in PREDICTIONS}
    late = lambda arm: results.late(ROWS, arm, "x × 3")
    assert p["17.p2"].holds(network=late("checkpoint"), ridge=late("ridge"))
    next_head = exercise("17.6").reference()
    assert p["17.p3"].holds(few=next_head(0, 0), many=next_head(1000, 2000))
    assert "off by 0.05, in the end by 0.10" in p["17.p3"].happened(few=0.45, many=0.6)


def test_divergences_are_those_of_the_text():
    assert f"KL(0.5‖0.6) = {kl(0.5, 0.6):.3f} nats" in text() and f"KL(0.5‖0.3) = {kl(0.5, 0.3):.3f}" in text()


def test_the_losses_of_answering_zero_and_of_ridge():
    prompts = LinearTasks(5, 11, 0.5).sample(10_000, torch.Generator().manual_seed(0))
    loss = lambda predict: float((by_prefix(predict, prompts.x, prompts.y) - prompts.y).square().mean())
    assert loss(prior_mean) == pytest.approx(5.25, rel=0.03) and loss(ridge(0.25)) == pytest.approx(2, abs=0.1)
    assert "Answering 0 has a loss of 5.25, ridge of about 2." in text()


def test_what_is_said_outside_the_prior_is_in_the_rows():
    x, w, noise = (results.to_ridge(ROWS, "checkpoint", f"{name} × 3") for name in ("x", "w", "noise"))
    assert f"Transformer's error is {x.mean:.1f} times ridge's, with $w_*$ {w.mean:.1f} times" in text() and w.low > 2
    assert noise.high < 1 and results.to_ridge(ROWS, "ridge, told the situation", "noise × 3").high < noise.low


def test_the_network_of_two_coins_goes_the_way_of_bayes():
    for who in ("bayes", "network"):
        wrong = results.coins(ROWS, "outside", f"{who}_wrong")
        assert wrong[0] < wrong[10] < wrong[100] and wrong[100] > 1.5 * wrong[0]


def test_the_checkpoint_had_fourteen_times_the_steps_of_the_lesson():
    assert shipped.card("context-regression")["training"]["steps"] / 700 == 18
    cells = notebooks.read(notebooks.find("17")).cells
    assert any("steps=700" in cell.source for cell in cells) and "eighteen times as many steps" in text()


def test_belief_tips_over_between_two_of_the_coins_to_try():
    gap = lambda coin: kl(coin, 0.3) - kl(coin, 0.6)
    assert gap(0.45) > 0 > gap(0.40)


def test_tables_have_a_line_for_every_arm():
    assert all(arm in figures.glyphs(ROWS) for arm in ARMS)
    assert "x × 3" in figures.beyond(ROWS) and "right λ" in figures.beyond(ROWS)


def test_errors_compared_are_those_after_five_pairs():
    one, other = torch.tensor([[9.0] * 5 + [2.0, 4.0]]), torch.tensor([[0.0] * 5 + [1.0, 1.0]])
    assert live.ratio(one[0], other[0]) == 3 and live.gap(one.repeat(2, 1), other.repeat(2, 1)).mean == 2
