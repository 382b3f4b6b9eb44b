"""Lesson 04: FOMAML and Reptile, with ANIL and iMAML."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="measure the term that first order drops, write Reptile's outer step, see what an inner loop moves",
    studies={"first-order": "study_first_order:STUDY"},
)
