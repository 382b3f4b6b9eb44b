"""Checks of lesson 13: AdaBN's statistics, CORAL, what intervals bear out, and BBSE's weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.exercises.entries import check_claims
from mlcourse.exercises.framework import Crashed, LearnerFunction, Misconception, NotYet, all_of, explain
from mlcourse.exercises.gradients import gradients_by
from mlcourse.exercises.values import DIGITS, scalar, tensor
from mlcourse.lessons.l13_adaptation import bbse

NO_GRADIENT = "no gradient at all"


def draw(*shape: int, seed: int = 0) -> Tensor:
    """Normal numbers in float64."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def near(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors agree to the digits of float32."""
    return bool((a - b).abs().max() <= DIGITS * (1e-2 + b.abs().max()))


# ---------------------------------------------------------------- 13.1

OWN, ONE_FOR_ALL, EACH_PICTURE, EACH_PLACE = ("statistics of the pictures to classify", "one mean for all channels",
                                              "statistics of each picture", "statistics of each place")
VARIANCE, LESS_ONE = "divided by the variance", "divided by one less than the count"
NO_EPS, EPS_OUTSIDE = "eps is missing", "eps outside the root"
BOTH, OWN_MEAN, OWN_SPREAD = ("statistics of both sets together", "the mean of the pictures to classify",
                              "the variance of the pictures to classify")
SWAPPED, NO_GAIN, NO_SHIFT = "gain and shift swapped", "the gain is missing", "the shift is missing"
TAKEN, INSIDE = "the shift is taken away", "the shift multiplied by the gain"
OF_EACH = "variances of pictures averaged"
OVER = {"channel": (0, 2, 3), "everything": (0, 1, 2, 3), "picture": (2, 3), "place": (0,)}


def check_adabn(answer: object) -> str:
    """13.1: against the formula, on channels of different means and variances."""
    adabn = LearnerFunction(answer, "adabn")
    size = torch.tensor([0.05, 1.0, 4.0], dtype=torch.float64).view(3, 1, 1)
    x, seen = 2 * draw(4, 3, 2, 2) * size - 3, draw(4, 3, 2, 2, seed=1) * size + 1
    gain, shift = draw(3, seed=2), draw(3, seed=3)
    parts, eps = (x, seen, gain, shift), 1e-3
    kept = [part.clone() for part in parts]
    got = tensor(adabn(*kept, eps), tuple(x.shape), f"adabn must return a tensor of shape {tuple(x.shape)}, that of x")
    want = adabn_of(*parts, eps)
    if not near(got, want):
        explain(got, lambda **faults: adabn_of(*parts, eps, **faults), ADABN_FAULTS, near)
        first, right, yours = (float(z[0, 0, 0, 0]) for z in (x, want, got))
        raise NotYet(f"for the first value of x, {first:.3f}, the answer is {right:.4f}, but you returned {yours:.4f}.")
    one = tensor(adabn(x[:1].clone(), *(part.clone() for part in parts[1:]), eps), (1, *x.shape[1:]),
                 "adabn must return a tensor of the shape of x")
    if not near(one, want[:1]):
        raise Misconception(OWN, "one picture alone got another answer than in company: the statistics must come from "
                            "`seen`.")
    return "Each channel has the target's mean and variance, and a picture's answer depends on no other's."


def adabn_of(x: Tensor, seen: Tensor, gain: Tensor, shift: Tensor, eps: float, over: str = "channel",
             means: str = "seen", spreads: str = "seen", less: int = 0, root: str = "whole", gains: str = "gain",
             shifts: str = "shift", averaged: bool = False) -> Tensor:
    """Batch normalisation of x by the statistics of `seen`; the options are the known faults. Normalised each by
    itself, x and `seen` together are as many pictures as x."""
    pictures, dims = {"seen": seen, "x": x, "both": torch.cat([x, seen])}, OVER[over]
    if over == "picture":
        pictures["both"] = x
    mean = pictures[means].mean(dims, keepdim=True)
    variance = pictures[spreads].var((2, 3) if averaged else dims, correction=less, keepdim=True)
    variance = variance.mean(0, keepdim=True) if averaged else variance
    scale = {"whole": lambda: (variance + eps).sqrt(), "none": lambda: variance + eps,
             "without eps": lambda: variance.sqrt() + eps, "no eps": lambda: variance.sqrt()}[root]()
    factors = {"gain": gain, "shift": shift, "one": torch.ones_like(gain), "zero": torch.zeros_like(gain),
               "minus": -shift, "inside": gain * shift}
    wide = lambda v: v.view(1, -1, 1, 1)
    return wide(factors[gains]) * (x - mean) / scale + wide(factors[shifts])


