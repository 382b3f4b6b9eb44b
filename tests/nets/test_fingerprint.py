"""What a network computes is told from what an edited one does, and from rounding."""

import math

import pytest
import torch
from torch import nn

from mlcourse.nets import answers, distance, tolerance


class Small(nn.Module):
    """A network that counts its calls, with a form to edit."""

    def __init__(self, form=torch.relu):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.layer, self.drop = nn.Linear(6, 100), nn.Dropout(0.5)
        self.register_buffer("calls", torch.tensor(0))
        self.form = form

    def forward(self, x):
        self.calls += 1
        return self.drop(self.form(self.layer(x.flatten(1))))


def test_the_same_network_answers_the_same_and_stays_as_it_is():
    net = Small()
    before = torch.get_rng_state()
    assert len(answers(net, (2, 3))) == 4 * 64 and distance(answers(net, (2, 3)), answers(Small(), (2, 3))) == 0
    assert torch.equal(torch.get_rng_state(), before) and net.training and net.calls == 0
    assert distance(answers(net, (2, 3)), answers(Small().double(), (2, 3))) < 1e-5


@pytest.mark.parametrize("form", [nn.functional.leaky_relu, nn.functional.gelu, lambda x: torch.sin(30 * x),
                                  lambda x: 1.01 * torch.relu(x), lambda x: torch.relu(x)[:, :5]])
def test_an_edited_network_answers_otherwise(form):
    assert distance(answers(Small(), (2, 3)), answers(Small(form), (2, 3))) > tolerance(torch.zeros(()))


def test_weights_are_computed_with_and_not_taken():
    net, other = Small(), Small()
    with torch.no_grad():
        other.layer.weight.mul_(2)
    assert answers(net, (2, 3), other.state_dict()) == answers(other, (2, 3)) != answers(net, (2, 3))


def test_a_network_that_answers_by_chance_or_not_at_all_is_not_known():
    assert answers(Small(torch.rand_like), (2, 3)) is None and answers(Small(), (2, 4)) is None


def test_answers_that_are_not_finite_are_compared_by_their_place():
    assert distance([1.0, math.nan, math.inf], [1.0, math.nan, math.inf]) == 0
    for other in ([1.0, -math.inf], [1.0, math.nan], [1.0], None):
        assert distance([1.0, math.inf], other) == math.inf
    assert distance([0.0, 2.0], [0.0, 1.0]) == 0.5 and distance([0.0], [0.0]) == 0
