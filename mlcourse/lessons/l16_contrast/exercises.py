"""Exercises of lesson 16: contrastive losses, and what they are for."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l16_contrast.checks import (FARTHEST, HALF, MULTIPLIED, NO_DETOUR, NO_NORM, NO_POSITIVE, NO_TAU,
                                                  ONE_WAY, OTHER_WAY, SELF, SUMMED, TWICE, check_info_nce,
                                                  check_nt_xent, check_retrieval, check_symmetric)

# ---------------------------------------------------------------- 16.1

INFO_NCE = '''\
def info_nce(a, b, tau):
    """InfoNCE from a to b: the mean over i of -log( exp(s_ii / tau) / sum over j of exp(s_ij / tau) ).

    a, b: tensors (N, D), row i of both is a pair; s_ij is the cosine of a_i and b_j; tau: a positive number
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
    id="16.1", title="InfoNCE from its definition", answer="info_nce", difficulty=2, minutes=10,
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
    """Runs, and its loss goes down. What keeps it from ever coming near 0, and what lets it cheat?"""
    z = torch.cat([a, b])
    logits = z @ z.T / tau
    partner = torch.arange(len(z)).roll(len(a))
    return torch.nn.functional.cross_entropy(logits, partner)'''
NT_XENT = '''\
def nt_xent(a, b, tau):
    """NT-Xent (SimCLR): each of the 2N views finds the other view of its picture among the 2N - 1 other views.

    a, b: tensors (N, D), two views of the same N pictures; the similarity is the cosine; tau: a positive number
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
    id="16.2", title="Spot the bugs: a loss that compares you with yourself", answer="nt_xent", difficulty=3,
    minutes=10, given=NT_XENT_GIVEN, stub=NT_XENT + "    ...", solution_source=NT_XENT_SOLUTION, check=check_nt_xent,
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
        (xent_wrong(("-torch.inf", "0.0")), "masked with 0"),
        (xent_wrong((ENTROPY, '''\
    rest = logits.masked_fill(torch.eye(len(z), dtype=torch.bool).roll(len(a), 0), -torch.inf)
    return (rest.logsumexp(dim=1) - logits[torch.arange(len(z)), partner]).mean()''')), NO_POSITIVE),
        (NT_XENT + "\n".join((UNIT_A, UNIT_B, LOGITS, "    return torch.nn.functional.cross_entropy(logits, torch."
                              "arange(len(a)))")), "in-batch InfoNCE instead"),
        (xent_wrong((" / tau", "")), NO_TAU),
        (xent_wrong((UNIT + "\n", ""), ("-torch.inf", "0.0")), f"{NO_NORM}, masked with 0"),
        (xent_wrong((" / tau", ""), (MASK + "\n", "")), f"{SELF}, {NO_TAU}"),
    ),
    mutations=(
        (UNIT, "    z = z / z.norm()"),
        (MASK, "    logits = logits.masked_fill(torch.eye(len(z), dtype=torch.bool), 1.0)"),
        (PARTNER, "    partner = torch.arange(len(z)).roll(1)"),
        (ENTROPY, "    return torch.nn.functional.cross_entropy(logits, partner, reduction='sum')"),
    ))

# ---------------------------------------------------------------- 16.3

SYMMETRIC_GIVEN = '''\
def symmetric_broken(pictures, strokes, tau):
    """Meant to train both ways. Which question is asked twice, and which never?"""
    a = pictures / pictures.norm(dim=1, keepdim=True)
    b = strokes / strokes.norm(dim=1, keepdim=True)
    logits = a @ b.T / tau
    right = torch.arange(len(a))
    to_stroke = torch.nn.functional.cross_entropy(logits, right)
    to_picture = torch.nn.functional.cross_entropy(logits, right)
    return (to_stroke + to_picture) / 2'''
SYMMETRIC = '''\
def symmetric_loss(pictures, strokes, tau):
    """The mean of InfoNCE from pictures to strokes and from strokes to pictures (the loss of CLIP).

    pictures, strokes: tensors (N, D) in the common space, row i of both is a pair; tau: a positive number
    Returns a scalar tensor.
    """
'''
BACK = "    to_picture = torch.nn.functional.cross_entropy(logits.T, right)"
FORTH = "    to_stroke = torch.nn.functional.cross_entropy(logits, right)"
SYMMETRIC_SOLUTION = SYMMETRIC + edited(SYMMETRIC_GIVEN, (
    "    to_picture = torch.nn.functional.cross_entropy(logits, right)", BACK)).split('"""\n', 1)[1]
BOTH = "    return (to_stroke + to_picture) / 2"


def symmetric_wrong(*edits: tuple[str, str]) -> str:
    """A wrong symmetric loss: the solution with edits."""
    return edited(SYMMETRIC_SOLUTION, *edits)


