"""The inner-loop explorer of lesson 03: what a few gradient steps on K points do to a network."""

from __future__ import annotations

import copy
import math
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from mlcourse.lessons.l03_maml.scene_inner_loop import FitScene, InnerLoopScene
from mlcourse.lessons.l03_maml.slices import GRID, Plane, frame, predictions, squared_errors
from mlcourse.losses import task_loss
from mlcourse.plots.style import about, plural
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled

MAX_STEPS, MAX_SHOTS = 10, 20
QUERY_X = torch.linspace(-5, 5, 50)[:, None]
EXPLODED = 1e3         # a support loss above this, and above where it started, counts as divergence
FAR = 2.0              # the window reaches no farther than this from θ, in parameter distance


class InnerLoopRecord(NamedTuple):
    """What one setting of the explorer computes; S = MAX_STEPS + 1 points of the path, n grid points a side.

    alpha, steps, shots, name: the settings. x (50,): the query inputs, evenly spaced; truth (50,): the task.
    curves (S, 50): the network's prediction before the first step and after each.
    support_x, support_y (K,). support_loss, query_loss (S,): mean squared errors along the path.
    diverged_at: the first step whose support loss has exploded, or None.
    path (S, 2): the path on the slice; off_plane (S,): its distance from the slice, in parameter space.
    a, b (n,): coordinates of the grid; support_surface, query_surface (n, n): losses there, row b, column a.
    """

    alpha: float
    steps: int
    shots: int
    name: str
    x: np.ndarray
    truth: np.ndarray
    curves: np.ndarray
    support_x: np.ndarray
    support_y: np.ndarray
    support_loss: np.ndarray
    query_loss: np.ndarray
    diverged_at: int | None
    path: np.ndarray
    off_plane: np.ndarray
    a: np.ndarray
    b: np.ndarray
    support_surface: np.ndarray
    query_surface: np.ndarray


def inner_path(net: nn.Module, support_x: Tensor, support_y: Tensor, alpha: float,
               steps: int = MAX_STEPS) -> tuple[Tensor, list[float]]:
    """The parameter vectors (steps + 1, P) of gradient descent on the support loss from the network's own, and
    the support loss at each.

    The plain loop, on a copy of the network; a test holds it to `descend.trajectory`.
    """
    copied = copy.deepcopy(net)
    phi = list(copied.parameters())
    path, losses = [], []
    for step in range(steps + 1):
        loss = task_loss(copied(support_x), support_y)
        losses.append(loss.item())
        path.append(parameters_to_vector(phi).detach())
        if step < steps:
            gradient = torch.autograd.grad(loss, phi)
            with torch.no_grad():
                for p, g in zip(phi, gradient):
                    p -= alpha * g
    return torch.stack(path), losses


def path_plane(points: Tensor, reference: Tensor) -> Plane:
    """The plane through θ = points[0], the first step and the last one; `reference` (P,) takes the place of the last
    where none but θ and the first is left."""
    offsets = points - points[0]
    first = offsets[1] if bool(torch.isfinite(offsets[1]).all()) else reference - points[0]
    return Plane(points[0], first, (offsets[-1] if len(points) > 2 else reference - points[0])[None])


def window(path: np.ndarray, aspect: float) -> tuple[np.ndarray, np.ndarray]:
    """The grid of the slice around the points (M, 2) of a path: all of it, but no farther than FAR from its start,
    so that a step that explodes is seen to leave."""
    length = np.hypot(*path.T)[:, None]
    near = path * np.minimum(1, FAR / np.maximum(length, 1e-12))
    return frame(near[np.isfinite(near).all(1)], aspect)


def inner_loop(net: nn.Module, *, name: str, alpha: float, steps: int, shots: int, amplitude: float, phase: float,
               draw: int = 0, aspect: float = 2.0) -> InnerLoopRecord:
    """Adapt `net` to the sinusoid amplitude · sin(x - phase) by `steps` gradient steps of rate alpha on `shots` points.

    draw: the seed of the support inputs, uniform in [-5, 5]; fewer shots are a prefix of more. aspect: width over
    height of the slice's window. The query set is the whole curve, at 50 even points.
    """
    generator = torch.Generator().manual_seed(draw)
    support_x = (torch.rand(MAX_SHOTS, 1, generator=generator) * 10 - 5)[:shots]
    support_y = amplitude * torch.sin(support_x - phase)
    truth = amplitude * torch.sin(QUERY_X - phase)
    points, losses = inner_path(net, support_x, support_y, alpha)
    blown = first_explosion(losses)
    kept = max(2, MAX_STEPS + 1 if blown is None else blown)           # points that define the slice
    last = points[-1] if kept > 2 else inner_path(net, support_x, support_y, 0.01, 2)[0][-1]
    plane = path_plane(points[:kept], last)
    path = plane.coordinates(points).double().numpy()
    a, b = window(path[:min(steps + 1, kept)], aspect)
    grid = plane.grid(torch.from_numpy(a).float(), torch.from_numpy(b).float())
    said = predictions(net, torch.cat([points, grid]), torch.cat([support_x, QUERY_X]))
    on_support, on_query = (squared_errors(part, y[:, 0]).double().numpy()
                            for part, y in ((said[:, :shots], support_y), (said[:, shots:], truth)))
    s = len(points)
    return InnerLoopRecord(
        alpha, steps, shots, name, QUERY_X[:, 0].numpy(), truth[:, 0].numpy(), said[:s, shots:].double().numpy(),
        support_x[:, 0].numpy(), support_y[:, 0].numpy(), on_support[:s], on_query[:s], blown, path,
        plane.distance(points).double().numpy(), a, b, on_support[s:].reshape(len(b), -1),
        on_query[s:].reshape(len(b), -1))


