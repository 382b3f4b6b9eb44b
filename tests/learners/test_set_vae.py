"""The set VAE as a classifier and as a maker of supports: the paper's rule, and where the loss of queries flows."""

import pytest
import torch
from tiny import learner, pictures
from torch.distributions import Bernoulli, Normal, kl_divergence

from mlcourse.learners import NeuralStatistician, R2D2
from mlcourse.learners.statistician import BoundStatistician, as_binary, by_class


def test_the_rule_is_the_divergence_of_the_codes_of_a_picture_and_of_each_class():
    own, episode = NeuralStatistician().double(), pictures().task(0)
    logits = own.predict(own.adapt(episode), episode.query_x)
    binary = as_binary(episode.support_x, 28)
    for n in range(3):
        code = own.vae.context(own.vae.embed(binary[episode.support_y == n][None]))
        for i, x in enumerate(as_binary(episode.query_x, 28)):
            one = own.vae.context(own.vae.embed(x[None, None]))
            far = kl_divergence(*(Normal(c.mean[0], (c.log_var[0] / 2).exp()) for c in (one, code))).sum()
            torch.testing.assert_close(logits[i, n], -far)


def test_the_rule_of_the_bound_is_the_bound_of_a_picture_under_the_code_of_each_class():
    own, episode = BoundStatistician().double(), pictures().task(0)
    state = own.adapt(episode)
    logits = own.predict(state, episode.query_x)
    for n in range(3):
        c, prior = state.mean[n], own.vae.prior(state.mean[n])
        for i, x in enumerate(as_binary(episode.query_x, 28)):
            q_z = own.vae.posterior(own.vae.embed(x[None, None]), c[None])
            pixels = Bernoulli(logits=own.vae.decode(q_z.mean, c[None])[0, 0]).log_prob(x).sum()
            q, p = (Normal(part.mean.flatten(), (part.log_var.flatten() / 2).exp()) for part in (q_z, prior))
            torch.testing.assert_close(logits[i, n], pixels - kl_divergence(q, p).sum())


def test_all_pictures_are_made_binary_in_the_same_way():
    episode = pictures().task(0)
    for x in (episode.support_x, episode.query_x):
        assert set(as_binary(x, 28).unique().tolist()) == {0.0, 1.0}
    with pytest.raises(ValueError, match="one channel, got 3"):
        as_binary(torch.zeros(2, 3, 8, 8), 8)


def test_the_reported_loss_is_the_bound_itself_at_every_step():
    """No warm-up that weighs the likelihood or the divergence hides in it."""
    own, episode = NeuralStatistician().double(), pictures().task(0)
    phase, = own.phases(None, 5)
    for step in (0, 4):
        phase.before(step)
        bound = own.bound(episode)
        by_hand = (bound.likelihood.sum() - bound.kl_z.sum() - bound.kl_c.sum()) / bound.likelihood.numel()
        torch.testing.assert_close(phase.one(episode, step), -by_hand)


def test_sets_are_those_of_the_labels():
    x, y = torch.arange(6.0)[:, None], torch.tensor([2, 0, 1, 0, 2, 1])
    assert by_class(x, y, 3)[:, :, 0].tolist() == [[1, 3], [2, 5], [0, 4]]


def augmenting():
    return learner("set-vae", norm="layer").double()


def test_the_loss_of_queries_flows_back_into_the_set_encoder_through_samples_alone():
    ours, episode = augmenting(), pictures().task(0)
    ours.loss(episode).backward()
    named = ours.statistician.vae.named_parameters()
    flows = {name for name, p in named if p.grad is not None and p.grad.abs().max() > 0}
    for part in ("h.", "to_c.", "to_prior.", "spread.", "decoder."):
        assert any(name.startswith(part) for name in flows), part
    assert not any(name.startswith("to_z.") for name in flows)


def test_its_classifier_is_r2d2_on_supports_and_samples():
    ours, episode = augmenting(), pictures().task(0)
    made = ours.samples(episode)
    wide = episode._replace(support_x=torch.cat([episode.support_x, made.flatten(0, 1)]),
                            support_y=torch.cat([episode.support_y, torch.arange(3).repeat_interleave(5)]))
    plain = R2D2(ours.net, ours.config["penalty"], ours.config["scale"]).double()
    torch.testing.assert_close(ours.adapt(episode).weight, plain.adapt(wide).weight)


def test_a_training_by_the_bound_keeps_at_least_one_dimension_of_z_alive():
    """A decoder that reads c alone would leave every KL(q(z|x, c) ‖ p(z|c)) at 0."""
    from mlcourse.episode import EpisodeSampler
    from mlcourse.lessons.l10_data.pictures import splits
    from mlcourse.train import train

    own, domain = NeuralStatistician(hidden=48, width=12), splits("glyphs").val
    sampler = EpisodeSampler(domain, 16, 1, 4)
    train(own, own.phases(sampler, 150, tasks=1, lr=2e-3), progress=False)
    with torch.no_grad():
        bound = own.bound(sampler.sample(1, torch.Generator().manual_seed(0)).task(0))
    assert (bound.kl_z.mean((0, 1)) > 0.01).sum() >= 1
    assert bound.value.mean() / 5 > -260
