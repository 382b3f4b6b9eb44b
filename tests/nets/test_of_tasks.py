"""Weights of several tasks at once, for every network and norm, against a plain loop over the tasks in float64: the
same numbers, or one sentence."""

import itertools

import pytest
import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from mlcourse.engine import switch
from mlcourse.episode import Episode
from mlcourse.learners import ANIL, DAML, FOMAML, MAML, AdaBN, JointTraining, MetaSGD, NoAdaptation, ProtoNet, Reptile
from mlcourse.nets import (MLP, NORMS, Conv4, Norm, ResNet12, StrokeNet, Transformer, call, features, head, of_tasks,
                           params_of, prepare, statistics)
from mlcourse.nets.norms import moments

TASKS, WAY = 3, 2


class Own(nn.Module):
    """A network of a user: the course's norms, no features, head, norm or config."""

    def __init__(self, kind):
        super().__init__()
        self.conv, self.own, self.out = nn.Conv2d(1, 4, 3), Norm(kind, 4), nn.Linear(4, WAY)

    def forward(self, x, stats=None):
        return self.out(self.own(self.conv(x), stats[0] if stats else None).relu().mean((2, 3)))


def nets():
    """name → (network, the shape of a sample)."""
    found = {f"Conv4 {norm} {pool} {side} {way}": (Conv4(way, 5, pool, norm, side), (1, side, side))
             for norm, (pool, side), way in itertools.product(NORMS, (("stride", 16), ("stride", 19), ("max", 16),
                                                                      ("max", 33)), (WAY, 0))}
    found |= {f"Conv4 in colour {norm} {pool}": (Conv4(WAY, 5, pool, norm, 16, channels=3), (3, 16, 16))
              for norm, pool in itertools.product(NORMS, ("stride", "max"))}
    found |= {"ResNet12": (ResNet12(WAY, 2, "layer", 16), (1, 16, 16))}
    found |= {f"MLP {norm}": (MLP((12, 7, 6, WAY), norm), (3, 4)) for norm in ("none", "batch")}
    found |= {f"StrokeNet {norm}": (StrokeNet(6, norm), (20, 3)) for norm in ("layer", "none")}
    found |= {f"a user's {kind}": (Own(kind), (1, 8, 8)) for kind in NORMS}
    return found | {"one layer": (MLP((12, WAY)), (12,)), "Transformer": (Transformer(WAY, 8, 2), (8, 2))}


NETS = {name: (net.double(), shape) for name, (net, shape) in nets().items()}
SINGLE = "a batch norm takes mean and variance of each channel over all samples, but here of a single value"


def weights(net, seed=0):
    """Weights of three tasks: the network's own, each disturbed differently."""
    generator = torch.Generator().manual_seed(seed)
    return {name: p.detach() + 0.1 * torch.randn(TASKS, *p.shape, generator=generator).to(p)
            for name, p in net.named_parameters()}


def one(params, i):
    return {name: p[i] for name, p in params.items()}


