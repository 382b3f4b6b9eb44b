"""Checks of lesson 02 on what is kept: a head in closed form, blocks that stay as they are, two losses that are two."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, all_of, explain
from mlcourse.exercises.gradients import gradients_by
from mlcourse.exercises.values import DIGITS, scalar, tensor
from mlcourse.lessons.l02_transfer.toy import toy, toy_batches

SHAPES = ((8, 3, 2), (5, 12, 3), (30, 20, 2))       # pictures, features, classes
LAMBDAS = (0.5, 2.0, 7.0)


def near(one: Sequence[Tensor], other: Sequence[Tensor]) -> bool:
    """Whether tensors agree one by one, to the digits of float32."""
    return all(bool((a - b).abs().max() <= 100 * DIGITS * (1e-3 + b.abs().max()))
               for a, b in zip(one, other, strict=True))


# ---------------------------------------------------------------- 02.1

UNCENTRED, NO_BIAS, HALF_BIAS, NO_PENALTY = ("features not centred", "no bias", "the mean feature is forgotten",
                                             "no penalty")
PER_PICTURE, PER_CLASS, SQUARED = "the penalty grows with the pictures", "the penalty shrinks", "the penalty squared"


def check_ridge_head(answer: object) -> str:
    """02.1: against the other closed form, with more features than pictures and with fewer."""
    ridge_head = LearnerFunction(answer, "ridge_head")
    got = []
    for case, (m, d, n) in zip(cases(), SHAPES, strict=True):
        pair = ridge_head(*(part.clone() if isinstance(part, Tensor) else part for part in case))
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise NotYet("ridge_head must return two things, W and b.")
        got += [tensor(pair[0], (d, n), f"W must have a row for each feature and a column for each class, ({d}, {n})"),
                tensor(pair[1], (n,), f"b must have a number for each class, ({n},)")]
    want = heads()
    if not near(got, want):
        explain(got, heads, HEAD_FAULTS, near)
        at = next(i for i, (a, b) in enumerate(zip(got, want)) if not near([a], [b]))
        raise NotYet(f"in a small example {'b' if at % 2 else 'W'} begins with {float(want[at].flatten()[0]):.4f}, but "
                     f"you returned {float(got[at].flatten()[0]):.4f}.")
    return (f"It agrees with the solution of the normal equations in {len(SHAPES)} cases, two with more pictures than "
            "features.")


def cases() -> list[tuple[Tensor, Tensor, float]]:
    """Features with a mean far from 0, one-hot labels in unequal shares, and λ."""
    found = []
    for seed, ((m, d, n), penalty) in enumerate(zip(SHAPES, LAMBDAS, strict=True)):
        generator = torch.Generator().manual_seed(seed)
        z = torch.randn(m, d, generator=generator, dtype=torch.float64) + torch.linspace(1, 3, d).double()
        y = torch.cat([torch.arange(n), (torch.rand(m - n, generator=generator) ** 2 * n).long()])
        found.append((z, F.one_hot(y, n).double(), penalty))
    return found


def heads(centred: bool = True, bias: str = "whole", scale: Callable[[float, int, int], float] = lambda p, m, n: p
          ) -> list[Tensor]:
    """W and b of every case, from the d × d equations; the options are the known faults."""
    found = []
    for z, y, penalty in cases():
        z_mean, y_mean = z.mean(0), y.mean(0)
        x, t = (z - z_mean, y - y_mean) if centred else (z, y)
        by = scale(penalty, len(z), y.shape[1])
        weight = torch.linalg.lstsq(x, t, driver="gelsd").solution if by == 0 else torch.linalg.solve(
            x.T @ x + by * torch.eye(x.shape[1]).double(), x.T @ t)
        b = {"whole": y_mean - z_mean @ weight, "labels": y_mean, "none": torch.zeros_like(y_mean)}[bias]
        found += [weight, b]
    return found


HEAD_FAULTS = (
    (UNCENTRED, {"centred": False}, "W was solved with z and y as they come; take the mean away from both first, or "
     "the penalty also holds down what only moves all answers together"),
    (UNCENTRED, {"centred": False, "bias": "labels"}, "W was solved with z and y as they come; take the mean away from "
     "both first"),
    (UNCENTRED, {"centred": False, "bias": "none"}, "W was solved with z and y as they come, and there is no b; take "
     "the means away first, and b puts them back"),
    (NO_BIAS, {"bias": "none"}, "b is 0: at the mean feature the outputs should be the mean labels, and x @ W alone "
     "does not give them"),
    (HALF_BIAS, {"bias": "labels"}, "W was solved for centred features, but x comes uncentred: x @ W is too large by "
     "z.mean(0) @ W; take that away in b"),
    (NO_PENALTY, {"scale": lambda p, m, n: 0}, "λ has no effect"),
    (PER_PICTURE, {"scale": lambda p, m, n: p * m}, "λ was multiplied by the number of pictures; here it is added as "
                                                    "it is"),
    (PER_CLASS, {"scale": lambda p, m, n: p / m}, "λ was divided by the number of pictures; here it is added as it is"),
    (SQUARED, {"scale": lambda p, m, n: p * p}, "λ was squared"),
)


# ---------------------------------------------------------------- 02.2

DRIFT, WEIGHTS, ALL_STILL, NOTHING, OFF_BY_ONE, BATCHED = (
    "the norm's statistics drift", "the weights are not frozen", "the upper norms stand still", "nothing is trained",
    "one block too many or too few", "normalised by the batch")


def check_train_top(answer: object) -> str:
    """02.2: a small network with batch norm; what lies below must stay to the last bit, what lies above must train."""
    train_top = LearnerFunction(answer, "train_top")
    for depth, lr in ((1, 0.1), (2, 0.03)):
        net, batches = toy(depth), toy_batches(depth)
        before, after = copy.deepcopy(net), copy.deepcopy(net)
        back = train_top(after, depth, [tuple(part.clone() for part in batch) for batch in batches], lr)
        after = back if isinstance(back, nn.Module) else after
        if found := what_moved(before, after, depth):
            raise all_of(found)
        wanted = trained(copy.deepcopy(net), depth, batches, lr)
        if not same_weights(after, wanted):
            if same_weights(after, trained(copy.deepcopy(net), depth, batches, lr, momentum=0.0)):
                raise Misconception(BATCHED, "the frozen norms' statistics no longer move, but in training they are "
                                    "still those of the batch, so the blocks above learn from other features than they "
                                    "will be used on; put the frozen blocks into eval mode.")
            raise NotYet("what is frozen stays as it was, but the blocks above end elsewhere than after one step of "
                         "SGD for each batch; keep the loop as it is.")
    return "The frozen blocks are the same to the last bit, statistics included, and the blocks above have trained."


def trained(net: nn.Sequential, depth: int, batches: list, lr: float, momentum: float | None = None) -> nn.Sequential:
    """The right training, or with the frozen norms in training mode and a momentum of theirs."""
    net.train()
    below = net[:depth]
    if momentum is None:
        below.eval()
    else:
        for norm in (m for m in below.modules() if isinstance(m, nn.BatchNorm2d)):
            norm.momentum = momentum
    optimiser = torch.optim.SGD([p for block in net[depth:] for p in block.parameters()], lr)
    for x, y in batches:
        optimiser.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimiser.step()
    return net


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    """Whether two networks have the same parameters, to the digits of float32."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.allclose(a.detach(), b.detach(), rtol=1e-4, atol=1e-6) for a, b in pairs)


