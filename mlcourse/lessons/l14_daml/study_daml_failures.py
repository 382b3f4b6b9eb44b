"""Ways in which a generator fails, each provoked: one thing about phase 1 is changed, all else stays.

Typeset to handwritten digits as they come, not in one frame, with a Conv4 of layer norm: the ground of the first DAML
study.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.datasets import load
from mlcourse.domains import Domain
from mlcourse.domains.two_sample import DISCRIMINATORS, two_sample
from mlcourse.episode.across import pixels
from mlcourse.evaluate import percent_right
from mlcourse.learner import Learner, NetLearner
from mlcourse.learners import TranslationSampler, Translator
from mlcourse.learners.daml import by_generator
from mlcourse.lessons.l14_daml.study_daml import parts, prepare
from mlcourse.lessons.l14_daml.study_daml_arms import SIDE, Ready, redrawn
from mlcourse.lessons.l14_daml.study_daml_marks import nearest
from mlcourse.nets import Conv4, call
from mlcourse.nets.gan import NOISE
from mlcourse.phases import Phase, cosine_decay
from mlcourse.rows import facts
from mlcourse.small import drawn, proportions, shrunk
from mlcourse.studies.study import Key, Study
from mlcourse.studies.transfer.setting import Setting
from mlcourse.system.machine import one_core
from mlcourse.train import train

KEY = ("variant", "seed")
FEW = 4                         # target pictures of a class, where the target is small
FREQUENT, DISTANCE = (0, 1, 2), 0.5    # classes that a label shift favours, and how far: 80 % of the pictures
VARIANTS = {                    # name → what is changed
    "as it is": {},
    "no feature matching": {"match": 0.0},
    "no label term": {"label": 0.0},
    "frozen classifier": {"frozen": True},
    "no mode seeking": {"seek": 0.0},
    "small target": {"few": True},
    "label shift": {"shift": True},
    "all augmented": {"augmented": 1.0},
}


@dataclass(frozen=True)
class Budget:
    """source: steps of a classifier; steps: of the generator; batch: pictures of a step. width: of the classifier, in
    filters. bases: source pictures that are redrawn; judged: of them. pictures: at most of each class, in source and
    target."""

    source: int = 250
    steps: int = 500
    batch: int = 64
    width: int = 16
    bases: int = 2000
    judged: int = 1000
    pictures: int | None = None


@dataclass
class FailureSeed:
    """What the variants of one seed share. setting: its `train` is what the discriminator sees, without `dev`."""

    setting: Setting
    dev: Domain
    seed: int
    budget: Budget

    def generator(self, purpose: int) -> torch.Generator:
        """A generator of random numbers for one purpose."""
        return torch.Generator().manual_seed(1_000_003 * self.seed + purpose)

    def fit(self, learner: Learner, phases: list[Phase]) -> Learner:
        """Train the learner."""
        train(learner, phases, seed=self.seed, progress=False)
        return learner.eval()

    def classifier(self, domain: Domain) -> nn.Module:
        """A network trained on a domain's labels, the rate annealed to 0 by a cosine."""
        net = Conv4(len(domain.classes), self.budget.width, "max", "layer", SIDE, self.seed)

        def sample(generator: torch.Generator) -> tuple[Tensor, Tensor]:
            rows = torch.randint(len(domain.images), (self.budget.batch,), generator=generator)
            return pixels(domain.images[rows]), domain.labels[rows]

        phase = Phase("classifier", sample, lambda batch, step: F.cross_entropy(net(batch[0]), batch[1]),
                      torch.optim.Adam(net.named_parameters(), lr=2e-3), self.budget.source, cosine_decay)
        self.fit(NetLearner(net), [phase])
        return net

    @cached_property
    def start(self) -> nn.Module:
        """The classifier of the source."""
        return self.classifier(self.setting.source)

    @cached_property
    def bases(self) -> Domain:
        """The source pictures that are redrawn."""
        source = self.setting.source
        return source.take(torch.randint(len(source.images), (self.budget.bases,), generator=self.generator(1)))


@lru_cache(maxsize=1)
def of_seed(seed: int, budget: Budget = Budget()) -> FailureSeed:
    """The source network, the target's parts and the pictures that are redrawn, of one seed; all share one cut."""
    source, target = (shrunk(load(f"{name}@unframed").first(budget.pictures)) for name in ("glyphs-digits", "digits"))
    return FailureSeed(*parts(prepare([source], target, (0, 1)), 0), seed, budget)


