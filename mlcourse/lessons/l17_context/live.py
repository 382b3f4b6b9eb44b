"""What lesson 17 runs: training with a bar, and errors with their intervals."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from IPython.display import display
from torch import Tensor, nn

from mlcourse.context import Prompt, train_in_context
from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import scores
from mlcourse.learners import ProtoNet
from mlcourse.statistics import Estimate, interval
from mlcourse.system.machine import one_core
from mlcourse.widgets import Bar

ENOUGH = 5          # pairs from which on errors are compared: as many as there are dimensions


def trained(model: nn.Module, loss: Callable[[torch.Generator], Tensor], steps: int, lr: float) -> None:
    """Train a model in place, with a bar, on what loss(generator) draws; on one core, since its products are small."""
    bar = Bar(steps, type(model).__name__)
    display(bar)
    with one_core():
        for value in train_in_context(model, lambda generator, step: loss(generator), steps, lr=lr):
            bar({"loss": value})


@torch.no_grad()
def of_network(model: nn.Module, prompts: Prompt) -> Tensor:
    """The squared errors (B, n) of one pass, to targets without noise."""
    return (model(prompts.x.float(), prompts.y.float()) - prompts.clean).square()


def ratio(errors: Tensor, best: Tensor) -> float:
    """The mean error over prefixes of ENOUGH pairs and more, over that of the best; both (n,)."""
    return float(errors[ENOUGH:].mean() / best[ENOUGH:].mean())


def gap(one: Tensor, other: Tensor) -> Estimate:
    """How much larger the error of `one` is, paired over prompts, after ENOUGH pairs and more; both (B, n)."""
    return interval((one - other)[:, ENOUGH:].mean(1), "prompts")


class Pairs(nn.Module):
    """How often each letter follows each in words (M, 12, 26): features (M, 676) of length 1. Nothing is trained."""

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize((x[:, :-1].mT @ x[:, 1:]).flatten(1), dim=1)


def words(learner: ProtoNet, domain: Domain, episodes: int = 100) -> None:
    """Print how often a learner is right about the languages of a domain, 5-way, and counted pairs of letters are."""
    for shot in (1, 5):
        sampler = EpisodeSampler(domain, 5, shot, 15)
        one, other = (100 * torch.as_tensor(scores(each, sampler, episodes)) for each in (learner, ProtoNet(Pairs())))
        print(f"{shot}-shot: {type(learner.net).__name__} ≈{interval(one).text()} %, pairs of letters "
              f"≈{interval(other).text()} %, difference ≈{interval(one - other).text(sign=True)}")
