"""Lesson 14: DAML-style GAN augmentation."""

from mlcourse.lesson import Lesson

LESSON = Lesson(__name__, exercises="exercises:EXERCISES", explorers={
    "RealGeneratedExplorer": "explorers:real_generated",
    "PairedGainExplorer": "explorers:paired_gain",
})
