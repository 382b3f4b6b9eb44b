"""Exercises of lesson 16: contrastive losses, a training on pairs, and what it bought."""

from __future__ import annotations

from functools import partial

from mlcourse.exercises.entries import every_misreading, verdict_line, with_verdicts
from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l16_contrast.checks import (AFTER, CLAIMS, HALF, MASKED_ONE, MASKED_ZERO, MULTIPLIED, NO_ANCHORS,
                                                  NO_DETOUR, NO_NORM, NO_POSITIVE, NO_RIVALS, NO_TAU, ONE_WAY,
                                                  OTHER_WAY, PILED_UP, SELF, STILL, SUMMED, TWICE, UPHILL,
                                                  WRONG_PARTNER, check_info_nce, check_nt_xent, check_train_step,
                                                  check_verdicts)

# ---------------------------------------------------------------- 16.1

INFO_NCE = '''\
def info_nce(a, b, tau):
    """InfoNCE from a to b: the mean over i of -log( exp(s_ii/tau) / sum over j of exp(s_ij/tau) ).

    a, b: tensors (N, D), row i of both is a pair; s_ij: the cosine of a_i and b_j; tau: positive
    Returns a scalar tensor that can be differentiated.
    """
'''
UNIT_A = "    a = a / a.norm(dim=1, keepdim=True)"
UNIT_B = "    b = b / b.norm(dim=1, keepdim=True)"
LOGITS = "    logits = a @ b.T / tau"
MEAN = "    return -logits.log_softmax(dim=1).diagonal().mean()"
INFO_NCE_SOLUTION = INFO_NCE + "\n".join((UNIT_A, UNIT_B, LOGITS, MEAN))


def nce_wrong(*edits: tuple[str, str]) -> str:
    """A wrong InfoNCE: the solution with edits."""
    return edited(INFO_NCE_SOLUTION, *edits)


info_nce = Exercise(
    id="16.1", title="InfoNCE from its definition", answer="info_nce", difficulty=2, minutes=7,
    stub=INFO_NCE + "    ...", solution_source=INFO_NCE_SOLUTION, check=check_info_nce,
    hints=(
        "It is a classification: a_i must pick its partner among N candidates, and the scores are s_ij / tau.",
        "Divide each row by its length, then one matrix product gives all s_ij. Row i of the result holds the logits "
        "of a_i, and the right class of row i is i.",
        "logits = a @ b.T / tau; then minus the mean of the diagonal of logits.log_softmax(dim=1), which is "
        "torch.nn.functional.cross_entropy(logits, torch.arange(len(a))).",
    ),
    wrong=(
        (nce_wrong((UNIT_A + "\n" + UNIT_B + "\n", "")), NO_NORM),
        (nce_wrong(("/ tau", "* tau")), MULTIPLIED),
        (nce_wrong((" / tau", "")), NO_TAU),
        (nce_wrong((".mean()", ".sum()")), SUMMED),
        (nce_wrong(("log_softmax(dim=1)", "log_softmax(dim=0)")), OTHER_WAY),
        (nce_wrong((MEAN, '''\
    masked = logits.masked_fill(torch.eye(len(a), dtype=torch.bool), -torch.inf)
    return (masked.logsumexp(dim=1) - logits.diagonal()).mean()''')), NO_POSITIVE),
        (nce_wrong((".diagonal()", "")), "every pair counted as positive"),
        (nce_wrong(("return -", "return ")), "sign"),
        (nce_wrong(("log_softmax", "softmax")), "no logarithm"),
        (nce_wrong((UNIT_A + "\n" + UNIT_B + "\n", ""), ("log_softmax(dim=1)", "log_softmax(dim=0)")),
         f"{NO_NORM}, {OTHER_WAY}"),
        (nce_wrong((" / tau", ""), (UNIT_B, "    b = (b / b.norm(dim=1, keepdim=True)).detach()")),
         f"{NO_TAU}, {NO_DETOUR}"),
        (nce_wrong((UNIT_B, "    b = (b / b.norm(dim=1, keepdim=True)).detach()")), NO_DETOUR),
    ),
    mutations=(
        (UNIT_A, "    a = a / a.norm()"),
        (UNIT_B, "    b = b / b.norm(dim=0, keepdim=True)"),
        (LOGITS, "    logits = a @ b.T / tau**2"),
        (MEAN, "    return -logits.log_softmax(dim=1)[:, 0].mean()"),
    ))

