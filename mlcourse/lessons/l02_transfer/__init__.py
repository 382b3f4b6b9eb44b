"""Lesson 02: transfer and negative transfer."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="freeze a network at any depth and solve its head, find from how many labels on a source is no longer told "
         "to help, see what fine-tuning destroys, say which sources hurt",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"FreezeLadder": "explorers:freeze_ladder", "HeadStart": "explorers:head_start"},
    studies={"freeze": "study_freeze:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
