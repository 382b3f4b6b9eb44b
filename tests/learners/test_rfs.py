"""RFS: its logistic regression is scikit-learn's, whatever the shape of the task and the weight C."""

import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from tiny import learner, pictures

from mlcourse.learners.rfs import logistic


def task(way, shots, size=16, spread=0.5, seed=0):
    """Unit features (M, size) in float64 and their labels, `shots` of each class."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(way).repeat_interleave(torch.as_tensor(shots))
    centres = torch.rand(way, size, generator=generator)
    z = centres[y] + spread * torch.randn(len(y), size, generator=generator)
    return F.normalize(z.double(), dim=1), y


def slope(z, y, weight, bias, C):
    """The largest part of the gradient of C Σ CE + ½ |W|² by autograd."""
    weight, bias = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    value = C * F.cross_entropy(z @ weight + bias, y, reduction="sum") + weight.square().sum() / 2
    return max(g.abs().max() for g in torch.autograd.grad(value, (weight, bias)))


SHAPES = {"two classes": (2, 1), "1-shot": (5, 1), "5-shot": (5, 5), "20-way": (20, 2),
          "unequal classes": (4, [1, 7, 2, 12]), "more samples than features": (3, 30)}


@pytest.mark.parametrize("C", [0.1, 1.0, 100.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_scikit_learns_logistic_regression(shape, C):
    z, y = task(*SHAPES[shape])
    way = int(y.max()) + 1
    weight, bias = logistic(z, F.one_hot(y, way), C)
    assert slope(z, y, weight, bias, C) < 1e-8 * C and abs(bias.sum()) < 1e-9
    if way == 2:        # there scikit-learn fits a single logistic function, with another penalty
        return
    theirs = LogisticRegression(C=C, solver="newton-cg", tol=1e-10, max_iter=1000).fit(z.numpy(), y.numpy())
    coefficients, intercept = torch.from_numpy(theirs.coef_).T, torch.from_numpy(theirs.intercept_)
    torch.testing.assert_close(weight, coefficients, rtol=0, atol=1e-6 * C)
    torch.testing.assert_close(bias, intercept - intercept.mean(), rtol=0, atol=1e-6 * C)


@pytest.mark.parametrize("C", [1e-3, 1.0, 1e3])
def test_the_steps_suffice_for_classes_that_overlap_and_for_classes_that_do_not(C):
    for seed in range(10):
        for spread in (0.01, 0.3, 3.0):
            z, y = task(5, [1, 5, 5, 10, 10], spread=spread, seed=seed)
            assert slope(z, y, *logistic(z, F.one_hot(y, 5), C), C) < 1e-6 * C


def test_a_task_is_predicted_as_by_scikit_learn_on_its_unit_features():
    rfs, episode = learner("rfs", norm="support", C=10.0).double(), pictures().task(0)
    stats = rfs.net.statistics(episode.support_x)
    unit = lambda x: F.normalize(rfs.net.features(x, stats), dim=1).detach().numpy()
    theirs = LogisticRegression(C=10.0, tol=1e-10, max_iter=10_000)
    theirs.fit(unit(episode.support_x), episode.support_y.numpy())
    ours = rfs.predict(rfs.adapt(episode), episode.query_x).softmax(1)
    expected = torch.from_numpy(theirs.predict_proba(unit(episode.query_x)))
    torch.testing.assert_close(ours.detach(), expected, rtol=0, atol=1e-6)


def test_the_length_of_the_features_says_nothing():
    rfs, episode = learner("rfs", norm="none").double(), pictures().task(0)
    before = rfs.predict(rfs.adapt(episode), episode.query_x)
    features = rfs.net.features
    rfs.net.features = lambda x: (1 + x.flatten(1).sum(1, keepdim=True)) * features(x)
    torch.testing.assert_close(rfs.predict(rfs.adapt(episode), episode.query_x), before)


def test_a_weight_of_the_loss_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="the weight C of the loss must be a positive, finite number, got 0"):
        learner("rfs", C=0)
