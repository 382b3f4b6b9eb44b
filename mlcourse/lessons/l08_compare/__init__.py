"""Lesson 08: learning to compare."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="classify by distance, attention and a learned comparison, and ask whether episodes are needed",
    studies={"comparing": "study_comparing:STUDY"},
)
