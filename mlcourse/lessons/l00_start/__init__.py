"""Lesson 00: what an episode is, and you against two machines."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="classify characters you have never seen, against two machines",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"YouAgainstMachine": "explorers:you_against_machine"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
