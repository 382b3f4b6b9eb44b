"""Episodes that cross domains: support from one, queries from another, unlabelled pictures from a third."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from mlcourse.domains import Domain
from mlcourse.domains.names import composed, listed, matched, quoted
from mlcourse.episode.episode import Episode, EpisodeSampler

MOST_CLASSES = 30       # of an episode
MOST_IMAGES = 2000      # of either half of a target
FITTED = 3000           # images that the direction of style is fitted on


class DomainSampler:
    """Draws closed-set episodes across domains: a label means the same class in all of them.

    sources: labelled domains with the same classes in the same order. shot, query: samples per class; of more than
    MOST_CLASSES classes an episode holds as many, drawn at random, and `way` stays the number of all. Of several
    sources, the queries of an episode come from another one than its support set (i ≠ j); with one, from itself.
    target: where the `unlabeled` pictures per class come from, drawn regardless of their classes, which nobody knows;
    None: from the domain of the queries. `domain` of an episode is the index of the queries' source.
    Raises ValueError for sources that differ in their classes, and what `EpisodeSampler` raises.
    """

    def __init__(self, sources: Sequence[Domain], shot: int, query: int, *, unlabeled: int = 0,
                 target: Domain | None = None):
        for other in sources[1:]:
            if other.classes != sources[0].classes:
                raise ValueError(f"{other.name} and {sources[0].name} differ in their classes; restrict both to the "
                                 "classes that they share, with shared_classes")
        self.domain, self.way, self.shot, self.query = sources[0], len(sources[0].classes), shot, query
        self.target, self.unlabeled = target, unlabeled
        own = 0 if target is not None else unlabeled
        drawn = min(self.way, MOST_CLASSES)
        self.samplers = [EpisodeSampler(source, drawn, shot, query, unlabeled=own, relabel=drawn < self.way,
                                        domain_id=i)
                         for i, source in enumerate(sources)]

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """A batch of `tasks` episodes; the same generator state gives the same episodes."""
        return Episode(*map(torch.stack, zip(*(self._one(generator) for _ in range(tasks)), strict=True)))

    def _one(self, generator: torch.Generator) -> Episode:
        count = len(self.samplers)
        j = int(torch.randint(count, (), generator=generator))
        queried = self._of(j, generator)
        given = queried
        if count > 1:
            i = (j + 1 + int(torch.randint(count - 1, (), generator=generator))) % count
            given = self._of(i, generator)
        unlabeled = queried.unlabeled_x
        if self.target is not None:
            count = self.samplers[j].way * self.unlabeled
            drawn = torch.randint(len(self.target.images), (count,), generator=generator)
            unlabeled = pixels(self.target.images[drawn])
        return queried._replace(support_x=given.support_x, support_y=given.support_y, unlabeled_x=unlabeled)

    def _of(self, source: int, generator: torch.Generator) -> Episode:
        """An episode of one source, its labels those of all classes."""
        episode = self.samplers[source].sample(1, generator).task(0)
        return episode._replace(support_y=episode.classes[episode.support_y], query_y=episode.classes[episode.query_y],
                                classes=torch.arange(self.way))


def pixels(images: Tensor) -> Tensor:
    """uint8 images as float32 in [0, 1]."""
    return images.float().mul_(1 / 255)


def shared_classes(*domains: Domain) -> list[Domain]:
    """The domains restricted to the classes that all of them have by name, in the order of the first and called as
    there; with no class at all where they share none. Names match as `matched` says: case and the way accents and
    spaces are typed are of no account. Raises ValueError where it is open which of several classes is meant."""
    found = _matches(domains)
    return [replace(domain.subset([domain.classes.index(spelt[name]) for name in found[0]]), classes=tuple(found[0]))
            for domain, spelt in zip(domains, found, strict=True)]


def matching(*domains: Domain) -> str:
    """What `shared_classes` leaves out of each domain, by name, and which names it takes for the same, in sentences;
    empty where it does neither."""
    found = _matches(domains)
    left = [f"{quoted(out, 5)} of {domain.name}" for domain, spelt in zip(domains, found, strict=True)
            if (out := [name for name in domain.classes if name not in spelt.values()])]
    same = [f"'{name}' with '{spelt[name]}'" for spelt in found[1:] for name in spelt
            if composed(name) != composed(spelt[name])]
    said = [f"Left out, for they are not in all: {'; '.join(left)}."] if left else []
    return " ".join(said + ([f"Taken for the same class: {listed(dict.fromkeys(same), 5)}."] if same else []))


def _matches(domains: Sequence[Domain]) -> list[dict[str, str]]:
    """For each domain, how the classes that all of them share are spelt there, by the name in the first."""
    first, *others = domains
    found = [matched(first.classes, other.classes, first.name, other.name) for other in others]
    names = [name for name in first.classes if all(name in spelt for spelt in found)]
    return [{name: spelt[name] for name in names} for spelt in ({name: name for name in names}, *found)]


def pooled(domains: Sequence[Domain]) -> Domain:
    """Several domains with the same classes as one, their images one after the other."""
    if len(domains) == 1:
        return domains[0]
    return replace(domains[0], name=" + ".join(d.name for d in domains), images=torch.cat([d.images for d in domains]),
                   labels=torch.cat([d.labels for d in domains]), originals=torch.cat([d.digests for d in domains]))


def pseudo_domains(domain: Domain, parts: int = 3, least: int = 2) -> list[Domain]:
    """One domain cut into `parts` by style, for methods that need several: every part has every class.

    Style is what is left of a picture without the mean of its class. The pictures of each class are ordered along the
    first principal component of that, and cut into equal parts.
    Raises ValueError when a class has fewer than parts · least images.
    """
    counts = torch.bincount(domain.labels, minlength=len(domain.classes))
    if int(counts.min()) < parts * least:
        poorest = domain.classes[int(counts.argmin())]
        raise ValueError(f"{domain.name} cannot be split into {parts} pseudo-domains of at least {least} images of "
                         f"every class: class {poorest!r} has {int(counts.min())}; give several sources or more images")
    x = pixels(domain.images).flatten(1)
    means = torch.zeros(len(counts), x.shape[1]).index_add_(0, domain.labels, x) / counts[:, None]
    style = x - means[domain.labels]
    some = style[torch.randperm(len(style), generator=torch.Generator().manual_seed(0))[:FITTED]]
    direction = torch.linalg.eigh((some.T @ some).double()).eigenvectors[:, -1].float()
    direction = direction * direction[direction.abs().argmax()].sign()       # the same sign on every machine
    along = style @ direction
    part = torch.empty_like(domain.labels)
    for c in range(len(counts)):
        mine = torch.nonzero(domain.labels == c)[:, 0]
        part[mine[along[mine].argsort(stable=True)]] = torch.arange(len(mine)) * parts // len(mine)
    return [replace(domain.take(torch.nonzero(part == p)[:, 0]), name=f"{domain.name}/style {p + 1} of {parts}")
            for p in range(parts)]


def halves(domain: Domain, most: int = MOST_IMAGES, least: int = 1, seed: int = 0) -> tuple[Domain, Domain]:
    """A target's training half, whose pictures a method may see, and its test half, for the final number alone.

    Each class is cut in two at random, always in the same way for a seed; either half keeps at most `most` images, all
    classes in proportion, but at least `least` of each in the training half where the class has them.
    Raises ValueError for a class with fewer than 2 images.
    """
    generator = torch.Generator().manual_seed(seed)
    share = min(1.0, 2 * most / max(len(domain.images), 1))
    train, test = [], []
    for c, name in enumerate(domain.classes):
        mine = torch.nonzero(domain.labels == c)[:, 0]
        if len(mine) < 2:
            raise ValueError(f"class {name!r} of {domain.name} has {len(mine)} image; a training and a test half need "
                             "at least 2 of every class")
        mine = mine[torch.randperm(len(mine), generator=generator)]
        half, keep = len(mine) // 2, max(int(share * len(mine) / 2), 1)
        train.append(mine[:half][:max(keep, least)])
        test.append(mine[half:][:keep])
    return (replace(domain.take(torch.cat(train)), name=f"{domain.name}/train"),
            replace(domain.take(torch.cat(test)), name=f"{domain.name}/test"))
