"""What a few-shot score is worth: norms and companions, splits that leak, fixed labels, dull rivals, chosen checkpoints.

The same network throughout, Conv4 of 16 filters on 28×28 glyphs, 5-way 1-shot, tested on fixed episodes of new scripts
that are the same for all arms and seeds, so that differences are paired over training seeds. Settings were chosen on the
validation scripts with training seed CHOOSING (rows of split "val"); test scripts chose nothing, except in the part
"selection", where that is the question.
"""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace

import torch
import torch.nn.functional as F

from mlcourse.datasets import load_splits
from mlcourse.domains import Domain
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.evaluate import BLOCK, scores
from mlcourse.learner import Learner
from mlcourse.lessons.l06_images import leaks
from mlcourse.lessons.l06_images.arms import (COSINES, FINE, LEARNED, PIXELS, PROTOTYPES, REGRESSION, SECOND, OUTER, SHOT, WAY,
                                              WIDE, Trained, made, trained)
from mlcourse.lessons.l06_images.company import COMPANY, in_company
from mlcourse.lessons.l06_images.figures_study import what_a_score_is_worth
from mlcourse.lessons.l06_images.fixed_labels import FixedLabels, poisoned
from mlcourse.lessons.l06_images.selection import bias, simulated
from mlcourse.nets import NORMS
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Option, Study
from mlcourse.system.timing import in_turn

KEY = ("part", "arm", "norm", "setting", "steps", "split", "seed")
COMPANIONS, LEAKS, LABELS, RIVALS, SELECTION, WAYS = "norms", "splits", "labels", "rivals", "selection", "ways"
PARTS = (COMPANIONS, LEAKS, LABELS, RIVALS, SELECTION, WAYS)
CHOOSING, VALIDATION, TEST, FRESH = 100, 1, 2, 3        # a training seed; seeds of three sets of episodes
SHARES = (0.0, 0.1, 1.0)                                # of the episodes whose labels are shuffled
KNOWN = 50                                              # training classes of the part "labels"
CHECKPOINTS, JUDGED_ON = 20, (20, 100)                  # of one run; episodes that a checkpoint is chosen on

# Of each arm: the constructor's settings, and "outer", the rate of the outer loop.
INNER = tuple({"lr": lr, "steps": 1} for lr in (0.4, 1.0, 2.0))
RATES = tuple({"outer": outer} for outer in (2e-3, 4e-3, 1e-2))
CANDIDATES: dict[str, dict[tuple[str, str], tuple[dict, ...]]] = {
    COMPANIONS: {(arm, norm): INNER if arm == SECOND else RATES for arm in LEARNED for norm in NORMS},
    RIVALS: {**{(WIDE, norm): RATES for norm in ("support", "layer")},
             **{(REGRESSION, norm): tuple({"C": c} for c in (1.0, 10.0, 100.0)) for norm in ("running", "layer")},
             **{(COSINES, norm): tuple({"lr": lr} for lr in (0.03, 0.1, 0.3)) for norm in ("running", "layer")},
             **{(FINE, norm): tuple({"lr": lr} for lr in (0.03, 0.1, 0.3)) for norm in ("running", "layer")}}}
AT_TEST = (1, 5)                                        # inner steps of MAML
# What validation chose: setting, and inner steps at test; of a rival also the norm.
CHOSEN: dict[tuple[str, str], tuple[dict, int]] = {
    (arm, norm): (INNER[1], 5) if arm == SECOND else (RATES[1], 0) for arm in LEARNED for norm in NORMS}
BEST: dict[str, tuple[str, dict, int]] = {
    SECOND: ("support", INNER[1], 5), PROTOTYPES: ("layer", RATES[1], 0), WIDE: ("layer", RATES[1], 0),
    REGRESSION: ("running", {"C": 1.0}, 0), COSINES: ("running", {"lr": 0.1}, 0), FINE: ("running", {"lr": 0.1}, 0),
    PIXELS: ("none", {}, 0)}
LABELS_NORM = "layer"
SIMULATED, SKILL, SPREAD = "simulated", 0.8, 0.1        # equal skill, and σ of a score on one episode
SIMULATED_ON = (20, 100, 600, 1000)                     # episodes
TIMED = ((SECOND, 1), (SECOND, 5), (PROTOTYPES, 0))     # arm and inner steps


