"""What lesson 12 plays live: six tasks whose labels contradict each other, and the network that meets them."""

from __future__ import annotations

from functools import cache

from mlcourse import datasets
from mlcourse.datasets import Form
from mlcourse.nets import MLP
from mlcourse.online import Task, arms, stream

SIZES = (10, 20, 40, 80, 160)
TASKS, SEED, SIDE = 6, 0, 8
HIDDEN = 64


@cache
def contradicting() -> list[Task]:
    """TASKS tasks of one look; in each, five of the ten labels have changed places, other ones each time."""
    digits = datasets.load("digits", form=Form(SIDE, framed=False))
    return stream(digits, arms.order(arms.HALF, TASKS, SEED), SIZES[-1], SEED)


def network() -> MLP:
    """An untrained network, always the same."""
    return MLP((3 * SIDE * SIDE, HIDDEN, HIDDEN, 10))

