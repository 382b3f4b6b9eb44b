"""The one switch: a claim to be stacked ends where a part is replaced, and any network finds an engine that can."""

import pytest
import torch
import torch.nn.functional as F
from like_every_learner import assert_batch_is_loop, check_gradient
from tiny import PICTURES, SIDE, pictures, sinusoids
from torch import nn

from mlcourse.engine import switch
from mlcourse.evaluate import scores
from mlcourse.learner import Learner, NetLearner, batch_loss
from mlcourse.learners import ANIL, DAML, FOMAML, MAML, JointTraining, MetaSGD, NoAdaptation, ProtoNet
from mlcourse.learners.l2sp import fine_tuned
from mlcourse.nets import MLP, Conv4, call, features, params_of
from mlcourse.train import train


class Twice(MAML):
    """The inner loss doubled: a factor that the dual form does not see."""

    stacks = True

    def loss_at(self, phi, x, y):
        return 2 * super().loss_at(phi, x, y)


class Longer(ProtoNet):
    """Another embedding, written for one episode."""

    def embed(self, x, *rest):
        z = super().embed(x, *rest)
        return z / z.square().sum().sqrt()


class Halved:
    """A mixin that knows nothing of learners."""

    def loss_at(self, phi, x, y):
        return 0.5 * super().loss_at(phi, x, y)


class HalvedMAML(Halved, MAML):
    """The mixin stands before the class that claims to stack."""


class Late(NetLearner):
    """Stands behind MAML in the order of resolution, and before NetLearner."""

    def loss_at(self, phi, x, y):
        return 3 * super().loss_at(phi, x, y)


class LateMAML(MAML, Late):
    """The part is replaced behind the class that claims to stack."""


def mlp():
    return MLP((1, 40, 40, 1)).double()


def small(way=3, norm="batch"):
    return Conv4(way, 4, "stride", norm, SIDE).double()


def test_a_claim_goes_with_what_it_was_made_for():
    assert [kind(mlp()).engine for kind in (MAML, FOMAML, ANIL, Twice)] == ["stacked"] * 4
    assert [kind(mlp()).engine for kind in (HalvedMAML, LateMAML)] == ["vmap"] * 2
    assert Longer(small(0)).engine == "vmap" and not Longer.stacks and ProtoNet.stacks
    assert DAML(small()).engine == MetaSGD(small()).engine == MAML(small(norm="layer")).engine == "stacked"


@pytest.mark.parametrize("kind", [Twice, HalvedMAML, LateMAML])
def test_an_overridden_inner_loss_reaches_the_batch(kind):
    learner, batch = kind(mlp(), 0.05, 2), sinusoids(3)
    assert_batch_is_loop(learner, batch)
    assert not torch.allclose(learner.losses(batch), MAML(learner.net, 0.05, 2).losses(batch))


def test_an_overridden_embedding_reaches_the_batch():
    assert_batch_is_loop(Longer(small(0)), pictures(3))


def test_a_method_put_on_an_object_or_on_a_class_ends_the_claim(monkeypatch):
    learner, batch = MAML(mlp(), 0.05), sinusoids(3)
    doubled = lambda phi, x, y: 2 * NetLearner.loss_at(learner, phi, x, y)
    learner.loss_at = doubled
    assert learner.engine == "vmap"
    assert_batch_is_loop(learner, batch)
    del learner.loss_at
    assert learner.engine == "stacked"
    original = NetLearner.loss_at
    monkeypatch.setattr(NetLearner, "loss_at", lambda self, phi, x, y: 2 * original(self, phi, x, y))
    assert learner.engine == "vmap" and MetaSGD(mlp()).engine == "vmap"
    assert_batch_is_loop(learner, batch)


def test_an_object_may_renounce_the_fast_engine():
    learner = MAML(mlp())
    learner.stacks = False
    assert learner.engine == "vmap"


def test_what_is_the_engines_cannot_be_overridden():
    for name in ("losses", "predictions", "engine"):
        with pytest.raises(TypeError, match=f"Own overrides {name}, which belongs to the engine"):
            type("Own", (MAML,), {name: lambda self, batch: None})


# ------------------------------------------------------------ networks


class Wide(Conv4):
    """A network whose features the stacked form does not know."""

    def features(self, x, stats=None):
        return super().features(x, stats) * 3


class Leaky(MLP):
    """Another forward pass."""

    def forward(self, x):
        return F.leaky_relu(super().forward(x))


def hooked():
    net = small()
    net.norms[1].register_forward_hook(lambda module, x, out: 2 * out)
    return net


def exchanged():
    net = small()
    net.convs[2] = nn.Conv2d(4, 4, 3, 2, padding=1, padding_mode="reflect", bias=False).double()
    return net


def another_head():
    net = small()
    net.head = nn.Sequential(nn.Tanh(), nn.Linear(4, 3)).double()
    return net


@pytest.mark.parametrize("make", [lambda: Wide(3, 4, side=SIDE).double(), hooked, exchanged, another_head])
@pytest.mark.parametrize("kind", [MAML, JointTraining])
def test_a_changed_network_is_not_computed_by_the_form_of_the_original(make, kind):
    learner = kind(make(), 0.1)
    assert learner.engine == "vmap"
    assert_batch_is_loop(learner, pictures(3))


