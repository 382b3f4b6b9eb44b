"""What every learner of the course must do. A new line in METHODS takes part here without further ado."""

import gc

import pytest
import torch

from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import score
from mlcourse.learner import batch_loss
from mlcourse.learners import ACROSS_DOMAINS, METHODS, MetaSGD, build
from mlcourse.nets import MLP, NORMS, Conv4
from mlcourse.train import outer_step

WAY = 3


def pictures() -> Domain:
    """Eight classes of twelve 28×28 pictures: a blurred random pattern each, with noise."""
    generator = torch.Generator().manual_seed(0)
    patterns = torch.nn.functional.avg_pool2d(torch.rand(8, 1, 34, 34, generator=generator), 7, 1)
    patterns = (patterns - patterns.amin()) / (patterns.amax() - patterns.amin())
    noisy = patterns.repeat_interleave(12, 0) + 0.3 * torch.rand(96, 1, 28, 28, generator=generator)
    return Domain("patterns", (noisy / noisy.amax() * 255).byte(), torch.arange(8).repeat_interleave(12),
                  tuple("abcdefgh"), tuple("abcdefgh"))


PICTURES = EpisodeSampler(pictures(), WAY, 2, 3, unlabeled=3)      # as many as queries: to DAML, the same redrawn
SINUSOIDS = SinusoidSampler(5, 6)


def small(entry, norm="batch", way=WAY):
    """The method on a network small enough for float64."""
    learner = build(entry, way=way, train_classes=8, norm=norm)
    net = MLP((1, 8, 8, 1)) if way == 0 else Conv4(0 if entry.net == "headless" else way, 6,
                                                   "max" if entry.net == "headless" else "stride", norm)
    if not entry.net:
        return learner
    return entry.kind(net, **learner.config).double()


def batch(way, tasks=3):
    sampler = PICTURES if way else SINUSOIDS
    return sampler.sample(tasks, torch.Generator().manual_seed(1)).to(torch.float64)


CASES = [pytest.param(entry, way, id=f"{entry.name}-{'pictures' if way else 'sinusoids'}")
         for entry in METHODS + ACROSS_DOMAINS for way in (WAY, 0) if way or entry.sinusoids]
CLASSIFIERS = [pytest.param(entry, id=entry.name) for entry in METHODS + ACROSS_DOMAINS]


@pytest.mark.parametrize(("entry", "way"), CASES)
def test_vmap_equals_a_loop(entry, way):
    learner, episodes = small(entry, way=way), batch(way)
    loop = torch.stack([learner.loss(episodes.task(i)) for i in range(3)])
    torch.testing.assert_close(torch.vmap(learner.loss)(episodes), loop, rtol=0, atol=1e-11)
    states = torch.vmap(learner.adapt)(episodes)
    logits = torch.vmap(learner.predict)(states, episodes.query_x)
    for i in range(3):
        one = learner.predict(learner.adapt(episodes.task(i)), episodes.query_x[i])
        torch.testing.assert_close(logits[i], one, rtol=0, atol=1e-10)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("entry", "way"), CASES)
def test_the_gradient_of_a_batch_is_that_of_a_loop(entry, way, norm):
    """By vmap, and by the fast engine where the method has one. Equal losses are not enough: torch's own batch norm has
    a wrong second derivative under vmap."""
    learner, episodes = small(entry, norm, way), batch(way)
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
    learner, episodes = small(entry, norm, way).eval(), batch(way)
    with torch.no_grad():
        together = learner.predictions(episodes, 2)
        loop = torch.stack([learner.predict(learner.adapt(e, 2), e.query_x) for e in map(episodes.task, range(3))])
    torch.testing.assert_close(together, loop, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("entry", "way"), CASES)
def test_predict_is_idempotent_and_nothing_changes_the_meta_parameters(entry, way):
    learner, episode = small(entry, way=way), batch(way).task(0)
    before = {name: t.clone() for name, t in learner.state_dict().items()}
    state = learner.adapt(episode)
    first, second = learner.predict(state, episode.query_x), learner.predict(state, episode.query_x)
    assert torch.equal(first, second)
    assert all(torch.equal(t, before[name]) for name, t in learner.state_dict().items())


