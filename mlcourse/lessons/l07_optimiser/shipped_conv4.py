"""The LSTM meta-learner that the course ships: its memory is all of a Conv4, for 5-way 1-shot episodes of glyphs.

    python -m mlcourse.lessons.l07_optimiser.shipped_conv4        # trains it again and writes both files
"""

from __future__ import annotations

from pathlib import Path

from mlcourse import checkpoint
from mlcourse.datasets import load_splits
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import evaluate
from mlcourse.learners import MetaLSTM
from mlcourse.lessons.l07_optimiser import study_meta_lstm as study
from mlcourse.system import paths
from mlcourse.train import train

SEED = 0
COMMAND = "python -m mlcourse.lessons.l07_optimiser.shipped_conv4"


def path() -> Path:
    """Where it lies."""
    return paths.DATA / "checkpoints" / "meta-lstm-glyphs.safetensors"


def conv4() -> MetaLSTM:
    """The LSTM meta-learner whose memory is a Conv4 of 16 filters, in eval mode."""
    return checkpoint.load(path())[0]


def trained(budget: study.Budget) -> MetaLSTM:
    """Trained in second order as the study trains it with seed SEED; how it was trained does not matter at test."""
    (gate, rate), = study.CANDIDATES[study.WHOLE, study.LSTM_2]
    learner = study.made(study.WHOLE, study.LSTM_2, gate, 0, SEED, budget.width)
    sampler = EpisodeSampler(load_splits("glyphs").train, study.WAY, study.SHOT, budget.query)
    train(learner, learner.phases(sampler, budget.whole_steps, tasks=budget.whole_tasks, lr=rate), seed=SEED)
    same = study.made(study.WHOLE, study.LSTM, gate, 0, SEED, budget.width)
    same.load_state_dict(learner.state_dict())
    return same.eval()


def store(budget: study.Budget | None = None) -> None:
    """Train it and write it with its card. budget: the study's."""
    budget, rate = budget or study.Budget(), study.CANDIDATES[study.WHOLE, study.LSTM_2][0][1]
    learner = trained(budget)
    judged = evaluate(learner, EpisodeSampler(load_splits("glyphs").test, study.WAY, study.SHOT), budget.episodes)
    card = {"source": "glyphs, the training scripts",
            "training": {"way": study.WAY, "shot": study.SHOT, "query": budget.query, "order": 2, "lr": rate,
                         "steps": budget.whole_steps, "tasks": budget.whole_tasks, "seed": SEED},
            "command": COMMAND, "held_out_accuracy": round(judged.mean, 4), "held_out": "test scripts, 5-way 1-shot",
            "episodes": budget.episodes}
    checkpoint.save(path(), learner, card)
    print(f"{100 * judged.mean:.1f} ± {100 * judged.ci95:.1f} % on test scripts, {path().stat().st_size:,} bytes")


if __name__ == "__main__":
    store()
