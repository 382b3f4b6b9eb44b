"""The adversarial weight of lesson 13: align two domains with a weight λ that you choose, and watch what it does."""

from __future__ import annotations

import copy
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch

from mlcourse import small
from mlcourse.domains import Domain
from mlcourse.domains.distances import PAD, proxy_a_distance, proxy_a_floor
from mlcourse.episode.across import DomainSampler, pixels
from mlcourse.learner import Learner
from mlcourse.learners import CORAL, DANN, AdaBN
from mlcourse.lessons.l13_adaptation.scene_adversarial_weight import AdversarialWeightScene
from mlcourse.plots.style import plural
from mlcourse.train import train
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled

METHODS = {"DANN": DANN, "CORAL": CORAL}
WEIGHTS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
DISTANCE = 0.6            # of the label shift, in total variation
DRAWN = 150               # pictures of each domain in the embedding
SPLITS, SIZE = 5, 280     # of PAD
PERIOD = 600              # milliseconds of a snapshot while it plays


class Film(NamedTuple):
    """One training, seen at S snapshots; N classes.

    steps (S,). source_z, target_z (S, DRAWN, 2): the same pictures in the embedding; right (S, DRAWN): which of the
    target's are named right. accuracy (S,): on the target's test half, in the target's proportions. pad: a PAD for each
    snapshot. predicted (S, N): how often each class is predicted there; shares (N,): how often it occurs. floor: the
    target's PAD against itself; unadapted, unadapted_pad: accuracy and PAD with the source's statistics; all three
    before the training. source_labels, target_labels (DRAWN,).
    """

    steps: np.ndarray
    source_z: np.ndarray
    target_z: np.ndarray
    right: np.ndarray
    accuracy: np.ndarray
    pad: list[PAD]
    predicted: np.ndarray
    floor: PAD
    shares: np.ndarray
    unadapted: float
    unadapted_pad: PAD
    source_labels: np.ndarray
    target_labels: np.ndarray


class AdversarialRecord(NamedTuple):
    """One setting: the method, its λ, whether the labels are shifted, the number of the snapshot, and the film."""

    method: str
    weight: float
    shifted: bool
    at: int
    film: Film


