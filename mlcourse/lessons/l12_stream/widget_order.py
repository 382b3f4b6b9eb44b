"""The explorer of lesson 12: put the tasks of a stream in an order, and play it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch

from mlcourse.lessons.l12_stream import orders
from mlcourse.lessons.l12_stream.orders import HEAP, LENGTH, META, SIZES, TASKS, Order, Round
from mlcourse.lessons.l12_stream.scene_order import OrderScene
from mlcourse.online import Needed, forgetting, samples_needed
from mlcourse.plots.style import plural
from mlcourse.system.machine import one_core
from mlcourse.widgets.base import CONTROL, Explorer, labelled
from mlcourse.widgets.background import Background

NONE = "–"
FEW = 20                        # samples at which the text says the accuracy
OPENING = ("digits", "labels moved", "digits")
AS_IS = "as it is"
NAMES = {HEAP: "train on everything", META: "FTML"}
SHORT = {HEAP: "everything", META: "FTML"}
TUNED = {HEAP: "fine-tuned", META: "FTML, adapted"}


class OrderRecord(NamedTuple):
    """One setting, as far as it has been played. order: the tasks. shown: whose forgetting the matrices are of. needed:
    for each bar, the samples needed by every task. before, after (t, t): forgetting, a share, nan where there is none.
    right: by strategy, the mean accuracy for all tasks after the last round played, as it is and adapted. few: by
    strategy, the accuracy for the last of them, adapted to its first FEW samples."""

    order: Order
    played: int
    threshold: int
    shown: str
    needed: list[list[Needed]]
    before: np.ndarray
    after: np.ndarray
    right: dict[str, tuple[float, float]]
    few: dict[str, float]


class StreamOrder(Explorer):
    """Choose which tasks come, in which order, and play the stream.

    strategies: those to play, the first of which is also shown as it is, without adapting.
    The first stream is played when the explorer is made. What was not played yet is, a round at a time, between which
    the kernel answers; a newer order stops it, and coming back goes on with it.

        StreamOrder()
        StreamOrder(strategies=(HEAP, META))
    """

    keeps = True

    def __init__(self, *, strategies: Sequence[str] = (HEAP,)):
        self.strategies = tuple(strategies)
        names = [*TASKS, NONE]
        first = [*OPENING, *[NONE] * (LENGTH - len(OPENING))]
        slot = lambda t, name: ipywidgets.Dropdown(
            options=names[:-1] if t == 1 else names, value=name, description=str(t), layout={"width": "19.5%"},
            style={"description_width": "1em"})
        slots = {f"task{t}": slot(t, name) for t, name in enumerate(first, 1)}
        self.bar = ipywidgets.IntProgress(description="playing", **CONTROL)
        threshold = ipywidgets.IntSlider(value=75, min=60, max=90, step=5, description="% right to pass", **CONTROL)
        controls, last = {**slots, "threshold": threshold}, [threshold, self.bar]
        if len(self.strategies) > 1:
            controls["shown"] = ipywidgets.ToggleButtons(options=[(SHORT[each], each) for each in self.strategies],
                                                         style={"button_width": "7em"})
            last.insert(1, labelled("forgetting of", controls["shown"]))
        panel = ipywidgets.VBox([ipywidgets.HBox(list(slots.values())), ipywidgets.HBox(
            [ipywidgets.Box([each], layout={"flex": "1 1 0", "min_width": "260px"}) for each in last],
            layout={"flex_flow": "row wrap"})])
        self._play(OPENING)
        super().__init__(OrderScene([AS_IS, *(TUNED[each] for each in self.strategies)]), controls, panel)
        self.job = Background(self.turn)

    def _play(self, order: Order) -> None:
        """All rounds of a stream."""
        with one_core():
            for name in self.strategies:
                orders.last(name, order)

    def rounds(self, name: str, order: Order) -> list[Round]:
        """The rounds of a stream that are known."""
        parts = (order[:t] for t in range(1, len(order) + 1))
        return [orders.last(name, part) for part in parts if orders.known(name, part)]

    def compute(self, *, threshold: int, shown: str = HEAP, **slots: str) -> OrderRecord:
        order = in_order(slots)
        rounds = {name: self.rounds(name, order) for name in self.strategies}
        played = min(map(len, rounds.values()))
        pass_at = lambda rounds, which: [samples_needed(torch.tensor(getattr(each, which)), SIZES, threshold / 100)
                                         for each in rounds]
        self.bar.max, self.bar.value = len(order) * len(rounds), sum(map(len, rounds.values()))
        needed = [pass_at(rounds[self.strategies[0]], "as_is"), *(pass_at(each, "adapted") for each in rounds.values())]
        last = {name: each[played - 1] for name, each in rounds.items() if played}
        return OrderRecord(order, played, threshold, NAMES[shown], needed,
                           lost([each.before for each in rounds[shown]]), lost([each.after for each in rounds[shown]]),
                           {name: (np.mean(each.before), np.mean(each.after)) for name, each in last.items()},
                           {name: each.adapted[SIZES.index(FEW)] for name, each in last.items()})

    def _changed(self, change) -> None:
        super()._changed(change)
        if not self._holding:
            self.job.start(self._advance(in_order(self.settings)))

    def set(self, **settings) -> None:
        """Move several controls, and play to the end."""
        with self.turn:
            super().set(**settings)
            self.job.stop()
            self._play(in_order(self.settings))
            self.refresh()

    def _advance(self, order: Order) -> Iterator[None]:
        """Play what is not known, a round a piece."""
        for part in (order[:t] for t in range(1, len(order) + 1)):
            for name in self.strategies:
                if not orders.known(name, part):
                    with one_core():
                        orders.last(name, part)
                    self.refresh()
                    yield

    def headline(self, record: OrderRecord) -> str:
        if not record.played:
            return "The first task is being played"
        as_is, first = record.right[self.strategies[0]]
        others = "".join(f", with {NAMES[name]} ≈{100 * record.right[name][1]:.0f} %" for name in self.strategies[1:])
        return (f"After {plural(record.played, 'task')}, right over all of them: as it is ≈{100 * as_is:.0f} %, "
                f"fine-tuned ≈{100 * first:.0f} %{others}")

    def describe(self, record: OrderRecord) -> str:
        few = " and ".join(f"≈{100 * right:.0f} % ({TUNED[name]})" for name, right in record.few.items())
        now = f" Task {record.played} with its first {FEW} samples: {few} right." if record.played else ""
        return f"The stream: {', '.join(record.order)}.{now}"


def in_order(slots: dict) -> Order:
    """The tasks that the controls name, in their order; places left open are passed over."""
    return tuple(slots[f"task{t}"] for t in range(1, LENGTH + 1) if slots[f"task{t}"] != NONE)


def lost(accuracies: list[tuple[float, ...]]) -> np.ndarray:
    """Forgetting (t, t) from the accuracies after each round, task i in row i and round j in column j."""
    a = torch.full((len(accuracies), len(accuracies)), torch.nan, dtype=torch.float64)
    for j, row in enumerate(accuracies):
        a[j, :len(row)] = torch.tensor(row, dtype=torch.float64)
    return forgetting(a).numpy()
