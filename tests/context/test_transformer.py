"""The Transformer: its masks, its start, its attention against a loop, gradients, prompts of any order and length."""

import pytest
import torch
from torch.nn import functional as F

from mlcourse.context import ContextTransformer, apart, causal


def tokens(size, inputs=3, batch=2):
    return torch.randn(batch, size, inputs, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def net(**settings):
    return ContextTransformer(3, 2, **{"layers": 2, "width": 8, "heads": 2, **settings}).double()


def slow(model, seq, allowed):
    """One sequence, token by token and head by head."""
    norm = lambda module, v: (v - v.mean()) / (v.var(correction=0) + module.eps).sqrt() * module.weight + module.bias
    e = [model.embed(token) for token in seq]
    for layer in model.layers:
        size = len(e[0]) // layer.heads
        q, k, v = zip(*(layer.qkv(norm(layer.norm_1, one)).chunk(3) for one in e), strict=True)
        read = []
        for s in range(len(e)):
            heads, others = [], [t for t in range(len(e)) if allowed[s, t]]
            for h in range(layer.heads):
                part = slice(h * size, (h + 1) * size)
                scores = torch.stack([q[s][part] @ k[t][part] / size**0.5 for t in others]).softmax(0)
                heads.append(sum(score * v[t][part] for score, t in zip(scores, others, strict=True)))
            read.append(layer.out(torch.cat(heads)))
        e = [one + more for one, more in zip(e, read, strict=True)]
        e = [one + layer.down(F.gelu(layer.up(norm(layer.norm_2, one)))) for one in e]
    return torch.stack([model.readout(norm(model.norm, one)) for one in e])


@pytest.mark.parametrize("allowed", [causal(5), apart(3, 2)])
def test_it_is_what_a_loop_over_tokens_and_heads_computes(allowed):
    model, sequences = net(), tokens(5)
    found = model(sequences, allowed)
    for one, expected in zip(found, sequences, strict=True):
        torch.testing.assert_close(one, slow(model, expected, allowed), rtol=0, atol=1e-12)


def test_masks():
    assert causal(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert apart(2, 2).int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 0, 1]]


def test_attention_is_a_distribution_over_what_is_allowed():
    model, allowed = net(), causal(4)
    weights = model.attention(tokens(4), allowed)
    assert weights.shape == (2, 2, 2, 4, 4)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 2, 4, dtype=torch.float64))
    assert not weights[..., ~allowed].any() and (weights[..., allowed] > 0).all()


def test_without_a_mask_the_order_of_the_tokens_says_nothing():
    model, seq, order = net(), tokens(5), torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(model(seq[:, order]), model(seq)[:, order], rtol=0, atol=1e-12)
    assert not torch.allclose(model(seq[:, order], causal(5)), model(seq, causal(5))[:, order])


def test_weights_start_by_their_inputs_and_the_depth_and_the_seed_alone():
    model = ContextTransformer(100, 50, layers=8, width=256, heads=4, seed=3)
    layer = model.layers[0]
    stds = {model.embed: 0.1, layer.qkv: 1 / 16, layer.out: 1 / 64, layer.up: 1 / 16, layer.down: 1 / (512**0.5 * 4),
            model.readout: 0.02}
    for part, std in stds.items():
        assert float(part.weight.detach().std()) == pytest.approx(std, rel=0.03)
    torch.manual_seed(99)
    again = ContextTransformer(100, 50, layers=8, width=256, heads=4, seed=3)
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), again.parameters(), strict=True))


def test_every_parameter_gets_the_gradient_of_finite_differences():
    model, seq = net(), tokens(4)
    loss = lambda: model(seq, causal(4)).square().sum()
    parameters = list(model.parameters())
    gradients = torch.autograd.grad(loss(), parameters)
    assert all(g.abs().max() > 1e-8 for g in gradients)
    generator = torch.Generator().manual_seed(0)
    along = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in parameters]
    values = []
    for step in (1e-6, -2e-6):
        with torch.no_grad():
            for p, u in zip(parameters, along, strict=True):
                p.add_(u, alpha=step)
        values.append(loss().item())
    slope = sum(float((g * u).sum()) for g, u in zip(gradients, along, strict=True))
    assert (values[0] - values[1]) / 2e-6 == pytest.approx(slope, rel=1e-5)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="multiple of heads, got inputs 3, outputs 2, layers 2, width 9, heads 2"):
        net(width=9)
