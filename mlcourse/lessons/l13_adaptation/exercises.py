"""Exercises of lesson 13: AdaBN's statistics, two covariances, what intervals bear out, weights for shifted labels."""

from __future__ import annotations

from functools import partial

from mlcourse.exercises.entries import every_misreading, verdict_line, with_verdicts
from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l13_adaptation.checks import (ABSOLUTE, BOTH, BY_ANSWERS, BY_N, CLAIMS, CONDITIONAL, COUNTED,
                                                    DIAGONAL, EACH_PICTURE, EACH_PLACE, EPS_OUTSIDE, INSIDE, LESS_ONE,
                                                    LITERAL, MEANS, MEAN_OF_SAMPLE, NEGATIVE, NO_EPS, NO_GAIN,
                                                    NO_GRADIENT, NO_INVERSE, NO_SCALE, NO_SHIFT, OF_EACH, OF_SAMPLES,
                                                    ONE_COUNT, ONE_FOR_ALL, ONE_MEAN, ONE_SIDE, OWN, OWN_MEAN,
                                                    OWN_SPREAD, PER_ANSWER, SWAPPED, TAKEN, TRANSPOSED, TURNED,
                                                    UNCENTRED, UNSCALED, VARIANCE, check_adabn, check_coral_loss,
                                                    check_label_weights, check_verdicts)

# ---------------------------------------------------------------- 13.1

ADABN = '''\
def adabn(x, seen, gain, shift, eps=1e-5):
    """Batch normalisation of x with the statistics of other pictures.

    x (M, C, H, W): what a layer passes on for the pictures to classify
    seen (U, C, H, W): the same for unlabelled pictures of the target; gain, shift (C,): learned
    For each channel: gain * (x - mean) / sqrt(variance + eps) + shift; mean and variance are
    those of `seen`, over pictures and positions; the variance divides by the count.
    """
'''
ADABN_SOLUTION = ADABN + '''\
    mean = seen.mean((0, 2, 3), keepdim=True)
    variance = seen.var((0, 2, 3), correction=0, keepdim=True)
    wide = lambda v: v.view(1, -1, 1, 1)
    return wide(gain) * (x - mean) / (variance + eps).sqrt() + wide(shift)'''
MEAN = "    mean = seen.mean((0, 2, 3), keepdim=True)"
SPREAD = "    variance = seen.var((0, 2, 3), correction=0, keepdim=True)"
ADABN_LAST = "    return wide(gain) * (x - mean) / (variance + eps).sqrt() + wide(shift)"


