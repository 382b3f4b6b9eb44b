"""What lesson 08's exercises rest on: the broken code fails or misleads as the text says, and the right code agrees
with the library."""

import math

import pytest
import torch
import torch.nn.functional as F

from mlcourse.datasets import load_splits
from mlcourse.episode import EpisodeSampler
from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge
from mlcourse.learners import MatchingNet, ProtoNet, RelationNet
from mlcourse.lessons.l08_compare.checks import NO_GRADIENT, RAW
from mlcourse.lessons.l08_compare.checks_results import LOSS, SHARE, TAU, TWENTY, truths
from mlcourse.nets import Conv4


def defined(source, name):
    namespace = {"torch": torch}
    exec(source, namespace)
    return namespace[name]


def first_episode(way=5, shot=1, query=3):
    sampler = EpisodeSampler(load_splits("glyphs").train, way, shot, query)
    return sampler.sample(1, torch.Generator().manual_seed(0)).task(0)


@pytest.mark.parametrize("shot", [1, 3])
def test_the_linear_layer_answers_as_protonet_does(shot):
    net, e = Conv4(0, 8, norm="layer"), first_episode(shot=shot)
    weight, bias = exercise("08.1").reference()(net(e.support_x), e.support_y, 5)
    learner = ProtoNet(net)
    wanted = learner.predict(learner.adapt(e), e.query_x).log_softmax(1)
    torch.testing.assert_close((net(e.query_x) @ weight + bias).log_softmax(1), wanted, atol=1e-4, rtol=1e-4)


def test_the_paper_example_has_the_same_probabilities():
    c, q = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([1.0, 1.0])
    weight, bias = exercise("08.1").reference()(c, torch.tensor([0, 1]), 2)
    assert (q @ weight + bias).tolist() == [1.0, 0.0]
    assert (q - c).square().sum(1).tolist() == [1.0, 2.0]


def test_the_broken_step_cannot_be_taken_and_the_mended_one_learns():
    broken = defined(exercise("08.2").given, "train_step_broken")
    assert judge(exercise("08.2"), broken).misconception == NO_GRADIENT
    linear, step = exercise("08.1").reference(), exercise("08.2").reference()
    net, e = Conv4(0, 8, norm="layer"), first_episode()
    optimiser = torch.optim.Adam(net.parameters(), 0.01)
    with pytest.raises(RuntimeError, match="does not require grad"):
        broken(net, linear, optimiser, e)
    wanted = ProtoNet(Conv4(0, 8, norm="layer")).loss(e)
    torch.testing.assert_close(step(net, linear, optimiser, e), wanted, atol=1e-4, rtol=1e-4)
    losses = [float(step(net, linear, optimiser, e).detach()) for _ in range(15)]
    assert losses[-1] < losses[0] / 2


def test_the_bound_is_reached_by_no_cosines():
    found = truths()
    generator = torch.Generator().manual_seed(0)
    for way, key in ((5, SHARE), (20, TWENTY)):
        cosines = 2 * torch.rand(1000, way, generator=generator) - 1
        assert cosines.softmax(1).max() < found[key]
        best = torch.full((way,), -1.0)
        best[0] = 1.0
        assert float(best.softmax(0)[0]) == pytest.approx(found[key])
    assert float((best[:5] / found[TAU]).softmax(0)[0]) == pytest.approx(0.99)
    assert found[SHARE] == pytest.approx(math.e**2 / (math.e**2 + 4)) and found[LOSS] == pytest.approx(0.43, abs=0.01)


def test_the_attention_of_the_notebook_is_the_learners():
    net, e = Conv4(0, 8, norm="layer"), first_episode(shot=2)
    a, b = F.normalize(net(e.query_x)), F.normalize(net(e.support_x))
    share = (a @ b.T / 0.1).softmax(1)
    learner = MatchingNet(net, scale=10.0)
    wanted = learner.predict(learner.adapt(e), e.query_x).softmax(1)
    torch.testing.assert_close(share @ F.one_hot(e.support_y, 5).float(), wanted, atol=1e-5, rtol=1e-3)


def test_the_mended_scores_are_those_of_the_learner():
    learner, e = RelationNet(Conv4(0, 8, pool="early", norm="layer"), filters=8).eval(), first_episode()
    channels = learner.maps[0]
    g = lambda pairs: torch.cat([learner.relation(pair[None, :channels], pair[None, channels:]) for pair in pairs])
    order = e.support_y.argsort()
    scores = exercise("08.4").reference()(learner.embed, g, e.support_x[order], e.query_x)
    torch.testing.assert_close(scores, learner.predict(learner.adapt(e), e.query_x), atol=1e-4, rtol=1e-3)


def test_the_two_bugs_of_the_broken_scores_are_both_named():
    broken = defined(exercise("08.4").given, "relations_broken")
    assert judge(exercise("08.4"), broken).misconception == f"{RAW}, queries and classes transposed"
