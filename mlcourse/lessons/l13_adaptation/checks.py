"""Checks of lesson 13: CORAL, a reversed gradient, the batches of DANN, and what aligned features must get wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor

from mlcourse.exercises.framework import (Crashed, LearnerFunction, Misconception, NotYet, all_of, also, explain,
                                          kind)
from mlcourse.exercises.gradients import gradients_by
from mlcourse.exercises.values import DIGITS, described, scalar, tensor

FORWARD, NO_GRADIENT, NOT_REVERSED = ("the forward pass reversed too", "no gradient at all",
                                      "the gradient is not reversed")
NO_STRENGTH, INVISIBLE = "the strength is forgotten", "invisible to torch.func"


def draw(*shape: int, seed: int = 0) -> Tensor:
    """Normal numbers in float64."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def near(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors agree to the digits of float32."""
    return bool((a - b).abs().max() <= DIGITS * (1e-2 + b.abs().max()))


# ---------------------------------------------------------------- 13.1

BY_N, UNCENTRED, NO_SCALE, DIAGONAL, MEANS = ("divided by n", "not centred", "the factor 1/(4 d²) is missing",
                                              "only the variances compared", "the means compared")
LITERAL, OF_SAMPLES = "a factor for one width only", "the covariance of samples, not of features"
ONE_SIDE = "a gradient on one side only"
SIZES = ((6, 9, 3), (8, 8, 5))       # n, m, d


def check_coral_loss(answer: object) -> str:
    """13.1: against an entry-by-entry sum, on features with a mean and with correlations, of two widths."""
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


def coral_of(pairs: list[tuple[Tensor, Tensor]], by: int = 1, centre: float = 1, of: str = "all", norm: str = "squared",
             factor: Callable[[int], float] = lambda d: 4 * d**2) -> Tensor:
    """The CORAL losses of pairs of domains; the options are the known faults."""
    losses = []
    for a, b in pairs:
        one, other = ((x - centre * x.mean(0)) for x in (a, b))
        gap = one.T @ one / (len(a) - by) - other.T @ other / (len(b) - by)
        gap = {"all": gap, "diagonal": gap.diagonal(), "means": a.mean(0) - b.mean(0)}[of]
        losses.append((gap.square().sum() if norm == "squared" else gap.norm()) / factor(a.shape[1]))
    return torch.stack(losses)


LITERALS = "the divisor 4 d² is right for {d} features and a fixed number for all others; take d from the features"
CORAL_FAULTS = (
    (BY_N, {"by": 0}, "the covariance of n samples is divided by n - 1"),
    (UNCENTRED, {"centre": 0}, "the mean of each domain must be taken away first: a covariance is about how features "
     "vary, not where they lie"),
    (NO_SCALE, {"factor": lambda d: 1}, "the sum of squares must be divided by 4 d², d the number of features, or λ "
     "means something else for every width of the network"),
    (LITERAL, {"factor": lambda d: 36}, LITERALS.format(d=3)),
    (LITERAL, {"factor": lambda d: 100}, LITERALS.format(d=5)),
    (DIAGONAL, {"of": "diagonal"}, "the covariances between features count too, not only their variances: the norm is "
     "over all entries of the matrix"),
    (MEANS, {"of": "means", "factor": lambda d: 1}, "CORAL compares covariances; two domains with the same covariance "
     "and different means have a loss of 0"),
    (MEANS, {"of": "means"}, "CORAL compares covariances; two domains with the same covariance and different means "
     "have a loss of 0"),
    ("a norm that is not squared", {"norm": "plain"}, "the norm is squared: the sum of the squared entries"),
    ("the mean over entries", {"factor": lambda d: d**2}, "a mean over the d² entries divides by d²; the paper divides "
     "by 4 d²"),
)


# ---------------------------------------------------------------- 13.2