def samples(shape, count=4, seed=5):
    return torch.rand(TASKS, count, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def same(together, each):
    """Whether the tensors of all tasks are those of each."""
    rows = [tree_leaves(value) for value in each]
    assert len(tree_leaves(together)) == len(rows[0])
    for ours, theirs in zip(tree_leaves(together), zip(*rows, strict=True), strict=True):
        torch.testing.assert_close(ours, torch.stack(theirs), rtol=0, atol=1e-12)


def outcome(function):
    """What a function returns, or its error."""
    try:
        return function(), None
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize("count", [4, 1, 0])
@pytest.mark.parametrize("name", NETS)
def test_every_function_agrees_with_a_loop(name, count):
    """call, features, statistics and head; with the task's own statistics, those of others, and shared ones."""
    net, shape = NETS[name]
    params, x, others = weights(net), samples(shape, count), samples(shape, seed=6) ** 2
    assert of_tasks(net, params) and not of_tasks(net, params_of(net))
    theirs = statistics(net, params, others)
    shared = tuple((mean[0], var[0]) for mean, var in theirs)
    for function in (call, features, statistics):
        for stats in ((), theirs, shared) if function is not statistics else ((),):
            given = lambda i, stats=stats: tuple(tuple(s[i] if s.ndim == 2 else s for s in pair) for pair in stats)
            loop, refused = outcome(lambda: [function(net, one(params, i), x[i], *([given(i)] if stats else []))
                                             for i in range(TASKS)])
            for seen in (x, prepare(net, x)) if shape[-1] > 1 else (x,):
                together, error = outcome(lambda seen=seen: function(net, params, seen, *([stats] if stats else [])))
                assert error == refused
                if error is None:
                    same(together, loop)
    if "head" in net._modules:
        z = torch.rand(TASKS, 4, net.head.in_features, dtype=torch.float64)
        same(head(params, z), [head(one(params, i), z[i]) for i in range(TASKS)])


@pytest.mark.parametrize("norm", ["batch", "support", "running"])
def test_statistics_are_the_moments_of_what_each_norm_normalises(norm):
    net, x = Conv4(WAY, 5, norm=norm, side=16).double(), samples((1, 16, 16))[0]
    first = net.convs[0](x)
    found = statistics(net, params_of(net), x)
    torch.testing.assert_close(found[0], moments(first))
    torch.testing.assert_close(found[1], moments(net.convs[1](net.norms[0](first, None).relu())))
    assert len(found) == 4
    linear = MLP((256, 7, WAY), "batch").double()
    z = x.flatten(1) @ linear.body[0].weight.T
    torch.testing.assert_close(statistics(linear, params_of(linear), x),
                               ((z.mean(0), z.var(0, correction=0)),))


# ------------------------------------------------------------ a single value has no variance


@pytest.mark.parametrize("make", [
    lambda: (MLP((12, 7, WAY), "batch"), (12,)), lambda: (Conv4(WAY, 5, side=16), (1, 16, 16)),
    lambda: (Conv4(WAY, 5, norm="support", side=1), (1, 1, 1)),
    lambda: (Conv4(WAY, 5, norm="running", side=8), (1, 8, 8))])
def test_a_batch_norm_of_one_value_is_refused_by_every_engine(make):
    net, shape = make()
    net, x = net.double(), samples(shape, 1)
    params = weights(net)
    for function in (call, features, statistics):
        for given in ((params, x), (one(params, 0), x[0]), (params, prepare(net, x))):
            with pytest.raises(ValueError, match=f"^{SINGLE}; give at least 2 samples at a time, or a network with"):
                function(net, *given)
        with pytest.raises(ValueError, match=SINGLE):
            torch.vmap(lambda params, x, function=function: function(net, params, x))(params, x)


def episodes(shape, support=1, query=2):
    """Episodes of two tasks with so many samples of each class, one class."""
    x = torch.rand(2, support + query, *shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    y = torch.zeros(2, support + query, dtype=torch.int64)
    return Episode(x[:, :support], y[:, :support], x[:, support:], y[:, support:], x[:, :0],
                   torch.zeros(2, WAY, dtype=torch.int64), torch.zeros(2, dtype=torch.int64))


@pytest.mark.parametrize("engine", ["stacked", "vmap", "loop"])
@pytest.mark.parametrize(("norm", "support", "query"), [("batch", 1, 2), ("batch", 2, 1), ("support", 1, 2),
                                                        ("running", 2, 1)])
def test_a_support_set_or_a_query_of_one_value_is_refused_by_every_engine(norm, support, query, engine):
    for net, shape in ((Conv4(WAY, 5, norm=norm, side=16), (1, 16, 16)),
                       *([(MLP((12, 7, WAY), norm), (12,))] if norm == "batch" else [])):
        learner = MAML(net).double()
        learner.stacks, learner.refused_by_vmap = engine == "stacked", engine == "loop"
        assert learner.engine == engine
        with pytest.raises(ValueError, match=SINGLE):
            learner.losses(episodes(shape, support, query))


@pytest.mark.parametrize("norm", ["layer", "none"])
def test_one_sample_is_enough_for_the_other_norms(norm):
    learner = MAML(Conv4(WAY, 5, norm=norm, side=16)).double()
    batch = episodes((1, 16, 16), 1, 1)
    torch.testing.assert_close(learner.losses(batch), switch.in_a_loop(learner.loss, batch), rtol=0, atol=1e-12)


def test_a_layer_norm_of_one_value_is_refused_by_every_engine():
    """One channel on a map of one pixel: torch refuses it for one sample alone, and gives a constant for two."""
    net, x = Conv4(WAY, 1, norm="layer", side=16).double(), samples((1, 16, 16), 2)
    for given in ((weights(net), x), (params_of(net), x[0]), (params_of(net), x[0, :1])):
        with pytest.raises(ValueError, match="layer norm takes mean and variance of each sample, but here of a single"):
            call(net, *given)


def test_statistics_of_no_samples_are_refused_and_none_are_predicted():
    net, params = Conv4(WAY, 5, side=16).double(), weights(Conv4(WAY, 5, side=16).double())
    for given in ((params, samples((1, 16, 16), 0)), (one(params, 0), samples((1, 16, 16), 0)[0])):
        with pytest.raises(ValueError, match="the statistics of a norm were asked of no samples"):
            statistics(net, *given)
        assert call(net, *given).numel() == 0


# ------------------------------------------------------------ what is not asked in the right form


def test_parameters_that_are_not_all_of_tasks_are_named():
    net, x = Conv4(WAY, 5, side=16).double(), samples((1, 16, 16))
    params = weights(net)
    shared = {**params, "head.bias": net.head.bias}
    missing = {name: p for name, p in params.items() if name != "norms.2.gain"}
    for function in (call, features, statistics):
        with pytest.raises(ValueError, match=r"several tasks, but 'head.bias' has no task dimension; give every"):
            function(net, shared, x)
        with pytest.raises(ValueError, match="several tasks, but 'norms.2.gain' is missing"):
            function(net, missing, x)


@pytest.mark.parametrize("name", ["Conv4 batch stride 16 2", "MLP none", "Transformer", "a user's batch"])
def test_unlike_numbers_of_tasks_are_named(name):
    net, shape = NETS[name]
    for count in (1, 2, 5):
        x = torch.rand(count, 4, *shape, dtype=torch.float64)
        for function in (call, features, statistics):
            with pytest.raises(ValueError, match=f"weights of 3 tasks, but the samples are those of {count}; give"):
                function(net, weights(net), x)


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 16, 12), (16, 16), (1, 1, 16, 16), (1, 0, 0)])
def test_samples_that_are_no_pictures_are_named(shape):
    """In the fast engine three channels passed for three times as many pictures."""
    net = Conv4(WAY, 5, side=16).double()
    x = torch.rand(TASKS, 4, *shape, dtype=torch.float64)
    for given, form in (((weights(net), x), r"\(T, M, 1, S, S\)"), ((params_of(net), x[0]), r"\(M, 1, S, S\)")):
        for function in (call, features, statistics):
            with pytest.raises(ValueError, match=f"Conv4 reads square pictures {form}, got samples of shape"):
                function(net, *given)


