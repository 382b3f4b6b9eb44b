"""How a student is taught on pictures without labels: by soft targets, by first choices, or by its own sure
predictions."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.train import step_generator

BATCH, RATE = 64, 2e-3
SURE, SUREST = 0.9, 0.1         # the confidence that counts; the share of the pictures that counts where none has it
EVERY = 20                      # steps after which labels of one's own are given anew
BLOCK = 500                     # pictures that are answered at once

Given = Callable[[nn.Module, int], tuple[Tensor, Tensor]]


@torch.no_grad()
def answers(net: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Logits (M, N) of pictures x (M, 1, S, S)."""
    return torch.cat([net(block) for block in x.split(BLOCK)])


@torch.enable_grad()
def taught(student: nn.Module, given: Given, loss: Callable[[Tensor, Tensor], Tensor], steps: int, seed: int,
           beside: tuple[Tensor, Tensor] | None = None) -> nn.Module:
    """A copy of the student after `steps` of Adam on loss(logits, targets), BATCH pictures a step.

    given(net, step): the pictures and their targets that this step draws from. beside: pictures and labels, as many of
    which a step adds by their cross-entropy.
    """
    net = copy.deepcopy(student)
    optimiser = torch.optim.Adam(net.parameters(), RATE)
    for step in range(1, steps + 1):
        x, targets = drawn(*given(net, step), seed, step)
        optimiser.zero_grad()
        loss(net(x), targets).backward()
        if beside:
            x, labels = drawn(*beside, seed, step)
            F.cross_entropy(net(x), labels).backward()
        optimiser.step()
    return net


def drawn(x: Tensor, targets: Tensor, seed: int, step: int) -> tuple[Tensor, Tensor]:
    """BATCH pictures of a step and their targets."""
    rows = torch.randint(len(x), (BATCH,), generator=step_generator(seed, 0, step))
    return x[rows], targets[rows]


def sure(logits: Tensor, least: float = SURE) -> Tensor:
    """Of which pictures the first choice counts, bool (M,): those with a probability of `least` or more, or the surest
    tenth where there is none."""
    p = logits.softmax(1).amax(1)
    return p >= (p.quantile(1 - SUREST) if p.max() < least else least)


def always(x: Tensor, targets: Tensor) -> Given:
    """The same pictures and targets in every step."""
    return lambda net, step: (x, targets)


def renewed(x: Tensor) -> Given:
    """The student's own sure first choices as targets, given anew every EVERY steps."""
    now: list[tuple[Tensor, Tensor]] = []

    def given(net: nn.Module, step: int) -> tuple[Tensor, Tensor]:
        if (step - 1) % EVERY == 0:
            logits = answers(net, x)
            mine = sure(logits)
            now[:] = [(x[mine], logits.argmax(1)[mine])]
        return now[0]

    return given


def descended(loss: Callable[[Tensor, Tensor, float], Tensor], v: Tensor, tau: float, steps: int = 300) -> Tensor:
    """A student's logits by themselves, without a network: zeros (M, N) after `steps` of Adam on loss(z, v, tau)."""
    z = torch.zeros_like(v, requires_grad=True)
    optimiser = torch.optim.Adam([z], 0.2)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(z, v, tau).backward()
        optimiser.step()
    return z.detach()
