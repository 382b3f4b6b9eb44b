"""The losses between two domains, against loops and closed forms written from their definitions."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from mlcourse.losses.alignment import coral, covariance, domain_loss, information, mean_entropy, reversed_gradient


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def slow_coral(a, b):
    """Entry by entry: cov_ij = Σ_k (a_ki - mean_i)(a_kj - mean_j) / (n - 1)."""
    def entry(x, i, j):
        n = len(x)
        mean_i, mean_j = sum(float(row[i]) for row in x) / n, sum(float(row[j]) for row in x) / n
        return sum((float(row[i]) - mean_i) * (float(row[j]) - mean_j) for row in x) / (n - 1)

    d = a.shape[1]
    return sum((entry(a, i, j) - entry(b, i, j)) ** 2 for i in range(d) for j in range(d)) / (4 * d**2)


@pytest.mark.parametrize("n, m, d", [(5, 7, 3), (2, 2, 1), (12, 4, 6)])
def test_coral_is_the_sum_over_the_entries(n, m, d):
    a, b = draw(n, d), 2 * draw(m, d, seed=1) + 5
    assert float(coral(a, b)) == pytest.approx(slow_coral(a, b), rel=1e-12)


def test_coral_in_closed_form():
    """b = 2a: C_b = 4 C_a, so the loss is 9 |C_a|²_F / (4 d²); in one dimension, 9 var² / 4."""
    a = draw(20, 4)
    assert float(coral(a, 2 * a)) == pytest.approx(9 * float(covariance(a).square().sum()) / 64)
    assert float(coral(a[:, :1], 2 * a[:, :1])) == pytest.approx(9 * float(a[:, 0].var()) ** 2 / 4)


def test_coral_sees_no_mean_and_is_symmetric_and_zero_at_home():
    a, b = draw(9, 3), draw(11, 3, seed=1)
    assert float(coral(a, b + 100)) == pytest.approx(float(coral(a, b)), rel=1e-9)
    assert float(coral(a, b)) == pytest.approx(float(coral(b, a)))
    assert float(coral(a, a.flip(0))) == pytest.approx(0, abs=1e-20)


def test_coral_of_a_batch_and_its_gradient():
    a, b = draw(3, 6, 4), draw(3, 5, 4, seed=1)
    together = coral(a, b)
    assert together.shape == (3,)
    for i in range(3):
        assert float(together[i]) == pytest.approx(slow_coral(a[i], b[i]), rel=1e-12)
    assert torch.autograd.gradcheck(coral, (a.requires_grad_(), b.requires_grad_()))
    with pytest.raises(ValueError, match="at least 2 samples of each domain, got 6 and 1"):
        coral(a, b[:, :1])


def test_the_covariance_is_numpys():
    a = draw(8, 3)
    torch.testing.assert_close(covariance(a), torch.cov(a.T))


def test_reversed_gradient_changes_no_value_and_flips_the_gradient():
    x = draw(4, 3).requires_grad_()
    y = reversed_gradient(x, 0.7)
    torch.testing.assert_close(y, x)
    downstream = lambda z: (z.sin() * draw(4, 3, seed=2)).sum()
    plain, = torch.autograd.grad(downstream(x), x)
    reversed_, = torch.autograd.grad(downstream(y), x)
    torch.testing.assert_close(reversed_, -0.7 * plain)


def test_reversed_gradient_under_torch_func_and_vmap():
    x, w = draw(5, 3), draw(3, seed=1)
    loss = lambda z, strength: (reversed_gradient(z, strength) @ w).square()
    plain = torch.func.vmap(torch.func.grad(lambda z: (z @ w).square()))(x)
    for strength in (0.0, 1.0, 2.5):
        seen = torch.func.vmap(torch.func.grad(loss), in_dims=(0, None))(x, strength)
        torch.testing.assert_close(seen, -strength * plain)
        torch.testing.assert_close(torch.func.grad(loss)(x[0], torch.tensor(strength).double()), -strength * plain[0])


def test_two_reversals_give_the_product_of_their_strengths():
    x = draw(3).requires_grad_()
    g, = torch.autograd.grad(reversed_gradient(reversed_gradient(x, 2.0), 3.0).sum(), x)
    torch.testing.assert_close(g, torch.full((3,), 6.0).double())


def test_domain_loss_is_the_mean_of_two_cross_entropies():
    source, target = 2 * draw(7), draw(4, seed=1)
    slow = (binary_cross_entropy_with_logits(source, torch.ones(7).double())
            + binary_cross_entropy_with_logits(target, torch.zeros(4).double())) / 2
    assert float(domain_loss(source, target)) == pytest.approx(float(slow), rel=1e-12)
    assert float(domain_loss(torch.zeros(3), torch.zeros(9))) == pytest.approx(math.log(2))
    assert float(domain_loss(torch.full((3,), 50.0), torch.full((2,), -50.0))) == pytest.approx(0, abs=1e-12)
    batch = domain_loss(torch.stack([source, -source]), torch.stack([target, target]))
    torch.testing.assert_close(batch, torch.stack([domain_loss(source, target), domain_loss(-source, target)]))


def test_information_is_the_entropy_of_the_mean_less_the_mean_entropy():
    p = (3 * draw(6, 4)).softmax(-1)
    entropy = lambda q: -sum(float(v) * math.log(float(v)) for v in q)
    mean = [sum(float(row[c]) for row in p) / 6 for c in range(4)]
    slow = entropy(mean) - sum(entropy(row) for row in p) / 6
    assert float(information(p.log())) == pytest.approx(slow, rel=1e-12)
    assert float(information(p.log() + 7)) == pytest.approx(slow, rel=1e-12)


def test_information_at_its_ends():
    sure = 60 * torch.eye(5, dtype=torch.float64)
    assert float(information(sure)) == pytest.approx(math.log(5))               # sure, and every class alike
    assert float(information(sure[[2, 2, 2]])) == pytest.approx(0, abs=1e-9)     # sure, and always of one class
    assert float(information(torch.zeros(8, 5))) == pytest.approx(0, abs=1e-6)   # never sure
    assert math.isfinite(float(information(torch.tensor([[800.0, -800.0], [800.0, -800.0]]))))


def test_the_mean_entropy_and_the_information_of_several_tasks_are_those_of_each():
    logits = 3 * draw(2, 6, 4)
    slow = [sum(-float(q) * math.log(float(q)) for row in task.softmax(-1) for q in row) / 6 for task in logits]
    torch.testing.assert_close(mean_entropy(logits), torch.tensor(slow, dtype=torch.float64))
    for function in (mean_entropy, information):
        torch.testing.assert_close(function(logits), torch.stack([function(task) for task in logits]))


@pytest.mark.parametrize("function", [mean_entropy, information])
def test_a_class_that_is_never_predicted_leaves_the_gradient_finite(function):
    logits = torch.tensor([[800.0, -800.0], [700.0, -900.0]], requires_grad=True)
    gradient, = torch.autograd.grad(function(logits), logits)
    assert torch.isfinite(gradient).all()
