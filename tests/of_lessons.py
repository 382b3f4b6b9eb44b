"""What the tests' folder of a lesson, tests/lessons/lNN/, holds for tests of every lesson, found by its name there."""

import importlib
import inspect

import pytest

from mlcourse.lesson import lessons
from mlcourse.system import paths

pytest.register_assert_rewrite("lessons")       # the folder tests/lessons: what asserts there without a name test_*


def modules(name):
    """{the lesson's number: its module tests/lessons/lNN/`name`.py}, for every lesson that has one, in order."""
    folder = paths.ROOT / "tests" / "lessons"
    return {lesson.number: importlib.import_module(f"lessons.l{lesson.number}.{name}") for lesson in lessons()
            if (folder / f"l{lesson.number}" / f"{name}.py").exists()}


def browser_tests(fixture):
    """The tests of every lesson's browser.py that take a fixture, each under its name and its lesson's number."""
    return {f"{name}_of_{number}": test for number, module in modules("browser").items()
            for name, test in vars(module).items()
            if name.startswith("test_") and fixture in inspect.signature(test).parameters}
