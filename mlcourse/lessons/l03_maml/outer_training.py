"""Meta-training that can be stepped, rewound and continued on another branch: the engine of the outer-loop player."""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from mlcourse.episode import Episode
from mlcourse.learner import batch_loss
from mlcourse.learners import MAML
from mlcourse.losses import task_loss
from mlcourse.phases import Phase
from mlcourse.train import outer_step, step_generator

MOST_SNAPSHOTS = 400
CHECK_TASKS, CHECK_SEED = 40, 10**6


class Settings(NamedTuple):
    """What may change between outer steps: inner rate α, inner steps, outer rate β (Adam), tasks per step."""

    alpha: float = 0.01
    steps: int = 1
    beta: float = 5e-3
    tasks: int = 10


class Snapshot(NamedTuple):
    """θ after `step` outer steps, the optimiser's state, and the loss of the check tasks before and after adapting."""

    step: int
    theta: Tensor
    optimiser: dict
    before: float
    after: float


class OuterTraining:
    """MAML on a sampler of tasks, by the same `outer_step` as `mlcourse.train`, with a history.

    net: θ; trained in place. sampler: `sample(tasks, generator) -> Episode`. The batch of outer step i depends on the
    seed and i alone, so that going back and on again with the same settings gives the same numbers. `cursor` is the
    index of the current snapshot; `losses` and `settings` hold one entry for every outer step of this branch;
    `abandoned` holds the (step, after) curves of branches that were left by going on from an earlier snapshot.
    """

    def __init__(self, net: nn.Module, sampler, seed: int = 0):
        self.net, self.sampler, self.seed = net, sampler, seed
        self.check: Episode = sampler.sample(CHECK_TASKS, torch.Generator().manual_seed(CHECK_SEED + seed))
        self.optimiser = torch.optim.Adam(net.parameters())
        self.losses: list[float] = []
        self.settings: list[Settings] = []
        self.abandoned: list[tuple[list[int], list[float]]] = []
        self.snapshots = [self._snapshot(0, Settings())]
        self.cursor = 0

    @property
    def step(self) -> int:
        """The outer step that θ stands at."""
        return self.snapshots[self.cursor].step

    def advance(self, count: int, settings: Settings) -> None:
        """`count` outer steps from the cursor, then a snapshot. What lay beyond the cursor is abandoned.

        Raises ValueError for settings out of range or when the loss stops being finite; θ then stays where it was.
        """
        if count < 1 or settings.tasks < 1:
            raise ValueError(f"outer steps and tasks must be at least 1, got {count} and {settings.tasks}")
        learner = MAML(self.net, settings.alpha, settings.steps)
        start = self.snapshots[self.cursor]
        self._load(start)
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"] = settings.beta
        phase = Phase("meta-train", lambda generator: self.sampler.sample(settings.tasks, generator),
                      lambda batch, step: batch_loss(learner, batch), self.optimiser, start.step + count)
        losses = []
        try:
            for step in range(start.step, start.step + count):
                losses.append(outer_step(phase, step, step_generator(self.seed, 0, step)))
        except ValueError:
            self._load(start)
            raise
        self._branch()
        self.losses[start.step:] = losses
        self.settings[start.step:] = [settings] * count
        self.snapshots.append(self._snapshot(start.step + count, settings))
        self._thin()
        self.cursor = len(self.snapshots) - 1

    def rewind(self, step: int) -> None:
        """Go to the last snapshot that is not after this outer step."""
        at = max(i for i, snapshot in enumerate(self.snapshots) if snapshot.step <= max(step, 0))
        self.cursor = at
        vector_to_parameters(self.snapshots[at].theta.clone(), self.net.parameters())

    def _snapshot(self, step: int, settings: Settings) -> Snapshot:
        before, after = adaptation_losses(MAML(self.net, settings.alpha, settings.steps), self.check)
        return Snapshot(step, parameters_to_vector(self.net.parameters()).detach().clone(),
                        copy.deepcopy(self.optimiser.state_dict()), before.mean().item(), after.mean().item())

    def _load(self, snapshot: Snapshot) -> None:
        vector_to_parameters(snapshot.theta.clone(), self.net.parameters())
        self.optimiser.load_state_dict(copy.deepcopy(snapshot.optimiser))

    def _branch(self) -> None:
        beyond = self.snapshots[self.cursor:]
        if len(beyond) > 1:
            self.abandoned = self.abandoned[-2:] + [([s.step for s in beyond], [s.after for s in beyond])]
            del self.snapshots[self.cursor + 1:]

    def _thin(self) -> None:
        """Drop every second snapshot, first and last excepted, once there are too many."""
        if len(self.snapshots) > MOST_SNAPSHOTS:
            self.snapshots = [self.snapshots[0], *self.snapshots[2:-1:2], self.snapshots[-1]]


def adaptation_losses(learner: MAML, tasks: Episode) -> tuple[Tensor, Tensor]:
    """The query loss of each task (T,) at θ and at φ."""

    def one(episode):
        losses = (task_loss(learner.predict(learner.adapt(episode, steps), episode.query_x), episode.query_y)
                  for steps in (0, None))
        return tuple(losses)

    with torch.no_grad():
        return torch.vmap(one)(tasks)
