"""The arms of `mlcourse study protocol`: how each is made and trained, with 80 pictures in every step."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.learner import Learner
from mlcourse.learners import MAML, RFS, BaselinePlusPlus, FineTune, NearestNeighbour, ProtoNet
from mlcourse.lessons.l06_images.fixed_labels import FixedLabels
from mlcourse.nets import Conv4
from mlcourse.train import train

WAY, SHOT = 5, 1
SECOND, PROTOTYPES, WIDE, REGRESSION, COSINES, FINE, PIXELS = (
    "MAML", "ProtoNet", "ProtoNet, 20-way", "RFS", "Baseline++", "fine-tuning", "pixels")
LEARNED = (SECOND, PROTOTYPES)


class Trained(NamedTuple):
    """A trained learner, in eval mode, and the seconds of one core that training took."""

    learner: Learner
    seconds: float


def made(arm: str, norm: str, setting: dict, seed: int, width: int, classes: int) -> Learner:
    """An arm, untrained. setting: arguments of its constructor. classes: those that a pretrained body is first taught
    to tell apart."""
    headless = Conv4(0, width, norm=norm, seed=seed)
    if arm == SECOND:
        return MAML(Conv4(WAY, width, norm=norm, seed=seed), **setting)
    if arm in (PROTOTYPES, WIDE):
        return ProtoNet(headless)
    return {REGRESSION: RFS, COSINES: BaselinePlusPlus, FINE: FineTune}[arm](headless, classes, **setting, seed=seed)


def episodes_of(arm: str, source: Domain) -> tuple[EpisodeSampler, int]:
    """What an arm is trained on, and how many episodes of it make a step of 80 pictures."""
    if arm in LEARNED:
        return EpisodeSampler(source, WAY, SHOT, 3), 4
    return EpisodeSampler(source, 20, SHOT, 3) if arm == WIDE else EpisodeSampler(source, 40, 1, 1), 1


def trained(arm: str, norm: str, setting: dict, seed: int, source: Domain, steps: int, width: int, *,
            shuffled: float | None = None, on_step: Callable[[Learner], None] | None = None) -> Trained:
    """An arm after all its steps. setting: of its constructor, and "outer", the rate of Adam, 4e-3 where it is
    left out. shuffled: the share of episodes with shuffled labels among those of `FixedLabels`; None: ordinary
    episodes. on_step: called with the learner after each step."""
    if arm == PIXELS:
        return Trained(NearestNeighbour().eval(), 0.0)
    inner = {name: value for name, value in setting.items() if name != "outer"}
    learner = made(arm, norm, inner, seed, width, len(source.classes))
    learner.tasks_at_once = None
    sampler, tasks = episodes_of(arm, source)
    if shuffled is not None:
        sampler = FixedLabels(source, WAY, SHOT, 3, shuffled)
    phases = learner.phases(sampler, steps, tasks=tasks, lr=setting.get("outer", 4e-3))
    start = time.process_time()
    train(learner, phases, seed=seed, progress=False, on_step=on_step and (lambda _: on_step(learner)))
    return Trained(learner.eval(), round(time.process_time() - start, 1))
