"""Episodes: the few-shot tasks that every method of the course learns from, and how they are drawn."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.domains import Domain


class Episode(NamedTuple):
    """One task, or a batch of T tasks when every field has a leading dimension of T.

    N classes (the way), K support samples of each (the shot), Q query samples of each; x has the
    shape `*D` of one sample, (1, 28, 28) for images and (1,) for sinusoids.

    support_x: (T, N·K, *D)     what the learner may adapt on
    support_y: (T, N·K)         int64 labels in 0..N-1, or float32 targets (T, K, 1) in regression
    query_x:   (T, N·Q, *D)     what the adapted learner is judged on; never the same samples
    query_y:   (T, N·Q)
    unlabeled_x: (T, U, *D)     U = 0 where there is none
    classes:   (T, N)           the global class id behind each label; (T, 0) in regression
    domain:    (T,)             the global domain id
    """

    support_x: Tensor
    support_y: Tensor
    query_x: Tensor
    query_y: Tensor
    unlabeled_x: Tensor
    classes: Tensor
    domain: Tensor

    @property
    def way(self) -> int:
        """N, the number of classes; 0 in regression."""
        return self.classes.shape[-1]

    @property
    def batch_shape(self) -> torch.Size:
        """The leading task dimensions that all fields share: (T,) for a batch, () for one episode."""
        return self.domain.shape

    @property
    def tasks(self) -> int:
        """T, the number of tasks of a batch. Raises ValueError for a single episode."""
        if not self.batch_shape:
            raise ValueError("this is a single episode without a task dimension; index a batch only")
        return len(self.domain)

    def task(self, i) -> Episode:
        """Task i of a batch (an episode without the leading dimension), or a slice of tasks."""
        return Episode(*(field[i] for field in self))

    def parts(self, at_most: int | None) -> list[Episode]:
        """A batch in parts of nearly equal size, of at most `at_most` tasks; two parts or more, so that two cores share
        the work. None: the whole batch."""
        if at_most is None or self.tasks == 1:
            return [self]
        count = max(2, -(-self.tasks // at_most))
        ends = [self.tasks * i // count for i in range(count + 1)]
        return [self.task(slice(start, end)) for start, end in zip(ends[:-1], ends[1:], strict=True)]

    def samples(self) -> tuple[Tensor, Tensor]:
        """Support and query together: x and y."""
        return tuple(torch.cat(pair, len(self.batch_shape)) for pair in ((self.support_x, self.query_x),
                                                                         (self.support_y, self.query_y)))

    def to(self, *args) -> Episode:
        """The floating-point fields cast to a dtype, or every field moved to a device."""
        cast = lambda field: field.to(*args) if field.is_floating_point() else field
        if args and not isinstance(args[0], torch.dtype):
            cast = lambda field: field.to(*args)
        return Episode(*map(cast, self))


class EpisodeSampler:
    """Draws batches of N-way K-shot episodes from a domain in one indexing operation.

    way, shot, query: N, K, Q (samples per class). unlabeled: unlabelled samples per class, drawn
    from the N classes and from `distractors` further classes. relabel=True gives the N classes of
    every episode labels in random order; relabel=False keeps label = class index for closed-set
    methods, so `way` must then be the number of classes. Positions within the support and the query
    set are shuffled, so that the order of samples says nothing about their labels.

    Raises ValueError when the domain cannot fill such an episode.
    """

    def __init__(self, domain: Domain, way: int, shot: int, query: int = 15, *, unlabeled: int = 0,
                 distractors: int = 0, relabel: bool = True, domain_id: int = 0):
        for value, what, minimum in ((way, "way", 2), (shot, "shot", 1), (query, "query", 1)):
            if value < minimum:
                raise ValueError(f"{what} must be at least {minimum}, got {value}")
        if unlabeled < 0 or distractors < 0:
            raise ValueError(f"unlabeled and distractors must not be negative, got {unlabeled} and {distractors}")
        c = len(domain.classes)
        if c < 2:
            raise ValueError(f"{domain.name} has {c} class; an episode needs at least 2, so choose another domain")
        if way + distractors > c:
            others = f" with {distractors} distractor classes" if distractors else ""
            raise ValueError(f"way {way}{others} needs {way + distractors} classes, but {domain.name} has {c}; ask for "
                             f"a way of at most {c - distractors}")
        if not relabel and way != c:
            raise ValueError(f"relabel=False keeps one label per class, so way must be {c}, the number of classes of "
                             f"{domain.name}, got {way}")
        counts = torch.bincount(domain.labels, minlength=c)
        need, least = shot + query + unlabeled, int(counts.min())
        if need > least:
            raise ValueError(f"shot {shot} + query {query} + unlabeled {unlabeled} needs {need} samples of every "
                             f"class, but class {domain.classes[int(counts.argmin())]!r} of {domain.name} has {least}; "
                             f"ask for fewer")
        self.domain, self.way, self.shot, self.query = domain, way, shot, query
        self.unlabeled, self.distractors, self.relabel, self.domain_id = unlabeled, distractors, relabel, domain_id
        self.counts, self.drawn = counts, unlabeled         # drawn: of each class, for the pool to choose from
        # row c of `table` lists the images of class c, padded on the right
        order = torch.argsort(domain.labels, stable=True)
        self.table = torch.zeros(c, int(counts.max()), dtype=torch.int64)
        self.table[torch.arange(self.table.shape[1]) < counts[:, None]] = order

    def indices(self, tasks: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Which images make the episodes: classes (T, N), and image indices (T, N, K + Q + drawn) of the N
        classes and (T, distractors, U) of the others. All indices of a class in an episode differ."""
        n, m = self.way, self.way + self.distractors
        chosen = self.choose(tasks, generator)
        keys = torch.rand(tasks, m, self.table.shape[1], generator=generator)
        keys.masked_fill_(torch.arange(self.table.shape[1]) >= self.counts[chosen][..., None], -1.0)
        each = keys.topk(self.shot + self.query + self.drawn, dim=2).indices
        picked = self.table[chosen[..., None], each]
        return chosen[:, :n], picked[:, :n], picked[:, n:, :self.unlabeled]

    def choose(self, tasks: int, generator: torch.Generator) -> Tensor:
        """The classes of each episode, the distractors last: (T, N + distractors)."""
        c = len(self.domain.classes)
        if not self.relabel:
            return torch.arange(c).expand(tasks, c)
        return distinct(tasks, self.way + self.distractors, c, generator)

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """A batch of `tasks` episodes; the same generator state gives the same episodes."""
        classes, own, others = self.indices(tasks, generator)
        k, q = self.shot, self.query
        labels = torch.arange(self.way).view(1, -1, 1)

        def shuffled(index):
            flat = index.reshape(tasks, -1)
            order = torch.rand(flat.shape, generator=generator).argsort(1)
            y = labels.expand(index.shape).reshape(tasks, -1)
            return flat.gather(1, order), y.gather(1, order)

        support, support_y = shuffled(own[..., :k])
        query, query_y = shuffled(own[..., k:k + q])
        unlabeled = self.pool(own[..., k + q:], others, generator)
        return Episode(self.pixels(support), support_y, self.pixels(query), query_y, self.pixels(unlabeled), classes,
                       torch.full((tasks,), self.domain_id))

    def pool(self, own: Tensor, others: Tensor, generator: torch.Generator) -> Tensor:
        """The unlabelled images of the episodes (T, N·U + distractors·U) in random order: all of the N classes
        (T, N, drawn) and of the others (T, distractors, U)."""
        pool = torch.cat([own.flatten(1), others.flatten(1)], 1)
        return pool.gather(1, torch.rand(pool.shape, generator=generator).argsort(1))

    def pixels(self, index: Tensor) -> Tensor:
        """The images at these indices as float32 in [0, 1]."""
        # index_select copies whole images, indexing with a tensor pixel by pixel
        images = self.domain.images.index_select(0, index.flatten())
        return images.view(*index.shape, *images.shape[1:]).float().mul_(1 / 255)


