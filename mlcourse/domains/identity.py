"""Data sets known by what they hold, wherever they lie and whatever they are called."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Mapping

import numpy as np
import torch
from torch import Tensor

from mlcourse.domains.domain import Domain
from mlcourse.domains.names import quoted


def class_digests(domain: Domain) -> dict[str, str]:
    """A digest (16 hexadecimal digits) of each class's pictures by the class's name: of the pictures before any shift,
    in whatever order they stand."""
    found = {}
    for label, name in enumerate(domain.classes):
        mine = domain.digests[domain.labels == label].sort().values
        found[name] = hashlib.blake2b(_bytes(mine), digest_size=8).hexdigest()
    return found


def contents(parts: Mapping[str, Domain]) -> dict:
    """What a data set holds, as JSON: the `class_digests` of each of its parts by the part's name, and under
    "fingerprint" one digest of it all."""
    found = {part: class_digests(domain) for part, domain in parts.items()}
    whole = repr([(part, sorted(classes.items())) for part, classes in sorted(found.items())])
    return {"fingerprint": hashlib.blake2b(whole.encode(), digest_size=8).hexdigest(), **found}


def changes(before: dict | None, now: dict | None) -> str:
    """In a clause, what became of a data set between two `contents`; "" for nothing. None: not known."""
    if before == now:
        return ""
    if before is None or now is None:
        return "what it was started on was not recorded" if before is None else "it was started on pictures"
    old, new = (_in_all(data) for data in (before, now))
    other = [name for name in old if name in new and old[name] != new[name]]
    parts = [("added", [name for name in new if name not in old]), ("gone", [name for name in old if name not in new]),
             ("of other pictures", other)]
    said = [f"{named(names)} {'is' if len(names) == 1 else 'are'} {what}" for what, names in parts if names]
    return " and ".join(said) or "its classes stand in other splits"


def _in_all(data: dict) -> dict[str, str]:
    return {name: digest for part in data.values() if isinstance(part, dict) for name, digest in part.items()}


def named(names: Collection[str]) -> str:
    """Classes in words: class 'a'; classes 'a' and 'b'; classes 'a', 'b', 'c' and 7 more."""
    return f"{'class' if len(names) == 1 else 'classes'} {quoted(names)}"


def stands_among(domain: Domain, pictures: Tensor) -> Tensor:
    """Whether each picture of a domain, before any shift, is one of these by its digest: bool (M,)."""
    return torch.isin(domain.digests, pictures) & (domain.digests != 0)


def classes_among(domain: Domain, pictures: Tensor, names: Collection[str]) -> list[str]:
    """The classes of a domain that have one of these pictures, by digest; where there is any such class, the domain is
    of the same source, and the classes of these names are meant, too."""
    held = set(domain.labels[stands_among(domain, pictures)].tolist())
    return [name for label, name in enumerate(domain.classes) if held and (label in held or name in names)]


def to_text(digests: Tensor) -> str:
    """Digests as a text for JSON, sorted, each once."""
    return base64.b64encode(_bytes(digests.unique())).decode()


def from_text(text: str) -> Tensor:
    """The digests of `to_text`. Raises ValueError for anything else."""
    return torch.from_numpy(np.frombuffer(base64.b64decode(text, validate=True), "<i8").astype(np.int64))


def _bytes(digests: Tensor) -> bytes:
    return digests.numpy().astype("<i8").tobytes()
