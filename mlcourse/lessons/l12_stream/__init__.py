"""Lesson 12: tasks in a stream."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="meet tasks one after another with FTML and good rivals, count samples needed, find where FTML pays",
    exercises="exercises:EXERCISES",
)
