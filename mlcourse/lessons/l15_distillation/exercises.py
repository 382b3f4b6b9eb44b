"""Exercises of lesson 15: entropy at a temperature, the gradient, the distillation loss and a step down it."""

from __future__ import annotations

from mlcourse.exercises.by_hand import BY_AUTOGRAD, BY_PACKAGE
from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l15_distillation.checks import (ALL_NUMBERS, BITS, CHAIN_TWICE, HARD, LIMIT, MULTIPLIED, NO_CHAIN,
                                                      NO_GRADIENT, NO_SQUARE, NO_T, NOT_DIVIDED, OF_MEAN, ONE_T,
                                                      OTHER_AXIS, SIGN, STUDENT_ONLY, SUMMED, SWAPPED, TEACHER_ONLY,
                                                      TRAINS_TEACHER, UNDEFINED, WITH_SQUARE, check_distillation,
                                                      check_entropy, check_gradient)
from mlcourse.lessons.l15_distillation.checks_step import (AFTER, ALONE, IGNORED, NO_TAU, OTHER_WAY, PILED_UP, STILL,
                                                           TAUGHT_BACK, TWICE, check_step)
from mlcourse.lessons.l15_distillation.exercises_results import verdicts

# ---------------------------------------------------------------- 15.1

ENTROPY = '''\
def soft_entropy(v, tau):
    """The entropy in nats of the soft targets softmax(v / τ), averaged over the pictures.

    v: logits (M, N) of M pictures and N classes; tau: the temperature, positive
    Returns one number; 0 for a teacher who is entirely sure.
    """
'''
LOG_P = "    log_p = (v / tau).log_softmax(dim=1)"
H = "    return -(log_p.exp() * log_p).sum(dim=1).mean()"
ENTROPY_SOLUTION = ENTROPY + LOG_P + "\n" + H


def entropy_wrong(*edits: tuple[str, str]) -> str:
    """A wrong entropy: the solution with edits."""
    return edited(ENTROPY_SOLUTION, *edits)


soft_entropy = Exercise(
    id="15.1", title="Denser or sparser?", answer="soft_entropy", difficulty=1, minutes=4,
    stub=ENTROPY + "    ...", solution_source=ENTROPY_SOLUTION, check=check_entropy,
    hints=(
        "The entropy of one target is minus the sum over its classes of p log p. What is p at temperature τ?",
        "p is the softmax over dim=1 of v / τ. Where p is 0 its logarithm is minus infinity, and the product is nan; "
        "log_softmax gives log p without that.",
        "log_p = (v / tau).log_softmax(dim=1); then minus (log_p.exp() * log_p), summed over dim=1, averaged.",
    ),
    wrong=(
        (entropy_wrong(("v / tau", "v * tau")), MULTIPLIED),
        (entropy_wrong(("(v / tau)", "v")), NO_T),
        (entropy_wrong((".sum(dim=1).mean()", ".sum()")), SUMMED),
        (entropy_wrong((".sum(dim=1).mean()", ".mean()")), ALL_NUMBERS),
        (entropy_wrong((".exp() * log_p)", ".exp() * log_p / 0.6931471805599453)")), BITS),
        (entropy_wrong((".exp() * log_p)", ".exp() * log_p.exp().log2())")), f"{BITS}, {UNDEFINED}"),
        (entropy_wrong(("return -", "return ")), SIGN),
        (ENTROPY + "    p = (v / tau).softmax(dim=1).mean(dim=0)\n    return -(p * p.log()).sum()",
         f"{OF_MEAN}, {UNDEFINED}"),
        (ENTROPY + "    p = (v / tau).softmax(dim=1).mean(dim=0)\n    return torch.special.entr(p).sum()",
         OF_MEAN),
        (entropy_wrong(("log_softmax(dim=1)", "log_softmax(dim=0)")), OTHER_AXIS),
        (entropy_wrong(("(v / tau)", "v"), ("return -", "return ")), f"{NO_T}, {SIGN}"),
        (ENTROPY + "    p = (v / tau).softmax(dim=1)\n    return -(p * p.log()).sum(dim=1).mean()", UNDEFINED),
    ),
    mutations=(
        (LOG_P, "    log_p = (v / tau**2).log_softmax(dim=1)"),
        (H, "    return -(log_p.exp() * log_p).amax(dim=1).mean()"),
        (H, "    return -(log_p.exp() * log_p).sum(dim=1).max()"),
    ))

# ---------------------------------------------------------------- 15.2

