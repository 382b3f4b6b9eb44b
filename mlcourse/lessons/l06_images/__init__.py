"""Lesson 06: few-shot images without fooling yourself."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="look into episodes, find the splits that leak, choose the companions of a query, say what a few-shot score "
         "is worth",
    studies={"protocol": "study_protocol:STUDY"},
)
