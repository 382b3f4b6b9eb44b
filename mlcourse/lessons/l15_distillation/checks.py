"""Checks of lesson 15: entropy at a temperature, the gradient by hand, and the distillation loss, against loops."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mlcourse.exercises.by_hand import BY_PACKAGE, by_hand
from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, all_of, also, explain
from mlcourse.exercises.gradients import gradients_by
from mlcourse.exercises.values import DIGITS, number, scalar, tensor

MULTIPLIED = "multiplied by the temperature"
NO_T = "the temperature is forgotten"
SUMMED = "sum instead of mean"
ALL_NUMBERS = "mean over classes too"
BITS = "bits instead of nats"
SIGN = "sign"
SWAPPED = "teacher and student swapped"
NO_SQUARE = "no τ²"
ONE_T = "τ instead of τ²"
STUDENT_ONLY = "temperature on the student only"
TEACHER_ONLY = "temperature on the teacher only"
OF_MEAN = "entropy of the mean"
OTHER_AXIS = "softmax over the pictures"
NO_CHAIN = "the inner derivative is forgotten"
CHAIN_TWICE = "1/τ twice"
WITH_SQUARE = "τ² already in it"
NOT_DIVIDED = "not divided by the number of pictures"
HARD = "the temperature left out of both sides"
TRAINS_TEACHER = "a gradient that reaches the teacher"
NO_GRADIENT = "a gradient that is cut off"
LIMIT = "the limit of high τ"
UNDEFINED = "0 log 0"

Rows = list[list[float]]


def logits(seed: int, pictures: int, classes: int) -> Tensor:
    """Logits (pictures, classes) in float64, of a teacher or a student who is fairly sure."""
    generator = torch.Generator().manual_seed(seed)
    return 2.5 * torch.randn(pictures, classes, generator=generator, dtype=torch.float64)


def softmax(row: Sequence[float], temperature: float) -> list[float]:
    """exp(v_i/τ) / Σ_j exp(v_j/τ), term by term."""
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
    """Whether two numbers agree to the digits of float32; no for nan."""
    return abs(got - want) <= DIGITS * max(1e-2, abs(want))


def all_near(got: Sequence[float], want: Sequence[float]) -> bool:
    """Whether the numbers of all batches agree."""
    return all(map(near, got, want))


def wrong_batch(got: Sequence[float], want: Sequence[float], batches: Sequence[tuple]) -> NotYet:
    """What the first wrong number should have been; batches: (seed, pictures, classes, temperature)."""
    i = next(i for i, pair in enumerate(zip(got, want)) if not near(*pair))
    _, m, n, t = batches[i]
    return NotYet(f"for {m} pictures, {n} classes and τ = {t} a loop over the definition gives {want[i]:.4f}, but you "
                  f"returned {got[i]:.4f}.")


ENTROPY_BATCHES = ((0, 4, 3, 4.0), (1, 6, 10, 2.0), (2, 3, 5, 0.5))      # seed, pictures, classes, τ


def check_entropy(answer: object) -> str:
    """15.1: the mean entropy of soft targets, in nats."""
    function = LearnerFunction(answer, "soft_entropy")
    one = "soft_entropy must return one number, averaged over the pictures"
    soft_entropy = lambda v, t: number(function(v, t), one)
    got = [soft_entropy(logits(seed, m, n), t) for seed, m, n, t in ENTROPY_BATCHES]
    sharp = soft_entropy(torch.tensor([[0.0, 2000.0, 1.0]], dtype=torch.float64), 1.0)
    undefined = Misconception(UNDEFINED, f"for a teacher who is entirely sure the entropy is 0, but you got {sharp}: "
                              "0 · log 0 counts as 0, and log_softmax never takes the logarithm of 0.")
    want = entropies_of()
    if not all_near(got, want):
        try:
            explain(got, entropies_of, ENTROPY_FAULTS, all_near)
        except Misconception as found:
            raise (also(found, undefined) if math.isnan(sharp) else found) from None
        raise wrong_batch(got, want, ENTROPY_BATCHES)
    if not near(sharp, 0.0):
        raise undefined
    return "It agrees with a loop over pictures and classes in 3 batches, and is 0 for a teacher who is entirely sure."


def entropies_of(at: Callable[[float], float] = float, axis: str = "classes", of: str = "each", add: str = "mean",
                 unit: float = 1.0, sign: int = 1) -> list[float]:
    """The mean entropies of ENTROPY_BATCHES; the options are the known faults."""
    found = []
    for seed, m, n, t in ENTROPY_BATCHES:
        v = logits(seed, m, n)
        p = targets(v, at(t)) if axis == "classes" else list(zip(*targets(v.T, at(t))))
        each = entropies(p if of == "each" else [[mean(column) for column in zip(*p)]])
        found.append(sign / unit * {"mean": mean(each), "sum": sum(each), "all": mean(each) / n}[add])
    return found


ENTROPY_FAULTS = (
    (MULTIPLIED, {"at": lambda t: 1 / t}, "logits are divided by τ; multiplied, a high temperature makes the targets "
     "sharper, and would make the false claim look true"),
    (NO_T, {"at": lambda t: 1.0}, "τ does not enter; the softmax is that of v / τ, not of v"),
    (SUMMED, {"add": "sum"}, "average over the pictures, so that the number does not grow with them"),
    (ALL_NUMBERS, {"add": "all"}, "sum over the classes, then average over the pictures only"),
    (BITS, {"unit": math.log(2)}, "the logarithm is the natural one, so that the result is in nats"),
    (SIGN, {"sign": -1}, "an entropy is never negative: it is minus the sum of p log p"),
    (OF_MEAN, {"of": "mean"}, "you averaged the targets first; the entropy is that of each picture's own target"),
    (OTHER_AXIS, {"axis": "pictures"}, "the softmax must run over the classes of one picture, dim=1"),
)
GIVEN = tuple(f"mlcourse.losses.distillation.{name}" for name in ("soft_targets", "_check_temperature"))
GRADIENT_BATCHES = ((10, 4, 3, 3.0), (12, 6, 10, 20.0), (14, 2, 5, 0.5))


def check_gradient(answer: object) -> str:
    """15.2: the gradient of the cross-entropy with soft targets, in the student's logits, by a formula, without τ²."""
    got = []
    with by_hand(answer, "soft_gradient", given=GIVEN) as soft_gradient:
        for seed, m, n, t in GRADIENT_BATCHES:
            z, v = logits(seed, m, n), logits(seed + 1, m, n)
            shape = f"soft_gradient must return one number for each logit, a tensor of shape {(m, n)}"
            got.append(tensor(soft_gradient(z.clone(), v.clone(), t), (m, n), shape))
        want = gradients_of()
        if not all(map(is_gradient, got, want)):
            explain(got, gradients_of, GRADIENT_FAULTS, lambda got, want: all(map(is_gradient, got, want)))
            raise next(wrong_gradient(*each) for each in zip(got, want, GRADIENT_BATCHES) if not is_gradient(*each[:2]))
        for each, (seed, m, n, t) in zip(want, GRADIENT_BATCHES):
            _check_by_differences(each, logits(seed, m, n), logits(seed + 1, m, n), t)
    return "It agrees with central differences of the loss, at τ = 3, 20 and 0.5."