def check_reverse(answer: object) -> str:
    """13.2: the value, the gradient, and both again under torch.func."""
    reverse = LearnerFunction(answer, "reverse")
    x, w = draw(4, 3), draw(4, 3, seed=1)
    for strength in (0.5, 2.0):
        leaf = x.clone().requires_grad_()
        got = attached(reverse(leaf, strength))
        if not near(got.detach(), x):
            if near(got.detach(), -strength * x):
                found = Misconception(FORWARD, "the discriminator must see the features as they are; you hand it "
                                      "-strength times them. Only the gradient is to be turned around.")
                try:
                    diagnose_reversed(got, leaf, w, strength)
                except Misconception as misconception:
                    raise also(found, misconception) from None
                raise found
            raise NotYet("the value must be x itself; only the gradient is to change.")
        if not torch.equal(leaf.detach(), x):
            raise NotYet("reverse changed x itself; return a new tensor.")
        diagnose_reversed(got, leaf, w, strength)
    check_under_func(reverse, x, w)
    return "The value is x, the gradient is -strength times what arrives, and torch.func and vmap see it too."


def attached(got: object) -> Tensor:
    """The features that come out, with their graph."""
    if not isinstance(got, Tensor):
        raise NotYet(f"reverse must return a tensor of shape (4, 3), got {kind(got)}.")
    tensor(got, (4, 3), "reverse must return a tensor of shape (4, 3)")
    return got.to(torch.float64)


def diagnose_reversed(got: Tensor, leaf: Tensor, w: Tensor, strength: float) -> None:
    """Raise what is wrong with the gradient; right is -strength · w."""
    if not got.requires_grad:
        raise Misconception(NO_GRADIENT, "x was cut out of the graph whole, so the features learn nothing from the "
                            "discriminator; one part must stay attached.")
    g, = torch.autograd.grad((got * w).sum(), leaf, allow_unused=True)
    if g is None or near(g, 0 * w):
        raise Misconception(NO_GRADIENT, "no gradient reaches x; one part must stay attached.")
    if near(g, -strength * w):
        return
    if near(g, strength * w) or near(g, w):
        raise Misconception(NOT_REVERSED, "the gradient reaches x with its own sign, so the features help the "
                            "discriminator to tell the domains apart; that drives them away from each other.")
    if near(g, -w):
        raise Misconception(NO_STRENGTH, "the gradient is turned around, but its size does not depend on the strength.")
    raise NotYet(f"for a strength of {strength:g} the gradient must be {-strength:g} times the one that arrives.")


def check_under_func(reverse: LearnerFunction, x: Tensor, w: Tensor) -> None:
    """The gradient under torch.func.grad and vmap. Raises Misconception where they cannot see through the answer."""
    loss = lambda z, u: (reverse(z, 2.0) * u).sum()
    why = "plain PyTorch differentiates it, but under torch.func.vmap and grad "
    try:
        got = torch.func.vmap(torch.func.grad(loss))(x, w)
    except Crashed as error:
        raise Misconception(INVISIBLE, f"{why}it raises {type(error.error).__name__}; write it as a sum of x and "
                            "x.detach(), which they see through.") from error
    if not near(got, -2.0 * w):
        raise Misconception(INVISIBLE, f"{why}the gradient is another one; write it as a sum of x and x.detach(), "
                            "which they see through.")


# ---------------------------------------------------------------- 13.3

SOURCE_TWICE, SHORTER, STORED_ORDER, SAME_TARGET = (
    "the source in the place of the target", "zip stops at the shorter", "the target in its stored order",
    "the same target pictures in every batch")
NEVER_SEEN, SAME_EPOCH = "target pictures that are never seen", "the same target in every epoch"
EPOCHS = 8          # enough that each of the 24 target pictures is seen
TARGET = 1000          # what marks a row of the target


