"""Exercises of lesson 13: match covariances, reverse a gradient, DANN's batches, and what alignment must get wrong."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l13_adaptation.checks import (BY_N, DIAGONAL, FORWARD, INDEPENDENT, INVISIBLE, LABELS_OF_SOURCE,
                                                    LITERAL, MEANS, NEVER_SEEN, NO_GRADIENT, NO_SCALE, NO_STRENGTH,
                                                    NOT_ALIGNED, NOT_REVERSED, OF_SAMPLES, ONE_SIDE, SAME_EPOCH,
                                                    SAME_TARGET, SHORTER, SOURCE_TWICE, STORED_ORDER, TRANSPOSED,
                                                    UNCENTRED, check_adversarial_batches, check_aligned_target,
                                                    check_coral_loss, check_reverse)

# ---------------------------------------------------------------- 13.1

CORAL = '''\
def coral_loss(a, b):
    """The CORAL loss between two domains: |C_a - C_b|²_F / (4 d²).

    a (n, d), b (m, d): features; C: the covariance matrix (d, d), centred and divided by n - 1 (by m - 1)
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
    """A wrong answer to 13.1: the solution with edits."""
    return edited(CORAL_SOLUTION, *edits)


coral_loss = Exercise(
    id="13.1", title="Match two covariances", answer="coral_loss", difficulty=2, minutes=8,
    stub=CORAL + "    ...", solution_source=CORAL_SOLUTION, check=check_coral_loss,
    hints=(
        "Write one covariance first: what must be taken away from every row before you multiply?",
        "With centred rows x, the covariance is x.T @ x / (len(x) - 1), a d × d matrix. Then compare two of them.",
        "(c_a - c_b).square().sum() / (4 * d ** 2), with d = a.shape[1].",
    ),
    wrong=(
        (coral_wrong((C_A, C_A.replace("(len(a) - 1)", "len(a)")), (C_B, C_B.replace("(len(b) - 1)", "len(b)"))), BY_N),
        (coral_wrong((CENTRED, "    centred_a, centred_b = a, b")), UNCENTRED),
        (coral_wrong((CORAL_LAST, "    return (c_a - c_b).square().sum()")), NO_SCALE),
        (coral_wrong((CORAL_LAST, CORAL_LAST.replace("(c_a - c_b)", "(c_a - c_b).diagonal()"))), DIAGONAL),
        (CORAL + "    return (a.mean(0) - b.mean(0)).square().sum()", MEANS),
        (coral_wrong((CORAL_LAST, "    return (c_a - c_b).norm() / (4 * a.shape[1] ** 2)")),
         "a norm that is not squared"),
        (coral_wrong((CORAL_LAST, "    return (c_a - c_b).square().mean()")), "the mean over entries"),
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

# ---------------------------------------------------------------- 13.2

REVERSE = '''\
def reverse(x, strength):
    """x as it is, with its gradient turned around: a gradient g that arrives flows on as -strength * g.

    x: a tensor of any shape; strength: a number, 0 or more
    Works in plain PyTorch and under torch.func.grad and vmap.
    """
'''
REVERSE_SOLUTION = REVERSE + "    return (1 + strength) * x.detach() - strength * x"
LAST = "    return (1 + strength) * x.detach() - strength * x"
AS_FUNCTION = REVERSE + '''\
    class Reverse(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            return -strength * g
    return Reverse.apply(x)'''

reverse = Exercise(
    id="13.2", title="Reverse a gradient", answer="reverse", difficulty=2, minutes=8,
    stub=REVERSE + "    ...", solution_source=REVERSE_SOLUTION, check=check_reverse,
    hints=(
        "Add two terms that together make x. One carries no gradient, the other carries all of it.",
        "x.detach() has the value of x and no gradient. Which multiple of x has the gradient -strength? And what must "
        "be added to it to make x again?",
        "-strength * x has the gradient; (1 + strength) * x.detach() brings the value back.",
    ),
    wrong=(
        (edited(REVERSE_SOLUTION, (LAST, "    return -strength * x")), FORWARD),
        (edited(REVERSE_SOLUTION, (LAST, "    return -strength * x.detach()")), f"{FORWARD}, {NO_GRADIENT}"),
        (edited(REVERSE_SOLUTION, (LAST, "    return x.detach()")), NO_GRADIENT),
        (edited(REVERSE_SOLUTION, (LAST, LAST + ".detach()")), NO_GRADIENT),
        (edited(REVERSE_SOLUTION, (LAST, "    return (1 - strength) * x.detach() + strength * x")), NOT_REVERSED),
        (edited(REVERSE_SOLUTION, (LAST, "    return x.clone()")), NOT_REVERSED),
        (edited(REVERSE_SOLUTION, (LAST, "    return 2 * x.detach() - x")), NO_STRENGTH),
        (AS_FUNCTION, INVISIBLE),
    ),
    mutations=(
        (LAST, "    return (1 + strength) * x.detach() + strength * x"),
        (LAST, "    return (1 + strength) * x - strength * x.detach()"),
        (LAST, "    return (2 + strength) * x.detach() - (1 + strength) * x"),
        (LAST, "    return x.detach() - strength * x"),
    ))

# ---------------------------------------------------------------- 13.3

BATCHES_GIVEN = '''\
def adversarial_batches_broken(source_x, source_y, target_x, size, generator):
    """Runs without an error, and the discriminator's loss stays near log 2. Find three bugs."""
    order = torch.randperm(len(source_x), generator=generator)
    batches = []
    for s, t in zip(order.split(size), torch.arange(len(target_x)).split(size)):
        batches.append((source_x[s], source_y[s], source_x[t]))
    return batches'''
BATCHES = '''\
def adversarial_batches(source_x, source_y, target_x, size, generator):
    """The batches of one epoch of DANN: every source sample once, random target samples beside them.

    source_x (n, ...), source_y (n,), target_x (m, ...): m may be smaller or larger than n
    size: source samples in a batch; the last batch has what is left
    generator: for the order of the source, and for the target samples of every batch
    Returns a list of (source x, their y, target x), with as many target as source samples in each.
    """
'''
BATCHES_SOLUTION = BATCHES + '''\
    batches = []
    for s in torch.randperm(len(source_x), generator=generator).split(size):
        t = torch.randint(len(target_x), (len(s),), generator=generator)
        batches.append((source_x[s], source_y[s], target_x[t]))
    return batches'''
LOOP = "    for s in torch.randperm(len(source_x), generator=generator).split(size):"
DRAWN = "        t = torch.randint(len(target_x), (len(s),), generator=generator)"
ADDED = "        batches.append((source_x[s], source_y[s], target_x[t]))"
ZIPPED = '''\
    order, other = (torch.randperm(len(x), generator=generator) for x in (source_x, target_x))
    return [(source_x[s], source_y[s], target_x[t]) for s, t in zip(order.split(size), other.split(size))]'''

adversarial_batches = Exercise(
    id="13.3", title="Spot the bug: a discriminator that never learns", answer="adversarial_batches", difficulty=2,
    minutes=10, given=BATCHES_GIVEN, stub=BATCHES + "    ...", solution_source=BATCHES_SOLUTION,
    check=check_adversarial_batches,
    hints=(
        "Which pictures does the third part of a batch hold? How many batches are there? And in which order do the "
        "target's pictures come?",
        "The discriminator compares source with source; zip ends with the shorter list; and the target comes as it is "
        "stored, often sorted by class. Only the source has to be gone through; draw the target anew for each batch.",
        "for s in torch.randperm(n).split(size): t = torch.randint(len(target_x), (len(s),), generator=generator); and "
        "the batch is source_x[s], source_y[s], target_x[t].",
    ),
    wrong=(
        (edited(BATCHES_GIVEN, ("adversarial_batches_broken", "adversarial_batches")),
         f"{SOURCE_TWICE}, {SHORTER}, {STORED_ORDER}"),
        (edited(BATCHES_SOLUTION, ("target_x[t]", "source_x[t]")), SOURCE_TWICE),
        (BATCHES + ZIPPED, SHORTER),
        (edited(BATCHES_GIVEN, ("adversarial_batches_broken", "adversarial_batches"), ("source_x[t]", "target_x[t]")),
         f"{SHORTER}, {STORED_ORDER}"),
        (edited(BATCHES_SOLUTION, (DRAWN, "        t = (torch.arange(len(s)) + len(batches) * size) % len(target_x)")),
         STORED_ORDER),
        (edited(BATCHES_SOLUTION, (DRAWN, "        t = torch.arange(len(s))")), SAME_TARGET),
        (edited(BATCHES_SOLUTION, (DRAWN, "        t = -1 - (torch.arange(len(s)) + len(batches) * size) % "
                                          "len(target_x)")), STORED_ORDER),
        (edited(BATCHES_SOLUTION, (DRAWN, DRAWN.replace("len(target_x)", "len(target_x) // 2"))), NEVER_SEEN),
        (edited(BATCHES_SOLUTION, (DRAWN, DRAWN.replace("generator=generator",
                                                        "generator=torch.Generator().manual_seed(len(batches))"))),
         SAME_EPOCH),
        (edited(BATCHES_SOLUTION, (DRAWN, "        t = (torch.arange(len(s)) + len(batches) * size) % 12")),
         f"{STORED_ORDER}, {NEVER_SEEN}"),
    ),
    mutations=(
        (LOOP, "    for s in torch.arange(len(source_x)).split(size):"),
        (DRAWN, "        t = torch.randint(len(target_x), (size,), generator=generator)"),
        (ADDED, "        batches.append((source_x[s], source_y[:len(s)], target_x[t]))"),
        (LOOP, LOOP.replace("randperm(len(source_x)", "randperm(len(source_x) - 1")),
        (DRAWN, DRAWN.replace(", generator=generator", "")),
    ))

# ---------------------------------------------------------------- 13.4

ALIGNED = '''\
def aligned_target(p, q):
    """The best target there can be with perfectly aligned features, as a joint table of features and labels.

    In the source a feature is as good as its label: class i always has feature i, and the classifier answers i.
    p, q (N,): the class proportions of source and target, float64, each adding up to 1
    Returns (N, N), float64, not negative: entry (i, j) is the probability of feature i and label j in the
    target. Feature i is to occur as often as in the source, with probability p[i]; label j with q[j];
    and the classifier is to err, 1 - the sum of the diagonal, as seldom as that allows.
    """
'''
ALIGNED_SOLUTION = ALIGNED + '''\
    kept = torch.minimum(p, q)
    too_many_features, too_many_labels = p - kept, q - kept
    moved = too_many_labels.sum()
    table = torch.diag(kept)
    if moved > 0:
        table = table + torch.outer(too_many_features, too_many_labels) / moved
    return table'''
KEPT = "    kept = torch.minimum(p, q)"
MOVED = "        table = table + torch.outer(too_many_features, too_many_labels) / moved"

aligned_target = Exercise(
    id="13.4", title="What alignment must get wrong", answer="aligned_target", difficulty=3, minutes=12,
    stub=ALIGNED + "    ...", solution_source=ALIGNED_SOLUTION, check=check_aligned_target,
    hints=(
        "Right answers lie on the diagonal. How much of class i can lie there, if feature i occurs with p[i] and label "
        "i with q[i]?",
        "torch.minimum(p, q) fits on the diagonal. What is left of p are features without a label, what is left of q "
        "are labels without a feature, and both add up to the same number. Spread the second over the first.",
        "torch.diag(kept) + torch.outer(p - kept, q - kept) / (q - kept).sum(), and only the first term where nothing "
        "is left.",
    ),
    wrong=(
        (ALIGNED + "    return torch.diag(q)", NOT_ALIGNED),
        (ALIGNED + "    return torch.diag(p)", LABELS_OF_SOURCE),
        (ALIGNED + "    return torch.outer(p, q)", INDEPENDENT),
        (edited(ALIGNED_SOLUTION, (MOVED, MOVED.replace("too_many_features, too_many_labels",
                                                        "too_many_labels, too_many_features"))), TRANSPOSED),
        (ALIGNED + "    return torch.outer(q, p)", TRANSPOSED),
        (edited(ALIGNED_SOLUTION, (KEPT, "    kept = torch.minimum(p, q) / 2")), INDEPENDENT),
    ),
    mutations=(
        (KEPT, "    kept = torch.maximum(p, q)"),
        (MOVED, "        table = table + torch.outer(too_many_features, too_many_labels)"),
        (MOVED, "        table = table"),
        ("    if moved > 0:", "    if moved < 0:"),
    ))

EXERCISES = (coral_loss, reverse, adversarial_batches, aligned_target)
