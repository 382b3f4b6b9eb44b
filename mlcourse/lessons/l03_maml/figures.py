"""The figures of lesson 03."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import torch
from torch import Tensor, nn

from mlcourse.datasets.sinusoid import SinusoidSampler, sinusoid
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import BLACK, BLUE, GREY, RC, SERIES, VERMILION, about, short
from mlcourse.statistics import columns, interval

PUBLISHED = {"MAML": (0.67, 0.38, 0.35), "pretrained": (2.41, 2.23, 2.19)}   # Finn et al. 2017: 1, 5, 10 steps
MEETS = 1e-8        # the relative error below which a gradient counts as the right one: above all rounding


def gap_to_theory(net: nn.Module) -> float:
    """How far a network's curve lies from -1.62 cos x, the mean of the family, on average over [-5, 5]."""
    x = torch.linspace(-5, 5, 201)
    with torch.no_grad():
        return float((net(x[:, None])[:, 0] + 1.623 * torch.cos(x)).abs().mean())


def pretrained_curve(net: nn.Module, tasks: int = 40) -> Picture:
    """The curve of a jointly trained network, the mean of the family, -1.62 cos x, and some of its tasks."""
    x = torch.linspace(-5, 5, 201)
    amplitude, phase = SinusoidSampler().tasks(tasks, torch.Generator().manual_seed(0))
    with torch.no_grad():
        drawn = net(x[:, None])[:, 0]
    title = "Pretraining learns the mean of the tasks, and the mean is a small cosine"
    figure = blank(7, 3.2)
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        for a, p in zip(amplitude, phase, strict=True):
            axes.plot(x, sinusoid(x, a, p), color=GREY, lw=0.6, alpha=0.45)
        axes.plot([], [], color=GREY, lw=0.8, label=f"{tasks} tasks")
        axes.plot(x, -1.623 * torch.cos(x), color=BLACK, ls="--", label="their mean in theory, -1.62 cos x")
        axes.plot(x, drawn, color=BLUE, lw=2.4, label="the pretrained network")
        axes.set(xlabel="x", ylabel="y", title=title, ylim=(-5.4, 7.4))
        axes.legend(loc="upper center", ncols=3)
    return picture(figure, f"{title}: the network's curve lies close to -1.62 cos x, while the tasks reach "
                           "from -5 to 5.")


def gradient_test(steps: Sequence[float], errors: Mapping[str, Sequence[float]]) -> Picture:
    """Relative error of two gradients against central differences, over the size ε of the difference.

    errors: the name of the right one, then that of the other → an error for each of `steps`.
    """
    (right, falls), (wrong, stays) = errors.items()
    at = int(np.argmin(falls))
    best, miss = falls[at], stays[at]
    near = f"comes within {short(MEETS)} of the definition" if best < MEETS else f"stays {about(best)} off"
    title = f"{right} {near}; {wrong} ends ≈{100 * miss:.0f} % off"
    figure = blank(7, 3.2)
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        axes.grid(True)
        for (name, values), style in zip(errors.items(), SERIES):
            axes.loglog(steps, np.maximum(values, 1e-16), **style, label=f"gradient through {name}")
        axes.invert_xaxis()
        axes.set(xlabel="size ε of the finite difference (shrinking to the right)", ylabel="relative error",
                 title=title)
        axes.legend()
    return picture(figure, f"{title}. Both against central differences of the loss after one inner step, in float64.")


def leaving_the_family(frequencies: Sequence[float], errors: Mapping[str, Sequence[Tensor]]) -> Picture:
    """Mean squared error of each method over the frequency of the tasks, with 95 % intervals over tasks.

    errors: method → for each frequency the errors of its tasks; the last is the reference, drawn in grey.
    """
    means = {name: [interval(values) for values in series] for name, series in errors.items()}
    reference = list(means)[-1]
    home = int(np.argmin(np.abs(np.array(frequencies) - 1)))
    title = (f"At home MAML's error is ≈{means['MAML'][home].mean:.1f}; at frequency {frequencies[-1]:g} it is "
             f"≈{means['MAML'][-1].mean:.1f}, and {reference} has ≈{means[reference][-1].mean:.1f}")
    figure = blank(7, 3.6)
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        axes.grid(True)
        axes.axvline(1, color=VERMILION, lw=6, alpha=0.12, label="trained on")
        for (name, series), style in zip(means.items(), SERIES):
            if name == reference:
                style = dict(color=GREY, marker="None", linestyle="--")
            mean, half = columns(series)
            axes.errorbar(frequencies, mean, yerr=half, **style, capsize=3, label=name)
        axes.set(xlabel="frequency ω of the tasks ", ylabel="mean squared error after 10 steps",
                 title=title)
        axes.set_ylim(0, 1.18 * axes.get_ylim()[1])
        axes.legend(ncols=5, loc="upper center", fontsize=8)
    at = "; ".join(f"frequency {f:g}: " + ", ".join(f"{name} ≈{series[i].mean:.1f}" for name, series in means.items())
                   for i, f in enumerate(frequencies))
    return picture(figure, f"{title}. {at}.")
