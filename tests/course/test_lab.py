"""The learner's working copy: filled, never overwritten, restored with a backup."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest
from jupyterlab import commands as jupyterlab_commands
from sample_lesson import sample

from mlcourse.course import lab, notebooks
from mlcourse.exercises import progress
from mlcourse.system import files, machine, paths


@pytest.fixture
def course(tmp_path):
    """A folder of two lessons, a page and a hidden file, and the path of a working copy that is not there yet."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("00_start_here", "03_maml"):
        nbformat.write(sample(name[:2]), folder / f"{name}.ipynb")
    (folder / "notation.md").write_text("θ\n", encoding="utf-8")
    (folder / ".hidden").write_text("x", encoding="utf-8")
    return folder, tmp_path / "work"


def test_the_working_copy_is_filled_once_and_never_overwritten(course):
    folder, work = course
    assert [path.name for path in lab.fill(work, folder)] == ["00_start_here.ipynb", "03_maml.ipynb", "notation.md"]
    assert sorted(path.name for path in work.glob("[!.]*")) == ["00_start_here.ipynb", "03_maml.ipynb", "notation.md"]
    (work / "00_start_here.ipynb").write_text("mine", encoding="utf-8")
    (work / "03_maml.ipynb").unlink()
    assert lab.fill(work, folder) == [work / "03_maml.ipynb"]
    assert (work / "00_start_here.ipynb").read_text(encoding="utf-8") == "mine"
    copied, stored = (nbformat.read(where / "03_maml.ipynb", 4) for where in (work, folder))
    assert [cell.source for cell in copied.cells] == [cell.source for cell in stored.cells]
    assert lab.fill(work, folder) == []


def test_a_page_that_the_learner_left_alone_is_kept_up_to_date(course):
    folder, work = course
    lab.fill(work, folder)
    (folder / "notation.md").write_text("θ, φ\n", encoding="utf-8")
    assert lab.fill(work, folder) == []
    assert (work / "notation.md").read_text(encoding="utf-8") == "θ, φ\n"
    (work / "notation.md").write_text("mine", encoding="utf-8")
    (folder / "notation.md").write_text("θ, φ, α\n", encoding="utf-8")
    assert lab.fill(work, folder) == []
    assert (work / "notation.md").read_text(encoding="utf-8") == "mine"


def test_the_lesson_that_opens_is_the_first_unfinished_one(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(tmp_path))
    assert lab.unfinished().lesson == "00"
    one, *others = [lesson for lesson in notebooks.lessons() if lesson.exercises]
    for id in one.exercises:
        assert lab.unfinished() == one
        progress.record_attempt(id, True)
    assert lab.unfinished() == others[0]
    assert lab.command(work=tmp_path)[3] == f"--LabApp.default_url=/lab/tree/{others[0].path.name}"
    for id in (id for lesson in others for id in lesson.exercises):
        progress.record_attempt(id, True)
    assert lab.unfinished() == notebooks.lessons()[-1]


def test_the_terminal_says_four_lines_before_the_address(course, tmp_path, monkeypatch):
    folder, work = course
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(tmp_path))
    first = lab.welcome(work, lab.fill(work, folder))
    assert len(first) == 4 and first[0].endswith(f"{work}, 2 of them new. Next: 00 Start here.")
    assert lab.welcome(work, lab.fill(work, folder))[0].endswith(f"{work}. Next: 00 Start here.")


def test_the_settings_are_those_that_jupyterlab_knows():
    """A setting of another name would be passed over in silence."""
    ours = json.loads((lab.SETTINGS / "labconfig" / "default_setting_overrides.json").read_text())
    schemas = Path(jupyterlab_commands.get_app_dir()) / "schemas"
    for plugin, settings in ours.items():
        extension, _, name = plugin.partition(":")
        known = json.loads((schemas / extension / f"{name}.json").read_text(encoding="utf-8"))["properties"]
        assert set(settings) <= set(known), plugin


def test_a_lesson_is_laid_out_without_its_outputs():
    """Or the learner would read the outcome before predicting it."""
    stored = sample()
    stored.cells[1].outputs = [nbformat.v4.new_output("stream", text="the outcome")]
    stored.cells[1].execution_count = 1
    fresh = nbformat.reads(lab.unread(nbformat.writes(stored).encode()), 4)
    assert all(cell.outputs == [] and cell.execution_count is None for cell in fresh.cells if "outputs" in cell)
    assert [cell.source for cell in fresh.cells] == [cell.source for cell in stored.cells]
    assert fresh.metadata == stored.metadata


def test_a_course_without_lessons_says_where_it_looked(tmp_path):
    for ask in (lambda: lab.fill(tmp_path / "work", tmp_path / "nowhere"),
                lambda: notebooks.lessons(tmp_path / "nowhere")):
        with pytest.raises(FileNotFoundError, match="there are no lessons in .*clone the repository, or install"):
            ask()
    assert not (tmp_path / "work").exists()