def test_a_hook_of_all_modules_is_called_in_a_batch_too():
    learner = MAML(small(), 0.1)
    doubled = lambda module, x, y: 2 * y if isinstance(module, nn.Linear) else y
    handle = nn.modules.module.register_module_forward_hook(doubled)
    try:
        assert learner.engine == "vmap"
        assert_batch_is_loop(learner, pictures(3))
    finally:
        handle.remove()
    assert learner.engine == "stacked"


def test_a_changed_mlp_is_not_computed_by_the_form_of_the_original():
    learner = MAML(Leaky((1, 40, 40, 1)).double(), 0.05)
    assert learner.engine == "vmap"
    assert_batch_is_loop(learner, sinusoids(3))


@pytest.mark.parametrize("make", [exchanged, hooked])
def test_weights_of_several_tasks_reach_a_network_that_does_not_stack(make):
    net, x = make(), pictures(3).support_x
    params = {name: torch.stack([p, 2 * p, p + 0.1]) for name, p in params_of(net).items()}
    for function in (call, features):
        one = torch.stack([function(net, {name: p[i] for name, p in params.items()}, x[i]) for i in range(3)])
        torch.testing.assert_close(function(net, params, x), one)


def test_fine_tuning_one_task_follows_the_networks_own_norm():
    net, episode = small(norm="layer"), pictures().task(0)
    start = {name: p.detach()[None] for name, p in net.named_parameters()}
    phi = fine_tuned(net, start, episode.support_x, episode.support_y, 1, 0.1)
    loss = F.cross_entropy(net(episode.support_x), episode.support_y)
    g = torch.autograd.grad(loss, list(net.parameters()))
    for (name, p), slope in zip(net.named_parameters(), g, strict=True):
        torch.testing.assert_close(phi[name][0], p - 0.1 * slope)


# ------------------------------------------------------------ networks of others


class Recurrent(nn.Module):
    """A GRU over a picture's rows, which torch.vmap has no rule for; it has nothing of the course's networks."""

    def __init__(self):
        super().__init__()
        self.cell, self.out = nn.GRU(SIDE, 6, batch_first=True), nn.Linear(6, 3)

    def forward(self, x):
        return self.out(self.cell(x.squeeze(1))[0].mean(1))


class Asking(nn.Module):
    """Decides by a value, which torch.vmap cannot."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(SIDE * SIDE, 3)

    def forward(self, x):
        x = x.flatten(1)
        return self.out(x if float(x.mean()) > 0.3 else 2 * x)


def sequential():
    return nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 6), nn.Tanh(), nn.Linear(6, 3))


def masked():
    return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(SIDE * SIDE, 3))


@pytest.mark.filterwarnings("ignore:torch.vmap cannot compute")
@pytest.mark.parametrize(("make", "engine"), [(sequential, "vmap"), (Recurrent, "loop"), (masked, "loop"),
                                              (Asking, "vmap")])
@pytest.mark.parametrize("kind", [MAML, MetaSGD, NoAdaptation, ProtoNet])
def test_a_network_of_others_finds_an_engine(make, engine, kind):
    torch.manual_seed(0)
    learner = kind(make()).double()
    assert learner.engine == engine
    if make is not masked:
        assert_batch_is_loop(learner, pictures(2))
    records = train(learner, learner.phases(_Double(), 2, tasks=2), progress=False)
    assert len(records) == 2 and len(scores(learner, _Double(), 3)) == 3


def test_where_vmap_turns_out_to_fail_a_loop_takes_over_and_says_so_once():
    learner, batch = MAML(Asking()).double(), pictures(2)
    with pytest.warns(UserWarning, match="torch.vmap cannot compute MAML on Asking .*one after another"):
        learner.losses(batch)
    assert learner.engine == "loop"
    batch_loss(learner, batch)


class Normed(nn.Module):
    """With a norm of torch after its convolution."""

    def __init__(self, norm):
        super().__init__()
        self.conv, self.norm, self.out = nn.Conv2d(1, 6, 3, 2, padding=1), norm, nn.Linear(6, 3)

    def forward(self, x):
        return self.out(torch.relu(self.norm(self.conv(x))).mean((2, 3)))


class Scaled(nn.Module):
    """Calls layer_norm as a function."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6))

    def forward(self, x):
        return F.layer_norm(x.movedim(1, -1), (6,), self.weight).movedim(-1, 1)


NORMED = [(lambda: nn.LayerNorm([6, 8, 8]), "layer_norm"), (Scaled, "layer_norm"),
          (lambda: nn.InstanceNorm2d(6, affine=True), "instance_norm"), (lambda: nn.GroupNorm(2, 6), None),
          (lambda: nn.LayerNorm([6, 8, 8], elementwise_affine=False), None), (lambda: nn.InstanceNorm2d(6), None),
          (lambda: nn.RMSNorm([6, 8, 8]), None)]


