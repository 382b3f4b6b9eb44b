"""What lesson 07 shows of the rows of its studies."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mlcourse.lessons.l07_optimiser import study_optimisers_arms as arms
from mlcourse.lessons.l07_optimiser.study_optimisers_settings import TRAINED
from mlcourse.statistics import Estimate, paired_difference, t_interval

SHOWN = (arms.LEARNED, arms.SGD, arms.MOMENTUM, arms.ADAM, arms.BETAS_TOO, arms.CLOSED, arms.CG)
COLUMNS = ((TRAINED, "mean_loss", "as trained"), ("start 10 times as far", "mean_loss", "start 10×"),
           ("condition 100,000", "mean_loss", "κ 100,000"), ("500 steps", "last", "left at 500"))


def by_seed(rows: Sequence[dict], arm: str, setting: str, field: str = "mean_loss") -> dict[int, float]:
    """{seed: value} of an arm in a setting; of the field "last", what is left, the decimal logarithm. Raises ValueError
    where there is none."""
    which = {"arm": arm, "setting": setting, "split": "test"}
    value = (lambda x: math.log10(x)) if field == "last" else float
    found = {row["seed"]: value(row[field]) for row in rows if which.items() <= row.items()}
    if not found:
        raise ValueError(f"there is no row of {arm} in the setting {setting}")
    return found


def apart(rows: Sequence[dict], other: str, setting: str, field: str = "mean_loss") -> Estimate:
    """The learned optimiser less another one, paired over seeds."""
    return paired_difference(*(by_seed(rows, arm, setting, field) for arm in (arms.LEARNED, other)))


def table(rows: Sequence[dict]) -> str:
    """A line for each arm: mean losses in three settings, and what is left after 500 steps."""
    lines = [f"{'':26s}" + "".join(f"{head:>14s}" for _, _, head in COLUMNS)]
    for arm in SHOWN:
        cells = []
        for setting, field, _ in COLUMNS:
            value = t_interval(by_seed(rows, arm, setting, field).values()).mean
            cells.append(f"{10**value:.1g}" if field == "last" else f"{value:.2f}" if value < 10 else f"{value:.0f}")
        lines.append(f"{arm:26s}" + "".join(f"{cell:>14s}" for cell in cells))
    return "\n".join(lines)