def distinct(rows: int, m: int, n: int, generator: torch.Generator) -> Tensor:
    """`rows` times m different numbers of 0..n-1 in random order (rows, m), every choice equally likely."""
    if m * m > n:
        return torch.rand(rows, n, generator=generator).topk(m, dim=1).indices
    drawn = torch.randint(n, (rows, m), generator=generator)
    while (again := (drawn.sort(1).values.diff(dim=1) == 0).any(1)).any():
        drawn[again] = torch.randint(n, (int(again.sum()), m), generator=generator)
    return drawn


class Splits(NamedTuple):
    """Three domains that share no class: for training, for choosing, for reporting."""

    train: Domain
    val: Domain
    test: Domain


def split_by_group(domain: Domain, train, val, test) -> Splits:
    """Split a domain's classes by their group (alphabet, script), each argument a list of group names.

    Raises ValueError when a group stands in two splits, is unknown, or is left out.
    """
    parts = {"train": list(train), "val": list(val), "test": list(test)}
    named = [group for groups in parts.values() for group in groups]
    for group in named:
        if named.count(group) > 1:
            raise ValueError(f"group {group!r} stands in more than one split; every group belongs to one")
    unknown, missing = set(named) - set(domain.groups), set(domain.groups) - set(named)
    if unknown or missing:
        raise ValueError(f"the splits of {domain.name} must name its groups exactly; unknown: "
                         f"{sorted(unknown) or 'none'}, left out: {sorted(missing) or 'none'}")
    return Splits(*(domain.subset([i for i, g in enumerate(domain.groups) if g in groups],
                                  name=f"{domain.name}/{part}") for part, groups in parts.items()))


def are_splits(groups: Collection[str]) -> bool:
    """Whether the groups of a domain are its splits: "train" and "test", and "val" or none."""
    return {"train", "test"} <= set(groups) <= {"train", "val", "test"}


def split_classes(domain: Domain, seed: int = 0) -> Splits:
    """Split a domain that comes without named splits: groups in seeded order, 60 / 20 / 20 per cent.

    The order depends on the sorted group names and the seed only. Groups named "train" and "test", and "val" or none,
    are the splits themselves. Raises ValueError under 3 other groups.
    """
    groups = sorted(set(domain.groups))
    if are_splits(groups):
        return split_by_group(domain, *([name] * (name in groups) for name in ("train", "val", "test")))
    if len(groups) < 3:
        raise ValueError(f"{domain.name} has {len(groups)} class groups; a train, validation and test split needs "
                         f"at least 3")
    order = torch.randperm(len(groups), generator=torch.Generator().manual_seed(seed)).tolist()
    groups = [groups[i] for i in order]
    fifth = max(1, len(groups) // 5)
    return split_by_group(domain, groups[2 * fifth:], groups[:fifth], groups[fifth:2 * fifth])