# ---------------------------------------------------------------- 16.2

NT_XENT_GIVEN = '''\
def nt_xent_broken(a, b, tau):
    """Runs, and its loss goes down. What should a perfect encoder pay, and what does it pay?"""
    z = torch.cat([a, b])
    logits = z @ z.T / tau
    partner = torch.arange(len(z)).roll(len(a))
    return torch.nn.functional.cross_entropy(logits, partner)'''
NT_XENT = '''\
def nt_xent(a, b, tau):
    """NT-Xent: each of the 2N views finds the other view of its picture among 2N - 1 views.

    a, b: tensors (N, D), two views of N pictures; the similarity is the cosine; tau: positive
    Returns a scalar tensor, the mean over all 2N views.
    """
'''
CAT = "    z = torch.cat([a, b])"
UNIT = "    z = z / z.norm(dim=1, keepdim=True)"
SIMILAR = "    logits = z @ z.T / tau"
MASK = "    logits = logits.masked_fill(torch.eye(len(z), dtype=torch.bool), -torch.inf)"
PARTNER = "    partner = torch.arange(len(z)).roll(len(a))"
ENTROPY = "    return torch.nn.functional.cross_entropy(logits, partner)"
NT_XENT_SOLUTION = NT_XENT + "\n".join((CAT, UNIT, SIMILAR, MASK, PARTNER, ENTROPY))


def xent_wrong(*edits: tuple[str, str]) -> str:
    """A wrong NT-Xent: the solution with edits."""
    return edited(NT_XENT_SOLUTION, *edits)


nt_xent = Exercise(
    id="16.2", title="Spot two bugs in NT-Xent", answer="nt_xent", difficulty=3,
    minutes=7, given=NT_XENT_GIVEN, stub=NT_XENT + "    ...", solution_source=NT_XENT_SOLUTION, check=check_nt_xent,
    hints=(
        "Which view is the most similar to view i? And what happens to the logits when every vector gets twice as "
        "long?",
        "The diagonal of z @ z.T holds each view's similarity to itself, and it must leave the denominator. Rows must "
        "have unit length, or the scores are no cosines.",
        "Put z = z / z.norm(dim=1, keepdim=True) after the cat, and "
        "logits.masked_fill(torch.eye(len(z), dtype=torch.bool), -torch.inf) before the cross-entropy.",
    ),
    wrong=(
        (edited(NT_XENT_GIVEN, ("nt_xent_broken", "nt_xent")), f"{SELF}, {NO_NORM}"),
        (xent_wrong((MASK + "\n", "")), SELF),
        (xent_wrong((UNIT + "\n", "")), NO_NORM),
        (xent_wrong((ENTROPY, "    n = len(a)\n    return torch.nn.functional.cross_entropy(logits[:n], partner[:n])")),
         HALF),
        (xent_wrong(("-torch.inf", "0.0")), MASKED_ZERO),
        (xent_wrong(("-torch.inf", "-1.0")), MASKED_ONE),
        (xent_wrong((" / tau", ""), ("-torch.inf)", "-1.0) / tau")), MASKED_ONE),
        *((xent_wrong((PARTNER, f"    partner = {label}")), WRONG_PARTNER)
          for label in ("torch.arange(len(z)).roll(1)", "torch.arange(len(z)).roll(-1)", "torch.arange(len(z)) ^ 1")),
        (xent_wrong((PARTNER, "    partner = torch.arange(len(z)).roll(1)"), (UNIT + "\n", "")),
         f"{NO_NORM}, {WRONG_PARTNER}"),
        (xent_wrong((ENTROPY, '''\
    rest = logits.masked_fill(torch.eye(len(z), dtype=torch.bool).roll(len(a), 0), -torch.inf)
    return (rest.logsumexp(dim=1) - logits[torch.arange(len(z)), partner]).mean()''')), NO_POSITIVE),
        (NT_XENT + "\n".join((UNIT_A, UNIT_B, LOGITS, "    return torch.nn.functional.cross_entropy(logits, torch."
                              "arange(len(a)))")), "in-batch InfoNCE instead"),
        (NT_XENT + "\n".join((UNIT_A, UNIT_B, LOGITS, "    own, cross = torch.arange(len(a)), torch.nn.functional."
                              "cross_entropy", "    return (cross(logits, own) + cross(logits.T, own)) / 2")),
         "in-batch InfoNCE instead"),
        (xent_wrong((" / tau", "")), NO_TAU),
        (xent_wrong((UNIT + "\n", ""), ("-torch.inf", "0.0")), f"{NO_NORM}, {MASKED_ZERO}"),
        (xent_wrong((" / tau", ""), (MASK + "\n", "")), f"{SELF}, {NO_TAU}"),
    ),
    mutations=(
        (UNIT, "    z = z / z.norm()"),
        (MASK, "    logits = logits.masked_fill(torch.eye(len(z), dtype=torch.bool), 1.0)"),
        (PARTNER, "    partner = torch.arange(len(z)).roll(1)"),
        (ENTROPY, "    return torch.nn.functional.cross_entropy(logits, partner, reduction='sum')"),
    ))

