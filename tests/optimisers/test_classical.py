"""The optimisers to beat: against torch's own, against a solver, and the momentum that no other one beats."""

import pytest
import torch

from mlcourse.optimisers import (adam, best_momentum, conjugate_gradients, momentum, of_condition, random_quadratics)


def functions(count=3, seed=0):
    f, theta = random_quadratics(count, torch.Generator().manual_seed(seed), 6)
    return f.to(torch.float64), theta.double()


def torchs(kind, f, theta, rates, **settings):
    """The losses of an optimiser of torch's, function after function."""
    found = []
    for w, y, start in zip(f.w, f.y, theta):
        p = start.clone().requires_grad_()
        optimiser, losses = kind([p], lr=1.0, **settings), []
        for rate in [*rates, None]:
            loss = (w @ p - y).square().sum()
            losses.append(loss.detach())
            if rate is not None:
                optimiser.param_groups[0]["lr"] = rate
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        found.append(torch.stack(losses))
    return torch.stack(found, 1)


RATES = [0.02 / (t + 1) for t in range(12)]


def test_adam_and_momentum_are_torchs():
    f, theta = functions()
    torch.testing.assert_close(adam(f, theta, RATES), torchs(torch.optim.Adam, f, theta, RATES))
    for beta in (0.0, 0.7):
        own = torchs(torch.optim.SGD, f, theta, RATES, momentum=beta)
        torch.testing.assert_close(momentum(f, theta, RATES, beta), own)


def test_gradient_and_curvature_are_those_of_autograd():
    f, theta = functions()
    theta.requires_grad_()
    g, = torch.autograd.grad(f(theta).sum(), theta, create_graph=True)
    torch.testing.assert_close(f.gradient(theta), g)
    direction = torch.randn_like(theta)
    bent, = torch.autograd.grad((g * direction).sum(), theta)
    torch.testing.assert_close(f.curvature(direction), bent)
    low, high = f.extremes()
    for i in range(len(theta)):
        hessian = torch.autograd.functional.hessian(lambda t, i=i: (f.w[i] @ t - f.y[i]).square().sum(), theta[i])
        eigenvalues = torch.linalg.eigvalsh(hessian)
        torch.testing.assert_close(torch.stack([low[i, 0], high[i, 0]]), eigenvalues[[0, -1]])


def test_conjugate_gradients_are_best_in_their_span_and_done_after_as_many_steps_as_numbers():
    f, theta = of_condition(50, 3, torch.Generator().manual_seed(0), 6)
    f, theta = f.to(torch.float64), theta.double()
    losses = conjugate_gradients(f, theta, 9)
    assert losses[5].min() > 1e-6 and losses[6:].max() < 1e-12 and losses.isfinite().all()
    for steps in (1, 3):                 # the minimum over θ₀ + span(g, Hg, …) by least squares
        span = [f.gradient(theta)]
        for _ in range(steps - 1):
            span.append(f.curvature(span[-1]))
        there = f.w @ torch.stack(span, -1)
        best = torch.linalg.lstsq(there, -f.residual(theta)[..., None]).solution
        torch.testing.assert_close(losses[steps], (there @ best)[..., 0].add(f.residual(theta)).square().sum(-1))


def test_the_closed_form_of_momentum_shrinks_as_promised_and_no_neighbour_shrinks_faster():
    """The spectral radius of (θ_t, θ_{t-1}) -> (θ_{t+1}, θ_t), over the eigenvalues between μ and L."""
    low, high = torch.tensor(0.5, dtype=torch.float64), torch.tensor(40.0, dtype=torch.float64)
    alpha, beta = best_momentum(low, high)

    def radius(alpha, beta):
        worst = 0.0
        for curvature in torch.linspace(0.5, 40, 80, dtype=torch.float64):
            matrix = torch.tensor([[1 + beta - alpha * curvature, -beta], [1, 0]], dtype=torch.float64)
            worst = max(worst, float(torch.linalg.eigvals(matrix).abs().max()))
        return worst

    best = radius(alpha, beta)
    assert best == pytest.approx(float(beta.sqrt()), rel=1e-6)
    assert all(radius(alpha * a, beta * b) > best for a in (0.95, 1, 1.05) for b in (0.95, 1, 1.04) if (a, b) != (1, 1))


def test_functions_of_a_condition_have_it_and_others_are_the_papers():
    f, start = of_condition(100, 5, torch.Generator().manual_seed(0))
    low, high = f.extremes()
    torch.testing.assert_close(high / low, torch.full((5, 1), 100.0), rtol=1e-3, atol=0)
    torch.testing.assert_close(high, torch.full((5, 1), 64.0), rtol=1e-4, atol=0)
    middle = (2 * torch.linalg.svdvals(f.w) ** 2).log().diff(dim=-1)
    torch.testing.assert_close(middle, middle.mean().expand_as(middle), rtol=1e-3, atol=1e-3)
    f, start = random_quadratics(4000, torch.Generator().manual_seed(0))
    assert f.w.shape == (4000, 10, 10) and f.y.shape == start.shape == (4000, 10)
    for drawn in (f.w, f.y, start):
        assert abs(drawn.mean()) < 0.02 and abs(drawn.std() - 1) < 0.02
    assert f.extremes()[1].mean() == pytest.approx(64, abs=1)
    with pytest.raises(ValueError, match="at least 1, got 0.5"):
        of_condition(0.5, 1, torch.Generator())
