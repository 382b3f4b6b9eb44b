"""DAML-style augmentation against its controls: eleven arms from a labelled source to a target, at k labels per class.

Accuracies are those of the target's test half, which nothing else sees; the generator's own marks are taken on a third
of the training half, `dev`, which the discriminator does not see either. The rate and the number of steps with which
arms adapt to labels are chosen on a stand-in for the target: a style of the source that was left out, turned. No label
of the target enters before the k.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from mlcourse.domains import Domain, shift_domain
from mlcourse.domains.names import quoted
from mlcourse.domains.two_sample import DISCRIMINATORS, two_sample
from mlcourse.episode.across import pixels
from mlcourse.evaluate import percent_right
from mlcourse.learners.translator import among
from mlcourse.lessons.l14_daml import study_daml_arms as daml_arms
from mlcourse.lessons.l14_daml.study_daml_arms import ARMS, DamlSeed, Ready, adapted, noise_pair, tuned
from mlcourse.rows import facts
from mlcourse.small import shrunk
from mlcourse.studies.transfer.setting import Setting, setting as matched

KEY = ("source", "target", "arm", "k", "seed")
KS = (0, 1, 3, 5, 10)
DRAWS = 20          # of k labelled pictures, averaged within a seed
PILOT = 1000        # the seed of the networks that choose
PILOT_K = 5
STAND_IN = ("rotation", 0.6)
GENERATOR, CHOICE = "generator", "choice"
DEV = 3             # one in DEV pictures of the target's training half is kept from the discriminator


def apart(source: Domain, target: Domain) -> tuple[Domain, Domain]:
    """Source and target as they are; where the target is a shift of the source itself, half the pictures of each, so
    that no picture is behind both."""
    if not target.name.startswith(f"{source.name}@"):
        return source, target
    order = torch.randperm(len(source.images), generator=torch.Generator().manual_seed(0))
    half = len(order) // 2
    return source.take(order[:half]), target.take(order[half:])


def prepare(sources: Sequence[Domain], target: Domain, ks: Sequence[int]) -> tuple[Setting, Domain]:
    """The study's setting at 16×16, its `train` what the discriminator sees, without copies of dev and test pictures,
    and `dev`.

    Raises ValueError where no class is shared, where a single source cannot be split by style, and as `setting`.
    """
    if len(sources) == 1:
        source, target = apart(sources[0], target)
        sources = [source]
    whole = matched([shrunk(source) for source in sources], shrunk(target), ks)
    if not whole.shared:
        raise ValueError(f"no class of {whole.source.name} ({quoted(whole.source.classes)}) is a class of {target.name} "
                         f"({quoted(target.classes)}), so that no generated picture would have a label; name the classes "
                         "alike in both")
    place = torch.cat([torch.arange(int(count)) for count in torch.bincount(whole.train.labels)])   # sorted by class
    seen, dev = (whole.train.take(torch.nonzero(kept)[:, 0]) for kept in (place % DEV > 0, place % DEV == 0))
    seen = seen.take(torch.nonzero(~among(seen.images, torch.cat([dev.images, whole.test.images])))[:, 0])
    split = replace(whole, train=replace(seen, name=whole.train.name))
    few = int(torch.bincount(seen.labels, minlength=len(seen.classes)).min())
    if few < max(ks):
        raise ValueError(f"k = {max(ks)} labels per class are asked for, but of one class there are {few} pictures to "
                         "take them from; lower k, or add images")
    split.several()
    return split, dev


def rows(split: Setting, dev: Domain, arms: Sequence[str], seeds: Sequence[int], kept: Sequence[dict], command: str,
         progress: Callable[[int], None] = lambda steps: None,
         sheet: Callable[[DamlSeed], None] = lambda s: None) -> Iterator[list[dict]]:
    """The rows of one arm and seed after another; those in `kept` are not measured again.

    A row of an arm has its accuracy (%) on the test half at k labels per class, the mean over DRAWS draws of them, and
    at k = 0 also that on dev. The row "generator" of a seed has the marks of its generator (`marks`); sheet: called
    with each seed whose generator has just been measured. Raises ValueError where `kept` has rows of the same names on
    other pictures.
    """
    common = {"source": split.source.name, "target": split.train.name.removesuffix("/train"),
              "data": split.fingerprint()}
    mine = [row for row in kept if all(row[name] == common[name] for name in ("source", "target"))]
    if any(row["data"] != common["data"] for row in mine):
        raise ValueError(f"the file holds rows of {common['source']} and {common['target']} that were made with other "
                         "pictures or labels under these names; write to another file, or remove it")
    there = {(row["arm"], row["k"], row["seed"]) for row in mine}
    tick = lambda record: progress(1)
    made = lambda arm, k, values, seed: {**common, "arm": arm, "k": k, **values, **facts(command, seed)}
    chosen = next((row for row in mine if row["arm"] == CHOICE), None)
    if chosen is None:
        chosen = made(CHOICE, 0, choose(split, dev, tick), PILOT)
        yield [chosen]
    for seed in seeds:
        s = DamlSeed(split, dev, seed, tick)
        if (GENERATOR, 0, seed) not in there:
            yield [made(GENERATOR, 0, marks(s), seed)]
            sheet(s)
        for arm in arms:
            if missing := [k for k in split.ks if (arm, k, seed) not in there]:
                ready = ARMS[arm](s, chosen["rate"], chosen["steps"])
                yield [made(arm, k, values, seed) for k, values in measured(s, ready, arm, missing)]


def measured(s: DamlSeed, ready: Ready, arm: str, ks: Sequence[int]) -> Iterator[tuple[int, dict]]:
    """(k, values) of an arm. The oracle takes no k labels: it has them all."""
    test = s.setting.test
    untouched = percent_right(ready.says(test.images), test.labels)
    for k in ks:
        if k == 0 or arm == "target oracle":
            yield k, {"accuracy": untouched, "dev": percent_right(ready.says(s.dev.images), s.dev.labels), "draws": 0}
            continue
        adapted_to = lambda draw: ready.says(test.images, ready.adapt(*s.setting.labelled(k, s.seed, draw)))
        scores = [percent_right(adapted_to(draw), test.labels) for draw in range(DRAWS)]
        yield k, {"accuracy": round(sum(scores) / DRAWS, 3), "draws": DRAWS}


def choose(split: Setting, dev: Domain, tick: Callable[[dict], None]) -> dict:
    """The rate of fine-tuning, and the number of steps at learnt rates, that serve best on the stand-in: PILOT_K labels
    per class of it are given, and the accuracy (%) on all of its pictures is taken."""
    *sources, left_out = split.several()
    if len(sources) < 2:
        sources = [*sources, left_out]
    left_out = shift_domain(left_out, *STAND_IN)
    s = DamlSeed(replace(split, sources=tuple(sources), train=left_out, test=left_out), dev, PILOT, tick)

    def score(ready: Ready) -> float:
        mean = 0.0
        for draw in range(5):
            params = ready.adapt(*s.setting.labelled(PILOT_K, PILOT, draw))
            mean += percent_right(ready.says(left_out.images, params), left_out.labels) / 5
        return round(mean, 3)

    by_rate = {rate: score(tuned(s.source_only, rate)) for rate in daml_arms.RATES}
    by_steps = {steps: score(adapted(s.meta_real, steps)) for steps in daml_arms.STEPS}
    return {"rate": max(by_rate, key=by_rate.get), "steps": max(by_steps, key=by_steps.get),
            "by_rate": {f"{rate:g}": score for rate, score in by_rate.items()},
            "by_steps": {str(steps): score for steps, score in by_steps.items()}}


# ------------------------------------------------------------ the generator's marks


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


# ------------------------------------------------------------ reading the rows


def steps(seeds: Sequence[int]) -> int:
    """About how many steps of training a study of these seeds takes, for the progress bar."""
    a = daml_arms
    classifiers = 1 + 2 + 4 + 1                                     # start, marks, the four additions, oracle
    return len(seeds) * (a.GENERATOR_STEPS + classifiers * a.SOURCE_STEPS + 5 * a.META_STEPS)


def of(found: Sequence[dict], source: str, target: str) -> list[dict]:
    """The rows of one pair."""
    return [row for row in found if (row["source"], row["target"]) == (source, target)]
