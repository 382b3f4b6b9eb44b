"""What a learner's function returned, as numbers and tensors: torch, NumPy, Python, lists and tuples are welcome."""

from __future__ import annotations

from numbers import Real

import numpy as np
import torch
from torch import Tensor

from mlcourse.exercises.framework import NotYet, kind

DIGITS = 1e-5       # the relative error of an answer that was computed in float32


def number(value: object, sentence: str) -> float:
    """One number: a Python or NumPy number, or a tensor or an array of one element. Raises NotYet with the sentence,
    and what came instead."""
    if isinstance(value, Tensor):
        value = value.detach()
    if isinstance(value, (Tensor, np.ndarray, np.generic)) and np.prod(value.shape) == 1:
        value = value.item()
    if not isinstance(value, Real):
        raise NotYet(f"{sentence}, got {described(value)}.")
    return float(value)


def numbers(value: object, count: int, sentence: str) -> list[float]:
    """So many numbers, in a tuple, a list, an array or a tensor. Raises NotYet with the sentence where they are not."""
    try:
        each = list(value)
    except (TypeError, RuntimeError):
        each = []
    if len(each) != count:
        raise NotYet(f"{sentence}, got {described(value)}.")
    return [number(one, sentence) for one in each]


def tensor(value: object, shape: tuple[int, ...] | None, sentence: str) -> Tensor:
    """A float64 tensor of this shape (None: any), without a graph; nested lists and tuples become one. Raises NotYet
    with the sentence where it is none, and for NaN."""
    try:
        if isinstance(value, (list, tuple)):
            got = torch.tensor(_nested(value), dtype=torch.float64)
        elif isinstance(value, Tensor):
            got = None if value.is_complex() else value.detach().to(torch.float64)
        else:
            got = None if np.iscomplexobj(value) else torch.from_numpy(np.array(value, dtype=np.float64))
    except (TypeError, ValueError, RuntimeError):
        got = None
    if got is None or (shape is not None and tuple(got.shape) != shape):
        raise NotYet(f"{sentence}, got {described(value if got is None else got)}.")
    if not bool(torch.isfinite(got).all()):
        raise NotYet(f"{sentence}; values that you returned are NaN or infinite.")
    return got


def _nested(value: object) -> object:
    """Lists and tuples, with what tensors and arrays they hold, as nested lists of plain numbers."""
    if isinstance(value, (list, tuple)):
        return [_nested(each) for each in value]
    return value.tolist() if isinstance(value, (Tensor, np.ndarray, np.generic)) else value


def scalar(value: object, sentence: str) -> Tensor:
    """A scalar tensor of floats, with its graph. Raises NotYet with the sentence where it is none."""
    if not isinstance(value, Tensor) or value.numel() != 1 or not value.is_floating_point():
        raise NotYet(f"{sentence}, got {described(value)}.")
    return value.reshape(()).to(torch.float64)


def described(value: object) -> str:
    """What a value is: "an int", "a tensor of shape (3, 2)"."""
    if isinstance(value, (Tensor, np.ndarray)):
        return f"{'a tensor' if isinstance(value, Tensor) else 'an array'} of shape {tuple(value.shape)}"
    return f"{kind(value)} of {len(value)}" if isinstance(value, (list, tuple)) else kind(value)


def is_regular(rows: list[int], count: int) -> bool:
    """Whether the rows are a run of the numbers 0 to count - 1, taken round, or lie at one fixed distance: what
    slicing gives, and a random draw does not."""
    rows = sorted(rows)
    gaps = {(after - before) % count for before, after in zip(rows, rows[1:] + rows[:1])}
    return len(gaps) <= 2
