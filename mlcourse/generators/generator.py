"""What a generator is: it makes further pictures of a class from a few, and so an episode from an episode."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mlcourse.episode import Episode


class Generator(nn.Module):
    """Makes pictures of classes. It has been trained, if at all, on training classes alone."""

    def draw(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """`count` pictures of each class (N, count, 1, S, S) in [0, 1], from K pictures of it: x (N, K, 1, S, S)."""
        raise NotImplementedError


@torch.no_grad()
def augmented(episode: Episode, maker: Generator, count: int, generator: torch.Generator, copies: int = 1) -> Episode:
    """An episode, or a batch of them, with `count` made pictures of each class added to the support set, from its own
    supports. Any learner can adapt to it. copies: how often each support picture itself stands in there, which says how
    much the made ones weigh. The queries stay as they are.

    Raises ValueError for a count or copies below 1, and for classes of unlike numbers of supports.
    """
    if count < 1 or copies < 1:
        raise ValueError(f"at least one picture of each class is to be made and one copy kept, got {count}, {copies}")
    lead, way, x = episode.batch_shape, episode.way, episode.support_x
    sets = grouped(x, episode.support_y, way)
    made = maker.draw(sets.flatten(0, len(lead)), count, generator)
    made = made.reshape(*lead, way * count, *x.shape[len(lead) + 1:])
    y = torch.arange(way, device=x.device).repeat_interleave(count).expand(*lead, -1)
    axis = len(lead)
    return episode._replace(support_x=torch.cat([x] * copies + [made], axis),
                            support_y=torch.cat([episode.support_y] * copies + [y], axis))


def grouped(x: Tensor, y: Tensor, way: int) -> Tensor:
    """Samples (…, N·K, *D) with labels y (…, N·K) as sets (…, N, K, *D). Raises ValueError where the classes have
    unlike numbers of samples."""
    counts = torch.stack([(y == n).sum(-1) for n in range(way)], -1)
    if (counts != counts.flatten()[0]).any():
        raise ValueError("the classes of an episode must have as many support pictures each, but there are "
                         f"{counts.flatten().unique().tolist()}; draw episodes with one shot")
    order = y.argsort(dim=-1, stable=True)
    index = order.view(*order.shape, *[1] * (x.ndim - y.ndim)).expand(x.shape)
    return x.gather(y.ndim - 1, index).unflatten(y.ndim - 1, (way, -1))
