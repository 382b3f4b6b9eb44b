"""The first explorer of lesson 11: what is in the unlabelled pool, and where it pulls the prototypes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import ipywidgets
import numpy as np

from mlcourse.lessons.l11_unlabelled import pool
from mlcourse.lessons.l11_unlabelled.pool import ALONE, EACH, MOST, OTHERS, OWN, RULES, SOFT, WAY
from mlcourse.lessons.l11_unlabelled.scene_pool import PoolScene
from mlcourse.statistics import Estimate, interval
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled

SHOWN = 12          # episodes to look at
OPENING, EVERY = (SOFT,), tuple(rule for rule in RULES if rule != ALONE)


class PoolRecord(NamedTuple):
    """One setting. rule, others, commonest, way: the controls. places (U, 2), owner (U,): the pool in the plane, and
    whose drawings they are, WAY for other classes. labelled, now (WAY, 2): the labelled drawings and the prototypes.
    right: by rule, the accuracy in per cent over all episodes; gain: of the rule less the labelled alone, in points."""

    rule: str
    others: int
    commonest: int
    way: float
    places: np.ndarray
    owner: np.ndarray
    labelled: np.ndarray
    now: np.ndarray
    right: dict[str, Estimate]
    gain: Estimate


class PoolDials(Explorer):
    """Choose what is in the unlabelled pool, and let the prototypes glide to where it pulls them.

    rules: those to choose among and compare, a tuple of keys of `pool.RULES`.

        PoolDials()
        PoolDials(rules=EVERY)
    """

    def __init__(self, *, rules: Sequence[str] = OPENING):
        self.rules = tuple(rules)
        integer = lambda value, low, high, name: ipywidgets.IntSlider(value=value, min=low, max=high, description=name,
                                                                      **CONTROL)
        controls = {
            "others": integer(0, 0, OTHERS, "other classes"),
            "commonest": integer(OWN // WAY, OWN // WAY, MOST, f"one class: of {OWN}"),
            "way": ipywidgets.FloatSlider(value=1.0, min=0.0, max=1.0, step=0.1, readout_format=".1f",
                                          description="prototypes' way", **CONTROL),
            "episode": integer(1, 1, SHOWN, "episode shown"),
        }
        panel = columns(list(controls.values()), 2)
        if len(self.rules) > 1:
            controls["rule"] = ipywidgets.ToggleButtons(options=list(self.rules), value=SOFT,
                                                        style={"button_width": "9.5em"})
            panel = ipywidgets.VBox([labelled("rule", controls["rule"]), panel])
        super().__init__(PoolScene((ALONE, *self.rules)), controls, panel)

    def compute(self, *, others: int, commonest: int, way: float, episode: int, rule: str = SOFT) -> PoolRecord:
        at, drawn = episode - 1, pool.pools(others, commonest)
        moved = lambda name: drawn.z + way * (pool.prototypes(name, others, commonest) - drawn.z)
        right = {name: pool.right(moved(name)) for name in (ALONE, *self.rules)}
        middle, directions = pool.plane(at)
        flat = lambda z: ((z - middle) @ directions).numpy()
        everywhere = flat(pool.drawn()[at].flatten(0, 1))
        low, high = everywhere.min(0), everywhere.max(0)
        places = lambda z: 2 * (flat(z) - low) / (high - low) - 1
        return PoolRecord(rule, others, commonest, way, places(drawn.u[at]), drawn.owner.clamp(max=WAY).numpy(),
                          places(drawn.z[at]), places(moved(rule)[at]),
                          {name: interval(values) for name, values in right.items()},
                          interval(right[rule] - right[ALONE]))

    def headline(self, record: PoolRecord) -> str:
        far = "" if record.way == 1 else f", {record.way:g} of the way,"
        who = "The pool" if len(self.rules) == 1 else f"{record.rule[0].upper()}{record.rule[1:]}: the pool"
        return (f"{who}{far} changes accuracy by ≈{record.gain.text()} points, "
                f"to ≈{record.right[record.rule].mean:.1f} % right")

    def describe(self, record: PoolRecord) -> str:
        strangers = f"{EACH * record.others} of other classes" if record.others else "none of other classes"
        return f"In the pool: {record.commonest} of {OWN} of one class; {strangers}."
