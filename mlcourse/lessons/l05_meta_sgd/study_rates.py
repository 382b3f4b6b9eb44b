"""How fine should rates be? Sinusoids, and one fixed rate, one learned, one for each tensor, one for each weight.

All arms have the same network, the same batches of 25 tasks and the same number of outer steps. The outer rate of each
arm was chosen on validation tasks (rows of split "val", seed CHOOSING).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

import torch
from torch import nn

from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.evaluate import evaluate
from mlcourse.learner import Learner
from mlcourse.learners import MAML, MetaSGD
from mlcourse.lessons.l05_meta_sgd.figures import granularity
from mlcourse.lessons.l05_meta_sgd.signs import agreement_at_theta, signs
from mlcourse.nets import MLP, Params
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Option, Study
from mlcourse.train import train

KEY = ("arm", "outer_rate", "split", "shot", "seed")
CHOOSING, VALIDATION, TEST = 100, 1, 2          # a training seed; seeds of two sets of tasks
SHOTS = (10, 5)
OUTER_RATES = (3e-3, 1e-2)
FIXED, ONE, TENSOR, WEIGHT, POSITIVE, CLAMPED = (
    "fixed at 0.01 (MAML)", "one learned rate", "one for each tensor", "one for each weight (Meta-SGD)",
    "one for each weight, never negative", "Meta-SGD, negative rates set to 0 at test")
CHOSEN: dict[str, float] = {FIXED: 1e-2, ONE: 1e-2, TENSOR: 3e-3, WEIGHT: 1e-2, POSITIVE: 1e-2}


@dataclass(frozen=True)
class Budget:
    """steps: outer steps of every arm, each of `tasks` tasks. judged: validation and test tasks. weights: whose signs
    are compared (`sign_facts`)."""

    steps: int = 3000
    tasks: int = 25
    judged: int = 600
    weights: int = 300


class SharedRates(MetaSGD):
    """Meta-SGD with fewer rates: one for each tensor of the network, or one for all of them (`together`).

    The start of a shared rate is the middle of [low, high].
    """

    stacks = True

    def __init__(self, net: nn.Module, together: bool, low: float = 0.005, high: float = 0.02):
        super().__init__(net, low, high)
        self.together = together
        names = ["all"] if together else list(self.alpha)
        self.alpha = nn.ParameterDict({name: nn.Parameter(torch.tensor((low + high) / 2)) for name in names})

    def rates(self) -> Params:
        """α by the name of the parameter that it belongs to: scalars."""
        names = [name for name, _ in self.net.named_parameters()]
        return {name: self.alpha["all" if self.together else name.replace(".", "/")] for name in names}


ARMS: dict[str, Callable[[int], Learner]] = {
    FIXED: lambda seed: MAML(MLP(seed=seed), lr=0.01),
    ONE: lambda seed: SharedRates(MLP(seed=seed), together=True),
    TENSOR: lambda seed: SharedRates(MLP(seed=seed), together=False),
    WEIGHT: lambda seed: MetaSGD(MLP(seed=seed), low=0.005, high=0.02, seed=seed),
    POSITIVE: lambda seed: MetaSGD(MLP(seed=seed), low=0.005, high=0.02, seed=seed),
}


@torch.no_grad()
def clamp(learner: MetaSGD) -> None:
    """Set every negative rate to 0."""
    for alpha in learner.alpha.values():
        alpha.clamp_(min=0)


def trained(arm: str, outer_rate: float, seed: int, budget: Budget) -> Learner:
    """One arm, trained on 10 support and 10 query points."""
    learner = ARMS[arm](seed)
    phases = learner.phases(SinusoidSampler(10, 10), budget.steps, tasks=budget.tasks, lr=outer_rate)
    if arm == POSITIVE:
        phases = [replace(phases[0], after=lambda batch: clamp(learner))]
    train(learner, phases, seed=seed, progress=False)
    return learner


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """The keys of the seeds' rows, and before them, if the outer rates are to be chosen, those of every rate on
    validation tasks."""
    trained_ones = [(arm, rate, "val", CHOOSING) for arm in ARMS for rate in OUTER_RATES] if asked.choose else []
    for seed in asked.seeds:
        trained_ones += [(arm, rate, "test", seed) for arm, rate in (*CHOSEN.items(), (CLAMPED, CHOSEN[WEIGHT]))]
    return [(arm, rate, split, shot, seed) for arm, rate, split, seed in trained_ones for shot in SHOTS]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`; an arm is trained once for all its rows."""
    trainings = dict.fromkeys((WEIGHT if arm == CLAMPED else arm, rate, split, seed)
                              for arm, rate, split, _, seed in todo)
    for arm, rate, split, seed in trainings:
        learner = trained(arm, rate, seed, budget)
        wanted = {arm: learner}
        if arm == WEIGHT and split == "test":
            wanted[CLAMPED] = copy.deepcopy(learner)
            clamp(wanted[CLAMPED])
        agreements = sign_facts(learner, budget.weights) if arm == WEIGHT else {}
        for name, each in wanted.items():
            for shot in SHOTS:
                if (name, rate, split, shot, seed) in todo:
                    yield judged(name, each, rate, split, shot, seed, budget) | (agreements if name == WEIGHT else {})


