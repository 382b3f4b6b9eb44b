"""Label shift: what BBSE makes of it, and what it does where looks shift, too.

Two grounds. *One domain*: faint, noisy typeset digits, other ones of the same kind as the target, so that class shares
are all that shifts. *Typeset → handwritten*: the pair and the rules of `mlcourse study transfer`, with half its
filters, at most 500 steps on the source and 200 of alignment. On both, three classes, other ones for every seed, take a
growing share of the target. Every arm sees 280 unlabelled pictures of it, and is judged on its test half in the
target's own shares. BBSE (`bbse`) is given no label of the target; "true shares" has the shares, which nobody has, to
tell what a perfect estimate would be worth.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse import datasets, small
from mlcourse.datasets import Form
from mlcourse.domains import Domain, shift_domain
from mlcourse.episode.across import halves, pixels
from mlcourse.learner import Adapted
from mlcourse.learners import CORAL
from mlcourse.lessons.l13_adaptation import bbse
from mlcourse.lessons.l13_adaptation.figures import label_shift
from mlcourse.losses.alignment import information
from mlcourse.nets import LeNet, call, statistics
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Study
from mlcourse.studies.transfer.arms import ALIGN_RATE, ARMS, in_blocks
from mlcourse.studies.transfer.seed import Budget as Training, Seed
from mlcourse.studies.transfer.setting import Setting
from mlcourse.studies.transfer.setting import setting as matched
from mlcourse.studies.transfer.source import parted
from mlcourse.studies.transfer.transfer import distances

KEY = ("ground", "arm", "distance", "seed")
WITHIN, ACROSS = "one domain", "typeset → handwritten"
PLAIN, ADABN, ALIGNED, MOVED = "no adaptation", "AdaBN", "CORAL", "SHOT"
BBSE, TRUE = ", BBSE", ", true shares"
FAINT = (("contrast", 0.5), ("noise", 1.0))      # makes the one domain: three in four of its digits are told
LEAST = 1e-9                                     # weight, so that its logarithm is finite
WEIGHT = 1.0                                     # of CORAL, which study transfer chose on this pair without a label


@dataclass(frozen=True)
class Budget:
    """distances: total variation between the target's class shares and uniform ones. training: of all networks, by the
    rules of study transfer. pictures: at most of each class. unlabeled: pictures of the target that the arms see."""

    distances: tuple[float, ...] = (0.0, 0.3, 0.6)
    training: Training = Training(width=10, source=500, align=200)
    pictures: int | None = None
    unlabeled: int = small.UNLABELED


class Ground(NamedTuple):
    """One seed on one ground: its networks, its source and the halves of its target (all in a `Seed` of study
    transfer), and the classes that a shift favours."""

    name: str
    networks: Seed
    frequent: list[int]


def grounds(seed: int, budget: Budget) -> dict[str, Callable[[], Ground]]:
    """What makes each ground of a seed."""
    load = lambda name: datasets.load(name, None, Form(small.SIDE)).first(budget.pictures)
    source = load("glyphs-digits")
    frequent = torch.randperm(len(source.classes),
                              generator=torch.Generator().manual_seed(seed))[:small.FREQUENT].tolist()
    made = lambda name, setting: Ground(name, Seed(setting, seed, {ALIGNED: WEIGHT}, budget.training), frequent)
    return {WITHIN: lambda: made(WITHIN, one_domain(source, seed)),
            ACROSS: lambda: made(ACROSS, matched([source], load("digits"), (0,)).of_seed(seed))}


def faint(digits: Domain, noise: int = 0) -> Domain:
    """Digits as faint, noisy print, under one draw of the noise."""
    for kind, severity in FAINT:
        digits = shift_domain(digits, kind, severity, noise)
    return digits


def one_domain(digits: Domain, seed: int) -> Setting:
    """A source, and a target with other pictures of the same domain: faint, noisy print."""
    source, rest = halves(faint(digits), seed=seed)
    return Setting((source,), *halves(rest, seed=seed), (0,), True)


class At(NamedTuple):
    """A ground at one label distance: its networks with the target's unlabelled pictures as the ones to adapt to, the
    target's true class shares q (N,), and the source's p (N,)."""

    networks: Seed
    q: Tensor
    p: Tensor


def shifted(g: Ground, distance: float, unlabeled: int) -> At:
    """A ground with the target's class shares at a distance from uniform ones."""
    s = g.networks
    ways = len(s.setting.source.classes)
    q = small.proportions(ways, g.frequent, distance)
    seen = small.drawn(s.setting.train, q, unlabeled, s.seed)
    at = Seed(replace(s.setting, train=seen), s.seed, s.weights, s.budget)
    at.plain = s.plain
    if g.name == ACROSS:
        at.base = s.base
    return At(at, q, bbse.shares(s.setting.source.labels, ways))


class Classifier(NamedTuple):
    """A network in a state, and the weights (N,) that its predictions are multiplied by, as under other class
    shares."""

    net: LeNet
    state: Adapted
    weights: Tensor | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """Logits (M, N) of pictures (M, 1, S, S)."""
        logits = in_blocks(lambda part: call(self.net, self.state.params, part[None], self.state.stats)[0], x)
        return logits if self.weights is None else logits + self.weights.clamp(min=LEAST).log().to(logits)


def unweighted(at: At, name: str) -> Classifier:
    """An arm of study transfer on this target."""
    arm = next(arm for arm in ARMS if arm.name == name)
    return Classifier(arm.net(at.networks), arm.ready(at.networks))


