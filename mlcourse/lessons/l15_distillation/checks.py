"""Checks of lesson 15: entropy at a temperature, the gradient by hand, and the distillation loss, against loops."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, kind

MULTIPLIED = "multiplied by the temperature"
NO_T = "the temperature is forgotten"
SUMMED = "sum instead of mean"
ALL_NUMBERS = "mean over classes too"
BITS = "bits instead of nats"
SIGN = "sign"
SWAPPED = "teacher and student swapped"
NO_SQUARE = "no T²"
ONE_T = "T instead of T²"
STUDENT_ONLY = "temperature on the student only"
TEACHER_ONLY = "temperature on the teacher only"
OF_MEAN = "entropy of the mean"
OTHER_AXIS = "softmax over the pictures"
NO_CHAIN = "the inner derivative is forgotten"
WITH_SQUARE = "T² already in it"
NOT_DIVIDED = "not divided by the number of pictures"
HARD = "the temperature left out of both sides"
TRAINS_TEACHER = "a gradient that reaches the teacher"
NO_GRADIENT = "a gradient that is cut off"
LIMIT = "the limit of high T"

Rows = list[list[float]]


def logits(seed: int, pictures: int, classes: int) -> Tensor:
    """Logits (pictures, classes) in float64, of a teacher or a student who is fairly sure."""
    generator = torch.Generator().manual_seed(seed)
    return 2.5 * torch.randn(pictures, classes, generator=generator, dtype=torch.float64)


def softmax(row: Sequence[float], temperature: float) -> list[float]:
    """exp(v_i/T) / Σ_j exp(v_j/T), term by term."""
    powers = [math.exp(value / temperature) for value in row]
    return [power / sum(powers) for power in powers]


def targets(v: Tensor, temperature: float) -> Rows:
    """The softmax of every row."""
    return [softmax(row, temperature) for row in v.tolist()]


def entropies(p: Rows) -> list[float]:
    """-Σ p log p of every row, nats."""
    return [-sum(value * math.log(value) for value in row if value > 0) for row in p]


def mean(values: Sequence[float]) -> float:
    """The mean of a list."""
    return sum(values) / len(values)


def cross(p: Rows, q: Rows) -> float:
    """The mean over rows of -Σ p log q."""
    return mean([-sum(a * math.log(b) for a, b in zip(one, other)) for one, other in zip(p, q, strict=True)])


def near(got: float, want: float) -> bool:
    """Whether two numbers agree to 1e-6; no for nan."""
    return abs(got - want) <= 1e-6 * max(1.0, abs(want))


def scalar(function: LearnerFunction, *args) -> Tensor:
    """The learner's number as a scalar tensor."""
    got = function(*args)
    if isinstance(got, (int, float)):
        got = torch.tensor(float(got), dtype=torch.float64)
    if not isinstance(got, Tensor) or got.numel() != 1 or not got.is_floating_point():
        what = f"a tensor of shape {tuple(got.shape)}" if isinstance(got, Tensor) else kind(got)
        raise NotYet(f"{function.name} must return one number, averaged over the pictures; got {what}.")
    return got


def compare(got: float, want: float, known: list[tuple[str, float, str]], what: str) -> None:
    """Raise the known mistake whose value was returned, or say what the value should be."""
    if near(got, want):
        return
    for name, value, why in known:
        if near(got, value):
            raise Misconception(name, why + ".")
    raise NotYet(f"for {what} a loop over the definition gives {want:.4f}, but you returned {got:.4f}.")


