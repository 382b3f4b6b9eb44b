"""Networks of others that torch.func follows in part: norms by another name, and what they keep between calls."""

import copy

import pytest
import torch
from like_every_learner import assert_batch_is_loop
from tiny import SIDE, pictures
from torch import nn
from torch.utils.checkpoint import checkpoint

from mlcourse.engine import switch
from mlcourse.learners import MAML, ProtoNet


class Called(nn.Module):
    """A norm of torch's by another name than that of torch.nn.functional."""

    def __init__(self, norm):
        super().__init__()
        self.norm, self.a = norm, nn.Linear(SIDE * SIDE, 6)
        self.weight, self.bias = nn.Parameter(1 + 0.3 * torch.randn(6)), nn.Parameter(0.3 * torch.randn(6))
        self.b = nn.Linear(6, 3)

    def forward(self, x):
        return self.b(torch.tanh(self.norm(self.a(x.flatten(1)), self.weight, self.bias)))


OWN = (None, None, True, 0.1, 1e-5)          # by the statistics of the batch
ELSEWHERE = {
    "layer_norm": [lambda h, w, b: torch.layer_norm(h, (6,), w, b),
                   lambda h, w, b: torch.ops.aten.layer_norm(h, [6], w, b)],
    "native_layer_norm": [lambda h, w, b: torch.native_layer_norm(h, (6,), w, b, 1e-5)[0]],
    "batch_norm": [lambda h, w, b: torch.batch_norm(h, w, b, *OWN, False)],
    "native_batch_norm": [lambda h, w, b: torch.native_batch_norm(h, w, b, *OWN)[0],
                          lambda h, w, b: torch.ops.aten.native_batch_norm(h, w, b, *OWN)[0]],
    "native_batch_norm.default": [lambda h, w, b: torch.ops.aten.native_batch_norm.default(h, w, b, *OWN)[0]],
    "instance_norm": [lambda h, w, b: torch.instance_norm(h.view(-1, 2, 3), w[:2], b[:2], *OWN, False).flatten(1)],
}


@pytest.mark.parametrize(("name", "norm"), [(name, norm) for name, norms in ELSEWHERE.items() for norm in norms])
def test_a_norm_by_another_name_of_torchs_is_computed_in_a_loop_too(name, norm):
    torch.manual_seed(0)
    learner, batch = MAML(Called(norm), 0.5).double(), pictures(3)
    with pytest.warns(UserWarning, match=f"on Called .the second derivative of its {name} is wrong there"):
        learner.losses(batch)
    assert_batch_is_loop(learner, batch)


@pytest.mark.parametrize("norm", [lambda h, w, b: torch.layer_norm(h, (6,)),
                                  lambda h, w, b: torch.group_norm(h, 2, w, b),
                                  lambda h, w, b: torch.rms_norm(h, (6,), w)])
def test_a_norm_by_another_name_whose_derivatives_are_right_stays_with_vmap(norm):
    torch.manual_seed(0)
    learner = MAML(Called(norm), 0.5).double()
    assert_batch_is_loop(learner, pictures(3))
    assert learner.engine == "vmap"


class Averaging(nn.Module):
    """Keeps a mean of its features in a buffer: assigned anew, or changed in place."""

    def __init__(self, in_place=False):
        super().__init__()
        self.in_place, self.a = in_place, nn.Linear(SIDE * SIDE, 6)
        self.register_buffer("mean", torch.zeros(6))

    def forward(self, x):
        z = self.a(x.flatten(1))
        new = z.mean(0).detach()
        if self.in_place:
            self.mean.mul_(0.9).add_(new)
        else:
            self.mean = 0.9 * self.mean + new
        return z - self.mean


@pytest.mark.parametrize("in_place", [False, True])
def test_buffers_that_a_network_changes_are_what_a_loop_leaves(in_place):
    torch.manual_seed(0)
    learner, batch = ProtoNet(Averaging(in_place)).double(), pictures(2)
    twin = copy.deepcopy(learner)
    with pytest.warns(UserWarning, match="torch.vmap cannot compute ProtoNet on Averaging"):
        losses = learner.losses(batch)
    torch.testing.assert_close(losses, switch.in_a_loop(twin.loss, batch))
    torch.testing.assert_close(copy.deepcopy(learner).net.mean, twin.net.mean)


class Constant(nn.Module):
    """Replaces a buffer by what is the same for every task."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(SIDE * SIDE, 6)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls = self.calls + 1
        return self.a(x.flatten(1))


def test_a_buffer_that_no_task_changes_does_not_end_vmap():
    learner = ProtoNet(Constant()).double()
    learner.losses(pictures(2))
    assert learner.engine == "vmap" and learner.net.calls > 0


def test_no_buffer_is_left_in_the_form_of_a_transform_that_is_over():
    learner = MAML(nn.Sequential(Averaging(), nn.Linear(6, 3))).double()
    with pytest.warns(UserWarning, match="its buffer net.0.mean depends on the task"):
        learner.losses(pictures(2))
    assert copy.deepcopy(learner).net[0].mean.isfinite().all() and learner.engine == "loop"


class Checkpointed(nn.Module):
    """Recomputes a part in the backward pass."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(SIDE * SIDE, 6), nn.Linear(6, 3)

    def forward(self, x):
        return self.b(checkpoint(lambda x: torch.tanh(self.a(x)), x.flatten(1), use_reentrant=False))


def test_a_checkpoint_that_vmap_would_recompute_too_late_is_computed_in_a_loop():
    learner, batch = ProtoNet(Checkpointed()).double(), pictures(2)
    with pytest.warns(UserWarning, match="ProtoNet on Checkpointed .*hooks"):
        learner.losses(batch)
    assert_batch_is_loop(learner, batch)
