"""What the tests of streams share: small digits, two clouds whose labels swap, small strategies, and one that writes
down what it is shown."""

import functools

import torch

from mlcourse import datasets
from mlcourse.datasets import Form
from mlcourse.nets import MLP
from mlcourse.online import FTML, FineTune, FromScratch, GDumb, RandomFeatures, Strategy, Task, TrainOnEverything

SIDE = 8


@functools.cache
def digits():
    """The UCI digits, 8×8."""
    return datasets.load("digits", form=Form(SIDE, framed=False))


def net(inputs=3 * SIDE * SIDE, way=10):
    return MLP((inputs, 16, way), seed=0)


def strategies(inputs=3 * SIDE * SIDE, way=10):
    """The six, as small as they can be."""
    return {
        "FTML": FTML(net(inputs, way), k=1, steps=2, test_steps=2, tasks=2),
        "everything": TrainOnEverything(net(inputs, way), steps=2),
        "fine-tune": FineTune(net(inputs, way), steps=2, test_steps=2),
        "scratch": FromScratch(net(inputs, way), steps=2),
        "GDumb": GDumb(net(inputs, way), capacity=15, steps=2),
        "random": RandomFeatures(inputs, way, features=20),
    }


NAMES = tuple(strategies())


def swapped(tasks=2, samples=40, seed=0):
    """Tasks of two clouds, left and right, whose labels swap from task to task: x (M, 2)."""
    generator, made = torch.Generator().manual_seed(seed), []
    for t in range(tasks):
        side = torch.arange(2 * samples) % 2
        x = 0.3 * torch.randn(2 * samples, 2, generator=generator) + torch.stack([2.0 * side - 1, 0 * side], 1)
        y = side if t % 2 == 0 else 1 - side
        made.append(Task(x[:samples], y[:samples], x[samples:], y[samples:]))
    return made


class Witness(Strategy):
    """Writes down every call."""

    def __init__(self):
        self.calls = []

    def begin(self):
        self.calls.append(("begin",))

    def see(self, x, y):
        self.calls.append(("see", x, y))

    def before(self):
        return lambda x: torch.zeros(len(x), 10)

    def after(self, x, y):
        self.calls.append(("after", x, y))
        return self.before()
