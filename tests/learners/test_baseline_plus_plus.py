"""Baseline++: the classifier of cosines against one written out, its scale, and its fine-tuning against autograd."""

import pytest
import torch
import torch.nn.functional as F
from tiny import CLASSES, learner, pictures

from mlcourse.learners.baseline_plus_plus import Cosines, cosines, drawn


@pytest.mark.parametrize("classes, scale", [(5, 2), (200, 2), (201, 10)])
def test_a_logit_is_the_scaled_cosine_times_the_norm_of_its_class(classes, scale):
    generator = torch.Generator().manual_seed(0)
    z = torch.rand(3, 8, generator=generator)
    classifier = Cosines(8, classes, seed=1)
    with torch.no_grad():
        classifier.g.copy_(torch.rand(classes, 1, generator=generator))
    logits = classifier(z)
    for i in range(3):
        for c in (0, classes - 1):
            cosine = F.cosine_similarity(z[i], classifier.v[c], dim=0)
            torch.testing.assert_close(logits[i, c], scale * classifier.g[c, 0] * cosine)
    torch.testing.assert_close(classifier(7 * z), logits)


def test_it_starts_as_torchs_linear_layer_does_with_the_norms_that_its_rows_have():
    (ours, norms), theirs = drawn(50, 400, seed=0), torch.nn.Linear(50, 400, bias=False).weight
    assert ours.abs().max() <= 50**-0.5 and ours.std() == pytest.approx(theirs.std().item(), rel=0.02)
    z = torch.rand(4, 50)
    torch.testing.assert_close(cosines(ours, norms, z), 10 * F.normalize(z, dim=1) @ ours.T)
    assert torch.equal(drawn(50, 400, seed=0)[0], ours) and not torch.equal(drawn(50, 400, seed=1)[0], ours)


def test_fine_tuning_is_gradient_descent_on_the_head_alone():
    plus, episode = learner("baseline++", norm="support", lr=0.3).double(), pictures().task(0)
    stats = plus.net.statistics(episode.support_x)
    z = plus.net.features(episode.support_x, stats).detach()
    v, g = (p.double().requires_grad_() for p in drawn(plus.net.size, 3, plus.seed))
    for _ in range(3):
        loss = F.cross_entropy(2 * g.T * F.cosine_similarity(z[:, None], v[None], dim=2), episode.support_y)
        v, g = (p - 0.3 * slope for p, slope in zip((v, g), torch.autograd.grad(loss, (v, g)), strict=True))
    state = plus.adapt(episode, steps=3)
    torch.testing.assert_close((state.v, state.g), (v, g), rtol=0, atol=1e-12)
    assert torch.equal(plus.adapt(episode).v, plus.adapt(episode, steps=plus.steps).v)


def test_pretraining_tells_the_global_classes_apart_by_cosines():
    plus, episode = learner("baseline++").double(), pictures().task(0)
    x = torch.cat([episode.support_x, episode.query_x])
    y = episode.classes[torch.cat([episode.support_y, episode.query_y])]
    z, head = plus.net.features(x), plus.classifier
    expected = F.cross_entropy(2 * head.g.T * F.cosine_similarity(z[:, None], head.v[None], dim=2), y)
    torch.testing.assert_close(plus.loss(episode), expected, rtol=0, atol=1e-12)
    assert len(head.v) == CLASSES
