"""What lesson 17 runs: training with a bar, and errors with their intervals."""

from __future__ import annotations

from collections.abc import Callable

import torch
from IPython.display import display
from torch import Tensor, nn

from mlcourse.context import Prompt, train_in_context
from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import scores
from mlcourse.learner import Learner
from mlcourse.learners import ProtoNet
from mlcourse.lessons.l17_context.study_context_words import LettersAndPairs
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


def words(learner: Learner, domain: Domain, episodes: int = 100) -> None:
    """Print how often a learner is right about the languages of a domain, 5-way, and that less counted letters
    and pairs."""
    found, both = [], (learner, ProtoNet(LettersAndPairs()))
    for shot in (1, 5):
        sampler = EpisodeSampler(domain, 5, shot, 15)
        own, counted = (100 * scores(each, sampler, episodes) for each in both)
        found.append(f"{shot}-shot ≈{interval(own).text()} %, less counts "
                     f"≈{interval(own - counted).text(sign=True)}")
    print(f"{type(learner).__name__}: {'; '.join(found)}")
