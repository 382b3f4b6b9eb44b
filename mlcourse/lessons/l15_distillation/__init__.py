"""Lesson 15: distillation across domains."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="turn the temperature, write the loss with its T², hand what a big network knows of typeset digits to "
         "a small one that reads handwriting, teach a digit that was never seen",
    exercises="exercises:EXERCISES",
    explorers={"TemperatureExplorer": "explorers:temperature"},
    studies={"distillation": "study_distillation:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
