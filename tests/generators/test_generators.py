"""Generators make an episode of an episode: what is added, to whom, and from what."""

import pytest
import torch
from tiny import PICTURES, patterns

from mlcourse.episode import EpisodeSampler
from mlcourse.generators import DAGAN, FromSet, Generator, HandMade, augmented, grouped
from mlcourse.generators.dagan import pairs
from mlcourse.learners import ProtoNet, R2D2
from mlcourse.nets import Conv4
from mlcourse.nets.set_vae import SetVAE
from mlcourse.train import train


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(tasks=2):
    return PICTURES.sample(tasks, seeded())


class Repeat(Generator):
    """The mean of a class's supports, again and again."""

    def draw(self, x, count, generator):
        return x.mean(1, keepdim=True).expand(-1, count, -1, -1, -1)


def test_made_pictures_stand_under_the_label_of_the_supports_that_they_were_made_from():
    before, after = batch(), augmented(batch(), Repeat(), 4, seeded(), copies=2)
    assert after.support_x.shape == (2, 2 * 6 + 3 * 4, 1, 16, 16)
    for task in range(2):
        one, more = before.task(task), after.task(task)
        for n in range(3):
            mine = more.support_x[more.support_y == n]
            mean = one.support_x[one.support_y == n].mean(0)
            assert len(mine) == 2 * 2 + 4
            torch.testing.assert_close(mine[4:], mean.expand(4, -1, -1, -1))
    assert torch.equal(after.query_x, before.query_x) and torch.equal(after.classes, before.classes)
    torch.testing.assert_close(augmented(before.task(1), Repeat(), 4, seeded(), copies=2).support_x, after.support_x[1])


def test_any_learner_adapts_to_an_augmented_episode():
    """Means of means are means: a ProtoNet does not notice pictures at the mean of each class's features."""
    episode = augmented(batch(), HandMade(0.0), 2, seeded()).task(0)
    for kind in (ProtoNet, R2D2):
        learner = kind(Conv4(0, 4, norm="layer", side=16))
        assert learner.predict(learner.adapt(episode), episode.query_x).shape == (9, 3)
    same = ProtoNet(Conv4(0, 4, norm="layer", side=16))
    torch.testing.assert_close(same.adapt(episode).means, same.adapt(batch().task(0)).means)


def test_counts_and_shots_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="got 0, 1"):
        augmented(batch(), Repeat(), 0, seeded())
    uneven = batch().task(0)
    with pytest.raises(ValueError, match="as many support pictures each"):
        grouped(uneven.support_x, torch.tensor([0, 0, 0, 1, 1, 2]), 3)


def test_views_are_of_the_supports_in_turn_and_the_same_generator_repeats_them():
    x = torch.rand(2, 2, 1, 16, 16, generator=seeded())
    still = HandMade(0.0).draw(x, 3, seeded())
    assert torch.equal(still, x[:, [0, 1, 0]])
    assert torch.equal(HandMade().draw(x, 3, seeded(1)), HandMade().draw(x, 3, seeded(1)))


def test_a_set_vae_refuses_grey_pictures():
    maker = FromSet(SetVAE(16, 2, 3, 8, 4))
    x = (torch.rand(2, 2, 1, 16, 16, generator=seeded()) > 0.5).float()
    assert maker.draw(x, 3, seeded()).shape == (2, 3, 1, 16, 16)
    with pytest.raises(ValueError, match="grey pixels"):
        maker.draw(x / 2, 3, seeded())


def test_a_pair_is_two_different_pictures_of_one_class():
    domain = patterns()
    sampler = EpisodeSampler(domain, 4, 1, 1)
    pictures = domain.images.float() / 255
    for seed in range(20):
        for a, b in zip(*pairs(sampler, seeded(seed))[:2], strict=True):
            i, j = ((pictures - x).abs().sum((1, 2, 3)).argmin() for x in (a, b))
            assert i != j and domain.labels[i] == domain.labels[j]
    with pytest.raises(ValueError, match="shot and query must be 1, got 2 and 3"):
        pairs(PICTURES, seeded())


def test_each_loss_of_dagan_moves_its_own_network_alone():
    maker, batch = DAGAN(16), pairs(EpisodeSampler(patterns(), 4, 1, 1), seeded())
    drawn, other = (maker.redrawing(batch.first, z) for z in (batch.z1, batch.z2))
    maker.critic_loss(batch, drawn).backward()
    assert all(p.grad is None for p in maker.redrawing.parameters())
    assert all(p.grad is not None for p in maker.critic.parameters())
    maker.critic.zero_grad(set_to_none=True)
    maker.generator_loss(batch, drawn, other).backward()
    assert all(p.grad is None for p in maker.critic.parameters())
    assert maker.redrawing.out.weight.grad.abs().max() > 0


def test_dagan_trains_and_redraws():
    maker = DAGAN(16)
    x = torch.rand(2, 1, 1, 16, 16, generator=seeded())
    torch.testing.assert_close(maker.draw(x, 2, seeded()), x.expand(-1, 2, -1, -1, -1), atol=1e-4, rtol=0)
    train(maker, maker.phases(EpisodeSampler(patterns(), 4, 1, 1), 5), progress=False)
    assert not torch.allclose(maker.draw(x, 1, seeded()), x, atol=1e-3)
