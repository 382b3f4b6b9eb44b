"""Lesson 15: distillation across domains."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="write the loss with its τ² and a step of distillation, hand what a big network knows of typeset digits to a "
         "small one that reads handwriting, judge what the teacher was needed for, teach a digit that was never seen",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"TemperatureExplorer": "explorers:temperature"},
    studies={"distillation": "study_distillation:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
