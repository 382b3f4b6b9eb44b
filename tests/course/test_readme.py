"""The tables of the README are those of the records."""

import pytest

from mlcourse.course import readme
from mlcourse.learners import RECORDS
from mlcourse.lesson import lessons
from mlcourse.system import paths


def test_the_readme_holds_what_the_records_say():
    text = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.filled(text) == text, "run python -m mlcourse.course.readme"
    assert all(f"| {entry.name} | " in text for entry in RECORDS) and all(f"[{each.number} " in text for each in lessons())


def test_a_readme_without_marks_is_said():
    with pytest.raises(ValueError, match="lacks the marks of 'lessons'; write <!-- lessons -->"):
        readme.filled("# mlcourse")