def is_gradient(got: Tensor, want: Tensor) -> bool:
    """Whether a gradient is right, to the digits that its numbers have: those of float32, or else nine."""
    digits = DIGITS if torch.equal(got, got.float().double()) else 1e-9
    return bool(((got - want).abs() <= digits * float(want.abs().max())).all())


def wrong_gradient(got: Tensor, want: Tensor, batch: tuple) -> NotYet:
    """Where a gradient is wrong: the entry that is farthest off, with as many digits as tell it apart."""
    i, j = divmod(int((got - want).abs().argmax()), want.shape[1])
    one, other = float(got[i, j]), float(want[i, j])
    digits = next((digits for digits in range(4, 16) if f"{one:.{digits}g}" != f"{other:.{digits}g}"), 16)
    close = " The formula gives all digits; a difference of losses or a rounded number does not." if digits > 5 else ""
    return NotYet(f"at τ = {batch[3]} entry ({i}, {j}) of the gradient is {other:.{digits}g}, but you returned "
                  f"{one:.{digits}g}.{close}")


def gradients_of(sign: int = 1, chain: int = 1, divided: bool = True, squared: bool = False,
                 at: tuple[bool, bool] = (True, True), loss: str = "right") -> list[Tensor]:
    """The gradients of GRADIENT_BATCHES; the options are the known faults. chain: how often 1/τ comes in. at: whether τ
    divides the teacher's and the student's logits."""
    found = []
    for seed, m, n, t in GRADIENT_BATCHES:
        z, v = logits(seed, m, n), logits(seed + 1, m, n)
        p, q = (torch.tensor(targets(x, t if by else 1.0), dtype=torch.float64) for x, by in zip((v, z), at))
        limit = (z - v) / (n * t)
        slope = {"right": q - p, "swapped": torch.tensor(_swapped_gradient(z, v, t), dtype=torch.float64) * t * m,
                 "limit": limit, "centred limit": limit - limit.mean(1, keepdim=True)}[loss]
        found.append(sign * slope * (t * t if squared else 1) / (t**chain * (m if divided else 1)))
    return found


