"""The protocol that every method fits: adapt to a support set, predict, and a loss to meta-train on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mlcourse.engine import switch
from mlcourse.episode import Episode
from mlcourse.losses import task_loss
from mlcourse.nets import (Params, Stats, call, check_sizes, embeds, live_batch_norm, norm_of, params_of, prepare,
                           stacking, statistics, trainable, watching)
from mlcourse.nets.state import Buffers
from mlcourse.phases import Phase, episodic_phase
from mlcourse.system.machine import in_parallel

AT_ONCE = 4     # tasks that a core differentiates together where the network does not say


class Learner(stacking.Stacking, nn.Module):
    """A method. Its parameters are the meta-parameters; no call ever changes them.

    A subclass writes `adapt` and `predict`, and overrides `loss` where its paper does. All three work on one episode
    without a task dimension; the `engine` makes the batch. Where they also take a batch, with a leading task dimension
    on everything, the class says `stacks = True` in its own body: the fast engine then takes the place of vmap (see
    `stacking.Stacking`). `losses` and `predictions` are the engine's and not to be overridden: TypeError.
    tasks_at_once: how many tasks a core differentiates together; it bounds memory and changes no number beyond
    rounding. None: all, where a batch is small work.
    """

    config: dict = {}
    tasks_at_once: int | None = None
    refused_by_vmap = False
    needs: tuple[str, ...] = ()         # what the method takes of its network beside its output
    compares = False                    # whether it compares features, so that a network without a head will do
    adapts = False                      # whether a task gets weights of its own, by gradients through the network

    def __init_subclass__(cls, **settings):
        super().__init_subclass__(**settings)
        for name in stacking.FINAL:
            if getattr(cls, name) is not getattr(Learner, name):
                raise TypeError(f"{cls.__name__} overrides {name}, which belongs to the engine and would differ from a "
                                "loop over tasks; override loss, adapt or predict")

    @property
    def is_transductive(self) -> bool:
        """Whether the prediction for one query depends on the other queries in the batch."""
        return False

    @property
    def engine(self) -> str:
        """How a batch is computed: "stacked", "vmap" or "loop" (switch.py)."""
        return switch.engine(self)

    @property
    def exact_gradient(self) -> bool:
        """Whether meta-training follows the derivative of `loss`; False for a first-order method, and where the paper
        prescribes another direction."""
        return True

    def adapt(self, episode: Episode, steps: int | None = None) -> Any:
        """What the learner takes from the support set: adapted weights, prototypes, … (a pytree of tensors).

        steps: inner steps, where the method has any; None takes its own number.
        """
        raise NotImplementedError

    def predict(self, state: Any, x: Tensor) -> Tensor:
        """Logits (M, N), or values (M, 1) in regression, for x (M, *D). Pure: the same call gives the same answer."""
        raise NotImplementedError

    def loss(self, episode: Episode) -> Tensor:
        """The meta-training loss of one episode: the query loss after adaptation.

        Raises RuntimeError when grad mode is off: the inner gradients would then be constants, and second order would
        silently become first order.
        """
        require_grad(self)
        return task_loss(self.predict(self.adapt(episode), episode.query_x), episode.query_y)

    def phases(self, sampler, steps: int, *, tasks: int = 32, lr: float = 1e-3) -> list[Phase]:
        """How the method is meta-trained: by default one phase of Adam on the mean loss of `tasks` episodes a step,
        its rate annealed to 0 by a cosine.

        sampler: anything with `sample(tasks, generator) -> Episode`.
        """
        return [episodic_phase(self, sampler, steps, tasks=tasks, lr=lr)]

    def losses(self, batch: Episode) -> Tensor:
        """The losses (T,) of a batch of T episodes."""
        return switch.over_tasks(self, self.loss, batch)

    def predictions(self, batch: Episode, steps: int | None = None) -> Tensor:
        """Logits (T, M, N), or values (T, M, 1), for the queries of a batch."""
        one = lambda episode: self.predict(self.adapt(episode, steps), episode.query_x)
        return switch.over_tasks(self, one, batch)

    def after_step(self, batch: Episode) -> None:
        """Called after every meta-step; a network with running statistics updates them here."""


@torch.no_grad()
def is_seen_transductive(learner: Learner, adapt: Callable[[], Any], x: Tensor) -> bool:
    """Whether the prediction for one query depends on the others: what the learner says of itself, and around a network
    that is not the course's also what is seen of up to three of the queries x (M, *D), alone and in company.

    adapt: makes the state to predict from. What fails alone, as a batch norm in training does, depends on company.
    Raises ValueError where what is seen is NaN.
    """
    net = getattr(learner, "net", None)
    if learner.is_transductive or net is None or hasattr(net, "config"):
        return learner.is_transductive
    state = adapt()
    together = learner.predict(state, x)
    if together.isnan().any():
        raise ValueError(f"{type(learner).__name__} predicts NaN around this network, though the samples are finite; "
                         "train it again, with a lower rate where it has one, or scale the samples down")
    try:
        alone = torch.cat([learner.predict(state, one) for one in x[:3].split(1)])
    except (RuntimeError, ValueError):
        return True
    return not torch.allclose(alone, together[:3], rtol=1e-3, atol=1e-3 * float(together.abs().max()))


def device_of(learner: nn.Module) -> torch.device:
    """Where the parameters and buffers of a learner lie; the CPU for one without any."""
    return next((t.device for t in (*learner.parameters(), *learner.buffers())), torch.device("cpu"))


def require_grad(learner: Learner) -> None:
    """Raises RuntimeError when grad mode is off."""
    if not torch.is_grad_enabled():
        raise RuntimeError(
            f"{type(learner).__name__}.loss was called with gradients switched off; in training that turns a second-"
            "order method into a first-order one without a word, so leave torch.no_grad() and call it again")


class Adapted(NamedTuple):
    """The state of a method that adapts a network: its parameters φ, and the norm statistics to predict with
    (an empty tuple: the batch's own)."""

    params: Params
    stats: tuple


class NetLearner(Learner):
    """A method around one network `net`, whose own parameters are θ.

    seen: the norm statistics, each (T, C), that the network took of a batch's queries in the loss of the last step.
    train.py leaves them, as it leaves gradients in `.grad`; `after_step` takes them. An empty tuple: none were left.
    """

    seen: Stats = ()

    def __init__(self, net: nn.Module):
        check_network(type(self), net)
        super().__init__()
        self.net = net
        self.tasks_at_once = getattr(net, "tasks_at_once", AT_ONCE)

    @property
    def is_transductive(self) -> bool:
        """Whether the queries of a batch are normalised together: norm="batch", or a batch norm of torch's in
        training."""
        return norm_of(self.net) == "batch" or live_batch_norm(self.net) is not None

    def theta(self, tasks: tuple = ()) -> Params:
        """θ by name, without what is frozen unless all is; with `tasks` = (T,), as the weights of T tasks (T, …)."""
        own = trainable(self.net) or params_of(self.net)
        return {name: p.expand(*tasks, *p.shape) if tasks else p for name, p in own.items()}

    def fixed_stats(self) -> tuple:
        """The running statistics at test time, if the network keeps them; else an empty tuple."""
        return self.net.running_stats() if norm_of(self.net) == "running" and not self.training else ()

    def adapted(self, params: Params, episode: Episode) -> Adapted:
        """The state for these parameters, with the norm statistics of the support set where the norm asks for them."""
        if norm_of(self.net) != "support":
            return Adapted(params, self.fixed_stats())
        return Adapted(params, statistics(self.net, params, episode.support_x))

    def prepare(self, x: Tensor, episode: Episode):
        """Samples of a batch of episodes in the form that costs least to use often; those of one episode as they
        are."""
        return prepare(self.net, x) if episode.batch_shape else x

    def loss_at(self, phi: Params, x: Tensor, y: Tensor) -> Tensor:
        """L(φ): the loss of the network with parameters φ on labelled samples."""
        return task_loss(call(self.net, phi, x, self.fixed_stats() or None), y)

    def predict(self, state: Adapted, x: Tensor) -> Tensor:
        """The network's output at φ."""
        return call(self.net, state.params, x, state.stats or None)

    def predicting(self, episode: Episode) -> Params:
        """The parameters of `net` that the queries of this episode are predicted with: φ."""
        return self.adapt(episode).params

    @torch.no_grad()
    def after_step(self, batch: Episode) -> None:
        """Move running statistics towards the mean over tasks of those that the predicting networks see on this batch's
        queries: saw in the loss, where it predicts them, else see now on its first four tasks."""
        if norm_of(self.net) != "running":
            return
        stats, self.seen = self.seen, ()
        if not stats:
            one = lambda episode: statistics(self.net, self.predicting(episode), episode.query_x)
            stats = switch.over_tasks(self, one, batch.task(slice(0, 4)))
        self.net.update_running(tuple((mean.mean(0), var.mean(0)) for mean, var in stats))


def over_tasks_seen(learner: Learner, function: Callable[[Episode], Tensor], batch: Episode) -> tuple[Tensor, Stats]:
    """`function` of every episode, (T,), by the learner's engine, and the norm statistics, each (T, C), that the
    network last took of the queries meanwhile: an empty tuple where it took none.
    """
    def both(episode):
        with watching(episode.query_x) as seen:
            value = function(episode)
        return value, seen.stats

    return switch.over_tasks(learner, both, batch)


NEEDED = {"features": "its features (net.features)", "size": "the size of its features (net.size)",
          "head": "a linear layer called head",
          "layers": "how its parameters' names begin in each layer, from input up (net.layers)"}


def check_network(kind: type[Learner], net: nn.Module) -> None:
    """Raises ValueError, before a learner of this kind is made, where a network lacks what it needs or has no weights
    yet, or has a batch norm through whose statistics it would adapt, or a script."""
    name, own = kind.__name__, type(net).__name__
    if not isinstance(net, nn.Module):
        raise ValueError(f"{name} needs a network, a torch.nn.Module, got {own}; pass the module itself")
    check_sizes(net)
    if kind.compares and not embeds(net):
        raise ValueError(f"{name} compares features, but this {own} has a head and no method features(x) that gives "
                         "what the head sees; write one, or pass the network without its head")
    for what in kind.needs:
        if getattr(net, what, None) is None:
            raise ValueError(f"{name} needs {NEEDED[what]}, which this {own} does not have; mlcourse.nets.wrap(net, "
                             "head=N) adds it, with head=0 where no head is wanted")
    if not kind.adapts:
        return
    if any(isinstance(part, torch.jit.ScriptModule) and trainable(part) for part in net.modules()):
        raise ValueError(f"{name} adapts the network, but a part of this {own} is a script (torch.jit), whose second "
                         "derivative torch leaves out without an error; pass the module that was scripted, or "
                         "wrap(net, frozen=True) to adapt the head alone")
    if live := live_batch_norm(net):
        raise ValueError(f"{name} adapts the network, but {live} of this {own} is a batch norm: its running statistics "
                         "would mix the tasks, and torch.vmap has no right second derivative of it; use a GroupNorm, "
                         "or mlcourse.nets.wrap(net, exchange_norms=True), or wrap(net, frozen=True) to adapt the head "
                         "alone")


def check_adaptable(learner: NetLearner) -> None:
    """Raises ValueError where every parameter of the network is frozen."""
    if any(True for _ in learner.net.parameters()) and not trainable(learner.net):
        raise ValueError(f"{type(learner).__name__} adapts the network, but every parameter of this "
                         f"{type(learner.net).__name__} is frozen; mlcourse.nets.wrap(net, head=N, frozen=True) puts a "
                         "head on it that can be adapted")


def map_parts(work: Callable[[Episode], Any], batch: Episode, at_once: int | None, parallel: bool) -> list:
    """work(part) for each part of a batch of at most `at_once` tasks; None: the whole batch.

    parallel: whether the cores may share the parts. A batch that needs no parts is then small, and one core's work.
    """
    parts = batch.parts(at_once)
    if parallel and (at_once is None or len(parts) > 1):
        return in_parallel(work, parts)
    return [work(part) for part in parts]


def batch_loss(learner: Learner, batch: Episode) -> Tensor:
    """The mean of the learner's loss over a batch of episodes."""
    return learner.losses(batch).mean()


def check_classes(learner: Learner, episode: Episode) -> None:
    """Raises ValueError for a regression episode."""
    if episode.way == 0:
        raise ValueError(f"{type(learner).__name__} classifies, but this episode has no classes; "
                         "for regression use MAML or JointTraining")


def check_head(learner: NetLearner, episode: Episode) -> None:
    """Raises ValueError when the network's head has not as many outputs as the episode has classes, or a network of
    features has none."""
    if not hasattr(learner.net, "head") and hasattr(learner.net, "features"):
        raise ValueError(f"{type(learner).__name__} needs a network with a head, but this {type(learner.net).__name__} "
                         f"returns features; make it with {episode.way or 'as many'} outputs")
    outputs = getattr(getattr(learner.net, "head", None), "out_features", episode.way)
    if episode.way and episode.way != outputs:
        raise ValueError(f"the network of this {type(learner).__name__} has {outputs} outputs, but the episode has "
                         f"{episode.way} classes; make a network for {episode.way}, or sample with way {outputs}")


def check_finite(batch: Episode) -> None:
    """Raises ValueError, naming the field, where an episode holds NaN or infinite values."""
    for name, field in zip(batch._fields, batch, strict=True):
        if field.is_floating_point() and not torch.isfinite(field).all():
            raise ValueError(f"{name} holds values that are NaN or infinite; remove or repair those samples first")


@torch.no_grad()
def yields_nan(learner: nn.Module, batch: Episode) -> bool:
    """Whether the learner's network as it is, before any inner step, makes values that are not finite of a support set
    of the batch. What it keeps in buffers stays as it is."""
    net = getattr(learner, "net", None)
    if net is None:
        return False
    buffers = Buffers(net)
    try:
        return any(not call(net, params_of(net), batch.task(i).support_x).isfinite().all() for i in range(batch.tasks))
    except (RuntimeError, ValueError):      # a network that this method calls otherwise
        return False
    finally:
        buffers.restore()