def adabn_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 13.1: the solution with edits."""
    return edited(ADABN_SOLUTION, *edits)


def over(dims: str, of: str = "seen") -> tuple[tuple[str, str], ...]:
    """Edits that take the statistics over other dimensions, or of x."""
    return tuple((line, line.replace("(0, 2, 3)", dims).replace("seen", of)) for line in (MEAN, SPREAD))


adabn = Exercise(
    id="13.1", title="The target's statistics", answer="adabn", difficulty=1, minutes=4,
    stub=ADABN + "    ...", solution_source=ADABN_SOLUTION, check=check_adabn,
    hints=(
        "How many means are there for 3 channels? Which dimensions of `seen` have to go?",
        "seen.mean((0, 2, 3), keepdim=True) has the shape (1, C, 1, 1); the variance likewise, with var(..., "
        "correction=0).",
        "gain.view(1, -1, 1, 1) * (x - mean) / (variance + eps).sqrt() + shift.view(1, -1, 1, 1).",
    ),
    wrong=(
        (adabn_wrong(*over("(0, 2, 3)", "x")), OWN), (adabn_wrong(*over("(0, 1, 2, 3)")), ONE_FOR_ALL),
        (adabn_wrong(*over("(2, 3)")), EACH_PICTURE), (adabn_wrong(*over("0")), EACH_PLACE),
        (adabn_wrong((ADABN_LAST, ADABN_LAST.replace(".sqrt()", ""))), VARIANCE),
        (adabn_wrong((SPREAD, SPREAD.replace("correction=0, ", ""))), LESS_ONE),
        (adabn_wrong((ADABN_LAST, ADABN_LAST.replace("gain", "_").replace("shift", "gain").replace("_", "shift"))),
         SWAPPED),
        (adabn_wrong((ADABN_LAST, ADABN_LAST.replace("wide(gain) * ", ""))), NO_GAIN),
        (adabn_wrong((ADABN_LAST, ADABN_LAST.replace(" + wide(shift)", ""))), NO_SHIFT),
        (adabn_wrong((ADABN_LAST, ADABN_LAST.replace("+ wide(shift)", "- wide(shift)"))), TAKEN),
        (adabn_wrong((ADABN_LAST, "    return wide(gain) * ((x - mean) / (variance + eps).sqrt() + wide(shift))")),
         INSIDE),
        (adabn_wrong((SPREAD, "    variance = seen.var((2, 3), correction=0, keepdim=True).mean(0, keepdim=True)")),
         OF_EACH),
        (adabn_wrong((MEAN, "    seen = torch.cat([x, seen])\n" + MEAN)), BOTH),
        (adabn_wrong((MEAN, MEAN.replace("seen", "x"))), OWN_MEAN),
        (adabn_wrong((SPREAD, SPREAD.replace("seen", "x"))), OWN_SPREAD),
        (adabn_wrong((ADABN_LAST, ADABN_LAST.replace("(variance + eps).sqrt()", "(variance.sqrt() + eps)"))),
         EPS_OUTSIDE),
        (adabn_wrong((ADABN_LAST, ADABN_LAST.replace(" + eps", ""))), NO_EPS),
        (adabn_wrong(*over("(0, 2, 3)", "x"), (ADABN_LAST, ADABN_LAST.replace(".sqrt()", ""))), f"{OWN}, {VARIANCE}"),
    ),
    mutations=(
        (MEAN, "    mean = x.mean((0, 2, 3), keepdim=True)"), (SPREAD, SPREAD.replace("seen", "x")),
        (ADABN_LAST, ADABN_LAST.replace("x - mean", "x + mean")), (ADABN_LAST, ADABN_LAST.replace(" + eps", "")),
    ))

# ---------------------------------------------------------------- 13.2

CORAL = '''\
def coral_loss(a, b):
    """The CORAL loss between two domains: |C_a - C_b|²_F / (4 d²).

    a (n, d), b (m, d): features; C: the covariance (d, d), centred, divided by n - 1 (by m - 1)
    |M|²_F: the sum of the squares of all entries of M
    Returns a scalar tensor that can be differentiated.
    """
'''
CORAL_SOLUTION = CORAL + '''\
    centred_a, centred_b = a - a.mean(0), b - b.mean(0)
    c_a = centred_a.T @ centred_a / (len(a) - 1)
    c_b = centred_b.T @ centred_b / (len(b) - 1)
    return (c_a - c_b).square().sum() / (4 * a.shape[1] ** 2)'''
CENTRED = "    centred_a, centred_b = a - a.mean(0), b - b.mean(0)"
C_A, C_B = ("    c_a = centred_a.T @ centred_a / (len(a) - 1)", "    c_b = centred_b.T @ centred_b / (len(b) - 1)")
CORAL_LAST = "    return (c_a - c_b).square().sum() / (4 * a.shape[1] ** 2)"


def coral_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 13.2: the solution with edits."""
    return edited(CORAL_SOLUTION, *edits)


