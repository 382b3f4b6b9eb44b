"""The outer-loop player of lesson 03: step, play and rewind MAML's meta-training, and see θ between its tasks."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import NamedTuple

import ipywidgets
import numpy as np
import torch
from torch import Tensor, nn

from mlcourse.datasets.sinusoid import SinusoidSampler, sinusoid
from mlcourse.episode import Episode
from mlcourse.learners import MAML
from mlcourse.lessons.l03_maml.outer_training import OuterTraining, Settings, adaptation_losses
from mlcourse.lessons.l03_maml.scene_outer_loop import OuterLoopScene
from mlcourse.lessons.l03_maml.slices import GRID, Plane, flatten, frame, predictions, squared_errors
from mlcourse.nets import MLP
from mlcourse.plots.style import about, plural
from mlcourse.system.machine import one_core
from mlcourse.widgets.base import CONTROL, Explorer, columns, labelled
from mlcourse.widgets.background import Background

NAMES = ("A", "B", "C")
AMPLITUDES, PHASES = (4.0, 2.5, 1.5), (0.3, 1.5, 2.8)
QUERY_X = torch.linspace(-5, 5, 50)[:, None]
PLAY_CHUNK, PLAY_LIMIT = 10, 2000
FAR = 2.0
EXPLODED = 1e3         # a loss after the inner steps above this is α's doing
LOST = 5               # and one at θ this many times that of the start is β's


class OuterLoopRecord(NamedTuple):
    """What the player shows at one snapshot; three fixed tasks, n grid points a side.

    step, last: the outer step shown and the last one trained. shown: the index of the task of the surfaces.
    x (50,), truth (3, 50): the tasks' curves; before (50,): f_θ; after (3, 50): f_φi. support_x, support_y (3, K).
    query_before, query_after (3,): mean squared errors over the whole curve.
    phi (3, 2): where φ_i lie on the slice, θ at its origin; off_plane (3,).
    a, b, support_surface, query_surface: as in `InnerLoopRecord`, for the task shown.
    steps, losses: outer steps and the losses of their batches. check_steps, check_before, check_after: the snapshots'
    outer steps and the mean query loss of the check tasks there, with the settings that led there. abandoned: (steps,
    losses) of branches left. settings: those at the controls. held_before, held_after: the mean query loss of the check
    tasks at θ and, with these settings, at φ. broken_by: see `first_break`.
    """

    step: int
    last: int
    shown: int
    x: np.ndarray
    truth: np.ndarray
    before: np.ndarray
    after: np.ndarray
    support_x: np.ndarray
    support_y: np.ndarray
    query_before: np.ndarray
    query_after: np.ndarray
    phi: np.ndarray
    off_plane: np.ndarray
    a: np.ndarray
    b: np.ndarray
    support_surface: np.ndarray
    query_surface: np.ndarray
    losses: np.ndarray
    check_steps: np.ndarray
    check_before: np.ndarray
    check_after: np.ndarray
    abandoned: list
    settings: Settings
    held_before: float
    held_after: float
    broken_by: tuple[float, int] | None


def fixed_tasks(shot: int = 10, seed: int = 0) -> Episode:
    """The three tasks whose adaptation is shown: support inputs drawn from the seed, queries 50 even points."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(3, shot, 1, generator=generator) * 10 - 5
    amplitude, phase = torch.tensor(AMPLITUDES).view(3, 1, 1), torch.tensor(PHASES).view(3, 1, 1)
    query = QUERY_X.expand(3, -1, -1)
    return Episode(x, sinusoid(x, amplitude, phase), query, sinusoid(query, amplitude, phase), x[:, :0],
                   torch.zeros(3, 0, dtype=torch.int64), torch.zeros(3, dtype=torch.int64))


def adapted_vectors(net: nn.Module, tasks: Episode, alpha: float, steps: int) -> Tensor:
    """φ_i of every task as a vector: (T, P)."""
    learner = MAML(net, alpha, steps)
    with torch.no_grad():
        return torch.vmap(lambda episode: flatten(learner.adapt(episode).params))(tasks)


