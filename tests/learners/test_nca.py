"""NCA against its double loop, and what it shares with ProtoNet."""

import math

import pytest
import torch
from tiny import PICTURES, learner, pictures

from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import evaluate
from mlcourse.learners import ProtoNet
from mlcourse.losses.contrast import nca, sup_con
from mlcourse.train import train


def vectors(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def naive_nca(z, y, tau):
    """Goldberger et al. 2004, the mean logarithm of p_i, over the samples that have another of their label."""
    losses = []
    for i in range(len(z)):
        near = [math.exp(-float((z[i] - z[k]).square().sum()) / tau) if k != i else 0.0 for k in range(len(z))]
        own = sum(near[j] for j in range(len(z)) if y[j] == y[i])
        if own:
            losses.append(-math.log(own / sum(near)))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 2, 2, 0], [3, 3, 1, 2]])
@pytest.mark.parametrize("tau", [0.5, 1.0, 3.0])
def test_the_loss_equals_its_double_loop_also_for_several_batches(labels, tau):
    y = torch.tensor(labels)
    z = vectors(2, len(y), 3)
    expected = [naive_nca(each, y, tau) for each in z]
    assert float(nca(z[0], y, tau)) == pytest.approx(expected[0], rel=1e-12)
    assert nca(z, y.expand(2, -1), tau).tolist() == pytest.approx(expected, rel=1e-12)
    assert torch.autograd.gradcheck(lambda z: nca(z, y, tau), z[0].clone().requires_grad_())


def test_without_a_pair_it_is_0_and_so_is_its_gradient():
    z = vectors(4, 3).requires_grad_()
    loss = nca(z, torch.arange(4))
    assert abs(float(loss)) < 1e-12 and torch.autograd.grad(loss, z)[0].abs().max() < 1e-12


def test_at_unit_length_with_two_of_each_class_it_is_sup_con_at_half_the_temperature():
    z, y = torch.nn.functional.normalize(vectors(8, 3), dim=1), torch.arange(4).repeat(2)
    torch.testing.assert_close(nca(z, y, 0.4), sup_con(z, y, 0.2))
    more = torch.arange(2).repeat(4)
    assert not torch.isclose(nca(z, more, 0.4), sup_con(z, more, 0.2))      # a mean inside the logarithm, or outside


def test_what_does_not_fit_is_told():
    with pytest.raises(ValueError, match=r"nca needs one label for each sample, got samples of shape \(4, 3\)"):
        nca(vectors(4, 3), torch.arange(3))
    with pytest.raises(ValueError, match="temperature must be positive, got 0"):
        nca(vectors(4, 3), torch.arange(4), 0)
    with pytest.raises(ValueError, match="the temperature must be a positive, finite number, got -1"):
        learner("nca", tau=-1)


def test_support_and_query_are_one_batch_and_it_predicts_as_protonet_does():
    method, episode = learner("nca", norm="layer").double(), pictures().task(0)
    x, y = (torch.cat(pair) for pair in ((episode.support_x, episode.query_x), (episode.support_y, episode.query_y)))
    assert float(method.loss(episode)) == pytest.approx(naive_nca(method.net(x), y, 1.0), rel=1e-9)
    other = episode._replace(support_x=x[3:], support_y=y[3:], query_x=x[:3], query_y=y[:3])
    torch.testing.assert_close(method.loss(other), method.loss(episode))
    both = [each.predict(each.adapt(episode), episode.query_x) for each in (method, ProtoNet(method.net))]
    assert torch.equal(*both)


def test_training_helps():
    method, tests = learner("nca"), EpisodeSampler(PICTURES.domain, 3, 1, 3)
    before = evaluate(method, tests, 100)
    train(method, method.phases(PICTURES, 40, tasks=4, lr=1e-2), progress=False)
    assert evaluate(method, tests, 100).mean > before.mean + 0.1
