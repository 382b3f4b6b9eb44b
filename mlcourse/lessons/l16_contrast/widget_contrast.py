"""The contrast explorer of lesson 16: what InfoNCE sees in a batch of pairs, at a temperature."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch
from torch import Tensor

from mlcourse.lessons.l16_contrast.scene_contrast import ContrastScene
from mlcourse.losses.contrast import info_nce, similarities
from mlcourse.plots.style import about, short
from mlcourse.probes import class_rows, embed_all
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled

MOST, FOUND = 40, 5            # pairs in a batch; answers shown for a query
STEP = 0.25                    # length of the longest arrow, in the plane of the embedding


class ContrastRecord(NamedTuple):
    """What one setting of the explorer computes, for N pairs; a and b are the two sides.

    tau, name: the settings. rows_a, rows_b (N,): which drawings. s (N, N): cosine of a_i and b_j. weights (N, N): the
    softmax of each row of s/τ: how the loss from a to b shares its push. forth, back: InfoNCE a → b and b → a, nats.
    rivals: the effective number of negatives, the mean over the rows of exp(entropy of the weights without the
    partner). hits_forth, hits_back: the share of the N whose nearest on the other side is the partner. plane_a,
    plane_b (N, 2): both on the first two principal components of all 2N. push_a, push_b (N, 2): minus the gradient of
    the mean of both losses there, the longest scaled to STEP. query: which pair is asked; found_b, found_a (up to 5,):
    its nearest on the other side, nearest first.
    """

    tau: float
    name: str
    rows_a: np.ndarray
    rows_b: np.ndarray
    s: np.ndarray
    weights: np.ndarray
    forth: float
    back: float
    rivals: float
    hits_forth: float
    hits_back: float
    plane_a: np.ndarray
    plane_b: np.ndarray
    push_a: np.ndarray
    push_b: np.ndarray
    query: int
    found_b: np.ndarray
    found_a: np.ndarray


def drawn_pairs(rows: Tensor, count: int, draw: int) -> tuple[Tensor, Tensor]:
    """`count` classes of `rows` (C, K), and of each two different drawings: (N,), (N,). More pairs keep those
    before."""
    generator = torch.Generator().manual_seed(draw)
    classes = torch.randperm(len(rows), generator=generator)
    hands = torch.rand(rows.shape, generator=generator).argsort(1)
    return tuple(rows[classes, hands[classes, side]][:count] for side in (0, 1))


def contrast(a: Tensor, b: Tensor, rows_a: Tensor, rows_b: Tensor, *, tau: float, query: int,
             name: str) -> ContrastRecord:
    """What InfoNCE at temperature tau makes of the pairs of unit features a_i = a[rows_a[i]], b_i = b[rows_b[i]]."""
    a, b = a[rows_a].clone().requires_grad_(), b[rows_b].clone().requires_grad_()
    forth, back = info_nce(a, b, tau), info_nce(b, a, tau)
    grads = torch.autograd.grad((forth + back) / 2, (a, b))
    with torch.no_grad():
        s, n = similarities(a, b), len(a)
        others = (s / tau).masked_fill(torch.eye(n, dtype=torch.bool), -torch.inf).softmax(1)
        entropy = -(others * others.clamp(min=1e-30).log()).sum(1)
        centre = torch.cat([a, b]).mean(0)
        axes = torch.linalg.svd(torch.cat([a, b]) - centre, full_matrices=False).Vh[:2]
        axes = axes * torch.sign(axes[torch.arange(2), axes.abs().argmax(1)])[:, None]
        push = [-(g @ axes.T) for g in grads]
        scale = STEP / max(float(torch.cat(push).norm(dim=1).max()), 1e-12)
        found = min(FOUND, n)
        numpy = lambda t: t.detach().double().numpy()
        return ContrastRecord(
            tau, name, rows_a.numpy(), rows_b.numpy(), numpy(s), numpy((s / tau).softmax(1)), float(forth), float(back),
            float(entropy.exp().mean()), float((s.argmax(1) == torch.arange(n)).float().mean()),
            float((s.argmax(0) == torch.arange(n)).float().mean()),
            *(numpy((z - centre) @ axes.T) for z in (a, b)), *(numpy(scale * p) for p in push), query,
            s[query].topk(found).indices.numpy(), s[:, query].topk(found).indices.numpy())


class ContrastExplorer(Explorer):
    """Move the temperature and the batch, and watch similarities, softmax weights, the push on the embedding, and
    retrieval both ways.

    encoders: name → two functions, that embed the samples of the one side and of the other; the names become a
    selector. a, b: the samples of both sides (M, …); row i of both is one drawing of class labels[i]. pictures_a,
    pictures_b: how to show them, (M, 1, S, S) in [0, 1]. sides: what they are called.
    A batch pairs different drawings of a character; it holds at most 40, or as many as there are classes.
    """

    def __init__(self, encoders: Mapping[str, tuple[Callable, Callable]], a: Tensor, b: Tensor, labels: Tensor,
                 pictures_a: Tensor, pictures_b: Tensor, *, sides: tuple[str, str] = ("picture", "stroke"),
                 tau: float = 0.1, batch: int = 16):
        if not encoders:
            raise ValueError("give at least one pair of encoders, such as {'untrained': (net.embed, net.embed_other)}")
        self.rows, self.sides = class_rows(labels), sides
        self.features = {name: (embed_all(one, a), embed_all(other, b)) for name, (one, other) in encoders.items()}
        most = min(MOST, len(self.rows))
        integer = ipywidgets.IntSlider
        controls = {
            "encoder": ipywidgets.ToggleButtons(options=list(encoders), value=list(encoders)[-1],
                                                tooltips=[f"encoder: {name}" for name in encoders],
                                                style={"button_width": "9em"}),
            "tau": ipywidgets.FloatLogSlider(value=tau, min=-2, max=0.5, step=0.02, description="temperature τ",
                                             readout_format=".3f", **CONTROL),
            "batch": integer(value=min(batch, most), min=2, max=most, description="batch N (pairs)", **CONTROL),
            "query": integer(value=0, min=0, max=most - 1, description="pair that asks", **CONTROL),
            "draw": ipywidgets.BoundedIntText(value=0, min=0, max=999, description="draw of pairs",
                                              style=CONTROL["style"], layout={"width": "16em"}),
        }
        first, *sliders, draw = controls.values()
        scene = ContrastScene(pictures_a[:, 0].numpy(), pictures_b[:, 0].numpy(), sides)
        row = ipywidgets.HBox([labelled("encoders", first), draw], layout={"flex_flow": "row wrap"})
        super().__init__(scene, controls, ipywidgets.VBox([row, columns(sliders)]))

    def compute(self, *, encoder: str, tau: float, batch: int, query: int, draw: int) -> ContrastRecord:
        return contrast(*self.features[encoder], *drawn_pairs(self.rows, batch, draw), tau=tau, query=query % batch,
                        name=encoder)

    def headline(self, record: ContrastRecord) -> str:
        n, (one, other) = len(record.s), self.sides
        return (f"{record.name}: the right {other} is nearest for ≈{round(n * record.hits_forth)} of {n} {one}s, the "
                f"right {one} for ≈{round(n * record.hits_back)} of {n} {other}s")

    def describe(self, record: ContrastRecord) -> str:
        n, q, (one, other) = len(record.s), record.query, self.sides
        rival = lambda cosines: np.delete(cosines, q).max()
        return (f"InfoNCE at τ = {record.tau:.3g} is {about(record.forth)} nats from {one} to {other} and "
                f"{about(record.back)} back; guessing costs log N = {short(math.log(n))}. The push on a {one} is "
                f"shared by {about(record.rivals)} of its {n - 1} negatives, in effect. Pair {q} has a cosine of "
                f"≈{record.s[q, q]:.2f}, its {one}'s nearest rival ≈{rival(record.s[q]):.2f}, its {other}'s "
                f"≈{rival(record.s[:, q]):.2f}.")
