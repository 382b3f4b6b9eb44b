"""Lesson 07: learning the optimiser."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="tune an optimiser by hand, write one that is learned, race them, see where the learned one fails",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"RateAndMomentum": "explorers:rate_and_momentum", "OptimiserRace": "explorers:optimiser_race"},
    studies={"meta-lstm": "study_meta_lstm:STUDY", "optimisers": "study_optimisers:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
