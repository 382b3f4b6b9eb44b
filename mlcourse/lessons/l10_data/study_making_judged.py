"""How `mlcourse study making` judges classifiers and generators."""

from __future__ import annotations

import copy
from functools import cache, lru_cache

import torch
from torch import Tensor, nn

from mlcourse import checkpoint
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.generators import Generator, grouped
from mlcourse.generators.judged import apart, class_means, distances, memorised, nearest, recognised
from mlcourse.learner import Learner
from mlcourse.learners.statistician import NeuralStatistician
from mlcourse.lessons.l10_data.pictures import splits
from mlcourse.lessons.l10_data.study_making_arms import WAY, Budget, drawings, ridge_on
from mlcourse.system import paths
from mlcourse.system.machine import one_core

COUNTS, COPIES = (5, 10), (1, 5)
QUERY = 15
DRAWS = {"val": 1, "test": 2}           # seeds of the episodes, the same for all arms
KNOWN, MADE, ACTIVE = 10, 5, 0.01
TRAINING = 300                          # training classes that are asked whether they were memorised


@cache
def episodes(name: str, shot: int, split: str, count: int) -> Episode:
    """The episodes that judge."""
    sampler = EpisodeSampler(getattr(splits(name), split), WAY, shot, QUERY)
    return sampler.sample(count, torch.Generator().manual_seed(DRAWS[split]))


def accuracy_alone(name: str, learner: Learner, shot: int, split: str, budget: Budget) -> float:
    """Of a learner on its own, in per cent."""
    with torch.no_grad(), one_core():
        batch = episodes(name, shot, split, budget.episodes)
        logits = torch.cat([learner.predictions(part) for part in batch.parts(10)])
        return percent((logits.argmax(-1) == batch.query_y).float())


@lru_cache(3)
@torch.no_grad()
def drawn(name: str, maker: Generator, shot: int, split: str, seed: int, count: int) -> Tensor:
    """The pictures that a generator makes of the supports of the first `count` episodes: (count · WAY, M, 1, S, S)."""
    batch = episodes(name, shot, split, count)
    sets = grouped(batch.support_x, batch.support_y, WAY).flatten(0, 1)
    return maker.draw(sets, max(COUNTS), torch.Generator().manual_seed(seed))


def with_made(name: str, maker: Generator | None, classifier: str, shot: int, split: str, seed: int,
              budget: Budget) -> dict[str, float]:
    """Accuracy in per cent of the ridge regression on supports and made pictures, by "made of each class × copies of
    the supports"; without a maker on supports alone, "0 × copies"."""
    ridge = ridge_on(classifier, name, seed, budget)
    with torch.no_grad(), one_core():
        batch = episodes(name, shot, split, budget.episodes)
        support, query = (features(ridge.net, x) for x in (batch.support_x, batch.query_x))
        made = support.new_zeros(budget.episodes, WAY, 0, support.shape[-1])
        if maker is not None:
            made = features(ridge.net, drawn(name, maker, shot, split, seed, budget.episodes)).unflatten(0, (-1, WAY))
        found = {}
        for count in (0,) if maker is None else COUNTS:
            for copies in COPIES:
                y = torch.arange(WAY).repeat_interleave(count).expand(budget.episodes, -1)
                wide = batch._replace(support_x=torch.cat([support] * copies + [made[:, :, :count].flatten(1, 2)], 1),
                                      support_y=torch.cat([batch.support_y] * copies + [y], 1), query_x=query)
                logits = (head := on_features(ridge)).predict(head.adapt(wide), query)
                found[f"{count}×{copies}"] = percent((logits.argmax(-1) == batch.query_y).float())
        return found


def on_features(learner: Learner) -> Learner:
    """The same learner for samples that are features already."""
    other = copy.copy(learner)
    other._modules = dict(learner._modules, net=nn.Identity())
    return other


def features(net: nn.Module, x: Tensor) -> Tensor:
    """The features (A, B, D) of pictures (A, B, 1, S, S)."""
    each = [getattr(net, "features", net)(part) for part in x.flatten(0, 1).split(500)]
    return torch.cat(each).unflatten(0, x.shape[:2])


@cache
def judge(name: str) -> Learner:
    """The independent classifier: the shipped ProtoNet. It has seen no test class, and no generator has seen it."""
    return checkpoint.load(paths.DATA / "checkpoints" / f"protonet-{name}.safetensors")[0].eval()


@torch.no_grad()
def quality(name: str, maker: Generator, shot: int, seed: int, binary: bool) -> dict:
    """What `generators.judged` says of pictures of test classes, beside as many real drawings; and of training classes
    whether they were memorised. binary: whether a grey value is a pixel's probability and a picture is drawn by it
    ("_sharp"), which takes it away from every other; else "_sharp" are rounded greys. Do not compare the two kinds.
    """
    with one_core():
        generator = torch.Generator().manual_seed(seed)
        real = by_class(splits(name).test.images, splits(name).test.labels)
        known, given, other = real[:, :KNOWN], real[:, KNOWN:KNOWN + shot], real[:, -MADE:]
        made = maker.draw(given, MADE, generator)
        sharp = (torch.rand(made.shape, generator=generator) < made).float() if binary else made.round()
        row, means = {}, class_means(judge(name).embed, known)
        for end, pictures in (("", made), ("_sharp", sharp), ("_real", other)):
            far = distances(judge(name).embed, pictures, means)
            row |= {f"recognised{end}": round(100 * recognised(far, WAY, torch.Generator().manual_seed(0)), 2),
                    f"recognised_all{end}": round(100 * recognised(far, len(far), generator), 2),
                    f"near{end}": round(float(nearest(pictures, given).mean()), 3),
                    f"apart{end}": round(apart(pictures), 3)}
        trained, held = (by_class(part.images, part.labels)[:TRAINING] for part in drawings(name))
        held = held[:, :4]
        again = maker.draw(trained[:, :shot], MADE, generator)
        row |= dict(zip(("to_trained", "to_held_out"),
                        (round(far, 3) for far in memorised(again, trained[:, -held.shape[1]:], held)), strict=True))
        return row


@torch.no_grad()
def bound_of(name: str, learner: NeuralStatistician) -> dict:
    """The bound on sets of five of test classes in nats a picture, its parts, and the mean KL of every z_d."""
    with one_core():
        batch = EpisodeSampler(splits(name).test, 16, 1, 4).sample(20, torch.Generator().manual_seed(3))
        found = [learner.bound(batch.task(i)) for i in range(20)]
        kl_z = torch.stack([each.kl_z.mean((0, 1)) for each in found]).mean(0)
        mean = lambda values: round(float(torch.stack(values).mean()), 3)
        return {"bound": mean([each.value / 5 for each in found]),
                "likelihood": mean([each.likelihood for each in found]),
                "kl_c": mean([each.kl_c.sum(-1) for each in found]), "kl_z": [round(float(each), 4) for each in kl_z],
                "active": int((kl_z > ACTIVE).sum())}


def by_class(images: Tensor, labels: Tensor) -> Tensor:
    """Bytes (M, 1, S, S) as pictures of each class (C, K, 1, S, S), K those of the smallest."""
    least = int(labels.bincount().min())
    return torch.stack([images[labels == c][:least] for c in range(int(labels.max()) + 1)]).float() / 255


def percent(values: Tensor) -> float:
    """The mean of shares, in per cent."""
    return round(100 * float(values.mean()), 3)
