"""The check of lesson 11 on whether the labels of a pool are read."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, all_of
from mlcourse.exercises.values import number

QUERIES, WAY = 4, 3
POOLS = (           # the hidden classes: each and distractors as often, no distractors, distractors alone
    10 * (0, 1, 2, 3), 4 * (2, 0, 1, 0, 0, 1), 8 * (3,))
MIXED, CLEAN, STRANGE = range(len(POOLS))
NOTHING, ALL, TURNED = "nothing is called a leak", "everything is called a leak", "True and False are exchanged"
SHUFFLED, LITTLE = "shuffled labels keep their counts", "a small change is let pass"
KEPT = "the same drawings stay distractors"


def honest(episode: Tensor, hidden: Tensor) -> Tensor:
    """Never looks at the labels."""
    return episode.clone()


def pooled(episode: Tensor, hidden: Tensor) -> Tensor:
    """Uses how large the pool is, which everybody may see."""
    return episode * (1 + len(hidden))


def filters(episode: Tensor, hidden: Tensor) -> Tensor:
    """Leaves the distractors out."""
    places = torch.arange(len(hidden))
    return episode + ((hidden < WAY) * places).to(episode) @ torch.eye(WAY).to(episode)[places % WAY]


def copies(episode: Tensor, hidden: Tensor) -> Tensor:
    """Uses the labels as labels."""
    return episode + 5 * torch.nn.functional.one_hot(hidden, WAY + 1)[:QUERIES, :WAY]


def counts(episode: Tensor, hidden: Tensor) -> Tensor:
    """Uses how many of each class there are."""
    return episode + 5 * torch.bincount(hidden, minlength=WAY + 1)[:WAY]


def faintly(episode: Tensor, hidden: Tensor) -> Tensor:
    """Uses them so little that no first choice changes, and no logit by more than a few millionths of itself."""
    places = 1 + torch.arange(len(hidden))
    return episode * (1 + 1e-6 * (hidden * places).double().sum() / places.sum())


HONEST, READERS = (honest, pooled), (filters, copies, counts, faintly)
Found = dict[Callable, tuple[bool, ...]]        # of each method, whether it was called a leak on each of POOLS


def faults_of(found: Found) -> list[Misconception]:
    """The mistakes that lead to such answers; none where they are right, or nothing explains them."""
    accused, caught = (all(all(found[method]) for method in methods) for methods in (HONEST, READERS))
    cleared, missed = (not any(any(found[method]) for method in methods) for methods in (HONEST, READERS))
    if cleared and missed:
        return [Misconception(NOTHING, "compare the answers with the labels as they are and with other ones; where "
                                       "they differ, the labels were read.")]
    if accused and missed:
        return [Misconception(TURNED, "a method that never looks at hidden was accused, and those that look were not.")]
    if accused and caught:
        return [Misconception(ALL, "a method that never looks at hidden was accused.")]
    if not cleared:
        return []
    faults = []
    if not found[counts][MIXED]:
        faults.append((SHUFFLED, "a method that uses how many of each class there are was not found; poison with "
                                 "labels in other numbers, such as all the same"))
    elif not all(found[filters]):
        faults.append((KEPT, "a method that leaves out distractors was not found in a pool without any, or of nothing "
                             "else, where the poison lets them be; poison with every label from 0 to N in turn"))
    if not found[faintly][MIXED]:
        faults.append((LITTLE, "a method that changes its logits in the sixth digit, and no first choice, was not "
                               "found; compare the logits, not their argmax, and exactly, as torch.equal does"))
    return [Misconception(name, f"{why}.") for name, why in faults]


def asked(method: Callable) -> Callable:
    """The method under a name that tells nothing; it refuses classes that do not exist."""
    def answers(episode: Tensor, hidden: Tensor) -> Tensor:
        if bool(((hidden < 0) | (hidden > WAY)).any()):
            raise ValueError(f"method was asked with classes {int(hidden.min())} to {int(hidden.max())}; its logits "
                             f"have N = {WAY} columns here, so that classes go from 0 to {WAY}")
        return method(episode, hidden)

    return answers


def check_poison(answer: object) -> str:
    """11.4: six methods, of which four read the labels, on three pools."""
    reads = LearnerFunction(answer, "reads_labels", because="whoever comes next finds it poisoned")
    episode = torch.randn(QUERIES, WAY, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = {method: tuple(called(reads, method, episode, torch.tensor(pool)) for pool in POOLS)
             for method in HONEST + READERS}
    if faults := faults_of(found):
        raise all_of(faults)
    for method, said in found.items():
        if any(each != (method in READERS) for each in said):
            raise NotYet(f"wrong about a method that does this: {method.__doc__.rstrip('.').lower()}.")
    return "Four methods that read labels are found in every pool, and two that do not are left alone."


def called(reads: LearnerFunction, method: Callable, episode: Tensor, hidden: Tensor) -> bool:
    """Whether the learner's test calls a method a leak. Raises where it answers neither True nor False."""
    said = number(reads(asked(method), episode, hidden), "reads_labels must return True or False")
    if said not in (0, 1):
        raise NotYet(f"reads_labels must return True or False, got {said:g}.")
    return bool(said)
