"""Ways in which a generator fails, each provoked: one thing about phase 1 is changed, all else is as in the DAML
study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from types import SimpleNamespace

import torch

from mlcourse import datasets
from mlcourse.datasets import Form
from mlcourse.domains import Domain
from mlcourse.domains.two_sample import two_sample
from mlcourse.episode.across import pixels
from mlcourse.evaluate import percent_right
from mlcourse.learners import Translator
from mlcourse.learners.daml import by_generator
from mlcourse.lessons.l14_daml.study_daml import KS, parts, prepare
from mlcourse.lessons.l14_daml.study_daml_arms import SIDE, Budget, DamlSeed, Ready, redrawn
from mlcourse.lessons.l14_daml.study_daml_marks import PAIRS, SPLITS, diversity, nearest
from mlcourse.rows import facts
from mlcourse.small import drawn, proportions
from mlcourse.studies.study import Key, Study
from mlcourse.system.machine import one_core

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


@lru_cache(maxsize=1)
def of_seed(seed: int, budget: Budget = Budget()) -> DamlSeed:
    """What the variants of one seed share, typeset → UCI digits cut as in the DAML study."""
    source, target = (datasets.load(name, None, Form(SIDE)) for name in ("glyphs-digits", "digits"))
    return DamlSeed(*parts(prepare([source], target, KS), seed), seed, budget=budget)


def target(s: DamlSeed, few: bool = False, shift: bool = False) -> Domain:
    """What the discriminator sees: the target's training pictures, FEW of each class, or three classes most of all."""
    seen, classes = s.setting.train, len(s.setting.train.classes)
    if few:
        return drawn(seen, torch.full((classes,), 1 / classes, dtype=torch.float64), FEW * classes, s.seed)
    if shift:
        count = int(torch.bincount(seen.labels).min() / proportions(classes, FREQUENT, DISTANCE).max())
        return drawn(seen, proportions(classes, FREQUENT, DISTANCE), count, s.seed)
    return seen


def marks(s: DamlSeed, learner: Translator, seen: Domain) -> dict:
    """What became of a generator whose discriminator saw `seen`.

    fidelity: how often (%) the judge, a classifier of the target's labels, finds the label, and acceptance how often f
    does; frequent: the share (%) of pictures of *other* classes that the judge takes for one of FREQUENT; f_on_target:
    accuracy (%) of f on the test half; diversity, pad_logistic, pad_cnn and nearest as in the study, nearest_dev being
    that of dev; told_seen, told_dev: the mean scores of the discriminator for target pictures that it saw and for those
    of dev.
    """
    source, dev, test = s.setting.source, s.dev, s.setting.test
    bases = source.take(torch.randint(len(source.images), (s.budget.judged,), generator=s.generator(2)))
    made = redrawn(bases, by_generator(learner), s.generator(3))
    said, y = Ready(s.judge).says(made.images).argmax(1), made.labels
    with torch.no_grad():
        told = [round(float(learner.discriminator(pixels(d.images)).mean()), 4) for d in (seen, dev)]
    pads = {f"pad_{kind}": round(two_sample(made.images, dev.images, kind, s.seed, splits).pad.value, 4)
            for kind, splits in SPLITS.items()}
    share = lambda hit: round(100 * float(hit.float().mean()), 2)
    return {"fidelity": share(said == y), "acceptance": share(learner.accepted(pixels(made.images), y)),
            "frequent": share(said[y >= len(FREQUENT)] < len(FREQUENT)),
            "diversity": diversity(learner, pixels(bases.images[:PAIRS]), s.generator(4)),
            "f_on_target": percent_right(Ready(learner.net).says(test.images), test.labels), **pads,
            "nearest": nearest(made.images, seen.images), "nearest_dev": nearest(dev.images, seen.images),
            "told_seen": told[0], "told_dev": told[1]}


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every variant and seed."""
    return [(name, seed) for seed in asked.seeds for name in VARIANTS]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`, on one core."""
    with one_core():
        for seed in dict.fromkeys(seed for _, seed in todo):
            s = of_seed(seed, budget)
            for name in (name for name, each in todo if each == seed):
                settings = dict(VARIANTS[name])
                seen = target(s, settings.pop("few", False), settings.pop("shift", False))
                yield {"variant": name, **marks(s, s.translated(seen, **settings), seen), "seen": len(seen.images),
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

    Typeset to handwritten digits at 16×16; about eight minutes for each seed on one core.""",
    ("", "--seed 0"), KEY, Budget(), plan, rows, line)
