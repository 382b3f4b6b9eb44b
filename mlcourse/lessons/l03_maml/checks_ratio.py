"""Checks of lesson 03: a ratio of means with a paired interval, and what intervals allow to say."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.exercises.entries import filled
from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, all_of, also
from mlcourse.exercises.values import numbers

UPSIDE_DOWN, BY_TASK = "ratio upside down", "a ratio of every task"
NOT_DIVIDED, BY_OTHER = "not divided by the mean", "divided by the other mean"
NO_ROOT, ONE_ALONE = "divided by n, not by its root", "the spread of one method alone"
SCALE = 4.5         # of both errors, so that the mean that a residual is divided by is far from 1


def task_errors(tasks: int, seed: int) -> tuple[Tensor, Tensor]:
    """Errors of two methods on the same tasks, float64 (tasks,); hard tasks are hard for both, and the second method
    has small errors on some, which no single task's ratio survives."""
    noise = torch.randn(3, tasks, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    hard = (0.7 * noise[0]).exp()
    return (SCALE * 3.0 * hard * (0.15 * noise[1]).exp(),
            SCALE * hard * (0.35 * noise[2]).exp() * noise[2].abs().clamp(0.02, 1))


def reference(a: Tensor, b: Tensor) -> tuple[float, float, float]:
    """mean(a) / mean(b), its standard error when a and b are paired, and the one when they were not."""
    n, ratio = len(a), float(a.mean() / b.mean())
    paired = float(((a - ratio * b) / b.mean()).std()) / n ** 0.5
    unpaired = ratio * float((a.var() / a.mean() ** 2 + b.var() / b.mean() ** 2) / n) ** 0.5
    return ratio, paired, unpaired


def check_paired_ratio(answer: object) -> str:
    """03.5: the ratio to a tenth, the bounds to 0.3 or 0.5 standard errors, which a bootstrap meets too."""
    paired_ratio = LearnerFunction(answer, "paired_ratio")
    for tasks, seed, near in ((2000, 0, 0.3), (150, 1, 0.5)):
        a, b = task_errors(tasks, seed)
        got = paired_ratio(a.clone(), b.clone())
        ratio, low, high = numbers(got, 3, "paired_ratio must return three numbers: the ratio, its lower and its upper "
                                   "bound")
        want, paired, _ = reference(a, b)
        if not abs(ratio - want) <= 0.2 * paired:
            try:
                diagnose_ratio(ratio, a, b)
            except Misconception as found:
                if found.name == UPSIDE_DOWN:
                    diagnose_upside_down(found, low, high, a, b)
                raise
        if not all(abs(bound - end) <= near * paired
                   for bound, end in ((low, want - 1.96 * paired), (high, want + 1.96 * paired))):
            diagnose_interval(want, low, high, a, b)
    return "Ratio and interval agree with the delta method for 2,000 and for 150 tasks."


def diagnose_ratio(ratio: float, a: Tensor, b: Tensor) -> None:
    """Raise what is wrong with the ratio itself."""
    near = lambda value: abs(ratio - float(value)) <= 0.02 * abs(float(value))
    want = float(a.mean() / b.mean())
    if near(b.mean() / a.mean()):
        raise Misconception(UPSIDE_DOWN, "the pretrained error stands in the numerator, so that a ratio above "
                            "1 says that MAML's error is smaller.")
    if near((a / b).mean()):
        raise Misconception("mean of ratios", "you averaged one ratio per task, and tasks with a tiny MAML error "
                            "dominate that; divide the mean errors instead.")
    raise NotYet(f"the ratio of the mean errors is {want:.3f} for {len(a)} tasks, but you returned {ratio:.3f}.")


def diagnose_upside_down(found: Misconception, low: float, high: float, a: Tensor, b: Tensor) -> None:
    """Raise what is wrong with the interval of an inverted ratio as well, where something is."""
    want, paired, unpaired = reference(b, a)
    half = (high - low) / 2
    if any(abs(half - width) <= 0.05 * width for width in (1.96 * unpaired, 1.96 * paired * len(a) ** 0.5, paired)):
        try:
            diagnose_interval(want, low, high, b, a)
        except Misconception as interval:
            raise also(found, interval) from None


def diagnose_interval(ratio: float, low: float, high: float, a: Tensor, b: Tensor) -> None:
    """Raise what is wrong with the interval."""
    _, paired, unpaired = reference(a, b)
    half = (high - low) / 2
    near = lambda value: abs(half - value) <= 0.15 * value
    if low > high:
        raise NotYet("the lower bound is above the upper bound; return ratio, low, high in this order.")
    for ratios in (a / b, a / b - ratio):
        if abs(half - 1.96 * float(ratios.std()) / len(a) ** 0.5) <= 0.02 * half:
            raise Misconception(BY_TASK, "you divided by each task's own MAML error, and tasks with a tiny one "
                                "dominate that; divide by the mean error.")
    for own, other in ((a / b.mean(), "MAML's"), (ratio * b / b.mean(), "the pretrained network's")):
        if abs(half - 1.96 * float(own.std()) / len(a) ** 0.5) <= 0.02 * half:
            raise Misconception(ONE_ALONE, f"the errors of one method alone make this interval, and {other} vary too; "
                                "the residual of each task is a - R b.")
    if near(1.96 * unpaired):
        raise Misconception("unpaired interval", "the interval is as wide as for two separate sets of tasks, but both "
                            "methods met the same tasks; keep the pairs together, by the residual of each task or by "
                            "drawing whole tasks in a bootstrap.")
    if near(1.96 * paired * float(b.mean())):
        raise Misconception(NOT_DIVIDED, "the interval has the unit of an error, and a ratio has none; divide each "
                            "task's residual by MAML's mean error.")
    if near(1.96 * paired / ratio):
        raise Misconception(BY_OTHER, "the residual was divided by the mean error of the other method; divide it by "
                            "that in the denominator of the ratio.")
    if near(1.96 * paired / len(a) ** 0.5):
        raise Misconception(NO_ROOT, "the interval is too narrow by a factor of the square root of n; the standard "
                            "error of a mean is the standard deviation divided by √n.")
    if half > 0.3 * paired * len(a) ** 0.5:
        raise Misconception("standard deviation instead of standard error", "the interval is as wide as the spread of "
                            "single tasks; the mean of n tasks varies less, by a factor of the square root of n.")
    if near(paired):
        raise Misconception("one standard error", "the interval reaches one standard error to each side, which covers "
                            "about 68 %; 95 % needs 1.96 of them.")
    raise NotYet(f"for {len(a)} tasks the interval should be about {ratio - 1.96 * paired:.3f} to "
                 f"{ratio + 1.96 * paired:.3f}, but you returned {low:.3f} to {high:.3f}.")


LARGER, SMALLER, OPEN = "larger", "smaller", "not told apart"
CLAIMS = {      # what was measured, and what it allows to say of the first error
    "a": ("frequency 2: MAML 7.0 ± 0.5, pretrained 6.5 ± 0.4; paired difference 0.54 ± 0.25", LARGER),
    "b": ("methods A 4.8 ± 0.4 and B 4.7 ± 0.3, on the same tasks; paired difference 0.08 ± 0.20", OPEN),
    "c": ("frequency 1.25: MAML 2.2 ± 0.2, pretrained 3.1 ± 0.3; paired difference -0.82 ± 0.17", SMALLER),
    "d": ("methods C 0.80 ± 0.08 and D 0.90 ± 0.08, on separate tasks", OPEN),
}


def check_claims(answer: object) -> str:
    """03.6: a verdict on each of four comparisons."""
    given = filled(answer, dict.fromkeys(CLAIMS, (SMALLER, LARGER, OPEN)))
    if wrong := [misread(key, given[key], right) for key, (_, right) in CLAIMS.items() if given[key] != right]:
        raise all_of(wrong)
    return "The interval of the difference decides, and not whether two intervals overlap."


def misread(key: str, said: str, right: str) -> Misconception:
    """What is wrong with one verdict."""
    if right == OPEN:
        return Misconception("a difference read off two means", f"look at {key}: the interval of the difference "
                             f"holds 0, so these tasks do not tell which error is larger.")
    if said == OPEN:
        return Misconception("overlapping intervals read as no difference", f"look at {key}: both methods met the "
                             f"same tasks, and the interval of their paired difference leaves out 0.")
    return Misconception("the sign of the difference", f"look at {key}: the difference is the first error minus the "
                         f"second.")
