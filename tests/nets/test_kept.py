"""What a copy or a checkpoint would lose of a network is refused before it is trained."""

import pytest
import torch
from torch import nn

from mlcourse import checkpoint
from mlcourse.learners import ProtoNet
from mlcourse.nets import wrap
from mlcourse.nets.kept import check_hooks, check_state
from mlcourse.train import train


def body(buffer=None, kind=nn.Sequential, **how):
    it = kind(nn.Flatten(), nn.Linear(784, 8))
    it.register_buffer("extra", buffer, **how)
    return it


class Extra(nn.Sequential):
    """A network with a state beside its tensors."""

    def get_extra_state(self):
        return {"version": 1}

    def set_extra_state(self, state):
        pass


def renamed(module, state, prefix, _):
    state[f"{prefix}other"] = state.pop(f"{prefix}1.bias")


def halved(module, state, prefix, _):
    state[f"{prefix}1.bias"] = state[f"{prefix}1.bias"] / 2


def dropped(module, state, prefix, _):
    del state[f"{prefix}1.bias"]


def with_hook(hook):
    it = body()
    it.register_state_dict_post_hook(hook)
    return it


REFUSED = {
    "extra state": (lambda: body(kind=Extra), "'_extra_state' of this Extra is no tensor; keep it in the card"),
    "sparse": (lambda: body(torch.eye(3).to_sparse()), "'extra' of this Sequential is sparse, which a"),
    "quantised": (lambda: body(torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)),
                  "'extra' .* is quantised"),
    "float8": (lambda: body(torch.zeros(2).to(torch.float8_e4m3fn)), "'extra' .* is of type torch.float8_e4m3fn"),
    "complex128": (lambda: body(torch.zeros(2, dtype=torch.complex128)), "'extra' .* is of type torch.complex128"),
    "meta": (lambda: body(torch.zeros(2, device="meta")), r"'extra' .* is without values \(on the meta device\)"),
    "renamed": (lambda: with_hook(renamed), "'other' in the state_dict .* is not its own parameter or buffer"),
    "halved": (lambda: with_hook(halved), "'1.bias' in the state_dict .* is not its own .*; remove the hook"),
    "dropped": (lambda: with_hook(dropped), "'1.bias' of this Sequential is missing in its state_dict"),
}


@pytest.mark.filterwarnings("ignore:.*quantize:UserWarning", "ignore:.*uantiz.*:DeprecationWarning")
@pytest.mark.parametrize("case", REFUSED)
def test_what_no_checkpoint_would_hold_is_refused_when_it_is_wrapped(case):
    make, match = REFUSED[case]
    with pytest.raises(ValueError, match=match) as error:
        wrap(make())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("hook", ["register_hook", "register_post_accumulate_grad_hook"])
def test_a_hook_of_a_parameter_is_refused_until_it_is_removed(hook):
    module = body()
    handle = getattr(module[1].weight, hook)(lambda g: None)
    with pytest.raises(ValueError, match="the parameter '1.weight' has a hook.* neither a copy nor a checkpoint keeps"):
        wrap(module)
    handle.remove()
    assert wrap(module).size == 8


@pytest.mark.parametrize("make", [
    lambda: body(torch.tensor([True])), lambda: body(torch.ones(2, dtype=torch.cfloat)), lambda: body(torch.zeros(0)),
    lambda: body(torch.eye(3).to_sparse(), persistent=False),
    lambda: nn.Sequential(nn.Flatten(), nn.utils.spectral_norm(nn.Linear(784, 8))),
    lambda: nn.Sequential(nn.Flatten(), nn.utils.parametrizations.weight_norm(nn.Linear(784, 8))),
], ids=["bool", "complex", "empty", "not persistent", "spectral norm", "weight norm"])
def test_what_is_kept_is_not_refused(make, tmp_path):
    module = make()
    check_hooks(module)
    check_state(module)
    learner, again = ProtoNet(wrap(module)), ProtoNet(wrap(make()))
    checkpoint.save(tmp_path / "m.safetensors", learner, {}, rebuilds=False, shape=(1, 28, 28))
    checkpoint.load(tmp_path / "m.safetensors", into=again)
    assert all(torch.equal(again.state_dict()[name], t) for name, t in learner.state_dict().items())


def test_a_module_that_cannot_be_copied_is_told():
    module = body()
    module.computed = module[1].weight * 2
    with pytest.raises(ValueError, match="this Sequential cannot be copied .*; take out what it computes and keeps"):
        wrap(module)


def test_a_training_that_could_not_be_written_is_refused_before_its_first_step(tmp_path):
    learner = ProtoNet(wrap(body()))
    learner.net.body.register_state_dict_post_hook(dropped)
    before = learner.net.body[1].weight.clone()
    with pytest.raises(ValueError, match="'net.body.1.bias' of this ProtoNet is missing in its state_dict"):
        train(learner, learner.phases(None, steps=1), path=tmp_path / "training.safetensors", progress=False)
    assert torch.equal(learner.net.body[1].weight, before) and not list(tmp_path.iterdir())
