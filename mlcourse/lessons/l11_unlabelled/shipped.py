"""The small ProtoNet of lesson 11, trained for 150 steps as in lesson 08.

    python -m mlcourse.lessons.l11_unlabelled.shipped        # trains it again and writes both files
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mlcourse import checkpoint
from mlcourse.datasets import load_splits
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import evaluate
from mlcourse.learners import ProtoNet
from mlcourse.nets import Conv4
from mlcourse.system import paths
from mlcourse.train import train

TRAINING = {"way": 20, "shot": 1, "query": 3, "steps": 150, "lr": 0.01, "seed": 0}
COMMAND = "python -m mlcourse.lessons.l11_unlabelled.shipped"


def path() -> Path:
    """Where it lies."""
    return paths.DATA / "checkpoints" / "protonet-glyphs-small.safetensors"


@cache
def protonet() -> ProtoNet:
    """The learner in eval mode: 16 features, and layer norm, so that no statistic of a batch is in them."""
    learner, _ = checkpoint.load(path())
    return learner.eval()


def store(steps: int = TRAINING["steps"], episodes: int = 600) -> None:
    """Train it on the glyphs' training scripts and write it with its card."""
    splits, learner = load_splits("glyphs"), ProtoNet(Conv4(0, 16, "max", "layer", seed=TRAINING["seed"]))
    sampler = EpisodeSampler(splits.train, TRAINING["way"], TRAINING["shot"], TRAINING["query"])
    train(learner, learner.phases(sampler, steps, tasks=1, lr=TRAINING["lr"]), seed=TRAINING["seed"], progress=False)
    found = evaluate(learner, EpisodeSampler(splits.test, 5, 1), episodes)
    card = {"source": "glyphs, the training scripts", "training": TRAINING | {"steps": steps}, "command": COMMAND,
            "held_out_accuracy": round(found.mean, 4), "held_out": "test scripts, 5-way 1-shot", "episodes": episodes}
    checkpoint.save(path(), learner, card)


if __name__ == "__main__":
    store()