GRADIENT = '''\
def soft_gradient(z, v, tau):
    """The gradient in z of the mean over pictures of -sum_i p_i log q_i, without τ².

    z: the student's logits (M, N); v: the teacher's; p = softmax(v / τ), q = softmax(z / τ)
    Returns a tensor (M, N), from a formula, without autograd.
    """
'''
P = "    p = (v / tau).softmax(dim=1)"
Q = "    q = (z / tau).softmax(dim=1)"
SLOPE = "    return (q - p) / (tau * len(z))"
GRADIENT_SOLUTION = GRADIENT + "\n".join((P, Q, SLOPE))


def gradient_wrong(*edits: tuple[str, str]) -> str:
    """A wrong gradient: the solution with edits."""
    return edited(GRADIENT_SOLUTION, *edits)


soft_gradient = Exercise(
    id="15.2", title="The gradient by hand", answer="soft_gradient", difficulty=3, minutes=5,
    stub=GRADIENT + "    ...", solution_source=GRADIENT_SOLUTION, check=check_gradient,
    hints=(
        "You know the gradient of the cross-entropy in the logits of a softmax: probability minus target. Here the "
        "logits of the softmax are z / τ.",
        "With u = z / τ the gradient in u is q - p for each picture. The chain rule adds the derivative of u in z; the "
        "mean over the pictures divides.",
        "(q - p) / (tau * len(z)) with both softmaxes at τ.",
    ),
    wrong=(
        (gradient_wrong(("q - p", "p - q")), SIGN),
        (gradient_wrong(("tau * len(z)", "len(z)")), NO_CHAIN),
        (gradient_wrong((" / (tau * len(z))", " / tau")), NOT_DIVIDED),
        (gradient_wrong((SLOPE, "    return tau * (q - p) / len(z)")), WITH_SQUARE),
        (gradient_wrong(("(v / tau)", "v"), ("(z / tau)", "z")), NO_T),
        (gradient_wrong(("(v / tau)", "v"), ("(z / tau)", "z"), ("tau * len(z)", "len(z)")),
         HARD),
        (gradient_wrong(("tau * len(z)", "tau**2 * len(z)")), CHAIN_TWICE),
        (gradient_wrong(("(z / tau)", "z")), TEACHER_ONLY),
        (gradient_wrong(("(v / tau)", "v")), STUDENT_ONLY),
        (gradient_wrong(("(z / tau)", "z"), ("tau * len(z)", "len(z)")), f"{NO_CHAIN}, {TEACHER_ONLY}"),
        (gradient_wrong((SLOPE, "    return (z - v) / (z.shape[1] * tau**2 * len(z))")), LIMIT),
        (GRADIENT + '''\
    z = z.clone().requires_grad_()
    q, p = (z / tau).softmax(dim=1), (v / tau).softmax(dim=1)
    return torch.autograd.grad(-(q * p.log()).sum(dim=1).mean(), z)[0]''', f"{SWAPPED}, {BY_AUTOGRAD}"),
        (GRADIENT + '''\
    z = z.clone().requires_grad_()
    q, p = (z / tau).log_softmax(dim=1), (v / tau).softmax(dim=1)
    return torch.autograd.grad(-(p * q).sum(dim=1).mean(), z)[0]''', BY_AUTOGRAD),
        (gradient_wrong((SLOPE, "    return (p - q) / len(z)")), f"{SIGN}, {NO_CHAIN}"),
        (GRADIENT + '''\
    from mlcourse.losses.distillation import distillation
    z = z.clone().requires_grad_()
    return torch.autograd.grad(distillation(z, v, tau) / tau**2, z)[0]''', BY_AUTOGRAD),
        (GRADIENT + '''\
    from mlcourse.losses.distillation import distillation
    moved = z + 1e-6 * torch.eye(z.numel(), dtype=z.dtype).reshape(-1, *z.shape)
    loss = distillation(moved, v.expand_as(moved), tau) - distillation(z, v, tau)
    return (loss / 1e-6 / tau**2).reshape(z.shape)''', BY_PACKAGE),
    ),
    mutations=(
        (P, "    p = (v / tau).softmax(dim=0)"),
        (Q, "    q = (z / tau**2).softmax(dim=1)"),
        (SLOPE, "    return (q - p) / (tau**3 * len(z))"),
    ))

# ---------------------------------------------------------------- 15.3

DISTIL_GIVEN = '''\
def distil_broken(z, v, tau):
    """Runs, and its loss goes down. What does the student become, and what happens at τ = 20?"""
    target = (z / tau).softmax(dim=1)
    log_answer = (v / tau).log_softmax(dim=1)
    return -(target * log_answer).sum(dim=1).mean()'''
