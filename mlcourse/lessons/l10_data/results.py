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
COUNTS = {10: "ten", 5: "five"}       # of made pictures of each class


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
    """Views and samples of the set VAE in the support set, on pixels and on features, each less as many hand-made
    views, which have a line for each number."""
    lines = [f"{'% right, 1-shot':22s}" + "".join(f"{f'on {on}':>{width}s}{'less as many views':>21s}"
                                                  for on, width in ((PIXELS, 11), (FEATURES, 13)))]
    for arm, made in ((ALONE, None), *((VIEWS, count) for count in COUNTS), (SET, None), (QUERY, None)):
        line = f"{arm if made is None else f'{arm}, {COUNTS[made]}':22s}"
        for on, width in ((PIXELS, 11), (FEATURES, 13)):
            gap = "" if arm in (ALONE, VIEWS) else against_views(rows, arm, on)
            line += f"{t_interval(study.values(rows, arm, on, SHOT, made).values()).text():>{width}s}{gap:>21s}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def against_views(rows: Sequence[dict], arm: str, on: str) -> str:
    """A generator less as many hand-made views, and how many they are."""
    count = study.as_many(rows, VIEWS, arm, on, SHOT)
    return f"{apart(rows, arm, VIEWS, on).text(sign=True)} ({COUNTS[count]})"
