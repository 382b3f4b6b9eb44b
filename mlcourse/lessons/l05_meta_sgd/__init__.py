"""Lesson 05: Meta-SGD and meta-transfer."""

from mlcourse.lesson import Lesson

LESSON = Lesson(__name__, exercises="exercises:EXERCISES", explorers={"LearnedRates": "explorers:learned_rates"})
