"""What a generator of the DAML study is worth, from pictures that its discriminator did not see."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.domains.two_sample import DISCRIMINATORS, two_sample
from mlcourse.episode.across import pixels
from mlcourse.evaluate import percent_right
from mlcourse.lessons.l14_daml.study_daml_arms import DamlSeed, Ready, noise_pair


def marks(s: DamlSeed) -> dict:
    """What a generator is worth, from pictures that its discriminator did not see (dev), and memorisation from the test
    half.

    pad_source, pad_generated, pad_floor with _low, _high and p, for either discriminator: PAD of source and dev, of
    generated pictures and dev, of the discriminator's pictures and dev. acceptance: the share (%) of generated pictures
    that f recognises, by class in acceptance_by_class. train_on_generated: the accuracy (%) on dev of a classifier of
    generated pictures alone (GAN-train); label_fidelity: how often (%) a classifier of the target alone finds a
    generated picture's label in it (GAN-test; Shmelkov et al., How good is my GAN?, ECCV 2018). diversity: mean
    absolute difference of two drawings of one picture. nearest_generated, nearest_test: mean distance of generated and
    of test pictures from the nearest picture that the discriminator saw; a generator that copies is nearer than the
    test half.
    """
    split, dev, seen = s.setting, s.dev, s.setting.train
    drawn, accepted = s.generated
    kept = s.kept
    sets = {"source": split.source.images, "generated": kept.images, "floor": seen.images}
    found: dict = {}
    for kind in DISCRIMINATORS:
        for name, images in sets.items():
            test = two_sample(some(images, s), dev.images, kind, s.seed)
            found |= {f"pad_{name}_{kind}": round(test.pad.value, 4), f"pad_{name}_{kind}_low": round(test.pad.low, 4),
                      f"pad_{name}_{kind}_high": round(test.pad.high, 4), f"p_{name}_{kind}": round(test.p, 4)}
    alone, oracle = (Ready(s.classifier(s.untrained, d.images, d.labels), None) for d in (kept, seen))
    right = oracle.says(drawn.images).argmax(1) == drawn.labels
    by_class = lambda hit: [round(100 * float(hit[drawn.labels == c].float().mean()), 1)
                            for c in range(len(seen.classes))]
    first, second = noise_pair(s)
    return found | {
        "acceptance": round(100 * float(accepted.float().mean()), 2), "acceptance_by_class": by_class(accepted),
        "label_fidelity": round(100 * float(right.float().mean()), 2), "label_fidelity_by_class": by_class(right),
        "train_on_generated": percent_right(alone.says(dev.images), dev.labels),
        "diversity": round(float((first - second).abs().mean()), 4),
        "nearest_generated": nearest(kept.images, seen.images), "nearest_test": nearest(split.test.images, seen.images)}


def some(images: Tensor, s: DamlSeed) -> Tensor:
    """At most 600 pictures, drawn at random."""
    return images[torch.randperm(len(images), generator=s.generator(5))[:600]]


def nearest(images: Tensor, known: Tensor) -> float:
    """The mean Euclidean distance, ink in [0, 1], of pictures (M, 1, S, S) from their nearest neighbour among known."""
    return round(float(torch.cdist(pixels(images).flatten(1), pixels(known).flatten(1)).min(1).values.mean()), 4)
