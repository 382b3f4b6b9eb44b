"""Contrastive losses against double loops written from the papers, and against values known in closed form."""

import math

import pytest
import torch
import torch.nn.functional as F

from mlcourse.losses.contrast import info_nce, nt_xent, similarities, sup_con, symmetric_info_nce


def vectors(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cosine(u, v):
    return float(u @ v) / math.sqrt(float(u @ u) * float(v @ v))


def naive_info_nce(a, b, tau):
    """Van den Oord et al. 2018, equation 4, term by term."""
    total = 0.0
    for i in range(len(a)):
        denominator = 0.0
        for j in range(len(b)):
            denominator += math.exp(cosine(a[i], b[j]) / tau)
        total -= math.log(math.exp(cosine(a[i], b[i]) / tau) / denominator)
    return total / len(a)


def naive_nt_xent(a, b, tau):
    """Chen et al. 2020, equation 1, summed over the 2N ordered positive pairs (2k - 1, 2k) and (2k, 2k - 1)."""
    z = [v for pair in zip(a, b, strict=True) for v in pair]
    total = 0.0
    for i in range(len(z)):
        partner = i + 1 if i % 2 == 0 else i - 1
        denominator = 0.0
        for k in range(len(z)):
            if k != i:
                denominator += math.exp(cosine(z[i], z[k]) / tau)
        total -= math.log(math.exp(cosine(z[i], z[partner]) / tau) / denominator)
    return total / len(z)


def naive_sup_con(z, y, tau):
    """Khosla et al. 2020, equation 2, over the anchors that have a positive."""
    losses = []
    for i in range(len(z)):
        others = [a for a in range(len(z)) if a != i]
        positives = [p for p in others if y[p] == y[i]]
        denominator = sum(math.exp(cosine(z[i], z[a]) / tau) for a in others)
        if positives:
            losses.append(-sum(math.log(math.exp(cosine(z[i], z[p]) / tau) / denominator) for p in positives)
                          / len(positives))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("tau", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("n", [2, 5, 9])
def test_the_losses_equal_their_double_loops(n, tau):
    a, b = vectors(n, 4), vectors(n, 4, seed=1)
    assert float(info_nce(a, b, tau)) == pytest.approx(naive_info_nce(a, b, tau), rel=1e-12)
    assert float(info_nce(b, a, tau)) == pytest.approx(naive_info_nce(b, a, tau), rel=1e-12)
    both = (naive_info_nce(a, b, tau) + naive_info_nce(b, a, tau)) / 2
    assert float(symmetric_info_nce(a, b, tau)) == pytest.approx(both, rel=1e-12)
    assert float(nt_xent(a, b, tau)) == pytest.approx(naive_nt_xent(a, b, tau), rel=1e-12)
    y = torch.arange(2 * n) % 3 if n > 2 else torch.tensor([0, 0, 1, 2])
    z = torch.cat([a, b])
    assert float(sup_con(z, y, tau)) == pytest.approx(naive_sup_con(z, y.tolist(), tau), rel=1e-12)


def test_orthogonal_pairs_have_a_closed_form():
    """Partners coincide, all others are orthogonal: -log of e^{1/τ} over e^{1/τ} + N - 1, or + 2N - 2 in NT-Xent."""
    n, tau = 6, 0.4
    a = torch.eye(n, dtype=torch.float64) * torch.arange(1, n + 1).double()[:, None]
    hit = math.exp(1 / tau)
    assert float(info_nce(a, 3 * a, tau)) == pytest.approx(math.log(1 + (n - 1) / hit), rel=1e-12)
    assert float(nt_xent(a, 3 * a, tau)) == pytest.approx(math.log(1 + (2 * n - 2) / hit), rel=1e-12)


def test_where_nothing_is_told_apart_the_loss_is_log_n():
    same = torch.ones(7, 3, dtype=torch.float64)
    assert float(symmetric_info_nce(same, same, 0.1)) == pytest.approx(math.log(7))
    assert float(nt_xent(same, same, 0.1)) == pytest.approx(math.log(13))


def test_sup_con_with_two_samples_of_each_label_is_nt_xent():
    a, b = vectors(5, 4), vectors(5, 4, seed=1)
    y = torch.arange(5).repeat(2)
    torch.testing.assert_close(sup_con(torch.cat([a, b]), y, 0.2), nt_xent(a, b, 0.2))


def test_sup_con_leaves_out_an_anchor_without_a_positive_and_is_0_without_any():
    z = vectors(5, 3)
    assert float(sup_con(z, torch.arange(5), 0.1)) == 0
    y = torch.tensor([0, 0, 1, 1, 2])
    assert float(sup_con(z, y, 0.5)) == pytest.approx(naive_sup_con(z, y.tolist(), 0.5), rel=1e-12)
    z.requires_grad_()
    gradient, = torch.autograd.grad(sup_con(z, torch.arange(5), 0.1), z)
    assert torch.equal(gradient, torch.zeros_like(gradient))


def test_lengths_do_not_matter_and_the_gradient_is_that_of_central_differences():
    a, b = vectors(4, 3), vectors(4, 3, seed=1)
    torch.testing.assert_close(info_nce(a, b, 0.3), info_nce(5 * a, b / 7, 0.3))
    y = torch.tensor([0, 0, 1, 1])
    for loss in (lambda x: info_nce(x, b, 0.3), lambda x: symmetric_info_nce(x, b, 0.3), lambda x: nt_xent(x, b, 0.3),
                 lambda x: sup_con(x, y, 0.3)):
        assert torch.autograd.gradcheck(loss, a.clone().requires_grad_())


def test_small_temperatures_do_not_overflow():
    a = vectors(8, 4).float()
    for loss in (info_nce, symmetric_info_nce, nt_xent):
        assert torch.isfinite(loss(a, -a, 1e-3))


def test_similarities_are_cosines():
    a, b = vectors(3, 4), vectors(5, 4, seed=1)
    torch.testing.assert_close(similarities(a, b), F.cosine_similarity(a[:, None], b[None], dim=-1))


@pytest.mark.parametrize("loss", [info_nce, symmetric_info_nce, nt_xent])
def test_what_does_not_fit_is_told(loss):
    a = vectors(4, 3)
    with pytest.raises(ValueError, match="temperature must be positive, got 0; 0.1 is a common choice"):
        loss(a, a, 0)
    with pytest.raises(ValueError, match=r"of the same shape, got \(4, 3\) and \(3, 3\)"):
        loss(a, a[:3], 0.1)
    with pytest.raises(ValueError, match="at least two pairs"):
        loss(a[:1], a[:1], 0.1)


def test_sup_con_tells_what_does_not_fit():
    with pytest.raises(ValueError, match="one label for each sample, got 4 samples and 3 labels"):
        sup_con(vectors(4, 3), torch.arange(3), 0.1)
    with pytest.raises(ValueError, match="temperature must be positive, got -1"):
        sup_con(vectors(4, 3), torch.arange(4), -1)
