"""Exercises: check an answer, ask for a hint, read the solution, keep progress.

In a lesson: `from mlcourse.exercises import answer, check, hint, solution`.
"""

from __future__ import annotations

from mlcourse.exercises import predictions, progress
from mlcourse.exercises.framework import CheckResult, Exercise, fingerprint, judge
from mlcourse.exercises.progress import best_score, prediction, record_prediction, record_score, reset, score
from mlcourse.exercises.said import say
from mlcourse.exercises.unrun import watch_notebook
from mlcourse.lesson import lessons

__all__ = ["CheckResult", "Exercise", "answer", "best_score", "check", "every_exercise", "exercise", "exercise_ids",
           "hint", "prediction", "record_prediction", "record_score", "reset", "score", "show_progress", "solution",
           "solution_source", "status"]

watch_notebook()

_passed: dict[str, object] = {}       # the learner's own answers, since the kernel started
_hints_shown: dict[str, int] = {}     # since the kernel started, so that a fresh run shows the same hints


def every_exercise() -> tuple[Exercise, ...]:
    """The exercises of all lessons, in order."""
    return tuple(each for lesson in lessons() if lesson.exercises for each in lesson.load(lesson.exercises))


def exercise(id: str) -> Exercise:
    """The exercise with this id. Raises ValueError when there is none."""
    for candidate in every_exercise():
        if candidate.id == id:
            return candidate
    raise ValueError(f"there is no exercise {id!r}; the exercises are {', '.join(e.id for e in every_exercise())}")


def exercise_ids(lesson: str) -> list[str]:
    """The ids of a lesson's exercises in order, e.g. exercise_ids("03"); empty where it has none."""
    return [e.id for e in every_exercise() if e.lesson == lesson]


def check(id: str, answer: object) -> CheckResult:
    """Judge an answer by what it does, print a sentence or two, and return the result.

    A wrong answer, one that raises, or an empty stub never stops the notebook. A function that never
    returns has to be interrupted (Kernel, Interrupt). Raises ValueError for an unknown id only.
    """
    result = judge(exercise(id), answer)
    if result.passed:
        _passed[id] = answer
    if result.status != "not attempted":
        progress.record_attempt(id, result.passed, fingerprint(answer))
    say(result.message)
    return result


def answer(id: str) -> object:
    """What later cells of a lesson go on with: the learner's own answer once its check has passed in this kernel, the
    reference solution before. Raises ValueError when there is no such exercise."""
    return _passed[id] if id in _passed else exercise(id).reference()


def hint(id: str) -> None:
    """Print the exercise's next hint; there are three, from a nudge to nearly the answer."""
    hints = exercise(id).hints
    tier = min(_hints_shown.get(id, 0) + 1, len(hints))
    _hints_shown[id] = tier
    progress.record_hint(id, tier)
    more = "Run again for the next one." if tier < len(hints) else f'After this, solution("{id}") shows an answer.'
    say(f"{id} hint {tier} of {len(hints)}: {hints[tier - 1]} {more}")


def solution(id: str) -> None:
    """Print an answer that passes the check."""
    print(solution_source(id))


def solution_source(id: str) -> str:
    """The source of an answer that passes the check."""
    return exercise(id).solution_source


def status() -> list[dict]:
    """One row per exercise: id, lesson, title, difficulty, minutes, attempts, passed, first_passed, hints."""
    done = progress.load()["exercises"]
    return [{"id": e.id, "lesson": e.lesson, "title": e.title, "difficulty": e.difficulty, "minutes": e.minutes,
             **{key: done.get(e.id, progress.NO_ATTEMPT)[key] for key in progress.NO_ATTEMPT}}
            for e in every_exercise()]


def show_progress(lesson: str) -> None:
    """Print how many exercises of a lesson, such as "03", are passed and how many of its predictions were right."""
    passed = [row["passed"] for row in status() if row["lesson"] == lesson]
    asked = [each for each in predictions.every_prediction() if each.id.startswith(f"{lesson}.")]
    right = sum(prediction(each.id) == each.right for each in asked)
    more = f", predictions right {right} of {len(asked)}" if asked else ""
    print(f"Lesson {lesson} so far: exercises passed {sum(passed)} of {len(passed)}{more}.")
