"""What a dozen steps on an easy domain must do for every method: beat chance, and beat the unadapted method."""

from dataclasses import replace

import pytest
import torch
from tiny import CLASSES, PICTURES, POOLS, SIDE, few_steps, patterns, sampler_for

from mlcourse.episode import Episode
from mlcourse.episode.across import DomainSampler
from mlcourse.evaluate import score
from mlcourse.learners import ACROSS_DOMAINS, METHODS, build, method
from mlcourse.learners.daml import with_redrawn
from mlcourse.nets import MLP, Conv4
from mlcourse.system.machine import one_core
from mlcourse.train import train

WAY, STEPS, SEEDS, EPISODES = 3, 12, 3, 20
SOURCE = patterns(0, WAY)
DIMMED = replace(SOURCE, images=(0.3 * SOURCE.images + 150).byte())
CLOSED = DomainSampler([SOURCE, DIMMED], 2, 3, unlabeled=3)
RATES = {"reptile": 1.0, "none": 3e-2, "daml": 3e-2, "relation": 5e-3, "cnp": 3e-3, "caml": 3e-3}
LONGER = {"cnp": (70, 8), "caml": (45, 8)}      # steps and tasks of those that have to learn to compare, from nothing


class Redrawn:
    """Episodes whose queries also come in another manner, for DAML."""

    def sample(self, tasks, generator):
        return with_redrawn(PICTURES.sample(tasks, generator), lambda x, generator: 0.8 * x + 0.1, generator)


class Lines:
    """Regression: y = x + b, and each task has its own b in [-2, 2]."""

    def sample(self, tasks, generator):
        x, b = torch.rand(tasks, 12, 1, generator=generator), 4 * torch.rand(tasks, 1, 1, generator=generator) - 2
        none = torch.zeros(tasks, 0, dtype=torch.int64)
        return Episode(x[:, :6], (x + b)[:, :6], x[:, 6:], (x + b)[:, 6:], x[:, :0], none, none.sum(1))


def sampler_of(entry, way):
    """Labels mean something else in every episode, but for the methods with one fixed set of classes."""
    if way == 0:
        return Lines()
    if entry.kind.__name__ == "DAML":
        return Redrawn()
    return CLOSED if entry in ACROSS_DOMAINS or entry.name == "none" else sampler_for(entry.name)


def trained(entry, way, seed):
    learner = build(entry, way=way, train_classes=CLASSES, seed=seed)
    if entry.net:
        net = MLP((1, 20, 20, 1), seed=seed) if way == 0 else Conv4(
            way if entry.net == "headed" else 0, 6, POOLS[entry.net], "batch", SIDE, seed)
        learner = entry.kind(net, **few_steps(learner.config, 5))
    lr, (steps, tasks) = RATES.get(entry.name, 1e-2), LONGER.get(entry.name, (STEPS, 2))
    train(learner, learner.phases(sampler_of(entry, way), steps, tasks=tasks, lr=lr), seed=seed, progress=False)
    return learner.eval()


def unadapted(learner, entry, episodes):
    """The queries' predictions without what the support set, or the target's pictures, tell: no inner step; the
    statistics of the source; or else the support set of another episode."""
    if entry in ACROSS_DOMAINS and entry.kind.__name__ != "DAML":
        return learner.predictions(episodes._replace(unlabeled_x=episodes.support_x), 0)
    if getattr(learner, "steps", 0):
        return learner.predictions(episodes, 0)
    return learner.predictions(episodes._replace(support_x=episodes.support_x.roll(1, 0),
                                                 support_y=episodes.support_y.roll(1, 0)))


def surely_above(values, least):
    """Whether the mean over all seeds lies above by three standard errors, and that of each seed lies above."""
    together = torch.cat(values)
    error = together.std() / len(together) ** 0.5
    return together.mean() - 3 * error > least and all(v.mean() > least for v in values)


CASES = [pytest.param(entry, way, id=f"{entry.name}-{'pictures' if way else 'sinusoids'}")
         for entry in METHODS + ACROSS_DOMAINS for way in (WAY, 0)
         if (entry.settings is not None if way else entry.sinusoids)]


@pytest.mark.parametrize(("entry", "way"), CASES)
@one_core()
def test_a_dozen_steps_beat_chance_and_the_unadapted_method(entry, way):
    """Of at most five inner steps; paired over the episodes of three seeds."""
    reached, gained = [], []
    for seed in range(SEEDS):
        learner = trained(entry, way, seed)
        episodes = sampler_of(entry, way).sample(EPISODES, torch.Generator().manual_seed(100 + seed))
        with torch.no_grad():
            judge = lambda predictions, y=episodes.query_y: torch.vmap(score)(predictions, y)
            with_it, without = judge(learner.predictions(episodes)), judge(unadapted(learner, entry, episodes))
        reached.append(with_it)
        gained.append(with_it - without if way else without - with_it)
    assert way == 0 or surely_above(reached, 1 / WAY)
    if entry.name == "none":
        assert not any(gain.any() for gain in gained)           # it has nothing that adapts
    else:
        assert surely_above(gained, 0)


def test_a_method_that_does_not_adapt_would_be_seen():
    learner = trained(method("none"), WAY, 0)
    episodes = PICTURES.sample(EPISODES, torch.Generator().manual_seed(0))
    with torch.no_grad():
        values = torch.vmap(score)(learner.predictions(episodes), episodes.query_y)
    assert not surely_above([values], 1 / WAY)
