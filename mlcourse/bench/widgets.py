"""How long a widget takes from a changed control to the new picture, in the kernel and in a browser."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import nbformat
import numpy as np

from mlcourse.bench import browser
from mlcourse.course.notebooks import KERNELSPEC
from mlcourse.lesson import lessons
from mlcourse.rows import facts
from mlcourse.widgets import Explorer

KEY = ("widget",)
VALUES = 15       # of each control
PRESSES = 15      # of an arrow key
WAIT = 20_000     # milliseconds for a new picture

# A key's own time stamp is on the clock of performance.now().
TIMER = """image => {
    document.addEventListener('keydown', event => { window.pressed = event.timeStamp; window.latency = null; }, true);
    new MutationObserver(() => image.decode().then(() => { window.latency ??= performance.now() - window.pressed; }))
        .observe(image, {attributes: true, attributeFilter: ['src']});
}"""


def names() -> list[str]:
    """Every explorer that a lesson's record names, in the order of the lessons."""
    return [name for lesson in lessons() for name in lesson.explorers]


def example(name: str) -> Explorer:
    """An explorer of this name with something to show. Raises ValueError for one that no lesson's record names."""
    for lesson in lessons():
        if name in lesson.explorers:
            return lesson.load(lesson.explorers[name])()
    raise ValueError(f"there is no widget {name!r}; the widgets are {', '.join(names())}")


def visited(name: str) -> Explorer:
    """The example as it is measured: where a widget keeps what it computes, after a visit to every value of `sweep`."""
    widget = example(name)
    if widget.keeps:
        sweep(widget)
    return widget


# ---------------------------------------------------------- in the kernel


def values_of(control) -> list:
    """Up to 15 values of a control from its least to its greatest, or all its options."""
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    if not hasattr(control, "min"):
        return [False, True] if isinstance(control.value, bool) else []
    span = np.linspace(control.min, control.max, VALUES)
    if hasattr(control, "base"):
        return [float(control.base**value) for value in span]
    return sorted({int(value) for value in span}) if isinstance(control.value, int) else [float(v) for v in span]


def sweep(widget: Explorer) -> list[tuple[float, float]]:
    """Milliseconds of every change over all controls, as (compute, all the rest): the others stay where they stand.

    The first change of a control, which may build a new frame, counts too.
    Raises what the widget could not show.
    """
    compute, spent, times = widget.compute, [], []

    def timed(**settings):
        start = time.perf_counter()
        record = compute(**settings)
        spent.append(time.perf_counter() - start)
        return record

    widget.compute = timed
    for control in widget.controls.values():
        before = control.value
        for value in values_of(control):
            if value == control.value:
                continue
            spent.clear()
            start = time.perf_counter()
            control.value = value
            total = time.perf_counter() - start
            if widget.error is not None:
                raise widget.error
            times.append((1000 * sum(spent), 1000 * (total - sum(spent))))
        control.value = before
    return times


# ----------------------------------------------------------- in a browser


@contextmanager
def alone(running, server: browser.Server, name: str) -> Iterator[browser.LabWidget]:
    """A widget alone in a notebook in JupyterLab, as `visited` makes it.

    running: a browser of playwright. Raises RuntimeError when the cell fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = notebook_of([name], Path(folder) / f"{name}.ipynb", "visited")
        with browser.opened(running, server, path) as lab:
            if errors := lab.errors():
                raise RuntimeError(f"{name} cannot be shown in JupyterLab: {errors[0]}")
            yield lab.widget(name)


def notebook_of(chosen: list[str], path: Path, make: str) -> Path:
    """Writes a notebook to `path` whose cells make these widgets, one each, by this module's function `make`."""
    cells = [nbformat.v4.new_code_cell(f"from mlcourse.bench.widgets import {make}\n\n{make}({name!r})")
             for name in chosen]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNELSPEC}), path)
    return path


def key_to_pixel(running, server: browser.Server, name: str) -> list[float]:
    """Milliseconds from each press of an arrow key on a slider until the browser has decoded the new picture.

    The widget stands alone in a notebook; 15 presses on its first slider or number field. Measured by the page's own
    clock, so whatever delays the front end adds are inside.
    running: a browser of playwright. Raises RuntimeError when a press brings no new picture.
    """
    with alone(running, server, name) as shown:
        return presses(shown, name)


def presses(shown: browser.LabWidget, name: str) -> list[float]:
    """The same, of a widget that is shown already."""
    from playwright.sync_api import TimeoutError

    control = shown.root.locator(".noUi-handle").or_(shown.root.locator("input[type=number]")).first
    shown.picture.evaluate(TIMER)
    times, key = [], "ArrowLeft"
    for _ in range(PRESSES):
        shown.settled()
        key = _direction(control, key)
        control.focus()
        shown.page.keyboard.press(key)
        try:
            shown.page.wait_for_function("window.latency != null", timeout=WAIT)
        except TimeoutError as error:
            raise RuntimeError(f"{name} shows no new picture after {key} on its first control") from error
        times.append(shown.page.evaluate("window.latency"))
    return times


def _direction(handle, last: str) -> str:
    """The key that moves a control: the last one until the control's end, then the other."""
    low, high, now = (float(handle.get_attribute(name) or "nan") for name in
                      ("aria-valuemin", "aria-valuemax", "aria-valuenow"))
    if math.isnan(now):
        return "ArrowUp"
    return "ArrowRight" if now <= low else "ArrowLeft" if now >= high else last


# ------------------------------------------------------------------- rows


def measure(name: str, running=None, server: browser.Server | None = None) -> dict:
    """The row of one widget; key_to_pixel_ms is None without a browser. Raises what the parts raise."""
    times = np.array(sweep(visited(name)))
    pressed = key_to_pixel(running, server, name) if running is not None else None
    command = f"mlcourse bench widgets {name}" + ("" if pressed else " --no-browser")
    percentile = lambda values, share, digits=1: round(float(np.percentile(values, share)), digits)
    return {"widget": name, "changes": len(times), "compute_ms": percentile(times[:, 0], 50, 3),
            "draw_ms": percentile(times[:, 1], 50), "p50_ms": percentile(times.sum(1), 50),
            "p95_ms": percentile(times.sum(1), 95), "key_to_pixel_ms": percentile(pressed, 50) if pressed else None,
            **facts(command, seed=0)}


def rows(chosen: list[str], in_browser: bool = True) -> Iterator[dict]:
    """A row for each of these widgets, or for all. Raises ValueError, before anything is measured, for an unknown
    one, RuntimeError where there is no browser, and what `measure` raises."""
    for name in chosen:
        if name not in names():
            raise ValueError(f"there is no widget {name!r}; the widgets are {', '.join(names())}")
    if not in_browser:
        yield from map(measure, chosen or names())
        return
    with ExitStack() as stack:
        try:
            running = stack.enter_context(browser.chromium())
        except RuntimeError as error:
            raise RuntimeError(f"{error}, or leave key to pixel out with --no-browser") from error
        base = stack.enter_context(tempfile.TemporaryDirectory())
        server = stack.enter_context(browser.jupyterlab(Path(base)))
        for name in chosen or names():
            yield measure(name, running, server)


def line(row: dict) -> str:
    """One line of the table."""
    pressed = "not measured" if row["key_to_pixel_ms"] is None else f"{row['key_to_pixel_ms']:5.1f} ms"
    return (f"{row['widget']:20s} {row['changes']:4d} changes   compute {row['compute_ms']:5.1f} ms   "
            f"draw {row['draw_ms']:5.1f} ms   p95 {row['p95_ms']:5.1f} ms   key to pixel {pressed}")
