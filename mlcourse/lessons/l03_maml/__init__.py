"""Lesson 03: MAML."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="let pretraining fail, write MAML, prove its order, train it live, play and rewind its outer loop",
    exercises="exercises:EXERCISES",
    explorers={"InnerLoopExplorer": "explorers:inner_loop", "OuterLoopPlayer": "explorers:outer_loop"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
