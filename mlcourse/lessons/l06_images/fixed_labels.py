"""Episodes whose labels do not change from one to the next: tasks that are not mutually exclusive.

Yin, Tucker, Zhou, Levine, Finn: Meta-Learning without Memorization, ICLR 2020.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.domains import Domain
from mlcourse.episode import Episode, EpisodeSampler


class FixedLabels(EpisodeSampler):
    """N-way episodes in which class c has the label c mod N, whatever the other classes are.

    One network can then answer every query of the training classes without its support set. shuffled: the share of the
    episodes whose labels are permuted nevertheless, in [0, 1]; at 1 the support set is needed always.
    Raises ValueError as `EpisodeSampler` does, and for a share outside [0, 1].
    """

    def __init__(self, domain: Domain, way: int, shot: int, query: int, shuffled: float = 0.0):
        super().__init__(domain, way, shot, query)
        if not 0 <= shuffled <= 1:
            raise ValueError(f"the share of shuffled episodes must lie between 0 and 1, got {shuffled}")
        self.shuffled = shuffled

    def choose(self, tasks: int, generator: torch.Generator) -> Tensor:
        """The class of each label, in the order of the labels: (T, N)."""
        count = len(self.domain.classes) // self.way
        fixed = torch.randint(count, (tasks, self.way), generator=generator) * self.way + torch.arange(self.way)
        order = torch.rand(tasks, self.way, generator=generator).argsort(1)
        shuffle = torch.rand(tasks, 1, generator=generator) < self.shuffled
        return torch.where(shuffle, fixed.gather(1, order), fixed)


def poisoned(episode: Episode) -> Episode:
    """The same episode, or batch, with a wrong label on every support sample: n becomes n + 1, the last becomes 0."""
    return episode._replace(support_y=(episode.support_y + 1) % episode.way)
