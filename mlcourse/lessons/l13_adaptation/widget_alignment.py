"""The alignment's weight of lesson 13: pull two covariance matrices together with a weight λ, and watch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse import small
from mlcourse.domains import Domain
from mlcourse.domains.distances import proxy_a_distance, proxy_a_floor
from mlcourse.episode.across import DomainSampler, pixels
from mlcourse.lessons.l13_adaptation.scene_alignment import AlignmentScene
from mlcourse.losses.alignment import coral, covariance
from mlcourse.nets import LeNet
from mlcourse.system.machine import one_core
from mlcourse.train import step_generator
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled
from mlcourse.widgets.background import Background

WEIGHTS = (0.0, 0.1, 1.0, 10.0, 100.0)
DISTANCE = 0.6            # of the label shift, in total variation
SHOWN = 24                # features in a matrix, those that vary most in the source before the training
SPLITS, SIZE = 5, 280     # of PAD


class Frame(NamedTuple):
    """A training after `step` steps: the covariances of SHOWN features of source and target (SHOWN, SHOWN); the
    accuracy on the target's test half, in the target's shares; the PAD of the features; how often each class is
    predicted (N,); and the total variance of the source's features."""

    step: int
    source: np.ndarray
    target: np.ndarray
    accuracy: float
    pad: float
    predicted: np.ndarray
    variance: float


class AlignmentRecord(NamedTuple):
    """One setting: λ, whether the labels are shifted, and the frames so far. others: the frames of other weights seen
    before. shares (N,): how often each class occurs. unadapted: the accuracy of the classifier without adaptation.
    floor: the interval of the target's PAD against itself."""

    weight: float
    shifted: bool
    frames: list[Frame]
    others: list[list[Frame]]
    shares: np.ndarray
    unadapted: float
    floor: tuple[float, float]


def aligned(net: LeNet, x: Tensor, y: Tensor, t: Tensor, weight: float) -> Tensor:
    """CORAL's loss: labelled pictures (x, y) of the source, pictures t of the target, each under its own statistics."""
    a, b = net.features(x), net.features(t)
    return F.cross_entropy(net.head(a), y) + weight * coral(a, b)


