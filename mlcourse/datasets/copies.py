"""Pictures that stand more than once among one's own: a query that equals a picture of the support set is no test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from mlcourse.domains import Domain
from mlcourse.domains.names import listed


def without_copies(domain: Domain, name: Callable[[int], str]) -> Domain:
    """The domain with one of the equal pictures of every class, the first; its note says which are left out, and which
    pictures stand in several classes, where they are kept. name: what picture i is called."""
    kept: dict[tuple[bytes, int], int] = {}
    homes: dict[bytes, list[int]] = {}
    copies = []
    for i, (row, label) in enumerate(zip(domain.images.flatten(1).numpy(), domain.labels.tolist(), strict=True)):
        pixels = row.tobytes()
        if kept.setdefault((pixels, label), i) == i:
            homes.setdefault(pixels, []).append(i)
        else:
            copies.append(i)
    shared = [places for places in homes.values() if len(places) > 1]
    said = [domain.note] if domain.note else []
    if copies:
        said.append(f"left out, equal to another picture of the same class: {len(copies):,} in all, "
                    f"{listed(map(name, copies))}")
    if shared:
        said.append(f"equal pictures in several classes, whose labels so contradict each other: {len(shared):,}"
                    f" in all, the first {listed(map(name, shared[0]))}; remove those that are wrong")
    domain = domain.take(torch.tensor(sorted(kept.values()), dtype=torch.int64)) if copies else domain
    return replace(domain, note="\n".join(said))