def check_entropy(answer: object) -> str:
    """15.1: the mean entropy of soft targets, in nats."""
    soft_entropy = LearnerFunction(answer, "soft_entropy")
    for seed, m, n, t in ((0, 4, 3, 4.0), (1, 6, 10, 2.0), (2, 3, 5, 0.5)):
        v = logits(seed, m, n)
        p = targets(v, t)
        want, of = mean(entropies(p)), lambda rows: mean(entropies(rows))
        average = [mean(column) for column in zip(*p)]
        columns = [list(row) for row in zip(*targets(v.T, t))]
        known = [
            (MULTIPLIED, of(targets(v, 1 / t)), "logits are divided by T; multiplied, a high temperature makes the "
             "targets sharper, and would make the false claim look true"),
            (NO_T, of(targets(v, 1.0)), "T does not enter; the softmax is that of v / T"),
            (SUMMED, m * want, "average over the pictures, so that the number does not grow with them"),
            (ALL_NUMBERS, want / n, "sum over the classes, then average over the pictures only"),
            (BITS, want / math.log(2), "the logarithm is the natural one, so that the result is in nats"),
            (SIGN, -want, "an entropy is never negative: it is minus the sum of p log p"),
            (OF_MEAN, entropies([average])[0], "you averaged the targets first; the entropy is that of each picture's "
             "own target"),
            (OTHER_AXIS, of(columns), "the softmax must run over the classes of one picture, dim=1"),
        ]
        got = float(scalar(soft_entropy, v.clone(), t).detach())
        compare(got, want, known, f"{m} pictures, {n} classes and T = {t}")
    sharp = torch.tensor([[0.0, 2000.0, 1.0]], dtype=torch.float64)
    if not near(float(scalar(soft_entropy, sharp, 1.0).detach()), 0.0):
        raise Misconception("0 log 0", "for a teacher who is entirely sure the entropy is 0, but you returned "
                            f"{float(scalar(soft_entropy, sharp, 1.0).detach())}: 0 · log 0 counts as 0, and "
                            "log_softmax never takes the logarithm of 0.")
    return "It agrees with a loop over pictures and classes in 3 batches, and is 0 for a teacher who is entirely sure."


def check_gradient(answer: object) -> str:
    """15.2: the gradient of the cross-entropy with soft targets, in the student's logits, without T²."""
    soft_gradient = LearnerFunction(answer, "soft_gradient")
    for seed, m, n, t in ((10, 4, 3, 3.0), (12, 6, 10, 20.0), (14, 2, 5, 0.5)):
        z, v = logits(seed, m, n), logits(seed + 1, m, n)
        got = soft_gradient(z.clone(), v.clone(), t)
        if not isinstance(got, Tensor) or got.shape != z.shape:
            what = f"a tensor of shape {tuple(got.shape)}" if isinstance(got, Tensor) else kind(got)
            raise NotYet(f"soft_gradient must return one number for each logit, a tensor of shape {tuple(z.shape)}; "
                         f"got {what}.")
        p, q = (torch.tensor(targets(x, t), dtype=torch.float64) for x in (v, z))
        want = (q - p) / (t * m)
        is_ = lambda other: bool(((got.detach() - other).abs() <= 1e-9 * float(other.abs().max())).all())
        if is_(want):
            _check_by_differences(want, z, v, t)
            continue
        hot = torch.tensor(targets(z, 1.0), dtype=torch.float64) - torch.tensor(targets(v, 1.0), dtype=torch.float64)
        known = [
            (SIGN, -want, "a step against the gradient must bring q nearer to p, so it is q minus p"),
            (NO_CHAIN, want * t, "z enters as z / T, so the chain rule leaves a factor 1 / T"),
            (NOT_DIVIDED, want * m, "the loss is the mean over the pictures, so each picture's part is divided by "
             "their number"),
            (WITH_SQUARE, want * t * t, "this is the gradient of the loss with T²; what happens without it"),
            (HARD, hot / m, "both softmaxes must be taken at T"),
            (NO_T, hot / (t * m), "both softmaxes must be taken at T"),
            (SWAPPED, torch.tensor(_swapped_gradient(z, v, t), dtype=torch.float64), "this is the gradient of the loss "
             "in which the student's q is the target; the soft target is the teacher's"),
        ]
        limit = (z - v) / (n * t * t * m)
        known += [(LIMIT, each, "this is where the gradient goes as T grows; at any T it is a difference of softmaxes")
                  for each in (limit, limit - limit.mean(1, keepdim=True))]
        for name, value, why in known:
            if is_(value):
                raise Misconception(name, why + ".")
        raise NotYet(f"at T = {t} the first picture's gradient is {_numbers(want[0])}, but you returned "
                     f"{_numbers(got.detach()[0])}.")
    return "It agrees with central differences of the loss, at T = 3, 20 and 0.5."


def _numbers(row: Tensor) -> str:
    return ", ".join(f"{value:.5f}" for value in row[:3].tolist()) + (", …" if len(row) > 3 else "")


def _swapped_gradient(z: Tensor, v: Tensor, t: float) -> Rows:
    """The gradient in z of the mean of -Σ q log p."""
    rows = []
    for q, p in zip(targets(z, t), targets(v, t), strict=True):
        level = sum(a * math.log(b) for a, b in zip(q, p))
        rows.append([-a * (math.log(b) - level) / (t * len(z)) for a, b in zip(q, p)])
    return rows


