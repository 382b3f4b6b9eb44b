"""What lesson 10's exercises rest on: the right code agrees with the library, and the broken code misleads as the text
says."""

import torch

from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge
from mlcourse.learners import SetVAEAugmented
from mlcourse.lessons.l10_data import live
from mlcourse.lessons.l10_data.checks import MIXED_UP, Model
from mlcourse.lessons.l10_data.study_making_arms import Flat
from mlcourse.losses import vae
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


def test_the_query_loss_is_that_of_the_learner():
    learner = SetVAEAugmented(Flat(), count=2, penalty=live.PENALTY, scale=live.SCALE, maps=1, hidden=8, width=4)
    episode = live.episodes().task(0)
    made = learner.samples(episode)
    of_row = lambda x: made[episode.support_y]
    pairs = (episode.support_x, episode.support_y), (episode.query_x, episode.query_y)
    found = exercise("10.5").reference()(of_row, live.fitted, *pairs)
    torch.testing.assert_close(found, learner.loss(episode))
    given, = torch.autograd.grad(found, learner.statistician.vae.to_c[-1].weight)
    wanted, = torch.autograd.grad(learner.loss(episode), learner.statistician.vae.to_c[-1].weight)
    torch.testing.assert_close(given, wanted)


def test_the_query_loss_trains_all_but_what_no_sample_asks_for():
    vae = SetVAE(maps=1, hidden=8, width=4)
    trained = live.by_queries(vae, exercise("10.5").reference(), steps=1)
    same = {name.split(".")[0] for (name, p), q in zip(vae.named_parameters(), trained.parameters(), strict=True)
            if torch.equal(p, q)}
    moved = {name.split(".")[0] for (name, p), q in zip(vae.named_parameters(), trained.parameters(), strict=True)
             if not torch.equal(p, q)}
    assert same == {"few", "to_z"} and moved >= {"h", "to_c", "to_prior", "spread", "decoder"}
