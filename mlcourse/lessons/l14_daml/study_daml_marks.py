"""What a generator of the DAML study is worth, from pictures that its discriminator did not see."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.domains.two_sample import two_sample
from mlcourse.episode.across import pixels
from mlcourse.evaluate import percent_right
from mlcourse.learners import Translator
from mlcourse.learners.daml import by_generator
from mlcourse.lessons.l14_daml.study_daml_arms import DamlSeed, Ready, redrawn

SPLITS = {"logistic": 5, "cnn": 2}      # of a PAD
PAIRS = 200                             # pictures that are drawn twice


def marks(s: DamlSeed) -> dict:
    """What a generator is worth.

    pad_source, pad_generated, pad_floor by either discriminator: PAD to dev of source pictures, of generated ones and
    of those that the generator's discriminator saw. label_fidelity: how often (%) the judge finds a generated
    picture's label in it, source_fidelity: the label of an untouched source picture; acceptance: how often f does.
    diversity: mean absolute difference of two drawings of one picture. nearest_train, nearest_test: mean distance of
    generated pictures from the nearest of those that the discriminator saw, and of as many of the test half; a
    generator that copies is nearer to the former.
    """
    split, dev, seen = s.setting, s.dev, s.setting.train
    bases = split.source.take(torch.randint(len(split.source.images), (s.budget.judged,), generator=s.generator(2)))
    drawn = redrawn(bases, by_generator(s.translator), s.generator(3))
    found: dict = {}
    for kind, splits in SPLITS.items():
        for name, images in (("source", bases.images), ("generated", drawn.images), ("floor", seen.images)):
            found[f"pad_{name}_{kind}"] = round(two_sample(images, dev.images, kind, s.seed, splits).pad.value, 4)
    judge = Ready(s.judge)
    near = lambda made, known: nearest(made.images, known.images)
    return found | {
        "label_fidelity": percent_right(judge.says(drawn.images), drawn.labels),
        "source_fidelity": percent_right(judge.says(bases.images), bases.labels),
        "acceptance": round(100 * float(s.translator.accepted(pixels(drawn.images), drawn.labels).float().mean()), 2),
        "diversity": diversity(s.translator, pixels(bases.images[:PAIRS]), s.generator(4)),
        "nearest_train": near(drawn, seen), "nearest_test": near(drawn, s.leaked)}


def leak_marks(s: DamlSeed) -> dict:
    """The same distances of the generator whose discriminator saw pictures of the test half."""
    source = s.setting.source
    bases = source.take(torch.randint(len(source.images), (s.budget.judged,), generator=s.generator(2)))
    drawn = redrawn(bases, by_generator(s.leaky), s.generator(3))
    near = lambda known: nearest(drawn.images, known.images)
    return {"nearest_train": near(s.setting.train), "nearest_test": near(s.leaked)}


def diversity(translator: Translator, x: Tensor, generator: torch.Generator) -> float:
    """The mean absolute difference per pixel of two drawings of each picture."""
    first, second = (by_generator(translator)(x, generator) for _ in range(2))
    return round(float((first - second).abs().mean()), 4)


def nearest(images: Tensor, known: Tensor) -> float:
    """The mean Euclidean distance, ink in [0, 1], of pictures (M, 1, S, S) from their nearest neighbour among known."""
    return round(float(torch.cdist(pixels(images).flatten(1), pixels(known).flatten(1)).min(1).values.mean()), 4)
