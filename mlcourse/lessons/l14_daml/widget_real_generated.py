"""The explorer of lesson 14: source pictures, what the generator makes of them, and the target, while it was
trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch
from torch import Tensor, nn

from mlcourse.domains import Domain
from mlcourse.domains.distances import proxy_a_floor
from mlcourse.episode.across import pixels
from mlcourse.lessons.l14_daml.imitation import Snapshot
from mlcourse.lessons.l14_daml.scene_real_generated import COLUMNS, RealGeneratedScene
from mlcourse.nets import call
from mlcourse.nets.gan import NOISE
from mlcourse.widgets.base import CONTROL, Explorer


class RealGeneratedRecord(NamedTuple):
    """One setting. step, pad, fidelity: of the snapshot. source, first, second, real (COLUMNS, S, S): pictures of one
    class in [0, 1]; first and second are drawn from the same source pictures with independent noise. first_wrong,
    second_wrong (COLUMNS,): where the judge names another class. apart: their mean absolute difference.
    scores_real, scores_generated: the discriminator's, of the snapshot."""

    step: int
    name: str
    pad: float
    fidelity: float
    source: np.ndarray
    first: np.ndarray
    second: np.ndarray
    real: np.ndarray
    first_wrong: np.ndarray
    second_wrong: np.ndarray
    apart: float
    scores_real: np.ndarray
    scores_generated: np.ndarray


class RealGeneratedExplorer(Explorer):
    """Move through the training of a generator: its pictures of a class beside real ones, PAD, label fidelity, and what
    the discriminator says.

    snapshots: of `imitate`. generator: the network that their weights belong to. source, dev: pictures of both domains
    with the same classes. judge: a classifier of the target. Raises ValueError for no snapshot.
    """

    def __init__(self, snapshots: Sequence[Snapshot], generator: nn.Module, source: Domain, dev: Domain,
                 judge: nn.Module):
        if not snapshots:
            raise ValueError("give at least one snapshot, as imitate returns them")
        self.snapshots = {taken.step: taken for taken in snapshots}
        self.generator, self.source, self.dev, self.judge = generator, source, dev, judge
        scores = [s.numpy() for taken in snapshots for s in (taken.scores_real, taken.scores_generated)]
        scene = RealGeneratedScene(
            list(self.snapshots), [taken.pad for taken in snapshots], [taken.fidelity for taken in snapshots],
            proxy_a_floor(dev, splits=3).value, scores, source.images.shape[-1])
        integer = ipywidgets.IntSlider
        super().__init__(scene, {
            "step": ipywidgets.SelectionSlider(options=list(self.snapshots), value=snapshots[-1].step,
                                               description="training step", **CONTROL),
            "digit": integer(value=0, min=0, max=len(source.classes) - 1, description="class", **CONTROL),
            "scale": ipywidgets.FloatSlider(value=1.0, min=0.0, max=2.0, step=0.1, description="size of the noise",
                                            **CONTROL),
            "draw": integer(value=0, min=0, max=20, description="draw", **CONTROL),
        })

    def compute(self, *, step: int, digit: int, scale: float, draw: int) -> RealGeneratedRecord:
        taken, generator = self.snapshots[step], torch.Generator().manual_seed(draw)
        source, real = (self._some(domain, digit, generator) for domain in (self.source, self.dev))
        noise = scale * torch.randn(2, COLUMNS, NOISE, generator=generator)
        with torch.no_grad():
            drawn = call(self.generator, taken.weights, source.repeat(2, 1, 1, 1), noise.flatten(0, 1))
            wrong = (self.judge(drawn).argmax(1) != digit).numpy().reshape(2, COLUMNS)
        first, second = drawn[:, 0].numpy().reshape(2, COLUMNS, *source.shape[-2:])
        return RealGeneratedRecord(step, self.source.classes[digit], taken.pad, taken.fidelity, source[:, 0].numpy(),
                                   first, second, real[:, 0].numpy(), *wrong, float(np.abs(first - second).mean()),
                                   taken.scores_real.numpy(), taken.scores_generated.numpy())

    def _some(self, domain: Domain, digit: int, generator: torch.Generator) -> Tensor:
        mine = torch.nonzero(domain.labels == digit)[:, 0]
        return pixels(domain.images[mine[torch.randint(len(mine), (COLUMNS,), generator=generator)]])

    def headline(self, record: RealGeneratedRecord) -> str:
        first, *_ = self.snapshots.values()
        return (f"Step {record.step}: PAD to the target ≈{record.pad:.2f} (step {first.step}: ≈{first.pad:.2f}), label "
                f"fidelity ≈{100 * record.fidelity:.0f} %")

    def describe(self, record: RealGeneratedRecord) -> str:
        right = 2 * COLUMNS - int(record.first_wrong.sum() + record.second_wrong.sum())
        return (f"Class {record.name}: the judge agrees with ≈{right} of the {2 * COLUMNS} generated pictures. "
                f"Two drawings of one picture differ by ≈{record.apart:.3f} per pixel.")
