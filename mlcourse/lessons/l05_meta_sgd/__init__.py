"""Lesson 05: Meta-SGD and meta-transfer."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="turn six rates by hand, write Meta-SGD and the gradient of a rate, see what a negative rate corrects, "
         "judge each stage of a pipeline",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"LearnedRates": "explorers:learned_rates"},
    studies={"meta-transfer": "study_meta_transfer:STUDY", "rates": "study_rates:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