ADABN_FAULTS = (
    (OWN, {"means": "x", "spreads": "x"}, "mean and variance come from x itself, so an answer depends on which "
     "pictures are asked together; take them from `seen`"),
    (BOTH, {"means": "both", "spreads": "both"}, "the pictures to classify went into mean and variance together with "
     "those of the target; take both from `seen` alone"),
    (OWN_MEAN, {"means": "x"}, "the mean comes from x and the variance from `seen`; take both from `seen`"),
    (OWN_SPREAD, {"spreads": "x"}, "the variance comes from x and the mean from `seen`; take both from `seen`"),
    (ONE_FOR_ALL, {"over": "everything"}, "there is one mean and one variance for all channels; each channel has its "
     "own"),
    (EACH_PICTURE, {"over": "picture"}, "each picture has statistics of its own; they are over pictures and positions, "
     "dimensions 0, 2 and 3"),
    (EACH_PLACE, {"over": "place"}, "each position has statistics of its own; they are over pictures and positions, "
     "dimensions 0, 2 and 3"),
    (VARIANCE, {"root": "none"}, "you divide by the variance; divide by its root, the standard deviation"),
    (EPS_OUTSIDE, {"root": "without eps"}, "eps is added to the root of the variance; add it to the variance, and take "
     "the root of the sum"),
    (NO_EPS, {"root": "no eps"}, "eps must be added to the variance before the root"),
    (LESS_ONE, {"less": 1}, "batch normalisation divides the sum of squares by the count, not by one less: "
     "var(..., correction=0)"),
    (SWAPPED, {"gains": "shift", "shifts": "gain"}, "the gain multiplies and the shift is added"),
    (NO_GAIN, {"gains": "one"}, "the learned gain must multiply what is normalised"),
    (NO_SHIFT, {"shifts": "zero"}, "the learned shift must be added at the end"),
    (TAKEN, {"shifts": "minus"}, "the learned shift is added at the end, not taken away"),
    (INSIDE, {"shifts": "inside"}, "the learned shift is added at the end, after the gain has multiplied"),
    (OF_EACH, {"averaged": True}, "the variance within each picture, averaged, leaves out how the pictures' means "
     "differ; take one variance over pictures and positions, dimensions 0, 2 and 3"),
)


# ---------------------------------------------------------------- 13.2

BY_N, UNCENTRED, NO_SCALE, DIAGONAL, MEANS = ("divided by n", "not centred", "the factor 1/(4 d²) is missing",
                                              "only the variances compared", "the means compared")
LITERAL, OF_SAMPLES = "a factor for one width only", "the covariance of samples, not of features"
ONE_COUNT = "one count for both domains"
ONE_SIDE = "a gradient on one side only"
ONE_MEAN, MEAN_OF_SAMPLE, ABSOLUTE = "one mean for all features", "the mean of each sample", "sizes, not squares"
SIZES = ((6, 9, 3), (8, 8, 5))       # n, m, d