def what_moved(before: nn.Sequential, after: nn.Sequential, depth: int) -> list[Misconception]:
    """What is wrong with what changed."""
    was, now = before.state_dict(), after.state_dict()
    weights = {name for name, _ in before.named_parameters()}
    moved = lambda names: {name for name in names if not torch.equal(was[name], now[name])}
    below = {name for name in was if int(name.split(".")[0]) < depth}
    first = {name for name in weights if name.startswith(f"{depth}.")}
    if not moved(weights):
        return [Misconception(NOTHING, "no weight of the network has changed; the blocks above must train.")]
    found = []
    if (still := moved(below & weights)) and moved({name for name in weights if name.startswith("0.")}):
        found.append(Misconception(WEIGHTS, f"{min(still)} has changed, which lies in a frozen block."))
    elif still or not moved(first):
        found.append(Misconception(OFF_BY_ONE, f"with depth {depth} the blocks up to {depth - 1}, counted from 0, are "
                                   "frozen and the others train."))
        return found
    if moved({name for name in below - weights if "running" in name}):
        found.append(Misconception(DRIFT, "no gradient reaches the running mean and variance of a batch norm: in "
                                   "training mode every forward pass moves them, so the frozen blocks answer otherwise "
                                   "than before; put them into eval mode, after net.train()."))
    elif depth == 1 and not moved({name for name in set(was) - weights if name.startswith("1.")}):
        found.append(Misconception(ALL_STILL, "the norms above the frozen blocks have not followed their data: only "
                                   "the frozen blocks belong into eval mode."))
    return found


# ---------------------------------------------------------------- 02.4

ONE_LOSS, CONSTANT = "two losses that are one", "a loss without a gradient"
UNWEIGHTED, SWAPPED = "the weight is forgotten", "the losses are swapped"
MIXED = "pictures of one domain, labels of the other"
SHARES = (0.25, 0.6)        # of the target's loss
SIZES = ((6, 6), (9, 6))    # of the two batches: equal first, so that mixed pairs run


