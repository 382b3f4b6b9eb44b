"""Episodes whose unlabelled pool holds more of one class than of another.

The class shares follow a Dirichlet distribution, as in Veilleux, Boudiaf, Piantanida, Ben Ayed: Realistic Evaluation of
Transductive Few-Shot Learning, NeurIPS 2021, where the queries are drawn so.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mlcourse.domains import Domain
from mlcourse.episode.episode import EpisodeSampler


class UnevenPools(EpisodeSampler):
    """Episodes with N·M unlabelled samples of the N classes, as many as `EpisodeSampler` draws, in shares from a
    symmetric Dirichlet distribution.

    unlabeled: M. concentration: of the distribution; the smaller, the more uneven, and inf for M of each class. A class
    gives no more than it has beside support and queries; the others then give more. Of each distractor class there are
    M samples. Whatever the concentration, the same generator state gives the same support and query sets.
    Raises ValueError for a concentration that is not positive, and as `EpisodeSampler` does.
    """

    def __init__(self, domain: Domain, way: int, shot: int, query: int = 15, *, unlabeled: int, distractors: int = 0,
                 concentration: float = 1.0):
        super().__init__(domain, way, shot, query, unlabeled=unlabeled, distractors=distractors)
        if not concentration > 0:
            raise ValueError(f"the concentration must be positive, got {concentration}; 1 makes all shares equally "
                             "likely, inf makes them equal")
        self.concentration = concentration
        self.drawn = int(self.counts.min()) - shot - query

    def pool(self, own: Tensor, others: Tensor, generator: torch.Generator) -> Tensor:
        """The first of each class, as many as its share asks for, and all distractors."""
        tasks, total = len(own), self.way * self.unlabeled
        shares = dirichlet(tasks, self.way, self.concentration, generator)
        counts = apportioned(shares, total, own.shape[2])
        chosen = torch.arange(own.shape[2]) < counts[..., None]
        return super().pool(own[chosen].view(tasks, 1, total), others, generator)


def dirichlet(rows: int, n: int, concentration: float, generator: torch.Generator) -> Tensor:
    """Shares (rows, n) that add up to 1, from a symmetric Dirichlet distribution; inf: all 1/n."""
    seed = int(torch.randint(2**62, (1,), generator=generator))
    if concentration == float("inf"):
        return torch.full((rows, n), 1 / n, dtype=torch.float64)
    return torch.from_numpy(np.random.default_rng(seed).dirichlet([concentration] * n, rows))


def apportioned(shares: Tensor, total: int, most: int) -> Tensor:
    """Whole numbers (T, N) that add up to `total`, as near to shares (T, N) of it as they can be with none above
    `most`: one after another is given to what lacks most. Raises ValueError where N · most is less than the total."""
    if shares.shape[1] * most < total:
        raise ValueError(f"{shares.shape[1]} classes of at most {most} samples hold no {total}; ask for fewer")
    counts = torch.zeros(shares.shape, dtype=torch.int64)
    for _ in range(total):
        lacking = (shares * total - counts).masked_fill(counts == most, -torch.inf)
        counts.scatter_add_(1, lacking.argmax(1, keepdim=True), torch.ones(len(shares), 1, dtype=torch.int64))
    return counts
