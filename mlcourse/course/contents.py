"""The notebooks as JupyterLab opens them: a widget whose kernel is gone is shown as the picture that was saved with
it."""

from __future__ import annotations

import queue
import uuid
from collections.abc import Container

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from nbformat.v4 import new_output

from mlcourse.course.notebooks import WIDGET_VIEW

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
PATIENCE = 2          # seconds for a kernel to answer; a busy one does not
ASLEEP = ("This is how it was saved; its kernel is gone. To bring it to life, run the cells above and then this one: "
          "select it, choose Run All Above Selected Cell in the menu Run, and press Shift+Enter.")


def put_to_sleep(notebook, alive: Container[str]) -> None:
    """Take, in place, the view of every widget out of `notebook` (an nbformat NotebookNode) whose model is not in
    `alive`.

    What was saved beside the view stays: a picture, a page or a line of text. Where it is a picture or a page, the
    sentence ASLEEP stands before it, once in a cell. JupyterLab would show "model not found" in place of it all.
    """
    for cell in notebook.get("cells", []):
        kept, told = [], False
        for output in cell.get("outputs", []):
            data = output.get("data")
            if isinstance(data, dict) and WIDGET_VIEW in data and _model(data[WIDGET_VIEW]) not in alive:
                del data[WIDGET_VIEW]
                if not told and set(data) != {"text/plain"}:
                    kept.append(new_output("display_data", {"text/plain": ASLEEP, "text/markdown": f"*{ASLEEP}*"}))
                    told = True
            kept.append(output)
        if "outputs" in cell:
            cell.outputs = kept


def _model(view) -> str | None:
    return view.get("model_id") if isinstance(view, dict) else None


def _stored(notebook) -> set[str]:
    """The models whose state the file holds."""
    state = notebook.metadata.get("widgets")
    for key in (WIDGET_STATE, "state"):
        state = state.get(key) if isinstance(state, dict) else None
    return set(state) if isinstance(state, dict) else set()


class Contents(AsyncLargeFileManager):
    """JupyterLab's own access to the files, but for what `put_to_sleep` does to a notebook that is opened.

    The file stays as it was saved. A widget is alive while a kernel of the notebook knows it, also after the page was
    loaded anew, or where the file holds its state (JupyterLab's setting Save Widget State Automatically).
    """

    async def get(self, path, content=True, **wanted):
        """The file's model, as jupyter_server's."""
        model = await super().get(path, content, **wanted)
        if content and model["type"] == "notebook":
            running = await self._running(path.strip("/"))
            if running is not None:
                put_to_sleep(model["content"], running | _stored(model["content"]))
        return model

    async def _running(self, path: str) -> set[str] | None:
        """The models of the widgets in the kernels of the notebook at `path`; None where a kernel is too busy to
        say."""
        found = set()
        for session in await self.parent.session_manager.list_sessions():
            if session["path"] == path and session["kernel"]:
                client = self.parent.kernel_manager.get_kernel(session["kernel"]["id"]).client()
                client.session.session = uuid.uuid4().hex       # a second client of one name would cut off the first
                client.start_channels(iopub=False, stdin=False, hb=False, control=False)
                try:
                    reply = await client.comm_info("jupyter.widget", reply=True, timeout=PATIENCE)
                except (TimeoutError, queue.Empty):
                    return None
                finally:
                    client.stop_channels()
                found |= set(reply["content"].get("comms", {}))
        return found
