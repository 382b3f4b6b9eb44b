"""Lessons as files: listed, executed, normalised, validated, solved. On small notebooks made here."""

import base64
import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_output
from PIL import Image, PngImagePlugin
from sample_lesson import CHECK, NUMBER, SOLUTION, sample

from mlcourse.course import notebooks
from mlcourse.system import paths

ROOT = Path(__file__).parents[2]
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", str(ROOT / "tests" / "nbval_sanitize.cfg"),
         "-p", "mlcourse.course.nbval_lessons", "-p", "no:cacheprovider", "-q"]


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory):
    """The sample lesson, refreshed once; its path."""
    path = tmp_path_factory.mktemp("lessons") / "42_sample.ipynb"
    nbformat.write(sample(), path)
    assert notebooks.refresh(path)
    return path


@pytest.fixture
def stored(refreshed, tmp_path):
    """A copy of the refreshed lesson that a test may spoil: (path, notebook)."""
    path = tmp_path / refreshed.name
    path.write_bytes(refreshed.read_bytes())
    return path, notebooks.read(path)


# ---------------------------------------------------------------- listing


def test_lessons_are_listed_in_order_with_what_they_say_of_themselves(tmp_path):
    for number in ("05", "03"):
        nbformat.write(sample(number), tmp_path / f"{number}_x.ipynb")
    found = notebooks.lessons(tmp_path)
    assert [lesson.lesson for lesson in found] == ["03", "05"]
    assert found[0] == notebooks.Notebook("03", "A sample", ("MAML",), 5, ("03.1",), tmp_path / "03_x.ipynb")
    with pytest.raises(FileNotFoundError, match="there are no lessons in .*nowhere; clone the repository"):
        notebooks.lessons(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["3", "03", "03_x", "03_x.ipynb"])
def test_a_lesson_is_found_by_number_and_name(tmp_path, name):
    nbformat.write(sample("03"), tmp_path / "03_x.ipynb")
    assert notebooks.find(name, tmp_path) == tmp_path / "03_x.ipynb"
    assert notebooks.find(str(tmp_path / "03_x.ipynb")) == tmp_path / "03_x.ipynb"


def test_an_unknown_lesson_names_the_ones_there_are(tmp_path):
    nbformat.write(sample("03"), tmp_path / "03_x.ipynb")
    with pytest.raises(FileNotFoundError, match="no lesson '04'.*lessons here: 03"):
        notebooks.find("04", tmp_path)
    with pytest.raises(FileNotFoundError, match="lessons here: none"):
        notebooks.find("04", tmp_path / "nowhere")


@pytest.mark.parametrize("text, sentence", [
    ("not json", "not a notebook"), ("{}", "metadata lack mlcourse's 'metadata'"), ("[]", "is not a lesson"),
    ('{"metadata": {"mlcourse": {"lesson": "03"}}}', "lack mlcourse's 'title'")])
def test_what_is_no_lesson_is_said_in_a_sentence(tmp_path, text, sentence):
    path = tmp_path / "03_x.ipynb"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=sentence):
        notebooks.read_lesson(path)
    assert any(sentence in problem for problem in notebooks.validate(path))


# ---------------------------------------------------- execute and refresh


def test_refreshing_stores_outputs_that_hold_every_property(refreshed):
    assert notebooks.validate(refreshed) == []
    cells = notebooks.read(refreshed).cells
    assert [cell.id for cell in cells] == [f"42-{i:03d}" for i in range(1, 8)]
    assert [cell.execution_count for cell in cells if cell.cell_type == "code"] == [1, 2, 3, 4, 5]
    assert cells[2].outputs[0].text == "not attempted\n"
    assert [output.data["text/plain"] for output in cells[4].outputs] == ["Bar()", "Picture()"]
    assert "widgets" not in notebooks.read(refreshed).metadata


def test_refreshing_twice_changes_no_byte(tmp_path):
    lesson = sample()
    lesson.cells = [cell for cell in lesson.cells if cell.source != NUMBER]
    lesson.cells[3].source = lesson.cells[3].source.replace("time.perf_counter()", "1")
    path = tmp_path / "42_sample.ipynb"
    nbformat.write(lesson, path)
    assert notebooks.refresh(path)
    first = path.read_bytes()
    assert not notebooks.refresh(path)
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_progress_is_reported_per_cell_with_its_heading_or_first_line(tmp_path):
    lesson = sample()
    lesson.cells = lesson.cells[:3]
    seen = []
    notebooks.execute(lesson, tmp_path, seen.append)
    assert [(cell.number, cell.total, cell.label) for cell in seen if cell.seconds is None] == [
        (1, 2, "A sample"), (2, 2, CHECK)]
    assert [cell.number for cell in seen if cell.seconds is not None] == [1, 2]


