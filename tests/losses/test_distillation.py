"""The distillation loss against loops written from the paper, central differences, and its limit at high T."""

import math

import pytest
import torch

from mlcourse.losses.distillation import distillation, entropy, soft_targets


def logits(seed=0, shape=(5, 4), scale=3.0):
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def slow_softmax(row, temperature):
    """Hinton et al. 2015, equation 1, for one picture."""
    powers = [math.exp(value / temperature) for value in row]
    return [power / sum(powers) for power in powers]


def slow_cross_entropy(student, teacher, temperature):
    """The mean over pictures of -Σ_i p_i log q_i with the teacher's p and the student's q, without T²."""
    total = 0.0
    for z, v in zip(student.tolist(), teacher.tolist(), strict=True):
        p, q = slow_softmax(v, temperature), slow_softmax(z, temperature)
        for i in range(len(z)):
            total -= p[i] * math.log(q[i])
    return total / len(student)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0, 20.0])
def test_the_loss_is_t_squared_times_the_papers_cross_entropy_less_the_teachers_entropy(temperature):
    z, v = logits(0), logits(1)
    floor = slow_cross_entropy(v, v, temperature)
    want = temperature**2 * (slow_cross_entropy(z, v, temperature) - floor)
    assert float(distillation(z, v, temperature)) == pytest.approx(want, rel=1e-9)
    assert float(entropy(soft_targets(v, temperature)).mean()) == pytest.approx(floor, rel=1e-12)
    assert soft_targets(v, temperature)[2].tolist() == pytest.approx(slow_softmax(v[2].tolist(), temperature))


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_its_gradient_is_that_of_the_papers_cross_entropy_by_central_differences(temperature):
    z, v, h = logits(0), logits(1), 1e-6
    z.requires_grad_()
    slope, = torch.autograd.grad(distillation(z, v, temperature), z)
    p, q = soft_targets(v, temperature), soft_targets(z, temperature)
    torch.testing.assert_close(slope, temperature * (q - p) / len(z))
    for i, c in ((0, 0), (3, 2)):
        ends = []
        for sign in (1, -1):
            moved = z.detach().clone()
            moved[i, c] += sign * h
            ends.append(temperature**2 * slow_cross_entropy(moved, v, temperature))
        assert float(slope[i, c]) == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-5)


def test_without_t_squared_gradients_fall_as_one_over_t_squared_and_with_it_they_match_logits():
    """Equations 3 and 4: for logits that add up to 0 the gradient goes to (z - v)/(N T²), so T² leaves (z - v)/N."""
    z, v = (x - x.mean(1, keepdim=True) for x in (logits(0), logits(1)))
    z.requires_grad_()
    size = lambda t: torch.autograd.grad(distillation(z, v, t), z)[0]
    bare = {t: float(size(t).norm()) / t**2 for t in (50.0, 100.0, 200.0)}
    assert bare[50.0] / bare[100.0] == pytest.approx(4, rel=0.05)
    assert bare[100.0] / bare[200.0] == pytest.approx(4, rel=0.02)
    torch.testing.assert_close(size(1e4), (z.detach() - v) / 4 / len(z), rtol=1e-2, atol=1e-4)


def test_entropy_rises_with_the_temperature_up_to_log_n():
    """Higher temperatures make soft targets denser, not sparser."""
    v = logits(2)
    by_t = torch.stack([entropy(soft_targets(v, t)) for t in (0.1, 0.5, 1.0, 2.0, 4.0, 20.0, 1e4)])
    assert (by_t.diff(dim=0) > 0).all()
    assert by_t[-1].tolist() == pytest.approx([math.log(4)] * 5, abs=1e-4)
    assert float(entropy(torch.tensor([0.0, 1.0, 0.0]))) == 0


def test_the_loss_is_0_where_the_student_agrees_and_no_gradient_reaches_the_teacher():
    z, v = logits(0).requires_grad_(), logits(1).requires_grad_()
    assert float(distillation(v + 3.0, v, 4.0).detach()) == pytest.approx(0, abs=1e-12)
    distillation(z, v, 4.0).backward()
    assert v.grad is None and z.grad.abs().sum() > 0


def test_a_leading_task_dimension_gives_the_losses_of_the_tasks():
    z, v = logits(0, (3, 5, 4)), logits(1, (3, 5, 4))
    want = torch.stack([distillation(z[i], v[i], 2.0) for i in range(3)])
    torch.testing.assert_close(distillation(z, v, 2.0), want)


def test_with_the_roles_swapped_the_student_collapses_to_one_hot():
    """Cross-entropy with the student's q as the target and the teacher's p inside the logarithm is smallest where q
    puts everything on the teacher's first choice; with the roles right the student ends at the teacher's p."""
    v, temperature = logits(1, (6, 4), 1.0), 2.0
    target = soft_targets(v, temperature)

    def trained(loss):
        z = torch.zeros_like(v, requires_grad=True)
        optimiser = torch.optim.Adam([z], lr=0.1)
        for _ in range(2000):
            optimiser.zero_grad()
            loss(z).backward()
            optimiser.step()
        return soft_targets(z.detach(), temperature)

    swapped = trained(lambda z: -(soft_targets(z, temperature) * target.log()).sum(1).mean())
    right = trained(lambda z: distillation(z, v, temperature))
    assert torch.equal(swapped.argmax(1), target.argmax(1)) and float(entropy(swapped).max()) < 0.02
    torch.testing.assert_close(right, target, rtol=0, atol=1e-4)


def test_what_does_not_fit_is_told():
    with pytest.raises(ValueError, match="temperature must be positive, got 0"):
        soft_targets(logits(), 0)
    with pytest.raises(ValueError, match="temperature must be positive, got -2"):
        distillation(logits(), logits(), -2)
    with pytest.raises(ValueError, match=r"same pictures and classes, got logits of shape \(5, 4\) and \(5, 3\)"):
        distillation(logits(), logits(1, (5, 3)), 2.0)