@pytest.mark.parametrize(("entry", "way"), CASES)
def test_every_meta_parameter_gets_a_gradient(entry, way):
    """In one of its phases: a method of several stages may train a parameter in one of them alone."""
    learner, sampler = small(entry, way=way), _Double(PICTURES if way else SINUSOIDS)
    parameters = [(name, p) for name, p in learner.named_parameters() if p.requires_grad]
    if not parameters:
        assert entry.name in ("scratch", "neighbour")
        return
    for phase in learner.phases(sampler, 2, tasks=3):
        phase.loss(batch(way), 0).backward()
    for name, p in parameters:
        assert p.grad is not None and p.grad.abs().max() > 1e-8, name


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("entry", CLASSIFIERS)
def test_one_query_alone_is_predicted_as_in_a_batch_unless_transductive(entry, norm):
    learner, episode = small(entry, norm).eval(), batch(WAY).task(0)
    with torch.no_grad():
        state = learner.adapt(episode)
        together = learner.predict(state, episode.query_x)
        alone = torch.cat([learner.predict(state, x[None]) for x in episode.query_x])
    assert torch.allclose(together, alone, atol=1e-9) == (not learner.is_transductive)


@pytest.mark.parametrize("entry", CLASSIFIERS)
def test_without_the_right_labels_accuracy_is_chance(entry):
    """Support labels drawn anew, apart from the pictures: nothing else may tell the classes."""
    learner, generator = small(entry), torch.Generator().manual_seed(2)
    episodes = PICTURES.sample(300, generator)
    labels = torch.rand(episodes.support_y.shape, generator=generator).argsort(1)
    episodes = episodes._replace(support_y=episodes.support_y.gather(1, labels)).to(torch.float64)
    with torch.no_grad():
        correct = torch.vmap(lambda e: score(learner.predict(learner.adapt(e, 2), e.query_x), e.query_y))(episodes)
    assert abs(correct.mean() - 1 / WAY) < 4 * correct.std() / 300**0.5


@pytest.mark.parametrize(("entry", "way"), CASES)
def test_loss_refuses_to_run_without_gradients(entry, way):
    learner, episode = small(entry, way=way), batch(way).task(0)
    with torch.no_grad(), pytest.raises(RuntimeError, match=r"leave torch.no_grad\(\)"):
        learner.loss(episode)


@pytest.mark.parametrize("entry", CLASSIFIERS)
def test_no_graph_outlives_a_meta_step(entry):
    """Memory is flat over 50 meta-steps: as many tensors are alive after them as after the second."""
    learner = build(entry, way=0) if entry.sinusoids else small(entry)
    phases = learner.phases(SINUSOIDS if entry.sinusoids else PICTURES, 50, tasks=1)
    if not phases:
        assert not any(p.requires_grad for p in learner.parameters())
        return
    if not entry.sinusoids:
        learner.float()

    def alive():
        gc.collect()
        return sum(torch.is_tensor(thing) for thing in gc.get_objects())

    for phase in phases:
        counts = []
        for step in range(50):
            outer_step(phase, step, torch.Generator().manual_seed(step))
            if step in (1, 49):
                counts.append(alive())
        assert counts[0] == counts[1]


@pytest.mark.parametrize(("entry", "way"), CASES)
def test_a_phase_lowers_its_loss_or_moves_its_parameters(entry, way):
    learner = small(entry, way=way)
    before = [p.clone() for p in learner.parameters() if p.requires_grad]
    for phase in learner.phases(_Double(PICTURES if way else SINUSOIDS), 2, tasks=2):
        outer_step(phase, 0, torch.Generator().manual_seed(0))
    after = [p for p in learner.parameters() if p.requires_grad]
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


class _Double:
    """A sampler in float64."""

    def __init__(self, sampler):
        self.sampler = sampler

    def sample(self, tasks, generator):
        return self.sampler.sample(tasks, generator).to(torch.float64)


def test_meta_sgd_counts_as_fractions_of_negative_rates():
    learner = MetaSGD(MLP())
    assert learner.negative_rates() == 0
    with torch.no_grad():
        for alpha in learner.alpha.values():
            alpha.neg_()
    assert learner.negative_rates() == 1