def check_coral_loss(answer: object) -> str:
    """13.2: against an entry-by-entry sum, on features with a mean and with correlations, of two widths."""
    coral_loss = LearnerFunction(answer, "coral_loss")
    pairs = [(draw(n, d) @ draw(d, d, seed=2) + 2, draw(m, d, seed=1) - 1) for n, m, d in SIZES]
    leaves = [tuple(x.clone().requires_grad_() for x in pair) for pair in pairs]
    found, losses = [], []
    for (n, m, _), pair in zip(SIZES, leaves):
        try:
            losses.append(scalar(coral_loss(*(x.clone() for x in pair)), "coral_loss must return a scalar tensor"))
        except Crashed as crash:
            if f"({n}) must match" in str(crash.error) and f"({m})" in str(crash.error):
                raise Misconception(OF_SAMPLES, f"one matrix is {n} × {n} and the other {m} × {m}: a row for each "
                                    "sample. Features stand in columns, and torch.cov takes them in rows: hand it the "
                                    "transpose, torch.cov(a.T), or write a.T @ a for centred a.") from None
            raise
    got, want = torch.stack(losses).detach(), coral_of(pairs)
    if not bool(got.isfinite().all()):
        raise NotYet("coral_loss returned values that are NaN or infinite.")
    if not near(got, want):
        try:
            explain(got, lambda **faults: coral_of(pairs, **faults), CORAL_FAULTS, near)
        except Misconception as misconception:
            found.append(misconception)
    cut = [name for name in range(2) if not reaches(losses[0], leaves[0][name])]
    start = "" if found else "the value is right, but "
    if len(cut) == 2:
        found.append(Misconception(NO_GRADIENT, f"{start}no gradient reaches the features; the network could not learn "
                                   "from it."))
    elif cut:
        found.append(Misconception(ONE_SIDE, f"{start}no gradient reaches {'ab'[cut[0]]}, so its features stay where "
                                   "they are and the others do all the moving; look for detach() or no_grad."))
    if found:
        raise all_of(found)
    for i, (one, other) in enumerate(zip(got, want)):
        if not near(one, other):
            raise NotYet(f"on a small example of {SIZES[i][2]} features the loss is {float(other):.4f}, but you "
                         f"returned {float(one):.4f}.")
    return "It is the sum over all entries of both covariance matrices, and its gradient reaches the features."


def reaches(loss: Tensor, leaf: Tensor) -> bool:
    """Whether a gradient that is not zero flows from the loss to the leaf."""
    g, = gradients_by(loss, [leaf])
    return g is not None and bool(g.abs().max() > 0)


def coral_of(pairs: list[tuple[Tensor, Tensor]], by: int = 1, count: str = "its own", centre: float = 1,
             of: str = "all", norm: str = "squared", mean: str = "feature",
             factor: Callable[[int], float] = lambda d: 4 * d**2) -> Tensor:
    """The CORAL losses of pairs of domains; the options are the known faults."""
    losses = []
    for a, b in pairs:
        one, other = ((x - centre * MEAN_BY[mean](x)) for x in (a, b))
        gap = one.T @ one / (len(a) - by) - other.T @ other / (len(b if count == "its own" else a) - by)
        gap = {"all": gap, "diagonal": gap.diagonal(), "means": a.mean(0) - b.mean(0)}[of]
        losses.append(NORM[norm](gap) / factor(a.shape[1]))
    return torch.stack(losses)


MEAN_BY = {"feature": lambda x: x.mean(0), "everything": lambda x: x.mean(),
           "sample": lambda x: x.mean(1, keepdim=True)}
NORM = {"squared": lambda gap: gap.square().sum(), "plain": lambda gap: gap.norm(),
        "sizes": lambda gap: gap.abs().sum()}

