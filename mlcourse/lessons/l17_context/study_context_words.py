"""Part "words" of `mlcourse study context`: methods that learn from pictures, on words, beside counts of letters."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.datasets import load_splits
from mlcourse.datasets.words import ALPHABET, LENGTH
from mlcourse.domains import Domain
from mlcourse.episode import Episode, EpisodeSampler, Splits
from mlcourse.evaluate import scores
from mlcourse.learner import Learner
from mlcourse.learners import MAML, ProtoNet
from mlcourse.nets import GRU, Transformer
from mlcourse.system.machine import one_core
from mlcourse.train import train

LETTERS = len(ALPHABET)
WIDTH = 64                          # features of every network
WAY, SHOTS, QUERY = 5, (1, 5), 15
TRAIN_QUERY = 5
OUTER = 4e-3                        # Adam's rate for MAML
VALIDATION, TEST = 30, 40           # seeds of episodes; to TEST the training seed is added
LONGER = 8                          # further places of padding


class Letters(nn.Module):
    """How often each letter stands in words (M, L, 26): features (M, 26) of length 1. Nothing is trained."""

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(x.sum(1), dim=1)


class Pairs(nn.Module):
    """How often each letter follows each in words (M, L, 26): features (M, 676) of length 1. Nothing is trained."""

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize((x[:, :-1].mT @ x[:, 1:]).flatten(1), dim=1)


class LettersAndPairs(nn.Module):
    """Both, side by side: features (M, 702). Nothing is trained."""

    def __init__(self):
        super().__init__()
        self.letters, self.pairs = Letters(), Pairs()

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.letters(x), self.pairs(x)], 1)


class ReadsOn(GRU):
    """The GRU that takes the padding after a word for more of it."""

    def features(self, x: Tensor) -> Tensor:
        h = x.new_zeros(len(x), self.size)
        for t in range(x.shape[1]):
            h = self.step(x[:, t], h)
        return h


class EitherShot:
    """Draws episodes of a domain with one shot or five, each as often, the same in a whole batch."""

    def __init__(self, domain: Domain, way: int):
        self.way, self.samplers = way, [EpisodeSampler(domain, way, shot, TRAIN_QUERY) for shot in SHOTS]

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """A batch of episodes of random classes."""
        return self.samplers[int(torch.randint(len(SHOTS), (), generator=generator))].sample(tasks, generator)


class Longer(EpisodeSampler):
    """Episodes of words with LONGER places of padding more."""

    def pixels(self, index: Tensor) -> Tensor:
        """The words at these places of the domain."""
        return F.pad(super().pixels(index), (0, 0, 0, LONGER))


def gru(way: int, seed: int) -> GRU:
    """The GRU, 0 for features."""
    return GRU(way, LETTERS, WIDTH, seed)


def transformer(way: int, seed: int) -> Transformer:
    """The Transformer with a token for each letter, 0 for features."""
    return Transformer(way, LENGTH, LETTERS, 1, WIDTH, 4, seed, pads=True)


@dataclass(frozen=True)
class Arm:
    """make(seed, rate): the untrained learner. steps: of training, about as many seconds for each arm, with `tasks`
    episodes of `way` languages each. rates: that were tried, the chosen one first: Adam's, of MAML the inner one.
    outer: Adam's rate where that is another."""

    make: Callable[[int, float], Learner]
    steps: int
    rates: tuple[float, ...]
    way: int = 20
    tasks: int = 1
    outer: float | None = None

    def trained(self, rate: float, seed: int, share: float = 1.0) -> tuple[Learner, int, float]:
        """The learner after a share of its training, its steps, and the seconds of one core."""
        learner, steps = self.make(seed, rate), max(1, round(share * self.steps))
        phases = learner.phases(EitherShot(data().train, self.way), steps, tasks=self.tasks, lr=self.outer or rate)
        began = time.thread_time()
        train(learner, phases, seed=seed, progress=False)
        return learner, steps, round(time.thread_time() - began, 1)


