"""Lesson 12: tasks in a stream."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="meet tasks one after another with FTML and good rivals, count samples needed, see what is forgotten",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"StreamOrder": "explorers:stream_order"},
    studies={"stream": "study_stream:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
