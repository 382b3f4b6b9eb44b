"""Checks of lesson 01 on the remedy: importance weights from a discriminator, and what paired intervals bear out."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.exercises.entries import VERDICTS, filled
from mlcourse.exercises.framework import LearnerFunction, NotYet, explain
from mlcourse.exercises.values import DIGITS, tensor
from mlcourse.lessons.l01_domains.checks import refuse

TURNED_RATIO, BARE_SHARE = "home over away", "a probability and no ratio"
NO_SIZES, SWAPPED_SIZES, SCALED = "the sizes are forgotten", "the sizes are swapped", "scaled"
SIZES = ((40, 40), (300, 100), (50, 250))       # home and away samples that the discriminator was trained on


def shares(seed: int) -> Tensor:
    """Probabilities (6,) float64 that home samples are away samples: anything from a few per cent to nearly 1."""
    return 0.02 + 0.96 * torch.rand(6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def check_weights(answer: object) -> str:
    """01.5: weights for sides of equal and of different sizes."""
    importance_weights = LearnerFunction(answer, "importance_weights")
    shape = "importance_weights must return a tensor of the shape of p_away, (6,)"
    got = torch.stack([tensor(importance_weights(shares(seed), *sizes), (6,), shape)
                       for seed, sizes in enumerate(SIZES)])
    if not same(got, ratios()):
        explain(got, ratios, WEIGHT_FAULTS, same)
        p, (home, away) = float(shares(1)[0]), SIZES[1]
        raise NotYet(f"where the discriminator, trained on {home} home and {away} away samples, says {p:.3f}, the "
                     f"weight is {float(ratios()[1, 0]):.3f}, but you returned {float(got[1, 0]):.3f}.")
    return f"It gives the ratio of the densities for sides of {len(SIZES)} pairs of sizes."


def same(one: Tensor, other: Tensor) -> bool:
    """Whether two tables of weights agree, to the digits of float32."""
    return torch.allclose(one, other, rtol=100 * DIGITS, atol=0)


def ratios(of: str = "odds", sizes: str = "both", last: str = "as it is") -> Tensor:
    """The weights (3, 6) in the cases of SIZES; the options are the known faults."""
    found = []
    for seed, (home, away) in enumerate(SIZES):
        p = shares(seed)
        value = {"odds": p / (1 - p), "turned": (1 - p) / p, "share": p}[of]
        value = value * {"both": home / away, "none": 1.0, "swapped": away / home}[sizes]
        found.append(value / {"as it is": 1.0, "sum 1": value.sum(), "mean 1": value.mean()}[last])
    return torch.stack(found)


WEIGHT_FAULTS = (
    (TURNED_RATIO, {"of": "turned", "sizes": "swapped"}, "this is P_home over P_away: samples that are typical of home "
     "would count most; those that are typical of away should"),
    (TURNED_RATIO, {"of": "turned"}, "the odds are those of home; samples that are typical of away should count most"),
    (TURNED_RATIO, {"of": "turned", "sizes": "none"}, "these are the odds of home, without the sizes; samples that are "
     "typical of away should count most"),
    (BARE_SHARE, {"of": "share"}, "a probability is no ratio of densities: a sample that is three times as likely away "
     "has p = 3/4 and the weight 3, for sides of equal size"),
    (BARE_SHARE, {"of": "share", "sizes": "none"}, "the probability itself came back: a sample that is three times as "
     "likely away has p = 3/4 and the weight 3, for sides of equal size"),
    (NO_SIZES, {"sizes": "none"}, "with three times as many home samples a discriminator calls everything home more "
     "often, and the odds are a third of the ratio; multiply by n_home / n_away"),
    (SWAPPED_SIZES, {"sizes": "swapped"}, "the sizes stand the wrong way round: with few away samples in the training "
     "the odds of away are too small, so they must grow, by n_home / n_away"),
    (SCALED, {"last": "sum 1"}, "these weights add up to 1; the ratio itself is asked for"),
    (SCALED, {"last": "mean 1"}, "these weights have the mean 1; the ratio itself is asked for"),
)


class Verdict(NamedTuple):
    """What a paired interval says of a claim, and for each other answer the misconception and what to look at."""

    right: str
    others: dict[str, tuple[str, str]]


FEW = "the plain line did well there, and the weights left few points in effect"
NO_LOSS = ("an interval that includes 0 taken for a loss", "the interval of the paired difference includes 0")
CLAIMS = {
    "a": Verdict("yes", {
        "open": ("a gain that is there, left open", "the interval of the paired difference lies far above 0"),
        "no": ("a gain called a loss", "the interval lies far above 0; take weighted less plain")}),
    "b": Verdict("no", {
        "yes": ("weights taken for a remedy everywhere", f"the interval lies below 0: {FEW}"),
        "open": ("a loss that is there, left open", f"the interval of the paired difference lies below 0: {FEW}")}),
    "c": Verdict("open", {
        "yes": ("weights taken to mend a label shift", "the interval of the paired difference includes 0: a label "
                "shift changes P(y|x), too, and weights of x leave that as it was at home"),
        "no": NO_LOSS}),
    "d": Verdict("open", {
        "yes": ("an interval that includes 0 taken for a gain", "the interval of the paired difference includes 0"),
        "no": NO_LOSS}),
}


def check_verdicts(answer: object) -> str:
    """01.6: what paired intervals bear out."""
    given = filled(answer, dict.fromkeys(CLAIMS, VERDICTS))
    refuse({key: claim.others[given[key]] for key, claim in CLAIMS.items() if given[key] != claim.right})
    return ("Each verdict is that of a paired interval. Label and concept shift change P(y|x), which no weight of x "
            "mends: c and d stay open.")
