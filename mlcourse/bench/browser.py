"""JupyterLab in a real browser, driven as a learner does: for the browser tests and for the widgets' benchmark."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from mlcourse.course.lab import SERVER, SETTINGS
from mlcourse.system import paths

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PATIENCE = 90_000      # milliseconds: a slow machine is not a failure
LESSON = 300_000       # for all cells of a lesson, which may train
LAPTOP = {"width": 1366, "height": 768}

PICTURE_BYTES = """async image => {
    const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('');
}"""
CELL_OF_WIDGET = """name => window.jupyterapp.shell.currentWidget.content.widgets.findIndex(cell =>
    (cell.model.toJSON().outputs ?? []).some(output =>
        [output.data?.['text/plain'] ?? ''].flat().join('').startsWith(name + '(')))"""
FAULTS = """root => {
    const box = element => element.getBoundingClientRect(), faults = [];
    const all = [...root.querySelectorAll('*')].filter(element => element.offsetParent !== null);
    const image = root.querySelector('img');
    const controls = all.filter(element => element.matches('button, input, select, .noUi-handle'));
    for (const control of controls)
        if (box(control).bottom > box(image).top) faults.push(`${control.className} stands below the picture`);
    const top = Math.min(...controls.map(control => box(control).top));
    const high = Math.round(box(image).bottom - top);
    if (high > 500) faults.push(`controls and picture are ${high} px high`);
    for (const element of all) {
        const style = getComputedStyle(element);
        const wide = element.scrollWidth > element.clientWidth + 1;
        const tall = element.scrollHeight > element.clientHeight + 1;
        if (wide && /auto|scroll/.test(style.overflowX)) faults.push(`${element.className} scrolls to the side`);
        if (tall && /auto|scroll/.test(style.overflowY)) faults.push(`${element.className} scrolls up and down`);
        if (wide && element.matches('.widget-label, .widget-readout, button, .widget-html-content'))
            faults.push(`${element.innerText} is cut off`);
    }
    return faults; }"""
IDLE = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
RUN_ALL = """() => { window.allRun = false;
    window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => { window.allRun = true; }); }"""
RUN_CELL = """index => { const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = index; notebook.deselectAll();
    return window.jupyterapp.commands.execute('notebook:run-cell'); }"""
ERRORS = """() => window.jupyterapp.shell.currentWidget.content.widgets.flatMap(cell =>
    (cell.model.toJSON().outputs ?? []).filter(o => o.output_type === 'error').map(o => `${o.ename}: ${o.evalue}`))"""


@contextmanager
def chromium() -> Iterator:
    """A headless Chromium, a `Browser` of playwright.

    While it runs, playwright keeps an event loop running in this thread. Raises RuntimeError where playwright or a
    Chromium is not installed.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError as error:
        raise RuntimeError("playwright for Python is not installed; pip install playwright") from error
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise RuntimeError(f"no Chromium found (looked for {', '.join(BROWSERS)} on the PATH); install one")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


class Server(NamedTuple):
    """A running JupyterLab: http://127.0.0.1:PORT, its token, and the folder that it shows."""

    address: str
    token: str
    folder: Path


@contextmanager
def jupyterlab(base: Path) -> Iterator[Server]:
    """JupyterLab as `mlcourse lab` starts it, over the new folder `base`/work, with settings and progress in `base`, so
    that the user's stay as they are. Raises RuntimeError, with the end of its log, when it does not start."""
    folder, settings = base / "work", base / "settings"
    folder.mkdir()
    settings.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(f"http://127.0.0.1:{port}", secrets.token_hex(16), folder)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--ServerApp.root_dir={folder}",
               "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
               "--LabApp.expose_app_in_browser=True", f"--LabApp.user_settings_dir={settings}", *SERVER]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    with (base / "server.log").open("w") as log:
        process = subprocess.Popen(command, env=_environment(base, server.token), stdout=log, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL)
        try:
            _wait_for(f"{server.address}/api/status?token={server.token}", process, base / "server.log")
            yield server
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment(base: Path, token: str) -> dict[str, str]:
    places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTER_DATA_DIR": "data",
              "IPYTHONDIR": "ipython", "MLCOURSE_PROGRESS": "progress", "JUPYTERLAB_WORKSPACES_DIR": "workspaces"}
    return os.environ | {name: str(base / part) for name, part in places.items()} | {
        "JUPYTER_CONFIG_PATH": str(SETTINGS), "JUPYTER_TOKEN": token,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(paths.ROOT), os.environ.get("PYTHONPATH")]))}


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start; its log ends:\n{log.read_text()[-2000:]}")


