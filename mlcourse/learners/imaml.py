"""iMAML: the meta-gradient of MAML from where the inner loop ends, not from its path.

Rajeswaran, Finn, Kakade, Levine: Meta-Learning with Implicit Gradients, NeurIPS 2019, Algorithms 1 and 2.

    φ_i ← argmin_φ G_i(φ),   G_i(φ) = L_i^support(φ) + λ/2 |φ - θ|²              (equation 3, `adapt`)
    v_i ← (I + ∇²L_i^support(φ_i) / λ)⁻¹ ∇L_i^query(φ_i), by conjugate gradient  (equation 6, `meta_gradient`)
    θ ← θ - β mean_i v_i
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import (check_rate, check_steps, differentiable_twice, gradient,
                                       value_and_gradient)
from mlcourse.episode import Episode
from mlcourse.learner import Adapted, NetLearner, check_adaptable, check_head, require_grad
from mlcourse.losses import task_loss
from mlcourse.method import Method
from mlcourse.nets import Params
from mlcourse.phases import check_counts


class IMAML(NetLearner):
    """iMAML with `steps` inner steps on G, the first at rate `lr`, and `cg_steps` steps of conjugate gradient.

    strength: λ, of the pull towards θ, relative to a mean loss. It takes the place of few steps: φ is to be near the
    minimum of G, where I + ∇²L/λ is positive definite. The larger λ, the nearer stays φ to θ, and the fewer steps
    either loop needs; 1/λ is about MAML's rate times its steps.
    A step that makes G larger is taken back and the task's rate halved: meta-training raises the curvature of L, and
    no rate that is small enough at first stays so.
    No graph of the inner steps is kept: memory does not grow with their number.
    The meta-gradient is that of the minimum; where the steps end before it, it is not the derivative of `loss`. It is
    brought in as that of a term of value 0, so `loss` is the query loss.
    Deviation from the paper: Adam's rate is annealed in `phases`; a fixed number of steps, and not a tolerance, ends
    either loop. The authors' code takes its inner steps on L, then one towards θ, and solves with 2I + ∇²L/(λ + 10).
    Raises ValueError for a rate or a λ that is not positive and finite, or fewer than 1 step of either loop.
    """

    adapts = True
    stacks = True
    exact_gradient = False

    def __init__(self, net: nn.Module, lr: float = 0.1, steps: int = 16, strength: float = 2.0, cg_steps: int = 5):
        super().__init__(net)
        check_adaptable(self)
        check_rate(lr, "inner learning rate")
        check_rate(strength, "strength λ")
        check_counts(steps=steps, cg_steps=cg_steps)
        self.lr, self.steps, self.strength, self.cg_steps = lr, steps, strength, cg_steps
        self.config = {"lr": lr, "steps": steps, "strength": strength, "cg_steps": cg_steps}

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """φ: `steps` gradient steps on G from θ, constants; one that makes G larger is taken back, and its task's rate
        halved."""
        check_head(self, episode)
        steps = self.steps if steps is None else steps
        check_steps(steps)
        x, y, tasks = self.prepare(episode.support_x, episode), episode.support_y, episode.batch_shape
        theta = {name: p.detach() for name, p in self.theta(tasks).items()}

        def G(phi: Params) -> Tensor:
            off = {name: phi[name] - theta[name] for name in theta}
            return self.loss_at(phi, x, y) + self.strength / 2 * dot(off, off, len(tasks))

        phi, (value, g) = theta, value_and_gradient(G, theta, stacked=bool(tasks))
        rate = torch.full_like(value, self.lr)
        for _ in range(steps):
            there = {name: phi[name] - step for name, step in times(rate, g).items()}
            value_there, g_there = value_and_gradient(G, there, stacked=bool(tasks))
            lower = value_there <= value
            phi, g = where(lower, there, phi), where(lower, g_there, g)
            value, rate = torch.where(lower, value_there, value), torch.where(lower, rate, rate / 2)
        return self.adapted(phi, episode)

    def loss(self, episode: Episode) -> Tensor:
        """The query loss at φ, whose gradient by θ is v."""
        require_grad(self)
        phi, tasks = self.adapt(episode).params, episode.batch_shape
        v = self.meta_gradient(episode, phi)
        zero = {name: p - p.detach() for name, p in self.theta(tasks).items()}
        return self.query_loss(phi, episode) + dot(v, zero, len(tasks))

    def query_loss(self, phi: Params, episode: Episode) -> Tensor:
        """L^query(φ)."""
        return task_loss(self.predict(self.adapted(phi, episode), episode.query_x), episode.query_y)

    def meta_gradient(self, episode: Episode, phi: Params) -> Params:
        """v, the meta-gradient of each task, by name; φ are its adapted parameters."""
        x, y, dims = self.prepare(episode.support_x, episode), episode.support_y, len(episode.batch_shape)
        H = curvature(lambda at: self.loss_at(at, x, y), phi, bool(dims))                      # v ↦ ∇²L^support(φ) v
        shifted = lambda v: {name: v[name] + Hv / self.strength for name, Hv in H(v).items()}
        at_query = gradient(lambda at: self.query_loss(at, episode), phi, order=1, stacked=bool(dims))
        return conjugate_gradient(shifted, at_query, self.cg_steps, dims)


def dot(a: Params, b: Params, dims: int = 0) -> Tensor:
    """Σ a·b over all tensors of two dicts with the same names and shapes, beyond the first `dims` dimensions."""
    products = (a[name] * b[name] for name in a)
    return sum(product.flatten(dims).sum(-1) if product.dim() > dims else product for product in products)


def times(scale: Tensor, x: Params) -> Params:
    """Every tensor of a dict times a number, or the number of its task."""
    return {name: value * scale.view(*scale.shape, *(1,) * (value.dim() - scale.dim())) for name, value in x.items()}


def where(which: Tensor, a: Params, b: Params) -> Params:
    """The tensors of a for the tasks that `which` is true of, else those of b."""
    return {name: torch.where(which.view(*which.shape, *(1,) * (a[name].dim() - which.dim())), a[name], b[name])
            for name in a}


def curvature(loss: Callable[[Params], Tensor], at: Params, stacked: bool) -> Callable[[Params], Params]:
    """v ↦ ∇²loss(at) v, for many v: the graph of the gradient is built once. stacked: as in `descend`."""
    if not stacked:
        with differentiable_twice():
            _, along = torch.func.vjp(torch.func.grad(loss), at)
        return lambda v: along(v)[0]
    with torch.enable_grad():
        at = {name: p.detach().requires_grad_() for name, p in at.items()}
        g = gradient(loss, at, order=2, stacked=True)
    curved = [name for name in g if g[name].requires_grad]
    return lambda v: dict(zip(at, torch.autograd.grad([g[name] for name in curved], list(at.values()),
                                                      [v[name] for name in curved], retain_graph=True,
                                                      materialize_grads=True), strict=True))


def conjugate_gradient(A: Callable[[Params], Params], b: Params, steps: int, dims: int = 0) -> Params:
    """x with A x ≈ b after `steps` steps of conjugate gradient from 0 (Hestenes and Stiefel, 1952), exact after as many
    as there are numbers in b, up to rounding. A: a symmetric linear map of dicts of tensors; with dims=1 one for each
    task, along the first dimension. It must be positive definite: a task that meets a direction p with pᵀA p ≤ 0 keeps
    the x that it has."""
    x, r, p = {name: torch.zeros_like(value) for name, value in b.items()}, b, b
    rr, tiny = dot(r, r, dims), torch.finfo(next(iter(b.values())).dtype).tiny
    for _ in range(steps):
        Ap = A(p)
        pAp = dot(p, Ap, dims)
        step = torch.where(pAp > 0, rr / (pAp + tiny), 0.0)
        x = {name: x[name] + change for name, change in times(step, p).items()}
        r = {name: r[name] - change for name, change in times(step, Ap).items()}
        rr, before = dot(r, r, dims), rr
        p = {name: r[name] + kept for name, kept in times(rr / (before + tiny), p).items()}
    return x


METHOD = Method("imaml", IMAML, "MAML by implicit gradients: memory does not grow with the inner steps", "headed",
                {"lr": 0.1, "steps": 16, "strength": 2.0, "cg_steps": 5}, {"steps": 600, "tasks": 8, "lr": 4e-3},
                train_query=5, sinusoids=({"lr": 0.01, "steps": 16, "strength": 20.0, "cg_steps": 5},
                                          {"steps": 1000, "tasks": 25, "lr": 5e-3}))
