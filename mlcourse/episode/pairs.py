"""Batches that contrastive methods learn from, as episodes: pairs from two domains or modalities, and single
pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.domains import Domain
from mlcourse.episode.episode import Episode, distinct


class PairSampler:
    """Draws N-way episodes with the support set from one side and the query set from the other.

    a, b: the samples of the two sides, (M, *D) and (M, *E), row i of both belonging to one drawing; uint8 becomes float
    in [0, 1]. labels (M,) int64: the class of each row. way: N. shot: samples of each class on either side.
    same=False takes them from different drawings, so that no drawing stands on both sides; same=True from the same
    ones. Raises ValueError where the sides do not fit together or a class has too few drawings.
    """

    def __init__(self, a: Tensor, b: Tensor, labels: Tensor, way: int, shot: int = 1, *, same: bool = False):
        if not len(a) == len(b) == len(labels):
            raise ValueError(f"both sides and the labels need one row for each drawing, got {len(a)}, {len(b)} and "
                             f"{len(labels)}")
        counts, need = torch.bincount(labels), shot if same else 2 * shot
        if not 2 <= way <= len(counts):
            raise ValueError(f"way must lie between 2 and {len(counts)}, the number of classes, got {way}")
        if not 1 <= need <= int(counts.min()):
            raise ValueError(f"shot {shot} needs {need} drawings of every class, but one has {int(counts.min())}; ask "
                             f"for fewer, and at least 1")
        self.a, self.b, self.way, self.shot, self.query, self.same = a, b, way, shot, shot, same
        self.counts, self.rows = counts, torch.zeros(len(counts), int(counts.max()), dtype=torch.int64)
        self.rows[torch.arange(self.rows.shape[1]) < counts[:, None]] = torch.argsort(labels, stable=True)

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """A batch of `tasks` episodes. Labels run from 0 to N - 1 over classes drawn in random order, in the same order
        on both sides; `classes` holds their ids."""
        chosen = distinct(tasks, self.way, len(self.counts), generator)
        keys = torch.rand(tasks, self.way, self.rows.shape[1], generator=generator)
        keys.masked_fill_(torch.arange(self.rows.shape[1]) >= self.counts[chosen][..., None], -1.0)
        drawn = keys.topk(self.shot if self.same else 2 * self.shot, dim=2).indices
        picked = self.rows[chosen[..., None], drawn]
        y = torch.arange(self.way).repeat_interleave(self.shot).repeat(tasks, 1)
        x, other = (values(side, part.flatten(1)) for side, part in
                    ((self.a, picked[..., :self.shot]), (self.b, picked[..., -self.shot:])))
        return Episode(x, y, other, y.clone(), x[:, :0], chosen, torch.zeros(tasks, dtype=torch.int64))


class PictureSampler:
    """Draws `count` pictures of a domain, regardless of their classes, each a class of its own (support_y 0 to count -
    1); there are no queries. What a method without labels trains on.

    Raises ValueError for a count below 2 or above the number of pictures.
    """

    def __init__(self, domain: Domain, count: int):
        if not 2 <= count <= len(domain.images):
            raise ValueError(f"count must lie between 2 and {len(domain.images)}, the pictures of {domain.name}, got "
                             f"{count}")
        self.domain, self.count = domain, count

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """A batch of `tasks` times `count` pictures; `classes` holds their rows in the domain."""
        rows = distinct(tasks, self.count, len(self.domain.images), generator)
        x, y = values(self.domain.images, rows), torch.arange(self.count).repeat(tasks, 1)
        return Episode(x, y, x[:, :0], y[:, :0], x[:, :0], rows, torch.zeros(tasks, dtype=torch.int64))


def values(samples: Tensor, index: Tensor) -> Tensor:
    """The samples at these indices, bytes as float32 in [0, 1]."""
    picked = samples.index_select(0, index.flatten()).view(*index.shape, *samples.shape[1:])
    return picked.float().mul_(1 / 255) if picked.dtype == torch.uint8 else picked