class AlignmentWeight(Explorer):
    """Choose the weight λ of CORAL, and whether the target has other class shares; the training runs before your eyes.

    net: a LeNet with batch norm, trained on the source; every training goes on from a copy of it. plain: one with layer
    norm, which is no adaptation. source, train, test: domains with the same classes; train is seen without labels, test
    is for the accuracy alone. loss: (net, x, y, t, λ) → a scalar, as `aligned`. frequent: the classes that a label
    shift favours. steps, every: of a training, and between its frames.
    The first setting is trained when the explorer is made. Another one is drawn before its training at once, and
    trained a few steps at a time, between which the kernel answers; a newer setting stops it, and coming back goes on
    with it.

        AlignmentWeight(network(source, "batch"), network(source, "layer"), source, train, test)
    """

    keeps = True

    def __init__(self, net: LeNet, plain: LeNet, source: Domain, train: Domain, test: Domain,
                 loss: Callable[..., Tensor] = aligned, *, frequent: tuple[int, ...] = (1, 4, 7),
                 weight: float = 1.0, steps: int = 40, every: int = 10, seed: int = 0):
        self.net, self.source, self.test, self.loss = net, source, test, loss
        self.seed, self.steps, self.every = seed, steps, every
        self.targets, self.known = {}, small.known(source, seed)
        with torch.no_grad():
            right = small.class_accuracies(plain(pixels(test.images)), test.labels)
        for shifted in (False, True):
            q = small.proportions(len(source.classes), frequent, DISTANCE if shifted else 0.0)
            seen = small.drawn(train, q, small.UNLABELED, seed)
            z = small.views(net, self.known, pixels(seen.images), pixels(seen.images))
            floor = proxy_a_floor(z.target, seed, SPLITS, SIZE)
            self.targets[shifted] = (seen, q, float(q @ right), (floor.low, floor.high))
        self.chosen = z.source.var(0).topk(min(SHOWN, z.source.shape[1])).indices
        scale = float(covariance(z.source[:, self.chosen]).abs().quantile(0.97))
        self.trainings: dict[tuple[float, bool], Training] = {}
        self.bar = ipywidgets.IntProgress(max=steps, description="training", **CONTROL)
        controls = {
            "weight": ipywidgets.SelectionSlider(options=[(f"{w:g}", w) for w in WEIGHTS], value=weight,
                                                 description="weight λ", **CONTROL),
            "shifted": ipywidgets.Checkbox(value=False, description="label shift", indent=False,
                                           layout={"width": "auto"}),
        }
        self.training(weight, False).to_the_end()
        scene = AlignmentScene(source.classes, steps, len(self.chosen), net.size, scale)
        super().__init__(scene, controls, columns([controls["weight"],
                                                   labelled("target's classes", controls["shifted"]), self.bar]))
        self.job = Background(self.turn)

    def training(self, weight: float, shifted: bool) -> Training:
        """The training of a setting, as far as it has come."""
        if (weight, shifted) not in self.trainings:
            self.trainings[weight, shifted] = Training(self, weight, shifted)
        return self.trainings[weight, shifted]

    def compute(self, *, weight: float, shifted: bool) -> AlignmentRecord:
        training, (_, q, unadapted, floor) = self.training(weight, shifted), self.targets[shifted]
        others = [each.frames for (w, s), each in self.trainings.items() if s == shifted and w != weight]
        self.bar.value = training.frames[-1].step
        return AlignmentRecord(weight, shifted, training.frames, others, q.numpy(), unadapted, floor)

    def _changed(self, change) -> None:
        super()._changed(change)
        if not self._holding:
            self.job.start(self._advance(self.training(**self.settings)))

    def set(self, **settings) -> None:
        """Move several controls, and train to the end."""
        with self.turn:
            super().set(**settings)
            self.job.stop()
            self.training(**self.settings).to_the_end()
            self.refresh()

    def _advance(self, training: Training) -> Iterator[None]:
        """Train the setting of the controls, a few steps a piece."""
        while not training.done and self.error is None:
            training.advance()
            self.refresh()
            yield

    def headline(self, record: AlignmentRecord) -> str:
        first, now = record.frames[0], record.frames[-1]
        target = "Label shift, " if record.shifted else ""
        start = f"{target}λ = {record.weight:g}, step {now.step}: accuracy ≈{100 * first.accuracy:.0f} % (AdaBN)"
        return start if now is first else (f"{start} → ≈{100 * now.accuracy:.0f} %, PAD ≈{first.pad:.2f} → "
                                           f"≈{now.pad:.2f}")

    def describe(self, record: AlignmentRecord) -> str:
        first, now = record.frames[0], record.frames[-1]
        apart = lambda shares: np.abs(shares - 1 / len(shares)).sum() / 2
        shares = (f" Distance from uniform shares: labels {apart(record.shares):.1f}, answers "
                  f"≈{apart(now.predicted):.2f}." if record.shifted else "")
        return (f"No adaptation: ≈{100 * record.unadapted:.0f} %. Variances of the source's {self.net.size} features, "
                f"added up: ≈{first.variance:.0f} → ≈{now.variance:.0f}.{shares}")


class Training:
    """One setting's training, `every` steps at a time."""

    def __init__(self, of: AlignmentWeight, weight: float, shifted: bool):
        self.of, self.weight, self.seen, self.q = of, weight, *of.targets[shifted][:2]
        self.net = copy.deepcopy(of.net)
        self.sampler = DomainSampler([of.source], small.SHOT, 1, unlabeled=small.SHOT, target=self.seen)
        self.optimiser = torch.optim.Adam(self.net.parameters(), small.RATE)
        self.frames = [self.frame(0)]

    @property
    def done(self) -> bool:
        """Whether all steps are done."""
        return self.frames[-1].step >= self.of.steps

    @torch.enable_grad()
    def advance(self) -> None:
        """The next steps, and a frame."""
        start = self.frames[-1].step
        with one_core():
            for step in range(start, start + self.of.every):
                episode = self.sampler.sample(1, step_generator(self.of.seed, 0, step)).task(0)
                self.optimiser.zero_grad()
                x, y, t = episode.support_x, episode.support_y, episode.unlabeled_x
                self.of.loss(self.net, x, y, t, self.weight).backward()
                self.optimiser.step()
            self.frames.append(self.frame(start + self.of.every))

    def to_the_end(self) -> None:
        """All steps that are left."""
        while not self.done:
            self.advance()

    def frame(self, step: int) -> Frame:
        """What the network does now."""
        of, unlabeled, m = self.of, pixels(self.seen.images), len(self.seen.images)
        views = small.views(self.net, of.known, torch.cat([unlabeled, pixels(of.test.images)]), unlabeled)
        source, target, logits = views.source, views.target[:m], views.logits[m:]
        matrix = lambda z: covariance(z[:, of.chosen]).numpy()
        accuracy = float(self.q @ small.class_accuracies(logits, of.test.labels))
        pad = proxy_a_distance(source, target, of.seed, SPLITS, SIZE).value
        predicted = small.predicted_shares(logits, of.test.labels, self.q).numpy()
        return Frame(step, matrix(source), matrix(target), accuracy, pad, predicted, float(source.var(0).sum()))
