"""MetaGAN: probabilities of real and made, and whom each loss moves."""

import torch
from tiny import learner, pictures

from mlcourse.learners.metagan import log_made, log_real


def test_real_and_made_are_a_softmax_with_one_more_class():
    logits, beta = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).double(), torch.tensor(0.7).double()
    probabilities = torch.cat([logits, beta.expand(4, 1)], 1).softmax(1)
    torch.testing.assert_close(log_real(logits, beta).exp(), probabilities[:, :3].sum(1))
    torch.testing.assert_close(log_made(logits, beta).exp(), probabilities[:, 3])


def test_the_painter_follows_its_own_loss_and_the_classifier_is_no_part_of_it():
    gan, episode = learner("metagan", norm="layer").double(), pictures().task(0)
    state = gan.adapt(episode)
    code = torch.zeros(gan.net.size).double()
    gan.judged(state, gan.drawn(episode, code)).backward()
    moved = {name for name, p in gan.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    assert moved and all(name.startswith("painter.") for name in moved)


def test_the_class_of_made_pictures_is_trained_and_leaves_the_prediction_alone():
    gan, episode = learner("metagan", norm="layer").double(), pictures().task(0)
    gan.loss(episode).backward()
    assert gan.beta.grad.abs() > 0
    before = gan.predict(gan.adapt(episode), episode.query_x).detach()
    with torch.no_grad():
        gan.beta.add_(5.0)
        for p in gan.painter.parameters():
            p.add_(1.0)
    assert torch.equal(gan.predict(gan.adapt(episode), episode.query_x), before)


def test_the_noise_of_a_step_is_that_of_its_number():
    gan = learner("metagan")
    gan.draw(3)
    third = gan.noise.clone()
    gan.draw(4)
    assert not torch.equal(gan.noise, third)
    gan.draw(3)
    assert torch.equal(gan.noise, third)
