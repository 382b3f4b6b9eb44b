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


@pytest.fixture
def widget(chromium, server):
    """A function that shows the example of a widget, by name, alone in JupyterLab and returns its `LabWidget`; in the end it
    must still fit on the screen."""
    with ExitStack() as stack:
        shown = []
        yield lambda name: shown.append(
            stack.enter_context(widgets.alone(chromium, server, name, make="example"))) or shown[-1]
        for each in shown:
            assert each.lab.errors() == []
            assert each.faults() == []
