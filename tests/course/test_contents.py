"""What JupyterLab is given when a notebook with widgets is opened, with and without their kernel."""

import asyncio
import copy

import nbformat
import pytest
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from nbformat.v4 import new_code_cell, new_notebook, new_output
from traitlets.config import Configurable

from mlcourse.course import contents
from mlcourse.course.contents import ASLEEP, WIDGET_STATE, Contents, put_to_sleep
from mlcourse.course.notebooks import WIDGET_VIEW

PICTURE = {"text/plain": "Dot(at)", "image/png": "iVBORw0KGgo="}
SLIDER = """\
import ipywidgets
slider = ipywidgets.IntSlider()
slider.comm.comm_id"""


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """The user's Jupyter stays out of it."""
    for name in ("DATA", "RUNTIME", "CONFIG"):
        monkeypatch.setenv(f"JUPYTER_{name}_DIR", str(tmp_path / name))


def shown(model, **beside):
    return new_output("execute_result", {WIDGET_VIEW: {"model_id": model, "version_major": 2}} | beside,
                      execution_count=1)


def notebook(*outputs, **metadata):
    return new_notebook(cells=[new_code_cell("mine = 1", outputs=list(outputs), execution_count=1)], metadata=metadata)


def sentences(outputs):
    return sum(output.get("data", {}).get("text/plain") == ASLEEP for output in outputs)


@pytest.mark.parametrize("beside", [PICTURE, {"text/plain": "Predict(03.p1)", "text/html": "<p>a question</p>"}])
def test_a_widget_without_its_model_leaves_what_was_saved_beside_it_and_the_sentence(beside):
    opened = notebook(shown("gone", **beside), new_output("stream", text="printed\n"))
    put_to_sleep(opened, {"other"})
    note, output, printed = opened.cells[0].outputs
    assert note.data["text/plain"] == ASLEEP and "run the cells above and then this one" in note.data["text/markdown"]
    assert output.data == beside and output.execution_count == 1 and printed.text == "printed\n"
    assert opened.cells[0].source == "mine = 1"
    nbformat.validate(opened)
    again = copy.deepcopy(opened)
    put_to_sleep(again, set())
    assert again == opened


def test_a_widget_that_is_alive_stays():
    opened = notebook(shown("here", **PICTURE))
    before = copy.deepcopy(opened)
    put_to_sleep(opened, {"here"})
    assert opened == before


def test_the_sentence_stands_once_in_a_cell_and_not_before_a_bar():
    opened = notebook(shown("a", **PICTURE), shown("b", **PICTURE))
    put_to_sleep(opened, set())
    assert sentences(opened.cells[0].outputs) == 1 and len(opened.cells[0].outputs) == 3
    bar = notebook(shown("bar", **{"text/plain": "Bar(training, 3 steps)"}))
    put_to_sleep(bar, set())
    assert [output.data for output in bar.cells[0].outputs] == [{"text/plain": "Bar(training, 3 steps)"}]


class App(Configurable):
    """What `Contents` asks of the server: its sessions and its kernels."""

    def __init__(self):
        super().__init__()
        self.kernel_manager, self.session_manager, self.sessions = AsyncMappingKernelManager(), self, []

    async def list_sessions(self):
        return self.sessions


@pytest.fixture
def opens(tmp_path):
    """A function: the model of the file a.ipynb that holds `notebook`, as JupyterLab gets it from an `App`."""
    path = tmp_path / "a.ipynb"

    async def get(app, written):
        nbformat.write(written, path)
        bytes_before = path.read_bytes()
        model = await Contents(parent=app, root_dir=str(tmp_path)).get(path="a.ipynb", type="notebook", content=1)
        assert path.read_bytes() == bytes_before, "opening must not write"
        return model["content"]

    return get


def test_without_a_kernel_all_widgets_sleep_but_those_whose_state_is_stored(opens):
    asleep = asyncio.run(opens(App(), notebook(shown("gone", **PICTURE))))
    assert sentences(asleep.cells[0].outputs) == 1
    stored = notebook(shown("kept", **PICTURE), widgets={WIDGET_STATE: {"state": {"kept": {}}}})
    assert WIDGET_VIEW in asyncio.run(opens(App(), stored)).cells[0].outputs[0].data


@pytest.mark.parametrize("widgets", [{"state": {}, "version": "1"}, {WIDGET_STATE: None}, [], "old", None])
def test_widget_metadata_of_another_make_stop_nothing(opens, widgets):
    asleep = asyncio.run(opens(App(), notebook(shown("gone", **PICTURE), widgets=widgets)))
    assert sentences(asleep.cells[0].outputs) == 1


def test_an_output_without_widgets_and_a_strange_view_stop_nothing():
    opened = notebook(new_output("error", ename="E", evalue="v"), new_output("display_data", {WIDGET_VIEW: "odd"}))
    put_to_sleep(opened, set())
    assert [output.output_type for output in opened.cells[0].outputs] == ["error", "display_data", "display_data"]


async def live(opens, monkeypatch):
    """The file opened while its kernel has the widget, while it is busy, after a restart, and another file's kernel."""
    app = App()
    kernel = await app.kernel_manager.start_kernel(kernel_name="python3")
    app.sessions = [{"path": "a.ipynb", "kernel": {"id": kernel}}]
    client = app.kernel_manager.get_kernel(kernel).client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        answers = []
        await client.execute_interactive(SLIDER, timeout=60, output_hook=lambda message: answers.append(
            message["content"].get("data", {}).get("text/plain")))
        model = next(filter(None, answers)).strip("'")
        written = notebook(shown(model, **PICTURE), shown("gone", **PICTURE))
        yield await opens(app, written)
        app.sessions[0]["path"] = "b.ipynb"
        yield await opens(app, written)
        app.sessions[0]["path"] = "a.ipynb"
        monkeypatch.setattr(contents, "PATIENCE", 0.5)
        client.execute("import time; time.sleep(3)")
        while (await client.get_iopub_msg(timeout=60))["msg_type"] != "execute_input":
            pass
        yield await opens(app, written)
        monkeypatch.setattr(contents, "PATIENCE", 60)
        await app.kernel_manager.restart_kernel(kernel)
        await client.wait_for_ready(timeout=60)
        yield await opens(app, written)
    finally:
        client.stop_channels()
        await app.kernel_manager.shutdown_kernel(kernel, now=True)


def test_a_widget_is_alive_while_its_kernel_knows_it(opens, monkeypatch):
    async def all_of_them():
        return [[WIDGET_VIEW in output.get("data", {}) for output in opened.cells[0].outputs if "data" in output]
                async for opened in live(opens, monkeypatch)]

    known, elsewhere, busy, restarted = asyncio.run(all_of_them())
    assert known == [True, False, False]            # the living widget, the sentence, the other one
    assert elsewhere == restarted == [False, False, False]
    assert busy == [True, True]                     # nobody can say: as it was saved
