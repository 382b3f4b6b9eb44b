"""The learned-rates explorer of lesson 05: Meta-SGD's α while it trains, and why a rate is negative."""

from __future__ import annotations

from typing import NamedTuple

import ipywidgets
import numpy as np
import torch

from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.learners import MetaSGD
from mlcourse.lessons.l05_meta_sgd.rate_history import RateHistory, Snapshot
from mlcourse.lessons.l05_meta_sgd.scene_learned_rates import LearnedRatesScene
from mlcourse.lessons.l05_meta_sgd.signs import Weight, alive, loss_along, query_gradient_unmoved, support_gradients
from mlcourse.nets import MLP, Params
from mlcourse.plots.style import about
from mlcourse.system.machine import one_core
from mlcourse.widgets.base import CONTROL, Explorer, columns

SLICE = 21             # rates at which the loss along one α is drawn
ALL = "all"


class LearnedRatesRecord(NamedTuple):
    """What the explorer shows at one snapshot; T check tasks.

    step: the outer step shown. alpha: the rates by tensor. alive: by tensor, whether a weight has a support gradient on
    any check task. negative: the share of negative rates among those that are alive. before, after: the mean query loss
    at θ and at φ. weight: the one picked. rate: its α.
    support_gradient (T,): ∂L(θ; S_i)/∂w. query_gradient (T,): ∂L(φ; Q_i)/∂w where w alone has stayed (its α is 0).
    agreement: the mean of their products over the product of their root mean squares, in [-1, 1]; 0 where the weight
    has no gradient. slice_rates, slice_loss (SLICE,): the mean query loss when this α is something else.
    """

    step: int
    alpha: dict[str, np.ndarray]
    alive: dict[str, np.ndarray]
    negative: float
    before: float
    after: float
    weight: Weight
    rate: float
    support_gradient: np.ndarray
    query_gradient: np.ndarray
    agreement: float
    slice_rates: np.ndarray
    slice_loss: np.ndarray


def ranked(theta: Params, alpha: Params, g: Params, tensor: str) -> list[Weight]:
    """The weights of a tensor, or of all, by their signed step, α times the root mean square of their support gradient:
    first those that go farthest uphill."""
    names = list(theta) if tensor == ALL else [tensor]
    step = torch.cat([(alpha[name] * g[name].square().mean(0).sqrt()).flatten() for name in names])
    places = [Weight(name, i) for name in names for i in range(theta[name].numel())]
    return [places[i] for i in step.argsort()]


