"""What lesson 10 reads from the rows of `mlcourse study making`: 5-way 1-shot on Omniglot's test alphabets."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l10_data import study_making_results as study
from mlcourse.lessons.l10_data.study_making_arms import (ALONE, BOUND, FAKE, FEATURES, GAN, MIXUP, PIXELS, QUERY, RULE,
                                                         SEEN, SET, VIEWS)
from mlcourse.statistics import Estimate, paired_difference, t_interval

MADE, ITSELF, BODIES = (ALONE, VIEWS, SET, QUERY, GAN), (RULE, BOUND), (SEEN, MIXUP, FAKE)
ARMS = MADE + ITSELF + BODIES
SHOT = 1


def apart(rows: Sequence[dict], one: str, other: str, on: str) -> Estimate:
    """The accuracy of `one` less that of `other`, in points, paired over seeds. Made pictures are compared with as many
    hand-made views. on: "pixels" or "features", what the ridge regression sees.

    Raises ValueError for a name that is no arm, and for features that were trained otherwise "on pixels".
    """
    for name in (one, other):
        if name not in ARMS:
            raise ValueError(f"there is no arm {name!r}; the arms are {'; '.join(ARMS)}")
    if on not in (PIXELS, FEATURES):
        raise ValueError(f"a ridge regression is on {PIXELS!r} or {FEATURES!r}, got {on!r}")
    if {one, other} <= {*MADE}:
        return study.gain(rows, one, other, on, SHOT)
    return paired_difference(*(by_seed(rows, name, on) for name in (one, other)))


def by_seed(rows: Sequence[dict], arm: str, on: str) -> dict[int, float]:
    """{seed: accuracy in per cent} of any arm. Raises ValueError for trained features on pixels."""
    if arm in BODIES:
        if on != FEATURES:
            raise ValueError(f"{arm!r} trains features, so it is on {FEATURES!r}")
        return study.trained(rows, arm, SHOT)
    return study.values(rows, arm, "own" if arm in ITSELF else on, SHOT)


def table(rows: Sequence[dict]) -> str:
    """Made pictures in the support set, on pixels and on features, each less as many hand-made views."""
    lines = [f"{'% right, 1-shot':21s}{'on pixels':>11s}{'less as many':>14s}{'on features':>13s}{'less as many':>14s}"]
    for arm in MADE:
        line = f"{arm:21s}"
        for on, width in ((PIXELS, 11), (FEATURES, 13)):
            gap = "" if arm == VIEWS else apart(rows, arm, VIEWS, on).text(sign=True)
            line += f"{mean(rows, arm, on):>{width}s}{gap:>14s}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def mean(rows: Sequence[dict], arm: str, on: str) -> str:
    """The mean over seeds with its interval."""
    return t_interval(by_seed(rows, arm, on).values()).text()


def samples(rows: Sequence[dict]) -> str:
    """What views and samples are in the form in which they join a support set, made from one drawing and from five, beside
    another real drawing."""
    cells = lambda arm, end: [study.sample(rows, arm, f"{field}{end}", shot).text(digits)
                              for field, digits in (("recognised", 1), ("near", 2)) for shot in (1, 5)]
    lines = [f"{'':18s}{'recognised, %':>20s}{'to the nearest shown':>31s}",
             f"{'':18s}" + "".join(f"{each:>{width}s}" for each, width in
                                  (("from 1", 12), ("from 5", 12), ("from 1", 15), ("from 5", 15)))]
    for name, arm, end in ((VIEWS, VIEWS, ""), (SET, SET, ""), ("another real one", SET, "_real")):
        lines.append(f"{name:18s}" + "".join(f"{cell:>{width}s}" for cell, width in
                                             zip(cells(arm, end), (12, 12, 15, 15), strict=True)))
    return "\n".join(lines)