def check_adversarial_batches(answer: object) -> str:
    """13.3: marked rows are watched through an epoch."""
    function = LearnerFunction(answer, "adversarial_batches")
    n, m, size = 50, 24, 8
    source_x, target_x = torch.arange(n).double()[:, None], TARGET + torch.arange(m).double()[:, None]
    source_y, epochs = torch.arange(n) % 7, []
    for seed in (1, *range(EPOCHS)):
        batches = function(source_x.clone(), source_y.clone(), target_x.clone(), size,
                           torch.Generator().manual_seed(seed))
        epochs.append(rows_of(batches, source_y))
    first, again = epochs.pop(0), epochs[1]
    found = [fault for epoch in epochs[:2] for fault in faults_of_epoch(*epoch, n, m)]
    targets = [target for _, target in epochs]
    shown = {row for epoch in targets for batch in epoch for row in batch}
    known = {fault.name for fault in found}
    if not known & {STORED_ORDER, SAME_TARGET, SOURCE_TWICE} and all(target == targets[0] for target in targets):
        found.append(Misconception(SAME_EPOCH, "every generator gave the same target pictures; draw them with the "
                                   "generator, torch.randint(len(target_x), (len(s),), generator=generator)."))
    elif not known & {SHORTER, SAME_TARGET, SOURCE_TWICE} and len(shown) < m:
        found.append(Misconception(NEVER_SEEN, f"{m - len(shown)} of the {m} target pictures were not seen in {EPOCHS} "
                                   "epochs; draw from all of them, torch.randint(len(target_x), ...)."))
    if found:
        raise all_of(found)
    for sources, target in epochs:
        watch_epoch(sources, target, n, size)
    if epochs[0] == epochs[1] or first != again:
        raise NotYet("the same generator must give the same epoch, and another one another; hand `generator` to every "
                     "random draw.")
    return f"All {n} source samples are used once, with as many random target samples beside them in every batch."


def rows_of(batches: object, source_y: Tensor) -> tuple[list[list[int]], list[list[int]]]:
    """The marks of source and target in every batch. Raises NotYet where there is no batch, or one that is no triple of
    tensors."""
    sources, targets = [], []
    for batch in list(batches):
        triple = "every batch must be a triple of tensors with rows: (source_x, source_y, target_x)"
        if not isinstance(batch, (tuple, list)) or len(batch) != 3:
            raise NotYet(f"{triple}, got {described(batch)}.")
        x, y, t = (tensor(part, None, triple) for part in batch)
        if not all(part.ndim and len(part) for part in (x, y, t)) or x.ndim < 2 or t.ndim < 2:
            raise NotYet(f"{triple}; one of yours has no rows.")
        mine, theirs = x[:, 0].long().tolist(), t[:, 0].long().tolist()
        if max(mine) < TARGET and y.tolist() != source_y[mine].tolist():
            raise NotYet("a batch's labels are not those of its source pictures; index both with the same rows.")
        sources.append(mine)
        targets.append(theirs)
    if not sources:
        raise NotYet("there is no batch; return a list of (source_x, source_y, target_x).")
    return sources, targets


def faults_of_epoch(sources: list[list[int]], targets: list[list[int]], n: int, m: int) -> list[Misconception]:
    """The known mistakes in one epoch."""
    seen = [row for batch in sources for row in batch]
    shown = [row for batch in targets for row in batch]
    found = []
    if any(row < TARGET for row in shown):
        found.append(Misconception(SOURCE_TWICE, "the third part of a batch holds source pictures: the target is "
                                   "loaded and never used, and the discriminator compares the source with itself."))
    if len(seen) <= m < n:
        found.append(Misconception(SHORTER, f"the epoch ends with the target's {m} pictures, after {len(seen)} of {n} "
                                   "source pictures; zip stops at the shorter list without a word."))
    full = [tuple(sorted(batch)) for batch in targets if len(batch) == len(targets[0])]
    if len(full) > 1 and len(set(full)) == 1:
        return [*found, Misconception(SAME_TARGET, "every batch shows the same target pictures; draw anew for each.")]
    steps = Counter((b - a) % m for batch in targets for a, b in zip(batch, batch[1:]))
    if steps and max(steps.values()) > steps.total() / 2:
        found.append(Misconception(STORED_ORDER, "the target's pictures come in the order in which they are stored, "
                                   "forwards, backwards or by equal steps, and those often lie sorted by class: each "
                                   "batch then has a label shift of its own, and alignment pulls a few classes of the "
                                   "target over all of the source's."))
    return found


