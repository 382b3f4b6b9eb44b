"""A domain: labelled images or sequences from one source, and how far two domains lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from mlcourse.domains.digests import digests
from mlcourse.domains.distances import MMD, PAD, mmd, proxy_a_distance, proxy_a_floor
from mlcourse.domains.shifts import SHIFTS, shift

__all__ = ["Domain", "MMD", "PAD", "SHIFTS", "deal", "mmd", "proxy_a_distance", "proxy_a_floor", "shift",
           "shift_domain"]


@dataclass(frozen=True, eq=False)
class Domain:
    """Labelled images from one source, held in memory as bytes; or labelled sequences, which have no shifts and turns.

    images: uint8 (M, 1, H, W), ink high (0 background, 255 ink), or in colour (M, 3, H, W), red, green and blue. Of
    sequences (M, L, A): at each of L places 255 for one of A letters, or 0 throughout where the sequence has ended.
    labels: int64 (M,), the index into `classes` of every image.
    classes: the class names; `groups`: the group (alphabet, script) of each class. Splits are made
    by group, so that a test class comes from an alphabet that training never saw.
    note: what the loader did to the pictures, a line for each kind of event.
    originals: int64 (M,), the `digests` of the pictures from which `images` were made by a shift; None where they are
    as they were loaded, and where another number of images takes their place.
    """

    name: str
    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    groups: tuple[str, ...]
    note: str = ""
    originals: Tensor | None = None

    def __post_init__(self):
        for what, given in (("images", self.images), ("labels", self.labels)):
            if not isinstance(given, Tensor):
                raise ValueError(f"{self.name}: {what} must be a torch tensor, got {type(given).__name__}; "
                                 "torch.as_tensor makes one of an array or a list")
        m, c = len(self.images), len(self.classes)
        are_pictures = self.images.ndim == 4 and self.images.shape[1] in (1, 3)
        if self.images.dtype != torch.uint8 or not (are_pictures or self.sequences and _are_one_hot(self.images)):
            raise ValueError(
                f"{self.name}: images must be uint8 of shape (M, 1, H, W) or (M, 3, H, W), got {self.images.dtype} of "
                f"shape {tuple(self.images.shape)}; convert them first (of sequences they are one-hot, (M, L, A))"
            )
        if self.labels.shape != (m,) or self.labels.dtype != torch.int64:
            raise ValueError(f"{self.name}: labels must be int64 of shape ({m},), got {self.labels.dtype} "
                             f"of shape {tuple(self.labels.shape)}")
        if m and not 0 <= int(self.labels.min()) <= int(self.labels.max()) < c:
            raise ValueError(f"{self.name}: labels must lie in 0..{c - 1} for {c} classes, "
                             f"got {int(self.labels.min())}..{int(self.labels.max())}")
        if len(self.groups) != c:
            raise ValueError(f"{self.name}: every class needs a group, got {len(self.groups)} groups for {c} classes")
        if len(set(self.classes)) != c:
            twice = next(name for i, name in enumerate(self.classes) if name in self.classes[:i])
            raise ValueError(f"{self.name}: class names must differ, but {twice!r} stands twice")
        if self.originals is not None and self.originals.dtype != torch.int64:
            raise ValueError(f"{self.name}: originals must be int64, got {self.originals.dtype}")
        if self.originals is not None and self.originals.shape != (m,):     # replaced images: these are other pictures
            object.__setattr__(self, "originals", None)

    @property
    def sequences(self) -> bool:
        """Whether its samples are sequences, not pictures."""
        return self.images.ndim == 3

    def check_pictures(self, what: str) -> None:
        """Raises ValueError, which says that `what` is for pictures, where the samples are sequences."""
        if self.sequences:
            raise ValueError(f"{self.name} holds sequences, and {what} for pictures; leave it out, or choose another "
                             "domain")

    @cached_property
    def digests(self) -> Tensor:
        """By what every picture is known, whatever shift it went through: int64 (M,)."""
        return digests(self.images) if self.originals is None else self.originals

    def subset(self, classes, name: str | None = None) -> Domain:
        """The domain restricted to these class indices, relabelled 0..len-1 in the order given."""
        classes = torch.as_tensor(list(classes), dtype=torch.int64)
        new_label = torch.full((len(self.classes),), -1, dtype=torch.int64)
        new_label[classes] = torch.arange(len(classes))
        keep = new_label[self.labels] >= 0
        return replace(
            self,
            name=name or self.name,
            images=self.images[keep],
            labels=new_label[self.labels[keep]],
            originals=None if self.originals is None else self.originals[keep],
            classes=tuple(self.classes[i] for i in classes),
            groups=tuple(self.groups[i] for i in classes),
        )

    def take(self, index: Tensor) -> Domain:
        """The domain with these images only, int64 indices (M',); the classes stay."""
        originals = None if self.originals is None else self.originals[index]
        return replace(self, images=self.images[index], labels=self.labels[index], originals=originals)

    def first(self, count: int | None) -> Domain:
        """The first `count` images of every class, class by class; None: the domain as it is."""
        if count is None:
            return self
        return self.take(torch.cat([torch.nonzero(self.labels == c)[:count, 0] for c in range(len(self.classes))]))

    def with_rotations(self) -> Domain:
        """Four times the classes: every class turned by 0, 90, 180 and 270 degrees is a class of its own.

        The Omniglot convention since Santoro et al. 2016, used for training classes only. Raises ValueError for
        sequences.
        """
        self.check_pictures("turns are")
        c = len(self.classes)
        turns = range(4)
        return replace(
            self,
            images=torch.cat([torch.rot90(self.images, k, (2, 3)) for k in turns]),
            labels=torch.cat([self.labels + k * c for k in turns]),
            classes=tuple(f"{name} turned {90 * k}" if k else name for k in turns for name in self.classes),
            groups=self.groups * 4,
            originals=self.digests.repeat(4),
        )


def _are_one_hot(images: Tensor) -> bool:
    """Whether every uint8 (L, A) has one letter at each place, 255 and else 0, up to its end, and a first one."""
    letters = (images == 255).sum(2)
    return bool(((images == 0) | (images == 255)).all() and (letters <= 1).all() and (letters[:, :1] == 1).all()
                and (letters.diff(dim=1) <= 0).all())


def shift_domain(domain: Domain, kind: str, severity: float, seed: int = 0) -> Domain:
    """The domain with its images shifted (see `shift`); its name gets "@kind=severity".

    Labels, classes, groups and digests stay as they are, so that image i of the result is image i of the domain.
    Raises ValueError as `shift` does, and for sequences.
    """
    domain.check_pictures(f"the shift {kind} is")
    return replace(
        domain,
        name=f"{domain.name}@{kind}={severity:g}",
        images=shift(domain.images, kind, severity, seed),
        originals=domain.digests,
        note="; ".join(filter(None, [domain.note.rstrip("."), f"shifted by {kind} of severity {severity:g}"])),
    )


def deal(domain: Domain, shares: Sequence[float], seed: int = 0) -> list[Domain]:
    """The images dealt at random into parts that share none, each with its share of them (rounded down).

    Classes and groups stay, and so does the name. Raises ValueError unless the shares are positive and add up to at
    most 1.
    """
    if not shares or min(shares) <= 0 or sum(shares) > 1 + 1e-9:
        raise ValueError(f"shares must be positive and add up to at most 1, got {tuple(shares)}")
    order = torch.randperm(len(domain.images), generator=torch.Generator().manual_seed(seed))
    sizes = [int(share * len(order) + 1e-9) for share in shares]
    parts = order.split([*sizes, len(order) - sum(sizes)])
    return [domain.take(part) for part in parts[:len(shares)]]
