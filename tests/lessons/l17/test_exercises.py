"""What lesson 17's exercises rest on: the reference answers are the library's, and the broken code misleads as the text
says."""

import math

import pytest
import torch

from mlcourse.context import (LinearAttention, LinearTasks, best_error, best_rate, by_prefix, causal, error_of, errors,
                              one_step, ridge, shifted_pairs)
from mlcourse.context.coins import kl, predictive
from mlcourse.datasets.words import encode
from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge
from mlcourse.lessons.l17_context import coin
from mlcourse.nets import GRU

PREFIX, TOKENS, READ, ATTEND, NEXT, WORDS = (exercise(f"17.{i}").reference() for i in (1, 2, 3, 4, 6, 7))


@pytest.fixture
def prompts():
    return LinearTasks(3, 6, 0.5).sample(4, torch.Generator().manual_seed(0)).to(torch.float64)


def test_errors_of_every_prefix_are_the_librarys(prompts):
    wanted = errors(by_prefix(ridge(0.25), prompts.x, prompts.y), prompts.clean).mean(0)
    torch.testing.assert_close(PREFIX(ridge(0.25), prompts.x, prompts.y, prompts.clean), wanted)


def test_tokens_are_the_librarys_shifted_pairs(prompts):
    assert torch.equal(TOKENS(prompts.x, prompts.y), shifted_pairs(prompts.x, prompts.y))


def test_reading_is_torchs_causal_attention():
    q, k, v = (torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(seed)).double() for seed in range(3))
    wanted = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(READ(q, k, v), wanted)
    later = v.clone()
    later[:, 3:] += 7
    assert torch.equal(READ(q, k, later)[:, :3], READ(q, k, v)[:, :3]) and causal(5).sum() == 15


def test_the_broken_reading_is_that_of_the_text():
    namespace = {"torch": torch}
    exec(exercise("17.3").given, namespace)
    zero, v = torch.zeros(1, 2, 1), torch.tensor([[[1.0], [5.0]]])
    assert namespace["look_back_broken"](zero, zero, v).flatten().tolist() == [3.0, 3.0]
    assert READ(zero, zero, v).flatten().tolist() == [1.0, 3.0]
    assert judge(exercise("17.3"), namespace["look_back_broken"]).misconception == "a score of 0 still counts"


def test_a_step_by_hand_is_a_step_by_autograd_and_a_layer_of_linear_attention(prompts):
    x, y, query = prompts.x[0], prompts.y[0], prompts.x[1, 0]
    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    gradient, = torch.autograd.grad(((x @ w - y) ** 2).mean() / 2, w)
    found = float(ATTEND(x, y, query, 0.3))
    assert found == pytest.approx(float(-0.3 * gradient @ query))
    assert found == pytest.approx(float(one_step(x[None], y[None], query[None], 0.3)))
    layer = LinearAttention(3).double()
    with torch.no_grad():
        for part in layer.parameters():
            part.zero_()
        layer.q[:3, :3] = layer.k[:3, :3] = torch.eye(3)
        layer.v[3, 3], layer.p[3, 3] = 1.0, 0.3
    assert found == pytest.approx(float(layer(x[None], y[None], query[None]).detach()))


def test_the_error_of_the_layer_is_least_where_the_text_says():
    """d - 2 tr B + (M + d + 1)/M |B|², whose gradient vanishes at α I."""
    dims, pairs = 5, 20
    matrix = (best_rate(pairs, dims) * torch.eye(dims, dtype=torch.float64)).requires_grad_()
    error = error_of(matrix, pairs)
    assert error.item() == pytest.approx(best_error(pairs, dims)) and f"{best_error(pairs, dims):.2f}" == "1.15"
    assert torch.autograd.grad(error, matrix)[0].abs().max() < 1e-9
    assert best_rate(1, 1) == pytest.approx(1 / 3) and best_error(1, 1) == pytest.approx(2 / 3)


def test_the_coin_is_the_librarys_and_the_explorers():
    flips = (torch.rand(1, 40, generator=torch.Generator().manual_seed(0)) < 0.5).long()
    wanted = predictive(flips, coin.COINS)[0]
    for tosses in (0, 1, 17, 40):
        heads = int(flips[0, :tosses].sum())
        assert NEXT(heads, tosses) == pytest.approx(float(wanted[tosses]))
        assert coin.next_head(heads, tosses) == pytest.approx(float(wanted[tosses]))


def test_more_tosses_of_a_coin_that_is_not_in_the_prior_are_worse():
    off = [coin.expected(tosses, 0.5)[1] for tosses in (0, 10, 100, 1000)]
    assert off[0] < off[1] < off[2] and off[0] == pytest.approx(0.05) and off[3] == pytest.approx(0.1, abs=1e-3)
    assert kl(0.5, 0.6) < kl(0.5, 0.3)
    assert coin.divergence(0.5, 0.6) == pytest.approx(kl(0.5, 0.6))
    assert coin.expected(300, 0.6)[1] < 0.001


def test_the_chances_of_heads_are_a_binomial_distribution():
    found = coin.chances(6, 0.3)
    assert found.sum() == pytest.approx(1)
    assert list(found) == pytest.approx([math.comb(6, h) * 0.3**h * 0.7 ** (6 - h) for h in range(7)])


def test_the_moments_behind_that_error():
    """E[C] = I and E[C²] = (M + d + 1)/M I for C = XᵀX/M."""
    dims, pairs = 3, 7
    x = torch.randn(200_000, pairs, dims, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    c = x.mT @ x / pairs
    eye = torch.eye(dims, dtype=torch.float64)
    torch.testing.assert_close(c.mean(0), eye, atol=0.02, rtol=0)
    torch.testing.assert_close((c @ c).mean(0), (pairs + dims + 1) / pairs * eye, atol=0.03, rtol=0)


def test_one_head_on_paper():
    assert NEXT(1, 1) == pytest.approx(0.5) and coin.belief(1, 1) == pytest.approx(2 / 3)


def test_words_are_read_as_the_librarys_gru_reads_them():
    x, net = encode(["a", "ovu", "kapsol", "abcdefghijkl"]).double() / 255, GRU(0, 26, 8, seed=1).double()
    start = x.new_zeros(4, 8)
    torch.testing.assert_close(WORDS(x, net.step, start), net(x), rtol=0, atol=1e-14)
    torch.testing.assert_close(WORDS(x[:3, :7], net.step, start[:3]), net(x)[:3], rtol=0, atol=1e-14)


OTHER_READINGS = {
    "word by word": """
    def alone(word, state):
        for letter in word:
            if not letter.any():
                break
            state = step(letter[None], state)
        return state[0]
    return torch.stack([alone(word, state[None]) for word, state in zip(x, h)])""",
    "the state at its length": """
    states = [h]
    for t in range(x.shape[1]):
        states.append(step(x[:, t], states[-1]))
    return torch.stack(states, 1)[torch.arange(len(x)), x.sum((1, 2)).long()]""",
    "a blend": """
    for letters in x.unbind(1):
        there = letters.sum(1, keepdim=True)
        h = there * step(letters, h) + (1 - there) * h
    return h""",
    "in place": """
    h = h.clone()
    for t in range(x.shape[1]):
        there = x[:, t].any(1)
        h[there] = step(x[there, t], h[there])
    return h""",
}


@pytest.mark.parametrize("body", OTHER_READINGS.values(), ids=OTHER_READINGS)
def test_other_readings_pass(body):
    namespace = {"torch": torch}
    exec(f"def read_words(x, step, h):{body}", namespace)
    result = judge(exercise("17.7"), namespace["read_words"])
    assert result.passed, result.message
