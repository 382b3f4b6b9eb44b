"""What lesson 02 carries over: five networks of one form, four of them trained on a source, and what each makes of a
picture at every depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse import checkpoint
from mlcourse.datasets import Form, load, load_splits
from mlcourse.datasets.frame import framed
from mlcourse.domains import Domain
from mlcourse.learners import LinearProbe
from mlcourse.nets import Conv4
from mlcourse.small import SIDE
from mlcourse.studies.transfer.source import parted, trained
from mlcourse.supervised import accuracy
from mlcourse.system import paths

WIDTH, STEPS = 32, 800
DEPTHS = ("pixels", "1 block", "2 blocks", "3 blocks", "4 blocks")      # how much of the network is kept
PERMUTATION = 20        # the seed of the permuted pixels
FOLDER = paths.DATA / "checkpoints"
COMMAND = "python -m mlcourse.lessons.l02_transfer.sources"


@cache
def typeset() -> Domain:
    """Typeset digits."""
    return load("glyphs-digits", form=Form(SIDE))


@cache
def glyphs() -> Domain:
    """The training scripts of the glyphs, which hold no digit, in the digits' frame."""
    domain = load_splits("glyphs").train
    images = np.stack([framed(picture, SIDE) for picture in domain.images[:, 0].float().numpy()])
    return replace(domain, images=torch.from_numpy(images.round().astype(np.uint8))[:, None], originals=domain.digests)


def inverted() -> Domain:
    """The same glyphs with ink and paper swapped."""
    domain = glyphs()
    return replace(domain, name="inverted glyphs", images=255 - domain.images, originals=domain.digests)


def permuted() -> Domain:
    """The same glyphs, their pixels in another order, one for all pictures."""
    domain = glyphs()
    order = torch.randperm(SIDE * SIDE, generator=torch.Generator().manual_seed(PERMUTATION))
    images = domain.images.flatten(1)[:, order].view_as(domain.images)
    return replace(domain, name="permuted glyphs", images=images, originals=domain.digests)


SOURCES: dict[str, Callable[[], Domain]] = {
    "typeset": typeset, "glyphs": glyphs, "inverted": inverted, "permuted": permuted}
NONE = "none"           # no source: random weights


def source_domain(source: str) -> Domain:
    """The pictures of a source."""
    return SOURCES[source]()


def network(classes: int, seed: int) -> Conv4:
    """An untrained network with a head for so many classes; 0: without one. Its body is the same for any number."""
    return Conv4(classes, WIDTH, "stride", "layer", SIDE, seed)


def pretrained(source: str, seed: int, most: int = STEPS) -> Conv4:
    """A network after training on the labels of a source (`studies.transfer.source.trained`), at most so many steps,
    with a head for the source's classes. NONE: random weights, and a head for ten classes."""
    if source == NONE:
        return network(10, seed)
    domain = source_domain(source)
    return trained(network(len(domain.classes), seed), domain, most, seed)


def body(source: str, seed: int, most: int = STEPS) -> Conv4:
    """The same without its head."""
    return bodied(pretrained(source, seed, most))


def bodied(net: Conv4) -> Conv4:
    """A copy of a network without its head."""
    bare = network(0, net.config["seed"])
    bare.load_state_dict({key: value for key, value in net.state_dict().items() if not key.startswith("head.")})
    return bare


def stored(source: str) -> Conv4:
    """The body that lies in data/checkpoints, that of seed 0; NONE: random weights, which are not stored."""
    if source == NONE:
        return network(0, 0)
    learner, _ = checkpoint.load(path_of(source))
    return learner.net


def path_of(source: str) -> Path:
    """Where a stored body lies."""
    return FOLDER / f"ladder-{source}.safetensors"


def at_depth(net: nn.Module, x: Tensor, depth: int) -> Tensor:
    """What the first `depth` blocks of a network make of pictures x (M, 1, S, S), flattened: (M, d). 0: the pixels."""
    return next(islice(at_depths(net, x), depth, None))


def at_depths(net: nn.Module, x: Tensor) -> Iterator[Tensor]:
    """`at_depth` for every depth in turn, from the pixels on."""
    yield x.flatten(1)
    for conv, norm in zip(net.convs, net.norms, strict=True):
        x = F.relu(norm(conv(x), None))
        yield x.flatten(1)


def store(seed: int = 0) -> None:
    """Train the bodies of a seed, and write them with their cards."""
    for source in SOURCES:
        domain = source_domain(source)
        net = pretrained(source, seed)
        right = accuracy(net, parted(domain, seed)[0])
        card = {"source": source, "training": {"steps": STEPS, "seed": seed}, "command": COMMAND,
                "held_out_accuracy": round(right, 4)}
        checkpoint.save(path_of(source), LinearProbe(bodied(net)), card)
        print(f"{source:9s} right on {100 * right:.1f} % of what was held out, "
              f"{path_of(source).stat().st_size:,} bytes")


if __name__ == "__main__":
    store()
