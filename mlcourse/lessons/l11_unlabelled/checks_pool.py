"""Checks of lesson 11 on the mask of a pool, and on whether its labels are read."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, all_of, explain
from mlcourse.exercises.values import number, tensor
from mlcourse.lessons.l11_unlabelled.checks import COUNTS, UNLABELLED, check_graph, drawn, same

# ---------------------------------------------------------------- 11.3

MASK_FAULTS = (
    ("one mean for all prototypes", {"mean": "all"}, "each column has a mean of its own, that over the drawings"),
    ("the mean over the prototypes", {"mean": "rows"}, "divide each column by its mean over the drawings"),
    ("not divided by the mean", {"mean": "none"}, "divide each column by its mean, so that every episode is measured "
                                                  "by its own spread"),
    ("the length, not its square", {"power": 1}, "d is made of squared distances"),
    ("what lies far counts", {"sign": -1}, "below the threshold the mask must be near 1, above it near 0"),
    ("the steepness as a temperature", {"over": True}, "a large steepness makes the step sharp, so it multiplies"),
    ("the steepness on the distance alone", {"alone": True}, "it multiplies the whole difference, or the threshold "
                                                             "moves with it"),
    ("no sigmoid", {"squashed": False}, "a mask lies between 0 and 1"),
)


def check_mask(answer: object) -> str:
    """11.3: masks for two sets, and their gradients."""
    mask = LearnerFunction(answer, "mask")
    for counts in COUNTS:
        data, way = drawn(counts), len(counts)
        settings = settings_of(way)
        got = tensor(mask(data.u.clone(), data.c.clone(), *(each.clone() for each in settings)), (UNLABELLED, way),
                     f"for {UNLABELLED} drawings and {way} classes the masks must have the shape ({UNLABELLED}, {way})")
        truth = lambda data=data, settings=settings, **faults: masks(data.u, data.c, *settings, **faults)
        if not same(got, truth()):
            explain(got, truth, MASK_FAULTS, same)
            raise NotYet("the masks are not sigmoid(steepness · (threshold - d)) with d the squared distances, each "
                         "column over its mean.")
    leaves = tuple(each.clone().requires_grad_() for each in (data.u, *settings))
    u, *given = (1 * each for each in leaves)
    check_graph(mask(u, data.c.clone(), *given), leaves, "threshold and steepness are learned, and the network is")
    return "Each drawing is judged by its pool's own measure, for every prototype."


def settings_of(way: int) -> tuple[Tensor, Tensor]:
    """A threshold and a steepness for each prototype."""
    generator = torch.Generator().manual_seed(way)
    draw = lambda: torch.rand(way, generator=generator, dtype=torch.float64)
    return 0.5 + draw(), 1.5 + 2 * draw()


def masks(u: Tensor, c: Tensor, threshold: Tensor, steepness: Tensor, *, mean: str = "columns", power: int = 2,
          sign: int = 1, over: bool = False, alone: bool = False, squashed: bool = True) -> Tensor:
    """The masks (U, N), column by column; the options are the known faults."""
    d = torch.stack([(u - each).norm(dim=1) ** power for each in c], 1)
    d = d / {"columns": d.mean(0), "rows": d.mean(1, keepdim=True), "all": d.mean(), "none": 1}[mean]
    steepness = 1 / steepness if over else steepness
    inside = sign * (threshold - steepness * d if alone else steepness * (threshold - d))
    return torch.sigmoid(inside) if squashed else inside


# ---------------------------------------------------------------- 11.5

QUERIES, WAY, EACH = 4, 3, 2
NOTHING, ALL = "nothing is called a leak", "everything is called a leak"
SHUFFLED, CHOICES = "shuffled labels keep their counts", "only first choices are compared"
OVERWRITTEN = "the labels are overwritten"


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
        given, labels = episode.clone(), hidden.clone()
        asked = lambda e, h, method=method: method(e, h)        # whose name tells nothing
        found = number(reads(asked, given, labels), "reads_labels must return True or False")
        if not (torch.equal(given, episode) and torch.equal(labels, hidden)):
            raise Misconception(OVERWRITTEN, "the test has written into the labels or the episode that it was given, "
                                "and whoever comes next finds them poisoned; make new ones, as zeros_like does.")
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
