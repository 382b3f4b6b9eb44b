"""A stream of tasks: the same digits, task after task in another look, or with other labels, or both.

The pictures are cut once into those that tasks learn from and those that tasks are tested on, so that no test picture
is ever learned from in any look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.domains import Domain, deal
from mlcourse.online.looks import Look, rendered

LEARNING = 2 / 3        # the share of the pictures that tasks learn from


class Recipe(NamedTuple):
    """What makes a task: a look, and the label of every class, in the order of the classes."""

    look: Look
    labels: tuple[int, ...]


class Task(NamedTuple):
    """x (M, 3, S, S), y int64 (M,): what is learned from, in the order in which it arrives. test_x, test_y: what is
    only tested on."""

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor


def recipes(looks: Sequence[Look], classes: int = 10, moved: int = 0, seed: int = 0) -> list[Recipe]:
    """A recipe for each look. moved: how many labels change places in each task, 0 or 2 to `classes`; which do is drawn
    for each task anew, and each of them gets another label than its own.

    Raises ValueError for another number of moved labels.
    """
    if moved == 1 or not 0 <= moved <= classes:
        raise ValueError(f"0 or 2 to {classes} labels can change places, got {moved}")
    generator = torch.Generator().manual_seed(seed)
    return [Recipe(look, _permuted(classes, moved, generator)) for look in looks]


def _permuted(classes: int, moved: int, generator: torch.Generator) -> tuple[int, ...]:
    circle = torch.randperm(classes, generator=generator)[:moved]
    labels = torch.arange(classes)
    labels[circle] = circle.roll(1)
    return tuple(labels.tolist())


def stream(domain: Domain, order: Sequence[Recipe], samples: int = 200, seed: int = 0) -> list[Task]:
    """The tasks of some recipes in their order, each with `samples` different pictures to learn from, drawn anew and in
    random order, and with all test pictures.

    A recipe that stands twice comes back with other pictures. The tasks can be put into any other order afterwards.
    Raises ValueError where there are too few pictures, or a recipe has not a label for every class.
    """
    learning, testing = deal(domain, (LEARNING, 1 - LEARNING), seed)
    if not 1 <= samples <= len(learning.images):
        raise ValueError(f"a task of {samples} samples cannot be drawn from the {len(learning.images)} pictures of "
                         f"{domain.name} that are for learning; ask for 1 to {len(learning.images)}")
    generator, tasks = torch.Generator().manual_seed(seed), []
    for look, labels in order:
        if sorted(labels) != list(range(len(domain.classes))):
            raise ValueError(f"a recipe needs each of the labels 0 to {len(domain.classes) - 1} once, got {labels}")
        drawn = learning.take(torch.randperm(len(learning.images), generator=generator)[:samples])
        new = torch.tensor(labels)
        tasks.append(Task(rendered(drawn.images, look), new[drawn.labels],
                          rendered(testing.images, look), new[testing.labels]))
    return tasks
