"""Checks of lesson 12 on FTML: the task buffer, and a meta-update."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.exercises.framework import Crashed, LearnerFunction, Misconception, NotYet, explain
from mlcourse.exercises.values import described, scalar, tensor

Labelled = tuple[Tensor, Tensor]

# ---------------------------------------------------------------- 12.2

PARTS = (3, 2, 4, 1, 2, 3, 2)                               # samples that arrive, part by part
BEGINS = (True, False, False, True, False, True, False)     # whether a part is the first of a task

ARRIVES_FAULTS = (
    ("every part a task of its own", {"apart": True}, "a task is one entry, however many parts its samples come in: "
                                                      "where begins is False they join the last one"),
    ("a new part in place of the old ones", {"join": "replace"}, "the samples that had arrived stay; put the new ones "
                                                                 "behind them"),
    ("all tasks in one heap", {"heap": True}, "a meta-update needs samples of one task at a time; when a task begins, "
                                              "append another pair"),
    ("earlier tasks are thrown away", {"keep": False}, "the meta-update is over all tasks so far; keep every pair"),
    ("joined to the first task", {"join": "first"}, "new samples are of the current task, the last in the buffer"),
    ("new samples in front", {"join": "front"}, "put the new samples behind those that came first"),
)


def check_arrives(answer: object) -> str:
    """12.2: three tasks whose samples arrive in seven parts."""
    arrives = LearnerFunction(answer, "arrives", changes=(0,))         # the buffer may grow where it is
    buffer: list[Labelled] = []
    for t, begins in enumerate(BEGINS):
        x, y = part(t)
        buffer = as_buffer(arrives([(each.clone(), labels.clone()) for each, labels in buffer], x, y, begins))
    truth = lambda **faults: arrived(**faults)
    if not alike(buffer, truth()):
        explain(buffer, truth, ARRIVES_FAULTS, alike)
        sizes = [len(labels) for _, labels in buffer]
        raise NotYet(f"after parts of {', '.join(map(str, PARTS))} samples, of which the first, fourth and sixth begin "
                     f"a task, the tasks must hold 9, 3 and 5 samples in the order of their arrival, got {sizes}.")
    return "After seven parts the buffer holds three tasks, each with all of its samples."


def part(t: int) -> Labelled:
    """Part t of what arrives: every sample is another one."""
    start = sum(PARTS[:t])
    count = torch.arange(start, start + PARTS[t])
    return torch.stack([count, -count], 1).double(), count


def as_buffer(value: object) -> list[Labelled]:
    """What was returned as pairs of tensors, x float64 and y int64. Raises NotYet for anything else."""
    sentence = "the buffer must be a list with a pair (x, y) for every task"
    pairs = list(value) if isinstance(value, (list, tuple)) else None
    if pairs is None or not all(isinstance(each, (list, tuple)) and len(each) == 2 for each in pairs):
        raise NotYet(f"{sentence}, got {described(value)}.")
    found = [(tensor(x, None, sentence), tensor(y, None, sentence).long()) for x, y in pairs]
    if not all(x.ndim == 2 and y.ndim == 1 and len(x) == len(y) for x, y in found):
        raise NotYet("every pair must hold as many labels as samples; join both, x and y, along their first dimension.")
    return found


def alike(one: list[Labelled], other: list[Labelled]) -> bool:
    """Whether two buffers hold the same."""
    return len(one) == len(other) and all(
        torch.equal(x, a) and torch.equal(y, b) for (x, y), (a, b) in zip(one, other, strict=True))


def arrived(*, apart: bool = False, join: str = "behind", heap: bool = False, keep: bool = True) -> list[Labelled]:
    """The buffer after all parts; the options are the known faults."""
    buffer: list[Labelled] = []
    for t, begins in enumerate(BEGINS):
        x, y = part(t)
        if not buffer or ((begins or apart) and not heap):
            buffer = (buffer if keep else []) + [(x, y)]
            continue
        i = 0 if join == "first" else len(buffer) - 1
        old = buffer[i]
        pairs = {"replace": (x, y), "front": joined((x, y), old)}
        buffer[i] = pairs.get(join, joined(old, (x, y)))
    return buffer


def joined(one: Labelled, other: Labelled) -> Labelled:
    """The samples of both, the first ones in front."""
    return torch.cat([one[0], other[0]]), torch.cat([one[1], other[1]])


# ---------------------------------------------------------------- 12.3

ALPHA, BETA, UPDATES, SIZES = 0.3, 0.2, 2, (12, 9, 10)
IN_PLACE, NO_STEP = "the inner steps overwrite theta", "the optimiser takes no step"

META_FAULTS = (
    ("first order", {"order": 1}, "without create_graph=True the inner steps are constants to the outer gradient, and "
                                  "the second derivatives are lost: that is FOMAML"),
    ("one batch for both", {"same": True}, "S and Q are two draws: call some(x, y) again for line [4]"),
    ("no inner step", {"adapted": False}, "line [4] takes the loss at φ, after the steps; at θ it is training on "
                                          "everything"),
    ("φ goes on from task to task", {"carried": True}, "every task starts from θ: set phi = theta inside the loop over "
                                                       "tasks"),
    ("the current task is left out", {"tasks": "earlier"}, "the mean is over all i ≤ t, the current task included"),
    ("the current task alone", {"tasks": "last"}, "the leader is that of all tasks so far, not of the last"),
    ("a sum in place of the mean", {"mean": False}, "divide by the number of tasks, or the step grows with the stream"),
    ("gradients add up", {"cleared": False}, "backward adds to .grad; call optimiser.zero_grad() before it"),
    ("one inner step whatever k is", {"one": True}, "take k steps, each from where the last one ended"),
    ("all samples in place of a draw", {"whole": True}, "S and Q are some of the task's samples: some(x, y)"),
    ("another batch for every inner step", {"anew": True}, "S is drawn once, before the steps"),
)


class Drawn:
    """`some` of the exercise: samples of a task, other ones at each call; which, depends on the task and on how many
    calls came before for it."""

    def __init__(self, turned: bool = False):
        self.calls: dict[int, int] = {}
        self.turned = turned

    def __call__(self, x: Tensor, y: Tensor) -> Labelled:
        task = round(float(x[0, 0]))
        call = self.calls.get(task, 0)
        self.calls[task] = call + 1
        rows = torch.arange(4) + (call ^ 1 if self.turned else call) * 3
        rows = rows % len(y)
        return x[rows], y[rows]


class Net(NamedTuple):
    """theta, the buffer, whose first column names the task, and the optimiser of theta."""

    theta: dict[str, Tensor]
    buffer: list[Labelled]
    optimiser: torch.optim.Optimizer


def loss(params: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
    """The mean squared error of a small network."""
    return ((torch.tanh(x[:, 1:] @ params["a"]) @ params["b"] - y) ** 2).mean()


def ready() -> Net:
    """Weights with a gradient that is left over, and three tasks."""
    generator = torch.Generator().manual_seed(0)
    normal = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)
    theta = {"a": normal(2, 3).requires_grad_(), "b": normal(3).requires_grad_()}
    for p in theta.values():
        p.grad = 0.5 * torch.ones_like(p)
    buffer = [(torch.cat([torch.full((m, 1), float(task), dtype=torch.float64), normal(m, 2)], 1), normal(m))
              for task, m in enumerate(SIZES)]
    return Net(theta, buffer, torch.optim.SGD(list(theta.values()), lr=BETA))


def check_meta_update(answer: object) -> str:
    """12.3: theta after two updates on three tasks, with 1 and with 3 inner steps."""
    update = LearnerFunction(answer, "meta_update", changes=(0,))      # theta is the optimiser's
    for k in (1, 3):
        net = ready()
        before = flat(net.theta)
        draw = Drawn()
        for _ in range(UPDATES):
            said = called(update, net.theta, net.buffer, draw, loss, ALPHA, k, net.optimiser)
        got = flat(net.theta)
        scalar(said, "meta_update must return the loss of line [4], a scalar tensor")
        if torch.equal(got, before):
            raise Misconception(NO_STEP, "theta is what it was; after backward call optimiser.step().")
        if not any(same(got, trained(k, turned=turned)) for turned in (False, True)):
            explain(got, lambda k=k, **faults: trained(k, **faults), META_FAULTS, same)
            raise NotYet(f"with k = {k} theta does not end where lines [3] to [5] lead; do them for one task first, on "
                         "paper, and see that the loss of line [4] is taken at the adapted parameters.")
        if not same(torch.as_tensor([float(said.detach())]), torch.as_tensor([last_loss(k)]), 1e-3) and not same(
                torch.as_tensor([float(said.detach())]), torch.as_tensor([last_loss(k, turned=True)]), 1e-3):
            raise NotYet("theta ends right, but what is returned is not the loss of line [4]: the mean over the tasks.")
    return "Two updates on three tasks end where the algorithm says, with one inner step and with three."


def called(update: LearnerFunction, *given) -> object:
    """What meta_update returns. Raises Misconception where autograd finds that its inner steps were in place."""
    try:
        return update(*given)
    except Crashed as crash:
        if "inplace operation" not in str(crash.error):
            raise
        raise Misconception(IN_PLACE, "every task must start from theta, and theta moves only in line [5]; make new "
                            "tensors, p - alpha * d, in a new dict.") from None


def flat(theta: dict[str, Tensor]) -> Tensor:
    """All its numbers, without a graph."""
    return torch.cat([p.detach().flatten() for p in theta.values()])


def same(one: Tensor, other: Tensor, tolerance: float = 1e-6) -> bool:
    """Whether two answers agree."""
    return torch.allclose(one.double(), other.double(), rtol=tolerance, atol=tolerance)


def trained(k: int, **faults) -> Tensor:
    """theta after the updates of the check; the options are the known faults, and those of `Drawn`."""
    return _trained(k, **faults)[0]


def last_loss(k: int, **faults) -> float:
    """The loss of the last of them."""
    return _trained(k, **faults)[1]


def _trained(k: int, *, turned: bool = False, cleared: bool = True, **faults) -> tuple[Tensor, float]:
    net, draw = ready(), Drawn(turned)
    for _ in range(UPDATES):
        total = meta_loss(net.theta, net.buffer, draw, k, **faults)
        if cleared:
            net.optimiser.zero_grad()
        total.backward()
        net.optimiser.step()
    return flat(net.theta), float(total.detach())


def meta_loss(theta: dict[str, Tensor], buffer: Sequence[Labelled], some: Callable, k: int, *, order: int = 2,
              same: bool = False, adapted: bool = True, carried: bool = False, tasks: str = "all", mean: bool = True,
              one: bool = False, anew: bool = False, whole: bool = False) -> Tensor:
    """The loss of line [4]; the options are the known faults."""
    chosen = {"all": buffer, "earlier": buffer[:-1], "last": buffer[-1:]}[tasks]
    some = (lambda x, y: (x, y)) if whole else some
    total, phi = 0.0, theta
    for x, y in chosen:
        tr, phi = some(x, y), phi if carried else theta
        for step in range((1 if one else k) if adapted else 0):
            tr = some(x, y) if anew and step else tr
            g = torch.autograd.grad(loss(phi, *tr), list(phi.values()), create_graph=order == 2)
            phi = {name: p - ALPHA * d for (name, p), d in zip(phi.items(), g, strict=True)}
        total = total + loss(phi, *(tr if same else some(x, y)))
    return total / len(chosen) if mean else total
