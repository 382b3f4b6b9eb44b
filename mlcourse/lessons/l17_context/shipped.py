"""The Transformers that lesson 17 ships: one for linear regression in 5 dimensions, a small one for lines.

    python -m mlcourse.lessons.l17_context.shipped        # trains them again and writes all files
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from mlcourse import checkpoint
from mlcourse.context import InContext, by_prefix, errors, ridge
from mlcourse.learners import MAML
from mlcourse.lessons.l17_context import maml
from mlcourse.lessons.l17_context.training import LINE, LONG, Setting, learn
from mlcourse.system import paths
from mlcourse.system.machine import one_core

SEED = 0
JUDGED, PROMPTS = 4000, 17          # prompts that the card speaks of, and their seed
SETTINGS = {"context-regression": LONG, "context-line": LINE}
COMMAND = "python -m mlcourse.lessons.l17_context.shipped"


def path(name: str) -> Path:
    """Where one of SETTINGS lies."""
    return paths.DATA / "checkpoints" / f"{name}.safetensors"


@cache
def load(name: str = "context-regression") -> InContext:
    """A trained Transformer, one of SETTINGS, in eval mode."""
    return checkpoint.load(path(name), into=SETTINGS[name].model())[0]


def card(name: str) -> dict:
    """The card of one of SETTINGS."""
    return checkpoint.card_of(path(name))


def regression() -> InContext:
    """The Transformer for d = 5, noise 0.5 and prompts of 11 points."""
    return load("context-regression")


def line() -> InContext:
    """The Transformer for d = 1, noise 0.5 and prompts of 11 points."""
    return load("context-line")


def maml_line() -> MAML:
    """MAML for the prompts of `line`, in eval mode; `maml.by_pairs` predicts with it."""
    return checkpoint.load(path("context-line-maml"))[0]


def to_ridge(model: Callable[[Tensor, Tensor], Tensor], setting: Setting, prompts: int = JUDGED) -> float:
    """The mean error of a model after d pairs and more, to clean targets, as a share of that of the Bayes predictor."""
    judged = setting.tasks().sample(prompts, torch.Generator().manual_seed(PROMPTS))
    with torch.no_grad():
        own = errors(model(judged.x, judged.y), judged.clean)
    best = errors(by_prefix(ridge(setting.noise**2), judged.x, judged.y), judged.clean)
    return float(own[:, setting.dims:].mean() / best[:, setting.dims:].mean())


def store_maml(prompts: int = JUDGED, steps: int = maml.TRAINING["steps"]) -> None:
    """Meta-train MAML on lines and write it with its card."""
    with one_core():
        learner = maml.trained(LINE.tasks(), SEED, steps)
        share = to_ridge(lambda x, y: maml.by_pairs(learner, x, y), LINE, prompts)
    written = {"source": "random linear regressions", "training": maml.TRAINING | {"steps": steps, "seed": SEED},
               "command": COMMAND, "error_to_ridge": round(share, 4), "prompts": prompts}
    checkpoint.save(path("context-line-maml"), learner, written)
    print(f"context-line-maml: {share:.3f} of ridge's error, {path('context-line-maml').stat().st_size:,} bytes")


def store(name: str, setting: Setting, prompts: int = JUDGED) -> None:
    """Train a Transformer and write it with its card."""
    model, began = setting.model(SEED), time.thread_time()
    with one_core():
        for _ in learn(setting, model, SEED):
            pass
    seconds = round(time.thread_time() - began, 1)
    written = {"source": "random linear regressions", "settings": model.config,
               "training": asdict(setting) | {"seed": SEED},
               "command": COMMAND, "error_to_ridge": round(to_ridge(model.eval(), setting, prompts), 4),
               "prompts": prompts, "core_seconds": seconds}
    checkpoint.save(path(name), model, written, rebuilds=False)
    print(f"{name}: {written['error_to_ridge']} of ridge's error, {path(name).stat().st_size:,} bytes, {seconds} s")


if __name__ == "__main__":
    for each in SETTINGS.items():
        store(*each)
    store_maml()
