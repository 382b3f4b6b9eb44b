"""Networks by name: those of the course, and callables of one's own."""

import pytest
import torch

from mlcourse.nets import Conv4, ResNet12, Wrapped, network

MINE = """
import torch
from torch import nn

from mlcourse.nets import wrap
made = []
class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3, 2), nn.GroupNorm(2, 4), nn.ReLU(), nn.Flatten())
    def forward(self, x):
        return self.body(x)
def frozen():
    return wrap(Encoder(), frozen=True, example=torch.zeros(2, 1, 20, 20))
def headed():
    return wrap(Encoder(), head=7, example=torch.zeros(2, 1, 20, 20))
def needs(size):
    return Encoder()
def number():
    return 3
def colour():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten())
def colour_headed():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten())
    net.add_module("head", nn.Linear(4 * 18 * 18, 5))
    return net
def large():
    return nn.Sequential(nn.Flatten(), nn.Linear(64 * 64, 4))
def double():
    return nn.Sequential(nn.Flatten(), nn.Linear(20 * 20, 4)).double()
WORD = "a text"
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_nets_of_a_test.py").write_text(MINE)
    return "my_nets_of_a_test"


def test_the_networks_of_the_course():
    assert isinstance(network("conv4", 5), Conv4) and network("conv4", 5).pool == "stride"
    assert network("conv4", 0).pool == "max"
    net = network("resnet12", 0, norm="layer", side=32, channels=3, width=4, seed=2)
    assert isinstance(net, ResNet12) and net.config == {"net": "ResNet12", "way": 0, "width": 4, "norm": "layer", "side": 32,
                                                        "channels": 3, "seed": 2}
    assert network("conv4", 3, width=8).size == 8 and network("conv4", 3).size == 64


def test_a_callable_of_ones_own_is_wrapped_where_it_has_no_head(here):
    x = torch.rand(2, 1, 20, 20)
    features, logits = network(f"{here}:Encoder", 0, side=20), network(f"{here}:Encoder", 5, side=20)
    assert isinstance(features, Wrapped) and features(x).shape == (2, 324) and logits(x).shape == (2, 5)
    frozen = network(f"{here}:frozen", 5, side=20)
    assert [name for name, p in frozen.named_parameters() if p.requires_grad] == ["head.weight", "head.bias"]
    assert network(f"{here}:frozen", 0, side=20).frozen and network(f"{here}:headed", 5, side=20).head.out_features == 7


def test_the_seed_draws_the_weights_of_a_network_of_ones_own(here):
    a, b, c = (network(f"{here}:Encoder", 0, side=20, seed=seed).body.body[0].weight for seed in (0, 0, 1))
    assert torch.equal(a, b) and not torch.equal(a, c)
    assert isinstance(network("torch.nn:Flatten", 0), Wrapped), "of any package that is installed"


@pytest.mark.parametrize("name, says", [
    ("vgg", "net must be one of conv4, resnet12, gru, transformer, or module:attr .* got 'vgg'"),
    ("a b:c", "net must be one of"),
    ("no_such_module:net", "the module 'no_such_module' of --net no_such_module:net cannot be imported"),
    ("HERE:nothing", "'nothing' is not in 'HERE'; name a function or a class that makes your network"),
    ("HERE:WORD", "'WORD' is no callable of 'HERE'"),
    ("HERE:needs", "HERE:needs cannot be called without arguments"),
    ("HERE:number", "HERE:number makes a int, not a torch.nn.Module"),
])
def test_what_is_no_network_is_said(here, name, says):
    with pytest.raises(ValueError, match=says.replace("HERE", here)):
        network(name.replace("HERE", here), 5)


@pytest.mark.parametrize("width", [0, -1, 5000, 10**20])
def test_a_width_that_no_network_has_is_said(width):
    with pytest.raises(ValueError, match=f"width must lie between 1 and 4096, got {width}"):
        network("conv4", 5, width=width)


def test_norm_and_width_are_those_of_ones_own_network(here):
    for settings in ({"norm": "layer"}, {"width": 8}):
        with pytest.raises(ValueError, match="leave --norm and --width out"):
            network(f"{here}:Encoder", 5, **settings)


@pytest.mark.parametrize("outputs", [0, 5])
@pytest.mark.parametrize("attr, says", [
    ("colour", "HERE:colour cannot compute pictures of 20×20 pixels in 1 channel .*; choose what it reads by --colour"),
    ("colour_headed", "HERE:colour_headed cannot compute pictures of 20×20 pixels in 1 channel .*--colour"),
    ("large", "HERE:large cannot compute pictures of 20×20 pixels in 1 channel .*, and --side, or change the network"),
    ("double", "HERE:double cannot compute .*; its parameters are float64, so return net.float\\(\\) in it"),
])
def test_a_network_of_ones_own_that_does_not_read_the_pictures_says_what_to_choose(here, attr, says, outputs):
    with pytest.raises(ValueError, match=f"^{says.replace('HERE', here)}") as told:
        network(f"{here}:{attr}", outputs, side=20)
    assert "example=" not in str(told.value)


def test_what_a_network_of_ones_own_reads_by_those_options_is_taken(here):
    assert network(f"{here}:colour", 5, side=20, channels=3)(torch.rand(2, 3, 20, 20)).shape == (2, 5)
    assert network(f"{here}:large", 0, side=64)(torch.rand(2, 1, 64, 64)).shape == (2, 4)


def test_a_network_of_ones_own_that_does_not_read_the_sequences_is_said(here):
    with pytest.raises(ValueError, match="large cannot compute sequences of 7 steps with 2 inputs .*reads them"):
        network(f"{here}:large", 5, sequence=(7, 2))
