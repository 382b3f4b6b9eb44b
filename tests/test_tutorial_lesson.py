"""docs/adding_a_lesson.md, followed in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from guides import blocks, check_docstrings

from mlcourse.course import notebooks
from mlcourse.system import paths

COPIED = ("mlcourse", "tests", "notebooks", "benchmarks", "docs", "README.md", "conftest.py", "pyproject.toml")
SCRIPT = """\
import runpy
runpy.run_path("make_98.py")
runpy.run_module("mlcourse.course.readme", run_name="__main__")"""
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", "tests/nbval_sanitize.cfg", "-p",
         "no:cacheprovider"]


@pytest.fixture
def course(tmp_path):
    """A copy of the repository with the files of the guide."""
    for name in COPIED:
        source = paths.ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, tmp_path / name)
    for file, code in blocks("adding_a_lesson.md"):
        if file.startswith("mlcourse/"):
            check_docstrings(file, code)
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(code, encoding="utf-8")
    return tmp_path


def python(course, *words):
    """What a command prints, in the copy. Raises AssertionError where it fails."""
    done = subprocess.run([sys.executable, *words], cwd=course, env=os.environ | {"PYTHONPATH": str(course)},
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_lesson_of_the_guide_is_made_refreshed_validated_and_passes_the_tests_of_every_lesson(course):
    python(course, "-c", SCRIPT)
    assert "| [98 One step down a parabola](notebooks/98_parabola.ipynb) |" in (course / "README.md").read_text("utf-8")
    assert "- **gradient descent** (梯度下降): " in (course / "notebooks" / "glossary.md").read_text("utf-8")
    assert "stored new outputs" in python(course, "-m", "mlcourse", "run", "98", "--refresh")
    assert notebooks.validate(course / "notebooks" / "98_parabola.ipynb") == []
    said = python(course, "-m", "pytest", *NBVAL, "-k", "98", "notebooks/98_parabola.ipynb", "tests/lessons/l98",
                  "tests/lessons/test_explorers.py", "tests/exercises", "tests/browser/test_widgets.py",
                  "tests/course/test_every_lesson.py", "tests/course/test_glossary.py")
    for file, passed in (("98_parabola.ipynb", 8), ("l98/test_widget.py", 2), ("l98/test_study.py", 1),
                         ("lessons/test_explorers.py", 2), ("test_exercises.py", 26), ("test_kinds.py", 17),
                         ("test_every_lesson.py", 3), ("test_glossary.py", 3)):
        assert re.search(rf"{file} \.{{{passed}}}\s", said), said
    assert re.search(r"browser/test_widgets.py [.s]\s", said), said            # s where there is no browser
    said = python(course, "-m", "mlcourse", "study", "parabola", "--seed", "3", "--seed", "4")
    assert said.count("distance") == 6 and said.endswith("rows in runs/parabola.json\n")