def test_the_kernel_has_this_interpreter_its_folder_two_threads_and_its_own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(tmp_path / "mine"))
    lesson = sample()
    lesson.cells = [new_code_cell("import os, sys; print(sys.executable); print(os.getcwd());"
                                  "print(os.environ['OMP_NUM_THREADS']); print(os.environ['MLCOURSE_PROGRESS']);"
                                  "import mlcourse; print(mlcourse.__file__)")]
    notebooks.execute(lesson, tmp_path)
    executable, folder, threads, progress, package = lesson.cells[0].outputs[0].text.split()
    assert (executable, Path(folder), threads) == (sys.executable, tmp_path.resolve(), "2")
    assert Path(package).parent == paths.PACKAGE        # of the clone that runs it, whichever is installed
    assert Path(progress) != tmp_path / "mine" and not Path(progress).exists()
    kept = tmp_path / "kept"
    notebooks.execute(lesson, tmp_path, progress=kept)
    assert lesson.cells[0].outputs[0].text.split()[3] == str(kept)


@pytest.mark.skipif(os.name != "posix", reason="asks the system for a process by its number")
@pytest.mark.parametrize("last", ["pass", "1 / 0"])
def test_no_kernel_is_left_behind(tmp_path, last):
    lesson = sample()
    lesson.cells = [new_code_cell("import os; print(os.getpid())"), new_code_cell(last)]
    with contextlib.suppress(RuntimeError):
        notebooks.execute(lesson, tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(int(lesson.cells[0].outputs[0].text), 0)


def test_a_failing_cell_is_named_and_nothing_is_written(tmp_path):
    lesson = sample()
    lesson.cells[2].source = "1 / 0"
    path = tmp_path / "42_sample.ipynb"
    nbformat.write(lesson, path)
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="cell 2 of 5: ZeroDivisionError: division by zero"):
        notebooks.refresh(path)
    assert path.read_bytes() == before


def test_a_cell_that_takes_too_long_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "CELL_TIMEOUT", 1)
    lesson = sample()
    lesson.cells = [new_code_cell("import time; time.sleep(60)")]
    with pytest.raises(RuntimeError, match="cell 1 of 1 took longer than 1 s"):
        notebooks.execute(lesson, tmp_path)


def test_a_kernel_that_dies_is_named(tmp_path):
    lesson = sample()
    lesson.cells = [new_code_cell("import os; os._exit(1)")]
    with pytest.raises(RuntimeError, match="cell 1 of 1: the kernel died"):
        notebooks.execute(lesson, tmp_path)


def test_a_failed_write_leaves_the_old_file(stored, monkeypatch):
    path, notebook = stored
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mlcourse.system.files.os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        notebooks.write(notebook, path)
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


# -------------------------------------------------------------- normalise


def test_a_picture_keeps_its_pixels_and_loses_what_software_wrote_into_it():
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "some version")
    buffer = io.BytesIO()
    picture = Image.effect_noise((16, 16), 50)
    picture.save(buffer, "png", pnginfo=text, dpi=(72, 72))
    lesson = sample()
    lesson.cells[1].outputs = [new_output("display_data", {"image/png": base64.b64encode(buffer.getvalue()).decode()})]
    plain = base64.b64decode(notebooks.normalise(lesson).cells[1].outputs[0].data["image/png"])
    assert b"Software" in buffer.getvalue() and b"Software" not in plain and b"pHYs" not in plain
    assert Image.open(io.BytesIO(plain)).tobytes() == picture.tobytes()


def test_pieces_of_one_stream_become_one_and_widget_views_go():
    lesson = sample()
    lesson.metadata.widgets = {"state": {}}
    lesson.cells[1].metadata.execution = {"iopub.execute_input": "2026"}
    lesson.cells[1].outputs = [
        new_output("stream", name="stdout", text="a"), new_output("stream", name="stdout", text="b"),
        new_output("display_data", {notebooks.WIDGET_VIEW: {"model_id": "1"}, "text/plain": "Bar()"}),
        new_output("display_data", {notebooks.WIDGET_VIEW: {"model_id": "2"}}),
        new_output("stream", name="stdout", text="c")]
    normal = notebooks.normalise(lesson)
    assert [output.get("text") or output.data for output in normal.cells[1].outputs] == [
        "ab", {"text/plain": "Bar()"}, "c"]
    assert set(normal.metadata) == {"kernelspec", "language_info", "mlcourse"}
    assert normal.cells[1].metadata == {"tags": ["exercise", "exercise:42.1"]}
    nbformat.validate(normal)


# --------------------------------------------------------------- validate


def spoil_output(output):
    return lambda nb: nb.cells[2].outputs.append(output)


def spoil(**changes):
    return lambda nb: nb.cells[2].update(changes)


