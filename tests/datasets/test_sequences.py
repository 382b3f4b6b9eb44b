"""Sequences and the Transformer: the tasks, attention against torch's own, and Meta-SGD through it."""

import re

import pytest
import torch
from torch import nn

from mlcourse.checkpoint import describe, rebuild
from mlcourse.datasets.sequences import CYCLES, OscillationSampler
from mlcourse.evaluate import scores
from mlcourse.learner import batch_loss
from mlcourse.learners import MAML, MetaSGD, NearestNeighbour
from mlcourse.nets import build_net
from mlcourse.nets.sequence import Transformer
from mlcourse.train import train

SMALL = dict(length=6, patch=2, width=4, heads=2)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_an_episode_has_the_shapes_of_the_protocol_and_balanced_labels():
    batch = OscillationSampler(4, 2, 3, length=10).sample(5, generator())
    assert batch.support_x.shape == (5, 8, 10, 1) and batch.query_x.shape == (5, 12, 10, 1)
    assert batch.way == 4 and batch.unlabeled_x.shape == (5, 0, 10, 1)
    for labels, each in ((batch.support_y, 2), (batch.query_y, 3)):
        assert all(torch.bincount(row, minlength=4).tolist() == [each] * 4 for row in labels)
    assert len({tuple(row.tolist()) for row in batch.query_y}) > 1          # the order says nothing about the labels


def test_a_seed_repeats_the_episodes_and_another_changes_them():
    first, again, other = (OscillationSampler().sample(2, generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(first.support_x, again.support_x) and not torch.equal(first.support_x, other.support_x)


def test_without_noise_a_class_is_one_frequency():
    sampler = OscillationSampler(2, 1, 1, length=240, noise=0.0)
    batch = sampler.sample(20, generator())
    for episode in map(batch.task, range(20)):
        for label in range(2):
            pair = [x[y == label][0, :, 0] for x, y in ((episode.support_x, episode.support_y),
                                                        (episode.query_x, episode.query_y))]
            peaks = [torch.fft.rfft(x).abs()[1:].argmax().item() + 1 for x in pair]
            assert all(CYCLES[0] - 1 <= peak <= 2 * CYCLES[1] + 1 for peak in peaks)
            assert max(peaks) / min(peaks) <= 3.1                           # the tone or its overtone, rounded
            assert not torch.allclose(*pair)


@pytest.mark.parametrize(("settings", "words"), [
    (dict(way=1), "way must be at least 2"), (dict(shot=0), "shot must be at least 1"),
    (dict(query=0), "query must be at least 1"), (dict(length=1), "length must be at least 2"),
    (dict(noise=-0.1), "noise must be a finite number"), (dict(noise=float("nan")), "noise must be a finite number")])
def test_settings_that_are_none_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        OscillationSampler(**settings)


def test_attention_is_that_of_torch():
    net = Transformer(3, **SMALL).double()
    theirs = nn.MultiheadAttention(4, 2, batch_first=True, bias=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(net.qkv.weight)
        theirs.in_proj_bias.zero_()
        theirs.out_proj.weight.copy_(net.out.weight)
        theirs.out_proj.bias.copy_(net.out.bias)
    e = torch.randn(5, 3, 4, generator=generator(), dtype=torch.float64)
    torch.testing.assert_close(net.out(net.attend(e)), theirs(e, e, e)[0])


def test_the_block_is_that_of_torchs_encoder_layer():
    net = Transformer(3, **SMALL).double()
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True, norm_first=True).double()
    with torch.no_grad():
        layer.self_attn.in_proj_weight.copy_(net.qkv.weight)
        layer.self_attn.in_proj_bias.zero_()
        for mine, other in ((net.out, layer.self_attn.out_proj), (net.up, layer.linear1), (net.down, layer.linear2),
                            (net.norm_1, layer.norm1), (net.norm_2, layer.norm2)):
            other.weight.copy_(mine.weight)
            other.bias.copy_(mine.bias)
    x = torch.randn(5, 6, 1, generator=generator(), dtype=torch.float64)
    e = net.embed(x.reshape(5, 3, 2)) + net.position
    torch.testing.assert_close(net.features(x), layer(e).mean(1))


@pytest.mark.parametrize("kind", [MAML, MetaSGD])
def test_meta_learners_go_through_it_unchanged(kind):
    learner = kind(Transformer(3, **SMALL).double())
    batch = OscillationSampler(3, 1, 2, length=6).sample(2, generator()).to(torch.float64)
    loop = sum(learner.loss(batch.task(i)) for i in range(2)) / 2
    torch.testing.assert_close(batch_loss(learner, batch), loop)
    parameters = list(learner.parameters())
    for ours, slow in zip(torch.autograd.grad(batch_loss(learner, batch), parameters),
                          torch.autograd.grad(loop, parameters)):
        torch.testing.assert_close(ours, slow)
        assert ours.abs().max() > 1e-8


def test_it_learns_instruments_that_it_has_never_heard():
    sampler = OscillationSampler(3, 1, 5)
    learner = MetaSGD(Transformer(3, 24, width=16), low=0.1, high=1.0)
    train(learner, learner.phases(sampler, 120, tasks=8, lr=1e-2), progress=False)
    assert scores(learner, sampler, 100).mean() > scores(NearestNeighbour(), sampler, 100).mean() + 0.1


def test_it_is_rebuilt_from_its_description():
    learner = MetaSGD(Transformer(3, **SMALL, seed=5))
    again = rebuild(describe(learner))
    again.load_state_dict(learner.state_dict())
    x = torch.randn(2, 6, 1, generator=generator())
    assert torch.equal(again.net(x), learner.net(x))
    assert build_net(learner.net.config).config == learner.net.config


@pytest.mark.parametrize(("settings", "words"), [
    (dict(SMALL, length=7), "length 7"), (dict(SMALL, width=5), "width 5"), (dict(SMALL, heads=0), "heads 0")])
def test_sizes_that_do_not_fit_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        Transformer(3, **settings)


def test_sequences_of_another_shape_are_refused():
    for shape in ((1, 8, 1), (1, 6, 2), (6, 1)):
        with pytest.raises(ValueError, match=re.escape(f"reads sequences (M, 6, 1), got samples of shape {shape}")):
            Transformer(3, **SMALL)(torch.zeros(shape))
