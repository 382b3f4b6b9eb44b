"""Domain adaptation small enough to watch: 16×16 pictures, shifted class shares, and what a network makes of them.

What lesson 13, its explorers and `mlcourse study label-shift` share with the studies of lessons 14 and 15. The
full-sized runs are those of `mlcourse study transfer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.domains import Domain
from mlcourse.episode.across import pixels
from mlcourse.nets import call, features, statistics

SIDE, SHOT, RATE = 16, 3, 1e-3
KNOWN = 500             # source pictures that the source's statistics are taken from
UNLABELED = 280         # target pictures that methods see
FREQUENT = 3            # classes that a label shift favours


def shrunk(domain: Domain) -> Domain:
    """The domain with its pictures averaged down to 16×16."""
    smaller = F.adaptive_avg_pool2d(domain.images.float(), SIDE).round().byte()
    return replace(domain, images=smaller, originals=domain.digests)


def proportions(classes: int, frequent: Sequence[int], distance: float) -> Tensor:
    """Class proportions (classes,) at a total-variation distance from uniform ones: `distance` is taken from the other
    classes, evenly, and given to the frequent ones, evenly. Float64.

    Raises ValueError unless distance lies in [0, 1 - frequent/classes], the share that the other classes have.
    """
    few = len(frequent)
    if not 0 <= distance <= 1 - few / classes:
        raise ValueError(f"with {few} frequent classes of {classes} the distance from uniform proportions lies in "
                         f"[0, {1 - few / classes:g}], got {distance}")
    q = torch.full((classes,), 1 / classes - distance / (classes - few), dtype=torch.float64)
    q[list(frequent)] = 1 / classes + distance / few
    return q


def drawn(domain: Domain, q: Tensor, count: int, seed: int = 0) -> Domain:
    """At most `count` pictures of a domain with class proportions q (N,), drawn at random.

    Raises ValueError for a class that has fewer pictures than its share of `count`, rounded.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = []
    for c, want in enumerate((q * count).round().long().tolist()):
        mine = torch.nonzero(domain.labels == c)[:, 0]
        if len(mine) < want:
            raise ValueError(f"class {domain.classes[c]!r} of {domain.name} has {len(mine)} pictures, but {want} are "
                             f"asked for; draw fewer than {count} in all")
        chosen.append(mine[torch.randperm(len(mine), generator=generator)[:want]])
    return domain.take(torch.cat(chosen))


class Views(NamedTuple):
    """Both domains as a state sees them, each under its own norm statistics: features of the source (n, d) and of the
    target (m, d), and the target's logits (m, N)."""

    source: Tensor
    target: Tensor
    logits: Tensor


@torch.no_grad()
def views(net: nn.Module, source: Tensor, target: Tensor, unlabeled: Tensor | None,
          params: dict | None = None) -> Views:
    """What the network (or `params` in its place) makes of source and target pictures (M, 1, S, S).

    unlabeled: the target's pictures that the target's statistics are taken from; None: the source's statistics are
    used for both, which is no adaptation.
    """
    params = dict(net.named_parameters()) if params is None else params
    own = statistics(net, params, source)
    theirs = own if unlabeled is None else statistics(net, params, unlabeled)
    return Views(features(net, params, source, own), features(net, params, target, theirs),
                 call(net, params, target, theirs))


def class_accuracies(logits: Tensor, labels: Tensor) -> Tensor:
    """The share of each class's samples that logits (M, N) name right: (N,) float64. A class without samples: nan."""
    right = (logits.argmax(1) == labels).double()
    count = torch.bincount(labels, minlength=logits.shape[1]).double()
    return torch.zeros_like(count).index_add_(0, labels, right) / count


def predicted_shares(logits: Tensor, labels: Tensor, q: Tensor) -> Tensor:
    """How often each class is predicted where the classes have proportions q (N,), from logits (M, N) of samples in
    other proportions: Σ_c q_c P(prediction | class c), float64 (N,)."""
    said = F.one_hot(logits.argmax(1), len(q)).double()
    count = torch.bincount(labels, minlength=len(q)).double()
    by_class = torch.zeros(len(q), len(q), dtype=torch.float64).index_add_(0, labels, said) / count[:, None]
    return q @ by_class


def known(domain: Domain, seed: int = 0, count: int | None = None) -> Tensor:
    """`count` pictures, KNOWN for None, of a domain, drawn regardless of class, as pixels (M, 1, S, S)."""
    order = torch.randperm(len(domain.images), generator=torch.Generator().manual_seed(seed))
    return pixels(domain.images[order[:count or KNOWN]])