def judged(arm: str, learner: Learner, outer_rate: float, split: str, shot: int, seed: int, budget: Budget) -> dict:
    """Its mean squared error after one step on `shot` points."""
    negative = round(float(learner.negative_rates()), 4) if isinstance(learner, MetaSGD) else None
    which = "--choose --seed 0" if split == "val" else f"--seed {seed}"
    result = evaluate(learner, SinusoidSampler(shot, 100), budget.judged, steps=1,
                      seed=TEST if split == "test" else VALIDATION)
    return {"arm": arm, "outer_rate": outer_rate, "split": split, "shot": shot, "steps": 1,
            "mse": round(result.mean, 4), "ci95": round(result.ci95, 4), "episodes": budget.judged,
            "negative_rates": negative, **facts(f"mlcourse study rates {which}", seed)}


def sign_facts(learner: MetaSGD, weights: int) -> dict:
    """agree_at_theta: `agreement_at_theta` of 200 tasks. signs_agree: among the fifth of so many weights whose rates
    are worth most, the share whose rate has the sign of the mean product (see `signs`); negative_there: the share of
    negative rates among them."""
    tasks = SinusoidSampler(10, 100).sample(200, torch.Generator().manual_seed(VALIDATION))
    theta, alpha = ({name: p.detach() for name, p in params.items()} for params in (learner.theta(), learner.rates()))
    found = signs(learner.net, theta, alpha, tasks, weights)
    top = found.worth.argsort(descending=True)[:weights // 5]
    agree = (found.rate[top] > 0) == (found.product[top] > 0)
    return {"agree_at_theta": round(agreement_at_theta(learner.net, theta, tasks), 4),
            "signs_agree": round(float(agree.float().mean()), 4),
            "negative_there": round(float((found.rate[top] < 0).float().mean()), 4)}


def line(row: dict) -> str:
    """The row as a line of a table."""
    return (f"{row['arm']:42s} β {row['outer_rate']:g}  {row['split']:4s} seed {row['seed']:3d}  "
            f"{row['shot']:2d} points  {row['mse']:.3f} ± {row['ci95']:.3f}")


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """Every arm's error."""
    return {"": granularity(found, (FIXED, ONE, TENSOR, WEIGHT))}


STUDY = Study(
    "rates",
    """Lesson 05: one fixed rate, one learned, one for each tensor, one for each weight, on sinusoids.

    3,000 outer steps and 600 test tasks each; about a minute for each seed on two cores, and two for --choose.""",
    ("--choose", "--seed 0"), KEY, Budget(), plan, rows, line, pictures=pictures,
    options=(Option("choose", bool, "Measure all settings on validation data first."),))
