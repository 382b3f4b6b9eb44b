"""Lesson 11: few labels, many unlabelled."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="refine prototypes by unlabelled drawings, mask what belongs to no class, unbalance the pool",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"PoolDials": "explorers:pool_dials", "MaskDial": "explorers:mask_dial"},
    studies={"unlabelled": "study_unlabelled:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
