"""Lesson 14: DAML-style GAN augmentation."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="train a generator that imitates a domain without labels, put it into meta-learning, catch the leak, "
         "and find out whether hand-made pictures would have done",
    exercises="exercises:EXERCISES",
    explorers={"RealGeneratedExplorer": "explorers:real_generated", "PairedGainExplorer": "explorers:paired_gain"},
    studies={"daml": "study_daml:STUDY", "daml-failures": "study_daml_failures:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
