"""Distillation: what the paper says, and what every learner does."""

import pytest
import torch

from mlcourse.engine import switch
from mlcourse.episode import Episode
from mlcourse.episode.across import DomainSampler
from mlcourse.learner import Adapted
from mlcourse.learners import AdaBN, Distillation, Teacher
from mlcourse.losses.distillation import distillation
from mlcourse.nets import Conv4, call
from mlcourse.train import train
from like_every_learner import check_like_every_learner
from tiny import SIDE, patterns

WAY = 3
SAMPLER = DomainSampler([patterns(0, classes=WAY)], 2, 2, unlabeled=3, target=patterns(2, classes=WAY))


def episodes(tasks=1, dtype=torch.float64):
    return SAMPLER.sample(tasks, torch.Generator().manual_seed(0)).to(dtype)


def network(width=4, seed=3, norm="batch", dtype=torch.float64):
    return Conv4(WAY, width, "stride", norm, SIDE, seed).to(dtype)


def teacher(dtype=torch.float64, seed=5):
    net = network(6, seed, dtype=dtype)
    with torch.no_grad():
        return Teacher(net, AdaBN(net).adapt(episodes(1, dtype).task(0)))


def small(hard=0.0, **settings):
    return Distillation(network(**settings), teacher(), 3.0, hard)


def test_the_loss_is_that_of_the_soft_targets_and_of_the_sources_labels():
    episode, frozen = episodes().task(0), teacher()
    z = network()(episode.unlabeled_x)
    soft = distillation(z, frozen(episode.unlabeled_x), 3.0)
    torch.testing.assert_close(small().loss(episode), soft)
    hard = torch.nn.functional.cross_entropy(network()(episode.support_x), episode.support_y)
    torch.testing.assert_close(small(hard=0.5).loss(episode), soft + 0.5 * hard)


def test_the_student_is_tested_at_temperature_1():
    learner, episode = small(), episodes().task(0)
    state = learner.adapt(episode)
    want = call(learner.net, dict(learner.net.named_parameters()), episode.query_x, state.stats)
    assert torch.equal(learner.predict(state, episode.query_x), want)


def test_a_teacher_answers_as_its_learner_did_and_is_a_copy():
    net, episode = network(6, 5), episodes().task(0)
    learner = AdaBN(net)
    with torch.no_grad():
        state = learner.adapt(episode)
        answers = learner.predict(state, episode.query_x)
        frozen = Teacher(net, state)
        torch.testing.assert_close(frozen(episode.query_x), answers)
        answers = frozen(episode.query_x)
        batch = Teacher(net, learner.adapt(Episode(*(field[None] for field in episode))))
        torch.testing.assert_close(batch(episode.query_x), answers)
        net.head.weight.mul_(-1)
    assert torch.equal(frozen(episode.query_x), answers) and not frozen(episode.query_x).requires_grad
    torch.testing.assert_close(frozen(episode.query_x[None])[0], answers)


def test_a_teacher_without_shared_statistics_answers_too():
    net, episode = network(6, 5, norm="layer"), episodes().task(0)
    frozen = Teacher(net, AdaBN(net).adapted(dict(net.named_parameters()), episode))
    torch.testing.assert_close(frozen(episode.query_x), net(episode.query_x))


def test_training_leaves_the_teacher_bit_for_bit_and_the_student_follows_it():
    frozen = teacher(torch.float32)
    before = [p.clone() for p in (*frozen.net.parameters(), *(t for pair in frozen.stats for t in pair))]
    learner = Distillation(network(8, dtype=torch.float32), frozen, 3.0)
    records = train(learner, learner.phases(SAMPLER, 80, tasks=2, lr=1e-2), progress=False)
    after = (*frozen.net.parameters(), *(t for pair in frozen.stats for t in pair))
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    assert sum(r["loss"] for r in records[-5:]) < 0.3 * sum(r["loss"] for r in records[:5])


def test_the_teachers_parameters_are_none_of_the_learners():
    module = network(6, 5).requires_grad_(False)
    learner = Distillation(network(), lambda x: module(x))
    own = {f"net.{name}" for name, _ in network().named_parameters()}
    assert {name for name, _ in learner.named_parameters()} == own
    with pytest.raises(ValueError, match="'convs.0.weight' would train along with the student; freeze the teacher"):
        Distillation(network(), network(6, 5))
    assert set(Distillation(network(), module).state_dict()) == set(AdaBN(network()).state_dict())


def test_labels_of_the_target_do_not_enter_and_those_of_the_source_only_with_a_weight():
    episode = episodes().task(0)
    wrong = episode._replace(support_y=(episode.support_y + 1) % WAY, query_y=torch.zeros_like(episode.query_y))
    assert torch.equal(small().loss(episode), small().loss(wrong))
    assert not torch.equal(small(hard=1.0).loss(episode), small(hard=1.0).loss(wrong))


@pytest.mark.parametrize("hard", [0.0, 0.5])
def test_distillation_does_what_every_learner_does(hard):
    """A loop equals vmap and the fast engine, every parameter gets a gradient, predict is pure, one query alone as in a
    batch, no gradient off; it needs a teacher, so that the conformance suite cannot build it."""
    learner, batch = small(hard), episodes(3)
    assert learner.engine == "stacked"
    check_like_every_learner(learner, batch)


@pytest.mark.parametrize("make", [lambda: Teacher(network(6, 5), Adapted(dict(network(6, 5).named_parameters()), ())),
                                  lambda: network(6, 5).requires_grad_(False)], ids=["a teacher", "a module"])
def test_a_teacher_with_statistics_of_the_batch_sees_one_task_at_a_time(make):
    learner, batch = Distillation(network(), make(), 3.0), episodes(3)
    assert learner.engine == "stacked"
    torch.testing.assert_close(learner.losses(batch), switch.in_a_loop(learner.loss, batch), rtol=0, atol=1e-11)


def test_what_does_not_fit_is_told():
    with pytest.raises(ValueError, match="temperature must be a positive, finite number, got 0"):
        Distillation(network(), teacher(), 0)
    with pytest.raises(ValueError, match="weight of the hard labels must be 0 or more, got -1"):
        Distillation(network(), teacher(), hard=-1)
    with pytest.raises(ValueError, match="needs|adapts to unlabelled pictures"):
        episode = episodes().task(0)
        small().loss(episode._replace(unlabeled_x=episode.unlabeled_x[:0]))
