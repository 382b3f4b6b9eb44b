"""Lesson 03: MAML."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="let pretraining fail, write MAML's inner step and outer loop, test its gradient, train it live, play and "
         "rewind",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"InnerLoopExplorer": "explorers:inner_loop", "OuterLoopPlayer": "explorers:outer_loop"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
