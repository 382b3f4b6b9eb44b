"""Learners on a backbone that comes pretrained and stays as it is: what they train and what they refuse."""

import numpy as np
import pytest
import torch
from tiny import PICTURES, SIDE, patterns, pictures
from torch import nn

from mlcourse.engine import switch
from mlcourse.fewshot import FewShot
from mlcourse.learners import R2D2, RFS, BaselinePlusPlus, FineTune, LinearProbe, ProtoNet
from mlcourse.nets import Conv4, wrap
from mlcourse.train import train

KINDS = [ProtoNet, R2D2, LinearProbe, RFS, BaselinePlusPlus, FineTune]
PRETRAINED = [LinearProbe, RFS, BaselinePlusPlus, FineTune]


class Backbone(nn.Module):
    """A convolution with a batch norm and dropout, which has seen pictures."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(1, 12, 3, 2), nn.BatchNorm2d(12), nn.ReLU(), nn.Dropout(),
                                    nn.AdaptiveAvgPool2d(3))
        self.layers(patterns(2).images.float() / 255)

    def forward(self, x):
        return self.layers(x)


def around(kind, frozen=True):
    return kind(wrap(Backbone(), example=torch.zeros(2, 1, SIDE, SIDE), frozen=frozen))


@pytest.mark.parametrize("kind", KINDS)
def test_few_shot_on_a_frozen_backbone_without_training_classes(kind):
    domain = patterns(1, classes=3)
    x, y = domain.images.float() / 255, np.array(["a", "b", "c"])[domain.labels.numpy()]
    learner = around(kind)
    before = {name: t.clone() for name, t in learner.state_dict().items()}
    model = FewShot(learner, steps=200).fit(x[::4], y[::4])     # where there are steps
    assert model.score(x[1::4], y[1::4]) > 0.8
    alone = np.concatenate([model.predict_proba(picture[None]) for picture in x[1::4]])
    np.testing.assert_allclose(alone, model.predict_proba(x[1::4]), atol=1e-5)
    assert all(torch.equal(t, before[name]) for name, t in learner.state_dict().items())


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_by_vmap_and_what_a_loop_computes_also_in_training(kind):
    learner, batch = around(kind).double().train(), pictures(3)
    one = lambda episode: learner.predict(learner.adapt(episode), episode.query_x)
    assert learner.engine == switch.VMAP and not learner.is_transductive
    with torch.no_grad():
        torch.testing.assert_close(learner.predictions(batch), switch.in_a_loop(one, batch), rtol=0, atol=1e-9)
    assert learner.engine == switch.VMAP


@pytest.mark.parametrize("kind", PRETRAINED)
def test_without_training_classes_there_is_no_pretraining(kind):
    learner = around(kind)
    says = f"this {kind.__name__} was made without training classes, so it has nothing to train; adapt and predict"
    for call in (lambda: learner.phases(PICTURES, 2), lambda: learner.loss(pictures().to(torch.float32).task(0))):
        with pytest.raises(ValueError, match=says):
            call()
    with pytest.raises(ValueError, match="the number of training classes must not be negative, got -1"):
        kind(learner.net, train_classes=-1)


def test_fine_tuning_on_a_frozen_backbone_moves_the_head_alone():
    assert set(around(FineTune).adapt(pictures().to(torch.float32).task(0)).params) == {"new.weight", "new.bias"}


def test_protonet_on_a_frozen_backbone_says_that_nothing_trains():
    with pytest.raises(ValueError, match="has no parameter to train: its network is frozen"):
        around(ProtoNet).phases(PICTURES, 2)


@pytest.mark.parametrize("kind", [LinearProbe, RFS, BaselinePlusPlus])
def test_a_backbone_that_is_not_frozen_is_pretrained_and_then_left_alone(kind):
    net = wrap(nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 8), nn.Tanh()), example=torch.zeros(2, 1, SIDE, SIDE))
    learner = kind(net, train_classes=len(PICTURES.domain.classes))
    start = net.body[1].weight.clone()
    train(learner, learner.phases(PICTURES, 2, tasks=2), progress=False)
    moved = net.body[1].weight.clone()
    assert not torch.equal(moved, start)
    learner.adapt(pictures().to(torch.float32).task(0))
    assert torch.equal(net.body[1].weight, moved)


def test_the_linear_heads_and_fine_tuning_are_pretrained_to_the_same_body():
    bodies = []
    for kind in (LinearProbe, RFS, FineTune):
        learner = kind(Conv4(0, 4, "max", "support", SIDE), len(PICTURES.domain.classes))
        train(learner, learner.phases(PICTURES, 2, tasks=2), progress=False)
        bodies.append(torch.cat([p.flatten() for p in learner.net.parameters()]))
    assert torch.equal(bodies[0], bodies[1]) and torch.equal(bodies[0], bodies[2])
