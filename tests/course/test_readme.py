"""The tables of README.md and of the pages of benchmarks/ are those of the records and the stored rows."""

import pytest

from mlcourse import datasets
from mlcourse.course import readme
from mlcourse.learners import RECORDS
from mlcourse.lesson import lessons
from mlcourse.studies.transfer.arms import ARMS
from mlcourse.system import paths


@pytest.mark.parametrize("file", readme.FILES)
def test_the_tables_are_what_the_records_say(file):
    text = (paths.ROOT / file).read_text(encoding="utf-8")
    assert readme.filled(text, readme.FILES[file]) == text, "run python -m mlcourse.course.readme"


def test_the_readme_names_every_method_and_lesson():
    text = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"| {entry.name} | " in text for entry in RECORDS)
    assert all(f"[{each.number} " in text for each in lessons())


def test_the_readme_names_every_domain_and_every_arm_of_the_transfer_study():
    text = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    assert [spec for spec in ("omniglot-runs", "sinusoids", *datasets.specs()) if f"`{spec}`" not in text] == []
    arms = " ".join(text.partition("<!-- arms -->")[2].partition("<!-- /arms -->")[0].split())
    assert [arm.name for arm in ARMS if arm.name not in arms] == []


def test_a_text_without_marks_is_said():
    with pytest.raises(ValueError, match="lacks the marks of 'lessons'; write <!-- lessons -->"):
        readme.filled("# mlcourse", readme.FILES["README.md"])