DISTIL = '''\
def distil(z, v, tau):
    """The loss of line [6], averaged over the pictures; a cross-entropy will do for the KL.

    z: the student's logits (M, N); v: the teacher's; tau: the temperature
    Returns a scalar tensor, for backward().
    """
'''
TARGET = "    p = (v.detach() / tau).softmax(dim=1)"
LOG_Q = "    log_q = (z / tau).log_softmax(dim=1)"
LOSS = "    return -tau**2 * (p * log_q).sum(dim=1).mean()"
DISTIL_SOLUTION = DISTIL + "\n".join((TARGET, LOG_Q, LOSS))


def distil_wrong(*edits: tuple[str, str]) -> str:
    """A wrong loss: the solution with edits."""
    return edited(DISTIL_SOLUTION, *edits)


def divergence(loss: str) -> str:
    """A wrong loss written as a Kullback–Leibler divergence."""
    return distil_wrong((LOSS, f"    return {loss}"))


def copied(times: object) -> str:
    """A loss that is so many times the package's."""
    return (f"{DISTIL}    from mlcourse.losses.distillation import distillation\n"
            f"    return {times} * distillation(z, v, tau)")


distil = Exercise(
    id="15.3", title="Spot the bugs: who teaches whom", answer="distil", difficulty=3, minutes=7, given=DISTIL_GIVEN,
    stub=DISTIL + "    ...", solution_source=DISTIL_SOLUTION, check=check_distillation,
    hints=(
        "A target is what somebody else wants of you. Whose softmax is the target here, and whose logarithm is taken? "
        "And how long is the gradient at τ = 20, beside that at τ = 1?",
        "The teacher's p is the target, the student's log q is the answer. The loss is multiplied by τ², so that its "
        "gradient keeps its size. The teacher's logits are detached, so that the teacher stays who it is.",
        "p = (v.detach() / tau).softmax(dim=1), log_q = (z / tau).log_softmax(dim=1), and minus "
        "tau**2 times (p * log_q).sum(dim=1).mean().",
    ),
    wrong=(
        (edited(DISTIL_GIVEN, ("distil_broken", "distil")), f"{SWAPPED}, {NO_SQUARE}, {TRAINS_TEACHER}"),
        (distil_wrong(("-tau**2 * ", "-")), NO_SQUARE),
        (distil_wrong(("-tau**2", "-tau")), ONE_T),
        (edited(DISTIL_GIVEN, ("distil_broken", "distil"), ("return -(", "return -tau**2 * (")),
         f"{SWAPPED}, {TRAINS_TEACHER}"),
        (distil_wrong(("(v.detach() / tau)", "v.detach()")), STUDENT_ONLY),
        (distil_wrong(("(z / tau)", "z")), TEACHER_ONLY),
        (distil_wrong(("(v.detach() / tau)", "v.detach()"), ("(z / tau)", "z")), HARD),
        (distil_wrong((".sum(dim=1).mean()", ".sum()")), SUMMED),
        (distil_wrong((".sum(dim=1).mean()", ".mean()")), ALL_NUMBERS),
        (distil_wrong(("return -", "return ")), SIGN),
        (divergence("(p * (p.log() - log_q)).sum(dim=1).mean()"), NO_SQUARE),
        (divergence("tau * (p * (p.log() - log_q)).sum(dim=1).mean()"), ONE_T),
        (divergence("tau**2 * (p * (p.log() - log_q)).mean()"), ALL_NUMBERS),
        (divergence("tau**2 * (p * (p.log() - log_q)).sum()"), SUMMED),
        (divergence("tau**2 * (log_q.exp() * (log_q - p.log())).sum(dim=1).mean()"), SWAPPED),
        (divergence("(log_q.exp() * (log_q - p.log())).sum(dim=1).mean()"), f"{SWAPPED}, {NO_SQUARE}"),
        (distil_wrong(("v.detach()", "v")), TRAINS_TEACHER),
        (distil_wrong(("(z / tau)", "(z.detach() / tau)")), NO_GRADIENT),
        (distil_wrong((".sum(dim=1).mean()", ".mean()"), ("v.detach()", "v")), f"{ALL_NUMBERS}, {TRAINS_TEACHER}"),
        (distil_wrong((".sum(dim=1).mean()", ".sum()"), ("-tau**2 * ", "-")), f"{NO_SQUARE}, {SUMMED}"),
        (copied(1), BY_PACKAGE), (copied("1 / tau**2"), f"{NO_SQUARE}, {BY_PACKAGE}"), (copied(3), BY_PACKAGE),
    ),
    mutations=(
        (TARGET, "    p = (v.detach() / tau).softmax(dim=0)"),
        (LOG_Q, "    log_q = (z / tau).log_softmax(dim=0)"),
        (LOSS, "    return -tau**3 * (p * log_q).sum(dim=1).mean()"),
    ))