def _maml(net: Callable[[int, int], nn.Module], inner: int, steps: int, rates: tuple[float, ...]) -> Arm:
    return Arm(lambda seed, rate: MAML(net(WAY, seed), rate, inner), steps, rates, WAY, 4, OUTER)


PROTO_GRU, PROTO_TRANSFORMER = "ProtoNet + GRU", "ProtoNet + Transformer"
READS_ON = "ProtoNet + GRU that reads padding"
MAML_GRU, MAML_GRU_5 = "MAML + GRU, 1 step", "MAML + GRU, 5 steps"
MAML_TRANSFORMER = "MAML + Transformer, 1 step"
TRAINED = {
    PROTO_GRU: Arm(lambda seed, rate: ProtoNet(gru(0, seed)), 750, (3e-2, 1e-2, 4e-3, 1e-3)),
    PROTO_TRANSFORMER: Arm(lambda seed, rate: ProtoNet(transformer(0, seed)), 700, (4e-3, 1e-2)),
    MAML_GRU: _maml(gru, 1, 400, (10.0, 3.0, 1.0)),
    MAML_TRANSFORMER: _maml(transformer, 1, 390, (1.0, 0.3, 0.1)),
    MAML_GRU_5: _maml(gru, 5, 100, (3.0, 1.0, 0.3)),
    READS_ON: Arm(lambda seed, rate: ProtoNet(ReadsOn(0, LETTERS, WIDTH, seed)), 750, (3e-2,)),
}
LETTERS_ALONE, PAIRS, COUNTS = "letters", "pairs of letters", "letters and pairs"
COUNTED = {LETTERS_ALONE: Letters, PAIRS: Pairs, COUNTS: LettersAndPairs}
NETWORKS = (PROTO_GRU, PROTO_TRANSFORMER, MAML_GRU, MAML_TRANSFORMER)
TRIED = (MAML_GRU_5,)               # on the validation families alone, where one step is better


def untrained(arm: str) -> str:
    """The name of one of NETWORKS before its training."""
    return f"{arm}, untrained"


UNTRAINED = {untrained(arm): TRAINED[arm] for arm in NETWORKS}
ARMS = (*COUNTED, *UNTRAINED, *(arm for arm in TRAINED if arm not in TRIED))


def rates(arm: str) -> tuple[float, ...]:
    """The rates that were tried for an arm, the chosen one first; none for what is not trained."""
    return TRAINED[arm].rates if arm in TRAINED else ()


@cache
def data() -> Splits:
    """The languages, split by family."""
    return load_splits("words")


def learner_of(arm: str, rate: float, seed: int, share: float) -> tuple[Learner, int, float]:
    """The learner of an arm, the steps and the seconds of its training."""
    if arm in TRAINED:
        return TRAINED[arm].trained(rate, seed, share)
    if arm in UNTRAINED:
        return UNTRAINED[arm].make(seed, UNTRAINED[arm].rates[0]), 0, 0.0
    return ProtoNet(COUNTED[arm]()), 0, 0.0


def judged(arm: str, rate: float, split: str, seed: int, share: float, episodes: int) -> dict:
    """Accuracy (%) of an arm at each of SHOTS on episodes of a split's families, the same for all arms with this seed,
    and what its training took. longer, of READS_ON alone, as it changes nothing for others: with LONGER places of
    padding more."""
    with one_core():
        learner, steps, seconds = learner_of(arm, rate, seed, share)
        accuracy = lambda kind: [right(learner, kind(getattr(data(), split), WAY, shot, QUERY), split, seed, episodes)
                                 for shot in SHOTS]
        found = {"steps": steps, "core_seconds": seconds, "shots": list(SHOTS), "accuracy": accuracy(EpisodeSampler)}
        if arm == READS_ON:
            found["longer"] = accuracy(Longer)
    return found | {"episodes": episodes}


def right(learner: Learner, sampler: EpisodeSampler, split: str, seed: int, episodes: int) -> float:
    """The share of answers that are right, in per cent; episodes of the test are others with each seed."""
    on = VALIDATION if split == "val" else TEST + seed
    return round(100 * float(scores(learner, sampler, episodes, seed=on).mean()), 3)
