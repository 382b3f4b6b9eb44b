"""Lesson 06: few-shot images without fooling yourself."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="look into episodes, find the splits that leak, choose the companions of a query, say what a few-shot score "
         "is worth",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"EpisodeInspector": "explorers:inspector", "Companions": "explorers:companions"},
    studies={"protocol": "study_protocol:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
)
