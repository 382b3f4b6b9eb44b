"""Lesson 16: contrast across domains and modalities."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="match characters on paper and in chalk, write InfoNCE, train two encoders on pairs, find a picture's "
         "pen stroke among a hundred",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"ContrastExplorer": "explorers:contrast"},
    studies={"contrast": "study_contrast:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