def test_a_copy_of_an_earlier_version_is_named_and_a_new_one_or_an_edited_one_is_not(course):
    folder, work = course
    lab.fill(work, folder)
    (work / "00_start_here.ipynb").write_text("mine", encoding="utf-8")
    assert lab.older(work, folder) == []
    changed = nbformat.read(folder / "03_maml.ipynb", 4)
    changed.cells[1].outputs = [nbformat.v4.new_output("stream", text="another machine")]
    nbformat.write(changed, folder / "03_maml.ipynb")
    assert lab.older(work, folder) == []                        # new outputs alone are nothing to the learner
    changed.cells[0].source += "\nA new sentence."
    nbformat.write(changed, folder / "03_maml.ipynb")
    assert lab.older(work, folder) == ["03_maml.ipynb"]
    lab.restore("03", work, folder)
    assert lab.older(work, folder) == []
    (work / lab.COPIED).write_text("damaged", encoding="utf-8")
    assert lab.older(work, folder) == []                        # nobody knows what they are copies of


def test_a_folder_that_cannot_be_written_is_said_with_the_way_out(course, monkeypatch):
    folder, work = course

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.os, "open", refuse)
    with pytest.raises(OSError, match=r"cannot write .*Permission denied; .* another folder, with mlcourse lab --work "
                                      "DIR"):
        lab.fill(work, folder)


def test_another_folder_of_work_is_opened_by_itself(tmp_path):
    line = lab.command(work=tmp_path / "mine")
    assert {"--LabApp.default_url=/lab/tree/00_start_here.ipynb",
            f"--ServerApp.root_dir={tmp_path / 'mine'}"} <= set(line)


def test_restoring_keeps_every_version_of_the_learner(course):
    folder, work = course
    assert lab.restore("03", work, folder) is None
    original = (work / "03_maml.ipynb").read_bytes()
    for number in (1, 2):
        (work / "03_maml.ipynb").write_text(f"mine {number}", encoding="utf-8")
        backup = lab.restore("03", work, folder)
        assert backup.name == f"03_maml.mine-{number}.ipynb"
        assert backup.read_text(encoding="utf-8") == f"mine {number}"
        assert (work / "03_maml.ipynb").read_bytes() == original
    with pytest.raises(FileNotFoundError, match="no lesson '07'"):
        lab.restore("07", work, folder)


def test_a_copy_that_fails_leaves_what_was_there(course, monkeypatch):
    folder, work = course
    lab.fill(work, folder)
    (work / "03_maml.ipynb").write_text("mine", encoding="utf-8")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lab.os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        lab.restore("03", work, folder)
    assert (work / "03_maml.ipynb").read_text(encoding="utf-8") == "mine"
    assert not list(work.glob("*.part"))


def test_the_command_line_keeps_jupyterlab_on_this_computer():
    line = lab.command(browser=False, port=9001)
    assert line[:3] == [sys.executable, "-m", "jupyterlab"]
    assert {"--LabApp.default_url=/lab/tree/work/00_start_here.ipynb", f"--ServerApp.root_dir={paths.ROOT}",
            "--ServerApp.ip=127.0.0.1", "--ServerApp.port=9001", "--no-browser"} <= set(line)
    assert not any("token" in word or "password" in word for word in line)
    assert "--no-browser" not in lab.command()


def test_the_process_settings_are_numbers_and_take_effect():
    environment = machine.environment()
    assert environment["OMP_NUM_THREADS"] == "2"
    assert all(environment[name] == str(value) for name, value in machine.malloc_settings().items())
    assert machine.keep_freed_memory() == bool(machine.malloc_settings())


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_jupyterlab_answers_to_its_token_alone(course, tmp_path):
    folder, work = course
    lab.fill(work, folder)
    start = ("from pathlib import Path; from mlcourse.course import lab; from mlcourse.system import paths; "
             f"paths.WORK, paths.ROOT = Path({str(work)!r}), Path({str(tmp_path)!r}); lab.launch(browser=False)")
    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen([sys.executable, "-c", start], cwd=tmp_path, stdout=output, stderr=output,
                                  stdin=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(lab.paths.ROOT)})
    try:
        address = None
        for _ in range(600):
            urls = [word for word in log.read_text().split() if word.startswith("http://127.0.0.1")
                    and "token=" in word]
            if urls or server.poll() is not None:
                address = urls[0] if urls else None
                break
            time.sleep(0.1)
        assert address, log.read_text()
        assert log.read_text() == f"Open {address}\n"
        assert "/lab/tree/work/00_start_here.ipynb?token=" in address
        base, token = address.split("/lab/")[0], address.split("token=")[1]
        listing = f"{base}/api/contents/work/00_start_here.ipynb?content=0"
        for _ in range(600):                # it says its address a moment before it listens
            try:
                urllib.request.urlopen(f"{base}/api").close()
                break
            except urllib.error.URLError:
                time.sleep(0.1)
        with urllib.request.urlopen(f"{listing}&token={token}") as page:
            assert page.status == 200
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(listing)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)
