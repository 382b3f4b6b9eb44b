"""The exercises of lesson 11 on the mask of a pool, and on whether its labels are read."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l11_unlabelled.checks import CUT
from mlcourse.lessons.l11_unlabelled.checks_pool import (ALL, CHOICES, NOTHING, OVERWRITTEN, SHUFFLED, check_mask,
                                                          check_poison)

# ---------------------------------------------------------------- 11.3

MASK = '''\
def mask(u, c, threshold, steepness):
    """How much each unlabelled drawing may count for each class.

    u (U, D): features of the unlabelled drawings; c (N, D): the prototypes
    threshold, steepness (N,): one of each for every prototype, positive
    Returns m (U, N), a tensor that gradients flow through.
    """
'''
FAR = "    d = ((u[:, None] - c) ** 2).sum(2)"
RELATIVE = "    d = d / d.mean(0)"
SIGMOID = "    return torch.sigmoid(steepness * (threshold - d))"
MASK_SOLUTION = MASK + "\n".join((FAR, RELATIVE, SIGMOID))


def mask_wrong(*edits: tuple[str, str]) -> str:
    """A wrong mask: the solution with edits."""
    return edited(MASK_SOLUTION, *edits)


mask = Exercise(
    id="11.3", title="What may count", answer="mask", difficulty=2, minutes=4,
    stub=MASK + "    ...", solution_source=MASK_SOLUTION, check=check_mask,
    hints=(
        "Three lines: squared distances (U, N), each column over its mean, and the sigmoid.",
        "d = ((u[:, None] - c) ** 2).sum(2) has a column for each prototype; d.mean(0) are the columns' means.",
        "After d = d / d.mean(0), return torch.sigmoid(steepness * (threshold - d)).",
    ),
    wrong=(
        (mask_wrong((RELATIVE, "    d = d / d.mean()")), "one mean for all prototypes"),
        (mask_wrong((RELATIVE, "    d = d / d.mean(1, keepdim=True)")), "the mean over the prototypes"),
        (mask_wrong((RELATIVE + "\n", "")), "not divided by the mean"),
        (mask_wrong((FAR, "    d = ((u[:, None] - c) ** 2).sum(2).sqrt()")), "the length, not its square"),
        (mask_wrong(("threshold - d", "d - threshold")), "what lies far counts"),
        (mask_wrong(("steepness * (threshold - d)", "(threshold - d) / steepness")), "the steepness as a temperature"),
        (mask_wrong(("steepness * (threshold - d)", "threshold - steepness * d")),
         "the steepness on the distance alone"),
        (mask_wrong(("torch.sigmoid(", "("), ), "no sigmoid"),
        (mask_wrong(("steepness * (", "steepness.detach() * (")), CUT),
        (mask_wrong(("threshold - d", "d - threshold"), (RELATIVE + "\n", "")),
         "not divided by the mean, what lies far counts"),
    ),
    mutations=(
        (FAR, "    d = ((u[:, None] - c) ** 2).sum(2) + 1"),
        (RELATIVE, "    d = d / d.amax(0)"),
        (SIGMOID, "    return torch.sigmoid(steepness * (threshold - d)) ** 2"),
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
        (poison_wrong((POISONED, "    after = [method(episode, hidden.fill_(0))]")), OVERWRITTEN),
    ),
    mutations=(
        (COMPARED, "    return any(torch.equal(before, each) for each in after)"),
        (POISONED, "    after = [method(episode, hidden.clone())]"),
        (COMPARED, "    return any((before - each).abs().max() > 0.1 for each in after)"),
    ))
