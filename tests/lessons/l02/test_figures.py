"""Lesson 02's picture and crossovers, on rows that are made up."""

import math

import torch

from mlcourse.exercises import exercise
from mlcourse.lessons.l02_transfer import figures, gaps
from mlcourse.lessons.l02_transfer.sources import NONE, SOURCES

KS = (1, 2, 5)
GAINS = {"typeset": (5, 3, 1), "glyphs": (5, 3, 0), "inverted": (0, 3, 0), "permuted": (-1, 0, -2)}


def rows():
    """Accuracies of three seeds; a source's gain over scratch differs by 0.1 from seed to seed."""
    made = lambda source, arm, k, value: [{"source": source, "arm": arm, "k": k, "seed": seed, "accuracy": value + seed}
                                          for seed in range(3)]
    found = [row for k in KS for arm in ("fine-tuned", "head on 0") for row in made(NONE, arm, k, 50.0 + k)]
    for source in SOURCES:
        for k, gain in zip(KS, GAINS[source], strict=True):
            found += [{**row, "accuracy": row["accuracy"] + 0.1 * row["seed"] - 0.1}
                      for row in made(source, "fine-tuned", k, 50.0 + k + gain)]
    return found


def test_a_crossover_is_the_last_failure_onwards_and_that_of_the_exercise():
    found, answer = rows(), exercise("02.3").reference()
    assert {source: figures.ends(found, source) for source in SOURCES} == {
        "typeset": math.inf, "glyphs": 5, "inverted": 5, "permuted": 1}
    five = [row | {"seed": row["seed"] + 3 * copy} for copy in (0, 1) for row in found if row["seed"] + 3 * copy < 5]
    by_k = lambda source: {k: torch.tensor(list(gaps.at(five, (source, "fine-tuned"), k).values())) for k in KS}
    for source in SOURCES:
        assert answer(by_k(source), by_k(NONE)) == figures.ends(five, source)


def test_the_picture_says_every_gain():
    shown = figures.gains(rows())
    assert "typeset beyond 5, glyphs 5, inverted 5, permuted 1 (never)" in shown.alt
    assert "typeset: +5.0 ± 0.2, +3.0 ± 0.2, +1.0 ± 0.2" in shown.alt
    assert "pixels, no source: +0.0" in shown.alt


def test_where_labels_are_many_the_arm_of_more_steps_is_read_if_it_was_measured():
    found = [{"source": NONE, "arm": arm, "k": k, "seed": 0, "accuracy": value}
             for arm, k, value in (("fine-tuned", 5, 1.0), ("fine-tuned", 10, 2.0), ("fine-tuned longer", 10, 3.0))]
    assert {k: float(value) for k, value in figures.by_k(found, NONE).items()} == {5: 1.0, 10: 3.0}
    assert figures.fine_tuning(found[:2], 10) == "fine-tuned"
