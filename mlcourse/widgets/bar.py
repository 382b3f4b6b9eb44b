"""Training inside a notebook, with a bar that can be stopped."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets
import numpy as np
from IPython.display import display

from mlcourse.learner import Learner
from mlcourse.phases import Phase
from mlcourse.train import train

EVERY = 25


class Bar(ipywidgets.HBox):
    """A progress bar over `total` outer steps with the recent loss beside it."""

    def __init__(self, total: int, what: str):
        self.total, self.what, self.losses = total, what, []
        self.bar = ipywidgets.IntProgress(max=total, description=what, style={"description_width": "9.5em"})
        self.note = ipywidgets.Label()
        super().__init__([self.bar, self.note])

    def __call__(self, record: dict) -> None:
        self.losses.append(record["loss"])
        if len(self.losses) % EVERY == 0 or len(self.losses) == self.total:
            self.bar.value = len(self.losses)
            self.note.value = f"step {len(self.losses)} of {self.total}, loss {np.mean(self.losses[-EVERY:]):.3f}"

    def __repr__(self) -> str:
        return f"Bar({self.what}, {self.total} steps)"

    def _repr_mimebundle_(self, **kwargs):
        data = super()._repr_mimebundle_(**kwargs) or {}
        data["text/plain"] = repr(self)
        return data


def train_live(learner: Learner, phases: list[Phase], what: str, *, seed: int = 0,
               on_step: Callable[[dict], None] | None = None) -> list[dict]:
    """`train` with a bar below the cell; the notebook's stop button ends it after the step in progress.

    on_step: also called with every new record. Returns the records of `train`.
    """
    bar = Bar(sum(phase.steps for phase in phases), what)
    display(bar)

    def both(record: dict) -> None:
        bar(record)
        if on_step is not None:
            on_step(record)

    return train(learner, phases, seed=seed, progress=False, on_step=both)
