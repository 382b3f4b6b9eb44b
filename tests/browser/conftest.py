"""JupyterLab in a real browser: the fixture `lab` opens a notebook and drives it as a learner does.

    def test_something(lab):
        page = lab("notebooks/03_maml.ipynb")      # opened from a temporary copy, all cells run
        explorer = page.widget("InnerLoopExplorer")
        before = explorer.pixels()
        explorer.slider("inner rate").press("ArrowRight")
        assert explorer.changed(before)
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PATIENCE = 90_000      # milliseconds: a slow machine is not a failure
LESSON = 300_000       # for all cells of a lesson, which may train

PICTURE_BYTES = """async image => {
    const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('');
}"""
CELL_OF_WIDGET = """name => window.jupyterapp.shell.currentWidget.content.widgets.findIndex(cell =>
    (cell.model.toJSON().outputs ?? []).some(output => [output.data?.['text/plain'] ?? ''].flat().join('').startsWith(name + '(')))"""


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium; skips the test where none is installed.

    Closed after each module: while it runs, playwright keeps an event loop running in the main thread, which later
    tests would meet.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright for Python is not installed")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no Chromium found (looked for {', '.join(BROWSERS)} on the PATH); install one to run this test")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """JupyterLab on 127.0.0.1 over an empty folder, as (address, token, folder)."""
    base = tmp_path_factory.mktemp("jupyter")
    folder, settings = base / "work", base / "settings"
    folder.mkdir()
    quiet = settings / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    (quiet / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTER_DATA_DIR": "data",
              "IPYTHONDIR": "ipython", "MLCOURSE_PROGRESS": "progress", "JUPYTERLAB_WORKSPACES_DIR": "workspaces"}
    environment = os.environ | {name: str(base / part) for name, part in places.items()} | {
        "JUPYTER_TOKEN": token, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--ServerApp.root_dir={folder}",
               "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
               "--LabApp.expose_app_in_browser=True", f"--LabApp.user_settings_dir={settings}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    log = (base / "server.log").open("w")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/api/status?token={token}", process, base / "server.log")
        yield address, token, folder
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _wait_for(url, process, log):
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start; its log ends:\n{log.read_text()[-2000:]}")


@pytest.fixture
def lab(chromium, server):
    """A function that opens a copy of a notebook in JupyterLab, runs all its cells, and returns a `LabPage`."""
    address, token, folder = server
    contexts = []

    def open_notebook(path):
        path = Path(path)
        shutil.copyfile(path if path.is_absolute() else ROOT / path, folder / path.name)
        context = chromium.new_context(viewport={"width": 1400, "height": 1000})
        contexts.append(context)
        page = LabPage(context.new_page())
        page.open(f"{address}/lab/tree/{path.name}?token={token}&reset")
        page.run_all()
        return page

    yield open_notebook
    for context in contexts:
        context.pages[0].evaluate("window.jupyterapp.serviceManager.sessions.shutdownAll()")
        context.close()


class LabPage:
    """One notebook in JupyterLab."""

    def __init__(self, page):
        self.page = page
        page.set_default_timeout(PATIENCE)

    def open(self, url):
        self.page.goto(url)
        self.page.wait_for_function(
            "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
        self.page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area').catch(() => {})")

    def run_all(self):
        """Run every cell; returns when the last has run and the kernel is idle."""
        self.page.evaluate("() => { window.allRun = false; "
                           "window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => { window.allRun = true; }); }")
        self.page.wait_for_function("window.allRun", timeout=LESSON)
        self.idle()

    def idle(self):
        """Wait until the kernel is idle."""
        self.page.wait_for_function(
            "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'", timeout=LESSON)

    def errors(self):
        """The error outputs of all cells, as ENAME: EVALUE."""
        return self.page.evaluate("""() => window.jupyterapp.shell.currentWidget.content.widgets.flatMap(cell =>
            (cell.model.toJSON().outputs ?? []).filter(o => o.output_type === 'error').map(o => `${o.ename}: ${o.evalue}`))""")

    def widget(self, name):
        """The widget whose `repr` begins with `name(`, scrolled into view with its picture loaded."""
        self.page.wait_for_function(f"({CELL_OF_WIDGET})({name!r}) >= 0")
        index = self.page.evaluate(CELL_OF_WIDGET, name)
        self.page.evaluate("i => window.jupyterapp.shell.currentWidget.content.scrollToItem(i, 'start')", index)
        widget = LabWidget(self, self.page.locator(f".jp-Cell[data-windowed-list-index='{index}'] .jp-OutputArea-output"))
        widget.picture.wait_for()
        widget.picture.scroll_into_view_if_needed()
        return widget


class LabWidget:
    """One widget of the page, with the means that a learner has: keys and the mouse."""

    def __init__(self, lab, root):
        self.lab, self.page, self.root = lab, lab.page, root
        self.picture = root.locator("img.widget-image, .widget-image img, img").first

    def pixels(self):
        """A digest of the bytes of the picture that the browser shows."""
        return self.picture.evaluate(PICTURE_BYTES)

    def changed(self, before):
        """Wait until the picture differs from the digest `before`; returns the new digest."""
        deadline = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < deadline:
            now = self.pixels()
            if now != before:
                return now
            self.page.wait_for_timeout(50)
        raise AssertionError("the picture did not change")

    def settled(self):
        """Wait until the picture has not changed for a second; returns its digest."""
        before, since = self.pixels(), time.monotonic()
        while time.monotonic() - since < 1:
            self.page.wait_for_timeout(100)
            if (now := self.pixels()) != before:
                before, since = now, time.monotonic()
        return before

    def control(self, label):
        """The control whose description holds `label`."""
        name = self.page.locator("label.widget-label", has_text=label)
        return self.root.locator(".widget-inline-hbox").filter(has=name).first

    def slider(self, label):
        """The handle of a slider."""
        return self.control(label).locator(".noUi-handle")

    def readout(self, label):
        """What stands beside a slider."""
        return self.control(label).locator(".widget-readout").inner_text()

    def drag(self, label, pixels):
        """Drag a slider's handle to the right by some pixels, in small moves, as a hand does."""
        box = self.slider(label).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        for step in range(1, 11):
            self.page.mouse.move(x + pixels * step / 10, y)
            self.page.wait_for_timeout(15)
        self.page.mouse.up()

    def press(self, text):
        """Press a button by its text, with the mouse."""
        self.root.get_by_role("button", name=text).first.click()

    def says(self):
        """The title and the caption."""
        return self.root.inner_text()
