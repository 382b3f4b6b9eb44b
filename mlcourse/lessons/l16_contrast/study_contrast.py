"""Contrastive features against random and supervised ones, in and out of domain; temperature, negatives, and retrieval
between pictures and pen strokes.

Every trained arm gets the same budget: as many steps on PICTURES pictures (views, or drawings) each, the same
network and the same training scripts of glyphs, turned by 90° as further classes. Rates, temperature and the strengths
of the views were chosen on the validation scripts with seeds 0 and 1, at 400 steps; the ridge penalty was not tuned;
test scripts and digits chose nothing. The episodes, galleries and probes are the same for all arms and seeds, so that
differences over seeds are paired.

"Chalk" is the second rendering of every drawing: the texture shift, then inverted, both at full severity. Three arms
ask what makes features meet across the two renderings: "ProtoNet, same pairs" has the pairs and another loss; "one
encoder, no pairs across" has the same drawings and the same loss, but each pair on paper or in chalk; what ends in
INVERTED takes the dull remedy and sees chalk with ink and ground exchanged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.datasets import load, load_splits
from mlcourse.datasets.strokes import draw, pictures_and_strokes
from mlcourse.domains import Domain, shift
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.episode.pairs import PairSampler, PictureSampler
from mlcourse.learner import Learner
from mlcourse.learners import FineTune, ProtoNet, SimCLR, SupCon, TwoEncoders
from mlcourse.lessons.l16_contrast.figures import study_picture
from mlcourse.nets import Conv4, StrokeNet
from mlcourse.plots.static import Picture
from mlcourse.probes import embed_all, few_shot, linear_probe, retrieval
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Option, Study
from mlcourse.train import train

KEY = ("part", "arm", "setting", "seed")
PICTURES = 128
TAU, VIEWS = 0.1, 0.75
TEMPERATURES = (0.02, 0.3, 1.0)           # beside TAU, which the features part measures
GROUPS = (2, 8)                           # pictures that are each other's negatives, beside all 64
SEEDS = {"features": 5, "temperature": 3, "negatives": 3, "strokes": 5}
PARTS = tuple(SEEDS)
INVERTED = ", chalk inverted"


@dataclass(frozen=True)
class Budget:
    """steps: of every arm; stroke_steps: of the part "strokes", whose pairs are half as costly. episodes: that
    features are judged on."""

    steps: int = 300
    stroke_steps: int = 800
    episodes: int = 1000


class Data(NamedTuple):
    """The pictures of the study: training scripts with their turns and the same in chalk, validation and test scripts
    likewise, and the UCI digits."""

    train: Domain
    train_chalk: Tensor
    val: Domain
    val_chalk: Tensor
    test: Domain
    test_chalk: Tensor
    digits: Domain


def chalk(images: Tensor) -> Tensor:
    """The second rendering of uint8 images (M, 1, 28, 28): light lines on dark woven cloth."""
    return shift(shift(images, "texture", 1.0), "inversion", 1.0)


@cache
def data() -> Data:
    """Loaded and rendered once."""
    splits = load_splits("glyphs")
    source = splits.train.with_rotations()
    return Data(source, chalk(source.images), splits.val, chalk(splits.val.images), splits.test,
                chalk(splits.test.images), load("digits@unframed"))


def network(seed: int) -> Conv4:
    """The encoder of every arm: strides, 64 filters, 64 features, no statistics of a batch."""
    return Conv4(0, norm="layer", seed=seed)


# ------------------------------------------------------------ the arms

def _trained(learner: Learner, sampler, seed: int, steps: int, tasks: int = 1, lr: float = 4e-3) -> Learner:
    learner.tasks_at_once = None
    train(learner, learner.phases(sampler, steps, tasks=tasks, lr=lr), seed=seed, progress=False)
    return learner.eval()


def simclr(seed: int, steps: int, tau: float = TAU, group: int = PICTURES // 2) -> SimCLR:
    """SimCLR on PICTURES / 2 pictures a step, two views of each, `group` of them each other's negatives."""
    sampler = PictureSampler(data().train, group)
    return _trained(SimCLR(network(seed), tau, views=VIEWS), sampler, seed, steps, PICTURES // 2 // group)


def _episodes(shot: int, query: int) -> EpisodeSampler:
    return EpisodeSampler(data().train, PICTURES // (shot + query), shot, query)


def _pairs() -> PairSampler:
    return PairSampler(data().train.images, data().train_chalk, data().train.labels, PICTURES // 2)


class PairsWithin:
    """Pairs of two drawings in the same rendering: each batch is on paper or in chalk, by the toss of a coin."""

    def __init__(self):
        d = data()
        self.renderings = [PairSampler(images, images, d.train.labels, PICTURES // 2)
                           for images in (d.train.images, d.train_chalk)]

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """As `PairSampler.sample`."""
        return self.renderings[int(torch.randint(2, (), generator=generator))].sample(tasks, generator)


def _met(pairs, seed: int, steps: int, other: str | None = None) -> TwoEncoders:
    return _trained(TwoEncoders(network(seed), other), pairs, seed, steps, lr=2e-3)


ARMS: dict[str, Callable[[int, int], Learner]] = {
    "random": lambda seed, steps: ProtoNet(network(seed)),
    "SimCLR": simclr,
    "SupCon": lambda seed, steps: _trained(SupCon(network(seed), TAU, views=0.5), _episodes(1, 1), seed, steps),
    "two encoders": lambda seed, steps: _met(_pairs(), seed, steps),
    "one encoder, same pairs": lambda seed, steps: _met(_pairs(), seed, steps, "shared"),
    "one encoder, no pairs across": lambda seed, steps: _met(PairsWithin(), seed, steps, "shared"),
    "ProtoNet": lambda seed, steps: _trained(ProtoNet(network(seed)), _episodes(1, 1), seed, steps),
    "ProtoNet, same pairs": lambda seed, steps: _trained(ProtoNet(network(seed)), _pairs(), seed, steps),
    "classifier": lambda seed, steps: _trained(FineTune(network(seed), len(data().train.classes)), _episodes(1, 1),
                                               seed, steps),
}


def sides(learner: Learner) -> tuple[Callable, Callable]:
    """The functions that embed pictures on paper and in chalk: features before any projection head."""
    other = getattr(learner, "twin", None)
    return learner.net.features, (other or learner.net).features


def common_space(learner: Learner) -> tuple[Callable, Callable]:
    """The functions that embed both sides where they meet: the common space of two encoders, else the features."""
    return (learner.embed, learner.embed_other) if isinstance(learner, TwoEncoders) else sides(learner)


def measure_features(paper: Callable, other: Callable, meet: tuple[Callable, Callable], episodes: int) -> dict:
    """Accuracy in [0, 1] of frozen features: 5-way 1-shot (mean over fixed episodes), linear probes, and from paper to
    chalk (support on paper, queries in chalk)."""
    d = data()
    mean = lambda *args, **kwargs: float(few_shot(*args, episodes=episodes, **kwargs).mean())
    test, test_chalk, digits = embed_all(paper, d.test.images), embed_all(other, d.test_chalk), embed_all(
        paper, d.digits.images)
    meeting = embed_all(meet[0], d.test.images), embed_all(meet[1], d.test_chalk)
    forth, back = retrieval(*meeting, d.test.labels)
    return {"val": mean(embed_all(paper, d.val.images), d.val), "test": mean(test, d.test),
            "test_probe": linear_probe(test, d.test.labels, 10), "digits": mean(digits, d.digits),
            "digits_probe": linear_probe(digits, d.digits.labels, 10), "chalk": mean(test_chalk, d.test),
            "chalk_probe": linear_probe(test_chalk, d.test.labels, 10),
            "across": mean(meeting[0], d.test, query_z=meeting[1]), "to_chalk": forth, "to_paper": back}


def features_row(arm: str, seed: int, steps: int, episodes: int) -> dict:
    """Train one arm and measure its features; "pixels" has no parameters. What ends in INVERTED sees chalk inverted."""
    start, name, seconds = time.perf_counter(), arm.removesuffix(INVERTED), 0.0
    if name == "pixels":
        paper = other = lambda x: x
        meet = paper, other
    else:
        learner = ARMS[name](seed, steps)
        seconds = round(time.perf_counter() - start, 1)
        (paper, other), meet = sides(learner), common_space(learner)
    if name != arm:
        other, meet = inverting(other), (meet[0], inverting(meet[1]))
    return {"train_seconds": seconds, **measure_features(paper, other, meet, episodes)}


def inverting(embed: Callable) -> Callable:
    """`embed` of pictures in [0, 1] whose ink and ground are exchanged first."""
    return lambda x: embed(1 - x)


def sweep_row(seed: int, steps: int, episodes: int, **setting) -> dict:
    """SimCLR at another temperature or with fewer negatives: 5-way 1-shot on the validation and the test scripts."""
    start = time.perf_counter()
    learner, d = simclr(seed, steps, **setting), data()
    seconds = round(time.perf_counter() - start, 1)
    val, test = (float(few_shot(embed_all(learner.net.features, domain.images), domain, episodes=episodes).mean())
                 for domain in (d.val, d.test))
    return {"train_seconds": seconds, "val": val, "test": test}


# ------------------------------------------------------------ pictures and pen strokes

stroke_data = cache(pictures_and_strokes)


def image_and_stroke(seed: int, steps: int, same: bool = False) -> TwoEncoders:
    """Two encoders, of a picture and of a pen stroke of the same character, by different hands or (same) one
    drawing."""
    sampler = PairSampler(*stroke_data("train"), PICTURES // 2, same=same)
    return _trained(TwoEncoders(network(seed), StrokeNet(seed=seed).config), sampler, seed, steps, lr=2e-3)


def strokes_row(arm: str, seed: int, steps: int) -> dict:
    """Retrieval at 1 among 100 test characters, both ways, between different hands and within one drawing."""
    start = time.perf_counter()
    images, paths, labels = stroke_data("test")
    if arm == "redrawn, pixels":
        both = lambda x: torch.nn.functional.avg_pool2d(x, 5, 1, 2)
        a, b = embed_all(both, images), embed_all(both, draw(paths))
    else:
        learner = image_and_stroke(seed, 1 if arm == "random" else steps, arm == "pairs of one drawing")
        a, b = embed_all(learner.embed, images), embed_all(learner.embed_other, paths)
    seconds = round(time.perf_counter() - start, 1)
    (to_stroke, to_image), (own_stroke, own_image) = (retrieval(a, b, labels, same=same) for same in (False, True))
    return {"train_seconds": seconds, "to_stroke": to_stroke, "to_image": to_image, "own_stroke": own_stroke,
            "own_image": own_image}


# ------------------------------------------------------------ rows

def prepare(seeds: Sequence[int], part: Sequence[str]) -> SimpleNamespace:
    """The parts, all where none is named. Raises ValueError for an unknown one."""
    if unknown := set(part) - set(PARTS):
        raise ValueError(f"there is no part {sorted(unknown)[0]!r}; the parts are {', '.join(PARTS)}")
    return SimpleNamespace(seeds=seeds, parts=part or PARTS)


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every part, arm, setting and seed."""
    keys = []
    for part in asked.parts:
        for seed in asked.seeds or range(SEEDS[part]):
            settings = {"features": [(arm, 0) for arm in (*ARMS, "ProtoNet" + INVERTED)],
                        "temperature": [("SimCLR", t) for t in TEMPERATURES],
                        "negatives": [("SimCLR", g) for g in GROUPS],
                        "strokes": [(arm, 0) for arm in ("two encoders", "random", "pairs of one drawing")
                                    if seed < 3 or arm != "pairs of one drawing"]}[part]
            keys += [(part, arm, setting, seed) for arm, setting in settings]
        keys += {"features": [(part, "pixels", 0, 0), (part, "pixels" + INVERTED, 0, 0)],
                 "strokes": [(part, "redrawn, pixels", 0, 0)]}.get(part, [])
    return keys


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`."""
    steps, episodes = budget.steps, budget.episodes
    for part, arm, setting, seed in todo:
        measured = {"features": lambda: features_row(arm, seed, steps, episodes),
                    "temperature": lambda: sweep_row(seed, steps, episodes, tau=setting),
                    "negatives": lambda: sweep_row(seed, steps, episodes, group=setting),
                    "strokes": lambda: strokes_row(arm, seed, budget.stroke_steps)}[part]()
        yield {"part": part, "arm": arm, "setting": setting,
               "steps": budget.stroke_steps if part == "strokes" else steps, "episodes": episodes,
               **{name: round(value, 5) for name, value in measured.items()},
               **facts(f"mlcourse study contrast --part {part} --seed {seed}", seed)}


def line(row: dict) -> str:
    """One line of the table."""
    names = ("val", "test", "test_probe", "digits", "digits_probe", "chalk", "across", "to_stroke", "to_image")
    said = "   ".join(f"{name} {100 * row[name]:5.1f}" for name in names if name in row)
    setting = f" {row['setting']:g}" if row["setting"] else ""
    return f"{row['part']:11s} {row['arm'] + setting:26s} seed {row['seed']}   {said}   {row['train_seconds']} s"


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """The features, where they were asked for."""
    return {"": study_picture(found)} if "features" in asked.parts else {}


STUDY = Study(
    "contrast",
    """Lesson 16: contrastive features against random and supervised ones, in and out of domain, on the same budget;
    SimCLR over temperatures and numbers of negatives; retrieval between pictures and pen strokes.

    About 18 minutes on two cores in all, 15 seconds for each trained network.""",
    ("", "--part strokes --seed 0"), KEY, Budget(), plan, rows, line, seeds=0, prepare=prepare, pictures=pictures,
    options=(Option("part", str, rf"{', '.join(PARTS)}; repeat it for several.  \[default: all]", several=True),))
