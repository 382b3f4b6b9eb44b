"""Train a method on a domain: what `mlcourse train` does."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch

from mlcourse import checkpoint, held_out
from mlcourse.assess import check_unseen, on_the_runs
from mlcourse.datasets.notes import say
from mlcourse.division import Fold
from mlcourse.domains import Domain
from mlcourse.domains.identity import contents
from mlcourse.evaluate import EVALUATION_SEED, Result, check_episodes, evaluate, scores, summed
from mlcourse.job import RUNS, Job, Work, check_job, divided, prepare
from mlcourse.learners import Method
from mlcourse.nets.chosen import is_own
from mlcourse.system.provenance import commit, versions
from mlcourse.train import train

STATE = "training.safetensors"
MODEL = "model.safetensors"


def run_training(job: Job, out: Path, data_dir=None, progress: bool = True, check_engine: bool = False,
                 compile: bool = False) -> tuple[Result, Path]:
    """Train, save a checkpoint with its card under `out`, and report the test result.

    If `out` holds a run of the same job (`episodes` and `device` may differ) on the same data, interrupted or complete,
    training goes on from there, unless a network of the user's own computes something else by now. Data are the same
    where their classes hold the same pictures, wherever they lie.
    Where no test split can be held out (`division.divide`) the result is that of a cross-validation, and the checkpoint
    is trained on all classes. check_engine, compile: as in `train`.
    Raises ValueError for anything that does not fit, before anything is written.
    """
    entry = job.entry
    check_episodes(job.episodes)
    check_job(job)
    whole, division = divided(job, data_dir)
    folds = [None] if division is None else division.folds
    works = [prepare(job, entry, fold, data_dir) for fold in folds]
    final = works[0] if len(works) == 1 else prepare(job, entry, Fold(whole, whole), data_dir)
    if not is_own(job.net):
        checkpoint.describe(final.learner)
    shape = job.shape if is_own(job.net) else None
    data, pictures = None, None
    if division is not None:
        data, pictures = contents(division.parts), division.parts["train"].digests
        trained = held_out.Trained(pictures, division.parts["train"].classes)
        if job.domain == RUNS:
            check_unseen(final.test, trained)
        if progress:
            say([job.domain], [whole])
            print(f"{job.domain}: {division.said}\n" if division.said else "", end="", file=sys.stderr)

    def learn(work: Work, fold: str, on: dict | None) -> list[dict]:
        return train(work.learner, work.phases, seed=job.seed, path=out / f"{fold}{STATE}",
                     label=f"{fold}{job.label()}",
                     data=on, progress=progress, check_engine=check_engine, compile=compile, shape=shape)

    said = {"train_way": final.train_way, "command": job.command()}
    if len(works) > 1:
        for number, (work, fold) in enumerate(zip(works, folds, strict=True), 1):
            learn(work, f"fold{number}.", contents({"train": fold.train}))
        result = _crossed(works, folds, job, entry, whole, said)
    records = learn(final, "", data)
    if job.domain == RUNS:
        result = on_the_runs(final.learner, entry, final.test, trained, steps=entry.test_steps, **said)
    elif len(works) == 1:
        result = evaluate(final.learner, final.test, job.episodes, steps=entry.test_steps, name=entry.name,
                          commit=commit(), note=folds[0].note if folds[0] else "", **said)
    card = {"job": asdict(job), "training": final.training, "losses": [round(r["loss"], 5) for r in records[-200:]],
            "result": asdict(result), "versions": versions(), "data": data, "train_classes": final.classes,
            "split_by": division.by if division else None}
    checkpoint.save(out / MODEL, final.learner, card, rebuilds=not is_own(job.net), pictures=pictures,
                    shape=shape)
    return result, out / MODEL


def _crossed(works: Sequence[Work], folds: Sequence[Fold], job: Job, entry: Method, whole: Domain,
             said: dict) -> Result:
    """The result of a cross-validation: the mean over the episodes of all folds, each with its share of them."""
    start, first = time.perf_counter(), works[0]
    each = -(-job.episodes // len(works))
    values = torch.cat([scores(work.learner, work.test, each, steps=entry.test_steps) for work in works])
    steps = getattr(first.learner, "steps", 0) if entry.test_steps is None else entry.test_steps
    fewest = min(len(fold.test.classes) for fold in folds)
    note = "; ".join([f"{len(folds)} folds of {fewest} or more classes",
                      *dict.fromkeys(f.note for f in folds if f.note)])
    result = summed(values, first.learner, first.test, seed=EVALUATION_SEED, seconds=time.perf_counter() - start,
                    steps=steps, name=entry.name, split="cross-validated", commit=commit(), note=note, **said)
    return replace(result, domain=whole.name)
