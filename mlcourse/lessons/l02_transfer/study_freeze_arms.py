"""The arms of lesson 02's study: what each starts from, what it descends and what it leaves alone.

All sources and draws of labels are descended together, each a task with weights of its own: parameters have a leading
dimension T. The learners of the same names (`mlcourse.learners`) are the oracle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.engine.descend import descend
from mlcourse.learners import LoRA
from mlcourse.learners.l2sp import penalty
from mlcourse.losses import task_loss
from mlcourse.nets import Conv4, Params, call, features, head
from mlcourse.nets.wrap import linear

BATCH = 50                      # labelled pictures of a step, at most
SHRINK = 0.01                   # β of L2-SP
RANK = 4                        # of LoRA
RATES = (0.03, 0.1, 0.3, 1.0)
PROBE_RATES = (0.3, 1.0, 3.0)   # of the head alone
FINE, LONG, RANDOM, LPFT, L2SP, LOW, JOINT, FROZEN = (
    "fine-tuned", "fine-tuned longer", "random head", "LP-FT", "L2-SP", "LoRA", "joint", "frozen ")
PROBE = f"{FROZEN}4"


@dataclass(frozen=True)
class Tasks:
    """T tasks of one network form. net: a Conv4 with a head of N outputs, whose weights do not count. bodies (T, …):
    the parameters without the head. x (T, M, 1, S, S), y (T, M): the labelled pictures. seed: of what is drawn.
    source_x (T, P, 1, S, S), source_y (T, P): of joint training alone, with classes 0..source_classes - 1."""

    net: Conv4
    bodies: Params
    x: Tensor
    y: Tensor
    seed: int = 0
    source_x: Tensor | None = None
    source_y: Tensor | None = None
    source_classes: int = 0

    @property
    def count(self) -> int:
        """T."""
        return len(self.x)

    def with_head(self, weight: Tensor | None = None) -> Params:
        """The bodies with a new head of zeros, or of this weight (N, size)."""
        ways, zeros = self.net.head.out_features, self.x.new_zeros
        weight = zeros(ways, self.net.size) if weight is None else weight.to(self.x)
        return {**self.bodies, "head.weight": weight.expand(self.count, *weight.shape).clone(),
                "head.bias": zeros(self.count, ways)}


Loss = Callable[[Params, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Descent:
    """Where an arm starts, what it descends, (T,) of parameters and a batch, what it sees (T, M, *D), the names of what
    moves (None: everything), and the weights that its parameters stand for."""

    start: Params
    loss: Loss
    x: Tensor
    only: Sequence[str] | None = None
    merged: Callable[[Params], Params] = lambda phi: phi


def descended(tasks: Tasks, arm: Descent, phi: Params, steps: range, rates: Tensor) -> Params:
    """φ after gradient steps of rates (T,), each on all labelled pictures or, where they are more, on BATCH of them."""
    lr = {name: rates.view(-1, *[1] * (p.ndim - 1)) for name, p in phi.items()}
    m = arm.x.shape[1]
    for step in steps:
        rows = slice(None) if m <= BATCH else places(m, step, tasks.seed)
        loss = lambda p, x=arm.x[:, rows], y=tasks.y[:, rows]: arm.loss(p, x, y)
        phi = descend(loss, phi, 1, lr, order=1, only=arm.only, stacked=True)
    return phi


def places(m: int, step: int, seed: int) -> Tensor:
    """Which BATCH of m pictures a step sees, in an order that is drawn anew when all have been seen."""
    epoch, place = divmod(step * BATCH, m - m % BATCH)
    order = torch.randperm(m, generator=torch.Generator().manual_seed(1_000_003 * seed + epoch))
    return order[place:place + BATCH]


def prepared(tasks: Tasks, name: str, extra: Mapping[str, Tensor]) -> Descent:
    """The arm of this name. extra: the probe's "rate" and "steps" (T,) for LP-FT, the "anchor" (T,) for L2-SP."""
    net, start = tasks.net, tasks.with_head()
    plain = lambda phi, x, y: task_loss(call(net, phi, x), y)
    if name == PROBE:
        with torch.no_grad():
            z = features(net, start, tasks.x)
        return Descent(start, lambda phi, x, y: task_loss(head(phi, x), y), z, HEAD)
    if name.startswith(FROZEN):
        frozen = tuple(prefix for layer in net.layers[:int(name.removeprefix(FROZEN))] for prefix in layer)
        return Descent(start, plain, tasks.x, [n for n in start if not n.startswith(frozen)])
    if name == RANDOM:
        start = tasks.with_head(random_head(net, tasks.seed))
    if name == LPFT:
        start |= probed(tasks, extra["rate"], extra["steps"])
    if name == L2SP:
        return Descent(start, lambda phi, x, y: plain(phi, x, y) + penalties(phi, start, extra["anchor"]), tasks.x)
    if name == LOW:
        return of_low_rank(tasks)
    if name == JOINT:
        return joint(tasks)
    return Descent(start, plain, tasks.x)


