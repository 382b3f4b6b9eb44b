"""What every learner of the course must do. A new line in METHODS takes part here without further ado."""

import gc
from dataclasses import replace

import pytest
import torch

from mlcourse import checkpoint
from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.episode import EpisodeSampler
from mlcourse.episode.across import DomainSampler
from mlcourse.evaluate import score
from mlcourse.learner import NetLearner, batch_loss
from mlcourse.learners import ACROSS_DOMAINS, DAML, FOMAML, MAML, METHODS, Method, MetaSGD, build
from mlcourse.learners.daml import with_redrawn
from mlcourse.nets import MLP, NORMS, Conv4
from mlcourse.train import outer_step
from like_every_learner import check_gradient, check_overriding
from tiny import POOLS, awake, few_steps, patterns

WAY, SIDE = 3, 20         # the smallest pictures that leave every norm two values of a single query


PICTURES = EpisodeSampler(patterns(side=SIDE), WAY, 2, 3, unlabeled=3)
SINUSOIDS = SinusoidSampler(5, 6)


class Redrawn:
    """DAML's episodes: support and queries from two domains with the same classes, and every query redrawn."""

    def __init__(self):
        some = patterns(side=SIDE).subset(range(WAY))
        self.sampler = DomainSampler([some, replace(some, images=255 - some.images)], 2, 3)
        self.domain, self.way, self.shot, self.query = some, WAY, 2, 3

    def sample(self, tasks, generator):
        return with_redrawn(self.sampler.sample(tasks, generator), lambda x, generator: 1 - 0.8 * x, generator)


REDRAWN = Redrawn()


class OwnNet(NetLearner):
    """A method that predicts numbers alone, with a network that it makes itself."""

    stacks = True

    def __init__(self, size=8, seed=0):
        super().__init__(MLP((1, size, 1), seed=seed))
        self.config = {"size": size, "seed": seed}
        self.log_rate = torch.nn.Parameter(torch.tensor(-3.0))

    def adapt(self, episode, steps=None):
        """One step on the head's bias, down the squared error."""
        theta = self.theta(episode.batch_shape)
        off = self.predict(self.adapted(theta, episode), episode.support_x) - episode.support_y
        moved = theta["head.bias"] - self.log_rate.exp() * 2 * off.mean(-2)
        return self.adapted({**theta, "head.bias": moved}, episode)


OWN_NET = Method("own-net", OwnNet, "a network of its own", "", None, None, sinusoids=({"size": 6}, {"steps": 10}))


def small(entry, norm="batch", way=WAY, settings=few_steps):
    """The method on a network small enough for float64. settings: of the method's own, those that it gets."""
    learner = build(entry, way=way, train_classes=8, norm=norm)
    if not entry.net:
        return learner.double()
    net = MLP((1, 8, 8, 1)) if way == 0 else Conv4(way if entry.net == "headed" else 0, 6, POOLS[entry.net], norm, SIDE)
    return awake(entry.kind(net, **settings(learner.config))).double()


def sampler_of(entry, way=WAY):
    """What the method is trained on."""
    return SINUSOIDS if way == 0 else REDRAWN if entry.kind is DAML else PICTURES


def batch(entry, way=WAY, tasks=3):
    return sampler_of(entry, way).sample(tasks, torch.Generator().manual_seed(1)).to(torch.float64)


ENTRIES = (*METHODS, *ACROSS_DOMAINS, OWN_NET)
CASES = [pytest.param(entry, way, id=f"{entry.name}-{'pictures' if way else 'sinusoids'}")
         for entry in ENTRIES for way in (WAY, 0) if (entry.settings is not None if way else entry.sinusoids)]
CLASSIFIERS = [pytest.param(entry, id=entry.name) for entry in ENTRIES if entry.settings is not None]

ONCE = [case for case in CASES if case.values[1] == 0 or not case.values[0].sinusoids]     # the small tasks where both


@pytest.mark.parametrize(("entry", "way"), CASES)
def test_vmap_equals_a_loop(entry, way):
    """With all the inner steps of the method."""
    learner, episodes = small(entry, way=way, settings=dict), batch(entry, way)
    loop = torch.stack([learner.loss(episodes.task(i)) for i in range(3)])
    torch.testing.assert_close(torch.vmap(learner.loss)(episodes), loop, rtol=0, atol=1e-11)
    states = torch.vmap(learner.adapt)(episodes)
    logits = torch.vmap(learner.predict)(states, episodes.query_x)
    for i in range(3):
        one = learner.predict(learner.adapt(episodes.task(i)), episodes.query_x[i])
        torch.testing.assert_close(logits[i], one, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("entry", "way"), CASES)
