"""Lesson 13: domain adaptation."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="carry typeset digits over to handwriting without a label, write CORAL and a reversed gradient, then "
         "break both by other class proportions",
    exercises="exercises:EXERCISES",
    explorers={"AdversarialWeight": "explorers:adversarial_weight"},
    studies={"label-shift": "study_label_shift:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
