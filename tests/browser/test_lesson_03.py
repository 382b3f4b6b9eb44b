"""Lesson 03 in JupyterLab: its widgets follow the keyboard and the mouse."""

from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SMALL = """\
from mlcourse.nets import MLP
from mlcourse.widgets import InnerLoopExplorer, OuterLoopPlayer
InnerLoopExplorer({"θ_MAML": MLP(seed=1), "θ_random": MLP(seed=2)}, steps=3)
---
OuterLoopPlayer()"""


@pytest.fixture
def lesson(tmp_path):
    """Lesson 03, or, as long as it is not written, a notebook with its two widgets."""
    found = sorted((ROOT / "notebooks").glob("03_*.ipynb"))
    if found:
        return found[0]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in SMALL.split("\n---\n")],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
    nbformat.write(notebook, tmp_path / "03_small.ipynb")
    return tmp_path / "03_small.ipynb"


def test_the_widgets_follow_keyboard_and_mouse(lab, lesson, tmp_path):
    page = lab(lesson)
    assert page.errors() == []

    explorer = page.widget("InnerLoopExplorer")
    assert "query loss" in explorer.says()
    assert "query loss" in explorer.picture.get_attribute("title")
    picture, rate = explorer.pixels(), explorer.readout("inner rate")
    explorer.slider("inner rate").focus()
    explorer.page.keyboard.press("ArrowRight")
    picture = explorer.changed(picture)
    assert explorer.readout("inner rate") != rate
    steps = int(explorer.readout("steps"))
    explorer.slider("steps").focus()
    explorer.page.keyboard.press("ArrowRight")
    picture = explorer.changed(picture)
    assert int(explorer.readout("steps")) == steps + 1
    phase = float(explorer.readout("phase"))
    explorer.drag("phase", 60)
    picture = explorer.changed(picture)
    assert float(explorer.readout("phase")) > phase + 0.1
    explorer.settled()
    explorer.root.screenshot(path=tmp_path / "inner_loop.png")

    player = page.widget("OuterLoopPlayer")
    picture = player.pixels()
    player.press("+10 steps")
    picture = player.changed(picture)
    assert "After 10 outer steps" in player.says() and player.readout("outer step") == "10"
    player.press("play")
    player.changed(picture)
    player.press("pause")
    picture = player.settled()
    last = int(player.readout("outer step"))
    assert last > 10
    player.slider("outer step").focus()
    player.page.keyboard.press("ArrowLeft")
    player.changed(picture)
    assert "Rewound to outer step" in player.says()
    player.root.screenshot(path=tmp_path / "outer_loop.png")
    assert page.errors() == []
