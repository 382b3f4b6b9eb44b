"""The second explorer of lesson 02: fine-tuning from three heads, and how far it moves the features."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.domains import Domain
from mlcourse.episode.across import pixels
from mlcourse.learners.baselines import ridge
from mlcourse.lessons.l02_transfer.ladder import PENALTY
from mlcourse.lessons.l02_transfer.scene_head_start import HeadStartScene
from mlcourse.lessons.l02_transfer.sources import stored
from mlcourse.lessons.l02_transfer.study_freeze import labelled, target
from mlcourse.nets import Conv4
from mlcourse.nets.wrap import linear
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled as named

HEADS = ("random", "zero", "ridge")
RATES, LABELS = (0.03, 0.1, 0.3), (1, 2, 5, 10)
STEPS, EVERY, ASKED = 60, 4, 300


class Path(NamedTuple):
    """Fine-tuning, looked at every EVERY steps: accuracy on the target, 0 to 1, and how far the features have moved, as
    a share of their size at the start, each (STEPS / EVERY + 1,)."""

    accuracy: np.ndarray
    moved: np.ndarray


class HeadStartRecord(NamedTuple):
    """One setting: the path of its head, and those of other heads that were seen with this rate and these labels."""

    head: str
    labels: int
    rate: float
    path: Path
    others: dict[str, Path]


def first_head(name: str, z: Tensor, y: Tensor, classes: int) -> nn.Linear:
    """A head for features z (M, d): of random weights, of zeros, or that of a ridge regression on the labels y (M,)."""
    layer = linear(z.shape[1], classes, 0)
    if name != "random":
        weight, bias = ridge(z, F.one_hot(y, classes).to(z), PENALTY)
        with torch.no_grad():
            layer.weight.copy_(weight.T if name == "ridge" else torch.zeros_like(weight.T))
            layer.bias.copy_(bias if name == "ridge" else torch.zeros_like(bias))
    return layer


class HeadStart(Explorer):
    """Fine-tune the network of a source from a head that is random, zero or that of a ridge regression, for 60 steps,
    and watch how far its features move.

    net: a body, by default that of typeset digits. halves: the target's pictures to learn from and to be judged on, by
    default those of the study's seed 0. A new setting takes up to a second; one seen before is redrawn at once.

        HeadStart(head="random")
    """

    keeps = True

    def __init__(self, *, net: Conv4 | None = None, halves: tuple[Domain, Domain] | None = None, head: str = "random",
                 labels: int = 2, rate: float = 0.1):
        self.net = net or stored("typeset")
        self.train, test = halves or target(0)
        asked = test.take(torch.randperm(len(test.images), generator=torch.Generator().manual_seed(0))[:ASKED])
        self.asked, self.asked_labels = pixels(asked.images), asked.labels
        self._seen: dict[tuple[str, int, float], Path] = {}
        controls = {
            "head": ipywidgets.ToggleButtons(options=HEADS, value=head, style={"button_width": "6.5em"}),
            "labels": ipywidgets.SelectionSlider(options=LABELS, value=labels, description="labels of a "
                                                                                           "class", **CONTROL),
            "rate": ipywidgets.SelectionSlider(options=RATES, value=rate, description="rate", **CONTROL),
        }
        lines = [named("head at the start", controls["head"]), columns([controls["labels"], controls["rate"]], 2)]
        super().__init__(HeadStartScene(np.arange(0, STEPS + 1, EVERY)), controls, ipywidgets.VBox(lines))

    def compute(self, *, head: str, labels: int, rate: float) -> HeadStartRecord:
        if (head, labels, rate) not in self._seen:
            self._seen[head, labels, rate] = self.path(head, labels, rate)
        others = {name: self._seen[name, labels, rate] for name in HEADS
                  if name != head and (name, labels, rate) in self._seen}
        return HeadStartRecord(head, labels, rate, self._seen[head, labels, rate], others)

    def path(self, head: str, k: int, rate: float) -> Path:
        """The path of a setting."""
        rows = labelled(self.train, k, 0, 0)
        x, y = pixels(self.train.images[rows]), self.train.labels[rows]
        net = copy.deepcopy(self.net).requires_grad_(True)
        with torch.no_grad():
            start = net.features(self.asked)
            top = first_head(head, net.features(x), y, len(self.train.classes))
        found = [self._look(net, top, start)]
        for step in descent(net, top, x, y, rate):
            if step % EVERY == 0:
                found.append(self._look(net, top, start))
        return Path(*map(np.array, zip(*found, strict=True)))

    @torch.no_grad()
    def _look(self, net: nn.Module, top: nn.Module, start: Tensor) -> tuple[float, float]:
        z = net.features(self.asked)
        right = (top(z).argmax(1) == self.asked_labels).float().mean()
        return float(right), float((z - start).norm() / start.norm())

    def headline(self, record: HeadStartRecord) -> str:
        last, moved = record.path.accuracy[-1], record.path.moved[-1]
        return (f"From a {record.head} head: right on ≈{100 * last:.0f} % after {STEPS} steps, the features moved by "
                f"≈{100 * moved:.0f} % of their size")

    def describe(self, record: HeadStartRecord) -> str:
        first = f"The head alone, before any step: ≈{100 * record.path.accuracy[0]:.0f} %."
        others = "; ".join(f"{name} ≈{100 * path.accuracy[-1]:.0f} %, moved by ≈{100 * path.moved[-1]:.0f} %"
                           for name, path in record.others.items())
        return first + (f" Seen before: {others}." if others else "")


def descent(net: nn.Module, top: nn.Module, x: Tensor, y: Tensor, rate: float) -> Iterator[int]:
    """STEPS of gradient descent on the labelled pictures, in everything; yields the number of steps after each."""
    optimiser = torch.optim.SGD([*net.parameters(), *top.parameters()], rate)
    for step in range(1, STEPS + 1):
        with torch.enable_grad():
            optimiser.zero_grad()
            F.cross_entropy(top(net.features(x)), y).backward()
            optimiser.step()
        yield step
