"""The table of lesson 12; its picture is the study's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from mlcourse.lessons.l12_stream.study_stream_arms import NAMES, SIZES, THRESHOLD, TUNED
from mlcourse.lessons.l12_stream.study_stream_picture import curves
from mlcourse.lessons.l12_stream.study_stream_results import apart, mean_accuracy, values

__all__ = ["arriving", "curves", "lines", "table"]


def lines(arriving: Mapping[str, Tensor], sizes: Sequence[int]) -> str:
    """By name the mean accuracy (%) over tasks with each number of samples; arriving: tensors (T, S)."""
    head = f"{'% right, samples:':24s}" + "".join(f"{n:>6d}" for n in sizes)
    return "\n".join([head, *(f"{name:24s}" + "".join(f"{f'≈{100 * each:.0f}':>6s}" for each in found.mean(0).tolist())
                              for name, found in arriving.items())])


def arriving(rows: Sequence[dict], stream: str, arm: str) -> Tensor:
    """The accuracies (T, S) for the later tasks of all seeds, with SIZES samples."""
    return torch.tensor([task for seed in values(rows, stream, arm, "arriving").values() for task in seed],
                        dtype=torch.float64)


def table(rows: Sequence[dict], stream: str, needed: Callable) -> str:
    """All arms in a stream over the later tasks of all seeds: the share that passed and the median number of samples,
    by the learner's `needed`; accuracy with 40 samples, and less fine-tuning, paired over seeds."""
    lines = [f"{stream:24s}{'passed':>8s}{'median':>8s}{'% right with 40':>17s}{'less fine-tune':>16s}"]
    for arm in NAMES:
        if not values(rows, stream, arm, "arriving"):
            continue
        share, median = needed(arriving(rows, stream, arm), list(SIZES), THRESHOLD)
        less = "" if arm == TUNED else apart(rows, stream, arm, TUNED, 40).text(sign=True)
        lines.append(f"{arm:24s}{f'{100 * share:.0f} %':>8s}{median or f'> {SIZES[-1]}':>8}"
                     f"{mean_accuracy(rows, stream, arm, 40).text():>17s}{less:>16s}".rstrip())
    return "\n".join(lines)
