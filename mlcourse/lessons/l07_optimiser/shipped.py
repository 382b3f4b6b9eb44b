"""The learned optimiser that the course ships, and the settings of those that it races.

    python -m mlcourse.lessons.l07_optimiser.shipped        # trains and tunes them again, and writes both files
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

from mlcourse import checkpoint
from mlcourse.lessons.l07_optimiser import study_optimisers_arms as arms
from mlcourse.lessons.l07_optimiser.study_optimisers import OUTER_RATE, Budget
from mlcourse.lessons.l07_optimiser.study_optimisers_settings import SETTINGS, TEST, TRAINED, TUNING, functions
from mlcourse.optimisers import LearnedOptimiser, run
from mlcourse.system import paths

SEED = 0                # none of those that the study reports
TUNED = (arms.SGD, arms.MOMENTUM, arms.ADAM, arms.BETAS_TOO)
COMMAND = "python -m mlcourse.lessons.l07_optimiser.shipped"


def path() -> Path:
    """Where it lies."""
    return paths.DATA / "checkpoints" / "optimiser-quadratics.safetensors"


def learned() -> LearnedOptimiser:
    """The learned optimiser, trained as the study trains it, on functions of seed SEED. It steps in float32."""
    optimiser, _ = checkpoint.load(path(), into=LearnedOptimiser())
    return optimiser


def tuned(arm: str) -> tuple[str, arms.Race]:
    """An arm of TUNED as it was tuned on functions of the same seed: its setting in words, and its race."""
    setting = checkpoint.card_of(path())["tuned"][arm]
    return setting, arms.candidates(arm)[setting]


def store(budget: Budget | None = None) -> None:
    """Train the optimiser, tune the others, and write what came out with its card. budget: the study's."""
    budget, setting = budget or Budget(), SETTINGS[TRAINED]
    optimiser = arms.trained(SEED, budget.batches, budget.batch, OUTER_RATE)
    judged = run(deepcopy(optimiser).double(), *functions(setting, budget.judged, SEED, TEST), setting.steps)
    on = functions(setting, budget.tuning, SEED, TUNING)
    card = {"source": "random quadratics of 10 numbers",
            "training": {"batches": budget.batches, "batch": budget.batch, "steps": setting.steps, "stretch": 20,
                         "lr": OUTER_RATE, "seed": SEED},
            "command": COMMAND, "held_out_mean_loss": round(arms.total(arms.bounded(judged)), 3),
            "tuned": {arm: arms.tuned(arm, *on, setting.steps)[0] for arm in TUNED}}
    checkpoint.save(path(), optimiser, card, rebuilds=False)
    print(f"mean loss over {setting.steps} steps of held-out functions {card['held_out_mean_loss']}, "
          f"{path().stat().st_size:,} bytes")


if __name__ == "__main__":
    store()
