"""Lesson 08: learning to compare."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="move points and see borders follow, write ProtoNet, find the temperature that cosines need, shift and turn "
         "a drawing, ask whether episodes are needed",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"DragPrototypes": "explorers:borders", "MoveDrawing": "explorers:moved"},
    studies={"comparing": "study_comparing:STUDY", "one-shot": "study_one_shot:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
