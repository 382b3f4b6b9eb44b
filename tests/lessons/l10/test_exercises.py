"""What lesson 10's exercises rest on: the right code agrees with the library, and the broken code misleads as the text
says."""

import pytest
import torch
import torch.nn.functional as F

from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge
from mlcourse.lessons.l10_data import mixing
from mlcourse.lessons.l10_data.checks import MIXED_UP, Model
from mlcourse.lessons.l10_data.checks_claims import MAML, PROPERTIES, VAE
from mlcourse.losses import mixup, vae
from mlcourse.nets.set_vae import SetVAE


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def defined(source, name):
    namespace = {"torch": torch}
    exec(source, namespace)
    return namespace[name]


def test_draw_and_divergence_are_those_of_the_library():
    q, p = vae.Normal(normal(3, 4), normal(3, 4, seed=1)), vae.Normal(normal(3, 4, seed=2), normal(3, 4, seed=3))
    xi = normal(3, 4, seed=4)
    torch.testing.assert_close(exercise("10.1").reference()(*q, xi), vae.reparameterised(q, xi))
    torch.testing.assert_close(exercise("10.2").reference()(*q, *p), vae.kl(q, p).sum(-1))


def test_the_divergence_is_the_mean_of_the_log_ratio_of_draws():
    mean_q, log_var_q, mean_p, log_var_p = (normal(2, seed=i) / 2 for i in range(4))
    make = lambda mean, log_var: torch.distributions.Normal(mean, (log_var / 2).exp())
    draws = exercise("10.1").reference()(mean_q, log_var_q, normal(200_000, 2, seed=5))
    ratio = (make(mean_q, log_var_q).log_prob(draws) - make(mean_p, log_var_p).log_prob(draws)).sum(-1)
    wanted = exercise("10.2").reference()(mean_q, log_var_q, mean_p, log_var_p)
    assert abs(ratio.mean() - wanted) < 4 * ratio.std() / len(ratio)**0.5


def test_the_case_on_paper():
    zero, one = torch.zeros(1), torch.ones(1)
    kl = exercise("10.2").reference()
    assert (float(kl(one, zero, zero, zero)), float(kl(one, zero, one, zero))) == (0.5, 0.0)


def test_the_broken_samples_are_right_for_one_set_and_from_other_priors_for_two():
    broken, right = defined(exercise("10.3").given, "sample_broken"), exercise("10.3").reference()
    model = Model()
    for sets, same in ((1, True), (2, False)):
        c, xi = normal(sets, 2, seed=1), normal(sets, 3, 5, seed=2)
        one, other = (sample(model.prior, model.decode, c, xi) for sample in (broken, right))
        assert torch.allclose(one, other) == same
    assert judge(exercise("10.3"), broken).misconception == MIXED_UP


@torch.no_grad()
def test_the_mended_samples_are_those_of_the_set_vae():
    net, c, xi = SetVAE(maps=1, hidden=8, width=4), normal(2, 49).float(), normal(2, 3, 16, seed=1).float()
    decode = lambda z, c: net.decode(z[:, None], c)[:, 0]
    mean, log_var = net.prior(c)
    wanted = net.decode(mean[:, None] + (log_var[:, None] / 2).exp() * xi, c)
    torch.testing.assert_close(exercise("10.3").reference()(net.prior, decode, c, xi), wanted)


@pytest.mark.parametrize("at", range(3))
def test_the_mixed_loss_is_that_of_the_library(at):
    net, order = mixing.Layers(), torch.tensor([2, 0, 1, 3])
    x, y = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 3, 3, 9])
    mixed = mixup.mixed(net(x, 0, at), 0.3, order)
    wanted = mixup.mixed_loss(net(mixed, at), y, 0.3, order)
    found = exercise("10.5").reference()(list(net), x, y, mixing.CHARACTERS, 0.3, order, at)
    torch.testing.assert_close(found, wanted)
    alone = exercise("10.5").reference()(list(net), x, y, mixing.CHARACTERS, 1.0, order, at)
    torch.testing.assert_close(alone, F.cross_entropy(net(x), y))


def test_mixing_before_a_last_linear_layer_mixes_logits():
    net, order = mixing.Layers(), torch.tensor([1, 0])
    h = torch.rand(2, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(net(mixup.mixed(h, 0.3, order), 3), mixup.mixed(net(h, 3), 0.3, order))


def test_four_of_six_properties_tell_maml_and_the_set_vae_apart():
    assert sum(each.of in (MAML, VAE) for each in PROPERTIES.values()) == 4
    assert "Four of six" in exercise("10.6").hints[2]