symmetric = Exercise(
    id="16.3", title="Spot the bug: one way only", answer="symmetric_loss", difficulty=2, minutes=6,
    given=SYMMETRIC_GIVEN, stub=SYMMETRIC + "    ...", solution_source=SYMMETRIC_SOLUTION, check=check_symmetric,
    hints=(
        "Row i of the logits holds everything that picture i can be matched with. Where is everything that stroke j "
        "can be matched with?",
        "A stroke chooses among pictures, so its softmax runs over a column. cross_entropy normalises rows.",
        "Hand logits.T to the second cross_entropy.",
    ),
    wrong=(
        (edited(SYMMETRIC_GIVEN, ("symmetric_broken", "symmetric_loss")), TWICE),
        (symmetric_wrong((BOTH, "    return to_stroke")), TWICE),
        (symmetric_wrong((BOTH, "    return to_picture")), OTHER_WAY),
        (symmetric_wrong((BOTH, "    return to_stroke / 2")), ONE_WAY),
        (symmetric_wrong((BOTH, "    return to_stroke + to_picture")), SUMMED),
        (symmetric_wrong((BOTH, "    return to_stroke"), (" / tau", "")), f"{TWICE}, {NO_TAU}"),
        (symmetric_wrong(("    a = pictures / pictures.norm(dim=1, keepdim=True)", "    a = pictures"),
                         ("    b = strokes / strokes.norm(dim=1, keepdim=True)", "    b = strokes")), NO_NORM),
        (symmetric_wrong(("    a = pictures / pictures", "    a = pictures.detach() / pictures.detach()")), NO_DETOUR),
    ),
    mutations=(
        (BACK, "    to_picture = torch.nn.functional.cross_entropy(logits.T, right.flip(0))"),
        (FORTH, "    to_stroke = torch.nn.functional.cross_entropy(logits.flip(0), right)"),
        (BOTH, "    return to_stroke / 4 + to_picture * 3 / 4"),
    ))

# ---------------------------------------------------------------- 16.4

RETRIEVAL = '''\
def retrieval_at_1(a, b):
    """How often is the partner the nearest by cosine: for a_i among all b, and for b_i among all a?

    a, b: tensors (N, D), row i of both is a pair
    Returns two numbers between 0 and 1: (share of a that find their b, share of b that find their a).
    """
'''
COSINES = "    s = a @ b.T"
RIGHT = "    right = torch.arange(len(a))"
SHARES = "    return (s.argmax(1) == right).float().mean(), (s.argmax(0) == right).float().mean()"
RETRIEVAL_SOLUTION = RETRIEVAL + "\n".join((UNIT_A, UNIT_B, COSINES, RIGHT, SHARES))


def retrieval_wrong(*edits: tuple[str, str]) -> str:
    """A wrong retrieval: the solution with edits."""
    return edited(RETRIEVAL_SOLUTION, *edits)


retrieval = Exercise(
    id="16.4", title="Retrieval at 1, both ways", answer="retrieval_at_1", difficulty=1, minutes=6,
    stub=RETRIEVAL + "    ...", solution_source=RETRIEVAL_SOLUTION, check=check_retrieval,
    hints=(
        "You need the same matrix of similarities as the loss, and no temperature: dividing by it moves no maximum.",
        "a_i finds its partner when the largest entry of row i stands on the diagonal; b_j, when that of column j "
        "does.",
        "Unit rows, s = a @ b.T, and compare s.argmax(1) and s.argmax(0) with torch.arange(len(a)).",
    ),
    wrong=(
        (retrieval_wrong(("argmax(0)", "argmax(1)")), TWICE),
        (retrieval_wrong(("s.argmax(1)", "s.argmax(0)")), TWICE),
        (retrieval_wrong((COSINES, "    s = b @ a.T")), "the two directions swapped"),
        (retrieval_wrong((UNIT_A + "\n" + UNIT_B + "\n", "")), NO_NORM),
        (retrieval_wrong(("argmax", "argmin")), FARTHEST),
        (retrieval_wrong((".float().mean()", ".sum()")), "counts instead of shares"),
        (retrieval_wrong(("argmax(0)", "argmax(1)"), (".float().mean()", ".sum()")),
         f"{TWICE}, counts instead of shares"),
        (retrieval_wrong((SHARES, SHARES.replace("mean(),", "mean() * 100,") + " * 100")),
         "per cent instead of shares"),
    ),
    mutations=(
        (COSINES, "    s = a @ a.T"),
        (RIGHT, "    right = torch.arange(len(a)).flip(0)"),
        (SHARES, "    return (s.argmax(1) == right).float().mean(), (s.argmax(0) != right).float().mean()"),
    ))

EXERCISES = (info_nce, nt_xent, symmetric, retrieval)