GRADIENT_FAULTS = (
    (SIGN, {"sign": -1}, "a step against the gradient must bring q nearer to p, so it is q minus p"),
    (NO_CHAIN, {"chain": 0}, "z enters as z / τ, so the chain rule leaves a factor 1 / τ"),
    (CHAIN_TWICE, {"chain": 2}, "one 1/τ is the chain rule; the second, by which the gradient fades at high τ, is in "
     "q - p already"),
    (NOT_DIVIDED, {"divided": False}, "the loss is the mean over the pictures, so each picture's part is divided by "
     "their number"),
    (WITH_SQUARE, {"squared": True}, "this is the gradient of the loss with τ²; what happens without it"),
    (HARD, {"at": (False, False), "chain": 0}, "both softmaxes must be taken at τ"),
    (NO_T, {"at": (False, False)}, "both softmaxes must be taken at τ"),
    (TEACHER_ONLY, {"at": (True, False)}, "the student answers at τ as well: q is the softmax of z / τ"),
    (STUDENT_ONLY, {"at": (False, True)}, "the targets are those at τ: p is the softmax of v / τ"),
    (SWAPPED, {"loss": "swapped"}, "this is the gradient of the loss in which the student's q is the target; the soft "
     "target is the teacher's"),
    *((LIMIT, {"loss": loss}, "this is where the gradient goes as τ grows; at any τ it is a difference of softmaxes")
      for loss in ("limit", "centred limit")),
)


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


COPIED = ((("mlcourse.losses.distillation.distillation",), BY_PACKAGE, "distillation is the very loss that you are to "
           "write; soft_targets you may call, but put p and q together yourself."),)
DISTIL_BATCHES = ((20, 5, 3, 4.0), (22, 6, 10, 2.0), (24, 3, 5, 20.0))


def check_distillation(answer: object) -> str:
    """15.3: τ² times the cross-entropy of the teacher's soft targets, its gradient, and none for the teacher."""
    with by_hand(answer, "distil", shortcuts=COPIED) as distil:
        _check_losses(distil)
    return "Value and gradient agree with a loop over the definition at three temperatures, and the teacher gets none."


def _check_losses(distil: LearnerFunction) -> None:
    leaves = [tuple(logits(seed + i, m, n).requires_grad_() for i in range(2)) for seed, m, n, _ in DISTIL_BATCHES]
    losses = [scalar(distil(z.clone(), v.clone(), t), "distil must return a scalar tensor, averaged over the pictures")
              for (z, v), (*_, t) in zip(leaves, DISTIL_BATCHES)]
    got = [float(loss.detach()) for loss in losses]
    right = any(all_near(got, losses_of(less=less)) for less in FORMS)
    found = [] if right else [wrong_loss(got)]
    for loss, (z, v), batch in zip(losses, leaves, DISTIL_BATCHES):
        found += faults_of_gradient(loss, z, v, batch, right)
    if found:
        raise all_of(found)