def _check_by_differences(want: Tensor, z: Tensor, v: Tensor, t: float) -> None:
    """The formula that answers are compared with, against a central difference in one logit."""
    moved = [z.clone(), z.clone()]
    for each, h in zip(moved, (1e-6, -1e-6)):
        each[0, 1] += h
    ends = [cross(targets(v, t), targets(each, t)) for each in moved]
    assert abs((ends[0] - ends[1]) / 2e-6 - float(want[0, 1])) < 1e-6


def check_distillation(answer: object) -> str:
    """15.3: T² times the cross-entropy of the teacher's soft targets, its gradient, and none for the teacher."""
    distil = LearnerFunction(answer, "distil")
    for seed, m, n, t in ((20, 5, 3, 4.0), (22, 6, 10, 2.0), (24, 3, 5, 20.0)):
        z, v = logits(seed, m, n), logits(seed + 1, m, n)
        p, q, hot_p, hot_q = targets(v, t), targets(z, t), targets(v, 1.0), targets(z, 1.0)
        h_p, h_q = mean(entropies(p)), mean(entropies(q))
        leaf, teacher = z.clone().requires_grad_(), v.clone().requires_grad_()
        loss = scalar(distil, leaf, teacher, t)
        known = [pair for less_p, less_q in ((0.0, 0.0), (h_p, h_q))        # as a cross-entropy, and as a divergence
                 for pair in _known(cross(p, q) - less_p, cross(q, p) - less_q, t, m, n)]
        known += [
            (STUDENT_ONLY, t * t * cross(hot_p, q), "the teacher's logits are divided by T as well; otherwise q must "
             "imitate at T what the teacher says at 1"),
            (TEACHER_ONLY, t * t * cross(p, hot_q), "the student's logits are divided by T as well in training; only "
             "at the test is T = 1"),
            (HARD, t * t * cross(hot_p, hot_q), "T must divide the logits of both"),
        ]
        value, want, divergence = float(loss.detach()), t * t * cross(p, q), t * t * (cross(p, q) - h_p)
        compare(value, divergence if near(value, divergence) else want, known,
                f"{m} pictures, {n} classes and T = {t}")
        grads = torch.autograd.grad(loss, (leaf, teacher), allow_unused=True) if loss.requires_grad else (None, None)
        want = t * (torch.tensor(q, dtype=torch.float64) - torch.tensor(p, dtype=torch.float64)) / m
        if grads[0] is None or not torch.allclose(grads[0], want, rtol=1e-5, atol=1e-9):
            raise Misconception(NO_GRADIENT, "the value is right, but the gradient in the student's logits is not that "
                                "of the value; look for detach(), .data, item() or no_grad on the student's side.")
        if grads[1] is not None and float(grads[1].abs().max()) > 0:
            raise Misconception(TRAINS_TEACHER, "the value is right, but a gradient flows to the teacher, who would "
                                "come to meet the student half-way; detach its logits.")
    return "Value and gradient agree with a loop over the definition at three temperatures, and the teacher gets none."


def _known(bare: float, swapped: float, t: float, m: int, n: int) -> list[tuple[str, float, str]]:
    """Known mistakes from the loss without T² and from the one with the roles swapped, of m pictures and n classes."""
    return [
        (f"{SWAPPED}, {NO_SQUARE}", swapped, "the student's q stands where the teacher's p belongs, and T² is missing, "
         "so that the gradient fades as T grows"),
        (SWAPPED, t * t * swapped, "the student's q is the target, and the logarithm is the teacher's; the soft target "
         "is the teacher's p"),
        (NO_SQUARE, bare, "the gradient falls as 1/T²; multiply the loss by T²"),
        (ONE_T, t * bare, "the gradient falls as 1/T², once for the chain rule and once because q - p shrinks; a "
         "factor T mends one of the two"),
        (SUMMED, t * t * m * bare, "average over the pictures, so that the loss does not grow with the batch"),
        (ALL_NUMBERS, t * t * bare / n, "sum over the classes, then average over the pictures only: what "
         "reduction='mean' of kl_div gets wrong, and 'batchmean' right"),
        (SIGN, -t * t * bare, "a loss falls as the student improves: minus the sum of p log q"),
    ]
