"""Exercises of lesson 15: entropy at a temperature, the gradient, and the distillation loss."""

from __future__ import annotations

from mlcourse.exercises.by_hand import BY_AUTOGRAD
from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l15_distillation.checks import (ALL_NUMBERS, BITS, HARD, LIMIT, MULTIPLIED, NO_CHAIN,
                                                      NO_GRADIENT, NO_SQUARE, NO_T, NOT_DIVIDED, OF_MEAN, ONE_T,
                                                      OTHER_AXIS, SIGN, STUDENT_ONLY, SUMMED, SWAPPED, TEACHER_ONLY,
                                                      TRAINS_TEACHER, UNDEFINED, WITH_SQUARE, check_distillation,
                                                      check_entropy, check_gradient)

# ---------------------------------------------------------------- 15.1

ENTROPY = '''\
def soft_entropy(v, temperature):
    """The entropy of the teacher's soft targets softmax(v / T), in nats, averaged over the pictures.

    v: logits (M, N) of M pictures and N classes; temperature: T, a positive number
    Returns one number; 0 for a teacher who is entirely sure.
    """
'''
LOG_P = "    log_p = (v / temperature).log_softmax(dim=1)"
H = "    return -(log_p.exp() * log_p).sum(dim=1).mean()"
ENTROPY_SOLUTION = ENTROPY + LOG_P + "\n" + H


def entropy_wrong(*edits: tuple[str, str]) -> str:
    """A wrong entropy: the solution with edits."""
    return edited(ENTROPY_SOLUTION, *edits)


soft_entropy = Exercise(
    id="15.1", title="Denser or sparser?", answer="soft_entropy", difficulty=1, minutes=6,
    stub=ENTROPY + "    ...", solution_source=ENTROPY_SOLUTION, check=check_entropy,
    hints=(
        "The entropy of one target is minus the sum over its classes of p log p. What is p at temperature T?",
        "p is the softmax over dim=1 of v / T. Where p is 0 its logarithm is minus infinity, and the product is nan; "
        "log_softmax gives log p without that.",
        "log_p = (v / temperature).log_softmax(dim=1); then minus (log_p.exp() * log_p), summed over dim=1, averaged.",
    ),
    wrong=(
        (entropy_wrong(("v / temperature", "v * temperature")), MULTIPLIED),
        (entropy_wrong(("(v / temperature)", "v")), NO_T),
        (entropy_wrong((".sum(dim=1).mean()", ".sum()")), SUMMED),
        (entropy_wrong((".sum(dim=1).mean()", ".mean()")), ALL_NUMBERS),
        (entropy_wrong((".exp() * log_p)", ".exp() * log_p / 0.6931471805599453)")), BITS),
        (entropy_wrong((".exp() * log_p)", ".exp() * log_p.exp().log2())")), f"{BITS}, {UNDEFINED}"),
        (entropy_wrong(("return -", "return ")), SIGN),
        (ENTROPY + "    p = (v / temperature).softmax(dim=1).mean(dim=0)\n    return -(p * p.log()).sum()",
         f"{OF_MEAN}, {UNDEFINED}"),
        (ENTROPY + "    p = (v / temperature).softmax(dim=1).mean(dim=0)\n    return torch.special.entr(p).sum()",
         OF_MEAN),
        (entropy_wrong(("log_softmax(dim=1)", "log_softmax(dim=0)")), OTHER_AXIS),
        (entropy_wrong(("(v / temperature)", "v"), ("return -", "return ")), f"{NO_T}, {SIGN}"),
        (ENTROPY + "    p = (v / temperature).softmax(dim=1)\n    return -(p * p.log()).sum(dim=1).mean()", UNDEFINED),
    ),
    mutations=(
        (LOG_P, "    log_p = (v / temperature**2).log_softmax(dim=1)"),
        (H, "    return -(log_p.exp() * log_p).amax(dim=1).mean()"),
        (H, "    return -(log_p.exp() * log_p).sum(dim=1).max()"),
    ))

# ---------------------------------------------------------------- 15.2