coral_loss = Exercise(
    id="13.2", title="Match two covariances", answer="coral_loss", difficulty=2, minutes=5,
    stub=CORAL + CENTRED + "\n    ...", solution_source=CORAL_SOLUTION, check=check_coral_loss,
    hints=(
        "Write one covariance first: what must be taken away from every row before you multiply?",
        "With centred rows x, the covariance is x.T @ x / (len(x) - 1), a d × d matrix. Then compare two of them.",
        "(c_a - c_b).square().sum() / (4 * d ** 2), with d = a.shape[1].",
    ),
    wrong=(
        (coral_wrong((C_A, C_A.replace("(len(a) - 1)", "len(a)")), (C_B, C_B.replace("(len(b) - 1)", "len(b)"))), BY_N),
        (coral_wrong((CENTRED, "    centred_a, centred_b = a, b")), UNCENTRED),
        (coral_wrong((CENTRED, "    centred_a, centred_b = a - a.mean(), b - b.mean()")), ONE_MEAN),
        (coral_wrong((CENTRED, CENTRED.replace("mean(0)", "mean(1, keepdim=True)"))), MEAN_OF_SAMPLE),
        (coral_wrong((CORAL_LAST, CORAL_LAST.replace("square()", "abs()"))), ABSOLUTE),
        (coral_wrong((CORAL_LAST, "    return (c_a - c_b).square().sum()")), NO_SCALE),
        (coral_wrong((CORAL_LAST, CORAL_LAST.replace("(c_a - c_b)", "(c_a - c_b).diagonal()"))), DIAGONAL),
        (CORAL + "    return (a.mean(0) - b.mean(0)).square().sum()", MEANS),
        (coral_wrong((CORAL_LAST, "    return (c_a - c_b).norm() / (4 * a.shape[1] ** 2)")),
         "a norm that is not squared"),
        (coral_wrong((CORAL_LAST, CORAL_LAST.replace(".sum()", ".mean()"))), "divided by d² twice"),
        (coral_wrong((CORAL_LAST, "    return (c_a - c_b).square().mean()")), "the mean over entries"),
        (coral_wrong((CORAL_LAST, CORAL_LAST.replace(" ** 2", ""))), "the width is not squared"),
        (coral_wrong((C_B, C_B.replace("len(b)", "len(a)"))), ONE_COUNT),
        (coral_wrong((CENTRED, "    a, b = a.detach(), b.detach()\n" + CENTRED)), NO_GRADIENT),
        (coral_wrong((CENTRED, "    b = b.detach()\n" + CENTRED)), ONE_SIDE),
        (coral_wrong((CORAL_LAST, "    return (c_a - c_b).square().sum() / 36")), LITERAL),
        (CORAL + "    return (torch.cov(a) - torch.cov(b)).square().sum() / (4 * a.shape[1] ** 2)", OF_SAMPLES),
        (coral_wrong((CENTRED, "    centred_a, centred_b = a, b.detach()")), f"{UNCENTRED}, {ONE_SIDE}"),
        (coral_wrong((CENTRED, "    centred_a, centred_b = a, b"),
                     (CORAL_LAST, "    return (c_a - c_b).square().sum()")), f"{UNCENTRED}, {NO_SCALE}"),
    ),
    mutations=(
        (C_B, "    c_b = centred_b.T @ centred_b / (len(a) - 1)"),
        (C_A, "    c_a = centred_a.T @ centred_a"),
        (CENTRED, "    centred_a, centred_b = a - a.mean(0), b - a.mean(0)"),
        (CORAL_LAST, "    return (c_a + c_b).square().sum() / (4 * a.shape[1] ** 2)"),
    ))

# ---------------------------------------------------------------- 13.3

VERDICTS = """\
verdicts = {    # "yes", "no" or "open"
    "a": ...,   # from MNIST, no label: CORAL beats AdaBN
    "b": ...,   # from MNIST, no label: SHOT beats DANN
    "c": ...,   # from typeset digits, 5 labels per class: from scratch beats fine-tuning
}"""


judged, line = partial(with_verdicts, VERDICTS, CLAIMS), partial(verdict_line, VERDICTS, CLAIMS)


verdicts = Exercise(
    id="13.3", title="What do the rows bear out?", answer="verdicts", difficulty=2, minutes=3,
    stub=VERDICTS, solution_source=judged(), check=check_verdicts,
    hints=(
        "Compare no two rows of the table by eye: apart(one, other) subtracts seed from seed.",
        'For b: apart("SHOT", "DANN", MNIST), and a likewise; for c: apart("from scratch", "fine-tuning", k=5).',
        "An interval such as +2.0 ± 3.0 reaches from -1 to 5 and includes zero: open. One of -9.0 ± 1.0 lies below "
        "zero: no.",
    ),
    wrong=(
        *every_misreading(VERDICTS, CLAIMS),
        (judged(b="yes", c="no"), f"{CLAIMS['b'].name}, {CLAIMS['c'].name}"),
    ),
    mutations=tuple((line(key, CLAIMS[key].verdict), line(key, wrong)) for key, wrong in (
        ("a", "no"), ("b", "open"), ("c", "open"))))

# ---------------------------------------------------------------- 13.4

WEIGHTS_GIVEN = '''\
def label_weights_broken(said_source, y_source, said_target, classes):
    """Runs without an error. Find two bugs."""
    R = torch.zeros(classes, classes).double()
    for said, y in zip(said_source, y_source):
        R[y, said] += 1 / len(y_source)
    r = torch.bincount(said_target, minlength=classes).double() / len(said_target)
    w = torch.linalg.solve(R, r)
    return w / (w @ R.sum(0))'''
