"""A learned optimiser against tuned ones and against those that know the function, on quadratics of ten numbers.

Each seed trains and tunes on functions of its own, and judges all arms on the same further ones, so that differences
over seeds are paired. The functions of the seeds from FIRST on had not been looked at when the length of the training
was chosen; those of seeds 0 to 4 had. Rates, decays and momentum are tuned for what the learned optimiser is trained
for: the lowest mean loss over the first 100 steps. The outer rate of the learned one was chosen on the tuning functions
of seed CHOOSING; rows of split "tuning" are of those functions.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

from torch import Tensor

from mlcourse.lessons.l07_optimiser import study_optimisers_arms as arms
from mlcourse.lessons.l07_optimiser.study_optimisers_picture import races
from mlcourse.lessons.l07_optimiser.study_optimisers_settings import SETTINGS, TEST, TRAINED, TUNING, Setting, functions
from mlcourse.optimisers import run
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Option, Study

KEY = ("arm", "setting", "outer_rate", "split", "seed")
CHOOSING = 100
FIRST = 5
OUTER_RATES = (3e-3, 1e-2)
OUTER_RATE = 1e-2
ARMS = (arms.LEARNED, arms.SGD, arms.MOMENTUM, arms.ADAM, arms.BETAS_TOO, arms.AGAIN, arms.CLOSED, arms.CG)


@dataclass(frozen=True)
class Budget:
    """batches: of training, each of `batch` functions that are run for 100 steps in five stretches. tuning, judged:
    functions to tune on, and to judge."""

    batches: int = 400
    batch: int = 64
    tuning: int = 250
    judged: int = 1000


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every arm in every setting, and before them, if the outer rates are to be chosen, those of every rate."""
    choosing = [(arms.LEARNED, TRAINED, rate, "tuning", CHOOSING) for rate in OUTER_RATES]
    return (choosing if asked.choose else []) + [
        (arm, setting, OUTER_RATE if arm == arms.LEARNED else 0, "test", seed)
        for seed in asked.seeds for arm in ARMS for setting in SETTINGS]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`; an arm is trained or tuned once for all its rows."""
    for arm, rate, split, seed in dict.fromkeys((arm, rate, split, seed) for arm, _, rate, split, seed in todo):
        start = time.perf_counter()
        chosen, race = made(arm, seed, rate, budget)
        seconds = round(time.perf_counter() - start, 1)
        for name, setting in SETTINGS.items():
            if (arm, name, rate, split, seed) not in todo:
                continue
            if arm == arms.AGAIN:
                f, theta = functions(setting, budget.tuning, seed, TUNING)
                chosen, race = arms.tuned(arms.BETAS_TOO, f, theta, setting.steps)
            count, which = (budget.judged, TEST) if split == "test" else (budget.tuning, TUNING)
            losses = race(*functions(setting, count, seed, which), setting.steps)
            words = f"--seed {seed}" if split == "test" else "--choose --seed 5"
            yield {"arm": arm, "setting": name, "outer_rate": rate, "split": split, "chosen": chosen,
                   **judged(arms.bounded(losses), setting), "functions": count, "train_seconds": seconds,
                   **facts(f"mlcourse study optimisers {words}", seed)}


def made(arm: str, seed: int, rate: float, budget: Budget) -> tuple[str, arms.Race | None]:
    """An arm that is ready to race, and what was chosen for it."""
    if arm == arms.LEARNED:
        return "", partial(run, arms.trained(seed, budget.batches, budget.batch, rate).double())
    if arm in (arms.CLOSED, arms.CG):
        return "", arms.told(arm)
    if arm == arms.AGAIN:
        return "", None
    return arms.tuned(arm, *functions(SETTINGS[TRAINED], budget.tuning, seed, TUNING), SETTINGS[TRAINED].steps)


def marks(setting: Setting) -> list[int]:
    """The steps at which a row says how far the race is."""
    return [t for t in (0, 1, 2, 5, *range(10, setting.steps, 10)) if t < setting.steps] + [setting.steps]


def judged(losses: Tensor, setting: Setting) -> dict:
    """mean_loss: `arms.total`; median_loss: the median over the functions in place of the mean. last: `arms.typical`
    after the last step. curve: the same at the steps `at`. worse: the share of functions whose last loss is above that
    at the start."""
    digits = lambda value: float(f"{value:.5g}")
    curve = [digits(value) for value in arms.typical(losses, marks(setting))]
    return {"mean_loss": digits(arms.total(losses)),
            "median_loss": digits(float(arms.over_steps(losses).quantile(0.5))),
            "last": curve[-1], "at": marks(setting), "curve": curve,
            "worse": round(float((losses[-1] > losses[0]).double().mean()), 4)}


def line(row: dict) -> str:
    """The row as a line of a table."""
    return (f"{row['arm']:31s} {row['setting']:22s} {row['split']:6s} seed {row['seed']:3d}   "
            f"mean loss {row['mean_loss']:10.4g}   last {row['last']:10.3g}   worse {100 * row['worse']:5.1f} %   "
            f"{row['chosen']}")


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """The races as trained and beyond, and from ten times as far."""
    return {"": races([row for row in found if row["split"] == "test"])}


STUDY = Study(
    "optimisers",
    """A learned optimiser against tuned SGD and Adam, momentum in closed form and conjugate gradients.

    Quadratics of ten numbers, 1,000 held-out ones a seed; as trained, for longer, from farther away, and of other
    condition numbers. A few minutes for each seed on one core.""",
    ("--choose", "--seed 5"), KEY, Budget(), plan, rows, line, first=FIRST, pictures=pictures,
    options=(Option("choose", bool, "Measure all outer rates on tuning functions first."),))
