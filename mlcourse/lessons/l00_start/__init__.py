"""Lesson 00: what an episode is, and you against two machines."""

from mlcourse.lesson import Lesson

LESSON = Lesson(__name__, exercises="exercises:EXERCISES", explorers={
    "YouAgainstMachine": "explorers:you_against_machine",
})
