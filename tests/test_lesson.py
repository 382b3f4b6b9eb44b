"""The records of the lessons: found by their folders, and what is missing said."""

import sys

import pytest

from mlcourse import lesson, lessons
from mlcourse.course import readme

RECORD = "from mlcourse.lesson import Lesson\nLESSON = Lesson(__name__, does='nothing')\n"


@pytest.fixture
def one_more(tmp_path, monkeypatch):
    """A function that gives the course one more folder, with this source."""
    monkeypatch.setattr(lessons, "__path__", [*lessons.__path__, str(tmp_path)])

    def make(source):
        (tmp_path / "l97_own").mkdir()
        (tmp_path / "l97_own" / "__init__.py").write_text(source, encoding="utf-8")
        lesson.lessons.cache_clear()

    yield make
    sys.modules.pop("mlcourse.lessons.l97_own", None)
    lesson.lessons.cache_clear()


def test_a_folder_makes_a_lesson(one_more):
    one_more(RECORD)
    found = lesson.lessons()[-1]
    assert (found.number, found.does, found.exercises, found.explorers) == ("97", "nothing", "", {})


def test_a_folder_without_a_record_is_said(one_more):
    one_more("")
    with pytest.raises(ValueError, match=r"lessons\.l97_own has no record; write LESSON = Lesson\(__name__, …\)"):
        lesson.lessons()


def test_a_lesson_without_a_notebook_is_said(one_more):
    one_more(RECORD)
    with pytest.raises(FileNotFoundError, match="no lesson '97' in .*notebooks"):
        readme.lesson_table()
