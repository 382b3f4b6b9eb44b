"""Part "glyphs" of `mlcourse study context`: what learns in the context of frozen features, and what fits them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from mlcourse import checkpoint
from mlcourse.datasets import load_splits
from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import scores
from mlcourse.learner import Learner
from mlcourse.learners import CAML, CNP, ProtoNet
from mlcourse.lessons.l17_context.study_context_results import PROTO
from mlcourse.nets import wrap
from mlcourse.system import paths
from mlcourse.system.machine import one_core
from mlcourse.train import train

PROTONET = "protonet-glyphs-small"  # 150 steps on the training scripts, 16 features: far enough from 100 % for a gain
WAY, SHOTS, QUERY = 5, (1, 5), 15
TRAIN_SHOT, TRAIN_QUERY, TASKS = 1, 2, 8      # of a training step, WAY-way
VALIDATION, TEST = 3, 4             # seeds of two sets of episodes


class Residual(nn.Module):
    """z + W_2 relu(W_1 z + b_1), with W_2 = 0 at the start."""

    def __init__(self, size: int, width: int, seed: int):
        super().__init__()
        self.up, self.down = nn.Linear(size, width), nn.Linear(width, size, bias=False)
        with torch.no_grad():
            self.up.weight.copy_(torch.randn(width, size, generator=torch.Generator().manual_seed(seed)) / size**0.5)
            self.up.bias.zero_()
            self.down.weight.zero_()

    def forward(self, z: Tensor) -> Tensor:
        return z + self.down(self.up(z).relu())


def _map(size: int) -> nn.Linear:
    """A linear map that starts as the identity."""
    layer = nn.Linear(size, size, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(size))
    return layer


def _frozen(size: int) -> nn.Module:
    return wrap(nn.Identity(), example=torch.zeros(2, size), frozen=True)


def _fitted(module: nn.Module, size: int) -> ProtoNet:
    return ProtoNet(wrap(module, example=torch.zeros(2, size)))


@dataclass(frozen=True)
class Arm:
    """make(size, seed): the untrained learner. steps: of training, about as many seconds for each arm. rates: that were
    tried, the chosen one first. is_scaled: whether its features are centred and scaled."""

    make: Callable[[int, int], Learner]
    steps: int = 0
    rates: tuple[float, ...] = ()
    is_scaled: bool = False


BY_CAML, BY_CNP, BY_MAP, BY_RESIDUAL = "CAML", "CNP", "ProtoNet + linear map", "ProtoNet + residual head"
ARMS = {
    PROTO: Arm(lambda size, seed: ProtoNet(_frozen(size))),
    BY_CAML: Arm(lambda size, seed: CAML(_frozen(size), WAY, seed=seed), 2000, (2e-3, 1e-3), is_scaled=True),
    BY_CNP: Arm(lambda size, seed: CNP(_frozen(size), WAY, seed=seed), 7000, (3e-3, 1e-3), is_scaled=True),
    BY_MAP: Arm(lambda size, seed: _fitted(_map(size), size), 9000, (3e-4, 1e-3)),
    BY_RESIDUAL: Arm(lambda size, seed: _fitted(Residual(size, 64, seed), size), 7000, (1e-3, 3e-4)),
}


class OfFeatures(EpisodeSampler):
    """Episodes of a domain, with the features z (M, D) of its images in their place."""

    def __init__(self, domain: Domain, z: Tensor, way: int, shot: int, query: int):
        super().__init__(domain, way, shot, query)
        self.z = z

    def pixels(self, index: Tensor) -> Tensor:
        """The features of the images at these places."""
        return self.z[index]


@torch.no_grad()
def features(domain: Domain) -> Tensor:
    """The shipped ProtoNet's features (M, 16) of a domain's pictures."""
    learner, _ = checkpoint.load(paths.DATA / "checkpoints" / f"{PROTONET}.safetensors")
    with one_core():
        return torch.cat([learner.embed(x.float() / 255, learner.fixed_stats()) for x in domain.images.split(200)])


@cache
def data(split: str) -> tuple[Domain, Tensor]:
    """The glyphs of a split, those of "train" with their turned copies as further classes, and their features."""
    splits = load_splits("glyphs")
    domain = splits.train.with_rotations() if split == "train" else getattr(splits, split)
    return domain, features(domain)


def scaled(z: Tensor, of: Tensor) -> Tensor:
    """Features less the mean of those of training, as long as 2 on average there: a label's token part has length 1."""
    return 2 * (z - of.mean(0)) / (of - of.mean(0)).norm(dim=1).mean()


def judged(arm: str, rate: float, split: str, seed: int, share: float, episodes: int) -> dict:
    """Accuracy (%) of an arm on fixed episodes of a split, at each of SHOTS, and what its training took: episodes of
    one shot from the training scripts, at this rate."""
    kind, (domain, z), (judges, its) = ARMS[arm], data("train"), data(split)
    learner, steps, z_train = kind.make(z.shape[-1], seed), 0, z
    if kind.is_scaled:
        z_train, its = scaled(z, z), scaled(its, z)
    with one_core():
        began = time.thread_time()
        if kind.steps:
            steps = max(1, round(share * kind.steps))
            sampler = OfFeatures(domain, z_train, WAY, TRAIN_SHOT, TRAIN_QUERY)
            train(learner, learner.phases(sampler, steps, tasks=TASKS, lr=rate), seed=seed, progress=False)
        seconds = round(time.thread_time() - began, 1)
        on = VALIDATION if split == "val" else TEST
        accuracy = [float(scores(learner, OfFeatures(judges, its, WAY, shot, QUERY), episodes, seed=on).mean())
                    for shot in SHOTS]
    return {"steps": steps, "core_seconds": seconds, "shots": list(SHOTS),
            "accuracy": [round(100 * each, 3) for each in accuracy], "episodes": episodes}
