"""The k slider of lesson 14: two arms of the DAML study at k labels per class, with paired and unpaired intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import ipywidgets
import numpy as np

from mlcourse.lessons.l14_daml.scene_paired_gain import PairedGainScene
from mlcourse.statistics import paired_difference, unpaired_difference
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled


class PairedGainRecord(NamedTuple):
    """Two arms of one pair. names: of the arms. k: labels per class. one, other (K, seeds): accuracies, %, at every k.
    differences (seeds,): at this k; mean and half: their mean and its 95 % half-width; unpaired: the half-width if the
    two arms were independent samples. widest: how far differences and intervals of the two reach at any k."""

    pair: str
    names: tuple[str, str]
    k: int
    one: np.ndarray
    other: np.ndarray
    differences: np.ndarray
    mean: float
    half: float
    unpaired: float
    widest: float


class PairedGainExplorer(Explorer):
    """Choose a pair of domains, two arms and k, and read the difference seed by seed.

    pairs: name → rows of the study (`mlcourse study daml`) for one source and target, all with the same seeds, ks and
    arms; an arm that is not measured at every k is left out. one, other: the arms to begin with. Raises ValueError
    where an arm has not every seed.
    """

    def __init__(self, pairs: dict[str, Sequence[dict]], one: str = "source + generated",
                 other: str = "source + hand-made"):
        self.tables = {name: table(rows) for name, rows in pairs.items()}
        first = next(iter(self.tables.values()))
        self.ks, arms = first["ks"], list(first["arms"])
        every = np.concatenate([values.ravel() for t in self.tables.values() for values in t["arms"].values()])
        scene = PairedGainScene(self.ks, next(iter(first["arms"].values())).shape[1], float(every.min()) - 12, 102)
        drop = lambda value, name: ipywidgets.Dropdown(options=arms, value=value, description=name, **CONTROL)
        controls = {
            "pair": ipywidgets.ToggleButtons(options=list(self.tables),
                                             tooltips=[f"pair: {name}" for name in self.tables],
                                             style={"button_width": "20em"}),
            "k": ipywidgets.SelectionSlider(options=self.ks, description="labels per class, k", **CONTROL),
            "one": drop(one, "first arm"), "other": drop(other, "second arm"),
        }
        pair, *rest = controls.values()
        super().__init__(scene, controls, ipywidgets.VBox([labelled("pair", pair), columns(rest)]))

    def compute(self, *, pair: str, k: int, one: str, other: str) -> PairedGainRecord:
        arms, at = self.tables[pair]["arms"], self.ks.index(k)
        a, b = arms[one], arms[other]
        mean, half = paired_difference(a[at], b[at])
        return PairedGainRecord(pair, (one, other), k, a, b, a[at] - b[at], mean, half,
                                unpaired_difference(a[at], b[at]).half, widest(a, b))

    def headline(self, record: PairedGainRecord) -> str:
        sure = "not told apart" if abs(record.mean) <= record.half else "ahead" if record.mean > 0 else "behind"
        return (f"k = {record.k}: {record.names[0]} less {record.names[1]} is {record.mean:+.1f} ± {record.half:.1f} "
                f"points ({sure})")

    def describe(self, record: PairedGainRecord) -> str:
        at, n = self.ks.index(record.k), len(record.differences)
        return (f"{record.pair}: {record.names[0]} {record.one[at].mean():.1f} %, {record.names[1]} "
                f"{record.other[at].mean():.1f} %, means of {n} seeds. In {int((record.differences > 0).sum())} of {n} "
                f"seeds the first is ahead. Unpaired, the interval would be ± {record.unpaired:.1f}.")


def table(rows: Sequence[dict]) -> dict:
    """{"ks": the ks in order, "arms": name → accuracies (K, seeds)} of one pair.

    Arms that are not measured at every k are left out. Raises ValueError where another has not every seed at every
    k."""
    rows = [row for row in rows if "accuracy" in row]
    everywhere = {row["k"] for row in rows}
    rows = [row for row in rows if {each["k"] for each in rows if each["arm"] == row["arm"]} == everywhere]
    ks, seeds = sorted({row["k"] for row in rows}), sorted({row["seed"] for row in rows})
    found = {(row["arm"], row["k"], row["seed"]): row["accuracy"] for row in rows}
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    missing = [(arm, k, seed) for arm in arms for k in ks for seed in seeds if (arm, k, seed) not in found]
    if missing:
        arm, k, seed = missing[0]
        raise ValueError(f"the study has no row of {arm!r} at k = {k} with seed {seed}; run mlcourse study daml again, "
                         "which goes on from what is there")
    return {"ks": ks, "arms": {arm: np.array([[found[arm, k, seed] for seed in seeds] for k in ks]) for arm in arms}}


def widest(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference of two arms (K, seeds) in a seed, or end of an interval of it, paired or not; at least
    1."""
    far = 1.0
    for a, b in zip(one, other, strict=True):
        far = max(far, *abs(a - b), *(abs(gap.mean) + gap.half for gap in (paired_difference(a, b),
                                                                           unpaired_difference(a, b))))
    return far