def first_explosion(losses: list[float]) -> int | None:
    """The first step at which a loss is not finite, or is large and above its start; None where there is none."""
    for step, loss in enumerate(losses):
        if not math.isfinite(loss) or loss > max(EXPLODED, losses[0]):
            return step
    return None


def headline(record: InnerLoopRecord) -> str:
    """The finding of a record in one line."""
    before, after = record.query_loss[0], record.query_loss[record.steps]
    blown = record.diverged_at
    if blown is not None and blown <= record.steps:
        return (f"α = {record.alpha:.3g} is too large: at step ≈{blown} the support loss is "
                f"{about(record.support_loss[blown])}, from {about(record.support_loss[0])} at the start")
    if record.steps == 0:
        return f"Before any step the query loss of {record.name} is {about(before)}"
    rate = f"After {plural(record.steps, 'step')} of α = {record.alpha:.3g} the query loss of {record.name}"
    return f"{rate} {course(before, after)}"


def course(before: float, after: float) -> str:
    """How a loss went. What is left of one that falls differs between trainings far more than the share that is gone,
    so it is this that is said."""
    if not math.isfinite(after):
        return f"grows from {about(before)} without bound"
    if after < before * 0.98:
        return f"falls by ≈{100 * (1 - after / before):.0f} %, from {about(before)}"
    return f"{'rises' if after > before * 1.02 else 'barely moves,'} from {about(before)} to {about(after)}"


class InnerLoopExplorer(Explorer):
    """Move α, the number of steps, K and the task, and watch the fit, the losses and the path over both surfaces.

    initialisations: name → network, all of one architecture (1 input, 1 output); the names become a selector.
    surfaces: whether the losses around the starting point are drawn, below fit and losses.

        InnerLoopExplorer({"θ_MAML": maml.net, "θ_pretrained": pretrained.net, "θ_random": MLP()})
    """

    def __init__(self, initialisations: dict[str, nn.Module], *, alpha: float = 0.01, steps: int = 1, shots: int = 5,
                 amplitude: float = 3.0, phase: float = 1.0, draw: int = 0, surfaces: bool = True):
        if not initialisations:
            raise ValueError("give at least one initialisation, such as {'θ_MAML': maml.net}")
        self.nets = dict(initialisations)
        slider, log = ipywidgets.FloatSlider, ipywidgets.FloatLogSlider
        controls = {
            "initialisation": ipywidgets.ToggleButtons(
                options=list(self.nets), tooltips=[f"start from {name}" for name in self.nets],
                style={"button_width": "9em"}),
            "alpha": log(value=alpha, min=-4, max=1, step=0.02, description="rate α", readout_format=".4f",
                         **CONTROL),
            "steps": ipywidgets.IntSlider(value=steps, min=0, max=MAX_STEPS, description="steps", **CONTROL),
            "shots": ipywidgets.IntSlider(value=shots, min=1, max=MAX_SHOTS, description="support points K", **CONTROL),
            "amplitude": slider(value=amplitude, min=0.1, max=8, step=0.1, description="amplitude", **CONTROL),
            "phase": slider(value=phase, min=0, max=6.28, step=0.04, description="phase", **CONTROL),
            "draw": ipywidgets.BoundedIntText(value=draw, min=0, max=999, description="draw of points",
                                              style=CONTROL["style"], layout={"width": "16em"}),
        }
        self.surfaces = surfaces
        scene = InnerLoopScene(MAX_STEPS, GRID) if surfaces else FitScene(MAX_STEPS)
        self.aspect = scene.aspect if surfaces else 2.0
        first, *sliders, draw = controls.values()
        row = ipywidgets.HBox([labelled("start from", first), draw], layout={"flex_flow": "row wrap"})
        super().__init__(scene, controls, ipywidgets.VBox([row, columns(sliders)]))

    def compute(self, *, initialisation: str, alpha: float, steps: int, shots: int, amplitude: float, phase: float,
                draw: int) -> InnerLoopRecord:
        return inner_loop(self.nets[initialisation], name=initialisation, alpha=alpha, steps=steps, shots=shots,
                          amplitude=amplitude, phase=phase, draw=draw, aspect=self.aspect)

    def headline(self, record: InnerLoopRecord) -> str:
        return headline(record)

    def describe(self, record: InnerLoopRecord) -> str:
        s = record.steps
        text = (f"On the {plural(record.shots, 'support point')} the loss "
                f"{course(record.support_loss[0], record.support_loss[s])}.")
        away = record.off_plane[:s + 1]
        if self.surfaces and s > 1 and np.isfinite(away).all() and away.max() > 1e-3 and record.diverged_at is None:
            text += (f" The slice passes through θ, step 1 and step {MAX_STEPS}; the steps between are projected onto "
                     f"it, from up to {about(away.max())} away.")
        return text
