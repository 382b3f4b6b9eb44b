"""The arms of `mlcourse study meta-transfer` under short names: what the lesson reads of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mlcourse.lessons.l05_meta_sgd.figures import by_arm
from mlcourse.lessons.l05_meta_sgd.study_meta_transfer import (FULL, HALF, NEITHER, NO_META, NO_PRETRAIN, NO_RATES,
                                                               NOTHING)
from mlcourse.statistics import cell

ARMS = {                # what the outer steps are spent on, and the arm's name in the rows
    "A": ("600 Meta-SGD", NO_PRETRAIN),
    "B": ("600 MAML", NEITHER),
    "C": ("300 pretraining, 300 Meta-SGD", FULL),
    "D": ("300 pretraining, 300 MAML", NO_RATES),
    "E": ("300 Meta-SGD, no more", HALF),
    "F": ("600 pretraining, fine-tuned", NO_META),
    "G": ("none, fine-tuned", NOTHING),
}
TARGETS = {             # the domain, and whether after five steps
    "new scripts": ("glyphs", False), "digits": ("digits", False), "digits, 5 steps": ("digits", True),
}
Accuracies = Mapping[tuple[str, str], np.ndarray]


def accuracies(rows: Sequence[dict]) -> Accuracies:
    """{(arm, target): accuracy in per cent of every seed}, the arms by their letter, where it was measured."""
    found = {}
    for target, (domain, five) in TARGETS.items():
        shown = by_arm([row for row in rows if row["split"] != "val" and row["domain"] == domain
                        and (row["steps"] == 5) == five], "accuracy")
        found |= {(arm, target): shown[name] for arm, (_, name) in ARMS.items() if name in shown}
    return found


def validation(rows: Sequence[dict]) -> dict[str, float]:
    """{arm: accuracy in per cent on the validation scripts}, at the setting chosen there, of the one seed that settings
    were chosen by. An arm that takes over another's setting was not measured there."""
    shown = by_arm([row for row in rows if row["split"] == "val"], "accuracy")
    return {arm: round(float(shown[name].max()), 1) for arm, (_, name) in ARMS.items() if name in shown}


def table(found: Accuracies) -> str:
    """A line for each arm: its accuracy on every target, with the 95 % t interval over seeds."""
    lines = [f"{'   outer steps':33s}" + "".join(f"{target:>17s}" for target in TARGETS)]
    for arm, (spent, _) in ARMS.items():
        values = (cell(found.get((arm, target), ())).replace(" ± ", "±") for target in TARGETS)
        lines.append(f"{arm}  {spent:30s}" + "".join(f"{value:>17s}" for value in values))
    return "\n".join(lines)
