"""The GRU by hand against torch's, and padding in it and in the Transformer."""

import pytest
import torch
from like_every_learner import check_like_every_learner
from torch import nn

from mlcourse.checkpoint import describe, rebuild
from mlcourse.datasets.words import encode
from mlcourse.episode import Episode
from mlcourse.learners import MAML, ProtoNet
from mlcourse.nets import GRU, Transformer, network

WORDS = encode(["a", "ovu", "kapsol", "abcdefghijkl"]).double() / 255
NETS = {"gru": lambda way: GRU(way, 26, 8, seed=1).double(),
        "transformer": lambda way: Transformer(way, 12, 26, 1, 8, seed=1, pads=True).double()}
EACH = pytest.mark.parametrize("make", NETS.values(), ids=NETS)


def test_it_is_that_of_torch_on_the_letters_before_the_padding():
    net, theirs = NETS["gru"](0), nn.GRU(26, 8, batch_first=True).double()
    with torch.no_grad():
        for name, own in (("ih", net.read), ("hh", net.recall)):
            getattr(theirs, f"weight_{name}_l0").copy_(own.weight)
            getattr(theirs, f"bias_{name}_l0").copy_(own.bias)
    for word, length in zip(WORDS, (1, 3, 6, 12), strict=True):
        torch.testing.assert_close(net(word[None]), theirs(word[None, :length])[1][0], rtol=0, atol=1e-14)


def test_a_step_is_that_of_torch_padding_or_not():
    net, theirs = NETS["gru"](0), nn.GRUCell(26, 8).double()
    with torch.no_grad():
        for name, own in (("ih", net.read), ("hh", net.recall)):
            getattr(theirs, f"weight_{name}").copy_(own.weight)
            getattr(theirs, f"bias_{name}").copy_(own.bias)
    h = torch.randn(4, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for place in (0, 5, 11):
        torch.testing.assert_close(net.step(WORDS[:, place], h), theirs(WORDS[:, place], h), rtol=0, atol=1e-14)


@EACH
def test_a_word_has_the_features_that_it_has_alone(make):
    net = make(0)
    assert net.size == 8 and net(WORDS).shape == (4, 8)
    for word, features in zip(WORDS, net(WORDS), strict=True):
        torch.testing.assert_close(net(word[None])[0], features, rtol=0, atol=1e-14)


def test_padding_changes_no_features():
    """A longer Transformer, with the same weights at the first twelve places, and a GRU that reads on."""
    longer = torch.cat([WORDS, torch.zeros(4, 5, 26, dtype=torch.float64)], 1)
    gru, short, net = NETS["gru"](0), NETS["transformer"](0), Transformer(0, 17, 26, 1, 8, pads=True).double()
    with torch.no_grad():
        weights = short.state_dict()
        net.load_state_dict(weights | {"position": torch.cat([weights["position"], torch.ones(5, 8)])})
    torch.testing.assert_close(gru(longer), gru(WORDS), rtol=0, atol=1e-14)
    torch.testing.assert_close(net(longer), short(WORDS), rtol=0, atol=1e-14)


def test_a_full_word_goes_through_the_transformer_as_without_padding():
    net = Transformer(0, 12, 26, 1, 8, seed=1).double()
    torch.testing.assert_close(net(WORDS[3:]), NETS["transformer"](0)(WORDS[3:]), rtol=0, atol=1e-14)
    assert not torch.allclose(net(WORDS[:1]), NETS["transformer"](0)(WORDS[:1]))


@EACH
def test_no_letter_at_all_gives_zeros(make):
    nothing = torch.zeros(2, 12, 26, dtype=torch.float64)
    assert torch.equal(make(0)(nothing), torch.zeros(2, 8, dtype=torch.float64))


def episodes(tasks=2):
    """3-way 1-shot episodes of random words with two queries of each class."""
    generator = torch.Generator().manual_seed(0)
    letters = torch.nn.functional.one_hot(torch.randint(26, (tasks, 9, 12), generator=generator), 26).double()
    lengths = torch.randint(2, 13, (tasks, 9, 1, 1), generator=generator)
    x = letters * (torch.arange(12)[:, None] < lengths)
    y = torch.arange(3).repeat(tasks, 1)
    return Episode(x[:, :3], y, x[:, 3:], y.repeat(1, 2), x[:, :0], y, torch.zeros(tasks, dtype=torch.int64))


LEARNERS = {"protonet gru": ProtoNet(NETS["gru"](0)),
            **{f"maml {name}": MAML(make(3), lr=0.3, steps=2) for name, make in NETS.items()}}


@pytest.mark.parametrize("learner", LEARNERS.values(), ids=LEARNERS)
def test_learners_around_it_are_like_every_learner(learner):
    assert learner.engine == "vmap"
    check_like_every_learner(learner, episodes())


@EACH
@pytest.mark.parametrize("way", [0, 3])
def test_it_is_rebuilt_from_its_description(make, way):
    learner = MAML(make(way).float()) if way else ProtoNet(make(way).float())
    again = rebuild(describe(learner))
    assert again.net.config == learner.net.config
    assert all(torch.equal(p, q) for p, q in zip(again.net.parameters(), learner.net.parameters(), strict=True))


def test_both_have_a_name():
    for name, kind, size in (("gru", GRU, 64), ("transformer", Transformer, 32)):
        headless, headed = network(name, 0, sequence=(12, 26)), network(name, 5, sequence=(12, 26), width=16, seed=3)
        assert isinstance(headless, kind) and headless(WORDS.float()).shape == (4, size)
        assert headed(WORDS.float()).shape == (4, 5) and headed.size == 16 and headed.config["seed"] == 3
    assert network("torch.nn:Flatten", 5, sequence=(12, 26))(WORDS.float()).shape == (4, 5)


@pytest.mark.parametrize(("name", "settings", "says"), [
    ("gru", {}, "the samples are pictures, which gru does not read; choose --net conv4 or resnet12"),
    ("conv4", {"sequence": (12, 26)}, "the samples are sequences, which conv4 does not read; choose --net gru or"),
    ("gru", {"sequence": (12, 26), "norm": "layer"}, "gru has no norm of a batch to choose; leave --norm out"),
    ("transformer", {"sequence": (12, 26), "maps": True}, "transformer makes one feature vector of a sequence"),
])
def test_what_a_network_does_not_read_is_said(name, settings, says):
    with pytest.raises(ValueError, match=says):
        network(name, 5, **settings)


def test_samples_of_another_shape_are_refused():
    for shape in ((2, 12), (2, 12, 3), (2, 1, 12, 26)):
        with pytest.raises(ValueError, match=r"this GRU reads sequences \(M, L, 26\), got samples of shape \(2, "):
            GRU(0, 26)(torch.zeros(shape))
    for sizes in (dict(way=-1, inputs=26), dict(way=0, inputs=0), dict(way=5, inputs=26, width=0)):
        with pytest.raises(ValueError, match="sizes must be at least 1, and the way at least 0"):
            GRU(**sizes)
