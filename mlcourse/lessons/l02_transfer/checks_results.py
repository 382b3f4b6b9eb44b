"""Checks of lesson 02 on results: from how many labels on a source is no longer told to help, and which hurt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.exercises.entries import filled
from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, all_of, explain, look_at
from mlcourse.exercises.values import number

T5 = 2.776          # the 0.975 quantile of Student's t with 4 degrees of freedom, as the exercise gives it

# ---------------------------------------------------------------- 02.3

MEANS, UNPAIRED, FIRST, HURTS, NORMAL, OTHER_T, BIASED, LAST, NO_ROOT, LESS_TWICE, BY_N = (
    "the sign of the mean", "an unpaired interval", "the first failure, not the last", "from where it hurts",
    "1.96 for five seeds", "the t of another number of seeds", "the spread divided by n", "the last k that helps",
    "the spread of one seed", "one less than the count, twice", "divided by n, not by its root")

# the mean gain (points), how far five seeds lie around it, and how far the seeds lie apart
CURVES = (
    ((8.0, 5.0, 2.0, 0.5, -1.0), (1.0, 1.0, 0.5, 1.0, 1.0), 6.0),       # told apart at 3 ks, then no longer
    ((6.0, 0.3, 4.0, 1.2, 0.1), (1.0, 1.0, 0.8, 1.2, 1.0), 1.0),        # a dip in between
    ((9.0, 7.0, 6.0, 5.0, 4.0), (1.0, 1.0, 1.0, 1.0, 1.0), 8.0),        # helps to the end
    ((0.2, -0.4, -3.0, -4.0, -5.0), (1.5, 1.0, 0.5, 0.5, 0.5), 3.0),    # never helps
    ((5.0, 1.2, 1.13, 0.95, 0.8), (1.0, 1.0, 1.0, 1.0, 1.0), 0.5),        # between 1.96 and 2.776 standard errors
    ((6.0, 0.3, 0.2, 4.0, 0.1), (1.0, 1.0, 1.0, 0.8, 1.0), 2.0),        # a longer dip
    ((7.0, 4.0, 1.4, 0.4, 0.2), (1.0, 1.0, 1.0, 1.0, 1.0), 2.0),        # helps at 5, if sd is divided by √5
    ((7.0, 4.0, 1.3, 0.4, 0.2), (1.0, 1.0, 1.0, 1.0, 1.0), 2.0),        # and does not, if by √4
)
KS = (1, 2, 5, 10, 20)


def curves() -> list[tuple[dict[int, Tensor], dict[int, Tensor]]]:
    """For each of CURVES the accuracies (5,) by k with a source and without."""
    pattern = torch.tensor([-1.2, -0.6, 0.1, 0.5, 1.2], dtype=torch.float64)
    pattern = pattern / pattern.std()
    found = []
    for seed, (means, spreads, apart) in enumerate(CURVES):
        generator = torch.Generator().manual_seed(seed)
        mix = lambda: torch.randperm(5, generator=generator)
        without = {k: 60 + 2 * i + apart * torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0]).double() for i, k in enumerate(KS)}
        pairs = {k: (without[k] + mean + spread * pattern[mix()], without[k])
                 for k, mean, spread in zip(KS, means, spreads, strict=True)}
        found.append(({k: a for k, (a, _) in pairs.items()}, {k: b for k, (_, b) in pairs.items()}))
    return found


def crossover_of(with_source: Mapping[int, Tensor], without: Mapping[int, Tensor], test: str = "paired", t: float = T5,
                 by: int = 1, take: str = "no longer", root: float = 5**0.5) -> float:
    """The right crossover; the options are the known faults."""
    helps, hurts = {}, {}
    for k in with_source:
        gain = with_source[k] - without[k]
        half = t * float(gain.std(correction=by)) / root
        if test == "unpaired":
            half = t * float((with_source[k].var(correction=by) + without[k].var(correction=by)).sqrt()) / root
        if test == "means":
            half = 0.0
        helps[k], hurts[k] = float(gain.mean()) > half, float(gain.mean()) < -half
    ks = sorted(helps)
    if take == "first":
        return next((k for k in ks if not helps[k]), math.inf)
    if take == "two":
        return next((k for k, then in zip(ks, [*ks[1:], ks[-1]]) if not helps[k] and not helps[then]), math.inf)
    if take == "hurts":
        return next((k for k in ks if all(hurts[other] for other in ks if other >= k)), math.inf)
    if take == "last":
        return max((k for k in ks if helps[k]), default=ks[0])
    return next((k for k in ks if not any(helps[other] for other in ks if other >= k)), math.inf)


def crossovers(**faults) -> list[float]:
    """The crossovers of all curves."""
    return [crossover_of(*curve, **faults) for curve in curves()]


CROSSOVER_FAULTS = (
    (MEANS, {"test": "means"}, "a gain whose interval reaches down to 0 was counted as help; ask whether the whole "
     "interval lies above 0"),
    (UNPAIRED, {"test": "unpaired"}, "the interval is that of two unrelated groups; a seed does to both what it does, "
     "so take the difference within each seed first"),
    (FIRST, {"take": "first"}, "at a later k the source helps again; the crossover is the k from which on it never "
                               "does"),
    (FIRST, {"take": "two"}, "at a later k the source helps again, after a dip of two; the crossover is the k from "
     "which on it never does"),
    (HURTS, {"take": "hurts"}, "this is where the source begins to hurt; asked is where it ceases to help, which may "
                               "be earlier"),
    (LAST, {"take": "last"}, "this is the largest k at which the source helps; the crossover is the next one"),
    (NORMAL, {"t": 1.96}, "five values need Student's t, 2.776, in the place of 1.96"),
    (OTHER_T, {"t": 2.571}, "2.571 is the quantile for six values; five have four degrees of freedom, and 2.776"),
    (NO_ROOT, {"root": 1.0}, "2.776 sd is how far single seeds lie apart; the interval of their mean has sd / √5"),
    (LESS_TWICE, {"root": 2.0}, "the interval of the mean has sd / √5: .std() has divided by n - 1 already, and five "
     "seeds are five"),
    (BY_N, {"root": 5.0}, "the interval of the mean has sd / √5, not sd / 5"),
    (BIASED, {"by": 0}, "the standard deviation divides by n - 1, as .std() does by itself"),
)


def check_crossover(answer: object) -> str:
    """02.3: eight curves: one crosses, two have a dip, one helps to the end, one never, three are close calls."""
    crossover = LearnerFunction(answer, "crossover")
    got = []
    for curve in curves():
        copies = [{k: value.clone() for k, value in side.items()} for side in curve]
        got.append(number(crossover(*copies), "crossover must return one number"))
    if got != crossovers():
        explain(got, crossovers, CROSSOVER_FAULTS, lambda one, other: one == other)
        at = next(i for i, (a, b) in enumerate(zip(got, crossovers())) if a != b)
        gains = ", ".join(f"{mean:+g}" for mean in CURVES[at][0])
        raise NotYet(f"for mean gains of {gains} points at k = 1, 2, 5, 10 and 20 the crossover is "
                     f"{crossovers()[at]:g}, but "
                     f"you returned {got[at]:g}.")
    return "It pairs the seeds, passes over a dip, and says inf where the source helps to the end."



# ---------------------------------------------------------------- 02.5

VERDICTS = ("helps", "hurts", "open", "unfair")
WRONG_SIDE = ("the side of 0 taken the wrong way", "a gap is an error less an error, so below 0 the source helps and "
              "above 0 it hurts; yours is the other side")
FALSE_UNFAIR = ("one algorithm taken for two", "both sides of this one do the same; only the source differs. Judge its "
                "gap")


class Claim(NamedTuple):
    """What the study says of a source: with this arm, at k labels of each class, against `other` without a source. The
    side on which the gap's mean lies (none where there is no gap), the right verdict, and the misconception behind
    another one, with what to look at."""

    source: str
    arm: str
    other: str
    k: int
    side: str
    right: str
    name: str
    why: str

    def wrong(self, key: str, given: str) -> list[Misconception]:
        """What is behind a verdict; nothing where it is right."""
        if given == self.right:
            return []
        own = Misconception(self.name, look_at(key, self.why))
        if self.right == "unfair":
            return [own]
        if given == "unfair":
            return [Misconception(FALSE_UNFAIR[0], look_at(key, FALSE_UNFAIR[1]))]
        turned = Misconception(WRONG_SIDE[0], look_at(key, WRONG_SIDE[1]))
        if given in ("open", self.side):
            return [own]
        return [turned, own] if self.right == "open" else [turned]


CLAIMS = {
    "a": Claim("glyphs", "head on 4", "head on 4", 1, "helps", "helps", "a gain that is there, left open",
               "on which side of 0 does the gap lie, and what does Holm leave of it?"),
    "b": Claim("permuted", "fine-tuned", "fine-tuned", 1, "hurts", "open", "the sign of a mean taken for a difference",
               "where do the two ends of the gap's interval lie?"),
    "c": Claim("typeset", "fine-tuned", "fine-tuned", 1, "helps", "open", "one interval of many taken for a proof",
               "its own interval leaves out 0, and so do 9 of the 24, more than chance leaves; which of them is real, "
               "five seeds do not say: what does Holm leave of it?"),
    "d": Claim("inverted", "head on 1", "head on 1", 20, "hurts", "open", "one interval of many taken for a proof",
               "its own interval leaves out 0, and so do 8 of the 24, more than chance leaves; which of them is real, "
               "five seeds do not say: what does Holm leave of it?"),
    "e": Claim("permuted", "head on 4", "fine-tuned", 10, "", "unfair", "two algorithms taken for two sources",
               "one side solves a head on four frozen blocks, the other trains everything: the algorithm differs as "
               "well as the source"),
}


def check_verdicts(answer: object) -> str:
    """02.5: what the gaps bear out after Holm, and which comparison is none."""
    given = filled(answer, dict.fromkeys(CLAIMS, VERDICTS))
    if wrong := [each for key, claim in CLAIMS.items() for each in claim.wrong(key, given[key])]:
        raise all_of(wrong)
    return "Four verdicts are those of a paired gap and its p-value after Holm; e compares two algorithms."
