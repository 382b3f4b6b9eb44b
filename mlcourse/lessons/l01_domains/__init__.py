"""Lesson 01: domains, tasks, modalities, and kinds of shift."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="turn eight kinds of shift, write the proxy A-distance, see that distance is not loss, tell covariate, "
         "label and concept shift apart, weigh samples against a covariate shift",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"ShiftDial": "explorers:shift_dial", "FactorDial": "explorers:factor_dial"},
    studies={"shift": "study_shift:STUDY", "crossing": "study_crossing:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
