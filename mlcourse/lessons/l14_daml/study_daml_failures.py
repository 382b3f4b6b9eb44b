"""Ways in which a generator fails, each provoked: one thing about phase 1 is changed, all else stays.

Typeset to handwritten digits, as in the DAML study, with STEPS steps of the generator.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import nn

from mlcourse.datasets import load
from mlcourse.domains import Domain
from mlcourse.domains.two_sample import DISCRIMINATORS, two_sample
from mlcourse.episode.across import pixels
from mlcourse.evaluate import percent_right
from mlcourse.learners import TranslationSampler, Translator
from mlcourse.learners.daml import by_generator
from mlcourse.lessons.l14_daml.study_daml import nearest, prepare
from mlcourse.lessons.l14_daml.study_daml_arms import BATCH, SIDE, DamlSeed, Ready, redrawn
from mlcourse.nets import call
from mlcourse.nets.gan import NOISE
from mlcourse.rows import facts
from mlcourse.small import drawn, proportions

KEY = ("variant", "seed")
SEEDS, STEPS, COUNT = 3, 500, 1000
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
def of_seed(seed: int) -> DamlSeed:
    """The source network, the target's parts and the pictures that are redrawn, of one seed."""
    return DamlSeed(*prepare([load("glyphs-digits")], load("digits"), (0, 1)), seed)


def target(s: DamlSeed, few: bool = False, shift: bool = False) -> Domain:
    """What the discriminator sees: the target's training pictures, FEW of each class, or three classes most of all."""
    seen, classes = s.setting.train, len(s.setting.train.classes)
    if few:
        return drawn(seen, torch.full((classes,), 1 / classes, dtype=torch.float64), FEW * classes, s.seed)
    if shift:
        count = int(torch.bincount(seen.labels).min() / proportions(classes, FREQUENT, DISTANCE).max())
        return drawn(seen, proportions(classes, FREQUENT, DISTANCE), count, s.seed)
    return seen


def trained(s: DamlSeed, seen: Domain, **settings) -> Translator:
    """Phase 1 with these settings of the translator."""
    learner = Translator(copy.deepcopy(s.start), SIDE, seed=s.seed, **settings)
    sampler = TranslationSampler(s.setting.source.images, s.setting.source.labels, seen.images, BATCH)
    return s.fit(learner, learner.phases(sampler, STEPS))


def marks(s: DamlSeed, learner: Translator, seen: Domain, judge: nn.Module) -> dict:
    """What became of the generator. judge: a classifier of the target alone.

    fidelity: how often (%) the judge finds the label, and acceptance how often f does; frequent: the share (%) of
    pictures of *other* classes that the judge takes for one of FREQUENT; f_on_target: accuracy (%) of f on dev;
    diversity, pad_logistic, pad_cnn, nearest as in the study, nearest_dev being that of dev; told_seen, told_dev: the
    mean scores of the discriminator for target pictures that it saw and for those of dev.
    """
    bases = s.bases.take(torch.arange(COUNT))
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
            "f_on_target": percent_right(Ready(learner.net, None).says(dev.images), dev.labels), **pads,
            "nearest": nearest(made.images, seen.images), "nearest_dev": nearest(dev.images, seen.images),
            "told_seen": round(scores[0], 4), "told_dev": round(scores[1], 4)}


def rows(seeds: list[int], done: set[tuple] = frozenset()) -> Iterator[dict]:
    """A row for every variant and seed that is not done."""
    for seed in seeds:
        if all((name, seed) in done for name in VARIANTS):
            continue
        s = of_seed(seed)
        judge = s.classifier(s.untrained, s.setting.train.images, s.setting.train.labels)
        for name, changed in VARIANTS.items():
            if (name, seed) not in done:
                settings = dict(changed)
                seen = target(s, settings.pop("few", False), settings.pop("shift", False))
                yield {"variant": name, **marks(s, trained(s, seen, **settings), seen, judge), "seen": len(seen.images),
                       **facts(f"mlcourse study daml-failures --seed {seed}", seed)}


def line(row: dict) -> str:
    """One line of the table."""
    return (f"{row['variant']:19s} seed {row['seed']}   fidelity {row['fidelity']:5.1f} %   f on target "
            f"{row['f_on_target']:5.1f} %   PAD {row['pad_logistic']:.2f} {row['pad_cnn']:.2f}   diversity "
            f"{row['diversity']:.3f}   taken for frequent {row['frequent']:4.1f} %   nearest {row['nearest']:.2f} "
            f"(dev {row['nearest_dev']:.2f})   D {row['told_seen']:+.2f} (dev {row['told_dev']:+.2f})")