def test_everything_stays_on_the_device_of_the_parameters(entry, way):
    """On torch's "meta" device, which has no numbers and adds no tensor of another."""
    learner, episodes = small(entry, "support", way).to("meta"), batch(entry, way).to("meta")
    assert learner.predictions(episodes).device.type == "meta"
    losses = learner.losses(episodes)
    assert losses.device.type == "meta"
    parameters = [p for p in learner.parameters() if p.requires_grad]
    if parameters:
        torch.autograd.grad(losses.mean(), parameters, allow_unused=True)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("entry", "way"), CASES)
def test_the_gradient_of_a_batch_is_that_of_a_loop(entry, way, norm):
    """By vmap, and by the fast engine where the method has one. Equal losses are not enough: torch's own batch norm has
    a wrong second derivative under vmap."""
    learner, episodes = small(entry, norm, way), batch(entry, way)
    parameters = [p for p in learner.parameters() if p.requires_grad]
    if not parameters:
        assert not batch_loss(learner, episodes).requires_grad
        return
    gradient = lambda loss: torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
    loop = gradient(sum(learner.loss(episodes.task(i)) for i in range(3)) / 3)
    for together in (batch_loss(learner, episodes), torch.vmap(learner.loss)(episodes).mean()):
        for ours, slow in zip(gradient(together), loop, strict=True):
            torch.testing.assert_close(ours, slow, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("entry", "way"), CASES)
def test_the_predictions_of_a_batch_are_those_of_a_loop(entry, way, norm):
    learner, episodes = small(entry, norm, way).eval(), batch(entry, way)
    with torch.no_grad():
        together = learner.predictions(episodes, 2)
        loop = torch.stack([learner.predict(learner.adapt(e, 2), e.query_x) for e in map(episodes.task, range(3))])
    torch.testing.assert_close(together, loop, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("entry", "way"), CASES)
def test_predict_is_idempotent_and_nothing_changes_the_meta_parameters(entry, way):
    learner, episode = small(entry, way=way), batch(entry, way).task(0)
    before = {name: t.clone() for name, t in learner.state_dict().items()}
    state = learner.adapt(episode)
    first, second = learner.predict(state, episode.query_x), learner.predict(state, episode.query_x)
    assert torch.equal(first, second)
    assert all(torch.equal(t, before[name]) for name, t in learner.state_dict().items())


@pytest.mark.parametrize(("entry", "way"), CASES)
def test_every_meta_parameter_gets_a_gradient(entry, way):
    """In one of its phases: a method of several stages may train a parameter in one of them alone."""
    learner, sampler = small(entry, way=way), _Double(sampler_of(entry, way))
    parameters = [(name, p) for name, p in learner.named_parameters() if p.requires_grad]
    if not parameters:
        assert entry.name in ("scratch", "neighbour")
        return
    for phase in learner.phases(sampler, 2, tasks=3):
        phase.loss(batch(entry, way), 0).backward()
    for name, p in parameters:
        assert p.grad is not None and p.grad.abs().max() > 1e-8, name


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("entry", CLASSIFIERS)
def test_one_query_alone_is_predicted_as_in_a_batch_unless_transductive(entry, norm):
    learner, episode = small(entry, norm).eval(), batch(entry).task(0)
    with torch.no_grad():
        state = learner.adapt(episode)
        together = learner.predict(state, episode.query_x)
        alone = torch.cat([learner.predict(state, x[None]) for x in episode.query_x])
    assert torch.allclose(together, alone, atol=1e-9) == (not learner.is_transductive)


@pytest.mark.parametrize("entry", CLASSIFIERS)
def test_without_the_right_labels_accuracy_is_chance(entry):
    """Support labels drawn anew, apart from the pictures: nothing else may tell the classes. (One answer to every query
    is chance without a spread.)"""
    learner, generator = small(entry).float(), torch.Generator().manual_seed(2)
    episodes = PICTURES.sample(300, generator)
    labels = torch.rand(episodes.support_y.shape, generator=generator).argsort(1)
    episodes = episodes._replace(support_y=episodes.support_y.gather(1, labels))
    with torch.no_grad():
        correct = torch.vmap(lambda e: score(learner.predict(learner.adapt(e, 2), e.query_x), e.query_y))(episodes)
    assert abs(correct.mean() - 1 / WAY) <= 4 * correct.std() / 300**0.5


@pytest.mark.parametrize(("entry", "way"), CASES)
def test_the_gradient_is_the_central_difference_unless_the_method_says_otherwise(entry, way):
    """Of the loss of every phase, with all the inner steps. A first-order method says so, and its gradient must then be
    another."""
    learner, episodes = small(entry, way=way, settings=dict), batch(entry, way)
    for phase in learner.phases(sampler_of(entry, way), 2, tasks=3):
        check_gradient(learner, lambda phase=phase: phase.loss(episodes, 1))


