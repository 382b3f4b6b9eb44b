"""Every lesson of the course: its stored properties and its exercises.

(nbval runs every lesson, and each reference solution in passing: mlcourse/course/nbval_lessons.py.)
"""

import pytest

from mlcourse.course import notebooks
from mlcourse.exercises import every_exercise, exercise, exercise_ids
from mlcourse.system import paths

COURSE = sorted(paths.NOTEBOOKS.glob("*.ipynb"))
every_lesson = pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)


@every_lesson
def test_the_stored_lesson_holds_every_property(path):
    assert notebooks.validate(path) == []


@every_lesson
def test_the_lesson_and_its_exercises_name_each_other(path):
    lesson = notebooks.read_lesson(path)
    assert list(lesson.exercises) == exercise_ids(lesson.lesson)
    source = "\n".join(cell.source for cell in notebooks.read(path).cells if cell.cell_type == "code")
    for id in lesson.exercises:
        assert f'check("{id}"' in source
        assert exercise(id).stub.strip() in source


@pytest.mark.skipif(not COURSE, reason="there are no lessons yet")
def test_no_exercise_is_without_a_lesson():
    lessons = {lesson.lesson for lesson in notebooks.lessons()}
    assert {exercise.lesson for exercise in every_exercise()} <= lessons
