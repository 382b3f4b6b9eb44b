"""Lesson 17: learning in context."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="teach a Transformer to learn from its prompt, and leave the prior it was trained on",
    studies={"context": "study_context:STUDY"},
)
