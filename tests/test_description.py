"""What is described can be built anew, the same in every part; all else is refused in one sentence."""

import pytest
import torch
from tiny import learner
from torch import nn

from mlcourse.description import describe, rebuild
from mlcourse.learners import MAML, RECORDS, MetaSGD, MetaTransfer, ProtoNet, TwoEncoders, record, record_of
from mlcourse.nets import MLP, Conv4


class Doubled(ProtoNet):
    """A subclass that overrides a method and inherits the rest."""

    def predict(self, state, x):
        return 2 * super().predict(state, x)


class Wider(Conv4):
    """A network of one's own that inherits its config."""

    def forward(self, x, stats=None):
        return 2 * super().forward(x, stats)


class Mine(nn.Module):
    """A network that knows nothing of configs."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(1, 1)

    def forward(self, x):
        return self.head(x)


def changed(make, change):
    it = make()
    change(it)
    return it


def replaced(make, name, value):
    return changed(make, lambda it: setattr(it, name, value))


def test_a_class_has_one_record_and_a_name_one_method():
    assert len({entry.kind for entry in RECORDS}) == len({entry.name for entry in RECORDS}) == len(RECORDS)
    for entry in RECORDS:
        assert record(entry.name) is entry
    assert record_of(learner("protonet")).name == "protonet" and record_of(Doubled(Conv4(0))) is None


def test_a_description_makes_the_same_learner_and_draws_nothing_of_the_callers():
    original = learner("meta-sgd", steps=2)
    torch.manual_seed(3)
    expected = torch.get_rng_state()
    again = rebuild(describe(original))
    assert torch.equal(torch.get_rng_state(), expected)
    assert type(again) is MetaSGD and again.config == original.config and again.net.config == original.net.config
    assert all(torch.equal(p, q) for p, q in zip(original.parameters(), again.parameters(), strict=True))


def test_what_changes_no_number_is_no_difference():
    it = learner("maml")
    it.seen = ()
    it.tasks_at_once, it.refused_by_vmap, it.history, it.stacks = 1, True, [object()], False
    assert describe(it.eval())["method"] == "maml"


REFUSED = {
    "a subclass": (lambda: Doubled(Conv4(0)), "Doubled is no method of the course"),
    "a learner without a record": (lambda: TwoEncoders(Conv4(0, norm="layer")),
                                   "TwoEncoders is no method of the course"),
    "no learner": (lambda: MLP(), "MLP is no method of the course"),
    "a network of one's own": (lambda: MAML(Mine()), "around a Mine, which is no network of the course"),
    "a network with a config of its own": (lambda: MAML(replaced(Mine, "config", {"hidden": 3})),
                                           "unknown network None"),
    "a subclass of a network": (lambda: MAML(Wider(3)), "its net is a Wider, not a Conv4"),
    "an emptied config": (lambda: replaced(lambda: MetaTransfer(Conv4(3), 8), "config", {}),
                          "this MetaTransfer cannot be built anew from its config {}: .*train_classes"),
    "a config without its rate": (lambda: replaced(lambda: MAML(MLP(), 0.3), "config", {}), r"its config is {}, not {'lr': 0.01, 'steps': 1}"),
    "a setting changed later": (lambda: replaced(lambda: MAML(MLP()), "lr", 0.5), "its lr is 0.5, not 0.01"),
    "an order changed later": (lambda: replaced(lambda: MAML(MLP()), "order", 1), "its order was replaced"),
    "a method replaced": (lambda: replaced(lambda: MAML(MLP()), "predict", lambda state, x: x),
                          "its predict was replaced"),
    "a method of the network replaced": (lambda: changed(lambda: MAML(MLP()),
                                                         lambda it: setattr(it.net, "forward", lambda x: x)),
                                         "its net.forward was replaced"),
    "a setting of the network changed later": (lambda: changed(lambda: MAML(Conv4(3)),
                                                               lambda it: setattr(it.net, "norm", "none")),
                                               "its net.norm is 'none', not 'batch'"),
    "a stride changed later": (lambda: changed(lambda: MAML(Conv4(3)),
                                               lambda it: setattr(it.net.convs[0], "stride", (1, 1))),
                               r"its net.convs.0.stride is \(1, 1\), not \(2, 2\)"),
    "another layer": (lambda: changed(lambda: MAML(MLP()), lambda it: setattr(it.net, "head", nn.Linear(40, 3))),
                      "its net.head.out_features is 3, not 1"),
    "one more layer": (lambda: changed(lambda: MAML(MLP()), lambda it: setattr(it.net, "more", nn.Linear(1, 1))),
                       "its net.more is an addition"),
    "a layer of another kind": (lambda: changed(lambda: MAML(MLP()), lambda it: setattr(it.net, "head", nn.Identity())),
                                "its net.head is a Identity, not a Linear"),
    "one more parameter": (lambda: changed(lambda: MAML(MLP()),
                                           lambda it: it.register_parameter("scale", nn.Parameter(torch.ones(1)))),
                           "its 'scale' is an addition"),
    "a hook": (lambda: changed(lambda: MAML(MLP()), lambda it: it.net.head.register_forward_hook(lambda *_: None)),
               "its net.head has a hook"),
    "a hook of a parameter": (lambda: changed(lambda: MAML(MLP()),
                                              lambda it: it.net.head.weight.register_hook(lambda g: 0 * g)),
                              "its 'net.head.weight' has a hook"),
    "a hook of the state": (lambda: changed(lambda: MAML(MLP()),
                                            lambda it: it.net.register_state_dict_post_hook(lambda *_: None)),
                            "its net has a hook"),
    "a hook of loading": (lambda: changed(lambda: MAML(MLP()),
                                          lambda it: it.net.register_load_state_dict_pre_hook(lambda *_: None)),
                          "its net has a hook"),
    "tied weights": (lambda: changed(lambda: ProtoNet(Conv4(0)),
                                     lambda it: setattr(it.net.convs[3], "weight", it.net.convs[2].weight)),
                     "its 'net.convs.3.weight' is tied to 'net.convs.2.weight'"),
    "weights that share their numbers": (lambda: changed(lambda: ProtoNet(Conv4(0)),
                                                         lambda it: setattr(it.net.convs[3].weight, "data",
                                                                            it.net.convs[2].weight.data)),
                                         "its 'net.convs.3.weight' is tied to 'net.convs.2.weight'"),
    "a frozen layer": (lambda: changed(lambda: MAML(MLP()), lambda it: it.net.head.requires_grad_(False)),
                       "its 'net.head.bias' is frozen"),
    "two types of number": (lambda: changed(lambda: MAML(MLP()), lambda it: it.net.head.double()),
                            "its 'net.head.bias' is torch.float64 of shape"),
    "settings that are not JSON": (lambda: replaced(lambda: MAML(MLP()), "config", {"lr": torch.tensor(0.01)}),
                                   "the settings of this MAML cannot be written as JSON"),
    "a setting that is not a number": (lambda: replaced(lambda: MAML(MLP()), "config", {"lr": float("nan")}),
                                       "the settings of this MAML cannot be written as JSON"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_not_be_built_anew_is_refused_and_says_what_to_do(case):
    make, match = REFUSED[case]
    with pytest.raises(ValueError, match=match) as error:
        describe(make())
    said = str(error.value)
    assert "rebuilds=False" in said and "into=learner" in said and "\n" not in said