class AdversarialWeight(Explorer):
    """Choose DANN or CORAL, its weight λ, and whether the target has other class proportions; play the training.

    base: a trained `small.source_network`; every training goes on from a copy of it. source, train, test: domains
    of 16×16 pictures with the same classes; train is seen without labels, test is for the accuracy alone. frequent: the
    classes that a label shift favours. steps, every: of a training, and between its snapshots.
    A setting that was not seen before is trained in the kernel, which takes a few seconds and shows a bar; a setting
    seen before is redrawn at once. λ = 0 aligns nothing: the training goes on, with the target's norm statistics.

        AdversarialWeight(base, source, *halves(target))
    """

    keeps = True

    def __init__(self, base: AdaBN, source: Domain, train: Domain, test: Domain, *,
                 frequent: tuple[int, ...] = (1, 4, 7), method: str = "DANN", weight: float = 0.3,
                 steps: int = small.STEPS, every: int = small.EVERY, seed: int = 0):
        self.base, self.source, self.test, self.seed = base, source, test, seed
        self.steps, self.every = steps, every
        self.targets = {}
        for shifted in (False, True):
            q = small.proportions(len(source.classes), frequent, DISTANCE if shifted else 0.0)
            self.targets[shifted] = small.drawn(train, q, small.UNLABELED, seed), q
        self.known = small.known(source, seed)
        order = torch.randperm(len(source.images), generator=torch.Generator().manual_seed(seed))
        self.source_labels = source.labels[order[:DRAWN]].numpy()
        self.centre, self.axes = self._embedding()
        self._seen: dict[tuple, Film] = {}
        self.bar = ipywidgets.IntProgress(max=steps, description="training", **CONTROL)
        last = steps // every
        controls = {
            "method": ipywidgets.ToggleButtons(options=list(METHODS), value=method, style={"button_width": "6em"}),
            "weight": ipywidgets.SelectionSlider(options=[(f"{w:g}", w) for w in WEIGHTS], value=weight,
                                                 description="weight λ", **CONTROL),
            "shifted": ipywidgets.Checkbox(value=False, description="label shift", indent=False, layout={"width": "auto"}),
            "at": ipywidgets.IntSlider(value=last, min=0, max=last, description="snapshot", **CONTROL),
        }
        super().__init__(self._scene(), controls, self._arrange(controls))

    def _arrange(self, controls: dict) -> ipywidgets.Widget:
        play = ipywidgets.Play(value=controls["at"].value, max=controls["at"].max, interval=PERIOD, show_repeat=False,
                               tooltip="play the training")
        self.player = ipywidgets.jslink((play, "value"), (controls["at"], "value"))
        return columns([labelled("align by", controls["method"]), controls["weight"],
                        labelled("target's classes", controls["shifted"]), labelled("play", play), controls["at"],
                        self.bar])

    def _embedding(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The first two principal axes of both domains' features before the training; no film moves them."""
        seen = pixels(self.targets[False][0].images)
        both = torch.cat(small.views(self.base.net, self.known, seen, seen)[:2])
        centre = both.mean(0)
        return centre, torch.linalg.svd(both - centre, full_matrices=False).Vh[:2]

    def _scene(self) -> AdversarialWeightScene:
        seen = pixels(self.targets[False][0].images)
        z = self._place(torch.cat(small.views(self.base.net, self.known, seen, seen)[:2]))
        return AdversarialWeightScene(self.source.classes, self.steps, z.min(0), z.max(0))

    def _place(self, features: torch.Tensor) -> np.ndarray:
        return ((features - self.centre) @ self.axes.T).numpy()

    def film(self, method: str, weight: float, shifted: bool) -> Film:
        """Train on from the source network, and look at it every so many steps."""
        seen, q = self.targets[shifted]
        sampler = DomainSampler([self.source], small.SHOT, 1, unlabeled=small.SHOT, target=seen)
        net = copy.deepcopy(self.base.net)
        learner = METHODS[method](net, weight) if weight else AdaBN(net)
        frames = [self._frame(learner, seen, q)]

        def on_step(record: dict) -> None:
            if (record["step"] + 1) % self.every == 0:
                frames.append(self._frame(learner, seen, q))
                self.bar.value = record["step"] + 1

        self.bar.value = 0
        train(learner, learner.phases(sampler, self.steps, tasks=1, lr=small.RATE), seed=self.seed, progress=False,
              on_step=on_step)
        source_z, target_z, right, accuracy, pad, predicted = zip(*frames)
        return Film(np.arange(len(frames)) * self.every, np.stack(source_z), np.stack(target_z), np.stack(right),
                    np.array(accuracy), list(pad), np.stack(predicted), *self._before(shifted))

    def _before(self, shifted: bool) -> tuple:
        """The last fields of `Film`, which no training changes."""
        seen, q = self.targets[shifted]
        view = lambda images, unlabeled: small.views(self.base.net, self.known, pixels(images), unlabeled)
        unadapted = float(q @ small.class_accuracies(view(self.test.images, None).logits, self.test.labels))
        apart = proxy_a_distance(*view(seen.images, None)[:2], self.seed, SPLITS, SIZE)
        floor = proxy_a_floor(view(seen.images, pixels(seen.images)).target, self.seed, SPLITS, SIZE)
        return floor, q.numpy(), unadapted, apart, self.source_labels, seen.labels[self._order(seen)].numpy()

    def _order(self, seen: Domain) -> torch.Tensor:
        return torch.randperm(len(seen.images), generator=torch.Generator().manual_seed(self.seed))[:DRAWN]

    def _frame(self, learner: Learner, seen: Domain, q: torch.Tensor) -> tuple:
        """What one snapshot shows: the fields of `Film`, for one step."""
        unlabeled, order, m = pixels(seen.images), self._order(seen), len(seen.images)
        both = torch.cat([unlabeled, pixels(self.test.images)])
        source, target, logits = small.views(learner.net, self.known, both, unlabeled)
        accuracy = float(q @ small.class_accuracies(logits[m:], self.test.labels))
        return (self._place(source[:DRAWN]), self._place(target[order]),
                (logits[order].argmax(1) == seen.labels[order]).numpy(), accuracy,
                proxy_a_distance(source, target[:m], self.seed, SPLITS, SIZE),
                small.predicted_shares(logits[m:], self.test.labels, q).numpy())

    def compute(self, *, method: str, weight: float, shifted: bool, at: int) -> AdversarialRecord:
        key = (method if weight else "", weight, shifted)
        if key not in self._seen:
            self._seen[key] = self.film(method, weight, shifted)
        return AdversarialRecord(method, weight, shifted, at, self._seen[key])

    def headline(self, record: AdversarialRecord) -> str:
        film, at = record.film, record.at
        now, start = 100 * film.accuracy[at], 100 * film.accuracy[0]
        target = " under label shift" if record.shifted else ""
        if at == 0:
            return (f"Before the training{target}: ≈{now:.0f} % with the target's statistics, "
                    f"PAD ≈{film.pad[0].value:.2f}")
        name = f"{record.method}, λ = {record.weight:g}" if record.weight else "No alignment, λ = 0"
        return (f"{name}, step {film.steps[at]}{target}: accuracy ≈{start:.0f} % (AdaBN) → ≈{now:.0f} %, "
                f"PAD ≈{film.pad[0].value:.2f} → ≈{film.pad[at].value:.2f}")

    def describe(self, record: AdversarialRecord) -> str:
        film, at = record.film, record.at
        pad = film.pad[at]
        tv = lambda shares: np.abs(shares - 1 / len(shares)).sum() / 2
        text = (f"Without adaptation the source network names ≈{100 * film.unadapted:.1f} % of the target's test half "
                f"right. PAD ≈{pad.value:.2f}, 95 % interval ≈[{pad.low:.2f}, {pad.high:.2f}] over "
                f"{plural(SPLITS, 'split')}; its floor lies at ≈{film.floor.value:.2f}. ≈{film.right[at].sum()} of the "
                f"{DRAWN} target pictures shown are named right.")
        if record.shifted:
            text += (f" The target's class proportions lie {tv(film.shares):.1f} from uniform ones (total variation), "
                     f"the predicted ones ≈{tv(film.predicted[at]):.2f}.")
        return text
