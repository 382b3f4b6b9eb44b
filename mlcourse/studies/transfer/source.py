"""A classifier of the source, trained until it stops improving on pictures of the source that were held back."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import nn

from mlcourse.domains import Domain
from mlcourse.episode.across import pixels
from mlcourse.train import step_generator

HELD_BACK = 10          # one picture of the source in so many
BATCH, RATE = 64, 1e-3
EVERY, PATIENCE = 50, 5


@torch.enable_grad()
def trained(net: nn.Module, domain: Domain, most: int, seed: int) -> nn.Module:
    """The network after cross-entropy on a domain's labels, by Adam, a tenth of its pictures held back.

    Every 50 steps the loss on those is measured; training ends after `most` steps, or when five measurements in a row
    have brought no smaller loss, and the weights with the smallest stay. Nothing of any other domain enters.
    """
    held, seen = parted(domain, seed)
    optimiser = torch.optim.Adam(net.parameters(), RATE)
    best, least, since = copy.deepcopy(net.state_dict()), held_loss(net, held), 0
    for step in range(1, most + 1):
        rows = torch.randint(len(seen.images), (BATCH,), generator=step_generator(seed, 0, step))
        optimiser.zero_grad()
        F.cross_entropy(net(pixels(seen.images[rows])), seen.labels[rows]).backward()
        optimiser.step()
        if step % EVERY == 0 or step == most:
            loss, since = held_loss(net, held), since + 1
            if loss < least:
                best, least, since = copy.deepcopy(net.state_dict()), loss, 0
            if since == PATIENCE:
                break
    net.load_state_dict(best)
    return net


def parted(domain: Domain, seed: int) -> tuple[Domain, Domain]:
    """The tenth of a domain that `trained` holds back with this seed, and the rest; all of it twice where a tenth is
    not one picture."""
    order = torch.randperm(len(domain.images), generator=torch.Generator().manual_seed(seed))
    back = len(order) // HELD_BACK
    return domain.take(order[:back] if back else order), domain.take(order[back:])


@torch.no_grad()
def held_loss(net: nn.Module, held: Domain) -> float:
    """The mean cross-entropy of a domain's pictures."""
    return float(F.cross_entropy(net(pixels(held.images)), held.labels))
