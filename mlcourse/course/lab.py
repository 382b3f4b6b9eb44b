"""The learner's working copy of the lessons in work/, and JupyterLab on it."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
from pathlib import Path

from mlcourse import exercises
from mlcourse.course import notebooks
from mlcourse.system import machine, paths
from mlcourse.system.files import write_atomically

QUIET = ("--LabApp.log_level=ERROR", "--ServerApp.log_level=ERROR")
SETTINGS = Path(__file__).parent / "jupyter"       # what JupyterLab starts with where the learner has set nothing
COPIED = ".copied.json"         # in the working copy: what each file was copied from
SERVER = ("--ServerApp.contents_manager_class=mlcourse.course.contents.Contents",
          "--KernelManager.transport_encryption=auto")      # or each kernel prints a warning


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
    copied = _copied(target.parent) | {target.name: _digest(source)}
    write_atomically(target.parent / COPIED, (json.dumps(copied, indent=1, sort_keys=True) + "\n").encode())


def fill(work: Path | None = None, folder: Path | None = None) -> list[Path]:
    """Copy into `work` every file of the course's `folder` that is not there yet; the new copies, in order.

    Lessons are copied without their outputs. A lesson that is there already is the learner's and stays as it is; a
    page, such as the glossary, is copied again as long as the learner has not changed it. Raises FileNotFoundError
    without lessons, OSError where `work` cannot be written.
    """
    work, folder = work or paths.WORK, folder or paths.NOTEBOOKS
    notebooks.lessons(folder)
    sources = [path for path in sorted(folder.glob("*")) if path.is_file() and path.name[0] not in "._"]
    new = [work / source.name for source in sources if not (work / source.name).exists()]
    pages = [work / source.name for source in sources if source.suffix != ".ipynb" and _is_old_page(source, work)]
    try:
        for target in pages:
            _lay_out(folder / target.name, target)
        for target in new:
            _lay_out(folder / target.name, target)
    except OSError as error:
        raise OSError(f"{error}, with mlcourse lab --work DIR") from error
    return new


def _is_old_page(source: Path, work: Path) -> bool:
    """Whether the copy of a page is as it was copied, from an original that has changed since."""
    copy = work / source.name
    return copy.exists() and _copied(work).get(source.name) == _digest(copy) != _digest(source)


def older(work: Path | None = None, folder: Path | None = None) -> list[str]:
    """The lessons in `work` whose original has changed since they were copied."""
    work, folder = work or paths.WORK, folder or paths.NOTEBOOKS
    copied = _copied(work)
    return [path.name for path in sorted(folder.glob("*.ipynb")) if (work / path.name).exists()
            and copied.get(path.name, "") not in ("", _digest(path))]


def _copied(work: Path) -> dict[str, str]:
    """What the copies in `work` were made of: {file name: digest of the original}."""
    try:
        found = json.loads((work / COPIED).read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}


def _digest(original: Path) -> str:
    """What a learner would get of an original: a lesson counts without its outputs."""
    data = original.read_bytes()
    return hashlib.sha256(unread(data) if original.suffix == ".ipynb" else data).hexdigest()[:16]


def restore(name: str, work: Path | None = None, folder: Path | None = None) -> Path | None:
    """Put the course's copy of one lesson into `work` again.

    The learner's version stays beside it, as 03_maml.mine-1.ipynb and so on; its path is returned, or
    None where there was none. Raises FileNotFoundError for an unknown lesson.
    """
    work = work or paths.WORK
    source = notebooks.find(name, folder)
    target, backup = work / source.name, None
    if target.exists():
        number = 1
        while (backup := target.with_name(f"{target.stem}.mine-{number}.ipynb")).exists():
            number += 1
        mine = target.read_bytes()
        write_atomically(backup, mine)
    _lay_out(source, target)
    return backup


def unfinished() -> notebooks.Notebook:
    """The first lesson with an exercise that the learner has not passed; the last one where all are passed."""
    course = notebooks.lessons()
    passed = {row["id"] for row in exercises.status() if row["passed"]}
    return next((lesson for lesson in course if set(lesson.exercises) - passed), course[-1])


def welcome(work: Path, new: list[Path]) -> list[str]:
    """Four lines for the terminal; `mlcourse.course.address` prints the fifth. new: the files that were just copied."""
    lesson = unfinished()
    fresh = sum(path.suffix == ".ipynb" for path in new)
    copies = f", {fresh} of them new" if fresh else ""
    return [f"Your copies of the lessons are in {work}{copies}. Next: {lesson.lesson} {lesson.title}.",
            'Run a cell with Shift+Enter; "How to work here" in lesson 00 says the rest.',
            "What you write and pass is kept on this computer and goes nowhere else.",
            "Stop the course here with Ctrl+C, pressed twice. If no browser opens by itself:"]


def command(browser: bool = True, port: int | None = None, work: Path | None = None) -> list[str]:
    """The command line that opens JupyterLab on the next unfinished lesson in `work`, reachable from this computer
    alone. The learner sees the folder around work/ of a clone, and nothing around any other folder.
    """
    work = (work or paths.WORK).resolve()
    root = paths.ROOT if work.is_relative_to(paths.ROOT) else work
    lesson = (work / unfinished().path.name).relative_to(root).as_posix()
    line = [sys.executable, "-m", "jupyterlab", f"--LabApp.default_url=/lab/tree/{lesson}", *QUIET,
            f"--ServerApp.root_dir={root}", "--ServerApp.ip=127.0.0.1", *SERVER]
    if port is not None:
        line.append(f"--ServerApp.port={port}")
    if not browser:
        line.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        line.append("--allow-root")    # a container often has no other user
    return line


def launch(browser: bool = True, port: int | None = None, work: Path | None = None) -> int:
    """Run JupyterLab until it stops, with threads and malloc set for its kernels; its exit status.

    The access token is new at every start. A setting that the user's environment already makes wins.
    """
    settings = os.pathsep.join(filter(None, [os.environ.get("JUPYTER_CONFIG_PATH"), str(SETTINGS)]))
    environment = (machine.environment() | {"JUPYTER_TOKEN": secrets.token_hex(24)} | os.environ
                   | {"JUPYTER_CONFIG_PATH": settings})
    line = command(browser, port, work)
    if os.name == "posix":
        sys.stdout.flush()
        os.execve(line[0], line, environment)
    import subprocess

    return subprocess.run(line, env=environment).returncode
