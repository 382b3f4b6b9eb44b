"""What lesson 13 trains live: by the rule of `mlcourse study transfer`, half its filters, 200 steps for 1,500."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from mlcourse.datasets import Form, load
from mlcourse.domains import Domain
from mlcourse.episode.across import halves, pixels, pooled
from mlcourse.lessons.l13_adaptation.study_label_shift import faint, one_domain
from mlcourse.nets import LeNet
from mlcourse.small import RATE, SIDE
from mlcourse.studies.transfer.setting import Setting
from mlcourse.studies.transfer.source import parted, trained

WIDTH, STEPS = 10, 200


def typeset_and_handwritten() -> tuple[Domain, Domain, Domain]:
    """The source, and the training and test half of the target, 16×16, all digits in one frame."""
    source, target = (load(name, form=Form(SIDE)) for name in ("glyphs-digits", "digits"))
    return source, *halves(target)


def faint_print(source: Domain) -> Setting:
    """The one domain of study label-shift, made of typeset digits."""
    return one_domain(source, 0)


def held_back(source: Domain, draws: int = 10) -> Domain:
    """What `network` holds back of faint print's source, each digit under `draws` other draws of the noise."""
    held, _ = parted(halves(source, seed=0)[0], 0)
    return pooled([faint(held, noise) for noise in range(1, draws + 1)])


def network(source: Domain, norm: str) -> LeNet:
    """A LeNet after at most STEPS steps on the source's labels; norm: "layer" or "batch"."""
    return trained(LeNet(len(source.classes), WIDTH, norm, SIDE), source, STEPS, seed=0)


def descended(net: nn.Module, source: Domain, target_x: Tensor, loss: Callable[..., Tensor], *, steps: int = 40,
              batch: int = 30, seed: int = 0) -> nn.Module:
    """A copy of a network after `steps` steps of Adam down loss(net, x, y, t), each on `batch` labelled pictures (x, y)
    of the source and as many t of the target's (U, 1, S, S)."""
    net = copy.deepcopy(net)
    optimiser, generator = torch.optim.Adam(net.parameters(), RATE), torch.Generator().manual_seed(seed)
    for _ in range(steps):
        s, t = (torch.randint(len(images), (batch,), generator=generator) for images in (source.images, target_x))
        optimiser.zero_grad()
        loss(net, pixels(source.images[s]), source.labels[s], target_x[t]).backward()
        optimiser.step()
    return net
