"""norm="running": the statistics that a step leaves are those that its own loss saw, in every engine, in any parts."""

from dataclasses import replace

import pytest
import torch
from tiny import PICTURES, SIDE, pictures

from mlcourse.episode import Episode
from mlcourse.evaluate import scores
from mlcourse.learners import DAML, MAML, JointTraining, MetaSGD, NoAdaptation, ProtoNet
from mlcourse.nets import Conv4, call, features, params_of, statistics, watching
from mlcourse.train import outer_step, train

ENGINES = ("stacked", "vmap", "loop")


class Fixed:
    """Always the same batch of five episodes, in float64; with every query redrawn."""

    way, shot, query = PICTURES.way, PICTURES.shot, PICTURES.query

    def sample(self, tasks, generator):
        batch = pictures(tasks)
        return batch._replace(unlabeled_x=batch.query_x ** 2)


def made(kind, engine="stacked"):
    headless = kind is ProtoNet
    learner = kind(Conv4(0 if headless else 3, 5, "max" if headless else "stride", "running", SIDE)).double()
    if engine != "stacked":
        learner.stacks, learner.refused_by_vmap = False, engine == "loop"
    assert learner.engine == engine
    return learner


def step(learner, phase, number=0):
    return outer_step(phase, number, torch.Generator().manual_seed(0))


def phases_of(learner, steps, tasks):
    sampler = Fixed()
    return [learner.joint(sampler, steps, None, tasks=tasks)] if isinstance(learner, DAML) else learner.phases(
        sampler, steps, tasks=tasks)


def by_hand(learner, batch: Episode):
    """The mean over tasks of what the network that predicts them takes of their queries, one task at a time."""
    each = []
    for i in range(batch.tasks):
        episode = batch.task(i)
        phi = getattr(learner.adapt(episode), "params", learner.theta())
        each.append(statistics(learner.net, phi, episode.query_x))
    mean = lambda layer, k: torch.stack([stats[layer][k] for stats in each]).mean(0).detach()
    return [(mean(layer, 0), mean(layer, 1)) for layer in range(4)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", [MAML, MetaSGD, DAML, NoAdaptation, ProtoNet])
def test_a_step_moves_them_towards_what_its_loss_saw(kind, engine):
    learner = made(kind, engine)
    phase = phases_of(learner, 3, 5)[0]
    for number in range(2):
        before = learner.net.running_stats()
        expected = [tuple(0.9 * old + 0.1 * new for old, new in zip(*pair, strict=True))
                    for pair in zip(before, by_hand(learner, Fixed().sample(5, None)), strict=True)]
        step(learner, phase, number)
        torch.testing.assert_close([tuple(pair) for pair in learner.net.running_stats()], expected, rtol=0, atol=1e-12)
    assert learner.seen == ()


@pytest.mark.parametrize("kind", [MAML, DAML, ProtoNet])
def test_the_loss_and_what_is_learned_are_those_of_the_batch_norm(kind):
    """Taking the statistics on the way changes no loss, gradient or prediction."""
    learner, plain = made(kind), made(kind)
    phase = phases_of(learner, 3, 5)[0]
    other = replace(phases_of(plain, 3, 5)[0], one=None)        # the statistics are then taken in a pass of their own
    assert step(learner, phase) == pytest.approx(step(plain, other), abs=1e-12)
    for (name, p), q in zip(learner.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=1e-12, msg=name)
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-9, atol=1e-12)


def test_parts_and_threads_move_them_alike():
    found = []
    for chunk in (1, 2, 5):
        learner = made(MAML)
        phase = replace(phases_of(learner, 3, 5)[0], chunk=chunk)
        step(learner, phase)
        found.append(torch.cat([learner.net.running_mean, learner.net.running_var]))
    assert all(torch.allclose(other, found[0], rtol=0, atol=1e-12) for other in found)


@pytest.mark.parametrize("kind", [MAML, ProtoNet])
def test_engines_leave_the_same_after_training(kind):
    learners = [made(kind, engine) for engine in ENGINES]
    for learner in learners:
        train(learner, phases_of(learner, 3, 5), progress=False, check_engine=True)
    first, *others = [{**learner.state_dict()} for learner in learners]
    for other in others:
        torch.testing.assert_close(other, first, rtol=1e-6, atol=1e-8)
    one = [scores(learner, Fixed(), 5) for learner in learners]
    assert torch.equal(one[0], one[1]) and torch.equal(one[0], one[2])


def test_a_loss_that_predicts_no_queries_has_them_taken_afterwards():
    """JointTraining asks about support and query samples together."""
    learner = made(JointTraining)
    step(learner, phases_of(learner, 3, 5)[0])
    learner.net.running_mean.zero_(), learner.net.running_var.zero_()
    learner.after_step(Fixed().sample(5, None))
    expected = by_hand(learner, Fixed().sample(5, None).task(slice(0, 4)))
    torch.testing.assert_close(list(learner.net.running_stats()), [tuple(0.1 * s for s in pair) for pair in expected])


def test_a_hook_of_a_subclass_runs_as_before():
    class Counted(MAML):
        stacks, count = True, 0

        def after_step(self, batch):
            super().after_step(batch)
            self.count += 1

    learner = Counted(Conv4(3, 5, norm="running", side=SIDE)).double()
    train(learner, phases_of(learner, 3, 5), progress=False)
    assert learner.count == 3 and not torch.equal(learner.net.running_mean, torch.zeros_like(learner.net.running_mean))


def test_watching_sees_the_last_call_on_these_very_samples():
    net, x = Conv4(3, 5, norm="running", side=SIDE).double(), pictures().task(0).query_x
    theta = params_of(net)
    doubled = {name: 2 * p for name, p in theta.items()}
    with watching(x) as seen:
        assert seen.stats == ()
        call(net, theta, x.clone())
        call(net, theta, x, net.running_stats())
        assert seen.stats == ()
        features(net, doubled, x)
        call(net, theta, x)
        with watching(x + 1) as other:
            call(net, theta, x)
        assert other.stats == ()
    torch.testing.assert_close(seen.stats, statistics(net, theta, x))
    assert not any(t.requires_grad for pair in seen.stats for t in pair)
    call(net, doubled, x)
    torch.testing.assert_close(seen.stats, statistics(net, theta, x))