def outer_view(net: nn.Module, tasks: Episode, settings: Settings, shown: int, aspect: float) -> dict:
    """The part of an `OuterLoopRecord` that depends on θ alone: fits, φ_i and the surfaces of the task shown."""
    theta = flatten(dict(net.named_parameters()))
    phi = adapted_vectors(net, tasks, settings.alpha, settings.steps)
    truth = tasks.query_y[..., 0]
    offsets = torch.where(torch.isfinite(phi), phi - theta, torch.zeros(()))
    others = [i for i in range(len(phi)) if i != shown]
    plane = Plane(theta, offsets[shown], offsets[others])
    marks = plane.coordinates(phi).double().numpy()
    corners = np.vstack([np.zeros((1, 2)), np.nan_to_num(marks, nan=0.0, posinf=0.0, neginf=0.0)])
    a, b = frame(corners * np.minimum(1, FAR / np.maximum(np.hypot(*corners.T), 1e-12))[:, None], aspect)
    both = torch.cat([tasks.support_x[shown], QUERY_X])
    grid = plane.grid(torch.from_numpy(a).float(), torch.from_numpy(b).float())
    points, shot = 1 + len(phi), tasks.support_x.shape[1]
    everywhere = predictions(net, torch.cat([theta[None], phi, grid]), both)
    said, slice_said = everywhere[:points, shot:], everywhere[points:]
    surface = lambda part, y: squared_errors(part, y).view(len(b), len(a)).double().numpy()
    return dict(
        shown=shown, x=QUERY_X[:, 0].numpy(), truth=truth.numpy(), before=said[0].numpy(), after=said[1:].numpy(),
        support_x=tasks.support_x[..., 0].numpy(), support_y=tasks.support_y[..., 0].numpy(),
        query_before=squared_errors(said[:1], truth).double().numpy(),
        query_after=squared_errors(said[1:], truth).double().numpy(), phi=marks,
        off_plane=plane.distance(phi).double().numpy(), a=a, b=b,
        support_surface=surface(slice_said[:, :shot], tasks.support_y[shown, :, 0]),
        query_surface=surface(slice_said[:, shot:], truth[shown]), settings=settings)


def first_break(training: OuterTraining) -> tuple[float, int] | None:
    """The outer rate that threw θ away and the last outer step before it; None where θ is not lost: where the loss at θ
    itself is not many times that of the start."""
    history = training.snapshots[:training.cursor + 1]
    good = [snapshot.before <= LOST * history[0].before for snapshot in history]
    if good[-1]:
        return None
    last = max(i for i, fine in enumerate(good) if fine)
    return training.settings[history[last].step].beta, history[last].step


