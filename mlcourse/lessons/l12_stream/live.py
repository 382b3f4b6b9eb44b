"""What lesson 12 plays live: six tasks whose labels contradict each other, and the network that meets them."""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse import datasets
from mlcourse.datasets import Form
from mlcourse.nets import MLP, Params, call
from mlcourse.online import Predictor, Strategy, Task, arms, stream
from mlcourse.online.strategy import predictor

SIZES = (10, 20, 40, 80, 160)
TASKS, SEED, SIDE = 6, 0, 8
HIDDEN, DRAWN, STEPS = 64, 10, 30      # units; samples of a draw; gradient steps to answer for a task


@cache
def contradicting() -> list[Task]:
    """TASKS tasks of one look; in each, five of the ten labels have changed places, drawn anew each time."""
    digits = datasets.load("digits", form=Form(SIDE, framed=False))
    return stream(digits, arms.order(arms.HALF, TASKS, SEED), SIZES[-1], SEED)


def network() -> MLP:
    """An untrained network, always the same."""
    return MLP((3 * SIDE * SIDE, HIDDEN, HIDDEN, 10))


class FromTheta(Strategy):
    """What FTML is apart from how it learns: θ, a task buffer, and answers by gradient steps from θ.

    net: its parameters are θ. alpha: the rate of those steps and of the inner ones, of which there are k. beta: Adam's.
    """

    def __init__(self, net: nn.Module, alpha: float = 0.2, k: int = 3, beta: float = 2e-3):
        self.net, self.alpha, self.k = net, alpha, k
        self.theta, self.buffer = dict(net.named_parameters()), []
        self.optimiser = torch.optim.Adam(net.parameters(), lr=beta)
        self.generator = torch.Generator().manual_seed(0)

    def loss(self, params: Params, x: Tensor, y: Tensor) -> Tensor:
        """The cross-entropy of the network with these parameters."""
        return F.cross_entropy(call(self.net, params, x), y)

    def some(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """DRAWN of these samples, or all where there are no more."""
        rows = torch.randperm(len(y), generator=self.generator)[:DRAWN]
        return x[rows], y[rows]

    def before(self) -> Predictor:
        """θ as it is."""
        return predictor(self.net)

    def after(self, x: Tensor, y: Tensor) -> Predictor:
        """After STEPS gradient steps from θ on all samples given."""
        phi = {name: p.detach().requires_grad_() for name, p in self.theta.items()}
        for _ in range(STEPS):
            g = torch.autograd.grad(self.loss(phi, x, y), list(phi.values()))
            phi = {name: (p - self.alpha * d).detach().requires_grad_()
                   for (name, p), d in zip(phi.items(), g, strict=True)}
        return predictor(self.net, phi)