def test_a_side_that_the_network_cannot_read_is_named():
    with pytest.raises(ValueError, match="pool='max' needs pictures of at least 16×16 pixels, got side 15"):
        Conv4(WAY, pool="max", side=15)
    with pytest.raises(ValueError, match="pool='stride' needs pictures of at least 1×1 pixels, got side 0"):
        Conv4(WAY, side=0)
    net, x = Conv4(WAY, 5, "max", side=33).double(), samples((1, 16, 16))
    for given in ((weights(net), x), (params_of(net), x[0])):
        with pytest.raises(ValueError, match="made for pictures of side 33, got side 16; make it with side=16"):
            call(net, *given)


# ------------------------------------------------------------ whole methods


KINDS = (MAML, FOMAML, ANIL, MetaSGD, Reptile, NoAdaptation, JointTraining)


def check_engines(learner, batch):
    """Losses, gradients and predictions of the engine that is chosen, of vmap and of a loop."""
    parameters = [p for p in learner.parameters() if p.requires_grad]
    predict = lambda episode: learner.predict(learner.adapt(episode, 2), episode.query_x)
    gradient = lambda losses: torch.autograd.grad(losses.sum(), parameters, allow_unused=True, materialize_grads=True)
    loop = switch.in_a_loop(learner.loss, batch)
    expected = gradient(loop)
    for losses in (learner.losses(batch), torch.vmap(learner.loss)(batch)):
        torch.testing.assert_close(losses, loop, rtol=1e-12, atol=1e-12)
        for ours, slow in zip(gradient(losses), expected, strict=True):
            torch.testing.assert_close(ours, slow, rtol=1e-9, atol=1e-12)
    with torch.no_grad():
        torch.testing.assert_close(learner.predictions(batch, 2), switch.in_a_loop(predict, batch), rtol=0, atol=1e-12)


@pytest.mark.parametrize("pool", ["stride", "max"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_norm_in_the_fast_engine_learns_as_in_a_loop(kind, pool):
    learner = kind(Conv4(WAY, 5, pool, "layer", 16)).double()
    assert learner.engine == "stacked"
    check_engines(learner, episodes((1, 16, 16), 3, 2))


def test_a_layer_norm_whose_tasks_share_their_weights_stays_with_vmap():
    learner = ProtoNet(Conv4(0, 5, "max", "layer", 16)).double()
    assert learner.engine == "vmap" and ProtoNet(Conv4(0, 5, side=16)).engine == "stacked"


@pytest.mark.parametrize("norm", NORMS)
def test_statistics_of_the_target_reach_every_engine(norm):
    """AdaBN, on convolutions and on linear layers."""
    batch = episodes((1, 16, 16), 3, 3)
    batch = batch._replace(unlabeled_x=batch.query_x ** 2)
    for net in (Conv4(WAY, 5, norm=norm, side=16), *([MLP((256, 7, WAY), norm)] if norm in ("batch", "none") else [])):
        learner = AdaBN(net).double()
        assert learner.engine == "stacked"
        check_engines(learner, batch)
        moved = learner.predictions(batch._replace(unlabeled_x=batch.query_x))
        assert torch.equal(moved, learner.predictions(batch)) == (norm in ("layer", "none"))


def test_daml_with_a_layer_norm_learns_as_in_a_loop():
    batch = episodes((1, 16, 16), 3, 2)
    learner = DAML(Conv4(WAY, 5, norm="layer", side=16)).double()
    check_engines(learner, batch._replace(unlabeled_x=batch.query_x ** 2))
