"""Episodes within one group, such as one alphabet, of changed drawings: what Omniglot's one-shot runs ask for.

To tell characters of one alphabet apart is harder than to tell apart those of several, and a model should train on what
it will be asked.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from mlcourse.domains import Domain
from mlcourse.episode.episode import Episode, EpisodeSampler, distinct
from mlcourse.episode.views import AFFINE, affine_view


class WithinGroups(EpisodeSampler):
    """Episodes whose N classes are of one group, every group with so many equally likely.

    strength: of the `affine_view` that every sample is shown in, drawn with the episode; 0 leaves the samples as they
    are. Raises ValueError as `EpisodeSampler` does, and where no group has N classes.
    """

    def __init__(self, domain: Domain, way: int, shot: int, query: int = 15, *, strength: float = 0.0):
        super().__init__(domain, way, shot, query)
        members: dict[str, list[int]] = {}
        for label, group in enumerate(domain.groups):
            members.setdefault(group, []).append(label)
        self.strength, self.members = strength, [torch.tensor(own) for own in members.values() if len(own) >= way]
        if not self.members:
            most = max(map(len, members.values()))
            raise ValueError(f"way {way} needs a group of {way} classes, but the largest of {domain.name} has {most}; "
                             f"ask for a way of at most {most}")

    def choose(self, tasks: int, generator: torch.Generator) -> Tensor:
        """N classes of one group for each episode: (T, N)."""
        groups = torch.randint(len(self.members), (tasks,), generator=generator).tolist()
        return torch.stack([self.members[g][distinct(1, self.way, len(self.members[g]), generator)[0]] for g in groups])

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """A batch of `tasks` episodes; the same generator state gives the same episodes."""
        episode = super().sample(tasks, generator)
        if self.strength == 0:
            return episode
        return episode._replace(support_x=self._viewed(episode.support_x, generator),
                                query_x=self._viewed(episode.query_x, generator))

    def _viewed(self, x: Tensor, generator: torch.Generator) -> Tensor:
        pictures = x.flatten(0, 1)
        draws = 2 * torch.rand(len(pictures), AFFINE, generator=generator) - 1
        return affine_view(pictures, draws, self.strength).view(x.shape)


def turned_whole(domain: Domain) -> Domain:
    """The domain `with_rotations`, where the classes of a group that were turned alike are a group of their own: an
    episode within one of them is turned as a whole."""
    turned, c = domain.with_rotations(), len(domain.classes)
    return replace(turned, groups=tuple(f"{group} turned {90 * (i // c)}" for i, group in enumerate(turned.groups)))
