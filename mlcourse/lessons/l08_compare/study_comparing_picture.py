"""The picture of `mlcourse study comparing`."""
from collections.abc import Sequence

from mlcourse.plots.static import Picture


def comparison(rows: Sequence[dict]) -> Picture:
    """Later."""
    raise ValueError("not yet")
