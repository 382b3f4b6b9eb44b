"""SNAIL: every step knows all steps before it and none after; what the letter of the paper would not see."""

import pytest
import torch
from torch.nn import functional as F

from mlcourse.context import SNAIL
from mlcourse.context.snail import TC, Attention, Dense


def sequences(steps, inputs=3, batch=2):
    return torch.randn(batch, steps, inputs, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def depends(block, x):
    """Whether step t of the output depends on step s of the input: (T, T)."""
    said = block(x)
    found = []
    for s in range(x.shape[1]):
        other = x.clone()
        other[:, s] += 1
        found.append((block(other) - said).abs().amax((0, 2)) > 1e-12)
    return torch.stack(found, 1)


def generator():
    return torch.Generator().manual_seed(1)


@pytest.mark.parametrize("steps", [1, 2, 5, 8, 9])
@pytest.mark.parametrize("kind", [TC, Attention, SNAIL])
def test_every_step_knows_all_steps_up_to_its_own_and_no_other(kind, steps):
    block = {TC: lambda: TC(3, steps, 4, generator()), Attention: lambda: Attention(3, 4, 5, generator()),
             SNAIL: lambda: SNAIL(3, 2, steps, 4)}[kind]().double()
    assert torch.equal(depends(block, sequences(steps)), torch.ones(steps, steps, dtype=torch.bool).tril())


def test_a_dense_layer_is_two_causal_convolutions_side_by_side_with_what_they_were_given():
    dense, x = Dense(3, 2, 4, generator()).double(), sequences(6)
    kernel = dense.taps.weight.unflatten(1, (2, 3)).flip(1).permute(0, 2, 1)        # the tap of t - 2, then of t
    padded = F.pad(x.mT, (2, 0))
    value, gate = F.conv1d(padded, kernel, dense.taps.bias, dilation=2).mT.chunk(2, -1)
    torch.testing.assert_close(dense(x), torch.cat([x, value.tanh() * gate.sigmoid()], -1))


def test_dilations_that_start_at_2_would_not_see_an_odd_step_before():
    layers = [Dense(3 + 4 * i, 2 ** (i + 1), 4, generator()).double() for i in range(3)]
    seen = depends(torch.nn.Sequential(*layers), sequences(8))
    assert seen[7].tolist() == [False, True] * 4


def test_attention_appends_a_mean_of_values_weighted_over_the_steps_before():
    block, x = Attention(3, 4, 5, generator()).double(), sequences(4)
    found = block(x)
    assert torch.equal(found[..., :3], x) and found.shape[-1] == block.outputs == 8
    for t in range(4):
        scores = torch.stack([block.query(x[0, t]) @ block.key(x[0, s]) / 4**0.5 for s in range(t + 1)]).softmax(0)
        expected = sum(score * block.value(x[0, s]) for s, score in enumerate(scores))
        torch.testing.assert_close(found[0, t, 3:], expected)


def test_a_softmax_over_the_queries_would_leak_what_comes_later():
    """As in popular code: each key's weights then sum to 1 over the queries, later ones included."""
    block = Attention(3, 4, 5, generator()).double()

    def wrong(x):
        scores = block.query(x) @ block.key(x).mT * 4**-0.5
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        return scores.masked_fill(later, -torch.inf).softmax(1) @ block.value(x)

    assert depends(wrong, sequences(5))[0, 1:].any()


def test_a_longer_sequence_than_it_was_made_for_is_refused():
    with pytest.raises(ValueError, match="sequences of up to 4 steps, got 5"):
        SNAIL(3, 2, 4)(torch.zeros(1, 5, 3))
    with pytest.raises(ValueError, match="at least 1, got inputs 3, outputs 0, length 4, filters 32"):
        SNAIL(3, 0, 4)