class LearnedRates(Explorer):
    """Meta-SGD's rates while it trains: their map over the network, their histogram, and one weight of your choice,
    with what its gradients say about the sign of its rate.

    history: the training to show, of a network with two hidden layers such as `MLP()`; by default an untrained one on
    sinusoids. The buttons run real outer steps; `step(n)` does the same from code.

        LearnedRates(history)
    """

    def __init__(self, history: RateHistory | None = None):
        if history is None:
            history = RateHistory(MetaSGD(MLP(), low=0.005, high=0.02), SinusoidSampler(10, 10), every=20)
        shapes = [tuple(p.shape) for p in history.snapshots[0].theta.values()]
        if len(shapes) != 6 or any(len(shape) > 2 for shape in shapes):
            raise ValueError(f"the map shows an MLP with two hidden layers, got parameters of the shapes {shapes}; "
                             "train Meta-SGD on MLP()")
        self.history = history
        self._orders: dict[tuple[int, str], list[Weight]] = {}
        self._gradients: dict[int, Params] = {}
        steps = [snapshot.step for snapshot in history.snapshots]
        names = list(history.snapshots[0].theta)
        controls = {
            "rewind": ipywidgets.SelectionSlider(options=steps, value=steps[-1], description="outer step", **CONTROL),
            "tensor": ipywidgets.Dropdown(options=[ALL, *names], description="pick from", **CONTROL),
            "rank": ipywidgets.IntSlider(value=0, min=0, max=100, description="by its step (%)", **CONTROL),
        }
        super().__init__(LearnedRatesScene({name: tuple(p.shape) for name, p in history.snapshots[0].theta.items()}),
                         controls, self._arrange(controls))

    def _arrange(self, controls: dict) -> ipywidgets.Widget:
        buttons = []
        for count in (20, 100):
            button = ipywidgets.Button(description=f"+{count} steps", tooltip=f"run {count} more outer steps",
                                       layout={"width": "auto"})
            button.on_click(lambda _, count=count: self.step(count))
            buttons.append(button)
        row = ipywidgets.HBox([*buttons, ipywidgets.HTML("&nbsp;of the outer loop, at β = 0.003")],
                              layout={"margin": "2px 6px", "align_items": "center"})
        return ipywidgets.VBox([row, columns(list(controls.values()))])

    def step(self, count: int) -> None:
        """Run `count` more outer steps from the last snapshot, and show where they lead."""
        with self.turn:
            try:
                with one_core():
                    self.history.advance(count)
            except ValueError as error:
                self.fail(error)
                return
            steps = [snapshot.step for snapshot in self.history.snapshots]
            self._holding = True
            self.controls["rewind"].options, self.controls["rewind"].value = steps, steps[-1]
            self._holding = False
            self.refresh()

    def picked(self, tensor: str, rank: int) -> Weight:
        """The weight at this rank (0 to 100) of its tensor at the last snapshot, so that rewinding keeps the weight."""
        last = self.history.snapshots[-1]
        if (last.step, tensor) not in self._orders:
            self._orders[last.step, tensor] = ranked(last.theta, last.alpha, self._support(last), tensor)
        order = self._orders[last.step, tensor]
        return order[round(rank / 100 * (len(order) - 1))]

    def _support(self, shown: Snapshot) -> Params:
        """The support gradients at a snapshot, computed once."""
        if shown.step not in self._gradients:
            self._gradients[shown.step] = support_gradients(self.history.learner.net, shown.theta, self.history.check)
        return self._gradients[shown.step]

    @torch.no_grad()
    def compute(self, *, rewind: int, tensor: str, rank: int) -> LearnedRatesRecord:
        net, tasks, snapshots = self.history.learner.net, self.history.check, self.history.snapshots
        shown = next(snapshot for snapshot in snapshots if snapshot.step == rewind)
        weight = self.picked(tensor, rank)
        g = self._support(shown)
        g_s = g[weight.tensor].flatten(1)[:, weight.index]
        g_q = query_gradient_unmoved(net, shown.theta, shown.alpha, g, weight, tasks)
        scale = (g_s.square().mean() * g_q.square().mean()).sqrt()
        rate = float(shown.alpha[weight.tensor].reshape(-1)[weight.index])
        span = max(2 * abs(rate), 0.02)
        rates = torch.linspace(-span, span, SLICE)
        loss = loss_along(net, shown.theta, shown.alpha, g, weight, rates, tasks)
        at_work = alive(g)
        below = torch.cat([(shown.alpha[name] < 0)[at_work[name]] for name in at_work])
        numbers = lambda params: {name: each.numpy() for name, each in params.items()}
        return LearnedRatesRecord(
            rewind, numbers(shown.alpha), numbers(at_work), below.float().mean().item(), shown.before, shown.after,
            weight, rate, g_s.numpy(), g_q.numpy(), float((g_s * g_q).mean() / scale) if scale > 0 else 0.0,
            rates.numpy(), loss.numpy())

    def headline(self, record: LearnedRatesRecord) -> str:
        when = "Before training" if record.step == 0 else f"After {record.step} outer steps"
        return f"{when} ≈{100 * record.negative:.0f} % of the rates with a gradient are negative"

    def describe(self, record: LearnedRatesRecord) -> str:
        every, alive = (np.concatenate([a.ravel() for a in part.values()]) for part in (record.alpha, record.alive))
        still = 100 * (1 - alive.mean())
        spread = (f"Loss {about(record.before)} → {about(record.after)}. ≈{still:.0f} % of all rates have no gradient "
                  f"(grey), the others lie from ≈{every[alive].min():.2g} to ≈{every[alive].max():.2g}. ")
        if not record.support_gradient.any():
            return (f"{spread}The picked weight has no gradient on any of the {len(record.support_gradient)} tasks: "
                    f"its rate of ≈{record.rate:.2g} changes nothing.")
        best = record.slice_rates[record.slice_loss.argmin()]
        word, sign = ("the same sign", "positive") if record.agreement > 0 else ("opposite signs", "negative")
        return (f"{spread}Picked: α ≈{record.rate:.2g}. Its gradients have {word} on average (agreement "
                f"≈{record.agreement:.2f}), which asks for a {sign} rate; the loss is lowest near α ≈{best:.2g}.")