@contextmanager
def opened(browser, server: Server, path: Path, run: bool = True) -> Iterator[LabPage]:
    """A copy of the notebook at `path` in JupyterLab on a laptop's screen, all its cells run, or as it was saved; its
    kernel stops afterwards."""
    shutil.copyfile(path, server.folder / path.name)
    context = browser.new_context(viewport=LAPTOP)
    try:
        page = LabPage(context.new_page())
        page.open(f"{server.address}/lab/tree/{path.name}?token={server.token}&reset")
        try:
            if run:
                page.run_all()
            yield page
        finally:
            page.stop_kernels()
    finally:
        context.close()


class LabPage:
    """One notebook in JupyterLab; `page` is playwright's."""

    def __init__(self, page):
        self.page = page
        page.set_default_timeout(PATIENCE)

    def open(self, url: str) -> None:
        """Go to a notebook's address; returns when its kernel is idle."""
        self.page.goto(url)
        self.page.wait_for_function(IDLE)

    def save(self) -> None:
        """Save the notebook."""
        self.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")

    def restart_kernel(self) -> None:
        """Restart the notebook's kernel."""
        self.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")

    def stop_kernels(self) -> None:
        """Stop every kernel of the server."""
        self.page.evaluate("window.jupyterapp.serviceManager.sessions.shutdownAll()")

    def run_all(self) -> None:
        """Run every cell; returns when the last has run and the kernel is idle."""
        self.page.evaluate(RUN_ALL)
        self.page.wait_for_function("window.allRun", timeout=LESSON)
        self.idle()

    def run_cell(self, index: int) -> None:
        """Run one cell, counted from 0; returns when it has run and the kernel is idle."""
        self.page.evaluate(RUN_CELL, index)
        self.idle()

    def idle(self) -> None:
        """Wait until the kernel is idle."""
        self.page.wait_for_function(IDLE, timeout=LESSON)

    def errors(self) -> list[str]:
        """The error outputs of all cells, as ENAME: EVALUE."""
        return self.page.evaluate(ERRORS)

    def widget(self, name: str) -> LabWidget:
        """The widget whose `repr` begins with `name(`, scrolled into view with its picture loaded."""
        self.page.wait_for_function(f"({CELL_OF_WIDGET})({name!r}) >= 0")
        index = self.page.evaluate(CELL_OF_WIDGET, name)
        self.page.evaluate("i => window.jupyterapp.shell.currentWidget.content.scrollToItem(i, 'start')", index)
        cell = f".jp-Cell[data-windowed-list-index='{index}']"
        widget = LabWidget(self, self.page.locator(f"{cell} .jp-OutputArea-output"))
        widget.picture.wait_for()
        widget.picture.scroll_into_view_if_needed()
        return widget


class LabWidget:
    """One widget of the page, with the means that a learner has: keys and the mouse."""

    def __init__(self, lab: LabPage, root):
        self.lab, self.page, self.root = lab, lab.page, root
        self.picture = root.locator("img.widget-image, .widget-image img, img").first

    def pixels(self) -> str:
        """A digest of the bytes of the picture that the browser shows."""
        return self.picture.evaluate(PICTURE_BYTES)

    def changed(self, before: str) -> str:
        """Wait until the picture differs from the digest `before` and its words have followed; returns the new
        digest."""
        deadline = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < deadline:
            now = self.pixels()
            if now != before:
                self.lab.idle()
                return now
            self.page.wait_for_timeout(50)
        raise AssertionError("the picture did not change")

    def settled(self) -> str:
        """Wait until the picture has not changed for a second; returns its digest."""
        before, since = self.pixels(), time.monotonic()
        while time.monotonic() - since < 1:
            self.page.wait_for_timeout(100)
            if (now := self.pixels()) != before:
                before, since = now, time.monotonic()
        return before

    def control(self, label: str):
        """The control whose description holds `label`."""
        name = self.page.locator("label.widget-label", has_text=label)
        return self.root.locator(".widget-inline-hbox").filter(has=name).first

    def slider(self, label: str):
        """The handle of a slider."""
        return self.control(label).locator(".noUi-handle")

    def readout(self, label: str) -> str:
        """What stands beside a slider."""
        return self.control(label).locator(".widget-readout").inner_text()

    def drag(self, label: str, pixels: float) -> None:
        """Drag a slider's handle to the right by some pixels, in small moves, as a hand does."""
        box = self.slider(label).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        for step in range(1, 11):
            self.page.mouse.move(x + pixels * step / 10, y)
            self.page.wait_for_timeout(15)
        self.page.mouse.up()

    def press(self, text: str) -> None:
        """Press a button by its text, with the mouse."""
        self.root.get_by_role("button", name=text).first.click()

    def faults(self) -> list[str]:
        """What keeps the widget from being used on a laptop's screen, a sentence each."""
        return self.root.evaluate(FAULTS)

    def says(self) -> str:
        """The title and the caption."""
        return self.root.inner_text()