FORMS = (0.0, 1.0)          # how often the entropy of the targets is taken away: a cross-entropy, or a divergence


def wrong_loss(got: list[float]) -> Misconception:
    """The known mistakes behind wrong values, as few as explain them. Raises NotYet where none do."""
    found = []
    for less in FORMS:
        try:
            explain(got, lambda less=less, **faults: losses_of(less=less, **faults), DISTIL_FAULTS, all_near)
        except Misconception as misconception:
            found.append(misconception)
    if not found:
        raise wrong_batch(got, losses_of(), DISTIL_BATCHES)
    return min(found, key=lambda misconception: len(misconception.names))


def faults_of_gradient(loss: Tensor, z: Tensor, v: Tensor, batch: tuple, right: bool) -> list[Misconception]:
    """What is wrong with the gradient of a loss whose value is right, or is not."""
    _, m, _, t = batch
    start, found = "the value is right, but " if right else "", []
    by_z, by_v = gradients_by(loss, (z, v))
    q, p = (torch.tensor(targets(x.detach(), t), dtype=torch.float64) for x in (z, v))
    if by_z is None or (right and not torch.allclose(by_z, t * (q - p) / m, rtol=1e-4, atol=1e-6)):
        found.append(Misconception(NO_GRADIENT, f"{start}the gradient in the student's logits is not that of the "
                                   "value; look for detach(), .data, item() or no_grad on the student's side."))
    start = "" if found else start
    if by_v is not None and float(by_v.abs().max()) > 0:
        found.append(Misconception(TRAINS_TEACHER, f"{start}a gradient flows to the teacher, who would come to meet "
                                   "the student half-way; detach its logits."))
    return found


def losses_of(less: float = 0.0, roles: str = "right", at: tuple[bool, bool] = (True, True), power: int = 2,
              add: str = "mean", sign: int = 1) -> list[float]:
    """The losses of DISTIL_BATCHES, less so many times the entropy of their targets; the options are the known
    faults. at: whether τ divides the target's and the answer's logits."""
    found = []
    for seed, m, n, t in DISTIL_BATCHES:
        target, answer = logits(seed + 1, m, n), logits(seed, m, n)
        if roles == "swapped":
            target, answer = answer, target
        p, q = (targets(x, t if divided else 1.0) for x, divided in zip((target, answer), at))
        bare = cross(p, q) - less * mean(entropies(p))
        found.append(sign * t**power * bare * {"mean": 1, "sum": m, "all": 1 / n}[add])
    return found


DISTIL_FAULTS = (
    (SWAPPED, {"roles": "swapped"}, "the student's q stands where the teacher's p belongs, and the logarithm is the "
     "teacher's; the soft target is the teacher's p"),
    (NO_SQUARE, {"power": 0}, "without τ² the gradient fades as τ grows, as 1/τ²; multiply the loss by τ²"),
    (ONE_T, {"power": 1}, "the gradient falls as 1/τ², once for the chain rule and once because q - p shrinks; a "
     "factor τ mends one of the two"),
    (SUMMED, {"add": "sum"}, "average over the pictures, so that the loss does not grow with the batch"),
    (ALL_NUMBERS, {"add": "all"}, "sum over the classes, then average over the pictures only: what reduction='mean' of "
     "kl_div gets wrong, and 'batchmean' right"),
    (SIGN, {"sign": -1}, "a loss falls as the student improves: minus the sum of p log q"),
    (STUDENT_ONLY, {"at": (False, True)}, "the teacher's logits are divided by τ as well; otherwise q must imitate at "
     "τ what the teacher says at 1"),
    (TEACHER_ONLY, {"at": (True, False)}, "the student's logits are divided by τ as well in training; only at the test "
     "is τ = 1"),
    (HARD, {"at": (False, False)}, "τ must divide the logits of both"),
)
