"""A saved lesson, opened again: alive while its kernel is, else its pictures and what to run."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from mlcourse.bench.widgets import example
from mlcourse.course.contents import ASLEEP
from mlcourse.course.notebooks import KERNELSPEC, WIDGET_VIEW

NAME = "FactorDial"
CELLS = ["mine = 'typed by the learner'\nprint(mine)",
         f"from mlcourse.bench.widgets import example\nexample({NAME!r})",
         "from mlcourse.widgets import Predict\nPredict('98.p1', 'Which way?', ['up', 'down'])"]


@pytest.fixture
def saved_elsewhere(tmp_path):
    """A notebook as any JupyterLab saves it: views of widgets, without their state."""
    explorer = example(NAME)
    data, metadata = explorer._repr_mimebundle_()
    cells = [new_code_cell(source) for source in CELLS[:2]]
    cells[0].outputs = [new_output("stream", text="typed by the learner\n")]
    cells[1].outputs = [new_output("execute_result", data, metadata=metadata, execution_count=2)]
    assert WIDGET_VIEW in data and "image/png" in data
    path = tmp_path / "elsewhere.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": KERNELSPEC}), path)
    return path


def asleep(page, pictures):
    """The page shows the pictures, the sentence, and no widget."""
    page.page.locator(".jp-OutputArea-output img").first.wait_for()
    text = page.page.locator(".jp-Notebook").inner_text()
    assert ASLEEP in text and "model not found" not in text and "Loading widget" not in text
    assert page.page.locator(".jupyter-widgets").count() == 0
    assert page.page.locator(".jp-OutputArea-output img").count() == pictures
    assert "typed by the learner" in text


def comes_to_life(page):
    """After its cells have run, the explorer follows its slider."""
    page.run_all()
    assert page.errors() == []
    dial = page.widget(NAME)
    picture = dial.pixels()
    dial.slider("severity").focus()
    dial.page.keyboard.press("ArrowLeft")
    dial.changed(picture)
    assert ASLEEP not in page.page.locator(".jp-Notebook").inner_text()


def test_a_saved_lesson_shows_its_pictures_without_its_kernel_and_lives_again(lab, server, tmp_path):
    path = tmp_path / "mine.ipynb"
    nbformat.write(new_notebook(cells=[*map(new_code_cell, CELLS)], metadata={"kernelspec": KERNELSPEC}), path)
    page = lab(path)
    dial = page.widget(NAME)
    page.save()
    page.page.reload()
    page.idle()
    dial = page.widget(NAME)                                # the page was loaded anew, the kernel lives, the dial too
    assert "severity" in dial.says()
    stored = (server.folder / path.name).read_bytes()
    stopped = dial.root.get_by_text("The kernel of this explorer has stopped")
    assert not stopped.is_visible()
    page.restart_kernel()
    stopped.wait_for()
    page.page.screenshot(path=tmp_path / "stopped.png")
    page.page.reload()
    page.idle()
    asleep(page, pictures=1)                                # a kernel runs, and does not know the dial
    page.stop_kernels()
    page.open(page.page.url)
    asleep(page, pictures=1)
    assert "Which way?" in page.page.locator(".jp-Notebook").inner_text()
    page.page.screenshot(path=tmp_path / "asleep.png")
    assert (server.folder / path.name).read_bytes() == stored
    page.save()
    page.open(page.page.url)
    asleep(page, pictures=1)
    comes_to_life(page)


def test_a_lesson_saved_by_another_jupyterlab_opens_too(chromium, server, saved_elsewhere):
    from mlcourse.bench import browser

    with browser.opened(chromium, server, saved_elsewhere, run=False) as page:
        asleep(page, pictures=1)
        comes_to_life(page)
