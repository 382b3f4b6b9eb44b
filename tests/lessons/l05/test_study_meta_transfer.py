"""The pipeline pretrain, Meta-SGD, adapt: its two losses against loops, and what each phase moves."""

import pytest
import torch
import torch.nn.functional as F

from mlcourse.learners import MetaSGD, MetaTransfer
from mlcourse.nets import MLP, Conv4
from mlcourse.train import outer_step, train
from tiny import CLASSES, PICTURES, SIDE, learner, pictures, sinusoids


def pipeline(norm="batch"):
    return learner("meta-transfer", norm=norm).double()


@pytest.mark.parametrize("norm", ["batch", "support", "running", "layer", "none"])
def test_the_pretraining_loss_is_the_cross_entropy_over_all_training_classes(norm):
    meta, batch = pipeline(norm), pictures(3)
    loop = []
    for episode in map(batch.task, range(3)):
        x = torch.cat([episode.support_x, episode.query_x])
        classes = [int(episode.classes[label]) for label in torch.cat([episode.support_y, episode.query_y])]
        logits = meta.net.features(x) @ meta.classifier.weight.T + meta.classifier.bias
        loop.append(-sum(F.log_softmax(row, -1)[c] for row, c in zip(logits, classes)) / len(classes))
    slow = torch.stack(loop)
    torch.testing.assert_close(torch.vmap(meta.pretraining_loss)(batch), slow)
    if meta.engine == "stacked":
        torch.testing.assert_close(meta.pretraining_loss(batch), slow)


class Doubled:
    """The pictures' sampler in float64."""

    def sample(self, tasks, generator):
        return PICTURES.sample(tasks, generator).to(torch.float64)


def moved(meta, phase):
    before = {name: p.clone() for name, p in meta.named_parameters()}
    outer_step(phase, 0, torch.Generator().manual_seed(0))
    return {name for name, p in meta.named_parameters() if not torch.equal(p, before[name])}


def test_pretraining_moves_body_and_classifier_and_meta_sgd_moves_network_and_rates():
    meta = pipeline()
    pretrain, meta_train = meta.phases(Doubled(), 10, tasks=2, pretrain=0.3)
    assert (pretrain.name, pretrain.steps, meta_train.name, meta_train.steps) == ("pretrain", 3, "meta-train", 7)
    names = [name for name, _ in meta.named_parameters()]
    body = {name for name in names if name.startswith("net.") and not name.startswith("net.head")}
    assert moved(meta, pretrain) == body | {"classifier.weight", "classifier.bias"}
    assert moved(meta, meta_train) == {name for name in names if not name.startswith("classifier.")}


def test_after_pretraining_it_is_meta_sgd():
    meta = pipeline()
    plain = MetaSGD(meta.net, meta.config["low"], meta.config["high"]).double()
    plain.load_state_dict({name: t for name, t in meta.state_dict().items() if not name.startswith("classifier.")})
    batch = pictures(2)
    torch.testing.assert_close(meta.losses(batch), plain.losses(batch), rtol=0, atol=0)
    torch.testing.assert_close(meta.predictions(batch, 2), plain.predictions(batch, 2), rtol=0, atol=0)


@pytest.mark.parametrize("steps", [2, 3])
def test_every_phase_has_a_step(steps):
    assert [phase.steps for phase in pipeline().phases(PICTURES, steps, tasks=1, pretrain=0.01)] == [1, steps - 1]


@pytest.mark.parametrize(("settings", "words"), [
    (dict(steps=1), "at least 2 outer steps, got a share of 0.5 of 1"),
    (dict(steps=9, pretrain=1.0), "share of 1.0 of 9"),
    (dict(steps=9, pretrain=0.0), "share of 0.0"), (dict(steps=9, tasks=0), "tasks must be at least 1"),
    (dict(steps=9, lr=0.0), "outer learning rate must be a positive")])
def test_phases_that_are_none_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        pipeline().phases(PICTURES, **settings)


def test_a_domain_of_more_classes_than_the_classifier_is_refused():
    meta = MetaTransfer(Conv4(3, 4, side=SIDE), train_classes=CLASSES - 1)
    with pytest.raises(ValueError, match=f"has {CLASSES} classes, but the classifier tells {CLASSES - 1} apart"):
        meta.phases(PICTURES, 4)


def test_regression_has_no_classes_to_pretrain_on():
    with pytest.raises(ValueError, match="MetaTransfer classifies"):
        MetaTransfer(MLP((1, 4, 1)), 3).double().pretraining_loss(sinusoids().task(0))


def test_a_resumed_training_gives_the_numbers_of_an_uninterrupted_one(tmp_path):
    whole, halves = learner("meta-transfer"), learner("meta-transfer")
    phases = lambda meta: meta.phases(PICTURES, 6, tasks=2)
    records = train(whole, phases(whole), progress=False)

    def stop(record):
        if record["phase"] == "meta-train":
            raise KeyboardInterrupt

    path = tmp_path / "state.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(halves, phases(halves), path=path, save_every=2, progress=False, on_step=stop)
    resumed = learner("meta-transfer")
    assert train(resumed, phases(resumed), path=path, progress=False) == records
    for ours, theirs in zip(resumed.parameters(), whole.parameters()):
        assert torch.equal(ours, theirs)
