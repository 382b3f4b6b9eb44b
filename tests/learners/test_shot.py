"""SHOT: the paper's equations as slow loops, what is frozen, what is never looked at, and when centroids are taken."""

import math
import os
import signal

import pytest
import torch

from mlcourse.episode.across import DomainSampler, pixels
from mlcourse.learners import SHOT, AdaBN
from mlcourse.learners.shot import centroids, nearest
from mlcourse.nets import Conv4
from mlcourse.train import Interrupted, train
from layer_by_layer import by_hand
from tiny import SIDE, patterns

WAY = 3
TARGET = patterns(2, classes=WAY)
SAMPLER = DomainSampler([patterns(0, classes=WAY)], 2, 2, unlabeled=3, target=TARGET)
PICTURES = pixels(TARGET.images)


def episode():
    return SAMPLER.sample(1, torch.Generator().manual_seed(0)).to(torch.float64).task(0)


def small(dtype=torch.float64, **settings):
    return SHOT(Conv4(WAY, 4, "stride", "batch", SIDE, seed=3), **settings).to(dtype)


def theta_of(learner):
    return dict(learner.net.named_parameters())


def distance(a, b):
    """The cosine distance of two vectors; 1 where one of them is zero."""
    dot, aa, bb = (sum(float(x) * float(y) for x, y in zip(u, v)) for u, v in ((a, b), (a, a), (b, b)))
    return 1 - dot / math.sqrt(aa * bb) if aa * bb else 1.0


def slow_labels(z, c):
    """The class of the nearest centroid of each feature; None stands for a class that has none."""
    known = [k for k in range(len(c)) if c[k] is not None]
    return [min(known, key=lambda k: distance(x, c[k])) for x in z]


def slow_centroids(z, p):
    """Feature by feature: the centroids of the second round, and the labels of both."""
    classes, size = range(p.shape[1]), range(z.shape[1])
    first = [[sum(p[i, k] * z[i, d] for i in range(len(z))) / sum(p[i, k] for i in range(len(z))) for d in size]
             for k in classes]
    y = slow_labels(z, first)
    mine = [[i for i in range(len(z)) if y[i] == k] for k in classes]
    second = [[sum(z[i, d] for i in rows) / len(rows) for d in size] if rows else None for rows in mine]
    return second, y, slow_labels(z, second)


@pytest.mark.parametrize("seed", range(5))
def test_centroids_and_pseudo_labels_are_those_of_two_slow_rounds(seed):
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(12, 5, generator=generator, dtype=torch.float64)
    p = torch.randn(12, 4, generator=generator, dtype=torch.float64).mul(3).softmax(-1)
    second, once, twice = slow_centroids(z, p)
    c = centroids(z, p)
    for k in range(4):
        wanted = torch.zeros(5) if second[k] is None else torch.stack([torch.as_tensor(v) for v in second[k]])
        torch.testing.assert_close(c[k], wanted.double())
    assert nearest(z, c).tolist() == twice


def test_a_pseudo_label_may_differ_from_the_prediction_and_a_class_without_a_picture_is_never_given():
    z = torch.tensor([[1.0, 0.1], [1.0, 0.2], [0.1, 1.0], [0.2, 1.0]])
    p = torch.tensor([[0.3, 0.1, 0.6], [0.9, 0.05, 0.05], [0.1, 0.5, 0.4], [0.1, 0.5, 0.4]])
    second, once, twice = slow_centroids(z, p)
    assert second.count(None) == 1 and once != p.argmax(1).tolist()
    c = centroids(z, p)
    assert nearest(z, c).tolist() == twice and (c[second.index(None)] == 0).all()
    opposite = -z                                   # zeros would be at distance 1, and all that is known farther
    assert second.index(None) not in nearest(opposite, c).tolist()


def slow_loss(learner, e, c=None):
    """Information maximisation and pseudo-labels on the target's pictures, picture by picture."""
    z, logits, _ = by_hand(learner.net, theta_of(learner), e.unlabeled_x)
    p = [[torch.exp(v) / sum(torch.exp(w) for w in row) for v in row] for row in logits]
    entropy = sum(-q * torch.log(q) for row in p for q in row) / len(p)
    mean = [sum(row[k] for row in p) / len(p) for k in range(WAY)]
    diversity = sum(q * torch.log(q) for q in mean)
    if c is None:
        c = slow_centroids(z.detach(), logits.detach().softmax(-1))[0]
    y = slow_labels(z.detach(), c)
    return entropy + diversity + learner.weight * sum(-torch.log(p[i][y[i]]) for i in range(len(p))) / len(p)


