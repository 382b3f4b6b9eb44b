"""The debug mode of `train`: the engine of each phase against a loop over tasks, before any parameter changes."""

import pytest
import torch
from tiny import NAMES, PICTURES, SIDE, SINUSOIDS, learner, sampler_for
from torch import nn

from mlcourse.job import Job
from mlcourse.learner import Learner, require_grad
from mlcourse.learners import MAML, MetaTransfer, ProtoNet
from mlcourse.losses import task_loss
from mlcourse.nets import MLP, Conv4
from mlcourse.runs import run_training
from mlcourse.train import train


class Centred(ProtoNet):
    """Planted: the mean is taken over all tasks of a batch, where the loop takes it over one."""

    stacks = True

    def embed(self, x, stats=(), tasks=()):
        z = super().embed(x, stats, tasks)
        return z - z.mean() + 0.1 * z.square().mean()


class Constant(MAML):
    """Planted: the right loss with a wrong gradient, a constant in a batch alone."""

    stacks = True

    def loss(self, episode):
        require_grad(self)
        state = self.adapt(episode)
        if episode.batch_shape:
            state = state._replace(params={**state.params, "head.bias": state.params["head.bias"].detach()})
        return task_loss(self.predict(state, episode.query_x), episode.query_y)


class Slipped(MetaTransfer):
    """Planted in a phase that is not the last."""

    stacks = True

    def pretraining_loss(self, episode):
        return super().pretraining_loss(episode) * (1 + len(episode.batch_shape))


class Kink(Learner):
    """A unit stands at the kink of its ReLU: in float32 rounding puts it on either side, in float64 on one.

    slip: planted where it is not 0, an error of a batch alone.
    """

    stacks = True

    def __init__(self, slip=0.0):
        super().__init__()
        self.weight, self.slip = nn.Parameter(torch.ones(())), slip

    def loss(self, episode):
        require_grad(self)
        rounded = torch.finfo(self.weight.dtype).eps * (1 if episode.batch_shape else -1)
        unit = (self.weight - 1 + 1e-9 + rounded).relu()
        return (self.weight.square() + unit + len(episode.batch_shape) * self.slip * self.weight).expand(
            episode.batch_shape)


class OneType(Kink):
    """It cannot be looked at in float64."""

    stacks = True

    def loss(self, episode):
        if episode.support_x.dtype == torch.float64:
            raise RuntimeError("expected Float but found Double")
        return super().loss(episode)


def run(learner, sampler=PICTURES, steps=3, **options):
    before = {name: t.clone() for name, t in learner.state_dict().items()}
    try:
        return train(learner, learner.phases(sampler, steps, tasks=3), progress=False, check_engine=True, **options)
    except ValueError:
        assert all(torch.equal(t, before[name]) for name, t in learner.state_dict().items())
        raise


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_wrong_loss_is_told_before_anything_changes(dtype):
    planted = Centred(Conv4(0, 6, "max", side=SIDE)).to(dtype)
    with pytest.raises(ValueError, match=r"the stacked engine gives Centred, in meta-train, a loss of [\d.]+ where a "
                                         r"loop over tasks gives [\d.]+ \([\d.e+-]+ % off\); .* set stacks = False"):
        run(planted, _As(dtype))
    assert all(p.grad is None for p in planted.parameters())


def test_a_wrong_gradient_behind_a_right_loss_is_told():
    planted = Constant(MLP((1, 8, 1)), 0.01)
    with pytest.raises(ValueError, match=r"gradient of 'net.head.bias' that differs from a loop over tasks .10\d % off"):
        run(planted, SINUSOIDS)
    assert len(train(planted, planted.phases(SINUSOIDS, 1, tasks=3), progress=False)) == 1      # not asked, not told


def test_every_phase_is_compared():
    with pytest.raises(ValueError, match="gives Slipped, in pretrain, a loss"):
        run(Slipped(Conv4(3, 6, side=SIDE), 8))


class Planted(torch.autograd.Function):
    """x, whose derivative is nine tenths of what it is where several are computed at once."""

    @staticmethod
    def forward(x):
        return x.clone()

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, g):
        return g

    @staticmethod
    def vmap(info, in_dims, x):
        return 0.9 * x + 0.1 * x.detach(), in_dims[0]


class Slips(nn.Module):
    """A network with a part whose derivative is wrong under vmap, its value right."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 6, 3, 2), nn.Linear(6, 3)

    def forward(self, x):
        return self.head(Planted.apply(self.conv(x)).relu().mean((2, 3)))


def test_a_wrong_derivative_under_vmap_is_told():
    torch.manual_seed(0)
    with pytest.raises(ValueError, match="the vmap engine gives MAML, in meta-train, a gradient of .net.conv.weight. .*"
                                         "set refused_by_vmap = True on the learner for a loop"):
        run(MAML(Slips(), 0.4))
    learner = MAML(Slips(), 0.4)
    learner.refused_by_vmap = True
    assert len(run(learner)) == 3


def test_a_unit_at_its_kink_is_no_difference():
    right, buffer = Kink(), torch.ones(2, dtype=torch.float64)
    right.register_buffer("own", buffer)
    assert len(run(right)) == 3
    assert right.weight.dtype == right.weight.grad.dtype == torch.float32 and right.own is buffer


def test_what_is_wrong_in_float64_too_is_told_and_so_is_what_does_not_run_there():
    planted = Kink(slip=0.1)
    with pytest.raises(ValueError, match=r"the stacked engine gives Kink, in meta-train, a loss of 1.1 where"):
        run(planted)
    assert planted.weight.dtype == torch.float32 and planted.weight.grad is None
    with pytest.raises(ValueError, match=r"gives OneType, in meta-train, a gradient of 'weight'"):
        run(OneType())


@pytest.mark.parametrize("name", NAMES)
def test_the_courses_own_learners_pass_with_the_numbers_of_a_plain_training(name):
    ours, plain = learner(name), learner(name)
    phases = plain.phases(sampler_for(name), 2, tasks=3)
    assert run(ours, sampler_for(name), steps=2) == train(plain, phases, progress=False)


def test_a_loop_has_nothing_to_be_compared_with():
    net = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(SIDE * SIDE, 3))
    assert MAML(net).engine == "loop" and len(run(MAML(net))) == 3


def test_mlcourse_train_asks_for_it(tmp_path, monkeypatch):
    seen = []
    compare = lambda phase, step, batch: seen.append((phase.name, step))
    monkeypatch.setattr("mlcourse.train.compare_with_a_loop", compare)
    run_training(Job("maml", "sinusoids", steps=2, episodes=2), tmp_path, progress=False, check_engine=True)
    assert seen == [("meta-train", 0)]


class _As:
    """The pictures' sampler in a dtype."""

    def __init__(self, dtype):
        self.dtype = dtype

    def sample(self, tasks, generator):
        return PICTURES.sample(tasks, generator).to(self.dtype)