def estimated(at: At, name: str) -> Tensor:
    """BBSE's weights (N,) for "no adaptation" or AdaBN: R from the tenth of the source that was held back, under the
    source's own statistics; r from the unlabelled pictures of the target."""
    s, ways = at.networks, len(at.q)
    held, rest = parted(s.setting.source, s.seed)
    c = unweighted(at, name)
    with torch.no_grad():
        own = statistics(c.net, c.state.params, pixels(s.setting.known(rest, s.seed).images)[None])
    at_home = Classifier(c.net, Adapted(c.state.params, own))
    said = lambda classifier, x: classifier(x).argmax(1)
    return bbse.label_weights(bbse.confusion(said(at_home, pixels(held.images)), held.labels, ways),
                              bbse.shares(said(c, pixels(s.setting.train.images)), ways))


def reweighted(at: At, name: str, weights: Tensor) -> Classifier:
    """An arm that trains nothing, its predictions multiplied by weights."""
    return unweighted(at, name)._replace(weights=weights)


def realigned(at: At, q: Tensor) -> Classifier:
    """CORAL that draws the source in class shares q (N,)."""
    s = at.networks
    learner = CORAL(s.copied(), s.weights[ALIGNED])
    sampler = bbse.InShares(s.setting.source, s.setting.train, q, s.setting.shot * len(q))
    s.fit(learner, learner.phases(sampler, s.budget.align, tasks=2, lr=ALIGN_RATE), s.informative)
    with torch.no_grad():
        return Classifier(learner.net, learner.adapt(s.episode))


def classifiers(ground: str, at: At) -> dict[str, Callable[[], Classifier]]:
    """What makes the classifier of each arm."""
    still = [PLAIN] if ground == WITHIN else [PLAIN, ADABN]
    made = {}
    for name in still:
        made[name] = lambda name=name: unweighted(at, name)
        made[name + BBSE] = lambda name=name: reweighted(at, name, estimated(at, name))
        made[name + TRUE] = lambda name=name: reweighted(at, name, at.q / at.p)
    if ground == ACROSS:
        made[ALIGNED] = lambda: unweighted(at, ALIGNED)
        made[ALIGNED + BBSE] = lambda: realigned(at, estimated(at, ADABN) * at.p)
        made[ALIGNED + TRUE] = lambda: realigned(at, at.q)
        made[MOVED] = lambda: unweighted(at, MOVED)
    return made


def measured(at: At, c: Classifier) -> dict[str, float]:
    """Accuracy (%) on the target's test half in its own shares, and with every class worth the same; how informative
    the predictions on the unlabelled pictures are (nats); and the distances (total variation) of the predicted shares
    from uniform ones and of the shares that the weights imply from the true ones."""
    s = at.networks
    test = s.setting.test
    logits = c(pixels(test.images))
    by_class = small.class_accuracies(logits, test.labels)
    apart = lambda a, b: float((a - b).abs().sum() / 2)
    values = {"accuracy": 100 * float(at.q @ by_class), "balanced": 100 * float(by_class.mean()),
              "information": float(information(c(s.episode.unlabeled_x[0]))),
              "predicted": apart(small.predicted_shares(logits, test.labels, at.q), at.p)}
    if c.weights is not None:
        values["missed"] = apart(c.weights * at.p, at.q)
    else:
        values |= distances(s, SimpleNamespace(net=lambda _: c.net), c.state)
    return {name: round(value, 4) for name, value in values.items()}


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every ground, arm, distance and seed. Where the shares are uniform, the true ones weight nothing."""
    names = {WITHIN: (PLAIN, PLAIN + BBSE, PLAIN + TRUE),
             ACROSS: (PLAIN, PLAIN + BBSE, PLAIN + TRUE, ADABN, ADABN + BBSE, ADABN + TRUE, ALIGNED, ALIGNED + BBSE,
                      ALIGNED + TRUE, MOVED)}
    return [(ground, arm, distance, seed) for seed in asked.seeds for ground, arms in names.items()
            for distance in budget.distances for arm in arms if distance or not arm.endswith(TRUE)]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`."""
    for ground, seed in dict.fromkeys((ground, seed) for ground, _, _, seed in todo):
        g = grounds(seed, budget)[ground]()
        for distance in budget.distances:
            if wanted := [arm for name, arm, d, n in todo if (name, d, n) == (ground, distance, seed)]:
                at = shifted(g, distance, budget.unlabeled)
                made = classifiers(ground, at)
                for arm in wanted:
                    start = time.perf_counter()
                    values = measured(at, made[arm]())
                    yield {"ground": ground, "arm": arm, "distance": distance, **values, "frequent": g.frequent,
                           "seconds": round(time.perf_counter() - start, 1),
                           **facts(f"mlcourse study label-shift --seed {seed}", seed)}


def line(row: dict) -> str:
    """One line of the table."""
    missed = f"   shares missed by {row['missed']:.2f}" if "missed" in row else ""
    return (f"{row['ground']}   label distance {row['distance']:.1f}   seed {row['seed']}   {row['arm']:26s} "
            f"accuracy {row['accuracy']:5.1f} %   balanced {row['balanced']:5.1f} %{missed}")


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """Accuracy against the distance of the labels, on both grounds."""
    return {"": label_shift(found)}


STUDY = Study(
    "label-shift",
    """Lesson 13: label shift and BBSE. Within one domain, and from typeset to handwritten digits, the target's
    class shares further and further from the source's: no adaptation, AdaBN, CORAL and SHOT, and BBSE on top.

    The rules of study transfer at 16×16 with smaller networks; about a minute for each seed on one core.""",
    ("", "--seed 0"), KEY, Budget(), plan, rows, line, pictures=pictures)
