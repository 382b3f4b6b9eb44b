"""Lesson 04: FOMAML and Reptile, with ANIL and iMAML."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="measure the term that first order drops, write Reptile's outer step, see what an inner loop moves",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"WhichArrow": "explorers:which_arrow", "TwoValleys": "explorers:two_valleys"},
    studies={"first-order": "study_first_order:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