class OuterLoopPlayer(Explorer):
    """MAML's outer loop on sinusoids as a film that you direct: step, play, rewind, change a rate and branch off.

    net: where θ starts (it is copied), an `MLP()` by default. sampler: the tasks of the outer loop. The buttons run
    real outer steps, `mlcourse.train.outer_step`; `step(n)` does the same from code. Going on from a rewound θ starts
    a new branch, and the old one stays as a thin line.

        OuterLoopPlayer()
    """

    _playing: OuterLoopPlayer | None = None

    def __init__(self, net: nn.Module | None = None, *, sampler: SinusoidSampler | None = None, seed: int = 0,
                 settings: Settings = Settings()):
        self.training = OuterTraining(copy.deepcopy(net) if net is not None else MLP(seed=seed),
                                      sampler if sampler is not None else SinusoidSampler(), seed)
        self.tasks = fixed_tasks(self.training.check.support_x.shape[1])
        log, whole = ipywidgets.FloatLogSlider, ipywidgets.IntSlider
        controls = {
            "rewind": ipywidgets.SelectionSlider(options=[0], description="outer step", **CONTROL),
            "alpha": log(value=settings.alpha, min=-4, max=0, step=0.02, description="inner rate α",
                         readout_format=".4f", **CONTROL),
            "steps": whole(value=settings.steps, min=1, max=5, description="inner steps", **CONTROL),
            "beta": log(value=settings.beta, min=-5, max=0, step=0.02, description="outer rate β",
                        readout_format=".5f", **CONTROL),
            "tasks": whole(value=settings.tasks, min=1, max=50, description="tasks per step", **CONTROL),
            "shown": ipywidgets.ToggleButtons(options=[(name, i) for i, name in enumerate(NAMES)],
                                              tooltips=[f"surfaces of task {name}" for name in NAMES],
                                              style={"button_width": "3em"}),
        }
        tasks = self.tasks
        scene = OuterLoopScene(list(zip(NAMES, tasks.support_x[..., 0].numpy(), tasks.support_y[..., 0].numpy())),
                               (QUERY_X[:, 0].numpy(), tasks.query_y[..., 0].numpy()), GRID)
        self.aspect = scene.aspect
        super().__init__(scene, controls, self._arrange(controls))
        self.job = Background(self.turn, self._show_play)
        controls["rewind"].observe(lambda change: None if self._holding else self.pause(), "value")
        self._stop_other()

    def _arrange(self, controls: dict) -> ipywidgets.Widget:
        button = lambda text, about: ipywidgets.Button(description=text, tooltip=about, layout={"width": "auto"})
        self.play_button = button("▶ play", "run outer steps until you press pause")
        buttons = [(button(f"+{n} step" + "s" * (n > 1), f"run {plural(n, 'outer step')}"), n) for n in (1, 10, 100)]
        restart = button("↺ start over", "back to the first θ; what was trained is dropped")
        self.play_button.on_click(lambda _: self.pause() if self.playing else self.play())
        for each, count in buttons:
            each.on_click(lambda _, count=count: self.play(count))
        restart.on_click(lambda _: self.restart())
        controls["rewind"].layout = {"flex": "1 1 290px"}
        row = ipywidgets.HBox([self.play_button, *(each for each, _ in buttons), restart, controls["rewind"]],
                              layout={"flex_flow": "row wrap"})
        rest = [control for name, control in controls.items() if name not in ("rewind", "shown")]
        return ipywidgets.VBox([row, columns([*rest, labelled("surfaces of task", controls["shown"])])])

    @property
    def playing(self) -> bool:
        """Whether outer steps are running."""
        return self.job.running

    def step(self, count: int = 1) -> None:
        """Run `count` outer steps from where θ stands, and show them."""
        with self.turn:
            chosen = self._chosen(self.settings)
            try:
                with one_core():
                    self.training.advance(count, chosen)
            except ValueError as error:
                self.fail(error)
            else:
                self._follow()

    def play(self, count: int = PLAY_LIMIT) -> None:
        """Run `count` outer steps, a few at a time; between them the kernel answers, and `pause()` stops.

        Where no event loop runs (a plain script), all steps run at once.
        """
        self._stop_other()      # before this player's own turn: two that wait for each other would wait for ever
        with self.turn:
            self.pause()
            OuterLoopPlayer._playing = self
            self.play_button.description = "⏸ pause"
            self.job.start(self._steps(count))

    def pause(self) -> None:
        """Stop after the outer steps in progress."""
        self.job.stop()

    def restart(self) -> None:
        """Back to the first θ, dropping what was trained."""
        with self.turn:
            self.pause()
            self.training.rewind(0)
            first = self.training
            self.training = OuterTraining(first.net, first.sampler, first.seed)
            self._follow()

    def compute(self, *, rewind: int, shown: int, **chosen) -> OuterLoopRecord:
        training = self.training
        training.rewind(rewind)
        history, settings = training.snapshots, Settings(**chosen)
        held = adaptation_losses(MAML(training.net, settings.alpha, settings.steps), training.check)
        return OuterLoopRecord(
            step=training.step, last=history[-1].step, losses=np.array(training.losses),
            check_steps=np.array([s.step for s in history]), check_before=np.array([s.before for s in history]),
            check_after=np.array([s.after for s in history]), abandoned=training.abandoned,
            held_before=held[0].mean().item(), held_after=held[1].mean().item(),
            broken_by=first_break(training),
            **outer_view(training.net, self.tasks, settings, shown, self.aspect))

    def headline(self, record: OuterLoopRecord) -> str:
        inner = plural(record.settings.steps, "inner step")
        before, after = record.held_before, record.held_after
        if record.broken_by is not None:
            beta, last = record.broken_by
            return (f"β = {beta:.3g} was too large: before any inner step the loss at θ is {about(before)}. "
                    f"Lower β, and rewind to outer step {last}")
        if not np.isfinite(after) or after > EXPLODED:
            return f"α = {record.settings.alpha:.3g} is too large for this θ: {inner} later the loss is {about(after)}"
        when = "Before meta-training" if record.step == 0 else f"After {plural(record.step, 'outer step')}"
        verb = ("lower" if after < before else "raise") + "s" * (record.settings.steps == 1)
        return (f"{when}, {inner} {verb} the query loss of {len(self.training.check.domain)} tasks "
                f"from {about(before)} to {about(after)}")

    def describe(self, record: OuterLoopRecord) -> str:
        name = NAMES[record.shown]
        place = ""
        if record.step < record.last:
            place = f"Rewound to outer step {record.step} of {record.last}; going on from here starts a new branch. "
        return (f"{place}Title and thick curves are of {len(self.training.check.domain)} tasks kept aside (thin: "
                f"batches, old branches), other panels of three more. The slice passes through θ and the φ of task "
                f"{name}, whose query loss goes from {about(record.query_before[record.shown])} to "
                f"{about(record.query_after[record.shown])}.")

    def _chosen(self, settings: dict) -> Settings:
        return Settings(**{name: settings[name] for name in Settings._fields})

    def _follow(self) -> None:
        """Move the rewind slider to the end of this branch, and draw."""
        steps = [snapshot.step for snapshot in self.training.snapshots]
        self._holding = True
        self.controls["rewind"].options = steps
        self.controls["rewind"].value = steps[-1]
        self._holding = False
        self.refresh()

    def _steps(self, count: int) -> Iterator[None]:
        """`count` outer steps, a few a piece."""
        while count > 0 and self.error is None:
            self.step(min(PLAY_CHUNK, count))
            count -= PLAY_CHUNK
            yield

    def _show_play(self) -> None:
        self.play_button.description = "▶ play"

    def _stop_other(self) -> None:
        """Pause the player that was playing: one cell run twice must not train two networks."""
        other = OuterLoopPlayer._playing
        if other is not None and other is not self:
            other.pause()
            OuterLoopPlayer._playing = None
