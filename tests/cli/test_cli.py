"""The mlcourse command: what it prints, what it returns, and how it says no."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import nbformat
import pytest
from sample_lesson import sample

from mlcourse import datasets
from mlcourse.cli.records import PLACES
from mlcourse.course import lab, notebooks
from mlcourse.learners import METHODS
from mlcourse.studies.transfer.arms import ARMS
from mlcourse.system import paths


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one refreshed lesson, 03, in a temporary folder; returns that folder."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    lesson = sample("03")
    lesson.cells = [lesson.cells[i] for i in (0, 1, 2, 6)]
    nbformat.write(lesson, folder / "03_maml.ipynb")
    monkeypatch.setattr(paths, "NOTEBOOKS", folder)
    monkeypatch.setattr(paths, "WORK", tmp_path / "work")
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(tmp_path / "progress"))
    monkeypatch.setenv("COLUMNS", "200")
    return folder


def said(outcome, sentence):
    """Whether a command failed with one sentence on stderr, status 2 and nothing on stdout."""
    status, out, err = outcome
    return (status == 2 and out == "" and err.startswith("mlcourse: ") and err.count("\n") == 1 and sentence in err
            and "Traceback" not in err)


def test_help_has_examples_for_every_command_and_is_quick_to_import(mlcourse):
    for words in (["lab"], ["list"], ["run"], ["validate"], ["progress"], ["train"], ["evaluate"],
                  ["bench", "sampler"], ["bench", "lessons"], ["bench", "widgets"],
                  ["data", "list"], ["data", "get"], ["data", "verify"], ["data", "build"]):
        status, out, _ = mlcourse(*words, "--help")
        assert status == 0 and "Example" in out and f"mlcourse {' '.join(words)}" in out, words
    quick = "import sys, mlcourse.cli; print([m for m in ('torch', 'numpy', 'nbformat', 'nbclient') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", quick], capture_output=True, text=True).stdout == "[]\n"


def test_help_names_every_method_domain_and_arm_by_its_record(mlcourse, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    for words, names in ((["train"], [entry.name for entry in METHODS] + datasets.specs()), (["evaluate"], datasets.specs()),
                         (["data", "get"], datasets.downloads()), (["study", "transfer"], [arm.name for arm in ARMS])):
        _, out, _ = mlcourse(*words, "--help")
        assert [name for name in names if name not in out] == [] and not any(place in out for place in PLACES), words


def test_the_module_is_the_command():
    result = subprocess.run([sys.executable, "-m", "mlcourse", "run", "no-such-lesson"], capture_output=True, text=True)
    assert said((result.returncode, result.stdout, result.stderr), "no lesson 'no-such-lesson'")


@pytest.mark.parametrize("words", [["nope"], ["list", "--nope"], ["run"], ["lab", "--port", "x"], ["data", "nope"]])
def test_a_wrong_command_line_is_status_2(mlcourse, words):
    status, out, err = mlcourse(*words)
    assert status == 2 and out == "" and "Usage:" in err


def test_list(course, mlcourse):
    status, out, _ = mlcourse("list")
    assert status == 0 and all(word in out for word in ("03", "A sample", "MAML", "03.1"))
    status, out, _ = mlcourse("list", "--json")
    assert json.loads(out) == [{"lesson": "03", "title": "A sample", "methods": ["MAML"], "minutes": 5,
                                "exercises": ["03.1"], "path": str(course / "03_maml.ipynb")}]


def test_run_has_a_line_per_cell_and_writes_nothing(course, mlcourse):
    before = (course / "03_maml.ipynb").read_bytes()
    status, out, err = mlcourse("run", "3")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("03  cell  1/2  A sample") and lines[0].endswith(" s")
    assert lines[1].startswith("03  cell  2/2  print('42.1 double")
    assert (course / "03_maml.ipynb").read_bytes() == before


def test_refresh_stores_validate_accepts_and_a_second_refresh_changes_nothing(course, mlcourse):
    status, out, _ = mlcourse("validate")
    assert status == 1 and "03_maml.ipynb: cells 2, 3 do not have the execution counts of one run" in out
    status, out, _ = mlcourse("run", "03", "--refresh")
    assert status == 0 and "stored new outputs" in out
    first = (course / "03_maml.ipynb").read_bytes()
    assert mlcourse("validate", "03")[:2] == (0, "1 notebook: every property holds\n")
    status, out, _ = mlcourse("run", "03", "--refresh")
    assert status == 0 and "unchanged" in out
    assert (course / "03_maml.ipynb").read_bytes() == first


def test_a_failing_cell_is_status_1_with_its_error(course, mlcourse):
    notebook = notebooks.read(course / "03_maml.ipynb")
    notebook.cells[2].source = "{}['key']"
    notebooks.write(notebook, course / "03_maml.ipynb")
    before = (course / "03_maml.ipynb").read_bytes()
    status, out, err = mlcourse("run", "03", "--refresh")
    assert status == 1 and err == "mlcourse: 03_maml.ipynb, cell 2 of 2: KeyError: 'key'\n"
    assert (course / "03_maml.ipynb").read_bytes() == before


def test_lab_fills_the_working_copy_and_restores(course, mlcourse, monkeypatch, tmp_path):
    launched = []
    monkeypatch.setattr(lab, "launch", lambda **settings: launched.append(settings) or 0)
    status, out, _ = mlcourse("lab", "--no-browser", "--port", "9000")
    assert status == 0 and "1 of them new" in out and (paths.WORK / "03_maml.ipynb").exists()
    assert launched == [{"browser": False, "port": 9000, "work": paths.WORK}]
    status, out, _ = mlcourse("lab", "--work", tmp_path / "mine")
    assert status == 0 and (tmp_path / "mine" / "03_maml.ipynb").exists() and launched.pop()["work"] == tmp_path / "mine"
    status, out, _ = mlcourse("lab", "--restore", "03")
    assert status == 0 and "your version is 03_maml.mine-1.ipynb" in out and len(launched) == 1
    assert said(mlcourse("lab", "--restore", "99"), "no lesson '99'")


def test_progress(course, mlcourse):
    from mlcourse.exercises import progress

    progress.record_attempt("03.1", passed=True)
    status, out, _ = mlcourse("progress")
    assert status == 0 and "passed 2" in out and "1 of " in out
    rows = json.loads(mlcourse("progress", "--json")[1])
    assert [row["passed"] for row in rows if row["id"] == "03.1"] == [True]
    status, out, _ = mlcourse("progress", "--reset")
    assert status == 0 and "0 of " in out
    assert progress.path().with_name("progress.json.before-reset").exists()


@pytest.mark.parametrize("name, module", [("glyphs", "glyphs.build"), ("strokes", "strokes")])
def test_a_data_set_is_built_under_runs_or_where_it_is_asked_for(mlcourse, monkeypatch, name, module):
    monkeypatch.setattr(f"mlcourse.datasets.{module}.build", lambda folder: folder)
    assert mlcourse("data", "build", name)[1].split() == [str(Path("runs") / name)]
    assert mlcourse("data", "build", name, "--folder", "data")[1].split() == ["data"]


def test_data(mlcourse, tmp_path):
    rows = json.loads(mlcourse("data", "list", "--json")[1])
    assert {"glyphs", "digits", "omniglot", "mnist"} <= {row["name"] for row in rows}
    status, out, _ = mlcourse("data", "list")
    assert status == 0 and "glyphs" in out
    status, out, _ = mlcourse("data", "verify", "digits")
    assert status == 0 and "1,797 images" in out
    assert said(mlcourse("data", "verify", "nothing"), "'nothing'")
    assert said(mlcourse("data", "get", "nothing"), "'nothing' has no download")
    assert said(mlcourse("data", "build", "mnist"), "only glyphs and strokes can be built, not 'mnist'")
    assert said(mlcourse("data", "list", "--data-dir", str(tmp_path / "nowhere")), "is not a directory")


def test_train_and_evaluate_repeat_a_number(mlcourse, tmp_path):
    out = str(tmp_path / "run")
    status, first, _ = mlcourse("train", "protonet", "--domain", "digits", "--way", "2", "--query", "2", "--steps", "2",
                                "--episodes", "5", "--folder", out, "--json")
    assert status == 0
    status, again, _ = mlcourse("evaluate", f"{out}/model.safetensors", "--domain", "digits", "--episodes", "5", "--json")
    assert status == 0
    assert json.loads(again)["mean"] == json.loads(first)["mean"]


def test_train_and_evaluate_say_what_is_wrong(mlcourse, tmp_path):
    assert said(mlcourse("train", "nosuch"), "unknown method 'nosuch'")
    assert said(mlcourse("train", "protonet", "--domain", "nosuch"), "'nosuch'")
    assert said(mlcourse("evaluate", str(tmp_path / "nothing.safetensors")), "there is no file")


@pytest.mark.parametrize("error, sentence", [
    (ValueError("first line\nsecond line"), "first line second line"),
    (PermissionError(13, "Permission denied", "/some/file"), "/some/file: Permission denied"),
    (RuntimeError("it is so"), "it is so")])
def test_an_error_of_the_course_becomes_one_sentence(mlcourse, monkeypatch, error, sentence):
    def fails(*_):
        raise error

    monkeypatch.setattr(notebooks, "lessons", fails)
    assert mlcourse("list") == (2, "", f"mlcourse: {sentence}\n")


def test_a_warning_of_the_course_is_one_sentence_and_others_stay_as_python_shows_them(mlcourse, monkeypatch):
    shown = warnings.showwarning

    def warns():
        warnings.warn_explicit("it is slower", UserWarning, notebooks.__file__, 1)
        warnings.warn_explicit("it is old", UserWarning, "/elsewhere/torch.py", 7)
        return []

    monkeypatch.setattr(notebooks, "lessons", warns)
    assert mlcourse("list")[2] == "mlcourse: it is slower\n/elsewhere/torch.py:7: UserWarning: it is old\n"
    assert warnings.showwarning is shown
