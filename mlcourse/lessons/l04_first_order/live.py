"""What the cells of lesson 04 work on, and what they measure."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import grad, vmap

from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.episode import Episode
from mlcourse.learner import Learner, batch_loss
from mlcourse.lessons.l04_first_order.arrows import two_tasks
from mlcourse.nets import MLP, Params, call, params_of

Loss = Callable[[Params], Tensor]


def task_a() -> Episode:
    """Task A of the explorer alone, float64."""
    return Episode(*(field[:1] for field in two_tasks()))


def one_task() -> tuple[Params, Loss, Loss]:
    """θ of the random network of the explorer, and the support and the query loss of its task A, in float64."""
    net, task = MLP(seed=0).double(), task_a().task(0)
    mse = lambda params, x, y: ((call(net, params, x) - y) ** 2).mean()
    return (params_of(net), lambda params: mse(params, task.support_x, task.support_y),
            lambda params: mse(params, task.query_x, task.query_y))


def flat(tensors) -> Tensor:
    """Tensors, or the values of a dict of them, as one vector."""
    return torch.cat([each.detach().flatten() for each in (tensors.values() if isinstance(tensors, dict) else tensors)])


def random_quadratics(tasks: int, size: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Tasks with two sets of samples each, whose losses are ½ θᵀAθ + bᵀθ, float64: A (tasks, 2, size, size), symmetric
    and positive definite; b (tasks, 2, size); and a point θ (size,)."""
    draw = lambda *shape: torch.randn(shape, generator=generator, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    factor = draw(tasks, 2, size, 2 * size) / (2 * size) ** 0.5
    return factor @ factor.mT, draw(tasks, 2, size), draw(size)


def second_terms(tasks: int = 200, size: int = 6, alpha: float = 1e-3) -> dict[str, list[float]]:
    """The two numbers by which the mean gradient of `random_quadratics` and α times the mean of H ∇L(θ; Q) add up best
    to the mean meta-gradient of MAML and of FOMAML; of a task each set is the query set once."""
    A, b, point = random_quadratics(tasks, size)
    times = lambda matrices, v: (matrices @ v[..., None])[..., 0]
    g = times(A, point) + b                                 # ∇L(θ) of both sets (tasks, 2, size)
    other = g.flip(1)                                       # and that of the task's other set
    u = times(A, point - alpha * other) + b                 # ∇L(φ; Q), φ one step away on the other set
    both = torch.stack([g.mean((0, 1)), alpha * times(A, other).mean((0, 1))], 1)
    found = {"MAML": u - alpha * times(A.flip(1), u), "FOMAML": u}
    return {name: torch.linalg.lstsq(both, each.mean((0, 1))[:, None]).solution[:, 0].tolist()
            for name, each in found.items()}


def agreement(net: nn.Module, tasks: int = 200, seed: int = 2) -> Tensor:
    """Of each of some sinusoid tasks the cosine of the angle between the gradients of support and query loss at the
    network's parameters, 10 samples each: (tasks,)."""
    batch = SinusoidSampler(10, 10).sample(tasks, torch.Generator().manual_seed(seed))
    theta = {name: p.detach() for name, p in params_of(net).items()}
    slope = grad(lambda params, x, y: ((call(net, params, x) - y) ** 2).mean())
    sets = ((batch.support_x, batch.support_y), (batch.query_x, batch.query_y))
    each = [vmap(slope, (None, 0, 0))(theta, x, y) for x, y in sets]
    return F.cosine_similarity(*(torch.cat([g.flatten(1) for g in found.values()], 1) for found in each))


def held(learner: Learner, batch: Episode) -> int:
    """The most bytes that autograd holds at one time while it computes the meta-gradient of a batch."""
    alive, most = {}, 0

    class Kept:
        """A tensor that the graph holds, counted for as long as it does."""

        def __init__(self, tensor: Tensor):
            nonlocal most
            self.tensor = tensor
            alive[id(self)] = tensor.numel() * tensor.element_size()
            most = max(most, sum(alive.values()))

        def __del__(self):
            alive.pop(id(self), None)

    with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
        batch_loss(learner, batch).backward()
    return most
