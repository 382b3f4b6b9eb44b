"""A source and a target for tests of the transfer study, and a budget of a few steps."""

from dataclasses import replace

from tiny import patterns

from mlcourse.studies.transfer.seed import Budget
from mlcourse.studies.transfer.setting import setting

KS = (0, 1, 2)


def pair(ks=KS, per_class=24):
    """Patterns, and the same patterns inverted, as source and target."""
    source = patterns(0, classes=3, per_class=per_class)
    target = replace(patterns(0, classes=3, per_class=per_class), name="inverted")
    return setting([source], replace(target, images=255 - target.images), ks)


QUICK = Budget(width=4, source=3, align=2, meta=2, view=1, judge=2, generator=2, tune_steps=2, tune_epochs=1, draws=2)