# ---------------------------------------------------------------- 15.4

STEP = '''\
def distil_step(student, teacher, optimiser, x, tau, loss):
    """One step of distillation on pictures x without labels.

    student, teacher: pictures to logits (M, N); loss: that of 15.3, called as loss(z, v, tau)
    optimiser: of the student; should it hold the teacher's weights too, they must not move
    Returns the loss of this batch before the step, one number.
    """
'''
ASK = "    with torch.no_grad():\n        v = teacher(x)"
SAY = "    value = loss(student(x), v, tau)"
EMPTY = "    optimiser.zero_grad()"
BACKWARD = "    value.backward()"
DOWN = "    optimiser.step()"
RETURN = "    return value.item()"
STEP_SOLUTION = STEP + "\n".join((ASK, SAY, EMPTY, BACKWARD, DOWN, RETURN))


def step_wrong(*edits: tuple[str, str]) -> str:
    """A wrong step: the solution with edits."""
    return edited(STEP_SOLUTION, *edits)


distil_step = Exercise(
    id="15.4", title="One step of distillation", answer="distil_step", difficulty=2, minutes=5,
    stub=STEP + "    ...", solution_source=STEP_SOLUTION, check=check_step,
    hints=(
        "Lines [4] to [6], in this order: ask the teacher, ask the student, take a step of the optimiser.",
        "The teacher is asked under torch.no_grad(), so that no gradient can reach it. Then the three lines of any "
        "training loop in PyTorch.",
        "value = loss(student(x), v, tau); optimiser.zero_grad(), value.backward(), optimiser.step(), and return "
        "value.item().",
    ),
    wrong=(
        (step_wrong((ASK, "    v = teacher(x)")), TAUGHT_BACK),
        (step_wrong((EMPTY + "\n", "")), PILED_UP),
        (step_wrong((DOWN + "\n", "")), STILL),
        (step_wrong((BACKWARD + "\n", "")), STILL),
        (step_wrong((EMPTY + "\n", ""), (DOWN, f"{EMPTY}\n{DOWN}")), STILL),
        (step_wrong((", tau)\n    optimiser", ", 1.0)\n    optimiser")), NO_TAU),
        (step_wrong(("loss(student(x), v, tau)", "loss(v, student(x), tau)")), OTHER_WAY),
        (step_wrong((RETURN, "    return loss(student(x), v, tau).item()")), AFTER),
        (step_wrong(("v = teacher(x)", "v = teacher(x), student(x)"), ("loss(student(x), v, tau)",
                                                                       "loss(student(x), v[1], tau)")), ALONE),
        (step_wrong(("value = loss(", "value = tau**2 * loss(")), TWICE),
        (step_wrong((ASK, "    v = teacher(x)"), (EMPTY + "\n", "")), f"{TAUGHT_BACK}, {PILED_UP}"),
        (step_wrong((ASK, f"    from mlcourse.losses.distillation import distillation\n{ASK}"),
                    ("= loss(", "= distillation(")), IGNORED),
        (step_wrong((SAY, "    p = (v / tau).softmax(1)\n"
                          "    value = -tau**2 * (p * (student(x) / tau).log_softmax(1)).sum(1).mean()")), IGNORED),
        (step_wrong((ASK, f"    from mlcourse.losses.distillation import distillation\n{ASK}"),
                    ("= loss(", "= distillation("), (EMPTY + "\n", "")), f"{PILED_UP}, {IGNORED}"),
        (step_wrong((", tau)\n    optimiser", ", 1.0)\n    optimiser"), (EMPTY + "\n", "")), f"{PILED_UP}, {NO_TAU}"),
    ),
    mutations=(
        ("        v = teacher(x)", "        v = teacher(x.flip(0))"),
        (BACKWARD, "    (-value).backward()"),
        (DOWN, "    optimiser.step(), optimiser.step()"),
        (RETURN, "    return value.item() / 2"),
        ("        v = teacher(x)", "        v = teacher.eval()(x)"),
    ))

EXERCISES = (soft_entropy, soft_gradient, distil, distil_step, verdicts)