def penalties(phi: Params, start: Params, anchor: Tensor) -> Tensor:
    """(α / 2) |φ_S - θ_S|² + (β / 2) |φ_new|² for every task, with α = anchor (T,) and β = SHRINK: (T,)."""
    near = penalty({name: p for name, p in phi.items() if name not in HEAD}, start, 1.0, 1)
    return anchor * near + penalty({name: phi[name] for name in HEAD}, start, 1.0, 1, SHRINK)


HEAD = ("head.weight", "head.bias")


def random_head(net: Conv4, seed: int) -> Tensor:
    """A head's random weight (N, size), as `nets.wrap` draws it."""
    return linear(net.size, net.head.out_features, seed).weight.detach()


def probed(tasks: Tasks, rates: Tensor, steps: Tensor) -> Params:
    """The head (T, …) after descent in the head alone, each task by its own rate for its own number of steps."""
    probe = prepared(tasks, PROBE, {})
    phi, found = probe.start, {name: probe.start[name].clone() for name in HEAD}
    done = 0
    for stop in sorted(set(steps.tolist())):
        phi, done = descended(tasks, probe, phi, range(done, stop), rates), stop
        for name in HEAD:
            found[name][steps == stop] = phi[name][steps == stop]
    return found


def of_low_rank(tasks: Tasks) -> Descent:
    """LoRA: A as the learner draws it for this seed, B of zeros, and the head move; the bodies stay."""
    bare = Conv4(0, **{key: value for key, value in tasks.net.config.items() if key not in ("net", "way")})
    learner = LoRA(bare, rank=RANK, scale=float(RANK), seed=tasks.seed)
    down = {name.replace("/", "."): a.detach() for name, a in learner.down.items()}
    many = lambda a: a.expand(tasks.count, *a.shape).clone()
    start = {name: p for name, p in tasks.with_head().items() if name in HEAD}
    start |= {f"A.{name}": many(a) for name, a in down.items()}
    start |= {f"B.{name}": a.new_zeros(tasks.count, tasks.bodies[name].shape[1], RANK) for name, a in down.items()}

    def merged(phi: Params) -> Params:
        added = {name: tasks.bodies[name] + (phi[f"B.{name}"] @ phi[f"A.{name}"]).view_as(tasks.bodies[name])
                 for name in down}
        return {**tasks.bodies, **added, **{name: phi[name] for name in HEAD}}

    return Descent(start, lambda phi, x, y: task_loss(call(tasks.net, merged(phi), x), y), tasks.x, merged=merged)


def joint(tasks: Tasks) -> Descent:
    """The labelled pictures of target and source together: one body, a head for each, the sum of both losses."""
    net, classes = tasks.net, tasks.source_classes
    start = tasks.with_head()
    start |= {"source.weight": tasks.x.new_zeros(tasks.count, classes, net.size),
              "source.bias": tasks.x.new_zeros(tasks.count, classes)}
    own = lambda phi: {name: p for name, p in phi.items() if not name.startswith("source.")}
    theirs = lambda phi: {"head.weight": phi["source.weight"], "head.bias": phi["source.bias"]}
    drawn = torch.Generator().manual_seed(tasks.seed)

    def loss(phi: Params, x: Tensor, y: Tensor) -> Tensor:
        some = torch.randint(tasks.source_x.shape[1], (BATCH,), generator=drawn)
        z = features(net, own(phi), torch.cat([x, tasks.source_x[:, some]], 1))
        both = task_loss(head(own(phi), z[:, :x.shape[1]]), y)
        return both + task_loss(head(theirs(phi), z[:, x.shape[1]:]), tasks.source_y[:, some])

    return Descent(start, loss, tasks.x, merged=own)


@torch.no_grad()
def accuracies(tasks: Tasks, weights: Params, x: Tensor, y: Tensor, block: int = 100) -> Tensor:
    """The share (%) of pictures x (T, P, 1, S, S) that every task's network names right, (T,)."""
    said = torch.cat([call(tasks.net, weights, part).argmax(-1) for part in x.split(block, 1)], 1)
    return 100 * (said == y).float().mean(1)


def ridge_accuracies(z: Tensor, y: Tensor, test_z: Tensor, test_y: Tensor, penalties: Sequence[float]) -> Tensor:
    """The share (%) of test features (P, D) that a ridge head on features z (M, D) and labels y names right, for each
    penalty, as `learners.baselines.ridge` takes it: (len(penalties),)."""
    mean = z.mean(0)
    z, test_z = z - mean, test_z - mean
    labels = F.one_hot(y).to(z.dtype)
    shift = labels.mean(0)
    kernel, found = z @ z.T, []
    scale = kernel.diagonal().mean() + 1e-8
    cross = test_z @ z.T
    for each in penalties:
        dual = torch.linalg.solve(kernel + each * scale * torch.eye(len(z)), labels - shift)
        found.append(100 * ((cross @ dual + shift).argmax(1) == test_y).float().mean())
    return torch.stack(found)
