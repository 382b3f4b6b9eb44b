"""SimCLR, SupCon and two encoders: what the papers say and no other method does."""

import pytest
import torch
import torch.nn.functional as F

from mlcourse.datasets import load_splits
from mlcourse.episode import EpisodeSampler
from mlcourse.episode.pairs import PairSampler, PictureSampler
from mlcourse.evaluate import scores
from mlcourse.learners import ProtoNet, SimCLR, SupCon, TwoEncoders
from mlcourse.learners.contrastive import in_views, instances
from mlcourse.learners.two_encoders import class_means
from mlcourse.losses.contrast import nt_xent, sup_con, symmetric_info_nce
from mlcourse.nets import Conv4, StrokeNet, build_net
from mlcourse.train import outer_step, train
from like_every_learner import check_like_every_learner
from tiny import CLASSES, SIDE, patterns, pictures


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def net(seed=0, norm="layer"):
    return Conv4(0, 6, "max", norm, SIDE, seed)


def two_sides(way=5, **settings):
    domain = patterns()
    return PairSampler(domain.images, 255 - domain.images, domain.labels, way, **settings)


def test_sup_con_is_the_loss_of_its_projections_and_labels():
    learner, episode = SupCon(net(), tau=0.3).double(), pictures().task(0)
    x, y = episode.samples()
    torch.testing.assert_close(learner.loss(episode), sup_con(learner.project(x), y, 0.3))


def test_simclr_without_labels_is_nt_xent_of_two_views():
    learner = SimCLR(net(), tau=0.2).double()
    batch = instances(pictures(), generator(), 0.5)
    one = batch.task(0)
    want = nt_xent(learner.project(one.support_x), learner.project(one.query_x), 0.2)
    torch.testing.assert_close(learner.loss(one), want)
    assert one.way == len(one.support_y) == len(pictures().task(0).samples()[1])


def test_simclr_never_looks_at_a_class_label():
    batch = pictures()
    wrong = batch._replace(support_y=torch.zeros_like(batch.support_y), query_y=torch.zeros_like(batch.query_y),
                           classes=batch.classes * 0)
    for one, two in zip(instances(batch, generator(), 1.0), instances(wrong, generator(), 1.0), strict=True):
        assert torch.equal(one, two)
    sampler = EpisodeSampler(patterns(), 3, 1, 4)
    drawn = SimCLR(net()).phases(sampler, 1, tasks=1)[0].sample(generator())
    assert drawn.way == 15                                              # 3 · (1 + 4) pictures of any class
    assert drawn.classes.tolist() == [list(range(15))]


def test_views_change_pictures_and_keep_labels():
    batch = pictures(2)
    seen = in_views(batch, generator(), 1.0)
    assert torch.equal(seen.support_y, batch.support_y) and not torch.equal(seen.support_x, batch.support_x)
    assert torch.equal(in_views(batch, generator(), 0.0).query_x, batch.query_x)


def test_the_projection_head_takes_no_part_in_prediction():
    learner, episode = SupCon(net()).double(), pictures().task(0)
    before = learner.predict(learner.adapt(episode), episode.query_x)
    with torch.no_grad():
        learner.out.weight.mul_(-3)
    assert torch.equal(before, learner.predict(learner.adapt(episode), episode.query_x))
    z = F.normalize(learner.net.features(episode.support_x), dim=-1)
    torch.testing.assert_close(learner.embed(episode.support_x), z)
    assert issubclass(SupCon, ProtoNet)


@pytest.mark.parametrize("kind", [SimCLR, SupCon])
def test_training_beats_an_untrained_network(kind):
    """On characters that training never saw, within seconds."""
    splits = load_splits("glyphs")
    learner = kind(Conv4(0, 16, norm="layer"), views=0.75)
    test = EpisodeSampler(splits.val, 5, 1, 5)
    before = scores(learner, test, 100).mean()
    train(learner, learner.phases(EpisodeSampler(splits.train, 24, 1, 1), 30, tasks=1, lr=4e-3), progress=False)
    assert scores(learner, test, 100).mean() > before + 0.06


