"""Short streams in any order: what two strategies make of them, task by task, each computed once.

The tasks are of the UCI digits, 8×8. What a strategy does with the first tasks does not depend on those that follow, so
streams that begin alike share what was computed.
"""

from __future__ import annotations

import copy
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from mlcourse import datasets
from mlcourse.datasets import Form
from mlcourse.nets import MLP
from mlcourse.online import FTML, GROUNDS, FineTune, Look, Recipe, Strategy, Task, recipes, share_right, stream

SIDE, SIZES = 8, (10, 20, 30, 40, 60, 80)
LENGTH = 5                                              # tasks in the longest stream
HEAP, META = "train on everything + fine-tune", "FTML"

_PLAIN, _FIRST, _SECOND = (each.labels for each in recipes([Look()], 10) + recipes([Look()] * 2, 10, moved=5, seed=1))
TASKS: dict[str, Recipe] = {
    "digits": Recipe(Look(), _PLAIN),
    "labels moved": Recipe(Look(), _FIRST),
    "others moved": Recipe(Look(), _SECOND),
    "on purple": Recipe(Look(GROUNDS["purple"]), _PLAIN),
    "turned on blue": Recipe(Look(GROUNDS["blue"], 1.0, 90.0), _PLAIN),
}
Order = tuple[str, ...]     # keys of TASKS


class Round(NamedTuple):
    """One round. as_is, adapted: accuracies for its task, in 0 to 1, with each of SIZES samples, before and after
    adapting to them. before, after: for every task so far when the round is over, before and after adapting to all its
    samples."""

    as_is: tuple[float, ...]
    adapted: tuple[float, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]


class State(NamedTuple):
    """A strategy after a stream, and its last round."""

    strategy: Strategy
    round: Round


@cache
def tasks(order: Order) -> list[Task]:
    """The tasks of a stream; the same recipe at the same place has the same pictures in every stream."""
    digits = datasets.load("digits", form=Form(SIDE, framed=False))
    return stream(digits, [TASKS[name] for name in order], SIZES[-1])


def start(name: str) -> Strategy:
    """A strategy before the first task."""
    net = MLP((3 * SIDE * SIDE, 64, 10))
    if name == META:
        return FTML(net, k=3, steps=8, test_steps=12, alpha=0.1, lr=3e-3)
    return FineTune(net, steps=12, test_steps=12, alpha=0.1, lr=3e-3)


_known: dict[tuple[str, Order], State] = {}


def known(name: str, order: Order) -> bool:
    """Whether it has been computed."""
    return (name, order) in _known


def last(name: str, order: Order) -> Round:
    """The last round of a stream, computed with all rounds before it where they are not known."""
    if not known(name, order):
        if order[:-1]:
            last(name, order[:-1])
            strategy = copy.deepcopy(_known[name, order[:-1]].strategy)
        else:
            strategy = start(name)
        _known[name, order] = State(strategy, played(strategy, tasks(order)))
    return _known[name, order].round


def played(strategy: Strategy, past: list[Task]) -> Round:
    """What the strategy does in the round of the last of these tasks; the others are behind it."""
    task, as_is, adapted = past[-1], [], []
    strategy.begin()
    for before, n in pairwise((0, *SIZES)):
        strategy.see(task.x[before:n], task.y[before:n])
        as_is.append(share_right(strategy.before(), task))
        adapted.append(share_right(strategy.after(task.x[:n], task.y[:n]), task))
    now = strategy.before()
    return Round(tuple(as_is), tuple(adapted), tuple(share_right(now, each) for each in past),
                 tuple(share_right(strategy.after(each.x, each.y), each) for each in past))
