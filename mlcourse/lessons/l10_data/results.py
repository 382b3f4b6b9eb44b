"""What lesson 10 reads from the rows of `mlcourse study making`, on features of Omniglot's drawings."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l10_data import study_making_results as study
from mlcourse.lessons.l10_data.study_making_arms import ALONE, FAKE, FEATURES, GAN, MIXUP, QUERY, RULE, SEEN, SET, VIEWS
from mlcourse.statistics import Estimate, paired_difference

SUPPORTS, BODIES = (ALONE, VIEWS, SET, QUERY, GAN, RULE), (SEEN, MIXUP, FAKE)
SHOTS = (1, 5)


def apart(rows: Sequence[dict], one: str, other: str, shot: int) -> Estimate:
    """The accuracy of `one` less that of `other`, in points, paired over seeds. Made pictures are compared with as many
    hand-made views. Raises ValueError for a name that is no arm."""
    for name in (one, other):
        if name not in SUPPORTS + BODIES:
            raise ValueError(f"there is no arm {name!r}; the arms are {'; '.join(SUPPORTS + BODIES)}")
    if one in BODIES or other in BODIES:
        return paired_difference(*(by_seed(rows, name, shot) for name in (one, other)))
    return study.gain(rows, one, other, FEATURES, shot)


def by_seed(rows: Sequence[dict], arm: str, shot: int) -> dict[int, float]:
    """{seed: accuracy in per cent} of any arm."""
    return study.trained(rows, arm, shot) if arm in BODIES else study.values(rows, arm, FEATURES, shot)
