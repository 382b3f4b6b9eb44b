"""The second explorer of lesson 10: what is mixed, before which layer, and what two networks answer."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets
import numpy as np
import torch

from mlcourse.lessons.l10_data import mixing
from mlcourse.lessons.l10_data.mixing import CHARACTERS, LAYERS, SHARES, Layers
from mlcourse.lessons.l10_data.scene_mix import MixScene
from mlcourse.plots.style import about
from mlcourse.widgets.base import CONTROL, Explorer, columns

PLACES = tuple(f"layer {layer}" for layer in range(LAYERS + 1))          # layer 0 sees pictures


class MixRecord(NamedTuple):
    """lam, layer: the controls. labels: of the two drawings (2, 28, 28). mixed (3, C, h, w): what the layer sees of the
    first, of the mixture, of the second. at: which of the shares is nearest to lam. plain, mixup (SHARES, CHARACTERS):
    both networks' probabilities along λ."""

    lam: float
    layer: int
    labels: tuple[int, int]
    drawings: np.ndarray
    mixed: np.ndarray
    at: int
    plain: np.ndarray
    mixup: np.ndarray


class MixLayer(Explorer):
    """Mix two drawings, or what a layer makes of them, and compare what two networks answer.

    plain, mixup: networks trained without and with manifold mixup, which share their first weights. The drawings are
    of those that both were trained on.

        MixLayer(plain, mixup)
    """

    def __init__(self, plain: Layers, mixup: Layers, *, lam: float = 0.5, layer: int = 0):
        self.networks = plain, mixup
        controls = {
            "lam": ipywidgets.FloatSlider(value=lam, min=0.0, max=1.0, step=1 / (SHARES - 1), readout_format=".2f",
                                          description="share λ", **CONTROL),
            "layer": ipywidgets.SelectionSlider(options=[(name, i) for i, name in enumerate(PLACES)], value=layer,
                                                description="mixed before", **CONTROL),
            "pair": ipywidgets.IntSlider(value=0, min=0, max=CHARACTERS - 1, description="pair", **CONTROL)}
        super().__init__(MixScene(), controls, columns(list(controls.values()), 3))

    @torch.no_grad()
    def compute(self, *, lam: float, layer: int, pair: int) -> MixRecord:
        chosen, (plain, mixup) = mixing.pair(pair), self.networks
        x = mixing.drawings().x[[chosen.first, chosen.second]]
        first, second = mixup(x, 0, layer)
        mixed = torch.stack([first, lam * first + (1 - lam) * second, second]).numpy()
        return MixRecord(lam, layer, chosen.labels, x[:, 0].numpy(), mixed, round(lam * (SHARES - 1)),
                         *(mixing.along(net, chosen, layer) for net in (plain, mixup)))

    def headline(self, record: MixRecord) -> str:
        own = record.labels[0]
        p, q = (float(answers[record.at, own]) for answers in (record.plain, record.mixup))
        return (f"λ = {record.lam:.2f}: the first is believed at {about(p)} by the plain network, at {about(q)} with "
                "mixup")

    def describe(self, record: MixRecord) -> str:
        line = np.linspace(0, 1, SHARES)
        off = [float(np.abs(answers[:, record.labels[0]] - line).mean()) for answers in (record.plain, record.mixup)]
        return (f"Mixed before {PLACES[record.layer]}. Mean distance from λ: plain {about(off[0])}, with mixup "
                f"{about(off[1])}.")