WEIGHTS = '''\
def label_weights(said_source, y_source, said_target, classes):
    """BBSE: the labels' weights w (N,), from R w = r; the sum of w p is 1.

    said_source, y_source (M,): answers and labels on pictures of the source
    said_target (U,): answers on unlabelled pictures of the target; classes: N
    R (N, N), r (N,): the shares of the text above; p (N,): those of the source's labels
    """
'''
COUNTS = '''\
    R = torch.zeros(classes, classes).double()
    r = torch.bincount(said_target, minlength=classes).double() / len(said_target)
'''
WEIGHTS_SOLUTION = WEIGHTS + COUNTS + '''\
    for said, y in zip(said_source, y_source):
        R[said, y] += 1 / len(y_source)
    w = torch.linalg.solve(R, r).clamp(min=0)
    return w / (w @ R.sum(0))'''
FILLED, SOLVED = "        R[said, y] += 1 / len(y_source)", "    w = torch.linalg.solve(R, r).clamp(min=0)"
WEIGHTS_LAST = "    return w / (w @ R.sum(0))"


def weights_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 13.4: the solution with edits."""
    return edited(WEIGHTS_SOLUTION, *edits)


label_weights = Exercise(
    id="13.4", title="Spot two bugs in BBSE", answer="label_weights", difficulty=2, minutes=9,
    given=WEIGHTS_GIVEN, stub=WEIGHTS + COUNTS + "    ...", solution_source=WEIGHTS_SOLUTION, check=check_label_weights,
    hints=(
        "Write r_1 out as a sum over the labels. Which index of R is the answer's? And can a weight be -0.2?",
        "r_i = Σ_j R[i, j] w_j: the row is the answer, the column the label. And set negative weights to 0.",
        "R[said, y] += 1 / len(y_source), then torch.linalg.solve(R, r).clamp(min=0), then the scaling as it stands.",
    ),
    wrong=(
        (edited(WEIGHTS_GIVEN, ("label_weights_broken", "label_weights")), f"{TRANSPOSED}, {NEGATIVE}"),
        (weights_wrong((FILLED, FILLED.replace("said, y", "y, said"))), TRANSPOSED),
        (weights_wrong((FILLED, FILLED.replace("said, y", "y, said")), (WEIGHTS_LAST, "    return w / (w @ R.sum(1))")),
         TRANSPOSED),
        (weights_wrong((SOLVED, SOLVED.replace(".clamp(min=0)", ""))), NEGATIVE),
        (weights_wrong((SOLVED, SOLVED.replace(".clamp(min=0)", ".abs()"))), TURNED),
        (weights_wrong((SOLVED, "    w = torch.linalg.solve(R / R.sum(0), r).clamp(min=0)")), CONDITIONAL),
        (weights_wrong((SOLVED, "    return torch.linalg.solve(R / R.sum(0), r).clamp(min=0)")), CONDITIONAL),
        (weights_wrong((SOLVED, "    w = torch.linalg.solve(R / R.sum(1, keepdim=True), r).clamp(min=0)")), PER_ANSWER),
        (weights_wrong((SOLVED, "    w = r / R.sum(0)")), COUNTED),
        (weights_wrong((FILLED, FILLED.replace("said, y", "y, said")), (SOLVED, SOLVED.replace("R, r", "R.T, r"))),
         BY_ANSWERS),
        (weights_wrong((WEIGHTS_LAST, "    return w * R.sum(0) / (w @ R.sum(0))")), CONDITIONAL),
        (weights_wrong(("    for said, y in zip(said_source, y_source):\n", ""),
                       (FILLED, "    R[said_source, y_source] += 1 / len(y_source)")), NO_INVERSE),
        (weights_wrong((WEIGHTS_LAST, "    return w")), UNSCALED),
        (weights_wrong((WEIGHTS_LAST, "    return w / w.sum()")), UNSCALED),
    ),
    mutations=(
        (FILLED, "        R[said, y] += 1 / len(said_target)"), (SOLVED, SOLVED.replace("R, r", "R.T, r")),
        (WEIGHTS_LAST, "    return w / (w @ R.sum(1))"), (SOLVED, SOLVED.replace("min=0", "min=0.5")),
    ))

EXERCISES = (adabn, coral_loss, verdicts, label_weights)