@dataclass(frozen=True)
class Budget:
    """steps: of MAML and ProtoNet, of 80 pictures each; pretraining: of a classifier, likewise. width: of the network, in
    filters; episodes: fixed ones to judge on; checkpoint_episodes: those of the last word on a checkpoint; draws:
    simulated selections; rounds: in which steps are timed."""

    steps: int = 300
    pretraining: int = 900
    width: int = 16
    episodes: int = 150
    checkpoint_episodes: int = 200
    draws: int = 400
    rounds: int = 7


def name_of(setting: dict) -> str:
    """A setting in words: "lr 1, steps 1"."""
    return ", ".join(f"{name} {value:g}" for name, value in setting.items())


# ------------------------------------------------------------ what is trained, and judged on

@cache
def source() -> Domain:
    """The training scripts, turned by 90° as further classes."""
    return load_splits("glyphs").train.with_rotations()


@cache
def new_scripts(split: str) -> Domain:
    """The scripts to choose on, split "val", or to judge on."""
    return getattr(load_splits("glyphs"), split)


@cache
def known(seen: bool) -> Domain:
    """The KNOWN training classes of the part "labels": fourteen drawings of each to train on, or the other six."""
    train = load_splits("glyphs").train
    order = torch.randperm(len(train.classes), generator=torch.Generator().manual_seed(0))
    some = train.subset(order[:KNOWN].tolist())
    place = torch.arange(len(some.images)) % (len(some.images) // KNOWN)
    return some.take(torch.nonzero((place < 14) == seen)[:, 0])


@cache
def body(arm: str, norm: str, outer: float, seed: int, budget: Budget) -> Trained:
    """ProtoNet, or the pretrained body of an arm, trained once for all that is asked of it."""
    steps = budget.steps if arm in (PROTOTYPES, WIDE) else budget.pretraining
    return trained(arm, norm, {"outer": outer}, seed, source(), steps, budget.width)


@cache
def second(norm: str, lr: float, steps: int, seed: int, budget: Budget) -> Trained:
    """MAML."""
    return trained(SECOND, norm, {"lr": lr, "steps": steps}, seed, source(), budget.steps, budget.width)


def ready(arm: str, norm: str, setting: dict, seed: int, budget: Budget) -> Trained:
    """An arm, trained. RFS and fine-tuning start from the same body."""
    if arm == SECOND:
        return second(norm, **setting, seed=seed, budget=budget)
    if arm in (PROTOTYPES, WIDE):
        return body(arm, norm, setting["outer"], seed, budget)
    if arm == PIXELS:
        return trained(PIXELS, norm, {}, seed, source(), 0, 0)
    pretrained = body(COSINES if arm == COSINES else REGRESSION, norm, OUTER, seed, budget)
    learner = made(arm, norm, setting, seed, budget.width, 0)
    learner.net.load_state_dict(pretrained.learner.net.state_dict())
    return Trained(learner.eval(), pretrained.seconds)


def sampler(split: str, way: int = WAY, query: int = 15) -> EpisodeSampler:
    """Ordinary episodes of new scripts."""
    return EpisodeSampler(new_scripts(split), way, SHOT, query)


def percent(values: torch.Tensor) -> float:
    """The mean of shares, in per cent."""
    return round(100 * float(values.mean()), 3)


def blocks(draws: EpisodeSampler, episodes: int, seed: int) -> Iterator[Episode]:
    """The episodes that `evaluate.scores` draws from this seed, in its blocks."""
    generator = torch.Generator().manual_seed(seed)
    for start in range(0, episodes, BLOCK):
        yield draws.sample(BLOCK, generator).task(slice(0, episodes - start))


def accuracy(learner: Learner, split: str, steps: int, budget: Budget) -> dict:
    """On ordinary episodes, every query in the company of all others."""
    seed = VALIDATION if split == "val" else TEST
    return {"accuracy": percent(scores(learner, sampler(split), budget.episodes, seed=seed, steps=steps or None))}


# ------------------------------------------------------------ the parts, each: keys, and the numbers of a row

def candidates(part: str) -> Iterator[Key]:
    """The rows on validation scripts that choose the settings of a part."""
    for (arm, norm), several in CANDIDATES.get(part, {}).items():
        for setting in several:
            for steps in AT_TEST if arm == SECOND else (0,):
                yield (part, arm, norm, name_of(setting), steps, "val", CHOOSING)


def of_norms(seed: int) -> list[Key]:
    """Both methods with every norm."""
    return [(COMPANIONS, arm, norm, name_of(setting), steps, "test", seed)
            for (arm, norm), (setting, steps) in CHOSEN.items()]


def norms(key: Key, budget: Budget) -> dict:
    """A trained arm in every company, or on validation scripts."""
    _, arm, norm, said, steps, split, seed = key
    setting = next(each for each in CANDIDATES[COMPANIONS][arm, norm] if name_of(each) == said)
    learner, seconds = ready(arm, norm, setting, seed, budget)
    if split == "val":
        return {**accuracy(learner, split, steps, budget), "core_seconds": seconds}
    found = {company: torch.cat([in_company(learner, each, company, steps or None)
                                 for each in blocks(sampler("test"), budget.episodes, TEST)]) for company in COMPANY}
    return {**{company: percent(values) for company, values in found.items()}, "core_seconds": seconds}


def of_splits(seed: int) -> list[Key]:
    """ProtoNet on every training set."""
    setting, _ = CHOSEN[PROTOTYPES, "layer"]
    return [(LEAKS, PROTOTYPES, "layer", leak, 0, "test", seed) for leak in leaks.LEAKS]


def splits(key: Key, budget: Budget) -> dict:
    """ProtoNet trained on one of the training sets, on the test that all of them share."""
    every, (setting, _) = load_splits("glyphs"), CHOSEN[PROTOTYPES, "layer"]
    learner, seconds = trained(PROTOTYPES, "layer", setting, key[-1], leaks.trained_on(every, key[3]), budget.steps,
                               budget.width)
    test = EpisodeSampler(leaks.tested(every), WAY, SHOT, 9)
    return {"accuracy": percent(scores(learner, test, 2 * budget.episodes, seed=TEST)), "core_seconds": seconds}


def of_labels(seed: int) -> list[Key]:
    """MAML with each share of shuffled episodes."""
    return [(LABELS, SECOND, LABELS_NORM, f"{share:g} shuffled", CHOSEN[SECOND, LABELS_NORM][1], "test", seed)
            for share in SHARES]


def labels(key: Key, budget: Budget) -> dict:
    """MAML on few training classes: what it answers for them in new drawings, with right and with wrong support labels
    and with labels that were shuffled, and for new scripts; accuracy in per cent, and the query loss."""
    norm, said, steps, seed = key[2], key[3], key[4], key[6]
    share, (setting, _) = float(said.split()[0]), CHOSEN[SECOND, norm]
    learner, seconds = trained(SECOND, norm, setting, seed, known(True), budget.steps, budget.width, shuffled=share)
    draws = lambda shuffled: FixedLabels(known(False), WAY, SHOT, 5, shuffled)
    batches = {"known": draws(0.0), "poisoned": draws(0.0), "reshuffled": draws(1.0), "new": sampler("test", query=5)}
    found = {"core_seconds": seconds}
    for name, each in batches.items():
        logits, y = predicted(learner, each, budget.episodes, steps, poisoned if name == "poisoned" else None)
        found[name] = percent((logits.argmax(-1) == y).double())
        found[f"{name}_loss"] = round(float(F.cross_entropy(logits.flatten(0, 1), y.flatten())), 4)
    return found


@torch.no_grad()
def predicted(learner: Learner, draws: EpisodeSampler, episodes: int, steps: int,
              change: Callable[[Episode], Episode] | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (E, M, N) and labels (E, M) of the queries of fixed episodes, which `change` may change."""
    parts = [change(each) if change else each for each in blocks(draws, episodes, TEST)]
    return torch.cat([learner.predictions(each, steps) for each in parts]), torch.cat([each.query_y for each in parts])


def of_rivals(seed: int) -> list[Key]:
    """Every arm with the norm and setting that validation chose for it."""
    return [(RIVALS, arm, norm, name_of(setting), steps, "test", seed)
            for arm, (norm, setting, steps) in BEST.items() if seed == 0 or arm != PIXELS]


def rivals(key: Key, budget: Budget) -> dict:
    """An arm on validation or test scripts, and the pictures that it saw in training."""
    _, arm, norm, said, steps, split, seed = key
    known_settings = [BEST[arm][1], *CANDIDATES[RIVALS].get((arm, norm), ())]
    setting = next(each for each in known_settings if name_of(each) == said)
    learner, seconds = ready(arm, norm, setting, seed, budget)
    steps_taken = {PIXELS: 0}.get(arm, budget.steps if arm in (SECOND, PROTOTYPES, WIDE) else budget.pretraining)
    return {**accuracy(learner, split, steps, budget), "core_seconds": seconds, "pictures": 80 * steps_taken}


def of_selection(seed: int) -> list[Key]:
    """Checkpoints of one training, and simulated ones."""
    real = [(SELECTION, PROTOTYPES, "layer", f"{count} episodes", 0, "test", seed) for count in JUDGED_ON]
    return real + [(SELECTION, SIMULATED, "", f"{count} episodes", 0, "", seed) for count in SIMULATED_ON]


def selection(key: Key, budget: Budget) -> dict:
    """The optimism of the best of CHECKPOINTS, in points."""
    count, seed = int(key[3].split()[0]), key[-1]
    if key[1] == SIMULATED:
        best = simulated(CHECKPOINTS, count, SKILL, 75, SPREAD, budget.draws, torch.Generator().manual_seed(seed))
        return {"optimism": round(100 * float(best.mean()) - 100 * SKILL, 4),
                "expected": round(100 * bias(CHECKPOINTS, count, SPREAD), 4)}
    val, test, fresh = along(seed, budget)
    by_test, by_val = int(test[:, :count].mean(1).argmax()), int(val[:, :count].mean(1).argmax())
    shared = torch.corrcoef(fresh)
    spread = float(fresh.std(1).mean())
    rho = float((shared.sum() - CHECKPOINTS) / (CHECKPOINTS * (CHECKPOINTS - 1)))
    return {"reported": percent(test[by_test, :count]), "fresh": percent(fresh[by_test]),
            "by_validation": percent(fresh[by_val]), "all": percent(fresh), "last": percent(fresh[-1]),
            "test_all": percent(test[:, :count]), "spread": round(100 * spread, 3), "shared": round(rho, 4),
            "expected": round(100 * bias(CHECKPOINTS, count, spread, rho), 4)}


@cache
def along(seed: int, budget: Budget) -> tuple[torch.Tensor, ...]:
    """The scores of CHECKPOINTS from the second half of a training on episodes to choose on (validation scripts), on test
    episodes, and on fresh ones of the test scripts: each (CHECKPOINTS, E)."""
    at = torch.linspace(budget.steps / 2, budget.steps, CHECKPOINTS + 1)[1:].round().tolist()
    states, taken = [], iter(range(1, budget.steps + 1))

    def keep(learner):
        step = next(taken)
        states.extend([copy.deepcopy(learner.state_dict())] * at.count(step))

    setting, _ = CHOSEN[PROTOTYPES, "layer"]
    learner, _ = trained(PROTOTYPES, "layer", setting, seed, source(), budget.steps, budget.width, on_step=keep)
    sets = (("val", VALIDATION, max(JUDGED_ON)), ("test", TEST, max(JUDGED_ON)),
            ("test", FRESH, budget.checkpoint_episodes))
    found = [[] for _ in sets]
    for state in states:
        learner.load_state_dict(state)
        for place, (split, draw, count) in zip(found, sets, strict=True):
            place.append(scores(learner, sampler(split, query=5), count, seed=draw))
    return tuple(torch.stack(each) for each in found)


def of_ways(seed: int) -> list[Key]:
    """ProtoNet trained on 5 and on 20 ways, tested on both; with seed 0 the time of steps of both ways."""
    found = [(WAYS, arm, BEST[WIDE][0], f"{way}-way", 0, "test", seed) for arm in (PROTOTYPES, WIDE) for way in (5, 20)]
    return found + [(WAYS, arm, "layer", f"{way}-way", steps, "", 0) for arm, steps in TIMED for way in (5, 20)
                    if seed == 0]


def ways(key: Key, budget: Budget) -> dict:
    """The accuracy at 5 or 20 ways, or the milliseconds of an outer gradient on four episodes."""
    _, arm, norm, said, steps, split, seed = key
    way = int(said.split("-")[0])
    if not split:
        return times(budget)[arm, way, steps]
    setting = BEST[WIDE][1] if arm == WIDE else CHOSEN[PROTOTYPES, norm][0]
    learner, seconds = ready(arm, norm, setting, seed, budget)
    return {"accuracy": percent(scores(learner, sampler("test", way, 5), budget.episodes, seed=TEST)),
            "core_seconds": seconds}


@cache
def times(budget: Budget) -> dict[tuple[str, int, int], dict]:
    """Milliseconds, the median of turns, by arm, way and inner steps; and as a multiple of the same at 5 ways."""
    sides = {(arm, way, steps): gradient(arm, way, steps, budget) for arm, steps in TIMED for way in (5, 20)}
    measured = in_turn(sides, budget.rounds)
    ratio = lambda a, b: statistics.median(x / y for x, y in zip(a, b, strict=True))
    return {key: {"ms": round(statistics.median(found), 2),
                  "times_5_way": round(ratio(found, measured[key[0], 5, key[2]]), 3)} for key, found in measured.items()}


def gradient(arm: str, way: int, steps: int, budget: Budget) -> Callable[[], object]:
    """A function that computes the gradient of an outer step on four episodes with three queries of each class."""
    from mlcourse.learners import MAML, ProtoNet
    from mlcourse.nets import Conv4

    net = Conv4(way if arm == SECOND else 0, budget.width, norm="layer", seed=0)
    learner = MAML(net, 0.4, steps) if arm == SECOND else ProtoNet(net)
    batch = EpisodeSampler(source(), way, SHOT, 3).sample(4, torch.Generator().manual_seed(0))
    return lambda: torch.autograd.grad(learner.losses(batch).mean(), list(learner.parameters()))


# ------------------------------------------------------------ rows

MEASURED: dict[str, tuple[Callable[[int], list[Key]], Callable[[Key, Budget], dict]]] = {
    COMPANIONS: (of_norms, norms), LEAKS: (of_splits, splits), LABELS: (of_labels, labels), RIVALS: (of_rivals, rivals),
    SELECTION: (of_selection, selection), WAYS: (of_ways, ways)}


def prepare(seeds: Sequence[int], part: Sequence[str], choose: bool) -> SimpleNamespace:
    """The parts, all where none is named. Raises ValueError for an unknown one."""
    if unknown := set(part) - set(PARTS):
        raise ValueError(f"there is no part {sorted(unknown)[0]!r}; the parts are {', '.join(PARTS)}")
    return SimpleNamespace(seeds=seeds, parts=part or PARTS, choose=choose)


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every row of the parts that were asked for, the candidates first."""
    chosen = [key for part in asked.parts for key in candidates(part)] if asked.choose else []
    return chosen + [key for seed in asked.seeds for part in asked.parts for key in MEASURED[part][0](seed)]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`."""
    for key in todo:
        part, seed = key[0], key[-1]
        which = "--choose" if seed == CHOOSING else f"--seed {seed}"
        yield {**dict(zip(KEY, key, strict=True)), **MEASURED[part][1](key, budget),
               "episodes": budget.episodes, **facts(f"mlcourse study protocol --part {part} {which}", seed)}


def line(row: dict) -> str:
    """The row as a line of a table."""
    names = ("accuracy", *COMPANY, "known", "poisoned", "reshuffled", "new", "reported", "fresh", "by_validation",
             "optimism", "expected", "ms")
    said = "   ".join(f"{name} {row[name]:.1f}" for name in names if name in row)
    return (f"{row['part']:9s} {row['arm']:17s} {row['norm']:8s} {row['setting']:16s} {row['split']:4s} "
            f"seed {row['seed']:3d}  {said}")


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """Norms and splits, where both were asked for."""
    return {"": what_a_score_is_worth(found)} if {COMPANIONS, LEAKS} <= set(asked.parts) and asked.seeds else {}


STUDY = Study(
    "protocol",
    """Lesson 06: what a few-shot score depends on beside the method. Norms and companions of a query, splits that leak,
    labels that stay fixed, pretrained rivals, checkpoints chosen on the test set, ways.

    5-way 1-shot on glyphs, 16 filters. About seven minutes of one core for each seed.""",
    ("", "--choose --seed 0", "--part splits --seed 0"), KEY, Budget(), plan, rows, line, prepare=prepare,
    pictures=pictures, options=(
        Option("part", str, rf"{', '.join(PARTS)}; repeat it for several.  \[default: all]", several=True),
        Option("choose", bool, "Measure all settings on validation scripts first.")))
