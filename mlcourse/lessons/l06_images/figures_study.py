"""The picture of `mlcourse study protocol`."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.plots.static import Picture


def what_a_score_is_worth(rows: Sequence[dict]) -> Picture:
    """Later."""
    raise NotImplementedError
