"""The worlds that differ in one factor of P(x, y): each keeps what it says it keeps, against counting and integrals."""

import math

import pytest
import torch

from mlcourse.datasets import factors
from mlcourse.datasets.factors import (CONCEPT, KINDS, LABEL, LEFT, RIGHT, draw, edge, fit_line, home_log_odds,
                                       home_share, line_accuracy, log_odds, share)

MANY = 200_000


@pytest.mark.parametrize("kind", KINDS)
def test_labels_follow_the_stated_probability(kind):
    """In bins of the stated P(y = 1 | x) the share of ones is that probability."""
    x, y = draw(kind, 0.7, MANY, seed=5)
    assert x.shape == (MANY, 2) and x.dtype == torch.float32 and y.shape == (MANY,) and y.dtype == torch.int64
    stated = log_odds(kind, 0.7, x).sigmoid()
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        inside = (stated >= low) & (stated < low + 0.2)
        assert float(y[inside].double().mean()) == pytest.approx(float(stated[inside].double().mean()), abs=0.02)


@pytest.mark.parametrize("kind", [LEFT, RIGHT])
def test_a_covariate_shift_moves_x_and_keeps_the_rule(kind):
    home, away = draw(kind, 0.0, MANY, seed=1)[0], draw(kind, 0.5, MANY, seed=1)[0]
    sign = -1 if kind == LEFT else 1
    torch.testing.assert_close(away - home, torch.tensor([sign * 0.5 * factors.FAR, 0.0]).expand(MANY, 2))
    assert torch.equal(log_odds(kind, 0.5, away), home_log_odds(away))


def test_a_label_shift_keeps_x_given_y():
    home_x, home_y = draw(LABEL, 0.0, MANY, seed=1)
    x, y = draw(LABEL, 1.0, MANY, seed=2)
    assert float(y.double().mean()) == pytest.approx(factors.MOST, abs=0.005)
    for label in (0, 1):
        one, other = home_x[home_y == label], x[y == label]
        torch.testing.assert_close(one.mean(0), other.mean(0), atol=0.02, rtol=0)
        torch.testing.assert_close(one.std(0), other.std(0), atol=0.02, rtol=0)
        quantiles = torch.tensor([0.1, 0.5, 0.9])
        torch.testing.assert_close(one[:, 1].quantile(quantiles), other[:, 1].quantile(quantiles), atol=0.03, rtol=0)
    assert float((home_x.mean(0) - x.mean(0)).abs().max()) > 0.3           # P(x) changed with it


def test_a_concept_shift_keeps_x_and_p_of_y_and_turns_the_rule():
    home, away = draw(CONCEPT, 0.0, MANY, seed=1), draw(CONCEPT, 0.5, MANY, seed=1)
    assert torch.equal(home[0], away[0])
    assert float(away[1].double().mean()) == pytest.approx(float(home[1].double().mean()), abs=0.005)
    x = torch.tensor([[0.3, 1.2], [-2.0, 0.1]])
    turned = torch.stack([-x[:, 1], x[:, 0]], 1)                           # by 90 degrees, counter-clockwise
    torch.testing.assert_close(log_odds(CONCEPT, 0.5, turned), home_log_odds(x), atol=1e-5, rtol=1e-5)


def test_the_share_of_ones_at_home_matches_counting():
    _, y = draw(LEFT, 0.0, MANY, seed=3)
    assert home_share() == pytest.approx(float(y.double().mean()), abs=0.004)
    assert share(0) == home_share() and share(1) == pytest.approx(factors.MOST)
    prior = math.log(share(1) / (1 - share(1))) - math.log(home_share() / (1 - home_share()))
    x = torch.zeros(1, 2)
    assert float(log_odds(LABEL, 1.0, x) - home_log_odds(x)) == pytest.approx(prior, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_edge_is_where_both_labels_are_equally_likely(kind):
    curve = edge(kind, 0.6, reach=3.0)
    assert curve.shape == (181, 2)
    assert float(log_odds(kind, 0.6, curve).abs().max()) < 2e-3
    torch.testing.assert_close(edge(kind, 0.0), edge(LEFT, 0.0), atol=1e-5, rtol=0)


def test_all_kinds_start_at_home():
    for kind in KINDS:
        x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
        torch.testing.assert_close(log_odds(kind, 0.0, x), home_log_odds(x))


def test_the_line_is_the_minimum_of_the_logistic_loss():
    x, y = draw(LEFT, 0.0, 2000, seed=4)
    line = fit_line(x, y)
    weight, bias = line.weight.double().requires_grad_(), line.bias.double().requires_grad_()
    loss = torch.nn.functional.binary_cross_entropy_with_logits(x.double() @ weight + bias, y.double())
    loss = loss + 0.5e-3 * (weight.square().sum() + bias**2)
    assert all(float(g.abs().max()) < 1e-5 for g in torch.autograd.grad(loss, (weight, bias)))
    assert torch.equal(line(x), (x @ line.weight + line.bias > 0).long())


def test_a_weight_counts_a_point_so_many_times():
    x, y = draw(LEFT, 0.0, 300, seed=5)
    times = torch.randint(1, 4, (300,), generator=torch.Generator().manual_seed(0))
    repeated = fit_line(x.repeat_interleave(times, 0), y.repeat_interleave(times))
    weighted = fit_line(x, y, 7.0 * times)
    torch.testing.assert_close(weighted.weight, repeated.weight)
    torch.testing.assert_close(weighted.bias, repeated.bias)


@pytest.mark.parametrize("kind", KINDS)
def test_accuracies_match_counting_and_no_line_beats_the_best(kind):
    line = fit_line(*draw(LEFT, 0.0, 2000, seed=4))
    reached, best = line_accuracy(line, kind, 0.8)
    x, y = draw(kind, 0.8, MANY, seed=9)
    assert reached == pytest.approx(float((line(x) == y).double().mean()), abs=0.01)
    assert best == pytest.approx(float(((log_odds(kind, 0.8, x) > 0).long() == y).double().mean()), abs=0.01)
    assert reached <= best


def test_severity_moves_points_gradually_and_seeds_are_independent():
    a, b = draw(LABEL, 0.3, 500, seed=1), draw(LABEL, 0.4, 500, seed=1)
    assert float((a[0] == b[0]).all(1).double().mean()) > 0.85
    assert not torch.equal(draw(LEFT, 0.0, 500, seed=1)[0], draw(LEFT, 0.0, 500, seed=2)[0])
    before = torch.get_rng_state()
    draw(LABEL, 0.5)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_is_refused():
    for call in (lambda **s: draw(**s), lambda **s: edge(**s), lambda **s: log_odds(**s, x=torch.zeros(1, 2))):
        with pytest.raises(ValueError, match="unknown kind of shift 'prior shift'; choose one of covariate"):
            call(kind="prior shift", severity=0.5)
        for severity in (-0.1, 1.1, float("nan")):
            with pytest.raises(ValueError, match="severity must lie between 0 .* and 1, got"):
                call(kind=LABEL, severity=severity)
    with pytest.raises(ValueError, match="at least 1 sample, got 0"):
        draw(LEFT, 0.5, 0)
