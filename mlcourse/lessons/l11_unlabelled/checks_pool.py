"""Checks of lesson 11 on what is measured of a pool: distances with their statistics, and whether labels are read."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, all_of, explain, kind, named
from mlcourse.exercises.values import number, tensor
from mlcourse.lessons.l11_unlabelled.checks import COUNTS, UNLABELLED, drawn, same

# ---------------------------------------------------------------- 11.3

STATISTICS = 5
WITH_GRAPH, WITHOUT = "the statistics with their graph", "the distances without their graph"
FAR_FAULTS = (
    ("one mean for all prototypes", {"mean": "all"}, "each column has a mean of its own, that over the drawings"),
    ("the mean over the prototypes", {"mean": "rows"}, "divide each column by its mean over the drawings"),
    ("not divided by the mean", {"mean": "none"}, "divide each column by its mean, so that every episode is measured "
                                                  "by its own spread"),
    ("the length, not its square", {"power": 1}, "d is made of squared distances"),
)
STATISTICS_FAULTS = (
    ("variance over U - 1", {"ddof": 1}, "the variance here is the mean of the squares, over U"),
    ("the standard deviation", {"root": True}, "the third statistic is the variance, its square"),
    ("kurtosis without the 3", {"excess": 0}, "the excess kurtosis is the kurtosis less 3, and 0 for a normal "
                                              "distribution"),
    ("skewness over the variance", {"third": 1.0}, "the mean cube is divided by the variance to the power 1.5"),
    ("skewness and kurtosis exchanged", {"order": (0, 1, 2, 4, 3)}, "the order is minimum, maximum, variance, "
                                                                    "skewness, kurtosis"),
)


def check_measured(answer: object) -> str:
    """11.3: relative distances and their statistics for two sets, and their graphs."""
    measured = LearnerFunction(answer, "measured")
    for counts in COUNTS:
        data, way = drawn(counts), len(counts)
        d, s = pair(measured(data.u.clone(), data.c.clone()))
        got = tensor(d, (UNLABELLED, way), f"for {UNLABELLED} drawings and {way} classes d must have the shape "
                                           f"({UNLABELLED}, {way})")
        truth = lambda data=data, **faults: relative(data.u, data.c, **faults)
        if not same(got, truth()):
            explain(got, truth, FAR_FAULTS, same)
            raise NotYet("d is not the squared distance of drawing j from prototype n over its mean for prototype n.")
        got = tensor(s, (way, STATISTICS), f"for {way} classes s must have the shape ({way}, {STATISTICS})")
        truth = lambda data=data, **faults: statistics(relative(data.u, data.c), **faults)
        if not same(got, truth()):
            explain(got, truth, STATISTICS_FAULTS, same)
            names = ("minimum", "maximum", "variance", "skewness", "kurtosis")
            off = [name for name, one, other in zip(names, got.T, truth().T, strict=True) if not same(one, other)]
            raise NotYet(f"d is right; of the statistics look at {', '.join(off)}, over the drawings of each column.")
    d, s = pair(measured(data.u.clone().requires_grad_(), data.c))
    found = [(WITHOUT, {}, "d stands in the mask, through which the network learns; leave it its graph")] * (
        not (isinstance(d, Tensor) and d.requires_grad)) + [
        (WITH_GRAPH, {}, "as in the authors' code no gradient flows through s; detach it")] * (
        isinstance(s, Tensor) and s.requires_grad)
    if found:
        raise all_of(named(found))
    return "Distances by the pool's own measure, and five numbers for each prototype."


def pair(found: object) -> tuple:
    """What was returned, as two things."""
    try:
        d, s = found
    except (TypeError, ValueError, RuntimeError):
        raise NotYet(f"measured must return d and s, got {kind(found)}.") from None
    return d, s


def relative(u: Tensor, c: Tensor, *, mean: str = "columns", power: int = 2) -> Tensor:
    """Distances (U, N) over their mean for each prototype; the options are the known faults."""
    d = torch.stack([(u - each).norm(dim=1) ** power for each in c], 1)
    over = {"columns": d.mean(0), "rows": d.mean(1, keepdim=True), "all": d.mean(), "none": 1}[mean]
    return d / over


def statistics(d: Tensor, *, ddof: int = 0, root: bool = False, excess: int = 3, third: float = 1.5,
               order: tuple[int, ...] = (0, 1, 2, 3, 4)) -> Tensor:
    """Five numbers (N, 5) of each column; the options are the known faults."""
    rows = []
    for column in d.T:
        off = column - column.mean()
        v = (off**2).sum() / (len(off) - ddof)
        row = [column.min(), column.max(), v.sqrt() if root else v, (off**3).mean() / v**third,
               (off**4).mean() / v**2 - excess]
        rows.append(torch.stack([row[i] for i in order]))
    return torch.stack(rows)


# ---------------------------------------------------------------- 11.5

QUERIES, WAY, EACH = 4, 3, 2
NOTHING, ALL = "nothing is called a leak", "everything is called a leak"
SHUFFLED, CHOICES = "shuffled labels keep their counts", "only first choices are compared"


def honest(episode: Tensor, hidden: Tensor) -> Tensor:
    """Logits (QUERIES, WAY) that rest on the episode alone."""
    return episode.clone()


def pooled(episode: Tensor, hidden: Tensor) -> Tensor:
    """The same, and on how large the pool is, which everybody may see."""
    return episode * (1 + len(hidden))


def filters(episode: Tensor, hidden: Tensor) -> Tensor:
    """Leaves the distractors out."""
    places = torch.arange(len(hidden))
    return episode + ((hidden < WAY) * places).float() @ torch.eye(WAY)[places % WAY]


def copies(episode: Tensor, hidden: Tensor) -> Tensor:
    """Uses the labels as labels."""
    return episode + 5 * torch.nn.functional.one_hot(hidden, WAY + 1)[:QUERIES, :WAY]


def counts(episode: Tensor, hidden: Tensor) -> Tensor:
    """Uses how many of each class there are."""
    return episode + 5 * torch.bincount(hidden, minlength=WAY + 1)[:WAY]


def faintly(episode: Tensor, hidden: Tensor) -> Tensor:
    """Uses them so little that no first choice changes."""
    return episode + 1e-3 * (hidden[0] - hidden[-1])


METHODS = (honest, pooled, filters, copies, counts, faintly)
TRUTH = (False, False, True, True, True, True)
PATTERNS = {      # what a mistake says of METHODS, beside the truth: its name or names, and why
    (False,) * 6: ((NOTHING, "compare the answers with the labels as they are and with other ones; where they differ, "
                             "the labels were read"),),
    (True,) * 6: ((ALL, "a method that never looks at hidden was accused"),),
    (False, False, True, True, False, True): ((SHUFFLED, "a method that uses how many of each class there are was not "
                                               "found; poison with labels in other numbers, such as all the same"),),
    (False, False, True, True, True, False): ((CHOICES, "a method that changes its logits a little was not found; "
                                                        "compare the logits, not their argmax"),),
    (False, False, True, True, False, False): (
        (SHUFFLED, "a method that uses how many of each class there are was not found; poison with labels in other "
                   "numbers, such as all the same"),
        (CHOICES, "a method that changes its logits a little was not found; compare the logits, not their argmax")),
}


def check_poison(answer: object) -> str:
    """11.5: six methods, of which four read the labels."""
    reads = LearnerFunction(answer, "reads_labels")
    generator = torch.Generator().manual_seed(0)
    episode = torch.randn(QUERIES, WAY, generator=generator)
    hidden = torch.arange(WAY + 1).repeat(EACH)
    said = []
    for method in METHODS:
        found = number(reads(method, episode.clone(), hidden.clone()), "reads_labels must return True or False")
        if found not in (0, 1):
            raise NotYet(f"reads_labels must return True or False, got {found:g}.")
        said.append(bool(found))
    if tuple(said) != TRUTH:
        if faults := PATTERNS.get(tuple(said)):
            raise all_of([Misconception(name, f"{why}.") for name, why in faults])
        missed = [m.__doc__.rstrip(".").lower() for m, one, other in zip(METHODS, said, TRUTH, strict=True)
                  if one != other]
        raise NotYet(f"wrong about a method that does this: {missed[0]}.")
    return "Four methods that read labels are found, and two that do not are left alone."
