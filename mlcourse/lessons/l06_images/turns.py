"""Test classes that are turned, in the ways that published protocols turn them."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.domains import Domain
from mlcourse.episode import Episode, EpisodeSampler

NONE, PER_EPISODE, PER_CLASS = "none", "one an episode", "one a class"
TURNS = (NONE, PER_EPISODE, PER_CLASS)


class TurnedEpisodes(EpisodeSampler):
    """Episodes of a domain whose pictures are turned by a multiple of 90°: by none, by one that is drawn for the
    episode, or by one that is drawn for each class.

    The same generator gives the same drawings for each of TURNS. Raises ValueError for another turn, and as
    `EpisodeSampler` does.
    """

    def __init__(self, domain: Domain, way: int, shot: int, query: int, turn: str):
        if turn not in TURNS:
            raise ValueError(f"turn must be one of {', '.join(TURNS)}, got {turn!r}")
        super().__init__(domain, way, shot, query)
        self.turn = turn

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """As `EpisodeSampler.sample`; `classes` holds the characters, turned or not."""
        episode = super().sample(tasks, generator)
        drawn = torch.randint(4, (tasks, self.way), generator=generator)
        turns = {NONE: torch.zeros_like(drawn), PER_EPISODE: drawn[:, :1].expand_as(drawn), PER_CLASS: drawn}[self.turn]
        return episode._replace(support_x=_turned(episode.support_x, turns.gather(1, episode.support_y)),
                                query_x=_turned(episode.query_x, turns.gather(1, episode.query_y)))


def _turned(x: Tensor, turns: Tensor) -> Tensor:
    """Pictures x (T, M, C, S, S), each turned by so many quarters (T, M)."""
    every = torch.stack([torch.rot90(x, k, (-2, -1)) for k in range(4)])
    return every.gather(0, turns[None, :, :, None, None, None].expand_as(every[:1]))[0]
