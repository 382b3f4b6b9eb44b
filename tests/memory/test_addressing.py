"""Addressing, reading and writing against loops over rows and the values that the paper's equations give."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mlcourse.memory import (Head, address, content, cosine, erase_add, interpolate, largest_weight, read, sharpen,
                             shift)


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def weights(*shape, seed=0):
    return drawn(*shape, seed=seed).softmax(-1)


def slow_address(memory, head, before):
    """One memory and one head, row after row, as equations 5 to 9 have it."""
    rows, key = memory.tolist(), head.key.tolist()
    n = len(rows)
    norm = lambda v: math.sqrt(sum(x * x for x in v))
    alike = [sum(a * b for a, b in zip(row, key, strict=True)) / (norm(row) * norm(key) + 1e-3) for row in rows]
    exps = [math.exp(head.beta.item() * c) for c in alike]
    w = [e / sum(exps) for e in exps]
    g = head.gate.item()
    w = [g * one + (1 - g) * other for one, other in zip(w, before.tolist(), strict=True)]
    moves = dict(zip((-1, 0, 1), head.moves.tolist(), strict=True))
    w = [sum(w[j] * moves[m] for j in range(n) for m in moves if (j + m) % n == i) for i in range(n)]
    powers = [(x + 1e-8) ** head.gamma.item() for x in w]
    return torch.tensor([p / sum(powers) for p in powers], dtype=torch.float64)


def heads(batch=3, width=4, seed=0):
    parts = [drawn(batch, size, seed=seed + i) for i, size in enumerate((width, 1, 1, 3, 1))]
    return Head(parts[0], parts[1].exp(), parts[2].sigmoid(), parts[3].softmax(-1), 1 + parts[4].exp())


def test_a_batch_of_heads_addresses_as_a_loop_over_rows():
    memory, before, head = drawn(3, 6, 4, seed=7), weights(3, 6, seed=8), heads()
    fast = address(memory, head, before)
    slow = [slow_address(memory[b], Head(*(part[b] for part in head)), before[b]) for b in range(3)]
    torch.testing.assert_close(fast, torch.stack(slow))
    torch.testing.assert_close(fast.sum(-1), torch.ones(3, dtype=torch.float64))


def test_t1_a_shift_of_plus_one_moves_the_weight_to_the_next_row_and_around_the_end():
    first, last = torch.eye(5)[0], torch.eye(5)[-1]
    forward, back = torch.tensor([0.0, 0.0, 1.0]), torch.tensor([1.0, 0.0, 0.0])
    assert shift(first, forward).tolist() == [0, 1, 0, 0, 0] and shift(last, forward).tolist() == [1, 0, 0, 0, 0]
    assert shift(first, back).tolist() == [0, 0, 0, 0, 1]
    assert shift(first, torch.tensor([0.25, 0.5, 0.25])).tolist() == [0.5, 0.25, 0, 0, 0.25]


def test_t7_rolling_equals_the_circular_convolution_of_each_sequence():
    w, moves = weights(4, 7), weights(4, 3, seed=1)
    by_sequence = []
    for one, s in zip(w, moves, strict=True):       # Σ_j w(j) s(i - j); conv1d does not turn its kernel round
        padded = torch.cat([one[-1:], one, one[:1]])
        by_sequence.append(torch.conv1d(padded[None, None], s.flip(0)[None, None])[0, 0])
    torch.testing.assert_close(shift(w, moves), torch.stack(by_sequence))


@given(gate=st.floats(0, 1), beta=st.floats(1e-3, 20), gamma=st.floats(1, 20), seed=st.integers(0, 99))
def test_t2_weights_stay_weights_through_every_part(gate, beta, gamma, seed):
    memory, before = drawn(6, 3, seed=seed), weights(6, seed=seed)
    found = [content(memory, drawn(3, seed=seed + 1), beta)]
    for part in (lambda w: interpolate(w, before, gate), lambda w: shift(w, weights(3, seed=seed)),
                 lambda w: sharpen(w, gamma)):
        found.append(part(found[-1]))
    assert all((w >= 0).all() and w.sum() == pytest.approx(1, abs=1e-9) for w in found)


def test_t5_sharpening_has_finite_gradients_where_a_power_vanishes():
    w = torch.tensor([1.0, 0.0, 1e-30, 0.0], requires_grad=True)
    gamma = torch.tensor([20.0], requires_grad=True)
    sharp = sharpen(w, gamma)
    sharp.square().sum().backward()
    assert torch.isfinite(w.grad).all() and torch.isfinite(gamma.grad).all()
    torch.testing.assert_close(sharpen(torch.tensor([0.6, 0.3, 0.1]), 2.0), torch.tensor([36.0, 9.0, 1.0]) / 46)
    torch.testing.assert_close(sharpen(torch.tensor([0.6, 0.3, 0.1]), 1.0), torch.tensor([0.6, 0.3, 0.1]))


def test_t3_a_row_is_erased_before_something_is_added():
    memory, w = torch.ones(3, 2), torch.tensor([1.0, 0.5, 0.0])
    written = erase_add(memory, w, torch.tensor([1.0, 0.0]), torch.tensor([0.25, 4.0]))
    assert written.tolist() == [[0.25, 5.0], [0.625, 3.0], [1.0, 1.0]]     # adding first would leave 0 in the corner
    assert read(memory * torch.tensor([[1.0], [2.0], [3.0]]), w).tolist() == [2.0, 2.0]


def test_a_fresh_memory_has_no_favourite_row_and_a_row_of_zeros_has_a_gradient():
    memory = torch.zeros(4, 3, requires_grad=True)
    w = content(memory, torch.ones(3), 5.0)
    assert w.tolist() == [0.25] * 4
    w[0].backward()
    assert torch.isfinite(memory.grad).all()


def test_t8_without_a_strength_no_row_of_128_gets_more_than_5_5_percent():
    bound = largest_weight(128)
    assert bound == pytest.approx(math.e**2 / (math.e**2 + 127)) and round(100 * bound, 1) == 5.5
    assert round(100 * largest_weight(128, least=0.0), 1) == 2.1
    key = drawn(8)
    best = torch.cat([key[None], -key.expand(127, 8)])
    assert content(best, key).max() == pytest.approx(bound, rel=1e-3)
    for seed in range(20):
        assert content(drawn(128, 8, seed=seed), key).max() < bound
    assert content(best, key, 10.0).max() > 0.99            # a strength lifts it
    assert cosine(best, key)[0] == pytest.approx(1, abs=1e-3)


def test_every_part_of_a_head_moves_the_weights():
    memory, before = drawn(3, 6, 4, seed=7), weights(3, 6, seed=8)
    head = Head(*(part.detach().requires_grad_() for part in heads()))
    address(memory, head, before)[:, 0].sum().backward()
    assert all(part.grad.abs().max() > 1e-6 for part in head)
    assert torch.autograd.gradcheck(lambda *parts: address(memory, Head(*parts), before), tuple(head))