def test_first_order_code_in_maml_would_be_seen_and_second_order_code_in_fomaml_too():
    episodes = PICTURES.sample(3, torch.Generator().manual_seed(1)).to(torch.float64)
    for kind, order in ((MAML, 1), (FOMAML, 2)):
        planted = type("Planted", (kind,), {"order": order, "exact_gradient": kind is MAML})
        planted = planted(Conv4(WAY, 6, side=SIDE), 0.4).double()
        with pytest.raises(AssertionError):
            check_gradient(planted, lambda planted=planted: batch_loss(planted, episodes))


@pytest.mark.parametrize(("entry", "way"), CASES)
def test_what_a_subclass_overrides_reaches_a_batch(entry, way):
    check_overriding(small(entry, way=way), batch(entry, way, 2))


@pytest.mark.parametrize(("entry", "way"), CASES)
def test_loss_refuses_to_run_without_gradients(entry, way):
    learner, episode = small(entry, way=way), batch(entry, way).task(0)
    with torch.no_grad(), pytest.raises(RuntimeError, match=r"leave torch.no_grad\(\)"):
        learner.loss(episode)


@pytest.mark.parametrize(("entry", "way"), ONCE)
def test_no_graph_outlives_a_meta_step(entry, way):
    """Memory is flat over six meta-steps: as many tensors are alive after them as after the second.

    What was there before is frozen, so that the collector looks at this test's objects alone."""
    learner = small(entry, way=way).float()
    phases = learner.phases(sampler_of(entry, way), 6, tasks=1)
    if not phases:
        assert not any(p.requires_grad for p in learner.parameters())
        return

    def alive():
        gc.collect()
        return sum(torch.is_tensor(thing) for thing in gc.get_objects())

    gc.freeze()
    try:
        for phase in phases:
            counts = []
            for step in range(6):
                outer_step(phase, step, torch.Generator().manual_seed(step))
                if step in (1, 5):
                    counts.append(alive())
            assert counts[0] == counts[1]
    finally:
        gc.unfreeze()


@pytest.mark.parametrize(("entry", "way"), CASES)
def test_a_phase_lowers_its_loss_or_moves_its_parameters(entry, way):
    learner = small(entry, way=way)
    before = [p.clone() for p in learner.parameters() if p.requires_grad]
    for phase in learner.phases(_Double(sampler_of(entry, way)), 2, tasks=2):
        outer_step(phase, 0, torch.Generator().manual_seed(0))
    after = [p for p in learner.parameters() if p.requires_grad]
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


class _Double:
    """A sampler in float64."""

    def __init__(self, sampler):
        self.sampler = sampler

    def sample(self, tasks, generator):
        return self.sampler.sample(tasks, generator).to(torch.float64)


def test_a_method_that_makes_its_own_network_and_predicts_numbers_alone_is_built_and_rebuilt(monkeypatch):
    with pytest.raises(ValueError, match="own-net predicts numbers, so it cannot tell classes apart; choose one of"):
        build(OWN_NET, way=5)
    learner = build(OWN_NET, way=0, seed=3)
    assert learner.config == {"size": 6, "seed": 3} and learner.net.config["seed"] == 3
    monkeypatch.setattr("mlcourse.learners.METHODS", (*METHODS, OWN_NET))
    again = checkpoint.rebuild(checkpoint.describe(learner))
    assert all(torch.equal(p, q) for p, q in zip(learner.parameters(), again.parameters(), strict=True))


class OwnHead(MAML):
    """A method that makes its own network, of as many outputs as there are classes."""

    def __init__(self, way, norm, lr=0.1, seed=0):
        super().__init__(MLP((SIDE**2, 4, way) if way else (1, 4, 1), norm=norm, seed=seed), lr)
        self.config = {"way": way, "norm": norm, "lr": lr, "seed": seed}


def test_a_method_that_makes_its_own_network_is_told_the_way_and_the_norm(monkeypatch):
    entry = Method("own-head", OwnHead, "a network of its own", "", {"lr": 0.3}, {}, sinusoids=({}, {}))
    assert build(entry, way=0).config == {"way": 0, "norm": "none", "lr": 0.1, "seed": 0}
    learner = build(entry, way=4, seed=2)
    assert learner.config == {"way": 4, "norm": "batch", "lr": 0.3, "seed": 2} and learner.is_transductive
    with pytest.raises(ValueError, match="the network of this OwnHead has 4 outputs, but the episode has 3 classes"):
        learner.adapt(PICTURES.sample(1, torch.Generator().manual_seed(0)).task(0))
    monkeypatch.setattr("mlcourse.learners.METHODS", (*METHODS, entry))
    again = checkpoint.rebuild(checkpoint.describe(learner))
    assert all(torch.equal(p, q) for p, q in zip(learner.parameters(), again.parameters(), strict=True))


def test_meta_sgd_counts_as_fractions_of_negative_rates():
    learner = MetaSGD(MLP())
    assert learner.negative_rates() == 0
    with torch.no_grad():
        for alpha in learner.alpha.values():
            alpha.neg_()
    assert learner.negative_rates() == 1
