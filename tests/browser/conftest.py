"""JupyterLab in a real browser: the fixture `lab` opens a notebook and drives it as a learner does.

    def test_something(lab):
        page = lab("notebooks/03_maml.ipynb")      # opened from a temporary copy, all cells run
        explorer = page.widget("InnerLoopExplorer")
        before = explorer.pixels()
        explorer.slider("inner rate").press("ArrowRight")
        assert explorer.changed(before)
"""

import shutil
from contextlib import ExitStack

import pytest

from mlcourse.bench import browser, widgets
from mlcourse.system import paths


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium; skips the test where none is installed.

    Closed after each module: while it runs, playwright keeps an event loop running in the main thread, which later
    tests would meet.
    """
    pytest.importorskip("playwright.sync_api", reason="playwright for Python is not installed")
    if not any(map(shutil.which, browser.BROWSERS)):
        pytest.skip(f"no Chromium found (looked for {', '.join(browser.BROWSERS)}); install one to run this test")
    with browser.chromium() as running:
        yield running


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """JupyterLab on 127.0.0.1 over an empty folder."""
    with browser.jupyterlab(tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture
def lab(chromium, server):
    """A function that opens a copy of a notebook in JupyterLab, runs all its cells, and returns a `LabPage`."""
    with ExitStack() as stack:
        yield lambda path: stack.enter_context(browser.opened(chromium, server, paths.ROOT / path))


@pytest.fixture(scope="module")
def every_widget(chromium, server, tmp_path_factory):
    """A notebook in JupyterLab with a cell for each widget of the course, none of which has run: its `LabPage`."""
    path = widgets.notebook_of(widgets.names(), tmp_path_factory.mktemp("widgets") / "widgets.ipynb", "example")
    with browser.opened(chromium, server, path, run=False) as page:
        yield page


@pytest.fixture
def widget(every_widget):
    """A function that shows the example of a widget, by name, in JupyterLab and returns its `LabWidget`; in the end it
    must still fit on the screen."""
    shown = []

    def show(name):
        every_widget.run_cell(widgets.names().index(name))
        assert every_widget.errors() == []
        shown.append(every_widget.widget(name))
        return shown[-1]

    yield show
    for each in shown:
        assert each.lab.errors() == []
        assert each.faults() == []