@pytest.mark.parametrize(("make", "wrong"), NORMED)
def test_a_norm_whose_second_derivative_is_wrong_under_vmap_is_computed_in_a_loop(make, wrong):
    torch.manual_seed(0)
    learner, batch = MAML(Normed(make()), 0.5).double(), pictures(3)
    if wrong:
        with pytest.warns(UserWarning, match=f"MAML on Normed .the second derivative of its {wrong} is wrong there"):
            learner.losses(batch)
    assert_batch_is_loop(learner, batch)
    assert learner.engine == ("loop" if wrong else "vmap")
    check_gradient(learner, lambda: batch_loss(learner, batch))


@pytest.mark.parametrize(("track", "training"), [(False, True), (False, False), (True, False)])
def test_torchs_batch_norm_finds_an_engine_whose_gradient_is_right(track, training):
    torch.manual_seed(0)
    net, batch = Normed(nn.BatchNorm2d(6, track_running_stats=track)).train(training), pictures(3)
    learner = (MAML(net, 0.5) if track else NoAdaptation(net)).double().train(training)
    assert learner.engine == ("vmap" if track else "loop")
    assert_batch_is_loop(learner, batch)
    check_gradient(learner, lambda: batch_loss(learner, batch))


def test_an_error_of_the_episode_is_not_blamed_on_vmap():
    learner = MAML(sequential()).double()
    with pytest.raises(ValueError, match="this Sequential cannot compute samples of .*shapes cannot be multiplied"):
        learner.losses(pictures(2)._replace(support_x=torch.zeros(2, 6, 1, 5, 5, dtype=torch.float64)))
    assert learner.engine == "vmap"


def test_a_learner_without_a_network_may_stack_too():
    class Mean(Learner):
        stacks = True

        def adapt(self, episode, steps=None):
            return episode.support_y.mean(-2, keepdim=True)

        def predict(self, state, x):
            return state.expand(*x.shape[:-1], 1)

    assert Mean().engine == "stacked" and Mean().predictions(sinusoids(3)).shape == (3, 6, 1)


def test_a_network_without_a_head_is_named():
    with pytest.raises(ValueError, match="MAML needs a network with a head, but this Conv4 returns features"):
        MAML(small(0)).loss(pictures().task(0))


class _Double:
    """The pictures' sampler in float64."""

    way, shot, query = PICTURES.way, PICTURES.shot, PICTURES.query

    def sample(self, tasks, generator):
        return PICTURES.sample(tasks, generator).to(torch.float64)


@pytest.mark.parametrize("kind, together", [(ProtoNet, False), (MAML, True)])
def test_a_batch_of_one_is_computed_as_that_episode_where_no_network_adapts(kind, together, monkeypatch):
    learner, batch, seen = kind(Conv4(3, 6, "max", side=SIDE)).double(), pictures(1), []
    form = Conv4.stacked
    monkeypatch.setattr("mlcourse.nets.functional._stacked",
                        lambda net, *rest: seen.append(len(rest[1])) or form(net, *rest)[0])
    loss = learner.losses(batch)
    assert loss.shape == (1,) and bool(seen) == together
    torch.testing.assert_close(loss[0], learner.loss(batch.task(0)), rtol=1e-9, atol=1e-11)


class OwnTheta(ProtoNet):
    """A method whose parameters are not the network's own, so that a network called with them exchanges its own."""

    stacks = True

    def theta(self, tasks=()):
        return {name: 2 * p for name, p in super().theta(tasks).items()}


def test_parts_of_one_task_are_shared_among_threads(monkeypatch):
    """A batch of one in one of several threads exchanges no parameters of the network that they share."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    learner = OwnTheta(Conv4(0, 6, "max", side=SIDE))
    learner.tasks_at_once = 1
    own = list(learner.net.parameters())
    train(learner, learner.phases(PICTURES, 10, tasks=4, lr=1e-3), progress=False)
    assert all(p is q for p, q in zip(own, learner.net.parameters(), strict=True))


def test_a_hook_on_the_way_back_is_called_in_a_batch_too():
    learner, batch = ProtoNet(Conv4(3, 6, "max", side=SIDE)).double(), pictures(2)
    learner.net.convs[1].register_full_backward_hook(lambda module, into, out: (torch.zeros_like(into[0]),))
    assert_batch_is_loop(learner, batch)


@pytest.mark.parametrize("kind", [ProtoNet, MAML])
def test_tied_weights_are_one_weight_in_a_batch_too(kind):
    learner = kind(Conv4(3, 6, "max", side=SIDE)).double()
    learner.net.convs[2].weight = learner.net.convs[1].weight
    assert learner.engine != "stacked"
    assert_batch_is_loop(learner, pictures(2))


def test_a_buffer_among_the_parameters_is_used():
    class Shifted(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Linear(2, 3)
            self.register_buffer("shift", torch.zeros(3))

        def forward(self, x):
            return self.body(x) + self.shift

    net, x = Shifted(), torch.ones(1, 2)
    torch.testing.assert_close(call(net, {**params_of(net), "shift": torch.ones(3)}, x), net(x) + 1)