def test_two_encoders_are_symmetric_info_nce_over_the_pairs():
    learner, episode = TwoEncoders(net(), tau=0.2), two_sides().sample(1, generator()).task(0)
    a, b = learner.embed(episode.support_x), learner.embed_other(episode.query_x)
    torch.testing.assert_close(learner.loss(episode), symmetric_info_nce(a, b, 0.2))
    state = learner.adapt(episode)
    want = F.cosine_similarity(b[:, None], a, dim=-1) / 0.2
    torch.testing.assert_close(learner.predict(state, episode.query_x), want)


def test_two_encoders_do_what_every_learner_does():
    """A loop equals vmap, every parameter gets a gradient, predict is pure, no gradient off, one query alone as in a
    batch; they need pairs, so the conformance suite's episodes of one domain are not for them."""
    learner, batch = TwoEncoders(net()).double(), two_sides(shot=2).sample(3, generator()).to(torch.float64)
    check_like_every_learner(learner, batch)


def test_a_shared_encoder_has_one_network_and_both_kinds_learn():
    shared, two = TwoEncoders(net(), "shared"), TwoEncoders(net())
    assert sum(p.numel() for p in two.parameters()) == 2 * sum(p.numel() for p in shared.parameters())
    x = torch.rand(3, 1, SIDE, SIDE)
    assert torch.equal(shared.embed(x), shared.embed_other(x)) and not torch.equal(two.embed(x), two.embed_other(x))
    domain = patterns()
    for learner, other in ((shared, domain.images // 2), (two, 255 - domain.images)):
        phase, = learner.phases(PairSampler(domain.images, other, domain.labels, CLASSES), 50, tasks=4, lr=1e-2)
        losses = [outer_step(phase, step, generator(step)) for step in range(50)]
        assert sum(losses[-5:]) < 0.5 * sum(losses[:5])


def test_an_image_meets_a_stroke_and_the_settings_build_both_encoders_anew():
    learner = TwoEncoders(net(), StrokeNet(8).config)
    labels = torch.arange(6).repeat_interleave(4)
    sampler = PairSampler(torch.rand(24, 1, SIDE, SIDE), torch.rand(24, 64, 3), labels, 5)
    episode = sampler.sample(1, generator()).task(0)
    logits = learner.predict(learner.adapt(episode), episode.query_x)
    assert logits.shape == (5, 5)
    again = TwoEncoders(build_net(learner.net.config), **learner.config)
    again.load_state_dict(learner.state_dict())
    assert torch.equal(again.predict(again.adapt(episode), episode.query_x), logits)


def test_class_means_are_means_of_unit_vectors():
    z, y = torch.tensor([[3.0, 0.0], [0.0, 2.0], [5.0, 0.0]]), torch.tensor([0, 0, 1])
    assert torch.equal(class_means(z, y, 2), torch.tensor([[0.5, 0.5], [1.0, 0.0]]))


def test_what_does_not_fit_is_told():
    with pytest.raises(ValueError, match="norm 'layer' or 'none', got 'batch'"):
        TwoEncoders(net(norm="batch"))
    with pytest.raises(ValueError, match=r"Flatten does not say \(net.config\); name one with other=, or 'shared'"):
        TwoEncoders(torch.nn.Flatten())
    with pytest.raises(ValueError, match=r"TwoEncoders needs its features \(net.features\), which this Flatten"):
        TwoEncoders(torch.nn.Flatten(), "shared")
    with pytest.raises(ValueError, match="temperature"):
        SupCon(net(), tau=0.0)
    with pytest.raises(ValueError, match="size must be at least 1"):
        TwoEncoders(net(), size=0)
    with pytest.raises(ValueError, match="norm of a StrokeNet must be 'layer' or 'none', got 'batch'"):
        StrokeNet(norm="batch")


def test_a_stroke_network_sees_lines_and_not_jumps():
    """Where the pen was up, the step from the point before does not count, but the place does."""
    strokes = torch.rand(2, 64, 3)
    strokes[..., 2] = 1
    lifted = strokes.clone()
    lifted[:, 30, 2] = 0
    features = StrokeNet(8)
    assert features(strokes).shape == (2, 8) and not torch.allclose(features(strokes), features(lifted))
    moved = strokes.clone()
    moved[..., :2] += 0.1
    assert not torch.allclose(features(strokes), features(moved))


def test_picture_sampler_feeds_simclr():
    phase, = SimCLR(net()).phases(PictureSampler(patterns(), 12), 1, tasks=2)
    assert phase.sample(generator()).support_x.shape == (2, 12, 1, SIDE, SIDE)
