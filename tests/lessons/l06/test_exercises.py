"""What lesson 06's exercises rest on: the broken code fails or misleads as the text says, and the right code agrees
with the library."""

import pytest
import torch

from mlcourse.datasets import load_splits
from mlcourse.episode import EpisodeSampler
from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge
from mlcourse.learners import MAML, ProtoNet
from mlcourse.lessons.l06_images.checks import FEATURES, NO_FLATTEN, SIX, TEN
from mlcourse.lessons.l06_images.network import protonet
from mlcourse.nets import Conv4, call, params_of


def defined(source, name):
    namespace = {"torch": torch}
    exec(source, namespace)
    return namespace[name]


def first_episode(shot=1, query=3):
    sampler = EpisodeSampler(load_splits("glyphs").train, 5, shot, query)
    return sampler.sample(1, torch.Generator().manual_seed(0)).task(0)


def test_the_broken_network_fails_and_its_three_bugs_are_named():
    net = defined(exercise("06.3").given, "make_net_broken")(5)
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes"):
        net(torch.rand(2, 1, 28, 28))
    assert set(judge(exercise("06.3"), lambda way: net).misconception.split(", ")) == {SIX, TEN, NO_FLATTEN}
    assert net[:3](torch.rand(1, 1, 28, 28)).numel() == FEATURES == 5408


def test_the_mended_network_learns_an_episode():
    net, episode = exercise("06.3").reference()(5), first_episode()
    loss = lambda: torch.nn.functional.cross_entropy(net(episode.support_x), episode.support_y)
    before = loss().item()
    optimiser = torch.optim.SGD(net.parameters(), 0.1)
    for _ in range(20):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    assert loss().item() < before / 4


@pytest.mark.parametrize("shot", [1, 3])
def test_the_authors_rate_is_n_times_itself_on_the_mean(shot):
    net, episode = Conv4(5, 8, norm="layer").double(), first_episode(shot).to(torch.float64)
    forward = lambda params, x: call(net, params, x)
    inner_step = exercise("06.4").reference()
    phi = inner_step(params_of(net), forward, episode.support_x, episode.support_y, 0.02, shot)
    wanted = MAML(net, lr=5 * 0.02).adapt(episode).params
    for name, p in wanted.items():
        torch.testing.assert_close(phi[name], p)


@pytest.mark.parametrize("shot", [1, 3])
def test_a_step_on_the_sum_is_n_k_times_a_step_on_the_mean(shot):
    net, episode = Conv4(5, 8, norm="none").double(), first_episode(shot).to(torch.float64)
    change = {}
    for reduction in ("sum", "mean"):
        loss = torch.nn.functional.cross_entropy(net(episode.support_x), episode.support_y, reduction=reduction)
        change[reduction] = torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(net.parameters()))])
    torch.testing.assert_close(change["sum"], 5 * shot * change["mean"])


def test_the_broken_step_is_a_fifth_of_the_authors():
    net, episode = Conv4(5, 8, norm="layer").double(), first_episode().to(torch.float64)
    forward = lambda params, x: call(net, params, x)
    args = params_of(net), forward, episode.support_x, episode.support_y, 0.4, 1
    right, broken = exercise("06.4").reference()(*args), defined(exercise("06.4").given, "inner_step_broken")(*args)
    for name, p in net.named_parameters():
        torch.testing.assert_close(right[name] - p, 5 * (broken[name] - p))


@torch.no_grad()
def test_both_ways_tells_a_transductive_learner_from_an_inductive_one():
    both_ways, episode = exercise("06.5").reference(), first_episode(query=6)
    layered = ProtoNet(Conv4(0, 8, norm="layer")).eval()
    state = layered.adapt(episode)
    company, alone = both_ways(lambda x: layered.predict(state, x), episode.query_x, episode.query_y)
    assert company == alone
    batch = protonet()
    state = batch.adapt(episode)
    company, alone = both_ways(lambda x: batch.predict(state, x), episode.query_x, episode.query_y)
    assert batch.is_transductive and company > alone


def test_the_reference_sampler_draws_what_the_librarys_draws():
    """Over many episodes every class comes equally often, under every label."""
    domain = load_splits("glyphs").test.subset(range(6))
    draw, generator = exercise("06.1").reference(), torch.Generator().manual_seed(3)
    counts = torch.zeros(6, 3)
    known = {tuple(x.flatten().tolist()): int(y) for x, y in zip(domain.images, domain.labels, strict=True)}
    for _ in range(300):
        support_x, support_y, *_ = draw(domain.images, domain.labels, 3, 1, 2, generator)
        for x, y in zip(support_x, support_y, strict=True):
            counts[known[tuple(x.flatten().tolist())], int(y)] += 1
    assert (counts / 300 - 1 / 6).abs().max() < 0.09
