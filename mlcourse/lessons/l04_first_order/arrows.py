"""One meta-step of five algorithms on the same two tasks, as vectors in the space of a network's parameters."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.episode import Episode
from mlcourse.learner import Learner, batch_loss
from mlcourse.learners import FOMAML, MAML, JointTraining, Reptile
from mlcourse.learners.imaml import IMAML

JOINT, FIRST, SECOND, REPTILE, IMPLICIT = "joint training", "FOMAML", "MAML", "Reptile", "iMAML"
ALGORITHMS = (JOINT, FIRST, SECOND, REPTILE, IMPLICIT)
INNER, CONJUGATE = 24, 10       # iMAML's inner steps and its steps of conjugate gradient
AMPLITUDES, PHASES = (4.0, 2.0), (0.4, 2.4)


def two_tasks(seed: int = 0) -> Episode:
    """The two sines of the explorer, 10 support and 100 query points each, float64."""
    amplitude, phase = torch.tensor(AMPLITUDES), torch.tensor(PHASES)
    sampler = SinusoidSampler(shot=10, query=100)
    return sampler.episodes(amplitude, phase, torch.Generator().manual_seed(seed)).to(torch.float64)


def learner_of(algorithm: str, net: nn.Module, alpha: float, steps: int) -> Learner:
    """The course's learner of this name. iMAML pulls with λ = 1/α, so that for small α one gradient step of rate α on
    its inner problem ends where MAML's does."""
    if algorithm == IMPLICIT:
        return IMAML(net, lr=alpha / 4, steps=INNER, strength=1 / alpha, cg_steps=CONJUGATE)
    return {JOINT: JointTraining, FIRST: FOMAML, SECOND: MAML, REPTILE: Reptile}[algorithm](net, alpha, steps)


def arrow(algorithm: str, net: nn.Module, tasks: Episode, alpha: float, steps: int) -> Tensor:
    """Minus the meta-gradient (P,), the direction in which an outer step of rate 1 moves θ, in float64.

    Reptile's, the mean of φ - θ, is divided by α and by its steps: the mean of the gradients that it followed.
    """
    copied = copy.deepcopy(net).double()
    loss = batch_loss(learner_of(algorithm, copied, alpha, steps), tasks)
    g = torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(copied.parameters()))])
    return -g / (alpha * steps) if algorithm == REPTILE else -g


def arrows(net: nn.Module, tasks: Episode, alpha: float, steps: int,
           algorithms: Sequence[str] = ALGORITHMS) -> dict[str, Tensor]:
    """The arrow of each algorithm."""
    return {name: arrow(name, net, tasks, alpha, steps) for name in algorithms}


def downhill(net: nn.Module, tasks: Episode) -> Tensor:
    """Minus the gradient at θ of each task's loss on all its samples: (2, P)."""
    return torch.stack([arrow(JOINT, net, Episode(*(field[i:i + 1] for field in tasks)), 1.0, 1) for i in range(2)])


def plane(first: Tensor, second: Tensor) -> Tensor:
    """Two orthonormal rows (2, P) that span the plane of two vectors (P,), the first along the sum of both as unit
    vectors, so that they lie to either side of it."""
    a, b = first / first.norm(), second / second.norm()
    along, across = a + b, a - b
    return torch.stack([along / along.norm(), across / across.norm()])


def angle(a: Tensor, b: Tensor) -> float:
    """The angle between two vectors, in degrees; nan where one has no direction."""
    a, b = a / a.norm(), b / b.norm()
    return float(torch.rad2deg(2 * torch.atan2((a - b).norm(), (a + b).norm())))
