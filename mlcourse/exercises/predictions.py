"""Predict, then run: what a lesson asks before a result, the claim that its answer rests on, and what happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mlcourse.lesson import lessons


class Prediction(NamedTuple):
    """A question before a result. It lies in the lesson's folder, out of the learner's sight.

    id: such as "03.p1". question, options: what the learner reads. right: the option that holds. holds, happened: from
    the values that the notebook measures, by name, whether `right` holds for them, and a sentence that says what
    happened.
    """

    id: str
    question: str
    options: tuple[str, ...]
    right: str
    holds: Callable[..., bool]
    happened: Callable[..., str]


_claimed: dict[str, dict] = {}       # what was measured, since the kernel started


def every_prediction() -> tuple[Prediction, ...]:
    """The predictions of all lessons, in order."""
    return tuple(each for lesson in lessons() if lesson.predictions for each in lesson.load(lesson.predictions))


def named(id: str) -> Prediction:
    """The prediction with this id. Raises ValueError when there is none."""
    for candidate in every_prediction():
        if candidate.id == id:
            return candidate
    raise ValueError(f"there is no prediction {id!r}; the predictions are "
                     f"{', '.join(each.id for each in every_prediction())}")


def claim(id: str, **measured) -> None:
    """Take down what was measured for question `id`. Raises AssertionError where it does not bear out the answer that
    the lesson gives."""
    if not named(id).holds(**measured):
        values = ", ".join(f"{name} = {value}" for name, value in measured.items())
        raise AssertionError(f"what was measured here does not bear out what the lesson says of {id} ({values}); run "
                             "the lesson from its first cell, and report it if it stays so")
    _claimed[id] = measured


def happened(id: str) -> str | None:
    """What happened, in words; None before the cell that measures it has run."""
    return named(id).happened(**_claimed[id]) if id in _claimed else None
