"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse.lessons.l12_stream.orders import HEAP, META
from mlcourse.lessons.l12_stream.widget_order import StreamOrder

__all__ = ["HEAP", "META", "StreamOrder", "stream_order"]


def stream_order() -> StreamOrder:
    """Both strategies, digits whose labels move and move back."""
    return StreamOrder(strategies=(HEAP, META))
