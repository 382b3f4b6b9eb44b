"""Every explorer that a lesson's record names has a test of what it says of numbers that it computed, and one in a
browser."""

import pytest

from mlcourse.lesson import lessons
from mlcourse.system import paths


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.number)
def test_every_explorer_has_its_marks_tested(lesson):
    tested = (paths.ROOT / "tests" / "lessons" / f"l{lesson.number}").glob("test_*.py")
    text = "".join(path.read_text(encoding="utf-8") for path in tested)
    assert [name for name in lesson.explorers if name not in text] == []
    assert not lesson.explorers or "unmarked" in text or "check_marked" in text


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.number)
def test_every_explorer_is_tried_in_a_browser(lesson):
    path = paths.ROOT / "tests" / "lessons" / f"l{lesson.number}" / "browser.py"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    assert [name for name in lesson.explorers if f'widget("{name}")' not in text] == [], f"write a test in {path}"
