"""The predictors in closed form: least squares and its exact error, ridge as the Bayes predictor, pools of tasks."""

import math

import pytest
import torch

from mlcourse.context import (LinearTasks, baseline_loss, best_rate, by_prefix, errors, least_squares,
                              least_squares_error, of_pool, one_step, prior_mean, ridge)
from mlcourse.statistics import interval, paired_difference


def prompts(dims=4, points=9, noise=0.5, batch=4000, seed=0, **settings):
    tasks = LinearTasks(dims, points, noise, **settings)
    return tasks.sample(batch, torch.Generator().manual_seed(seed)).to(torch.float64)


def test_every_prefix_is_predicted_from_the_pairs_before_it():
    prompt, seen = prompts(batch=2), []

    def predict(x, y, query):
        seen.append((x.shape[1], y.shape[1]))
        return query[:, 0] + y.sum(1)

    said = by_prefix(predict, prompt.x, prompt.y)
    assert seen == [(i, i) for i in range(9)]
    torch.testing.assert_close(said, prompt.x[..., 0] + prompt.y.cumsum(1) - prompt.y)


def test_t5_without_a_pair_the_best_answer_is_the_prior_mean_and_all_say_so():
    prompt, pool = prompts(batch=3), torch.tensor([[1.0, 2, 0, 1], [-1, -2, 0, -1]], dtype=torch.float64)
    for predict in (prior_mean, least_squares, ridge(0.25), of_pool(pool, 0.5)):
        assert not by_prefix(predict, prompt.x, prompt.y)[:, 0].any()


@pytest.mark.parametrize("pairs", range(7))
def test_t6_least_squares_without_noise_costs_the_dimensions_that_it_has_not_seen(pairs):
    """Exactly, for any x: the expectation over w and x_q ~ N(0, I) is a sum over the axes, here d² prompts of one x."""
    dims = 4
    x = torch.randn(1, pairs, dims, generator=torch.Generator().manual_seed(0), dtype=torch.float64).expand(16, -1, -1)
    axes = torch.eye(dims, dtype=torch.float64)
    w, query = axes.repeat_interleave(4, 0), axes.repeat(4, 1)
    said = least_squares(x, (x @ w.unsqueeze(-1))[..., 0], query)
    assert float((said - (w * query).sum(-1)).square().sum()) == pytest.approx(max(dims - pairs, 0), abs=1e-10)
    assert least_squares_error(pairs, dims) == max(dims - pairs, 0)


def test_t6_the_mean_over_prefixes_is_the_baseline_of_the_authors():
    assert baseline_loss(4, 9) == pytest.approx((4 + 3 + 2 + 1) / 9)
    assert baseline_loss(20, 41) == pytest.approx(210 / 41)
    prompt = prompts(noise=0.0, points=4)
    mean, half = interval(errors(by_prefix(least_squares, prompt.x, prompt.y), prompt.clean).mean(1).tolist())
    assert abs(mean - baseline_loss(4, 4)) < 1.5 * half


def test_with_noise_least_squares_explodes_where_pairs_and_dimensions_are_as_many():
    prompt = prompts(dims=6, points=13, batch=6000)
    found = errors(by_prefix(least_squares, prompt.x, prompt.y), prompt.clean).mean(0)
    for k in (0, 1, 2, 10, 11, 12):
        assert float(found[k]) == pytest.approx(least_squares_error(k, 6, 0.5), rel=0.1)
    assert [math.isinf(least_squares_error(k, 6, 0.5)) for k in range(13)] == [5 <= k <= 7 for k in range(13)]
    assert found[6] > 3 * found[2]
    assert least_squares_error(0, 1, 0.5) == 1


def test_t7_ridge_with_the_variance_of_the_noise_is_the_posterior_mean():
    """The conditional mean of jointly normal targets, which have the covariance XXᵀ + σ² I, and x_q·X with y_q's."""
    prompt, noise = prompts(batch=5), 0.5
    x, y, query = prompt.x[:, :6], prompt.y[:, :6], prompt.x[:, 6]
    covariance = x @ x.mT + noise**2 * torch.eye(6, dtype=torch.float64)
    across = (x @ query.unsqueeze(-1)).mT
    expected = (across @ torch.linalg.solve(covariance, y.unsqueeze(-1)))[:, 0, 0]
    torch.testing.assert_close(ridge(noise**2)(x, y, query), expected, rtol=0, atol=1e-12)


def test_where_w_is_twice_as_large_the_penalty_is_a_quarter():
    prompt = prompts(w_scale=2.0)
    right, wrong = (errors(by_prefix(ridge(penalty), prompt.x, prompt.y), prompt.clean)[:, 1:].mean(1).tolist()
                    for penalty in (0.25 / 4, 0.25))
    assert paired_difference(wrong, right).low > 0


@pytest.mark.parametrize("rival", [least_squares, prior_mean, ridge(0.02), ridge(2.0),
                                   lambda x, y, query: one_step(x, y, query, best_rate(max(x.shape[1], 1), 4, 0.5))])
def test_t7_no_predictor_beats_the_bayes_predictor_beyond_its_interval(rival):
    prompt = prompts()
    best, other = (errors(by_prefix(predict, prompt.x, prompt.y), prompt.clean)[:, 1:].mean(1).tolist()
                   for predict in (ridge(0.25), rival))
    assert paired_difference(other, best).high > 0


def test_the_bayes_predictor_of_a_pool_finds_the_task_and_beats_ridge_there_and_not_outside():
    pool = torch.randn(4, 4, generator=torch.Generator().manual_seed(3)).double()
    found = {}
    for where, prompt in (("inside", prompts(pool=pool.float(), batch=2000)), ("outside", prompts(batch=2000))):
        of_ridge, pooled = (errors(by_prefix(predict, prompt.x, prompt.y), prompt.clean)[:, 1:].mean(1).tolist()
                            for predict in (ridge(0.25), of_pool(pool, 0.5)))
        found[where] = paired_difference(of_ridge, pooled)
    assert found["inside"].low > 0 > found["outside"].high


def test_a_large_pool_is_as_good_as_the_prior_that_it_was_drawn_from():
    pool = torch.randn(20_000, 2, generator=torch.Generator().manual_seed(3)).double()
    prompt = prompts(dims=2, points=4, batch=200)
    x, y, query = prompt.x[:, :3], prompt.y[:, :3], prompt.x[:, 3]
    torch.testing.assert_close(of_pool(pool, 0.5)(x, y, query), ridge(0.25)(x, y, query), rtol=0, atol=0.2)
