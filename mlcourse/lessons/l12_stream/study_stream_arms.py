"""The streams and arms of `mlcourse study stream`, and what one strategy yields in one stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import torch

from mlcourse import datasets
from mlcourse.datasets import Form
from mlcourse.domains import Domain
from mlcourse.online import Played, Recipe, Task, arms, play, rainbow, recipes, stream, unadapted
from mlcourse.online.arms import DRIFT, HALF, RAINBOW, TOLD, UPRIGHT
from mlcourse.system.machine import one_core

SIZES = (20, 30, 40, 60, 80, 120, 160, 200)
THRESHOLD = 0.85
TASKS = 12                                          # one more in a drift
STREAMS = (HALF, UPRIGHT, RAINBOW, TOLD, DRIFT)     # that are reported
COLOURED = "colour and turn"                # like arms.ALL, for choosing settings alone
CHOOSING = 100                              # the seed for that
CHOOSING_STREAMS, CHOOSING_TASKS = (COLOURED, arms.ALL), 6
ONE_LOOK = (HALF, arms.ALL)

FTML, TUNED, EQUAL, TOE, SCRATCH, GDUMB_TUNED, GDUMB, ALONE, RANDOM = (
    "FTML", "fine-tune", "fine-tune, FTML's cost", "train on everything", "from scratch", "GDumb + fine-tune", "GDumb",
    "random features alone", "random features")


@dataclass(frozen=True)
class Arm:
    """plays: the strategy, by its name in `online.arms`. as_is: the arm that is trained alike and never adapts, which
    the same play gives. choices: the settings to choose from. chosen: which of them, in streams of several looks and of
    one. only: the streams that it is played in, all where none is named."""

    plays: str
    as_is: str = ""
    choices: tuple[Mapping[str, float], ...] = ({},)
    chosen: tuple[int, int] = (0, 0)
    only: tuple[str, ...] = ()

    def settings(self, stream: str) -> Mapping[str, float]:
        """The chosen ones in a stream."""
        return self.choices[self.chosen[stream in ONE_LOOK]]

    def plays_in(self, stream: str) -> bool:
        """Whether it is played in a stream."""
        return not self.only or stream in self.only


LARGER = {"lr": 5e-3, "batch": 200}          # quicker with many samples
# Gradients of samples for a part of the data: to learn, fine-tune takes 30 steps on 80, 2,400. FTML makes 15 updates on
# up to 8 tasks with 10 samples of each; an inner step, of 5, counts as 3 (a gradient and, on the way back, a Hessian's
# product, as dear as two: Pearlmutter 1994), the loss as 1: 19,200. The 16,800 more may go to the task at hand, too.
LONGER, WIDER, LATER = {"steps": 240}, {"batch": 640}, {"spare": 16_800}

ARMS = {
    FTML: Arm(FTML, choices=tuple({"alpha": alpha} for alpha in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)),
              chosen=(2, 5)),
    TUNED: Arm(TUNED, TOE, (*({"alpha": alpha} for alpha in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)),
                            *({"alpha": alpha} | LARGER for alpha in (0.02, 0.1, 0.4))), (3, 6)),
    EQUAL: Arm(TUNED, choices=tuple({"alpha": alpha} | spent for spent in (LONGER, WIDER, LATER)
                                    for alpha in (0.05, 0.1, 0.2, 0.4, 0.8)), chosen=(0, 13), only=ONE_LOOK),
    GDUMB_TUNED: Arm(GDUMB_TUNED, GDUMB, tuple({"alpha": alpha} | LARGER for alpha in (0.05, 0.4)), (0, 1)),
    SCRATCH: Arm(SCRATCH),
    ALONE: Arm(ALONE, RANDOM, ({"width": 0.3}, {"width": 0.1}, {"width": 1.0})),
}
CANDIDATES = (FTML, TUNED, EQUAL, ALONE)    # whose settings are chosen; GDumb's network has the rates of fine-tune
NAMES = (FTML, TOE, TUNED, EQUAL, SCRATCH, GDUMB, GDUMB_TUNED, RANDOM, ALONE)       # in the order of a table


def setting(settings: Mapping[str, float]) -> str:
    """Settings in words, as rows have them."""
    return ", ".join(f"{name} {value:g}" for name, value in settings.items())


@cache
def digits(side: int = 16) -> Domain:
    """The UCI digits, enlarged."""
    return datasets.load("digits", form=Form(side))


def order(name: str, tasks: int, seed: int) -> list[Recipe]:
    """The recipes of a stream; of the one for choosing alone, too. A drift has a task more where `tasks` is even."""
    if name == COLOURED:
        looks = rainbow(scales=(1.0,))
        shuffled = torch.randperm(len(looks), generator=torch.Generator().manual_seed(seed))[:tasks]
        return recipes([looks[i] for i in shuffled.tolist()])
    return arms.order(name, tasks + (name == DRIFT and tasks % 2 == 0), seed)


def tasks_of(domain: Domain, name: str, tasks: int, seed: int, samples: int = SIZES[-1]) -> list[Task]:
    """The tasks of a stream, which depend on the seed alone: the same for every arm."""
    return stream(domain, order(name, tasks, seed), samples, seed)


def met(arm: str, settings: Mapping[str, float], made: list[Task], domain: Domain, seed: int,
        sizes: tuple[int, ...] = SIZES) -> dict[str, Played]:
    """{arm: what it measured in the stream} of an arm and of the one that is trained alike and never adapts."""
    with one_core():
        strategy = arms.strategy(ARMS[arm].plays, domain, len(made) * sizes[-1], seed, settings)
        played = play(strategy, made, sizes, watched=len(made) // 2)
    return {arm: played} | ({ARMS[arm].as_is: unadapted(played)} if ARMS[arm].as_is else {})
