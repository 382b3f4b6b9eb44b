"""A pytest plugin: nbval runs each lesson once, on the plainest processor, and tries each reference solution in
passing.

What it adds to nbval (`pytest --nbval -p mlcourse.course.nbval_lessons`):

- The lesson's kernel computes with one thread and without the processor's vector instructions, so that an output that
  depends on the machine differs from the stored one here already, not at a stranger's.
- Numbers marked with ≈ are compared loosely (`mlcourse.course.approximate`), the alt texts of pictures too.
- After the check of an exercise one more item runs the reference solution and the check in the same kernel and puts
  the stub back.
- Progress goes to an empty folder, for each lesson its own, and for the solutions another.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from mlcourse.course.approximate import settle

# MKL_CBWR: products of matrices are rounded alike on processors of all makers
PLAIN = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
         "OPENBLAS_NUM_THREADS": "1"}
CAPABILITY = "MLCOURSE_KERNEL_CAPABILITY"     # "avx2", "avx512": another value of ATEN_CPU_CAPABILITY for the kernels;
#                                                 "native": whatever the processor has, and products rounded its own way
TAG = "exercise:"


def kernel_environment(progress: str) -> dict[str, str]:
    """The variables that a lesson's kernel gets and the tests' own process does not."""
    asked, values = os.environ.get(CAPABILITY), dict(PLAIN)
    if asked == "native":
        del values["ATEN_CPU_CAPABILITY"], values["MKL_CBWR"]
    elif asked:
        values["ATEN_CPU_CAPABILITY"] = asked
    return values | {"MLCOURSE_PROGRESS": progress}


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """These variables in this process's environment, inside the block."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class LessonFile(IPyNbFile):
    """A notebook whose kernel has an environment of its own, with an item for each reference solution."""

    def setup(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="mlcourse-progress-")
        with environment(kernel_environment(self.folder.name)):
            super().setup()

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()

    def collect(self) -> Iterator[pytest.Item]:
        """The code cells, and after the check of each exercise its reference solution."""
        stub = None
        for item in super().collect():
            yield LessonCell.from_parent(self, name=item.name, cell_num=item.cell_num, cell=item.cell,
                                         options=item.options)
            if stub is not None:
                yield Solution.from_parent(self, name=f"solution {exercise(stub)}", stub=stub, check=item.cell)
            stub = item.cell if exercise(item.cell) else None


class LessonCell(IPyNbCell):
    """A code cell whose ≈ numbers are compared loosely, and whose alt texts are compared."""

    def compare_outputs(self, test, ref, skip_compare=None) -> bool:
        stored, now = spoken(ref), spoken(test)
        for key, texts in now.items():
            for place, (container, name) in enumerate(texts):
                if place < len(stored.get(key, [])):
                    other, its_name = stored[key][place]
                    container[name] = settle(other[its_name], container[name])
        if not super().compare_outputs(test, ref, skip_compare):
            return False
        alts = [[container[name] for container, name in texts.get("alt", [])] for texts in (stored, now)]
        if alts[0] != alts[1]:
            self.format_output_compare("alt", "\n".join(alts[0]), "\n".join(alts[1]))
        return alts[0] == alts[1]


def spoken(outputs) -> dict[str, list[tuple[dict, str]]]:
    """Where the texts of a cell's outputs stand, by kind and in order, as (the dict that holds one, its key there)."""
    found: dict[str, list] = {}
    for output in outputs:
        if output.output_type == "stream":
            found.setdefault(output.name, []).append((output, "text"))
        for kind, text in output.get("data", {}).items():
            if kind.startswith("text/") and isinstance(text, str):
                found.setdefault(kind, []).append((output["data"], kind))
        about = output.get("metadata", {}).get("image/png", {})
        if "alt" in about:
            found.setdefault("alt", []).append((about, "alt"))
    return found


def exercise(cell) -> str:
    """The id of the exercise whose stub a cell holds, "" for any other cell."""
    return next((tag.removeprefix(TAG) for tag in cell.metadata.get("tags", []) if tag.startswith(TAG)), "")


class Solution(pytest.Item):
    """The reference solution of an exercise and its check, in the lesson's kernel; the stub is put back."""

    def __init__(self, *, stub, check, **keywords):
        super().__init__(**keywords)
        self.stub, self.check = stub, check

    def runtest(self) -> None:
        from mlcourse.exercises import exercise as entry

        one = entry(exercise(self.stub))
        with tempfile.TemporaryDirectory(prefix="mlcourse-progress-") as folder:
            self.run(progress(folder))
            try:
                self.run(one.solution_source)
                said = self.run(self.check.source)
            finally:
                self.run(self.stub.source)
                self.run(progress(self.parent.folder.name))
        expected = f"{one.id} {one.answer}: passed. "
        assert any(line.startswith(expected) for line in said.splitlines()), said

    def run(self, source: str) -> str:
        """What the kernel prints when it runs `source`. Raises AssertionError with the traceback of an error."""
        kernel, printed = self.parent.kernel, ""
        assert kernel.is_alive(), "the lesson's kernel has died"
        id = kernel.execute_cell_input(source, allow_stdin=False)
        kernel.await_reply(id, timeout=self.config.option.nbval_cell_timeout)
        while True:
            message = kernel.get_message("iopub", timeout=30)
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != id:
                continue
            if kind == "stream":
                printed += content["text"]
            elif kind == "error":
                raise AssertionError("\n".join(content["traceback"]))
            elif kind == "status" and content["execution_state"] == "idle":
                return printed

    def reportinfo(self):
        return self.path, 0, f"{self.path.name}::{self.name}"


def progress(folder: str) -> str:
    """Code that sends the progress of a kernel to another folder and leaves its names alone."""
    return f'__import__("os").environ["MLCOURSE_PROGRESS"] = {folder!r}'


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent):
    """Every notebook that nbval takes becomes a LessonFile."""
    found = yield
    return [LessonFile.from_parent(parent, path=file_path) if isinstance(each, IPyNbFile) else each for each in found]