GRADIENT = '''\
def soft_gradient(z, v, temperature):
    """The gradient in z of the mean over pictures of -sum_i p_i log q_i, without T².

    z: the student's logits (M, N); v: the teacher's; p = softmax(v / T), q = softmax(z / T)
    Returns a tensor (M, N), from a formula: autograd is not needed.
    """
'''
P = "    p = (v / temperature).softmax(dim=1)"
Q = "    q = (z / temperature).softmax(dim=1)"
SLOPE = "    return (q - p) / (temperature * len(z))"
GRADIENT_SOLUTION = GRADIENT + "\n".join((P, Q, SLOPE))


def gradient_wrong(*edits: tuple[str, str]) -> str:
    """A wrong gradient: the solution with edits."""
    return edited(GRADIENT_SOLUTION, *edits)


soft_gradient = Exercise(
    id="15.2", title="The gradient by hand", answer="soft_gradient", difficulty=3, minutes=8,
    stub=GRADIENT + "    ...", solution_source=GRADIENT_SOLUTION, check=check_gradient,
    hints=(
        "You know the gradient of the cross-entropy in the logits of a softmax: probability minus target. Here the "
        "logits of the softmax are z / T.",
        "With u = z / T the gradient in u is q - p for each picture. The chain rule adds the derivative of u in z; the "
        "mean over the pictures divides.",
        "(q - p) / (temperature * len(z)) with both softmaxes at T.",
    ),
    wrong=(
        (gradient_wrong(("q - p", "p - q")), SIGN),
        (gradient_wrong(("temperature * len(z)", "len(z)")), NO_CHAIN),
        (gradient_wrong((" / (temperature * len(z))", " / temperature")), NOT_DIVIDED),
        (gradient_wrong((SLOPE, "    return temperature * (q - p) / len(z)")), WITH_SQUARE),
        (gradient_wrong(("(v / temperature)", "v"), ("(z / temperature)", "z")), NO_T),
        (gradient_wrong(("(v / temperature)", "v"), ("(z / temperature)", "z"), ("temperature * len(z)", "len(z)")),
         HARD),
        (gradient_wrong((SLOPE, "    return (z - v) / (z.shape[1] * temperature**2 * len(z))")), LIMIT),
        (GRADIENT + '''\
    z = z.clone().requires_grad_()
    q, p = (z / temperature).softmax(dim=1), (v / temperature).softmax(dim=1)
    return torch.autograd.grad(-(q * p.log()).sum(dim=1).mean(), z)[0]''', f"{SWAPPED}, {BY_AUTOGRAD}"),
        (GRADIENT + '''\
    z = z.clone().requires_grad_()
    q, p = (z / temperature).log_softmax(dim=1), (v / temperature).softmax(dim=1)
    return torch.autograd.grad(-(p * q).sum(dim=1).mean(), z)[0]''', BY_AUTOGRAD),
        (gradient_wrong((SLOPE, "    return (p - q) / len(z)")), f"{SIGN}, {NO_CHAIN}"),
    ),
    mutations=(
        (P, "    p = (v / temperature).softmax(dim=0)"),
        (Q, "    q = (z / temperature**2).softmax(dim=1)"),
        (SLOPE, "    return (q - p) / (temperature**2 * len(z))"),
    ))

# ---------------------------------------------------------------- 15.3

DISTIL_GIVEN = '''\
def distil_broken(z, v, temperature):
    """Runs, and its loss goes down. What does the student become, and what happens at T = 20?"""
    target = (z / temperature).softmax(dim=1)
    log_answer = (v / temperature).log_softmax(dim=1)
    return -(target * log_answer).sum(dim=1).mean()'''
DISTIL = '''\
def distil(z, v, temperature):
    """The soft part of the distillation loss: T² times the mean over pictures of -sum_i p_i log q_i.

    z: the student's logits (M, N); v: the frozen teacher's; p = softmax(v / T) the target, q = softmax(z / T)
    Returns a scalar tensor whose gradient reaches z and not v.
    """
'''
TARGET = "    p = (v.detach() / temperature).softmax(dim=1)"
LOG_Q = "    log_q = (z / temperature).log_softmax(dim=1)"
LOSS = "    return -temperature**2 * (p * log_q).sum(dim=1).mean()"
DISTIL_SOLUTION = DISTIL + "\n".join((TARGET, LOG_Q, LOSS))


