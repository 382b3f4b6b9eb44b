"""MAML, and what is cheaper than MAML: error and accuracy, what moves at home and away, time and memory.

All arms of a part see the same batches for the same number of outer steps, but for fine-tuning on glyphs, whose
classifier is pretrained on batches of its own. Settings and the number of steps at test were chosen on validation tasks
and scripts (rows of split "val", training seed CHOOSING); test scripts and digits chose nothing. The test episodes are
the same for all arms and seeds: differences are paired.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace

import torch

from mlcourse.datasets import load, load_splits
from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import scores
from mlcourse.learner import Learner, map_parts
from mlcourse.lessons.l04_first_order.arms import (BODY, BODY_ONLY, FINE, FIRST, HEAD, HEAD_ONLY, IMPLICIT, NOTHING,
                                                   OWN, REPTILES, SECOND, WAY, moved, moving, on_glyphs, on_sinusoids)
from mlcourse.lessons.l04_first_order.figures_study import what_it_costs_and_moves
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.small import shrunk
from mlcourse.studies.study import Key, Option, Study
from mlcourse.system.memory import peak_memories
from mlcourse.system.timing import in_turn
from mlcourse.train import train

KEY = ("part", "arm", "setting", "domain", "moves", "steps", "split", "seed")
SINUSOIDS, GLYPHS, COST = "sinusoids", "glyphs", "cost"
PARTS = (SINUSOIDS, GLYPHS, COST)
CHOOSING, VALIDATION, TEST = 100, 1, 2                  # a training seed; seeds of two sets of episodes
SHOT, POINTS = 1, 10
MOVES = {SECOND: (OWN, HEAD_ONLY, BODY_ONLY, NOTHING), HEAD: (OWN, NOTHING), BODY: (OWN, NOTHING)}
INNER = (1, 5, 20)                                      # inner steps that time and memory are measured at

# Of each arm: the constructor's settings, and "outer", the rate of the outer loop.
_IN_ONE = {"lr": 0.01, "steps": 1, "outer": 1e-2}
CANDIDATES: dict[str, dict[str, tuple[dict, ...]]] = {
    SINUSOIDS: {
        SECOND: (_IN_ONE,), FIRST: (_IN_ONE,), FINE: (_IN_ONE,),
        HEAD: tuple({**_IN_ONE, "lr": lr} for lr in (0.1, 0.01)),
        REPTILES: ({"lr": 0.01, "steps": 8, "outer": 1.0},),
        IMPLICIT: ({"lr": 0.01, "strength": 20.0, "steps": 16, "cg_steps": 5, "outer": 5e-3},)},
    GLYPHS: {
        SECOND: tuple({"lr": lr, "steps": 3, "outer": 4e-3} for lr in (0.2, 0.5)),
        FIRST: tuple({"lr": lr, "steps": 3, "outer": 4e-3} for lr in (0.5, 0.2)),
        BODY: ({"lr": 0.5, "steps": 3, "outer": 4e-3},),
        HEAD: ({"lr": 0.5, "steps": 3, "outer": 4e-3},),
        FINE: tuple({"lr": lr, "steps": 10, "outer": 4e-3} for lr in (0.1, 1.0)),
        REPTILES: ({"lr": 6e-3, "steps": 5, "beta2": 0.999, "batch": 10, "outer": 1.0},)}}
# The first of them is the one that validation chose; with how many steps at test.
CHOSEN: dict[str, dict[str, tuple[dict, int]]] = {
    part: {arm: (CANDIDATES[part][arm][0], at_test) for arm, at_test in steps.items()} for part, steps in {
        SINUSOIDS: {SECOND: 20, FIRST: 20, FINE: 20, HEAD: 5, REPTILES: 20, IMPLICIT: 20},
        GLYPHS: {SECOND: 10, FIRST: 30, BODY: 10, HEAD: 30, FINE: 10, REPTILES: 30}}.items()}
AT_TEST = {SINUSOIDS: (1, 5, 10, 20), GLYPHS: (3, 10, 30)}
COSTED = {arm: several[0] for arm, several in CANDIDATES[GLYPHS].items() if arm != FINE} | {
    IMPLICIT: {"lr": 0.1, "strength": 2.0, "cg_steps": 5}}


@dataclass(frozen=True)
class Budget:
    """steps: outer steps on glyphs, of `tasks` episodes with `query` queries of each class; pretraining: steps of
    fine-tuning's classifier on 64 pictures of 32 classes. width: of the network, in filters; episodes: fixed ones to
    judge on. curves: outer steps on sinusoids, of 25 tasks. rounds: in which outer steps are timed."""

    steps: int = 600
    pretraining: int = 1200
    tasks: int = 4
    query: int = 3
    width: int = 24
    episodes: int = 200
    curves: int = 600
    rounds: int = 7


def name_of(setting: dict) -> str:
    """A setting in words: "lr 1, outer 0.004"."""
    return ", ".join(f"{name} {value:g}" for name, value in setting.items())


@cache
def source() -> Domain:
    """The training scripts at 16×16, turned by 90° as further classes."""
    return shrunk(load_splits("glyphs").train).with_rotations()


@cache
def domains(split: str) -> dict[str, Domain]:
    """The domains to choose on, split "val", or to judge on: new scripts, and the UCI digits."""
    splits = load_splits("glyphs")
    if split == "val":
        return {"glyphs": shrunk(splits.val)}
    return {"glyphs": shrunk(splits.test), "digits": shrunk(load("digits"))}


def trained(part: str, arm: str, setting: dict, seed: int, budget: Budget) -> Learner:
    """One arm after all its outer steps."""
    inner = {name: value for name, value in setting.items() if name != "outer"}
    if part == SINUSOIDS:
        learner, sampler = on_sinusoids(arm, inner, seed), SinusoidSampler(POINTS, POINTS)
        steps, tasks = budget.curves, 25
    else:
        learner = on_glyphs(arm, inner, seed, budget.width, len(source().classes))
        sampler, steps, tasks = ((EpisodeSampler(source(), 32, 1, 1), budget.pretraining, 1) if arm == FINE else
                                 (EpisodeSampler(source(), WAY, SHOT, budget.query), budget.steps, budget.tasks))
    learner.tasks_at_once = None
    train(learner, learner.phases(sampler, steps, tasks=tasks, lr=setting["outer"]), seed=seed, progress=False)
    return learner.eval()


# ------------------------------------------------------------ rows

def prepare(seeds: Sequence[int], part: Sequence[str], choose: bool) -> SimpleNamespace:
    """The parts, all where none is named. Raises ValueError for an unknown one."""
    if unknown := set(part) - set(PARTS):
        raise ValueError(f"there is no part {sorted(unknown)[0]!r}; the parts are {', '.join(PARTS)}")
    return SimpleNamespace(seeds=seeds, parts=part or PARTS, choose=choose)


def keys_of(part: str, arm: str, setting: dict, seed: int) -> list[Key]:
    """The rows that one training gives: on validation data after each number of steps; on test data after the chosen
    one, on glyphs in every domain, with every part of the network that may move."""
    said = name_of(setting)
    if seed == CHOOSING:
        return [(part, arm, said, part, OWN, steps, "val", seed) for steps in AT_TEST[part]]
    steps = CHOSEN[part][arm][1]
    if part == SINUSOIDS:
        return [(part, arm, said, part, OWN, steps, "test", seed)]
    return [(part, arm, said, domain, what, 0 if what == NOTHING else steps, "test", seed)
            for domain in ("glyphs", "digits") for what in MOVES.get(arm, (OWN,))]


def trainings(asked: SimpleNamespace) -> Iterator[tuple[str, str, dict, int]]:
    """(part, arm, setting, seed) of everything that is trained, the candidates first."""
    for part in asked.parts:
        if part == COST:
            continue
        if asked.choose:
            yield from ((part, arm, each, CHOOSING) for arm, several in CANDIDATES[part].items() for each in several)
        for seed in asked.seeds:
            yield from ((part, arm, setting, seed) for arm, (setting, _) in CHOSEN[part].items())


def costs(asked: SimpleNamespace) -> list[Key]:
    """The rows of time and memory: each arm but fine-tuning, with each number of inner steps."""
    return [(COST, arm, "", "", "", steps, "", 0) for arm in COSTED for steps in INNER
            if COST in asked.parts and 0 in asked.seeds]


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every row of the parts that were asked for."""
    return [key for each in trainings(asked) for key in keys_of(*each)] + costs(asked)


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`; an arm is trained once for all its rows."""
    for part, arm, setting, seed in trainings(asked):
        keys = [key for key in keys_of(part, arm, setting, seed) if key in todo]
        if keys:
            start = time.perf_counter()
            learner = trained(part, arm, setting, seed, budget)
            seconds = round(time.perf_counter() - start, 1)
            for key in keys:
                yield row_of(key, {"training_seconds": seconds, **judged(learner, key, budget)})
    if any(key in todo for key in costs(asked)):
        yield from (row for row in cost_rows(asked, budget) if tuple(row[field] for field in KEY) in todo)


def row_of(key: Key, measured: dict) -> dict:
    """A row, with the command that makes it again."""
    part, seed = key[0], key[-1]
    which = "--choose" if seed == CHOOSING else f"--seed {seed}"
    command = f"mlcourse study first-order --part {part} {which}"
    return {**dict(zip(KEY, key, strict=True)), **measured, **facts(command, seed)}


def judged(learner: Learner, key: Key, budget: Budget) -> dict:
    """The mean squared error on 100 points of a sinusoid, or the accuracy in per cent and, where the arm moves what it
    was trained to move, how far."""
    part, arm, _, domain, what, steps, split, _ = key
    seed = VALIDATION if split == "val" else TEST
    if part == SINUSOIDS:
        values = scores(learner, SinusoidSampler(POINTS, 100), budget.episodes, seed=seed, steps=steps)
        return {"mse": round(float(values.mean()), 4), "episodes": budget.episodes}
    sampler = EpisodeSampler(domains(split)[domain], WAY, SHOT, 10)
    values = scores(moving(learner, what), sampler, budget.episodes, seed=seed, steps=steps)
    found = {"accuracy": round(100 * float(values.mean()), 2), "episodes": budget.episodes}
    if split == "test" and what == OWN and arm != FINE:
        batch = sampler.sample(min(budget.episodes, 100), torch.Generator().manual_seed(seed))
        found["moved"] = {layer: round(share, 5) for layer, share in moved(learner, batch, steps).items()}
    return found


# ------------------------------------------------------------ time and memory

def outer_gradient(arm: str, steps: int, width: int, tasks: int, query: int) -> Callable[[], object]:
    """A function that computes the gradient of one outer step on glyphs, with so many inner steps."""
    inner = {name: value for name, value in COSTED[arm].items() if name not in ("outer", "steps")}
    learner = on_glyphs(arm, {**inner, "steps": steps}, 0, width, 1)
    batch = EpisodeSampler(source(), WAY, SHOT, query).sample(tasks, torch.Generator().manual_seed(0))
    parameters = [p for p in learner.parameters() if p.requires_grad]

    def gradient(part):
        return torch.autograd.grad(learner.losses(part).sum() / tasks, parameters, allow_unused=True)

    return lambda: map_parts(gradient, batch, learner.tasks_at_once, False)


def cost_rows(asked: SimpleNamespace, budget: Budget) -> Iterator[dict]:
    """Milliseconds of an outer gradient, all arms in turn, and as a multiple of MAML's with one inner step; the peak
    memory of a fresh process that computes it."""
    keys, size = costs(asked), (budget.width, budget.tasks, budget.query)
    times = in_turn({key: outer_gradient(key[1], key[5], *size) for key in keys}, budget.rounds)
    memory = peak_memories(outer_gradient, [(key[1], key[5], *size) for key in keys])
    one = times[COST, SECOND, "", "", "", 1, "", 0]
    for key, megabytes in zip(keys, memory, strict=True):
        ratio = statistics.median(a / b for a, b in zip(times[key], one, strict=True))
        yield row_of(key, {"ms": round(statistics.median(times[key]), 2), "times_maml": round(ratio, 3),
                           "peak_mb": megabytes})


def line(row: dict) -> str:
    """The row as a line of a table."""
    said = {SINUSOIDS: lambda: f"error {row['mse']:.3f}", GLYPHS: lambda: f"{row['accuracy']:.2f} %",
            COST: lambda: f"{row['ms']:.1f} ms, {row['times_maml']:.2f} × MAML, {row['peak_mb']:.0f} MB"}[row["part"]]()
    return (f"{row['part']:9s} {row['arm']:11s} {row['setting']:44s} {row['split']:4s} {row['domain']:9s} "
            f"{row['moves']:4s} {row['steps']:2d} steps  seed {row['seed']:3d}  {said}")


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """What the arms reach on glyphs and what MAML moves, where it was asked for."""
    return {"": what_it_costs_and_moves(found)} if GLYPHS in asked.parts and asked.seeds else {}


STUDY = Study(
    "first-order",
    """Lesson 04: MAML, FOMAML, Reptile, ANIL, BOIL and iMAML on sinusoids and glyphs, what their inner loops move at
    home and away, and what an outer step costs.

    Same batches and number of outer steps for all, but for fine-tuning's pretraining. About ten minutes of one core
    for each seed.""",
    ("", "--choose --seed 0", "--part cost"), KEY, Budget(), plan, rows, line, prepare=prepare,
    pictures=pictures, options=(
        Option("part", str, rf"{', '.join(PARTS)}; repeat it for several.  \[default: all]", several=True),
        Option("choose", bool, "Measure all settings on validation data first.")))
