"""The learner's working copy of the lessons in work/, and JupyterLab on it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from mlcourse.course import notebooks
from mlcourse.system import machine, paths
from mlcourse.system.files import write_atomically

FIRST = "00_start_here.ipynb"
CONTENTS = "--ServerApp.contents_manager_class=mlcourse.course.contents.Contents"


def unread(data: bytes) -> bytes:
    """A notebook without its outputs, so that a prediction is made before its outcome can be read."""
    notebook = json.loads(data)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def _lay_out(source: Path, target: Path) -> None:
    """Copy one of the course's files; a lesson without its outputs."""
    data = source.read_bytes()
    data = unread(data) if source.suffix == ".ipynb" else data
    write_atomically(target, data)


def fill(work: Path | None = None, folder: Path | None = None) -> list[Path]:
    """Copy into `work` every file of the course's `folder` that is not there yet; the new copies, in order.

    Lessons are copied without their outputs. What is there already is the learner's and stays as it is. Raises FileNotFoundError without lessons.
    """
    work, folder = work or paths.WORK, folder or paths.NOTEBOOKS
    sources = [path for path in sorted(folder.glob("*")) if path.is_file() and path.name[0] not in "._"]
    if not any(path.suffix == ".ipynb" for path in sources):
        raise FileNotFoundError(
            f"there are no lessons in {folder}; clone the repository and install it from there with pip install -e ."
        )
    work.mkdir(parents=True, exist_ok=True)
    new = [work / source.name for source in sources if not (work / source.name).exists()]
    for target in new:
        _lay_out(folder / target.name, target)
    return new


def restore(name: str, work: Path | None = None, folder: Path | None = None) -> Path | None:
    """Put the course's copy of one lesson into `work` again.

    The learner's version stays beside it, as 03_maml.mine-1.ipynb and so on; its path is returned, or
    None where there was none. Raises FileNotFoundError for an unknown lesson.
    """
    work = work or paths.WORK
    source = notebooks.find(name, folder)
    work.mkdir(parents=True, exist_ok=True)
    target, backup = work / source.name, None
    if target.exists():
        number = 1
        while (backup := target.with_name(f"{target.stem}.mine-{number}.ipynb")).exists():
            number += 1
        mine = target.read_bytes()
        write_atomically(backup, mine)
    _lay_out(source, target)
    return backup


def command(browser: bool = True, port: int | None = None) -> list[str]:
    """The command line that opens JupyterLab on lesson 00, reachable from this computer alone.

    The access token is JupyterLab's own, new at every start.
    """
    first = f"{paths.WORK.relative_to(paths.ROOT).as_posix()}/{FIRST}"
    line = [sys.executable, "-m", "jupyterlab", f"--LabApp.default_url=/lab/tree/{first}",
            f"--ServerApp.root_dir={paths.ROOT}", "--ServerApp.ip=127.0.0.1", CONTENTS]
    if port is not None:
        line.append(f"--ServerApp.port={port}")
    if not browser:
        line.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        line.append("--allow-root")    # a container often has no other user
    return line


def launch(browser: bool = True, port: int | None = None) -> int:
    """Run JupyterLab until it stops, with threads and malloc set for its kernels; its exit status.

    A setting that the user's environment already makes wins.
    """
    environment = machine.environment() | os.environ
    line = command(browser, port)
    if os.name == "posix":
        sys.stdout.flush()
        os.execve(line[0], line, environment)
    import subprocess

    return subprocess.run(line, env=environment).returncode
