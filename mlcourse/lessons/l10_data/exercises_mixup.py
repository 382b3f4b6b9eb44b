"""The exercise of lesson 10 on manifold mixup."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l10_data.checks_mixup import CUT, check_mixed_loss

MIXED = '''\
def mixed_loss(layers, x, y, way, lam, order, at):
    """The loss of manifold mixup: lines [b] to [e].

    layers: functions in a row, the last gives logits (M, way); at: how many run before mixing
    x (M, ...): a batch; y (M,) int64: its labels, 0 to way - 1
    lam: the share of row i, from 0 to 1; row order[i] has the rest. order (M,): a permutation
    Returns a scalar, the mean over the batch.
    """
'''
BEFORE = "    for layer in layers[:at]:\n        x = layer(x)"
BLEND = "    x = lam * x + (1 - lam) * x[order]"
AFTER = "    for layer in layers[at:]:\n        x = layer(x)"
HOT = "    one_hot = torch.nn.functional.one_hot(y, way).to(x.dtype)"
TARGET = "    target = lam * one_hot + (1 - lam) * one_hot[order]"
LOSS = "    return torch.nn.functional.cross_entropy(x, target)"
SOLUTION = MIXED + "\n".join((BEFORE, BLEND, AFTER, HOT, TARGET, LOSS))


def wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 10.5: the solution with edits."""
    return edited(SOLUTION, *edits)


mixed_loss = Exercise(
    id="10.5", title="Manifold mixup", answer="mixed_loss", difficulty=3, minutes=6,
    stub=MIXED + "    ...", solution_source=SOLUTION, check=check_mixed_loss,
    hints=(
        "Run layers[:at], mix the rows that come out with those in the other order, run layers[at:].",
        "The label of a mixed row is one-hot, mixed in the same way: lam of its own, 1 - lam of one_hot[order]. "
        "cross_entropy takes such targets.",
        "Between two loops over layers[:at] and layers[at:]: x = lam * x + (1 - lam) * x[order]. At the end: lam * "
        "cross_entropy(x, y) + (1 - lam) * cross_entropy(x, y[order]).",
    ),
    wrong=(
        (wrong((TARGET, "    target = one_hot")), "the labels are not mixed"),
        (wrong((TARGET, "    target = (1 - lam) * one_hot + lam * one_hot[order]")), "the shares of the labels swapped"),
        (wrong((BLEND, "    x = (1 - lam) * x + lam * x[order]"),
               (TARGET, "    target = (1 - lam) * one_hot + lam * one_hot[order]")), "λ is the share of the other"),
        (wrong(("one_hot[order]", "one_hot[order.argsort()]")), "labels by another permutation"),
        (wrong((TARGET, "    target = (one_hot + one_hot[order]) / 2")), "halves in place of shares"),
        (wrong((BEFORE, "    at = 0")), "mixed in the pictures"),
        (wrong((AFTER, ""), (BEFORE, BEFORE.replace("[:at]", ""))), "only the logits are mixed"),
        (wrong((BEFORE, "    at = at + 1\n" + BEFORE)), "one layer too late"),
        (wrong((BLEND, "")), "nothing is mixed"),
        (wrong((LOSS, LOSS.replace("target)", 'target, reduction="sum")'))), "the sum over the batch"),
        (wrong((LOSS, LOSS.replace("(x,", "(x.softmax(1),"))), "softmax twice"),
        (wrong((LOSS, LOSS.replace("target)", "target).detach()"))), CUT),
        (wrong((BLEND, "    x = x.detach()\n" + BLEND)), CUT),
        (wrong((TARGET, "    target = one_hot"), (LOSS, LOSS.replace("target)", 'target, reduction="sum")'))),
         "the labels are not mixed, the sum over the batch"),
    ),
    mutations=(
        (BLEND, "    x = lam * x - (1 - lam) * x[order]"),
        (TARGET, "    target = lam**2 * one_hot + (1 - lam) * one_hot[order]"),
        (HOT, "    one_hot = torch.nn.functional.one_hot(y.flip(0), way).to(x.dtype)"),
        (LOSS, "    return torch.nn.functional.cross_entropy(x, target) ** 2"),
    ))
