"""The set VAE that the course ships: it has seen the training scripts of the glyphs.

    python -m mlcourse.lessons.l10_data.shipped        # trains it again and writes both files
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mlcourse import checkpoint
from mlcourse.lessons.l10_data.study_making_arms import Budget, FromSet, by_bound
from mlcourse.lessons.l10_data.study_making_judged import bound_of, quality
from mlcourse.nets.set_vae import SetVAE
from mlcourse.system import paths

DATA, SEED = "glyphs", 100
COMMAND = "python -m mlcourse.lessons.l10_data.shipped"


def path() -> Path:
    """Where it lies."""
    return paths.DATA / "checkpoints" / "set-vae-glyphs.safetensors"


@cache
def vae() -> SetVAE:
    """The trained set VAE, ready to sample."""
    model, _ = checkpoint.load(path(), into=SetVAE().half())
    return model.float().eval()


def store(budget: Budget | None = None) -> None:
    """Train it as the study does, round its weights to half precision, and write it with its card."""
    budget = budget or Budget()
    learner, seconds = by_bound(DATA, SEED, budget)
    learner.half().float()
    samples = quality(DATA, FromSet(learner.vae), 5, SEED, binary=True)
    card = {"source": "training scripts of glyphs in one frame, black and white, turned by 90° as further classes",
            "settings": learner.config, "training": {"steps": budget.bound, "classes": 16, "pictures": 5, "seed": SEED},
            "command": COMMAND, "core_seconds": seconds, "test": bound_of(DATA, learner), "samples": samples}
    checkpoint.save(path(), learner.vae.half(), card, rebuilds=False)
    print(f"{card['test']}; {samples}; {seconds} s; {path().stat().st_size:,} bytes")


if __name__ == "__main__":
    store()
