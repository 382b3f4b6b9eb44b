"""Lesson 02: transfer and negative transfer."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="freeze, fine-tune and probe a source network on k labels a class of handwritten digits, find the labels from "
         "which on it no longer pays, and tell a source that hurts",
    studies={"freeze": "study_freeze:STUDY"},
)
