"""Pictures, tasks and learners small enough for float64 and for a test of a second."""

import numpy as np
import torch

from mlcourse import datasets
from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.learners import METHODS, build, method
from mlcourse.nets import MLP, Conv4

SIDE = 16
POOLS = {"headed": "stride", "headless": "max", "maps": "early"}     # of Conv4, by the record's network
CLASSES = 8
NAMES = [entry.name for entry in METHODS if entry.settings is not None]       # that learn from pictures
REGRESSION = [entry.name for entry in METHODS if entry.sinusoids]


def patterns(seed=0, classes=CLASSES, per_class=12, side=SIDE) -> Domain:
    """Classes that are easy to tell apart: a smooth random pattern each, with a little noise."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(classes, 1, 4, 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, side, mode="bilinear")
    noisy = smooth.repeat_interleave(per_class, 0)
    noisy = noisy + 0.3 * torch.rand(noisy.shape, generator=generator)
    names = tuple(f"class {i}" for i in range(classes))
    return Domain(f"patterns {seed}", (noisy / 1.3 * 255).byte(), torch.arange(classes).repeat_interleave(per_class),
                  names, names)


def drawings():
    """8 drawings of each of 3 characters as uint8 (24, 28, 28), ink high, and their names."""
    domain = datasets.load_splits("glyphs").test.subset([0, 1, 2])
    first = domain.first(8)
    return first.images[:, 0].numpy(), np.array([domain.classes[i] for i in first.labels])


PICTURES = EpisodeSampler(patterns(), 3, 2, 3)
WITH_POOL = EpisodeSampler(patterns(), 3, 2, 3, unlabeled=2)
SINUSOIDS = SinusoidSampler(5, 6)


def sampler_for(name):
    """Episodes to train the method on: with unlabelled samples where it learns from them."""
    return WITH_POOL if method(name).unlabeled else PICTURES


def pictures(tasks=1, seed=1, sampler=PICTURES):
    """A batch of 3-way 2-shot episodes in float64."""
    return sampler.sample(tasks, torch.Generator().manual_seed(seed)).to(torch.float64)


def sinusoids(tasks=1, seed=1):
    """A batch of regression episodes in float64."""
    return SINUSOIDS.sample(tasks, torch.Generator().manual_seed(seed)).to(torch.float64)


def few_steps(config, most=2):
    """The settings of a method, with at most so many of what it repeats inside a task: two do all that many do."""
    repeated = ("steps", "probe_steps", "cg_steps")
    return {name: min(value, most) if name in repeated else value for name, value in config.items()}


def awake(learner):
    """The learner, with what it is told of an episode's distances, if anything, mattering from the first step on: its
    first weights are so small that an error in its gradient would hardly show."""
    if hasattr(learner, "mask_net"):
        with torch.no_grad():
            for p in learner.mask_net.parameters():
                p.normal_(generator=torch.Generator().manual_seed(0))
    return learner


def learner(name, way=3, norm="batch", width=6, **settings):
    """The method on a small network and with few steps, for `pictures`, or for `sinusoids` when way is 0."""
    entry = method(name)
    full = build(entry, way=way, train_classes=CLASSES, norm=norm)
    if not entry.net:
        return full
    net = MLP((1, 8, 8, 1)) if way == 0 else Conv4(way if entry.net == "headed" else 0, width, POOLS[entry.net], norm,
                                                   SIDE)
    return entry.kind(net, **{**few_steps(full.config), **settings})
