"""Manifold mixup: the identity at λ = 1, logits mixed where the last layer is linear, and hidden layers as by hand."""

import pytest
import torch
import torch.nn.functional as F
from like_every_learner import check_like_every_learner
from tiny import learner, pictures

from mlcourse.learners import R2D2
from mlcourse.learners.manifold_mixup import mixing
from mlcourse.losses.mixup import mixed


def small():
    return learner("manifold-mixup", norm="layer").double()


def test_at_one_the_loss_is_that_of_r2d2():
    ours, episode = small(), pictures().task(0)
    plain = R2D2(ours.net, ours.config["penalty"], ours.config["scale"]).double()
    ours.lam.fill_(1.0)
    for layer in range(3):
        ours.drawn = (layer, ours.shift)
        torch.testing.assert_close(ours.loss(episode), plain.loss(episode))
    ours.lam.fill_(0.5)
    assert not torch.isclose(ours.loss(episode), plain.loss(episode))


def test_mixed_features_of_a_linear_head_give_mixed_logits():
    ours, episode = small(), pictures().task(0)
    state, order = ours.adapt(episode), torch.arange(9).roll(2)
    z = ours.embed(episode.query_x)
    by_features = ours.log_scale.exp() * mixed(z, 0.3, order) @ state.weight
    torch.testing.assert_close(by_features, mixed(ours.predict(state, episode.query_x), 0.3, order))


@pytest.mark.parametrize("layer", [1, 2])
def test_a_hidden_layer_is_mixed_as_by_hand_and_the_network_is_left_as_it_was(layer):
    net, x, order = small().net, pictures().task(0).query_x, torch.arange(9).roll(1)
    h = x
    for i, (conv, norm) in enumerate(zip(net.convs, net.norms, strict=True)):
        if i == layer:
            h = mixed(h, 0.3, order)
        h = F.max_pool2d(F.relu(norm(conv(h), None)), 2)
    before = net.features(x)
    with mixing(net, layer, 0.3, order):
        torch.testing.assert_close(net.features(x), h.flatten(1))
    assert torch.equal(net.features(x), before)


def test_one_layer_one_mixture_and_one_pairing_a_step_drawn_anew_from_the_seed():
    ours, again = small(), small()
    drawn = []
    for step in range(60):
        ours.draw(step)
        again.draw(step)
        assert (ours.layer, ours.shift, float(ours.lam)) == (again.layer, again.shift, float(again.lam))
        drawn.append((ours.layer, float(ours.lam)))
    assert {layer for layer, _ in drawn} == {0, 1, 2}
    assert all(0 <= lam <= 1 for _, lam in drawn) and len({lam for _, lam in drawn}) == 60


def test_like_every_learner():
    check_like_every_learner(small(), pictures(2))
