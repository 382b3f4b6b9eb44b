"""The check of lesson 11 on whether the labels of a pool are read."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, all_of
from mlcourse.exercises.values import number

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


def asked(method: Callable) -> Callable:
    """The method under a name that tells nothing; it refuses classes that do not exist."""
    def answers(episode: Tensor, hidden: Tensor) -> Tensor:
        if bool(((hidden < 0) | (hidden > WAY)).any()):
            raise ValueError(f"method was asked with classes {int(hidden.min())} to {int(hidden.max())}; its logits "
                             f"have N = {WAY} columns here, so that classes go from 0 to {WAY}")
        return method(episode, hidden)

    return answers


def check_poison(answer: object) -> str:
    """11.4: six methods, of which four read the labels."""
    reads = LearnerFunction(answer, "reads_labels")
    generator = torch.Generator().manual_seed(0)
    episode = torch.randn(QUERIES, WAY, generator=generator)
    hidden = torch.arange(WAY + 1).repeat(EACH)
    said = []
    for method in METHODS:
        given, labels = episode.clone(), hidden.clone()
        found = number(reads(asked(method), given, labels), "reads_labels must return True or False")
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
