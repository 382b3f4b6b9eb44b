"""Which values of a data set are black and white: the range comes from the content of all its pictures together."""

from __future__ import annotations

import numpy as np

BYTES = (0.0, 255.0)
UNIT = (0.0, 1.0)
KINDS = {"u1": "8-bit values", "i": "integer values of more than 8 bits", "f": "floating-point values"}
WIDE = (UNIT, (-1.0, 1.0), *((0.0, 2.0 ** bits - 1) for bits in range(8, 17)))


def value_range(low: float, high: float, dtype) -> tuple[float, float]:
    """The range (black, white) that pixel values from `low` to `high`, of this dtype, are taken from.

    For bytes 0..255; for all others the narrowest of 0..1, -1..1 (where the values reach below -0.5) and 0..2^b - 1
    with b from 8 to 16 that holds them. Values that fill less than half of it, or less than an eighth of 0..255 in
    bytes and of 0..1, and values that fit into none, have their own range, (low, high).
    """
    declared = (BYTES,) if dtype == np.uint8 else (UNIT,)
    usual = next((span for span in (declared if dtype == np.uint8 else WIDE)
                  if span[0] <= low and high <= span[1] and (span[0] == 0 or low <= -0.5)), None)
    if low == high:
        return usual or (low, low + 1)
    share = 1 / 8 if usual in declared else 1 / 2
    return usual if usual and high - low >= share * (usual[1] - usual[0]) else (low, high)


def kind_of(dtype: np.dtype) -> str:
    """The key of KINDS for a dtype: values of one kind share a range."""
    return "u1" if dtype == np.uint8 else "f" if dtype.kind == "f" else "i"


def to_bytes(values: np.ndarray, span: tuple[float, float]) -> np.ndarray:
    """Values as uint8: the range `span` becomes 0..255, what lies beyond it is cut off. A new array."""
    scaled = (values - span[0]) * (255 / (span[1] - span[0]))
    return scaled.round().clip(0, 255).astype(np.uint8)


def said(kind: str, low: float, high: float, span: tuple[float, float]) -> str:
    """What was done to values, in words."""
    return f"{kind} lie in {_number(low)} to {_number(high)}: {_number(span[0])} is black, {_number(span[1])} is white"


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e12 else f"{value:.4g}"
