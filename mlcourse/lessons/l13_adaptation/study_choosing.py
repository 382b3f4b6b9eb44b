"""Which rule without a label of the target may choose a weight and a step: tried on pairs that no lesson reports.

CORAL, DANN and self-training go on from a network with batch norm as in `mlcourse study transfer`, 400 steps at each of
their weights, and every 25 steps four numbers are noted: three that need no label of the target, and its accuracy. A
rule then names a weight and a step; what it costs is what the best step of the best weight has more.

Blurred typeset digits were to be a third pair, and leave nothing to choose: there AdaBN alone has 100 % (seed 0).
Written down before anything was measured: information stays the rule of the transfer study unless another rule costs
less by a paired interval that leaves out 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

import torch

from mlcourse import datasets
from mlcourse.datasets import Form
from mlcourse.domains import Domain
from mlcourse.episode.across import DomainSampler, pixels
from mlcourse.episode.views import draws, view
from mlcourse.evaluate import percent_right
from mlcourse.learners import CORAL, DANN, AdaBN, SelfTraining
from mlcourse.losses.alignment import information, mean_entropy
from mlcourse.nets import call
from mlcourse.rows import facts
from mlcourse.small import SIDE
from mlcourse.statistics import Estimate, cell, paired_difference
from mlcourse.studies.study import Key, Study
from mlcourse.studies.transfer.arms import ALIGN_RATE, WEIGHTS
from mlcourse.studies.transfer.seed import Budget as Training, Seed
from mlcourse.studies.transfer.criterion import EVERY
from mlcourse.studies.transfer.setting import setting
from mlcourse.studies.transfer.source import held_loss, parted
from mlcourse.train import train

KEY = ("pair", "arm", "weight", "seed")
BY_HAND, TO_PRINT = "typeset → redrawn by hand", "UCI digits → typeset"
PAIRS = (BY_HAND, TO_PRINT)
TRIED = {**WEIGHTS, "self-training": (1.0,)}
INFORMATION, ENTROPY, SOURCE = "most information", "least entropy", "least source loss"
LAST = "middle weight, last step"
RULES = (INFORMATION, ENTROPY, SOURCE, LAST)


@dataclass(frozen=True)
class Budget:
    """training: of the networks; its `align` steps are all taken. pictures: at most of each class of a domain."""

    training: Training = Training()
    pictures: int | None = None


def domains(pair: str, pictures: int | None = None, side: int = SIDE) -> tuple[Domain, Domain]:
    """Source and target of a pair: typeset digits and hand-made views of them, which `setting` deals out so that none
    is on both sides; or handwritten and typeset digits."""
    typeset, digits = (datasets.load(name, None, Form(side)).first(pictures) for name in ("glyphs-digits", "digits"))
    if pair == TO_PRINT:
        return digits, typeset
    u = draws(len(typeset.images), torch.Generator().manual_seed(0))
    u[:, 9] = -1                        # where it is negative, nothing is blanked
    images = view(pixels(typeset.images), u, 1.0).clamp(0, 1).mul(255).round().byte()
    return typeset, replace(typeset, name=f"{typeset.name}, redrawn", images=images, originals=typeset.digests)


def started(pair: str, seed: int, budget: Budget) -> Seed:
    """The networks of a seed on a pair."""
    source, target = domains(pair, budget.pictures)
    return Seed(setting([source], target, (0,)).of_seed(seed), seed, {}, budget.training)


def learner_of(s: Seed, arm: str, weight: float) -> tuple[AdaBN, list]:
    """An arm's learner and its phases, as in the transfer study, without the tenth of the source that was held back."""
    held, _ = parted(s.setting.source, s.seed)
    own = s.setting.without(held)
    pairs, options = DomainSampler([own.source], own.shot, 1, unlabeled=own.shot, target=own.train), {}
    if arm == "self-training":
        learner, options = SelfTraining(s.copied()), {"pictures": pixels(own.train.images)}
    else:
        learner = {"CORAL": CORAL, "DANN": DANN}[arm](s.copied(), weight)
    return learner, learner.phases(pairs, s.budget.align, tasks=2, lr=ALIGN_RATE, **options)


def noted(s: Seed, learner: AdaBN, held: Domain, judged: Domain) -> dict[str, float]:
    """Information and entropy (nats) of the predictions on unlabelled pictures of the target, the loss on held-back
    pictures of the source, and the accuracy (%) on the target."""
    with torch.no_grad():
        state = learner.adapt(s.episode)
        logits = call(learner.net, state.params, s.episode.unlabeled_x, state.stats)[0]
        said = call(learner.net, state.params, pixels(judged.images)[None], state.stats)[0]
        return {INFORMATION: float(information(logits)), ENTROPY: float(mean_entropy(logits)),
                SOURCE: held_loss(learner.net, held), "accuracy": percent_right(said, judged.labels)}


