"""Lesson 13: domain adaptation."""

from mlcourse.lesson import Lesson

LESSON = Lesson(__name__, exercises="exercises:EXERCISES", explorers={
    "AdversarialWeight": "explorers:adversarial_weight",
})