def target(s: FailureSeed, few: bool = False, shift: bool = False) -> Domain:
    """What the discriminator sees: the target's training pictures, FEW of each class, or three classes most of all."""
    seen, classes = s.setting.train, len(s.setting.train.classes)
    if few:
        return drawn(seen, torch.full((classes,), 1 / classes, dtype=torch.float64), FEW * classes, s.seed)
    if shift:
        count = int(torch.bincount(seen.labels).min() / proportions(classes, FREQUENT, DISTANCE).max())
        return drawn(seen, proportions(classes, FREQUENT, DISTANCE), count, s.seed)
    return seen


def trained(s: FailureSeed, seen: Domain, steps: int, **settings) -> Translator:
    """Phase 1 with these settings of the translator."""
    learner = Translator(copy.deepcopy(s.start), SIDE, seed=s.seed, **settings)
    sampler = TranslationSampler(s.setting.source.images, s.setting.source.labels, seen.images,
                                 s.budget.batch)
    return s.fit(learner, learner.phases(sampler, steps))


def marks(s: FailureSeed, learner: Translator, seen: Domain, judge: nn.Module, count: int) -> dict:
    """What became of the generator. judge: a classifier of the target alone. count: pictures that are judged.

    fidelity: how often (%) the judge finds the label, and acceptance how often f does; frequent: the share (%) of
    pictures of *other* classes that the judge takes for one of FREQUENT; f_on_target: accuracy (%) of f on dev;
    diversity, pad_logistic, pad_cnn, nearest as in the study, nearest_dev being that of dev; told_seen, told_dev: the
    mean scores of the discriminator for target pictures that it saw and for those of dev.
    """
    bases = s.bases.take(torch.arange(count))
    made = redrawn(bases, by_generator(learner), s.generator(2))
    x, y, dev = pixels(made.images), made.labels, s.dev
    with torch.no_grad():
        said = call(judge, dict(judge.named_parameters()), x).argmax(1)
        scores = [float(learner.discriminator(pixels(d.images)).mean()) for d in (seen, dev)]
    others = y >= len(FREQUENT)
    some = pixels(bases.images[:200])
    first, second = (learner.translated(some, torch.randn(len(some), NOISE, generator=s.generator(purpose)))
                     for purpose in (4, 6))
    pads = {f"pad_{kind}": round(two_sample(made.images[:600], dev.images, kind, s.seed, 2).pad.value, 4)
            for kind in DISCRIMINATORS}
    share = lambda hit: round(100 * float(hit.float().mean()), 2)
    return {"fidelity": share(said == y), "acceptance": share(learner.accepted(x, y)),
            "frequent": share(said[others] < len(FREQUENT)),
            "diversity": round(float((first - second).abs().mean()), 4),
            "f_on_target": percent_right(Ready(learner.net).says(dev.images), dev.labels), **pads,
            "nearest": nearest(made.images, seen.images), "nearest_dev": nearest(dev.images, seen.images),
            "told_seen": round(scores[0], 4), "told_dev": round(scores[1], 4)}


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every variant and seed."""
    return [(name, seed) for seed in asked.seeds for name in VARIANTS]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`, on one core."""
    with one_core():
        for seed in dict.fromkeys(seed for _, seed in todo):
            s = of_seed(seed, budget)
            judge = s.classifier(s.setting.train)
            for name in (name for name, each in todo if each == seed):
                settings = dict(VARIANTS[name])
                seen = target(s, settings.pop("few", False), settings.pop("shift", False))
                learner = trained(s, seen, budget.steps, **settings)
                yield {"variant": name, **marks(s, learner, seen, judge, budget.judged), "seen": len(seen.images),
                       **facts(f"mlcourse study daml-failures --seed {seed}", seed)}


def line(row: dict) -> str:
    """One line of the table."""
    return (f"{row['variant']:19s} seed {row['seed']}   fidelity {row['fidelity']:5.1f} %   f on target "
            f"{row['f_on_target']:5.1f} %   PAD {row['pad_logistic']:.2f} {row['pad_cnn']:.2f}   diversity "
            f"{row['diversity']:.3f}   taken for frequent {row['frequent']:4.1f} %   nearest {row['nearest']:.2f} "
            f"(dev {row['nearest_dev']:.2f})   D {row['told_seen']:+.2f} (dev {row['told_dev']:+.2f})")


STUDY = Study(
    "daml-failures",
    """Lesson 14: ways in which a generator fails, each provoked: no feature matching, no label term, a frozen
    classifier, no mode seeking, 40 target pictures, a target in which three classes prevail, every picture augmented.

    Typeset to handwritten digits at 16×16; about ten minutes for each seed on one core.""",
    ("", "--seed 0"), KEY, Budget(), plan, rows, line, seeds=3)
