"""The limits around the curves of Garg et al. (2022), which are of another width than the course's intervals."""

from __future__ import annotations

import torch
from torch import Tensor

TRIALS = 1000


def bootstrap_limits(errors: Tensor, generator: torch.Generator, tail: float = 0.05) -> tuple[Tensor, Tensor]:
    """The lower and the upper limit (n,) of the mean error of B prompts after each number of pairs, errors (B, n): what
    lies `tail` from either end of 1,000 bootstrap means. The authors' tail is 5 %, so that theirs are 90 % intervals;
    2.5 % gives 95 %, as everywhere in the course.

    Raises ValueError for a tail outside (0, 0.5).
    """
    if not 0 < tail < 0.5:
        raise ValueError(f"the tail must lie between 0 and 0.5, got {tail}")
    drawn = torch.randint(len(errors), (TRIALS, len(errors)), generator=generator).to(errors.device)
    counts = errors.new_zeros(drawn.shape).scatter_add_(1, drawn, errors.new_ones(drawn.shape))
    means = counts @ errors / len(errors)
    return means.quantile(tail, 0), means.quantile(1 - tail, 0)
