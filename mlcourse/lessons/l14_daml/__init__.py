"""Lesson 14: DAML-style GAN augmentation."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="train a generator that imitates a domain without labels, write the meta-objective without and with its "
         "pictures, measure a leak, and find out what each part was worth",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"RealGeneratedExplorer": "explorers:real_generated", "PairedGainExplorer": "explorers:paired_gain"},
    studies={"daml": "study_daml:STUDY", "daml-failures": "study_daml_failures:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
