"""Lesson 15: distillation across domains."""

from mlcourse.lesson import Lesson

LESSON = Lesson(__name__, exercises="exercises:EXERCISES", explorers={"TemperatureExplorer": "explorers:temperature"})
