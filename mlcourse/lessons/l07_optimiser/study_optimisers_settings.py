"""Where the optimisers race: functions, how far away they start, and how many steps they have."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.optimisers import Quadratics, of_condition, random_quadratics

TUNING, TEST = 1, 2                 # two sets of functions of each seed; the training draws others


class Setting(NamedTuple):
    """How a race differs from that of the training. condition: of every function; None: random quadratics."""

    steps: int = 100
    start: float = 1.0
    condition: float | None = None


TRAINED = "as trained"
SETTINGS: dict[str, Setting] = {
    TRAINED: Setting(),
    "200 steps": Setting(steps=200),
    "500 steps": Setting(steps=500),
    "start 10 times as far": Setting(start=10.0),
    "condition 10": Setting(condition=10.0),
    "condition 100,000": Setting(condition=1e5),
}


def functions(setting: Setting, count: int, seed: int, which: int) -> tuple[Quadratics, Tensor]:
    """The functions of a seed, TUNING or TEST, and their starts, in float64. They depend on nothing else: all
    optimisers race on the same ones, and those of one condition differ from those of another in eigenvalues alone."""
    generator = torch.Generator().manual_seed(1000 * which + seed)
    if setting.condition is None:
        f, start = random_quadratics(count, generator)
    else:
        f, start = of_condition(setting.condition, count, generator)
    return f.to(torch.float64), setting.start * start.double()