# ---------------------------------------------------------------- 16.3

STEP = '''\
def train_step(f, g, optimiser, x, other, info_nce, tau):
    """One step of training two encoders on N pairs, down the mean of InfoNCE in both directions.

    f, g: the encoders; f(x) and g(other) are tensors (N, D), row i of both is a pair
    optimiser: of both encoders; info_nce: the loss of 16.1, called as info_nce(a, b, tau)
    Returns the loss of this batch before the step, one number.
    """
'''
EMBED = "    a, b = f(x), g(other)"
BOTH = "    loss = (info_nce(a, b, tau) + info_nce(b, a, tau)) / 2"
EMPTY = "    optimiser.zero_grad()"
BACKWARD = "    loss.backward()"
DOWN = "    optimiser.step()"
SAY = "    return loss.item()"
STEP_SOLUTION = STEP + "\n".join((EMBED, BOTH, EMPTY, BACKWARD, DOWN, SAY))


def step_wrong(*edits: tuple[str, str]) -> str:
    """A wrong step: the solution with edits."""
    return edited(STEP_SOLUTION, *edits)


step = Exercise(
    id="16.3", title="One step of training two encoders", answer="train_step", difficulty=3, minutes=7,
    stub=STEP + "    ...", solution_source=STEP_SOLUTION, check=check_train_step,
    hints=(
        "Lines [3] to [5], in this order: embed both sides, compute the loss, take a step of the optimiser.",
        "Your info_nce lets the rows of its first argument ask. In the other direction the other side asks, so the two "
        "change places. Then the three lines of any training loop in PyTorch.",
        "loss = (info_nce(a, b, tau) + info_nce(b, a, tau)) / 2 with a, b = f(x), g(other); then "
        "optimiser.zero_grad(), loss.backward(), optimiser.step(), and return loss.item().",
    ),
    wrong=(
        (step_wrong(("info_nce(b, a, tau)", "info_nce(a, b, tau)")), TWICE),
        (step_wrong((BOTH, "    loss = info_nce(a, b, tau)")), TWICE),
        (step_wrong((BOTH, "    loss = info_nce(b, a, tau)")), OTHER_WAY),
        (step_wrong((BOTH, "    loss = info_nce(a, b, tau) / 2")), ONE_WAY),
        (step_wrong((" / 2", "")), SUMMED),
        (step_wrong(("tau)", "1.0)"), ("info_nce, 1.0)", "info_nce, tau)")), NO_TAU),
        (step_wrong((EMPTY + "\n", "")), PILED_UP),
        (step_wrong((DOWN + "\n", "")), STILL),
        (step_wrong((BACKWARD + "\n", "")), STILL),
        (step_wrong((EMPTY + "\n", ""), (DOWN, f"{EMPTY}\n{DOWN}")), STILL),
        (step_wrong(("g(other)", "g(other).detach()")), NO_DETOUR),
        (step_wrong(("f(x)", "f(x).detach()")), NO_DETOUR),
        (step_wrong(("(a, b, tau)", "(a, b.detach(), tau)"), ("(b, a, tau)", "(b, a.detach(), tau)")), NO_RIVALS),
        (step_wrong(("info_nce(a, b, tau)", "info_nce(a.detach(), b, tau)"),
                    ("info_nce(b, a, tau)", "info_nce(b.detach(), a, tau)")), NO_ANCHORS),
        (step_wrong((BOTH, BOTH.replace("= (", "= -("))), UPHILL),
        (step_wrong((BACKWARD, "    (-loss).backward()")), UPHILL),
        (step_wrong((" / 2", ""), (BACKWARD, "    (-loss).backward()")), f"{SUMMED}, {UPHILL}"),
        (step_wrong((SAY, f"{EMBED}\n    return ((info_nce(a, b, tau) + info_nce(b, a, tau)) / 2).item()")), AFTER),
        (step_wrong(("info_nce(b, a, tau)", "info_nce(a, b, tau)"), (EMPTY + "\n", "")), f"{TWICE}, {PILED_UP}"),
        (step_wrong((" / 2", ""), ("g(other)", "g(other).detach()")), f"{SUMMED}, {NO_DETOUR}"),
    ),
    mutations=(
        (EMBED, "    a, b = f(x), g(other.flip(0))"),
        (BOTH, "    loss = info_nce(a, b, tau) / 4 + info_nce(b, a, tau) * 3 / 4"),
        (BACKWARD, "    (2 * loss).backward()"),
        (DOWN, "    optimiser.step(), optimiser.step()"),
        (SAY, "    return loss.item() / 2"),
    ))