LITERALS = "the divisor 4 d² is right for {d} features and a fixed number for all others; take d from the features"
CORAL_FAULTS = (
    (BY_N, {"by": 0}, "the covariance of n samples is divided by n - 1"),
    (UNCENTRED, {"centre": 0}, "the mean of each domain must be taken away first: a covariance is about how features "
     "vary, not where they lie"),
    (ONE_MEAN, {"mean": "everything"}, "each feature has a mean of its own: a.mean(0)"),
    (MEAN_OF_SAMPLE, {"mean": "sample"}, "this takes away the mean of each sample over its features; take that of each "
     "feature over the samples, a.mean(0)"),
    (ABSOLUTE, {"norm": "sizes"}, "the norm is the sum of the squared entries, not of their sizes"),
    (NO_SCALE, {"factor": lambda d: 1}, "the sum of squares must be divided by 4 d², d the number of features, or λ "
     "means something else for every width of the network"),
    (LITERAL, {"factor": lambda d: 36}, LITERALS.format(d=3)),
    (LITERAL, {"factor": lambda d: 100}, LITERALS.format(d=5)),
    ("the width is not squared", {"factor": lambda d: 4 * d}, "the divisor is 4 d², not 4 d"),
    (DIAGONAL, {"of": "diagonal"}, "the covariances between features count too, not only their variances: the norm is "
     "over all entries of the matrix"),
    (MEANS, {"of": "means", "factor": lambda d: 1}, "CORAL compares covariances; two domains with the same covariance "
     "and different means have a loss of 0"),
    (MEANS, {"of": "means"}, "CORAL compares covariances; two domains with the same covariance and different means "
     "have a loss of 0"),
    (ONE_COUNT, {"count": "that of a"}, "the covariance of b is divided by its own number of samples less 1"),
    ("a norm that is not squared", {"norm": "plain"}, "the norm is squared: the sum of the squared entries"),
    ("the mean over entries", {"factor": lambda d: d**2}, "a mean over the d² entries divides by d²; the paper divides "
     "by 4 d²"),
    ("divided by d² twice", {"factor": lambda d: 4 * d**4}, "a mean over the d² entries has divided by d² already; "
     "take the sum, or divide the mean by 4"),
)


# ---------------------------------------------------------------- 13.3


class Claim(NamedTuple):
    """That the arm `one` with `k` labels per class beats `other` with as many, from `source`, in study transfer.
    verdict, name, why, slip: as in `entries.misjudged`."""

    source: str
    one: str
    other: str
    k: int
    verdict: str
    name: str
    why: str
    slip: str | None = None


TYPE, HAND = "glyphs-digits", "mnist"
CLAIMS = {
    "a": Claim(HAND, "CORAL", "AdaBN", 0, "open", "the larger mean wins",
               "CORAL has the larger mean, but the interval of the difference includes zero", slip="yes"),
    "b": Claim(HAND, "SHOT", "DANN", 0, "no", "best on one pair taken for best",
               "the interval lies below zero: what leads from typeset digits does not lead from MNIST", slip="yes"),
    "c": Claim(TYPE, "from scratch", "fine-tuning", 5, "yes", "a source is always worth something",
               "with five labels per class the interval lies above zero: the network that never saw a typeset digit is "
               "ahead", slip="no"),
}


def check_verdicts(answer: object) -> str:
    """13.3: what paired intervals of study transfer bear out."""
    return check_claims(answer, CLAIMS)


# ---------------------------------------------------------------- 13.4

TRANSPOSED, NEGATIVE, CONDITIONAL, COUNTED = ("rows and columns swapped", "negative weights left",
                                              "shares in the place of weights", "answers counted, not corrected")
BY_ANSWERS = "scaled by the answers' shares"
UNSCALED, PER_ANSWER, TURNED = "not scaled", "shares of the labels behind each answer", "negative weights made positive"
GIVES_Q = ("R holds joint shares, so the solution of R w = r is q / p already; yours comes to q, as if R had been "
           "divided or w multiplied by the labels' shares p")
NO_INVERSE = "pairs counted once"
OTHER_WAY = ("R has a row for each answer and a column for each label; yours is the other way round, so it explains "
             "labels by answers")


