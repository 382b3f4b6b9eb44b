"""Reptile with Adam and mini-batches in its inner loop, as the authors train it."""

import signal
from dataclasses import replace

import pytest
import torch
from like_every_learner import check_like_every_learner
from tiny import PICTURES, SINUSOIDS, pictures, sinusoids

from mlcourse import checkpoint
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import evaluate
from mlcourse.learners import Reptile
from mlcourse.learners.reptile import mini_batches
from mlcourse.losses import task_loss
from mlcourse.nets import MLP, Conv4
from mlcourse.phases import constant
from mlcourse.train import Interrupted, outer_step, train

ADAM = {"lr": 0.01, "steps": 3, "beta2": 0.999, "batch": 4}


def taught_by_torch(net, inner, episode, steps, batch):
    """`steps` steps of an optimiser of torch on mini-batches of a task, which move the network itself."""
    x, y = episode.samples()
    for step in range(steps):
        at = [i % len(y) for i in range(step * batch, (step + 1) * batch)]
        inner.zero_grad()
        task_loss(net(x[at]), y[at]).backward()
        inner.step()


def test_outer_steps_of_one_task_are_those_of_torchs_adam_whose_state_outlives_the_tasks():
    """As in the authors' code: between the tasks the weights go back, a share ε of the way excepted, and Adam's state
    does not."""
    net, epsilon = MLP((1, 6, 1)).double(), 0.25
    inner = torch.optim.Adam(net.parameters(), lr=0.01, betas=(0.0, 0.999))
    ours = Reptile(MLP((1, 6, 1)), **ADAM).double()
    phase, = ours.phases(SINUSOIDS, 6, tasks=1, lr=epsilon)
    sample = phase.sample
    phase = replace(phase, rate=constant, sample=lambda generator: sample(generator).to(torch.float64))
    for step in range(6):
        episode = phase.sample(torch.Generator().manual_seed(step)).task(0)
        before = [p.detach().clone() for p in net.parameters()]
        taught_by_torch(net, inner, episode, 3, 4)
        with torch.no_grad():
            for p, theta in zip(net.parameters(), before, strict=True):
                p.copy_(theta + epsilon * (p - theta))
        outer_step(phase, step, torch.Generator().manual_seed(step))
        for (name, p), mine in zip(net.named_parameters(), ours.net.parameters(), strict=True):
            torch.testing.assert_close(mine, p, rtol=0, atol=1e-12)
            v = inner.state[p]["exp_avg_sq"]
            torch.testing.assert_close(ours.v[name.replace(".", "/")].detach(), v, rtol=0, atol=1e-12)
    torch.testing.assert_close(ours.ones.item(), 1 - 0.999 ** 18, rtol=0, atol=1e-12)


def test_adaptation_goes_on_from_the_averages_and_leaves_them():
    """At test Adam starts from what training left of its state, for every task anew."""
    ours, batch = Reptile(MLP((1, 6, 1)), **ADAM).double(), sinusoids(2)
    phase, = ours.phases(SINUSOIDS, 2, tasks=1)
    sample = phase.sample
    phase.sample = lambda generator: sample(generator).to(torch.float64)
    for step in range(2):
        outer_step(phase, step, torch.Generator().manual_seed(step))
    for task in (0, 1):
        net = MLP((1, 6, 1)).double()
        net.load_state_dict(ours.net.state_dict())
        inner = torch.optim.Adam(net.parameters(), lr=0.01, betas=(0.0, 0.999))
        for name, p in net.named_parameters():
            v = ours.v[name.replace(".", "/")].detach().clone()
            inner.state[p] = {"step": torch.tensor(5.0), "exp_avg": torch.zeros_like(p), "exp_avg_sq": v}
        with torch.no_grad():
            ours.ones.fill_(1 - 0.999 ** 5)
        support = batch.task(task)
        taught_by_torch(net, inner, support._replace(query_x=support.query_x[:0], query_y=support.query_y[:0]), 7, 4)
        phi = ours.adapt(support, steps=7).params
        for name, p in net.named_parameters():
            torch.testing.assert_close(phi[name], p, rtol=0, atol=1e-12)


def test_of_several_tasks_the_averages_take_the_mean():
    ours, batch = Reptile(MLP((1, 6, 1)), **ADAM).double(), sinusoids(3)
    ends = [ours.inner(batch.task(i), *batch.task(i).samples(), 3)[1].v for i in range(3)]
    phase, = ours.phases(SINUSOIDS, 2, tasks=3, lr=0.5)
    phase.sample = lambda generator: batch
    outer_step(phase, 0, torch.Generator())
    for name, v in ours.averages().v.items():
        torch.testing.assert_close(v, sum(end[name] for end in ends) / 3, rtol=0, atol=1e-12)


