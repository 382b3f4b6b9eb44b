"""Lesson 12: tasks in a stream."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="meet tasks one after another, count the samples that each needs, and see what is forgotten",
    studies={"stream": "study_stream:STUDY"},
)
