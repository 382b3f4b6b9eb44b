"""The exercises of lesson 11 on what is measured of a pool: distances and statistics, and whether labels are read."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l11_unlabelled.checks_pool import (ALL, CHOICES, NOTHING, SHUFFLED, WITH_GRAPH, WITHOUT,
                                                          check_measured, check_poison)

# ---------------------------------------------------------------- 11.3

MEASURED = '''\
def measured(u, c):
    """How far a pool lies from each prototype, by the pool's own measure.

    u (U, D): features of the unlabelled drawings; c (N, D): the prototypes
    Returns d (U, N): squared distances, each column divided by its mean; and s (N, 5), detached:
    minimum, maximum, variance, skewness and excess kurtosis of each column of d.
    """
'''
FAR = "    d = ((u[:, None] - c) ** 2).sum(2)"
RELATIVE = "    d = d / d.mean(0)"
VARIANCE = "    v = ((d - 1) ** 2).mean(0)"
SKEW = "    skew = ((d - 1) ** 3).mean(0) / v ** 1.5"
KURTOSIS = "    kurtosis = ((d - 1) ** 4).mean(0) / v ** 2 - 3"
STACKED = "    s = torch.stack([d.amin(0), d.amax(0), v, skew, kurtosis], 1)"
MEASURED_SOLUTION = MEASURED + "\n".join((FAR, RELATIVE, VARIANCE, SKEW, KURTOSIS, STACKED, "    return d, s.detach()"))


def measured_wrong(*edits: tuple[str, str]) -> str:
    """Wrong measures: the solution with edits."""
    return edited(MEASURED_SOLUTION, *edits)


measured = Exercise(
    id="11.3", title="What the mask is told", answer="measured", difficulty=2, minutes=4,
    stub=MEASURED + "    ...", solution_source=MEASURED_SOLUTION, check=check_measured,
    hints=(
        "Distances first, then each column over its mean; all five statistics are over the drawings, dimension 0.",
        "After d = d / d.mean(0) the mean of each column is 1, so v = ((d - 1) ** 2).mean(0), and the other two are "
        "made of the mean of (d - 1) ** 3 and (d - 1) ** 4.",
        "skew = ((d - 1) ** 3).mean(0) / v ** 1.5; kurtosis = ((d - 1) ** 4).mean(0) / v ** 2 - 3; "
        "torch.stack([d.amin(0), d.amax(0), v, skew, kurtosis], 1).detach().",
    ),
    wrong=(
        (measured_wrong((RELATIVE, "    d = d / d.mean()")), "one mean for all prototypes"),
        (measured_wrong((RELATIVE, "    d = d / d.mean(1, keepdim=True)")), "the mean over the prototypes"),
        (measured_wrong((RELATIVE + "\n", "")), "not divided by the mean"),
        (measured_wrong((FAR, "    d = ((u[:, None] - c) ** 2).sum(2).sqrt()")), "the length, not its square"),
        (measured_wrong((VARIANCE, "    v = d.var(0)")), "variance over U - 1"),
        (measured_wrong(("d.amax(0), v,", "d.amax(0), v.sqrt(),")), "the standard deviation"),
        (measured_wrong((" - 3", "")), "kurtosis without the 3"),
        (measured_wrong(("v ** 1.5", "v")), "skewness over the variance"),
        (measured_wrong(("skew, kurtosis]", "kurtosis, skew]")), "skewness and kurtosis exchanged"),
        (measured_wrong(("s.detach()", "s")), WITH_GRAPH),
        (measured_wrong(("return d,", "return d.detach(),")), WITHOUT),
        (measured_wrong((VARIANCE, "    v = d.var(0)"), (" - 3", "")), "variance over U - 1, kurtosis without the 3"),
    ),
    mutations=(
        (FAR, "    d = ((u[:, None] - c) ** 2).sum(2) + 1"),
        (SKEW, "    skew = ((d - 1).abs() ** 3).mean(0) / v ** 1.5"),
        (KURTOSIS, "    kurtosis = ((d - 1) ** 4).mean(0) / v - 3"),
        (STACKED, "    s = torch.stack([d.amax(0), d.amin(0), v, skew, kurtosis], 1)"),
    ))

# ---------------------------------------------------------------- 11.5

POISON = '''\
def reads_labels(method, episode, hidden):
    """Whether a method's answers depend on labels that it must not use.

    method(episode, hidden): logits (Q, N) for the queries of the episode
    hidden (U,) int64: the classes of the pool, 0 to N - 1, and N for a distractor
    Returns True or False.
    """
'''
FIRST = "    before = method(episode, hidden)"
POISONED = "    after = [method(episode, torch.full_like(hidden, n)) for n in range(before.shape[1] + 1)]"
COMPARED = "    return any(not torch.equal(before, each) for each in after)"
POISON_SOLUTION = POISON + "\n".join((FIRST, POISONED, COMPARED))


def poison_wrong(*edits: tuple[str, str]) -> str:
    """A wrong test: the solution with edits."""
    return edited(POISON_SOLUTION, *edits)


CHOICE = "    return any(not torch.equal(before.argmax(1), each.argmax(1)) for each in after)"
TURNED = "    after = [method(episode, hidden.roll(1)), method(episode, hidden.flip(0))]"
poison = Exercise(
    id="11.5", title="Poison the labels", answer="reads_labels", difficulty=2, minutes=4,
    stub=POISON + "    ...", solution_source=POISON_SOLUTION, check=check_poison,
    hints=(
        "Ask the method twice, the second time with wrong labels. What must be the same?",
        "Whoever only counts labels is not found by shuffling them: make them all alike. And compare logits exactly.",
        "return not torch.equal(method(episode, hidden), method(episode, torch.zeros_like(hidden))), or with every "
        "label in turn.",
    ),
    wrong=(
        (poison_wrong((POISONED, TURNED)), SHUFFLED),
        (poison_wrong((COMPARED, CHOICE)), CHOICES),
        (poison_wrong((POISONED, TURNED), (COMPARED, CHOICE)), f"{SHUFFLED}, {CHOICES}"),
        (poison_wrong((POISONED, "    after = [method(episode, hidden)]")), NOTHING),
        (poison_wrong((COMPARED, "    return any(each is not before for each in after)")), ALL),
    ),
    mutations=(
        (COMPARED, "    return any(torch.equal(before, each) for each in after)"),
        (POISONED, "    after = [method(episode, hidden.clone())]"),
        (COMPARED, "    return any((before - each).abs().max() > 0.1 for each in after)"),
    ))
