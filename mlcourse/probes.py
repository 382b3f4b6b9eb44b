"""What frozen features are good for: few-shot episodes, a linear probe, and retrieval, without embedding anything
twice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.phases import check_counts

SEED = 20170
BLOCK = 50       # episodes whose features are gathered at a time


@torch.no_grad()
def embed_all(embed: Callable[[Tensor], Tensor], samples: Tensor, block: int = 500) -> Tensor:
    """Unit features (M, D) of all samples, bytes scaled to [0, 1]: embed is applied to `block` of them at a time."""
    parts = (part.float() / 255 if part.dtype == torch.uint8 else part for part in samples.split(block))
    return torch.cat([F.normalize(embed(part).flatten(1), dim=-1) for part in parts])


def few_shot(z: Tensor, domain: Domain, *, query_z: Tensor | None = None, way: int = 5, shot: int = 1, query: int = 15,
             episodes: int = 1000, seed: int = SEED) -> Tensor:
    """The accuracy of ProtoNet on frozen features in each of some fixed episodes: (episodes,).

    z (M, D): the features of the domain's images in order; query_z: other features for the queries, such as those of
    the same drawings in another rendering (support and query are then different drawings, too). Ties go to the first
    class. Raises ValueError where z has not one row for each image, and what `EpisodeSampler` raises.
    """
    query_z = z if query_z is None else query_z
    if len(z) != len(domain.images) or len(query_z) != len(z):
        raise ValueError(f"{domain.name} has {len(domain.images)} images, but there are {len(z)} and {len(query_z)} "
                         f"features; embed all of its images in order")
    sampler = EpisodeSampler(domain, way, shot, query)
    _, picked, _ = sampler.indices(episodes, torch.Generator().manual_seed(seed))
    label, done = torch.arange(way).repeat_interleave(query), []
    for part in picked.split(BLOCK):
        means, asked = z[part[..., :shot]].mean(2), query_z[part[..., shot:]].flatten(1, 2)
        distance = means.square().sum(-1)[:, None] - 2 * asked @ means.mT        # less |query|², which moves no minimum
        done.append((distance.argmin(2) == label).float().mean(1))
    return torch.cat(done)


def linear_probe(z: Tensor, labels: Tensor, train: int, penalty: float = 1.0) -> float:
    """The accuracy of a linear classifier on frozen features: ridge regression to one-hot labels, fitted on the first
    `train` samples of each class, tested on the others.

    z (M, D), labels (M,). Features are scaled to mean 0 and variance 1 first. penalty: of the squared weights, per
    sample. Raises ValueError where a class has no more than `train` samples.
    """
    check_counts(train=train)
    counts = torch.bincount(labels)
    if int(counts.min()) <= train:
        raise ValueError(f"a probe on {train} samples of each class needs more of each to be tested on, but one class "
                         f"has {int(counts.min())}; train on fewer")
    order = torch.argsort(labels, stable=True)
    place = torch.empty_like(labels)
    place[order] = torch.cat([torch.arange(int(count)) for count in counts])
    known = place < train
    mean, sd = z[known].mean(0), z[known].std(0).clamp(min=1e-6)
    x, y = ((z - mean) / sd).double(), F.one_hot(labels).double()
    gram = x[known].T @ x[known] + penalty * int(known.sum()) * torch.eye(z.shape[1], dtype=torch.float64) / z.shape[1]
    weight = torch.linalg.solve(gram, x[known].T @ (y[known] - y[known].mean(0)))
    said = x[~known] @ weight + y[known].mean(0)
    return float((said.argmax(1) == labels[~known]).float().mean())


def retrieval(a: Tensor, b: Tensor, labels: Tensor, *, gallery: int = 100, rounds: int = 100, same: bool = False,
              seed: int = SEED) -> tuple[float, float]:
    """How often the nearest of `gallery` characters on the other side is the right one: from a to b, and from b to a.

    a, b (M, D): unit features of both sides, row i of one drawing; labels (M,). In each round `gallery` classes are
    drawn, one drawing of each for a and another for b (same=True: the same drawing). Chance is 1/gallery.
    Raises ValueError for a gallery larger than the number of classes.
    """
    rows = class_rows(labels)
    if gallery > len(rows):
        raise ValueError(f"a gallery of {gallery} needs as many classes, but there are {len(rows)}; ask for fewer")
    generator = torch.Generator().manual_seed(seed)
    hits = []
    for _ in range(rounds):
        classes = torch.randperm(len(rows), generator=generator)[:gallery]
        keys = torch.rand(gallery, rows.shape[1], generator=generator).argsort(1)
        one, other = rows[classes, keys[:, 0]], rows[classes, keys[:, 0 if same else 1]]
        score, right = a[one] @ b[other].T, torch.arange(gallery)
        hits.append([float((score.argmax(dim) == right).float().mean()) for dim in (1, 0)])
    forth, back = np.mean(hits, 0)
    return float(forth), float(back)


def class_rows(labels: Tensor) -> Tensor:
    """The rows of each class (C, K), K the size of the smallest class."""
    counts = torch.bincount(labels)
    ends = counts.cumsum(0)
    order = torch.argsort(labels, stable=True)
    return torch.stack([order[int(end - count):int(end - count + counts.min())] for count, end in zip(counts, ends)])
