"""Lesson 09: learning to remember."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="write the addressing of a memory, train it to copy, and see what it gains on streams of pictures",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"MemoryTape": "explorers:memory_tape", "EpisodeStream": "explorers:episode_stream"},
    studies={"memory": "study_memory:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
)