SPOILED = {
    "holds? widgets": lambda nb: nb.metadata.update(widgets={}),
    "kernel's description": lambda nb: nb.metadata.kernelspec.update(name="other"),
    "no objectives": lambda nb: nb.cells[0].update(source="# A sample"),
    "no References": lambda nb: nb.cells[-1].update(source="The end."),
    "the cells are tagged": lambda nb: nb.cells[1].metadata.update(tags=[]),
    "metadata that change": lambda nb: nb.cells[2].metadata.update(execution={}),
    "the ids of cells 3 are not their places; run mlcourse run 42 --refresh": spoil(id="x"),
    "is empty": spoil(source=" \n"),
    "26 lines of code": spoil(source="x = 1\n" * 26),
    "semicolon": spoil(source="double(2);"),
    "cells 3 do not have the execution counts of one run": spoil(execution_count=None),
    "stores an error: E: bad": spoil_output(new_output("error", ename="E", evalue="bad", traceback=[])),
    "writes to stderr": spoil_output(new_output("stream", name="stderr", text="warning")),
    "address of an object": spoil_output(new_output("stream", name="stdout", text="<X at 0x7f11aa22bb33>")),
    "path of the machine": spoil_output(new_output("stream", name="stdout", text="in /home/me/x")),
    "without alt text": lambda nb: nb.cells[3].outputs[0].update(metadata={}),
    "not normalised": lambda nb: nb.cells[4].outputs[0].data.update({notebooks.WIDGET_VIEW: {"model_id": "1"}}),
}


@pytest.mark.parametrize("sentence", SPOILED)
def test_every_violated_property_is_a_sentence(stored, sentence):
    path, notebook = stored
    SPOILED[sentence](notebook)
    notebooks.write(notebook, path)
    problems = notebooks.validate(path)
    assert any(sentence.replace("holds?", "hold") in problem for problem in problems), problems


def test_a_lesson_that_is_too_large_or_misnamed_is_said(stored, monkeypatch):
    path, _ = stored
    monkeypatch.setattr(notebooks, "SIZE_CAP", 100)
    assert "more than 0 MB" in notebooks.validate(path)[0]
    renamed = path.rename(path.with_name("43_sample.ipynb"))
    assert any("call it lesson 42, but the file is 43_sample.ipynb" in p for p in notebooks.validate(renamed))


# ------------------------------------------------------------------ nbval

REFERENCE = """\
from dataclasses import replace
from mlcourse import exercises
one = replace(exercises.exercise("00.1"), id="42.1", answer="double", solution_source={source!r})
exercises.every_exercise = lambda: (one,)
"""
UNMARKED = """\
x = torch.randn(100_000, generator=torch.Generator().manual_seed(0))
print(f"sum {float(x.sum()):.6f}")"""


def nbval(path, solution=SOLUTION):
    """What nbval says of a lesson whose exercise 42.1 has this reference solution."""
    (path.parent / "conftest.py").write_text(REFERENCE.format(source=solution), encoding="utf-8")
    return subprocess.run([sys.executable, "-m", "pytest", *NBVAL, str(path)], cwd=path.parent, capture_output=True,
                          text=True).stdout


def test_nbval_accepts_a_refreshed_lesson_whose_picture_bar_and_number_changed_and_tries_its_solution(stored):
    path, notebook = stored
    assert "≈" in notebook.cells[5].outputs[0].text
    said = nbval(path)
    assert "6 passed" in said, said


def test_nbval_sees_what_changed_and_a_reference_solution_that_fails(stored):
    path, notebook = stored
    notebook.cells[2].outputs[0].text = "something else\n"
    notebook.cells[3].outputs[0].metadata["image/png"]["alt"] = "a line that falls"
    notebook.cells[5].outputs[0].text = notebook.cells[5].outputs[0].text.replace("≈", "≈1")
    notebooks.write(notebook, path)
    said = nbval(path, SOLUTION.replace("2 *", "3 *"))
    assert "4 failed, 2 passed" in said, said
    for failure in ("Cell 1", "solution 42.1", "Cell 2", "Cell 4"):
        assert f"::{failure} " in said, said


def test_after_its_solution_an_exercise_is_as_the_learner_left_it(tmp_path):
    lesson = sample()
    again = new_code_cell("print(double(2), __import__('os').listdir(__import__('os').environ['MLCOURSE_PROGRESS']))")
    lesson.cells = [*lesson.cells[:3], again, lesson.cells[-1]]
    path = tmp_path / "42_sample.ipynb"
    nbformat.write(lesson, path)
    notebooks.refresh(path)
    assert notebooks.read(path).cells[3].outputs[0].text == "None []\n"
    said = nbval(path)
    assert "4 passed" in said, said


@pytest.mark.skipif(torch.backends.cpu.get_cpu_capability() == "DEFAULT", reason="this processor has no vector "
                    "instructions")
def test_an_output_that_another_processor_does_not_repeat_is_caught_here_unless_it_is_marked(tmp_path):
    lesson = sample()
    lesson.cells = [lesson.cells[0], new_code_cell("import torch\n" + UNMARKED),
                    new_code_cell(UNMARKED.replace("{", "≈{")), lesson.cells[-1]]
    path = tmp_path / "42_sample.ipynb"
    nbformat.write(lesson, path)
    notebooks.refresh(path)
    said = nbval(path)
    assert "1 failed, 1 passed" in said and "::Cell 0 " in said, said
