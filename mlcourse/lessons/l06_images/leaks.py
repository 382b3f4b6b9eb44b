"""Splits that leak, all tested on the same pictures: what is trained on decides what the test can say."""

from __future__ import annotations

from dataclasses import replace

import torch

from mlcourse.domains import Domain
from mlcourse.episode import Splits

BY_SCRIPT, BY_CLASS, TURNED, BY_PICTURE = "by script", "by class", "turned", "by picture"
SCRIPT_TURNED = "by script, turned"
LEAKS = (BY_SCRIPT, SCRIPT_TURNED, BY_CLASS, TURNED, BY_PICTURE)
DRAWINGS = 10           # of each class for training; the test has the others


def halves(domain: Domain, seed: int = 0) -> tuple[list[int], list[int]]:
    """The classes of a domain in two halves of equal size, every group (script) in two halves."""
    order = torch.randperm(len(domain.classes), generator=torch.Generator().manual_seed(seed)).tolist()
    order.sort(key=lambda c: domain.groups[c])
    half = len(order) // 2
    return sorted(order[::2][:half]), sorted(order[1::2])


def tested(splits: Splits) -> Domain:
    """What every split is tested on: half of the classes of each test script, their last drawings."""
    half = splits.test.subset(halves(splits.test)[0])
    place = torch.cat([torch.arange(int(n)) for n in torch.bincount(half.labels)])
    return half.take(torch.nonzero(place >= DRAWINGS)[:, 0])


def trained_on(splits: Splits, leak: str, seed: int = 0) -> Domain:
    """What is trained on, always as many classes as are tested, with DRAWINGS drawings each.

    BY_SCRIPT: classes of the training scripts, drawn by this seed. SCRIPT_TURNED: the same turned by 90°, the control
    of TURNED, the tested classes turned by 90°. BY_CLASS: the other half of the classes of the test scripts.
    BY_PICTURE: the tested classes themselves, in other drawings than those of the test. Raises KeyError for another
    name.
    """
    own, other = halves(splits.test)
    test, train = splits.test.first(DRAWINGS), splits.train.first(DRAWINGS)
    order = torch.randperm(len(train.classes), generator=torch.Generator().manual_seed(seed))
    honest = train.subset(order[:len(own)].sort().values)
    return {BY_SCRIPT: honest, SCRIPT_TURNED: turned(honest), BY_CLASS: test.subset(other),
            TURNED: turned(test.subset(own)), BY_PICTURE: test.subset(own)}[leak]


def turned(domain: Domain) -> Domain:
    """Every picture turned by 90°."""
    return replace(domain, images=torch.rot90(domain.images, 1, (2, 3)),
                   classes=tuple(f"{name} turned" for name in domain.classes), originals=domain.digests)