def test_the_mini_batches_follow_the_order_of_the_samples():
    x = torch.arange(10.)
    numbers = lambda *given: [some.tolist() for some, _ in mini_batches(x, x, *given, 0)]
    assert numbers(4, 3) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 1]]
    assert numbers(4, 50) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 1], [2, 3, 4, 5], [6, 7, 8, 9]]
    assert numbers(5, 50) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert numbers(10, 3) == numbers(11, 3) == numbers(None, 3) == [list(range(10))]
    assert numbers(4, 0) == []
    of_tasks, = (some.tolist() for some, _ in mini_batches(*2 * [torch.arange(8).view(2, 4)], 3, 1, 1))
    assert of_tasks == [[0, 1, 2], [4, 5, 6]]


def test_sgd_on_mini_batches_against_torch():
    net, episode = MLP((1, 6, 1)).double(), sinusoids().task(0)
    theta = {name: p.detach().clone() for name, p in net.named_parameters()}
    ours = Reptile(MLP((1, 6, 1)).double(), lr=0.05, steps=4, batch=4)
    ours.loss(episode).backward()
    taught_by_torch(net, torch.optim.SGD(net.parameters(), lr=0.05), episode, 4, 4)
    for (name, p), mine in zip(net.named_parameters(), ours.net.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theta[name] - p.detach(), rtol=0, atol=1e-12)


def test_full_batches_in_mini_batches_are_full_batches():
    episodes = pictures(2)
    whole, parts = (Reptile(Conv4(3, 6, side=16), 0.1, 2, batch=batch).double() for batch in (None, 15))
    assert torch.equal(whole.losses(episodes), parts.losses(episodes))
    torch.testing.assert_close(whole.predictions(episodes), parts.predictions(episodes), rtol=0, atol=1e-12)


def in_midst_of_training(learner):
    """With averages that a little up and down leaves positive."""
    if learner.beta2:
        with torch.no_grad():
            for v in learner.v.values():
                v.copy_(0.02 + 0.01 * torch.rand(v.shape, generator=torch.Generator().manual_seed(0)))
            learner.ones.fill_(0.5)
    return learner


@pytest.mark.parametrize("settings", [{"beta2": 0.99}, {"batch": 4}, {"beta2": 0.99, "batch": 4}])
@pytest.mark.parametrize("of", ["pictures", "sinusoids"])
def test_with_adam_and_mini_batches_it_is_like_every_learner(settings, of):
    net = Conv4(3, 6, norm="support", side=16) if of == "pictures" else MLP((1, 8, 1))
    learner = in_midst_of_training(Reptile(net, lr=0.02, steps=3, **settings).double())
    assert learner.engine == "stacked"
    check_like_every_learner(learner, (pictures if of == "pictures" else sinusoids)(3))


def test_a_training_with_adam_resumes_to_the_same_numbers_and_is_rebuilt(tmp_path):
    def run(**given):
        learner = Reptile(MLP((1, 6, 1)), **ADAM)
        train(learner, learner.phases(SINUSOIDS, 6, tasks=2), progress=False, **given)
        return learner

    def stop(record):
        if record["step"] == 3:
            signal.raise_signal(signal.SIGINT)

    whole, path = run(), tmp_path / "training.safetensors"
    with pytest.raises(Interrupted):
        run(path=path, on_step=stop)
    resumed = run(path=path)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    again = checkpoint.rebuild(checkpoint.describe(whole))
    assert again.state_dict().keys() == whole.state_dict().keys() and again.config == whole.config


def test_sgd_has_no_averages_to_keep():
    assert set(Reptile(MLP((1, 6, 1))).state_dict()) == {f"net.{name}" for name in MLP((1, 6, 1)).state_dict()}


@pytest.mark.parametrize("beta2", [-0.1, 1.0, float("nan")])
def test_a_beta2_that_is_none_is_refused(beta2):
    with pytest.raises(ValueError, match=r"beta2 must lie in \[0, 1\), got .*; take 0.999, or 0 for SGD"):
        Reptile(MLP(), beta2=beta2)


def test_a_mini_batch_of_nothing_is_refused():
    with pytest.raises(ValueError, match="batch must be at least 1, got 0"):
        Reptile(MLP(), batch=0)
    with pytest.raises(ValueError, match="the number of inner steps must not be negative, got -1"):
        Reptile(MLP((1, 6, 1)), **ADAM).double().adapt(sinusoids().task(0), steps=-1)


def test_what_is_frozen_after_it_was_made_stays():
    learner = Reptile(MLP((1, 6, 1)), **ADAM)
    bias = learner.net.head.bias.requires_grad_(False)
    before, phases = bias.clone(), learner.phases(SINUSOIDS, 3, tasks=2)
    train(learner, phases, progress=False)
    assert torch.equal(bias, before) and not learner.v["head/bias"].any() and learner.v["head/weight"].all()


def test_a_few_dozen_steps_with_adam_beat_chance_and_the_unadapted_network():
    learner = Reptile(Conv4(3, 6, side=16), lr=0.02, steps=5, beta2=0.99, batch=5)
    train(learner, learner.phases(PICTURES, 24, tasks=2), progress=False, check_engine=True)
    tests = EpisodeSampler(PICTURES.domain, 3, 1, 5)
    unadapted, adapted = (evaluate(learner, tests, 60, steps=steps) for steps in (0, 10))
    assert unadapted.mean + unadapted.ci95 < 0.5 < adapted.mean - adapted.ci95
