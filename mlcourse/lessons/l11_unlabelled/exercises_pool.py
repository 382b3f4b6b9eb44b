"""The exercise of lesson 11 on whether the labels of a pool are read."""

from __future__ import annotations

from mlcourse.exercises.framework import IN_PLACE, Exercise, edited
from mlcourse.lessons.l11_unlabelled.checks_pool import (ALL, KEPT, LITTLE, NOTHING, SHUFFLED, TURNED,
                                                         check_poison)

POISON = '''\
def reads_labels(method, episode, hidden):
    """Whether a method's answers depend, however little, on labels that it must not use.

    method(episode, hidden): logits (Q, N) for the queries of the episode
    hidden (U,) int64: the classes of the pool, 0 to N - 1, and N for a distractor; N is the
    number of the logits' columns, not always 5
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
ROLLED = "    after = [method(episode, hidden.roll(1)), method(episode, hidden.flip(0))]"
poison = Exercise(
    id="11.4", title="Poison the labels", answer="reads_labels", difficulty=2, minutes=4,
    stub=POISON + "    ...", solution_source=POISON_SOLUTION, check=check_poison,
    hints=(
        "Ask the method twice, the second time with wrong labels. What must be the same?",
        "Whoever only counts labels is not found by shuffling them: make them all alike. And compare logits exactly.",
        "before = method(episode, hidden); then any(not torch.equal(before, method(episode, torch.full_like(hidden, "
        "n))) for n in range(before.shape[1] + 1)): every label from 0 to N in turn.",
    ),
    wrong=(
        (poison_wrong((POISONED, ROLLED)), SHUFFLED),
        (poison_wrong((COMPARED, CHOICE)), LITTLE),
        (poison_wrong((COMPARED, "    return any(not torch.allclose(before, each) for each in after)")), LITTLE),
        (poison_wrong((POISONED, ROLLED), (COMPARED, CHOICE)), f"{SHUFFLED}, {LITTLE}"),
        *((poison_wrong((POISONED, f"    after = [method(episode, {labels})]")), KEPT) for labels in (
            "torch.zeros_like(hidden)", "torch.full_like(hidden, before.shape[1])", "(hidden + 1) % before.shape[1]",
            "torch.randint(0, before.shape[1], hidden.shape)")),
        (poison_wrong((POISONED, "    after = [method(episode, hidden)]")), NOTHING),
        (poison_wrong((COMPARED, "    return any(each is not before for each in after)")), ALL),
        (poison_wrong((COMPARED, "    return all(torch.equal(before, each) for each in after)")), TURNED),
        (poison_wrong((POISONED, "    after = [method(episode, hidden.fill_(0))]")), IN_PLACE),
    ),
    mutations=(
        (COMPARED, "    return any(torch.equal(before, each) for each in after)"),
        (POISONED, "    after = [method(episode, hidden.clone())]"),
        (COMPARED, "    return any((before - each).abs().max() > 0.1 for each in after)"),
    ))
