"""What lesson 10 reads from the rows of `mlcourse study making`, on features of Omniglot's drawings."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l10_data import study_making_results as study
from mlcourse.lessons.l10_data.study_making_arms import (ALONE, BOUND, FAKE, FEATURES, GAN, MIXUP, QUERY, RULE, SEEN, SET,
                                                        VIEWS)
from mlcourse.statistics import Estimate, paired_difference, t_interval

SUPPORTS, BODIES = (ALONE, VIEWS, SET, QUERY, GAN, RULE, BOUND), (SEEN, MIXUP, FAKE)
SHOTS = (1, 5)
OWN = (RULE, BOUND)         # the set VAE is the classifier


def apart(rows: Sequence[dict], one: str, other: str, shot: int) -> Estimate:
    """The accuracy of `one` less that of `other`, in points, paired over seeds. Made pictures are compared with as many
    hand-made views. Raises ValueError for a name that is no arm."""
    for name in (one, other):
        if name not in SUPPORTS + BODIES:
            raise ValueError(f"there is no arm {name!r}; the arms are {'; '.join(SUPPORTS + BODIES)}")
    if not {one, other} & {*BODIES, *OWN}:
        return study.gain(rows, one, other, FEATURES, shot)
    return paired_difference(*(by_seed(rows, name, shot) for name in (one, other)))


def by_seed(rows: Sequence[dict], arm: str, shot: int) -> dict[int, float]:
    """{seed: accuracy in per cent} of any arm."""
    if arm in BODIES:
        return study.trained(rows, arm, shot)
    return study.values(rows, arm, "own" if arm in OWN else FEATURES, shot)


def table(rows: Sequence[dict]) -> str:
    """Every arm, 1-shot and 5-shot, and less as many hand-made views; those that train the body otherwise, and are judged
    on supports alone, less the body as it is."""
    lines = [f"{'% right':24s}{'1-shot':>12s}{'5-shot':>12s}{'less views, 1-shot':>21s}"]
    lines += [_line(rows, arm, VIEWS) for arm in SUPPORTS]
    lines += [f"{'supports alone, trained':45s}{'less support alone':>24s}"]
    return "\n".join(lines + [_line(rows, arm, ALONE) for arm in BODIES])


def _line(rows: Sequence[dict], arm: str, over: str) -> str:
    """An arm as a line of the table."""
    one, five = (t_interval(by_seed(rows, arm, shot).values()).text() for shot in SHOTS)
    gap = "" if arm == over else apart(rows, arm, over, 1).text(sign=True)
    return f"{arm:24s}{one:>12s}{five:>12s}{gap:>21s}".rstrip()


def samples(rows: Sequence[dict], shot: int = 5) -> str:
    """What the pictures of each generator are, made from `shot` drawings, beside other real drawings."""
    lines = [f"{f'made from {shot} drawings':22s}{'recognised %':>14s}{'to the nearest shown':>22s}{'to each other':>16s}"]
    fields = ("recognised", "near", "apart")
    for arm in (VIEWS, SET, QUERY, GAN):
        lines.append(_sample_line(arm, *(study.sample(rows, arm, f"{field}_sharp", shot) for field in fields)))
    return "\n".join([*lines, _sample_line("real drawings", *(study.sample(rows, SET, f"{field}_real", shot)
                                                              for field in fields))])


def _sample_line(name: str, recognised: Estimate, near: Estimate, apart: Estimate) -> str:
    """A line of `samples`."""
    return f"{name:22s}{recognised.text():>14s}{near.text(2):>22s}{apart.text(2):>16s}"