def test_the_loss_and_its_gradient_are_those_of_the_paper():
    learner, e = small(weight=0.7), episode()
    c = torch.rand(WAY, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    own, given = (learner.loss(e), slow_loss(learner, e)), (learner.loss(e, c), slow_loss(learner, e, c.tolist()))
    for ours, slow in (own, given):
        torch.testing.assert_close(ours, slow)
        theta = list(theta_of(learner).values())
        for g, w in zip(torch.autograd.grad(ours, theta), torch.autograd.grad(slow, theta), strict=True):
            torch.testing.assert_close(g, w)
    assert not torch.allclose(learner.loss(e), learner.loss(e, c))


def test_no_label_and_no_picture_of_the_source_enters_the_transfer():
    learner, e = small(), episode()
    other = e._replace(support_x=0 * e.support_x, support_y=(e.support_y + 1) % WAY, query_x=0 * e.query_x,
                       query_y=(e.query_y + 1) % WAY)
    assert torch.equal(learner.loss(e), learner.loss(other))


def transfer(learner, steps, **settings):
    train(learner, [learner.transfer(SAMPLER, steps, PICTURES, lr=1e-2)], progress=False, **settings)
    return learner


def test_the_transfer_moves_the_features_and_leaves_the_head_bit_for_bit():
    learner = small(torch.float32)
    before = {name: p.detach().clone() for name, p in theta_of(learner).items()}
    for name, p in theta_of(transfer(learner, 3)).items():
        assert torch.equal(before[name], p) == name.startswith("head."), name


def test_the_source_phase_is_adabns_and_the_transfer_follows():
    learner, e = small(), episode()
    source, moved = learner.phases(SAMPLER, 7)
    assert (source.name, moved.name, source.steps, moved.steps) == ("source", "transfer", 7, 7)
    batch = type(e)(*(field[None] for field in e))
    torch.testing.assert_close(source.loss(batch, 0), AdaBN(learner.net).loss(e))
    torch.testing.assert_close(moved.loss(batch, 0), learner.loss(e))


def test_centroids_of_all_pictures_are_taken_anew_every_so_many_steps(monkeypatch):
    learner, found = small(torch.float32, refresh=3), []
    loss = SHOT.loss

    def watched(self, e, c=None):
        found.append(c.clone())
        return loss(self, e, c)

    monkeypatch.setattr(SHOT, "loss", watched)
    z, logits, _ = by_hand(learner.net, theta_of(learner), PICTURES)
    first = slow_centroids(z.detach(), logits.detach().softmax(-1))[0]
    transfer(learner, 7)
    kinds = list(dict.fromkeys(tuple(c.flatten().tolist()) for c in found))
    assert len(kinds) == 3
    torch.testing.assert_close(found[0], torch.tensor(first), rtol=1e-4, atol=1e-6)


def test_an_interrupted_transfer_goes_on_with_the_centroids_that_it_had(tmp_path):
    whole, path = transfer(small(torch.float32, refresh=4), 10), tmp_path / "training.safetensors"

    def stop(record):
        if record["step"] == 5:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        transfer(small(torch.float32, refresh=4), 10, path=path, on_step=stop)
    again = transfer(small(torch.float32, refresh=4), 10, path=path)
    for name, t in whole.state_dict().items():
        assert torch.equal(t, again.state_dict()[name]), name


def test_settings_that_are_refused():
    with pytest.raises(ValueError, match="weight of the pseudo-labels must be a positive, finite number, got 0"):
        small(weight=0)
    with pytest.raises(ValueError, match="refresh must be at least 1, got 0"):
        small(refresh=0)
    with pytest.raises(ValueError, match="SHOT needs a linear layer called head"):
        SHOT(Conv4(0))
    with pytest.raises(ValueError, match="SHOT adapts to unlabelled pictures of the target"):
        small().loss(episode()._replace(unlabeled_x=episode().unlabeled_x[:0]))
