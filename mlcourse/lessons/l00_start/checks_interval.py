"""Checks of lesson 00: an interval around a score, and what an interval lets one say."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.exercises.by_hand import by_hand
from mlcourse.exercises.entries import filled
from mlcourse.exercises.framework import Misconception, NotYet, all_of, explain, look_at
from mlcourse.exercises.values import numbers

EPISODES = (50, 200, 800)


def drawn() -> list[Tensor]:
    """Accuracies of some episodes of 25 queries each, float32."""
    generator = torch.Generator().manual_seed(0)
    return [(0.6 + 0.15 * torch.randn(n, generator=generator)).mul(25).round().clamp(0, 25) / 25 for n in EPISODES]


def check_interval(answer: object) -> str:
    """00.4: mean ± 1.96 sd/√n of several lists of scores."""
    with by_hand(answer, "interval") as interval:
        sentence = "interval must return two numbers, the mean and the half-width"
        got = torch.tensor([numbers(interval(scores.clone()), 2, sentence) for scores in drawn()], dtype=torch.float64)
        by_n = same(got, intervals(correction=0))
        if not by_n and not same(got, intervals()):
            explain(got, intervals, INTERVAL_FAULTS, same)
            (mean, half), (first, second) = intervals()[0].tolist(), got[0].tolist()
            raise NotYet(f"for {EPISODES[0]} scores with mean {mean:.3f} and standard deviation "
                         f"{float(drawn()[0].std()):.3f} the half-width is {half:.4f}, but you returned ({first:.4g}, "
                         f"{second:.4g}).")
    right = f"Mean and half-width are right for {', '.join(map(str, EPISODES[:-1]))} and {EPISODES[-1]} scores."
    return f"{right} Your sd divides by n; scores.std() divides by n - 1, and is a little larger." if by_n else right


def same(got: Tensor, value: Tensor) -> bool:
    """Equal but for the rounding of float32."""
    return torch.allclose(got, value, rtol=1e-4, atol=1e-6)


def intervals(correction: int = 1, spread: str = "sd", over: str = "root", factor: float = 1.96,
              form: str = "half") -> Tensor:
    """(mean, half-width) for each of `drawn`, (3, 2); the options are the known faults."""
    rows = []
    for scores in drawn():
        scores = scores.double()
        mean, sd, n = scores.mean(), scores.std(correction=correction), len(scores)
        half = factor * (sd if spread == "sd" else sd**2) / {"root": n**0.5, "n": n, "nothing": 1}[over]
        rows.append({"half": (mean, half), "full": (mean, 2 * half), "ends": (mean - half, mean + half),
                     "swapped": (half, mean)}[form])
    return torch.tensor(rows, dtype=torch.float64)


INTERVAL_FAULTS = (
    ("the spread of single scores", {"over": "nothing"}, "1.96 standard deviations say where single episodes lie; the "
     "mean of n episodes is surer by the root of n, so divide by √n"),
    ("n in place of its root", {"over": "n"}, "the standard deviation of a mean shrinks with the root of n: four times "
     "the episodes halve it"),
    ("variance in place of the standard deviation", {"spread": "variance"}, "the formula has sd, the root of the "
     "variance"),
    ("one standard error", {"factor": 1.0}, "sd/√n is one standard error, which holds the mean in about 68 of 100 "
     "repetitions; 95 of 100 need 1.96 of them"),
    ("2 in place of 1.96", {"factor": 2.0}, "2 is 1.96 rounded up; take 1.96 here"),
    ("the whole width", {"form": "full"}, "the half-width is the distance from the mean to one end"),
    ("the ends in place of mean and half-width", {"form": "ends"}, "you returned the two ends, mean - half and mean + "
     "half; return the mean and the half-width"),
    ("mean and half-width swapped", {"form": "swapped"}, "the mean comes first"),
)

CLAIMS = {"a": "no", "b": "no", "c": "yes", "d": "no", "e": "yes"}
CLAIM_MISCONCEPTIONS = {
    "a": ("one more right answer taken for a better player",
          "9 of 10 has the interval 60 to 98 % and 8 of 10 has 49 to 94 %; one answer more or less is what chance "
          "does"),
    "b": ("no difference seen taken for no difference",
          "ten answers are too few to see one; two intervals that overlap show neither a difference nor equality"),
    "c": ("a paired difference not trusted",
          "both answered the same episodes, and the interval of the difference, 9 to 15 points, lies wholly above 0"),
    "d": ("an interval taken beyond what was drawn",
          "it speaks of other episodes of the same drawings; inverted drawings are another domain, of which it knows "
          "nothing"),
    "e": ("the width not tied to the number of episodes",
          "half = 1.96 sd/√n: four times the episodes, half the width"),
}


def check_claims(answer: object) -> str:
    """00.5: five sentences about results, each allowed by its interval or not."""
    given = filled(answer, dict.fromkeys(CLAIMS, ("yes", "no")))
    if wrong := [key for key in CLAIMS if given[key] != CLAIMS[key]]:
        raise all_of([Misconception(name, look_at(key, why)) for key in wrong
                      for name, why in [CLAIM_MISCONCEPTIONS[key]]])
    return "An interval covers what was drawn anew, and a difference is claimed from a paired one."
