"""Lesson 09: learning to remember."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="write the addressing of a memory, watch it learn to copy, then bind labels to pictures in a stream",
    studies={"memory": "study_memory:STUDY"},
)
