"""Lesson 01: domains, tasks, modalities, and kinds of shift."""

from mlcourse.lesson import Lesson

LESSON = Lesson(__name__, exercises="exercises:EXERCISES", explorers={
    "ShiftDial": "explorers:shift_dial",
    "FactorDial": "explorers:factor_dial",
})
