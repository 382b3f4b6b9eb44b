"""The lessons as files: list, execute, normalise, validate.

A lesson is a notebook whose metadata carry {"mlcourse": {"lesson": "03", "title": …, "methods": […],
"minutes": …, "exercises": ["03.1", …]}}. It is committed executed; `refresh` is the one way to make
those outputs, and refreshing twice changes no byte.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlcourse.system import machine, paths
from mlcourse.system.files import write_atomically

SIZE_CAP = 2_000_000
LONGEST_CELL = 25
COLLAPSED = "jp-MarkdownHeadingCollapsed"       # of a heading whose section JupyterLab shows folded
KEPT = {"jupyter", "tags", COLLAPSED}           # what the metadata of a cell may hold
HEADING = re.compile(r"^(#+)\s+(.*)$", re.MULTILINE)       # in Markdown: its marks and its text
CELL_TIMEOUT = 300      # seconds, as in `make test`
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"}


@dataclass(frozen=True)
class Notebook:
    """What a lesson says of itself, and where its notebook lies."""

    lesson: str
    title: str
    methods: tuple[str, ...]
    minutes: int
    exercises: tuple[str, ...]
    path: Path


def read_lesson(path: Path) -> Notebook:
    """The lesson in the notebook at `path`. Raises ValueError if the file is no lesson."""
    try:
        about = json.loads(path.read_text(encoding="utf-8"))["metadata"]["mlcourse"]
        return Notebook(
            lesson=about["lesson"],
            title=about["title"],
            methods=tuple(about["methods"]),
            minutes=about["minutes"],
            exercises=tuple(about["exercises"]),
            path=path,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not a notebook ({error}); restore it from the repository") from error
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is not a lesson: its metadata lack mlcourse's {error}; "
            "expected lesson, title, methods, minutes and exercises"
        ) from error


def lessons(folder: Path | None = None) -> list[Notebook]:
    """Every lesson of the course (or of `folder`), in order. Raises FileNotFoundError where there is none."""
    folder = folder or paths.NOTEBOOKS
    if found := sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        return [read_lesson(path) for path in found]
    raise FileNotFoundError(f"there are no lessons in {folder}; clone the repository, or install the course anew")


def find(name: str, folder: Path | None = None) -> Path:
    """The notebook of a lesson named by its number ("03" or "3"), its file's name, or a path.

    Raises FileNotFoundError, which names the lessons there are.
    """
    folder = folder or paths.NOTEBOOKS
    if name.endswith(".ipynb") and Path(name).is_file():
        return Path(name)
    number = name.zfill(2) if name.isdigit() else name.removesuffix(".ipynb")
    found = [path for path in sorted(folder.glob("*.ipynb")) if path.stem == number or path.name[:3] == number + "_"]
    if found:
        return found[0]
    there = ", ".join(path.name[:2] for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))) or "none"
    raise FileNotFoundError(f"no lesson {name!r} in {folder}; lessons here: {there}")


def read(path: Path):
    """The notebook at `path`, in the current notebook format (an nbformat NotebookNode)."""
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except nbformat.reader.NotJSONError as error:
        raise ValueError(f"{path} is not a notebook; restore it from the repository") from error


def fingerprint(path: Path) -> str:
    """What the lesson at `path` computes, as 16 hexadecimal digits: of its code cells, so that reworded prose and new
    outputs leave it as it is."""
    code = [cell.source for cell in read(path).cells if cell.cell_type == "code"]
    return hashlib.sha256("\0".join(code).encode()).hexdigest()[:16]


def write(notebook, path: Path) -> None:
    """Write a notebook whole or not at all."""
    import nbformat

    text = nbformat.writes(notebook).rstrip("\n") + "\n"
    write_atomically(path, text.encode())


# ---------------------------------------------------------------- execute


@dataclass(frozen=True)
class CellRun:
    """One executed code cell: its place among the `total` code cells, what it is about, and its seconds.

    `seconds` is None when the cell has only begun.
    """

    number: int
    total: int
    label: str
    seconds: float | None


def _label(cells, index: int) -> str:
    """The heading that leads to a code cell, or else the cell's first line."""
    for cell in reversed(cells[:index]):
        if cell.cell_type == "code":
            break
        headings = re.findall(r"^#+\s+(.+)$", cell.source, re.MULTILINE)
        if headings:
            return headings[0]
    return next((line for line in cells[index].source.splitlines() if line.strip()), "")