def watch_epoch(sources: list[list[int]], targets: list[list[int]], n: int, size: int) -> None:
    """Raise what is wrong with one epoch in a way that has no name."""
    seen = [row for batch in sources for row in batch]
    if any(row >= TARGET for row in seen):
        raise NotYet("the first part of a batch must hold source pictures only; the target has no labels here.")
    if sorted(seen) != list(range(n)):
        raise NotYet(f"every source sample must be used once in an epoch; {len(set(seen))} of {n} were, in "
                     f"{len(seen)} places.")
    if [len(batch) for batch in sources] != [size] * (n // size) + [n % size]:
        raise NotYet(f"the batches must have {size} source pictures each, the last one the {n % size} that are left.")
    if [len(batch) for batch in targets] != [len(batch) for batch in sources]:
        raise NotYet("a batch needs as many target as source pictures, or the discriminator can win by naming the "
                     "larger side.")
    if sources[0] == sorted(sources[0]):
        raise NotYet("the source's pictures come in their stored order; deal them with torch.randperm.")


# ---------------------------------------------------------------- 13.4

NOT_ALIGNED, LABELS_OF_SOURCE, INDEPENDENT, TRANSPOSED = (
    "the features are not aligned", "the target has the source's labels", "more error than alignment forces",
    "rows and columns swapped")


def check_aligned_target(answer: object) -> str:
    """13.4: the marginals, and the error, on random and on hand-made proportions."""
    aligned_target = LearnerFunction(answer, "aligned_target")
    pairs = [(draw(4, seed=s).softmax(0).tolist(), draw(4, seed=s + 9).softmax(0).tolist()) for s in range(3)]
    pairs += [([0.5, 0.5], [0.9, 0.1]), ([0.1] * 10, [0.3, 0.3, 0.3] + [0.1 / 7] * 7), ([0.5, 0.5], [0.5, 0.5])]
    for p, q in pairs:
        p, q = torch.tensor(p, dtype=torch.float64), torch.tensor(q, dtype=torch.float64)
        got = aligned_target(p.clone(), q.clone())
        if near(p, q) and isinstance(got, Tensor) and bool(got.isnan().any()):
            raise NotYet("for p = q nothing is left to move, so there is nothing to divide by; it gave NaN.")
        table = tensor(got, (len(p), len(p)), f"aligned_target must return a tensor of shape {(len(p), len(p))}")
        diagnose_table(table, p, q)
    return "The features have the source's distribution, and the error is the label distance: it cannot be less."


def diagnose_table(table: Tensor, p: Tensor, q: Tensor) -> None:
    """Raise what is wrong with a joint table of target features and labels."""
    least = float((p - q).abs().sum() / 2)
    if bool((table < -1e-9).any()):
        raise NotYet(f"a probability is {float(table.min()):.3f}; none may be negative.")
    rows, columns = table.sum(1), table.sum(0)
    if near(rows, q) and near(columns, p) and not near(p, q):
        raise Misconception(TRANSPOSED, "rows are features and columns labels: row sums must be the source's "
                            "proportions p, column sums the target's q.")
    if not near(columns, q):
        if near(columns, p):
            raise Misconception(LABELS_OF_SOURCE, "the column sums are p, so the labels of this target are distributed "
                                "as the source's, and there is no label shift; they must be q.")
        raise NotYet("the column sums must be q, the proportions of the target's labels.")
    if not near(rows, p):
        raise Misconception(NOT_ALIGNED, "the row sums are not p. A discriminator would tell the domains apart by how "
                            "often each feature occurs; perfectly aligned features occur as often as in the source.")
    error = 1 - float(table.diagonal().sum())
    if error > least + 1e-6:
        raise Misconception(INDEPENDENT, f"both marginals are right, and the error is {error:.3f}; keeping as many "
                            f"labels as possible on their own feature leaves {least:.3f}.")