def distil_wrong(*edits: tuple[str, str]) -> str:
    """A wrong loss: the solution with edits."""
    return edited(DISTIL_SOLUTION, *edits)


def divergence(loss: str) -> str:
    """A wrong loss written as a Kullback–Leibler divergence."""
    return distil_wrong((LOSS, f"    return {loss}"))


distil = Exercise(
    id="15.3", title="Spot the bugs: who teaches whom", answer="distil", difficulty=3, minutes=10, given=DISTIL_GIVEN,
    stub=DISTIL + "    ...", solution_source=DISTIL_SOLUTION, check=check_distillation,
    hints=(
        "A target is what somebody else wants of you. Whose softmax is the target here, and whose logarithm is taken? "
        "And how long is the gradient at T = 20, beside that at T = 1?",
        "The teacher's p is the target, the student's log q is the answer. The loss is multiplied by T², so that its "
        "gradient keeps its size. The teacher's logits are detached, so that the teacher stays who it is.",
        "p = (v.detach() / temperature).softmax(dim=1), log_q = (z / temperature).log_softmax(dim=1), and minus "
        "temperature**2 times (p * log_q).sum(dim=1).mean().",
    ),
    wrong=(
        (edited(DISTIL_GIVEN, ("distil_broken", "distil")), f"{SWAPPED}, {NO_SQUARE}, {TRAINS_TEACHER}"),
        (distil_wrong(("-temperature**2 * ", "-")), NO_SQUARE),
        (distil_wrong(("-temperature**2", "-temperature")), ONE_T),
        (edited(DISTIL_GIVEN, ("distil_broken", "distil"), ("return -(", "return -temperature**2 * (")),
         f"{SWAPPED}, {TRAINS_TEACHER}"),
        (distil_wrong(("(v.detach() / temperature)", "v.detach()")), STUDENT_ONLY),
        (distil_wrong(("(z / temperature)", "z")), TEACHER_ONLY),
        (distil_wrong(("(v.detach() / temperature)", "v.detach()"), ("(z / temperature)", "z")), HARD),
        (distil_wrong((".sum(dim=1).mean()", ".sum()")), SUMMED),
        (distil_wrong((".sum(dim=1).mean()", ".mean()")), ALL_NUMBERS),
        (distil_wrong(("return -", "return ")), SIGN),
        (divergence("(p * (p.log() - log_q)).sum(dim=1).mean()"), NO_SQUARE),
        (divergence("temperature * (p * (p.log() - log_q)).sum(dim=1).mean()"), ONE_T),
        (divergence("temperature**2 * (p * (p.log() - log_q)).mean()"), ALL_NUMBERS),
        (divergence("temperature**2 * (p * (p.log() - log_q)).sum()"), SUMMED),
        (divergence("temperature**2 * (log_q.exp() * (log_q - p.log())).sum(dim=1).mean()"), SWAPPED),
        (divergence("(log_q.exp() * (log_q - p.log())).sum(dim=1).mean()"), f"{SWAPPED}, {NO_SQUARE}"),
        (distil_wrong(("v.detach()", "v")), TRAINS_TEACHER),
        (distil_wrong(("(z / temperature)", "(z.detach() / temperature)")), NO_GRADIENT),
        (distil_wrong((".sum(dim=1).mean()", ".mean()"), ("v.detach()", "v")), f"{ALL_NUMBERS}, {TRAINS_TEACHER}"),
        (distil_wrong((".sum(dim=1).mean()", ".sum()"), ("-temperature**2 * ", "-")), f"{NO_SQUARE}, {SUMMED}"),
    ),
    mutations=(
        (TARGET, "    p = (v.detach() / temperature).softmax(dim=0)"),
        (LOG_Q, "    log_q = (z / temperature).log_softmax(dim=0)"),
        (LOSS, "    return -temperature**3 * (p * log_q).sum(dim=1).mean()"),
    ))

EXERCISES = (soft_entropy, soft_gradient, distil)
