"""What a method's record says of the network that it takes is enough for it, and what is missing is said."""

import pytest
import torch
from torch import nn

from mlcourse.episode import Episode
from mlcourse.learner import NetLearner
from mlcourse.learners import RECORDS

WAY, SHOT, SIDE, SIZE = 3, 2, 28, 8
TAKING = [entry for entry in RECORDS if issubclass(entry.kind, NetLearner)]
every_method = pytest.mark.parametrize("entry", TAKING, ids=lambda entry: entry.name)


def network(entry, has):
    """A network that returns what the record says, with these attributes and no other of those that a method may need."""
    outputs = SIZE if entry.net != "headed" else WAY
    inside, top = nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, SIZE), nn.Tanh()), nn.Linear(SIZE, outputs)

    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.inside = inside
            self.add_module("head" if "head" in has else "top", top if entry.net == "headed" else nn.Identity())

        def forward(self, x):
            return self.get_submodule("head" if "head" in has else "top")(self.inside(x))

    own = {"features": lambda self, x: self.inside(x), "size": SIZE, "layers": (("inside.",),)}
    return type("Plain", (Plain,), {name: own[name] for name in has if name in own})()


def made(entry, net):
    """A learner of this method on the network."""
    names = entry.kind.__init__.__code__.co_varnames
    given = {"train_classes": WAY, "way": WAY, "seed": 0}
    return entry.kind(net, **entry.settings | {name: value for name, value in given.items() if name in names})


def batch(tasks=2):
    """Episodes of noise."""
    generator = torch.Generator().manual_seed(0)
    x = lambda: torch.rand(tasks, WAY * SHOT, 1, SIDE, SIDE, generator=generator)
    y = torch.arange(WAY).repeat(SHOT).expand(tasks, -1)
    return Episode(x(), y, x(), y, x(), torch.arange(WAY).expand(tasks, -1), torch.zeros(tasks, dtype=torch.int64))


@every_method
def test_a_network_with_what_the_record_says_is_enough(entry):
    learner = made(entry, network(entry, entry.kind.needs))
    assert torch.isfinite(learner.losses(batch())).all()
    assert torch.isfinite(learner.predictions(batch())).all()


@pytest.mark.parametrize(("entry", "without"), [(entry, what) for entry in TAKING for what in entry.kind.needs],
                         ids=lambda value: value if isinstance(value, str) else value.name)
def test_a_network_that_lacks_some_of_it_is_refused(entry, without):
    net = network(entry, [name for name in entry.kind.needs if name != without])
    with pytest.raises(ValueError, match=f"{entry.kind.__name__} needs .*which this Plain does not have"):
        made(entry, net)
