"""Lesson 11: few labels, many unlabelled."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="refine prototypes by unlabelled drawings, mask what belongs to no class, unbalance the pool",
    studies={"unlabelled": "study_unlabelled:STUDY"},
)
