"""Lesson 17: learning in context."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="learn from the examples in a prompt while the weights stand still, and leave the prior",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"PromptPlayer": "explorers:prompt_player", "CoinPlayer": "explorers:coin_player"},
    studies={"context": "study_context:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
