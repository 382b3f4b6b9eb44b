"""Lesson 03: MAML."""

from mlcourse.lesson import Lesson

LESSON = Lesson(__name__, exercises="exercises:EXERCISES", explorers={
    "InnerLoopExplorer": "explorers:inner_loop",
    "OuterLoopPlayer": "explorers:outer_loop",
})