def _kernel_manager():
    """A manager whose kernel is this interpreter, whatever kernels the user has installed."""
    from ipykernel.kernelspec import RESOURCES, get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    class ThisInterpreter(KernelSpecManager):
        """Answers every kernel name with this interpreter."""

        def get_kernel_spec(self, kernel_name):
            return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())

    return AsyncKernelManager(kernel_spec_manager=ThisInterpreter())


def execute(notebook, folder: Path, on_cell: Callable[[CellRun], None] | None = None, progress: Path | None = None):
    """Run every code cell of `notebook` in order, in place, in a fresh kernel whose folder is `folder`.

    The kernel is this interpreter with two threads and, in a clone, that clone's package. The learner's progress is not
    touched: the checks write theirs to `progress`, or to an empty folder that goes afterwards. `on_cell` is called
    when a cell begins (seconds None) and when it has ended. Raises RuntimeError with the cell and its error when one
    fails or takes longer than CELL_TIMEOUT; the outputs so far are then in `notebook`.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]
    began = {}

    def report(index: int, ended: bool) -> None:
        if index in code and not (ended and index not in began):
            seconds = time.perf_counter() - began[index] if ended else None
            began.setdefault(index, time.perf_counter())
            if on_cell:
                on_cell(CellRun(code.index(index) + 1, len(code), _label(notebook.cells, index), seconds))

    with tempfile.TemporaryDirectory(prefix="mlcourse-progress-") as empty:
        quiet = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        client = NotebookClient(
            notebook,
            km=_kernel_manager(),
            timeout=CELL_TIMEOUT,
            resources={"metadata": {"path": str(folder)}},
            on_cell_execute=lambda cell, cell_index: report(cell_index, ended=False),
            on_cell_executed=lambda cell, cell_index, execute_reply: report(cell_index, ended=True),
        )
        try:
            found = os.pathsep.join(filter(None, [paths.IN_CLONE and str(paths.ROOT), os.environ.get("PYTHONPATH")]))
            own = machine.environment() | quiet | {"MLCOURSE_PROGRESS": str(progress or empty), "PYTHONPATH": found}
            client.execute(cleanup_kc=True, env=os.environ | own, stderr=subprocess.DEVNULL)
        except CellExecutionError as error:
            raise RuntimeError(f"cell {len(began)} of {len(code)}: {error.ename}: {error.evalue}") from error
        except CellTimeoutError as error:
            raise RuntimeError(f"cell {len(began)} of {len(code)} took longer than {CELL_TIMEOUT} s") from error
        except DeadKernelError as error:
            raise RuntimeError(f"cell {len(began)} of {len(code)}: the kernel died (out of memory?)") from error
    return notebook


# -------------------------------------------------------------- normalise


def _plain_png(encoded: str) -> str:
    """A base64 PNG without its ancillary text, time and resolution chunks; the picture is untouched."""
    data = base64.b64decode(encoded)
    signature, position = data[:8], 8
    if signature != b"\x89PNG\r\n\x1a\n":
        raise ValueError("an image/png output is not a PNG picture")
    kept = [signature]
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        chunk = data[position : position + 12 + length]
        if chunk[4:8] not in (b"tEXt", b"zTXt", b"iTXt", b"tIME", b"pHYs", b"eXIf"):
            kept.append(chunk)
        position += 12 + length
    return base64.b64encode(b"".join(kept)).decode("ascii")


def _normal_outputs(outputs) -> list:
    kept = []
    for output in outputs:
        if "data" in output:
            output.data.pop(WIDGET_VIEW, None)
            if "image/png" in output.data:
                output.data["image/png"] = _plain_png(output.data["image/png"])
            if not output.data:
                continue
        if kept and output.output_type == "stream" == kept[-1].output_type and output.name == kept[-1].name:
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def normalise(notebook):
    """Leave in `notebook`, in place, only what another machine would produce too.

    Cell ids are fixed by position; timing, widget state and widget views go; pictures lose the text that
    software adds to them; neighbouring pieces of one stream become one. Execution counts stay.
    """
    from nbformat import from_dict

    about = notebook.metadata["mlcourse"]
    notebook.metadata = from_dict({"kernelspec": KERNELSPEC, "language_info": LANGUAGE, "mlcourse": about})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"{about['lesson']}-{number:03d}"
        cell.metadata = from_dict({key: value for key, value in cell.metadata.items() if key in KEPT})
        if cell.cell_type == "code":
            cell.outputs = _normal_outputs(cell.outputs)
    return notebook


def refresh(path: Path, on_cell: Callable[[CellRun], None] | None = None) -> bool:
    """Execute the lesson at `path` and store its outputs, normalised; True if a byte changed."""
    read_lesson(path)
    before = path.read_bytes()
    notebook = read(path)
    execute(notebook, path.parent, on_cell)
    write(normalise(notebook), path)
    return path.read_bytes() != before


# --------------------------------------------------------------- validate


def validate(path: Path) -> list[str]:
    """Every property that the stored lesson at `path` violates, a sentence each; empty when all hold."""
    problems = []
    size = path.stat().st_size
    if size > SIZE_CAP:
        problems.append(f"the file has {size / 1e6:.1f} MB, more than {SIZE_CAP / 1e6:.0f} MB")
    try:
        about = read_lesson(path)
    except ValueError as error:
        return problems + [str(error)]
    if not path.name.startswith(about.lesson + "_"):
        problems.append(f"the metadata call it lesson {about.lesson}, but the file is {path.name}")

    notebook = read(path)
    extra = set(notebook.metadata) - {"kernelspec", "language_info", "mlcourse"}
    if extra:
        problems.append(f"the metadata hold {', '.join(sorted(extra))}, which no lesson needs")
    if notebook.metadata.get("kernelspec") != KERNELSPEC or notebook.metadata.get("language_info") != LANGUAGE:
        problems.append("the kernel's description is not the fixed one")
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    if "objective" not in prose.lower():
        problems.append("no objectives are named")
    if not re.search(r"^#+\s.*references", prose, re.MULTILINE | re.IGNORECASE):
        problems.append("there is no References section")
    tagged = sorted(exercise for cell in notebook.cells for exercise in exercises_of(cell))
    if tagged != sorted(about.exercises):
        problems.append(f"the metadata list exercises {list(about.exercises)}, but the cells are tagged {tagged}")

    moved, unrun, count = [], [], 0
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.id != f"{about.lesson}-{number:03d}":
            moved.append(str(number))
        if set(cell.metadata) - KEPT:
            problems.append(f"cell {number} has metadata that change from run to run: {sorted(cell.metadata)}")
        if cell.cell_type == "code":
            count += 1
            if cell.execution_count != count:
                unrun.append(str(number))
            problems += [f"cell {number} {problem}" for problem in _code_problems(cell)]
    again = f"run mlcourse run {about.lesson} --refresh"
    if moved:
        problems.append(f"the ids of cells {', '.join(moved)} are not their places; {again}")
    if unrun:
        problems.append(f"cells {', '.join(unrun)} do not have the execution counts of one run; {again}")
    return problems


def _code_problems(cell) -> list[str]:
    problems = []
    lines = [line for line in cell.source.splitlines() if line.strip()]
    if not lines:
        problems.append("is empty")
    elif len(lines) > LONGEST_CELL:
        problems.append(f"has {len(lines)} lines of code, more than {LONGEST_CELL}")
    elif lines[-1].rstrip().endswith(";"):
        problems.append("ends in a semicolon, which the notebook test does not honour; write `_ = …`")
    for output in cell.outputs:
        problems += _output_problems(output)
    if _normal_outputs(json_copy(cell.outputs)) != cell.outputs:
        problems.append("stores an output that is not normalised")
    return problems


def json_copy(node):
    """A deep copy of a piece of a notebook."""
    from nbformat import from_dict

    return from_dict(json.loads(json.dumps(node)))


def _output_problems(output) -> list[str]:
    if output.output_type == "error":
        return [f"stores an error: {output.ename}: {output.evalue}"]
    problems = []
    if output.get("name") == "stderr":
        problems.append(f"writes to stderr: {output.text.strip()[:80]!r}")
    data = output.get("data", {})
    text = output.get("text", "") + "".join(data.get(kind, "") for kind in ("text/plain", "text/html"))
    if re.search(r"\bat 0x[0-9a-fA-F]{6,}", text):
        problems.append("shows the address of an object, which differs from run to run")
    if re.search(r"(?<![\w.:/])/(home|root|tmp|usr|Users|var|opt)/\w|site-packages", text):
        problems.append("shows a path of the machine it ran on")
    if "image/png" in data and not output.metadata.get("image/png", {}).get("alt", output.metadata.get("alt")):
        problems.append("shows a picture without alt text (the output's metadata 'alt')")
    return problems


# -------------------------------------------------------------- exercises


def exercises_of(cell) -> list[str]:
    """The ids of the exercises whose stub a cell holds."""
    tags = cell.metadata.get("tags", [])
    return [tag.removeprefix("exercise:") for tag in tags if tag.startswith("exercise:")]
