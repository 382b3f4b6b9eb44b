"""Lesson 16: contrast across domains and modalities."""

from mlcourse.lesson import Lesson

LESSON = Lesson(__name__, exercises="exercises:EXERCISES", explorers={"ContrastExplorer": "explorers:contrast"})
