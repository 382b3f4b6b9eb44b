"""What a transfer study works on: sources and a target with their classes matched, the target cut in two for each
seed."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from mlcourse.datasets import glyphs
from mlcourse.domains import Domain
from mlcourse.episode.across import (MOST_CLASSES, halves, matching, pixels, pooled, pseudo_domains,
                                     shared_classes)

LEAST_SOURCE, LEAST_TARGET = 10, 20     # pictures that a distance and its floor need
PARTS = 3               # pseudo-domains that one source is split into
BATCH = 30              # labelled pictures of a domain in an episode, as nearly as the classes allow
KNOWN = 500             # pictures of a domain that statistics and distances are taken from


@dataclass(frozen=True)
class Setting:
    """Sources and target of a study.

    sources: with the shared classes only, or with all of theirs where `shared` is False: no class is shared then, and a
    method must learn the target's classes from its labels. target: all of it; train: the pictures that methods may see;
    test: those that they are judged on. ks: labels per class. matching: which classes are left out and which are the
    same by another spelling, as `across.matching` says. note: what was done to keep sources and target apart, in words.
    """

    sources: tuple[Domain, ...]
    train: Domain
    test: Domain
    ks: tuple[int, ...]
    shared: bool
    matching: str = ""
    note: str = ""
    target: Domain | None = None

    def of_seed(self, seed: int) -> Setting:
        """The setting with the target cut in two in this seed's own way; seed 0's is that of `setting`."""
        if self.target is None or seed == 0:
            return self
        train, test = halves(self.target, least=max(self.ks), seed=seed)
        return replace(self, train=train, test=test)

    @property
    def source(self) -> Domain:
        """All sources as one domain."""
        return pooled(self.sources)

    def without(self, held: Domain) -> Setting:
        """The setting without these pictures in its sources; as it is where a class of a source would keep fewer than
        3, or where `held` is all."""
        gone = set(held.digests.tolist())
        rest = tuple(source.take(torch.tensor([i for i, d in enumerate(source.digests.tolist()) if d not in gone],
                                              dtype=torch.int64)) for source in self.sources)
        least = min(int(torch.bincount(source.labels, minlength=len(source.classes)).min()) for source in rest)
        return replace(self, sources=rest) if least >= 3 * (PARTS if len(rest) == 1 else 1) else self

    @property
    def shot(self) -> int:
        """Labelled pictures per class and domain in a training episode."""
        fits = int(torch.bincount(self.source.labels).min()) // 2
        return max(1, min(round(BATCH / min(len(self.source.classes), MOST_CLASSES)), fits))

    @property
    def measurable(self) -> bool:
        """Whether there are pictures enough to measure a distance between source and target, and its floor."""
        return len(self.source.images) >= LEAST_SOURCE and len(self.train.images) >= LEAST_TARGET

    def several(self) -> list[Domain]:
        """The sources, or one source split into pseudo-domains. Raises ValueError where it cannot be split."""
        return list(self.sources) if len(self.sources) > 1 else pseudo_domains(self.sources[0], PARTS, least=3)

    def domains(self) -> list[Domain]:
        """The sources, or the typefaces of the one where it is typeset, else `several`, which it raises as."""
        faces = glyphs.typefaces(self.sources[0], least=3) if len(self.sources) == 1 else []
        return faces or self.several()

    def shot_of_several(self, parts: Sequence[Domain] | None = None) -> int:
        """As `shot`, for episodes with support, query and unlabelled pictures from one of `parts`, by default
        `several`."""
        least = min(int(torch.bincount(part.labels).min()) for part in parts or self.several())
        return max(1, min(self.shot, least // 3))

    def known(self, domain: Domain, seed: int) -> Domain:
        """At most KNOWN pictures of a domain, drawn regardless of their classes."""
        order = torch.randperm(len(domain.images), generator=torch.Generator().manual_seed(seed))
        return domain.take(order[:KNOWN])

    def labelled(self, k: int, seed: int, draw: int) -> tuple[torch.Tensor, torch.Tensor]:
        """k labelled training pictures of each target class: x (N·k, 1, H, W), y (N·k,). Every arm gets the same."""
        generator = torch.Generator().manual_seed(1_000_003 * seed + 1009 * k + draw)
        index = [mine[torch.randperm(len(mine), generator=generator)[:k]]
                 for mine in (torch.nonzero(self.train.labels == c)[:, 0] for c in range(len(self.train.classes)))]
        chosen = self.train.take(torch.cat(index))
        return pixels(chosen.images), chosen.labels

    def fingerprint(self) -> int:
        """A number that changes when any picture or label does."""
        sum_of = 0
        for d in (*self.sources, self.train, self.test):
            for tensor in (d.images, d.labels):
                sum_of = zlib.crc32(tensor.contiguous().numpy().tobytes(), sum_of)
        return sum_of


def setting(sources: Sequence[Domain], target: Domain, ks: Sequence[int] = (0, 1, 5, 10)) -> Setting:
    """Match the classes by name, keep sources and target `apart`, cut the target in two, and check that everything
    asked for can be done.

    Raises ValueError, in one sentence, for negative or no ks, for a target class with fewer than max(ks) training
    pictures, for a source with fewer than 2 pictures of a class, or for fewer than 2 classes.
    """
    if not ks or min(ks) < 0:
        raise ValueError(f"k, the labels per class of the target, must be 0 or more, got {list(ks)}")
    matched, *restricted = shared_classes(target, *sources)
    shared, said = len(matched.classes) > 0, matching(target, *sources)
    if not shared:
        matched, restricted, said = target, shared_classes(*sources), matching(*sources)
    for domain in (*restricted, matched):
        if len(domain.classes) < 2:
            why = f" ({said[0].lower()}{said[1:].rstrip('.')})" if said else ""
            raise ValueError(f"{domain.name} is left with {len(domain.classes)} class that all of them share; a study "
                             f"needs at least 2: name the classes alike in every source and in the target{why}")
    restricted, matched, note = apart(restricted, matched)
    try:
        train, test = _cut(restricted, matched, ks)
    except ValueError as error:
        raise ValueError(f"{error} ({note})" if note else str(error)) from error
    return Setting(tuple(restricted), train, test, tuple(ks), shared, said, note, matched)


def apart(sources: Sequence[Domain], target: Domain) -> tuple[list[Domain], Domain, str]:
    """Sources and target without a picture that stands on both sides, whatever it is called there and whatever shift it
    went through (`Domain.digests`), and in words what was done to that end.

    Of the pictures on both sides half stay with the sources and half with the target, dealt at random, always in the
    same way. Where there are none, everything is as it was, and nothing is said.
    """
    theirs = set(target.digests.tolist()) - {0}
    both = [digest for digest in dict.fromkeys(d for s in sources for d in s.digests.tolist()) if digest in theirs]
    if not both:
        return list(sources), target, ""
    dealt = [both[i] for i in torch.randperm(len(both), generator=torch.Generator().manual_seed(0)).tolist()]
    half, everyone = len(dealt) // 2, set(dealt)
    note = (f"{len(both):,} pictures stand both in {' + '.join(s.name for s in sources)} and in {target.name}: half of "
            "them are left to either side")
    return [_keep(s, dealt[:half], everyone) for s in sources], _keep(target, dealt[half:], everyone), note


def _keep(domain: Domain, kept: Sequence[int], dealt: set[int]) -> Domain:
    """A domain's pictures that were not dealt, in their order, and then those of the dealt that it keeps, in theirs."""
    own, order = domain.digests.tolist(), {digest: i for i, digest in enumerate(kept)}
    alone = [i for i, digest in enumerate(own) if digest not in dealt]
    mine = sorted((i for i, digest in enumerate(own) if digest in order), key=lambda i: order[own[i]])
    return domain.take(torch.tensor(alone + mine, dtype=torch.int64))


def _cut(sources: Sequence[Domain], target: Domain, ks: Sequence[int]) -> tuple[Domain, Domain]:
    """The target's training and test half. Raises ValueError as `setting` does, for too few pictures."""
    for domain in sources:
        counts = torch.bincount(domain.labels, minlength=len(domain.classes))
        if int(counts.min()) < 2:
            raise ValueError(f"class {domain.classes[int(counts.argmin())]!r} of {domain.name} has "
                             f"{int(counts.min())} image; a source needs at least 2 of every class")
    train, test = halves(target, least=max(ks))
    counts = torch.bincount(train.labels, minlength=len(train.classes))
    if int(counts.min()) < max(ks):
        raise ValueError(f"k = {max(ks)} labels per class are asked for, but the training half of {target.name} has "
                         f"{int(counts.min())} images of class {train.classes[int(counts.argmin())]!r}; lower k, or "
                         "add images")
    return train, test