def followed(s: Seed, arm: str, weight: float) -> dict[str, list[float]]:
    """What was noted every 25 steps of an arm's training, by name."""
    held, _ = parted(s.setting.source, s.seed)
    judged = s.setting.known(s.setting.test, s.seed)
    found: list[dict[str, float]] = []
    learner, phases = learner_of(s, arm, weight)

    def note(record: dict) -> None:
        if (record["step"] + 1) % EVERY == 0:
            found.append(noted(s, learner, held, judged))

    train(learner, phases, seed=s.seed, progress=False, on_step=note)
    return {name: [round(each[name], 4) for each in found] for name in found[0]}


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every pair, seed, arm and weight."""
    return [(pair, arm, weight, seed) for seed in asked.seeds for pair in PAIRS for arm in TRIED
            for weight in TRIED[arm]]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`: what was noted, in the order of the steps, and the accuracy before them (AdaBN)."""
    for pair, seed in dict.fromkeys((pair, seed) for pair, _, _, seed in todo):
        s = started(pair, seed, budget)
        held, _ = parted(s.setting.source, seed)
        before = noted(s, s.base, held, s.setting.known(s.setting.test, seed))["accuracy"]
        for _, arm, weight, _ in (key for key in todo if (key[0], key[3]) == (pair, seed)):
            yield {"pair": pair, "arm": arm, "weight": weight, "before": round(before, 4),
                   **followed(s, arm, weight), **facts(f"mlcourse study choosing --seed {seed}", seed)}


def line(row: dict) -> str:
    """One line of the table."""
    return (f"{row['pair']:24s} {row['arm']:14s} weight {row['weight']:<6g} seed {row['seed']}   "
            f"{row['before']:5.1f} → {row['accuracy'][-1]:5.1f} %, at best {max(row['accuracy']):5.1f}")


def by_rule(trials: Sequence[Mapping], rule: str) -> float:
    """The accuracy at the weight and step that a rule names among the trainings of one arm, pair and seed."""
    if rule == LAST:
        ordered = sorted(trials, key=lambda row: row["weight"])
        return ordered[len(ordered) // 2]["accuracy"][-1]
    sign = 1 if rule == INFORMATION else -1
    steps = [(sign * value, accuracy) for row in trials
             for value, accuracy in zip(row[rule], row["accuracy"], strict=True)]
    return max(steps, key=lambda step: step[0])[1]


def best(trials: Sequence[Mapping]) -> float:
    """The highest accuracy of any weight and step, which takes the target's labels to find."""
    return max(max(row["accuracy"]) for row in trials)


def by_seed(found: Sequence[Mapping], arm: str, pair: str, value: Callable[[list], float]) -> dict[int, float]:
    """value(trainings) of an arm on a pair, by seed."""
    mine = [row for row in found if (row["arm"], row["pair"]) == (arm, pair)]
    return {seed: value([row for row in mine if row["seed"] == seed]) for seed in sorted({r["seed"] for r in mine})}


def cost(found: Sequence[Mapping], rule: str) -> dict[int, float]:
    """What a rule's choices have less than the best, in points, the mean over arms and pairs, by seed."""
    each = [by_seed(found, arm, pair, lambda trials: best(trials) - by_rule(trials, rule))
            for pair in PAIRS for arm in TRIED]
    return {seed: sum(one[seed] for one in each) / len(each) for seed in each[0]}


def against(found: Sequence[Mapping], rule: str) -> Estimate:
    """What a rule costs more than information does, paired over the seeds."""
    return paired_difference(cost(found, rule), cost(found, INFORMATION))


def table(found: Sequence[Mapping]) -> str:
    """Markdown: for every pair and arm the accuracies before, by each rule and at best; what each rule costs."""
    lines = [f"| | AdaBN | {' | '.join(RULES)} | the best |", "| --- |" + " --- |" * (len(RULES) + 2)]
    for pair in PAIRS:
        for arm in TRIED:
            values = [lambda trials: trials[0]["before"], *(lambda t, rule=rule: by_rule(t, rule) for rule in RULES),
                      best]
            cells = (cell(by_seed(found, arm, pair, value).values()) for value in values)
            lines.append(f"| {pair}: {arm} | {' | '.join(cells)} |")
    costs = (cell(cost(found, rule).values()) for rule in RULES)
    return "\n".join([*lines, f"| **points below the best, mean** | | {' | '.join(costs)} | 0 |"])


def report(asked: SimpleNamespace, found: Sequence[dict]) -> str:
    """The table, and what every other rule costs more than information."""
    more = (f"{rule}: {against(found, rule).text(sign=True)} points more than by information"
            for rule in RULES if rule != INFORMATION)
    return "\n".join([table(found), *more])


STUDY = Study(
    "choosing",
    """Lesson 13: which rule without a label of the target may choose a weight and the step to stop at. CORAL, DANN and
    self-training on two pairs of digits that no lesson reports, judged by the accuracy that each rule forgoes.

    About a quarter of an hour for each seed on one core.""",
    ("", "--seed 0"), KEY, Budget(), plan, rows, line, report=report)
