"""What a memory learns: to copy, against an LSTM; and to bind labels in a stream, against an LSTM and the nearest
neighbour.

Copying: 8 bits, lengths 1 to 10, an NTM of 32 rows and an LSTM, each until it is good enough or its updates are spent.
Judged on fresh sequences, longer ones too, the NTM also with 128 rows, and without a part of its addressing.
Streams: 5 classes 6 times each, embeddings of the shipped ProtoNet, labels a step late. All arms of a seed are judged
on the same streams of the test scripts, which neither the ProtoNet nor an arm saw. Settings were chosen on the
validation scripts with seed 0; the seeds from FIRST on had not been looked at then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from mlcourse.lessons.l09_memory.embeddings import embedded
from mlcourse.lessons.l09_memory.study_memory_picture import found
from mlcourse.memory import (MANN, NTM, Controls, CopyLSTM, KeyValue, StreamLSTM, Streams, by_presentation,
                             elimination_bound, guesses, nearest, tape, train_copy, train_stream, wrong_bits)
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Study

KEY = ("part", "arm", "split", "seed")
FIRST = 5
COPY, STREAM = "copy", "stream"
BY_NTM, BY_LSTM = "NTM", "LSTM"
NEAREST, PLAIN, STRONG, REPAIR = "nearest neighbour", "MANN", "MANN with strength", "key–value memory"
NO_FIRST = "MANN with strength, no first loss"          # the loss leaves first presentations out, as that of REPAIR
ARMS = {COPY: (BY_NTM, BY_LSTM), STREAM: (NEAREST, BY_LSTM, PLAIN, STRONG, NO_FIRST, REPAIR)}
BITS, LENGTHS, MORE = 8, (5, 10, 20, 40), 128
ENOUGH, EVERY, LONGEST = 0.05, 100, 10
WAY, TIMES = 5, 6
RATES = {BY_NTM: 3e-3, BY_LSTM: 3e-3}           # of the copying arms


@dataclass(frozen=True)
class Budget:
    """ntm, copy_lstm: updates of the copying arms, at most. lstm, mann, repair: of those in the streams, mann of all
    three kinds of MANN. sequences, streams: judged."""

    ntm: int = 1500
    copy_lstm: int = 4000
    lstm: int = 2800
    mann: int = 2800
    repair: int = 400
    sequences: int = 100
    streams: int = 500


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every arm of both parts with every seed."""
    return [(part, arm, "test", seed) for seed in asked.seeds for part, arms in ARMS.items() for arm in arms]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`. seconds: of the processor, not of the clock, spent in training."""
    for part, arm, split, seed in todo:
        found = copied(arm, seed, budget) if part == COPY else bound(arm, split, seed, budget)
        yield {"part": part, "arm": arm, "split": split, **found, **facts(f"mlcourse study memory --seed {seed}", seed)}


def copied(arm: str, seed: int, budget: Budget) -> dict:
    """Wrong bits of a sequence by its length; those of an NTM with MORE rows, and at length LONGEST without a part."""
    model = NTM(BITS, seed=seed) if arm == BY_NTM else CopyLSTM(BITS, seed=seed)
    most = budget.ntm if arm == BY_NTM else budget.copy_lstm
    updates, seconds = until_it_copies(model, most, RATES[arm], seed)
    judge = lambda model, length: round(wrong_bits(model, length, BITS, budget.sequences, seed + 1), 3)
    found = {"updates": updates, "train_seconds": seconds, "wrong": {str(n): judge(model, n) for n in LENGTHS}}
    if arm == BY_NTM:
        found["wrong_128"] = {str(n): judge(lambda x: model(x, MORE), n) for n in LENGTHS}
        found["without"] = {part: judge(lambda x, part=part: without(model, x, part), LONGEST) for part in PARTS}
    return found


def until_it_copies(model: nn.Module, most: int, lr: float, seed: int) -> tuple[int, float]:
    """Train until fewer than ENOUGH bits of a fresh sequence of length LONGEST are wrong, looked at every EVERY
    updates, or `most` are done: the updates and the seconds."""
    start, spent = time.process_time(), 0
    for spent, _ in enumerate(train_copy(model, BITS, most, longest=LONGEST, lr=lr, seed=seed), 1):
        if spent % EVERY == 0 and wrong_bits(model, LONGEST, BITS, seed=10_000 + seed + spent) < ENOUGH:
            break
    return spent, round(time.process_time() - start, 1)


def _no_content(heads: Controls) -> Controls:
    return _both(heads, lambda head: head._replace(gate=torch.zeros_like(head.gate)))


def _no_shift(heads: Controls) -> Controls:
    return _both(heads, lambda head: head._replace(moves=torch.tensor([0.0, 1.0, 0.0]).expand_as(head.moves)))


def _no_sharpening(heads: Controls) -> Controls:
    return _both(heads, lambda head: head._replace(gamma=torch.ones_like(head.gamma)))


def _both(controls: Controls, change: Callable) -> Controls:
    return controls._replace(read=change(controls.read), write=change(controls.write))


PARTS = {"content": _no_content, "shift": _no_shift, "sharpening": _no_sharpening}


def without(ntm: NTM, x: Tensor, part: str) -> Tensor:
    """The logits of an NTM that was trained with all parts and now lacks one: its gate never opens to the content, its
    heads never move, or γ = 1."""
    return tape(ntm, x, lambda t, controls, memory: (PARTS[part](controls), memory)).logits


def bound(arm: str, split: str, seed: int, budget: Budget) -> dict:
    """The share of right guesses at each presentation."""
    judged = Streams(embedded(split), WAY, TIMES).sample(budget.streams, torch.Generator().manual_seed(seed + 1))
    if arm == NEAREST:
        guessed, updates, seconds = nearest(judged), 0, 0.0
    else:
        model, updates, first = made(arm, embedded(split).shape[-1], seed, budget)
        start = time.process_time()
        for _ in train_stream(model, Streams(embedded("train"), WAY, TIMES), updates, first=first, seed=seed):
            pass
        guessed, seconds = guesses(model, judged, WAY), round(time.process_time() - start, 1)
    return {"updates": updates, "train_seconds": seconds,
            "accuracy": [round(float(share), 4) for share in by_presentation(guessed, judged)]}


def made(arm: str, inputs: int, seed: int, budget: Budget) -> tuple[nn.Module, int, bool]:
    """An untrained arm, its updates, and whether its loss counts first presentations."""
    if arm == BY_LSTM:
        return StreamLSTM(inputs, WAY, seed=seed), budget.lstm, True
    if arm == REPAIR:
        return KeyValue(inputs, WAY, seed=seed), budget.repair, False
    return MANN(inputs, WAY, strength=arm != PLAIN, seed=seed), budget.mann, arm != NO_FIRST


def line(row: dict) -> str:
    """The row as a line of a table."""
    head = (f"{row['part']:6s} {row['arm']:33s} seed {row['seed']:2d} {row['updates']:5d} updates "
            f"{row['train_seconds']:6.1f} s   ")
    if row["part"] == STREAM:
        return head + "right at each presentation, %: " + " ".join(f"{100 * share:5.1f}" for share in row["accuracy"])
    return head + "wrong bits: " + ", ".join(f"{wrong:.2f} at {n}" for n, wrong in row["wrong"].items())


def pictures(asked: SimpleNamespace, rows: Sequence[dict]) -> Mapping[str, Picture]:
    """Wrong bits by length, right guesses by presentation."""
    return {"": found(rows, elimination_bound(WAY))}


STUDY = Study(
    "memory",
    """A neural Turing machine that copies, memories that bind labels in a stream, an LSTM and the nearest neighbour.

    Copies of 5 to 40 items of 8 bits with 32 and 128 rows; streams of glyph embeddings whose labels come a step late,
    on held-out scripts. About seven minutes for each seed on one core.""",
    ("", "--seed 5"), KEY, Budget(), plan, rows, line, first=FIRST, pictures=pictures)
