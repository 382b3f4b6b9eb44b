"""The exercises of lesson 11 on code that moves prototypes; and the others."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l11_unlabelled.broken import MASKED_BROKEN
from mlcourse.lessons.l11_unlabelled.checks import CUT, check_masked, check_refine
from mlcourse.lessons.l11_unlabelled.exercises_pool import poison
from mlcourse.lessons.l11_unlabelled.exercises_results import pull, verdicts

# ---------------------------------------------------------------- 11.1

REFINE = '''\
def refine(z, y, u, c):
    """Lines [2] and [3]: one step of soft k-means.

    z (M, D): features of the labelled drawings; y (M,) int64: their labels, 0 to N - 1, in any
    order; u (U, D): features of the unlabelled ones, U may be 0; c (N, D): the prototypes so far
    Returns the new prototypes (N, D), a tensor; gradients flow to z and u, with or without
    those through the shares.
    """
'''
FAR = "    far = ((u[:, None] - c) ** 2).sum(2)"
SHARE = "    share = (-far).softmax(1)"
ONE_HOT = "    one_hot = torch.nn.functional.one_hot(y, len(c)).to(z.dtype)"
ABOVE = "    above = one_hot.T @ z + share.T @ u"
BELOW = "    below = one_hot.sum(0) + share.sum(0)"
REFINE_SOLUTION = REFINE + "\n".join((FAR, SHARE, ONE_HOT, ABOVE, BELOW, "    return above / below[:, None]"))


def refine_wrong(*edits: tuple[str, str]) -> str:
    """A wrong step: the solution with edits."""
    return edited(REFINE_SOLUTION, *edits)


refine = Exercise(
    id="11.1", title="One step of soft k-means", answer="refine", difficulty=2, minutes=6,
    stub=REFINE + "    ...", solution_source=REFINE_SOLUTION, check=check_refine,
    hints=(
        "Two weights: a labelled drawing has 1 for its class and 0 for the others, an unlabelled one its shares. A "
        "prototype is the weighted mean of all drawings.",
        "((u[:, None] - c) ** 2).sum(2) are the squared distances, (U, N), and softmax(1) of minus them the shares. "
        "share.T @ u sums the drawings by their shares, (N, D).",
        "above = one_hot.T @ z + share.T @ u, below = one_hot.sum(0) + share.sum(0), with one_hot = "
        "torch.nn.functional.one_hot(y, len(c)).to(z.dtype); return above / below[:, None].",
    ),
    wrong=(
        (refine_wrong(("one_hot(y, ", "one_hot(y.sort().values, ")), "the labels taken for sorted"),
        (refine_wrong((ONE_HOT, "    one_hot = (-((z[:, None] - c) ** 2).sum(2)).softmax(1)")),
         "the labelled drawings shared out, too"),
        (refine_wrong(("one_hot.T @ z + ", ""), ("one_hot.sum(0) + ", "")), "the labelled drawings left out"),
        (refine_wrong(("one_hot.T @ z", "c"), ("one_hot.sum(0)", "1")),
         "the prototype in place of the labelled drawings"),
        (refine_wrong((SHARE, "    share = torch.nn.functional.one_hot(far.argmin(1), len(c)).to(z.dtype)")),
         "the nearest prototype gets all"),
        (refine_wrong(("softmax(1)", "softmax(0)")), "shares that sum to 1 over the drawings"),
        (refine_wrong((SHARE, "    share = (-far.sqrt()).softmax(1)")), "the length, not its square"),
        (refine_wrong((SHARE, "    share = far.softmax(1)")), "the farthest class gets most"),
        (refine_wrong((" + share.sum(0)", "")), "divided by the labelled drawings alone"),
        (refine_wrong(("one_hot.sum(0) + share", "share")), "divided by the pool's shares alone"),
        (refine_wrong(("share.sum(0)", "len(u)")), "divided by all drawings"),
        (refine_wrong((FAR, "    c = torch.stack([z[y == n].mean(0) for n in range(len(c))])\n" + FAR)),
         "shares from the labelled drawings' means"),
        (refine_wrong(("above / below", "above.detach() / below")), CUT),
        (refine_wrong(("softmax(1)", "softmax(0)"), (" + share.sum(0)", "")),
         "shares that sum to 1 over the drawings, divided by the labelled drawings alone"),
    ),
    mutations=(
        (FAR, "    far = ((u[:, None] - c) ** 2).mean(2)"),
        (ONE_HOT, "    one_hot = 2 * torch.nn.functional.one_hot(y, len(c)).to(z.dtype)"),
        (ABOVE, "    above = one_hot.T @ z - share.T @ u"),
    ))

# ---------------------------------------------------------------- 11.3

MASKED = '''\
def masked(z, y, u, share, m):
    """New prototypes (N, D) from shares and masks, mended; gradients flow to z, u and m.

    z (M, D), y (M,): the labelled drawings and their labels, 0 to N - 1, some of each
    u (U, D): the unlabelled ones; share, m (U, N): shares and masks
    """
'''
ONE_HOT_TOO = "    one_hot = torch.nn.functional.one_hot(y, share.shape[1]).to(z.dtype)"
COUNTS = "    counts = share * m"
MASKED_SOLUTION = MASKED + "\n".join((
    ONE_HOT_TOO, COUNTS, "    above = one_hot.T @ z + counts.T @ u", "    below = one_hot.sum(0) + counts.sum(0)",
    "    return above / below[:, None]"))


def masked_wrong(*edits: tuple[str, str]) -> str:
    """A wrong masked step: the solution with edits."""
    return edited(MASKED_SOLUTION, *edits)


masked = Exercise(
    id="11.3", title="Spot two bugs: the masked step", answer="masked", difficulty=2, minutes=4, given=MASKED_BROKEN,
    stub=MASKED + "    ...", solution_source=MASKED_SOLUTION, check=check_masked,
    hints=(
        "How often does m stand in the numerator, and how often in the denominator?",
        "A drawing of the pool weighs its share times its mask, in the sum and in the count alike.",
        "In the loop: above = own.sum(0) + counts[:, n] @ u, below = len(own) + counts[:, n].sum().",
    ),
    wrong=(
        (MASKED_BROKEN.replace("masked_broken", "masked"), "the mask counts twice, the count is not masked"),
        (masked_wrong(("counts.T @ u", "(counts * m).T @ u")), "the mask counts twice"),
        (masked_wrong(("counts.sum(0)", "share.sum(0)")), "the count is not masked"),
        (masked_wrong((COUNTS, "    counts = share * m * m")),
         "the mask counts twice, the mask counts twice in the denominator"),
        (masked_wrong((COUNTS, "    counts = share * m\n    counts = counts / counts.sum(1, keepdim=True).clamp(0.1)")),
         "the shares are made to sum to 1 again"),
        (masked_wrong(("one_hot.sum(0) + counts", "counts")), "divided by the pool alone"),
        (masked_wrong((COUNTS, "    counts = share")), "the count is not masked, the mask is left out"),
        (masked_wrong((COUNTS, "    counts = share * m.detach()")), CUT),
    ),
    mutations=(
        (COUNTS, "    counts = share * (1 - m)"),
        (COUNTS, "    counts = share * m.round()"),
        (ONE_HOT_TOO, "    one_hot = 2 * torch.nn.functional.one_hot(y, share.shape[1]).to(z.dtype)"),
    ))

EXERCISES = (refine, pull, masked, poison, verdicts)
