"""Lesson 17: learning in context."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="learn from the examples in a prompt while the weights stand still, and leave the prior",
    exercises="exercises:EXERCISES",
)
