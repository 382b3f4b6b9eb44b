"""What a loader did to pictures of one's own, said once they are used."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from mlcourse.domains import Domain


def say(specs: Iterable[str], domains: Iterable[Domain]) -> None:
    """The notes of the domains that a spec with a path names, each once, on stderr."""
    notes = {spec: domain.note for spec, domain in zip(specs, domains, strict=True) if ":" in spec and domain.note}
    for spec, note in notes.items():
        print(f"{spec}: {note}".replace("\n", "\n  "), file=sys.stderr)
