"""Every lesson of the course: its stored properties and its exercises.

(nbval runs every lesson, and each reference solution in passing: mlcourse/course/nbval_lessons.py.)
"""

import symtable

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


@every_lesson
def test_no_cell_after_an_exercise_gives_the_name_of_its_answer_to_something_else(path):
    """Or a learner who goes back to the exercise finds another thing under that name."""
    about, answers, found = notebooks.read_lesson(path), set(), set()
    for cell in notebooks.read(path).cells:
        if cell.cell_type == "code":
            found |= answers & bound(cell.source)
            tags = cell.metadata.get("tags", ())
            answers |= {exercise(id).answer for id in about.exercises if f"exercise:{id}" in tags}
    assert not found


def bound(source):
    """The names that a cell binds: by assignment, def, class, import, for, with or a walrus; not those local to a
    function or a comprehension."""
    names = symtable.symtable(source, "cell", "exec").get_symbols()
    return {name.get_name() for name in names if name.is_assigned() or name.is_imported()}


def test_names_are_bound_in_every_way_that_a_cell_has():
    assert bound("a, b = 1, 2\nfor c in (): pass\ndef d():\n    x = 1\nimport e\nwith f as g: h += [y for y in ()]\n"
                 "if (i := 1): print(j)") == {*"abcdeghi"}


@pytest.mark.skipif(not COURSE, reason="there are no lessons yet")
def test_no_exercise_is_without_a_lesson():
    lessons = {lesson.lesson for lesson in notebooks.lessons()}
    assert {exercise.lesson for exercise in every_exercise()} <= lessons