# ---------------------------------------------------------------- 16.4

VERDICTS = """\
verdicts = {    # "yes", "no" or "open"
    "a": ...,   # across, two encoders beat one encoder on the same pairs
    "b": ...,   # across, two encoders beat pixels with chalk inverted
    "c": ...,   # in chalk, ProtoNet (trained on paper) beats raw pixels
    "d": ...,   # on paper, two encoders beat ProtoNet
    "e": ...,   # across, one encoder without pairs across beats raw pixels
}"""


judged, line = partial(with_verdicts, VERDICTS, CLAIMS), partial(verdict_line, VERDICTS, CLAIMS)


verdicts = Exercise(
    id="16.4", title="What do the rows bear out?", answer="verdicts", difficulty=2, minutes=4,
    stub=VERDICTS, solution_source=judged(), check=check_verdicts,
    hints=(
        "Compare no two rows of the table by eye: apart(one, other, field) subtracts seed from seed.",
        'Two of the five are open. For a, for instance: apart("two encoders", "one encoder, same pairs", "across").',
        "An interval such as +2.0 ± 3.0 reaches from -1 to 5 and includes zero: open. One of -9.0 ± 1.0 lies below "
        "zero: no.",
    ),
    wrong=(
        *every_misreading(VERDICTS, CLAIMS),
        (judged(d="yes", e="yes"), f"{CLAIMS['d'].name}, {CLAIMS['e'].name}"),
    ),
    mutations=tuple((line(key, CLAIMS[key].verdict), line(key, wrong)) for key, wrong in (
        ("a", "no"), ("b", "no"), ("c", "yes"), ("d", "open"), ("e", "yes"))))

EXERCISES = (info_nce, nt_xent, step, verdicts)
