"""R2D2: its closed form against the regression itself, its limits, and what a frozen network leaves to train."""

import pytest
import torch
import torch.nn.functional as F
from like_every_learner import check_like_every_learner
from tiny import PICTURES, SIDE, learner, patterns, pictures
from torch import nn

from mlcourse.evaluate import scores
from mlcourse.episode import EpisodeSampler
from mlcourse.learners import R2D2
from mlcourse.nets import wrap
from mlcourse.train import train


def embedded(r2d2, episode):
    """Features of the support set, float64, and their one-hot labels."""
    z = r2d2.net.features(episode.support_x, r2d2.adapt(episode).stats or None)
    return z.detach(), F.one_hot(episode.support_y, 3).double()


@pytest.mark.parametrize("penalty", [1e-3, 1.0, 300.0])
def test_the_weights_are_those_of_least_squares_with_the_penalty_as_further_samples(penalty):
    """In the form of the features, D × D by torch.linalg.lstsq, where the method solves one of N·K × N·K."""
    r2d2, episode = learner("r2d2", norm="support", penalty=penalty).double(), pictures().task(0)
    x, y = embedded(r2d2, episode)
    size = x.shape[1]
    more = penalty**0.5 * torch.eye(size, dtype=x.dtype)
    expected = torch.linalg.lstsq(torch.cat([x, more]), torch.cat([y, y.new_zeros(size, 3)])).solution
    torch.testing.assert_close(r2d2.adapt(episode).weight, expected, rtol=1e-6, atol=1e-9)
    queries = r2d2.net.features(episode.query_x, r2d2.adapt(episode).stats)
    torch.testing.assert_close(r2d2.predict(r2d2.adapt(episode), episode.query_x), 10 * queries @ expected, rtol=1e-6,
                               atol=1e-8)


def test_a_large_penalty_leaves_the_sums_of_the_classes_and_none_fits_the_support_set():
    episode = pictures().task(0)
    large = learner("r2d2", penalty=1e9).double()
    x, y = embedded(large, episode)
    torch.testing.assert_close(1e9 * large.adapt(episode).weight, x.T @ y, rtol=1e-5, atol=0)
    wide = learner("r2d2", penalty=1e-9, width=32).double()
    x, y = embedded(wide, episode)
    torch.testing.assert_close(x @ wide.adapt(episode).weight, y, rtol=0, atol=1e-5)


def test_a_number_added_to_all_logits_would_change_nothing():
    """Why the paper's β is left out."""
    r2d2, episode = learner("r2d2").double(), pictures().task(0)
    logits = r2d2.predict(r2d2.adapt(episode), episode.query_x).detach()
    beta = torch.zeros((), dtype=torch.float64, requires_grad=True)
    slope, = torch.autograd.grad(F.cross_entropy(logits + beta, episode.query_y), beta)
    assert abs(slope) < 1e-12


@pytest.mark.parametrize("norm, engine", [("support", "stacked"), ("layer", "vmap")])
def test_in_both_engines_it_is_like_every_learner(norm, engine):
    r2d2 = learner("r2d2", norm=norm).double()
    assert r2d2.engine == engine
    check_like_every_learner(r2d2, pictures(3))


def test_of_a_frozen_network_the_penalty_and_the_scale_are_trained():
    body = nn.Sequential(nn.Conv2d(1, 6, 3, 2), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(3))
    r2d2 = R2D2(wrap(body, example=torch.zeros(2, 1, SIDE, SIDE), frozen=True))
    others = EpisodeSampler(patterns(1), 3, 2, 3)
    before, state = scores(r2d2, others, 100), {name: t.clone() for name, t in r2d2.state_dict().items()}
    records = train(r2d2, r2d2.phases(PICTURES, 30, tasks=4, lr=0.1), progress=False)
    changed = {name for name, t in r2d2.state_dict().items() if not torch.equal(t, state[name])}
    assert changed == {"log_penalty", "log_scale"}
    assert sum(r["loss"] for r in records[-5:]) < sum(r["loss"] for r in records[:5])
    assert scores(r2d2, others, 100).mean() > before.mean() - 0.05


@pytest.mark.parametrize("given, what", [({"penalty": 0.0}, "ridge penalty"), ({"scale": -1.0}, "scale of the logits")])
def test_a_start_that_is_not_positive_is_refused(given, what):
    with pytest.raises(ValueError, match=f"the {what} must be a positive, finite number"):
        learner("r2d2", **given)
