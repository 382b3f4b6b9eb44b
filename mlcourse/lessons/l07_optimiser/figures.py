"""What lesson 07 shows of the rows of its studies."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mlcourse.lessons.l07_optimiser import study_optimisers_arms as arms
from mlcourse.lessons.l07_optimiser.study_optimisers_settings import TRAINED
from mlcourse.statistics import Estimate, paired_difference, t_interval

SHOWN = (arms.LEARNED, arms.SGD, arms.MOMENTUM, arms.ADAM, arms.BETAS_TOO, arms.AGAIN, arms.CG)
FAR, WELL, ILL, LONG = "start 10 times as far", "condition 10", "condition 100,000", "500 steps"
COLUMNS = {"as trained": (TRAINED, "mean_loss"), "500 steps": (LONG, "mean_loss"), "start 10×": (FAR, "mean_loss"),
           "κ 10": (WELL, "mean_loss"), "κ 100,000": (ILL, "mean_loss"),
           "left, 500": (LONG, "last"), "left, 10×": (FAR, "last")}


def by_seed(rows: Sequence[dict], arm: str, setting: str, field: str = "mean_loss") -> dict[int, float]:
    """{seed: value} of an arm in a setting; of the field "last", what is left, the decimal logarithm. Raises ValueError
    where there is none."""
    which = {"arm": arm, "setting": setting, "split": "test"}
    value = (lambda x: math.log10(x)) if field == "last" else float
    found = {row["seed"]: value(row[field]) for row in rows if which.items() <= row.items()}
    if not found:
        raise ValueError(f"there is no row of {arm} in the setting {setting}")
    return found


def apart(rows: Sequence[dict], other: str, column: str) -> Estimate:
    """The learned optimiser less another one in a column of the table, paired over seeds; of what is left the decimal
    logarithms. Raises ValueError for a name or a column that the table does not have."""
    if other not in SHOWN or column not in COLUMNS:
        raise ValueError(f"the table has the names {'; '.join(SHOWN)} and the columns {'; '.join(COLUMNS)}, got "
                         f"{other!r} and {column!r}")
    setting, field = COLUMNS[column]
    return paired_difference(*(by_seed(rows, arm, setting, field) for arm in (arms.LEARNED, other)))


def table(rows: Sequence[dict]) -> str:
    """A line for each arm: mean losses in five settings, and what is left after the last step in two."""
    lines = [f"{'':19s}" + "".join(f"{head:>11s}" for head in COLUMNS)]
    for arm in SHOWN:
        cells = []
        for setting, field in COLUMNS.values():
            value = t_interval(by_seed(rows, arm, setting, field).values()).mean
            cells.append(shown(10**value if field == "last" else value, field))
        lines.append(f"{arm:19s}" + "".join(f"{cell:>11s}" for cell in cells))
    return "\n".join(lines)


def shown(value: float, field: str) -> str:
    """A number of the table: what is left with a digit, a mean loss with two after the point, large ones whole."""
    if value >= 10:
        return f"{value:.0f}"
    return f"{value:.1g}" if field == "last" else f"{value:.2f}"