def check_label_weights(answer: object) -> str:
    """13.4: against `bbse`, where the plain solution has negative weights and where it has none."""
    label_weights = LearnerFunction(answer, "label_weights")
    for case in (answers_of(2), answers_of(0), answers_of(1)):
        want = weights_of(*case)
        try:
            got = label_weights(*(part.clone() if isinstance(part, Tensor) else part for part in case))
        except Crashed as crash:
            if "singular" not in str(crash.error):
                raise
            raise Misconception(NO_INVERSE, "the matrix that you solve has no inverse, and R has one here. Where "
                                "R[said, y] += ... takes whole tensors, a pair that occurs again is not counted again: "
                                "loop, or use R.index_put_((said, y), ..., accumulate=True).") from None
        got = tensor(got, (case[-1],), f"label_weights must return a tensor of shape ({case[-1]},)")
        if not near(got, want):
            explain(got, lambda **faults: weights_of(*case, **faults), WEIGHT_FAULTS, near)
            shown = lambda w: ", ".join(f"{float(v):.3f}" for v in w)
            raise NotYet(f"on a small example the weights are ({shown(want)}), but you returned ({shown(got)}).")
    return "R w = r holds where it can, no weight is negative, and the shares that they imply add up to 1."


def answers_of(seed: int) -> tuple[Tensor, Tensor, Tensor, int]:
    """Answers and labels of a source, answers in a target, and the number of classes; the last case has a
    solution with a negative weight."""
    generator = torch.Generator().manual_seed(seed)
    p = torch.tensor([0.5, 0.3, 0.2])
    q = torch.tensor([[0.2, 0.3, 0.5], [0.1, 0.6, 0.3], [0.9, 0.05, 0.05]][seed])
    table = torch.tensor([[0.8, 0.15, 0.05], [0.3, 0.6, 0.1], [0.25, 0.05, 0.7]])       # row: the label
    y, hidden = (torch.multinomial(of, count, replacement=True, generator=generator)
                 for of, count in ((p, 200), (q, 150)))
    said = lambda labels: torch.multinomial(table[labels], 1, generator=generator)[:, 0]
    target = torch.tensor([0] * 110 + [2] * 40) if seed == 2 else said(hidden)
    return said(y), y, target, 3


def weights_of(said_source: Tensor, y_source: Tensor, said_target: Tensor, classes: int, transposed: str = "",
               below: str = "zero", scaled: str = "shares", by: str = "joint", solved: bool = True) -> Tensor:
    """BBSE's weights; the options are the known faults."""
    joint, r = bbse.confusion(said_source, y_source, classes), bbse.shares(said_target, classes)
    p = joint.sum(1 if transposed == "with p" else 0)
    joint = joint.T if transposed else joint
    table = {"joint": joint, "label": joint / p, "answer": joint / joint.sum(1, keepdim=True)}[by]
    w = torch.linalg.solve(table, r) if solved else r / p
    w = {"zero": w.clamp(min=0), "kept": w, "turned": w.abs()}[below]
    return {"shares": lambda: w / (w @ p), "answers": lambda: w / (w @ joint.sum(1)), "one": lambda: w / w.sum(),
            "to q": lambda: w * p / (w @ p), "not": lambda: w}[scaled]()


WEIGHT_FAULTS = (
    (TRANSPOSED, {"transposed": "with p"}, OTHER_WAY),
    (TRANSPOSED, {"transposed": "without p"}, OTHER_WAY),
    (TURNED, {"below": "turned"}, "abs() makes a weight of -0.5 one of 0.5; set negative weights to 0 instead"),
    (NEGATIVE, {"below": "kept"}, "a weight is a ratio of shares and never negative; set those below 0 to 0 before "
     "you scale"),
    *((CONDITIONAL, {"by": "label", "scaled": scaled}, GIVES_Q) for scaled in ("shares", "one", "not")),
    (CONDITIONAL, {"scaled": "to q"}, GIVES_Q),
    (PER_ANSWER, {"by": "answer"}, "R holds joint shares: divide by the number of pictures, not row by row"),
    (COUNTED, {"solved": False}, "that takes the answers' shares for the labels'; a classifier that errs counts "
     "wrongly, which is what R mends"),
    (UNSCALED, {"scaled": "not"}, "after the negative ones are gone, the shares w p no longer add up to 1; scale w"),
    (BY_ANSWERS, {"scaled": "answers"}, "the sum that scales w must run over the labels' shares p, which are R.sum(0) "
     "where R has a row for each answer; yours are the answers' shares"),
    (UNSCALED, {"scaled": "one"}, "the shares w p must add up to 1, not the weights"),
)
