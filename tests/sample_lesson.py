"""A small lesson for tests: prose, an exercise, a picture, a progress bar, an approximate number."""

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

STUB = "def double(x):\n    ..."
SOLUTION = "def double(x):\n    return 2 * x"
CHECK = "print('42.1 double: passed. Doubled.' if double(2) == 4 else 'not attempted')"
FIGURE = """\
import io, time
import ipywidgets
from IPython.display import Image, display
from matplotlib.figure import Figure
figure = Figure(figsize=(1, 1))
figure.subplots().plot([0, time.perf_counter()])
buffer = io.BytesIO()
figure.savefig(buffer, format="png")
Image(buffer.getvalue(), alt="a line that rises")"""
WIDGETS = """\
class Bar(ipywidgets.IntProgress):
    def __repr__(self):
        return "Bar()"
bar = Bar(max=3)
display(bar)
for _ in range(3):
    bar.value += 1
display({"text/plain": "Picture()", "image/png": buffer.getvalue()}, raw=True, metadata={"image/png": {"alt": "it"}})"""
NUMBER = 'loss = time.perf_counter()\nprint(f"loss ≈{loss:8.3f} ± {loss / 10:.1e} % after 10 steps")\nassert loss > 0'


def sample(number="42", **metadata):
    """An unexecuted lesson whose outputs change from run to run in every way that a lesson's may."""
    code = [STUB, CHECK, FIGURE, WIDGETS, NUMBER]
    cells = [new_markdown_cell("# A sample\n\n**Objectives**: test."), *map(new_code_cell, code),
             new_markdown_cell("## References\n\nNone.")]
    cells[1].metadata.tags = ["exercise", f"exercise:{number}.1"]
    about = {"lesson": number, "title": "A sample", "methods": ["MAML"], "minutes": 5, "exercises": [f"{number}.1"]}
    return new_notebook(cells=cells, metadata={"mlcourse": about | metadata})