def check_joint_losses(answer: object) -> str:
    """02.4: each loss must depend on its own pictures, and the sum on both."""
    joint_losses = LearnerFunction(answer, "joint_losses")
    for weight, sizes in zip(SHARES, SIZES, strict=True):
        judge_losses(joint_losses, weight, sizes)
    return "The target's loss depends on the target's pixels, the sum on both, in the shares that the weight says."


def judge_losses(joint_losses: LearnerFunction, weight: float, sizes: tuple[int, int]) -> None:
    """Raise what is wrong with the three losses at one weight, for batches of two sizes."""
    net, (x, y), (xt, yt) = head_net(), *two_batches(*sizes)
    x, xt = x.requires_grad_(), xt.requires_grad_()
    result = joint_losses(net, (x, y), (xt, yt), weight)
    if not isinstance(result, (tuple, list)) or len(result) != 3:
        raise NotYet("joint_losses must return three things: the loss to descend, the source's and the target's.")
    total, one, other = (scalar(each, "each of the three losses must be a scalar tensor") for each in result)
    source, target = F.cross_entropy(net(x), y), F.cross_entropy(net(xt), yt)
    at = lambda loss, wanted: abs(loss.item() - wanted.item()) <= 1e-4
    found, parts = [], (source, target)
    if at(one, target) and at(other, source):
        found.append(Misconception(SWAPPED, "the second loss is the target's and the third the source's; return the "
                                   "source's first."))
    elif at(one, other):
        found.append(Misconception(ONE_LOSS, "the source's loss and the target's are the same number: one batch is "
                                   "never looked at. A loss that changes with no pixel of the target is not the "
                                   "target's."))
        parts = (one, other)
    elif mixed := mixed_pair(net, (x, y), (xt, yt), (one, other)):
        found.append(mixed)
        parts = (one, other)
    elif not (at(one, source) and at(other, target)):
        raise NotYet(f"the cross-entropies here are {source.item():.4f} and {target.item():.4f}, but you returned "
                     f"{one.item():.4f} and {other.item():.4f}.")
    found += faults_of_sum(total, *parts, (x, xt), weight)
    if found:
        raise all_of(found)


def mixed_pair(net: nn.Module, source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor],
               losses: tuple[Tensor, Tensor]) -> Misconception | None:
    """Pictures of one domain that were judged by the labels of the other, where the batches are of one size."""
    (x, y), (xt, yt) = source, target
    if len(y) != len(yt):
        return None
    for loss, of, wrong, asked in ((losses[1], "target", (xt, y), "net(xt) with yt"),
                                   (losses[1], "target", (x, yt), "net(xt) with yt"),
                                   (losses[0], "source", (x, yt), "net(x) with y"),
                                   (losses[0], "source", (xt, y), "net(x) with y")):
        if abs(loss.item() - F.cross_entropy(net(wrong[0]), wrong[1]).item()) <= 1e-4:
            return Misconception(MIXED, f"the {of}'s loss has pictures of one domain and labels of the other; it is "
                                 f"{asked}.")
    return None


def faults_of_sum(total: Tensor, one: Tensor, other: Tensor, leaves: tuple[Tensor, Tensor], weight: float
                  ) -> list[Misconception]:
    """What is wrong with the loss to descend, given the source's loss and the target's."""
    value, a, b = (each.item() for each in (total, one, other))
    mixed = (1 - weight) * a + weight * b
    if abs(value - mixed) > 1e-4:
        for wanted, why in ((a + b, "it is the plain sum"), ((a + b) / 2, "it is the mean"),
                            (a + weight * b, "the source's loss counts in full"),
                            (weight * a + (1 - weight) * b, "the weight stands at the source's loss")):
            if abs(value - wanted) <= 1e-4:
                return [Misconception(UNWEIGHTED, "the loss to descend should be (1 - weight) times the source's plus "
                                      f"weight times the target's, but {why}.")]
        raise NotYet(f"the loss to descend should be {mixed:.4f}, but you returned {value:.4f}.")
    wanted, got = (gradients_by(loss, leaves) for loss in ((1 - weight) * one + weight * other, total))
    for which, right, yours in zip(("source", "target"), wanted, got, strict=True):
        if right is not None and (yours is None or not torch.allclose(yours, right, rtol=1e-3, atol=1e-6)):
            return [Misconception(CONSTANT, "the loss to descend has the right value, but not the gradient by the "
                                  f"{which}'s pixels: .item(), float() or detach() made one of its two parts a "
                                  "constant, which descent cannot lower.")]
    return []


def head_net() -> nn.Sequential:
    """A small classifier of 4×4 pictures."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).double()


def two_batches(source: int, target: int) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """A batch of a source and one of a target, of these sizes; row by row their labels differ."""
    generator = torch.Generator().manual_seed(1)
    batch = lambda m, by, first: (by * torch.randn(m, 1, 4, 4, generator=generator, dtype=torch.float64),
                                  (torch.arange(m) + first) % 3)
    return batch(source, 1, 0), batch(target, 3, 1)
