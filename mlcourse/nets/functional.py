"""Networks called with their parameters as an argument, of one task or of several at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from mlcourse.nets import stacked, stacking
from mlcourse.nets.norms import Stats, check_samples, collected
from mlcourse.nets.params import Params
from mlcourse.nets.saying import check_output, saying


def of_tasks(net: nn.Module, params: Params) -> bool:
    """Whether `params` holds the weights of several tasks, with a leading task dimension.

    Raises ValueError where some parameters of the network have that dimension and others have not, or are missing.
    """
    ahead = {name: params[name].ndim - p.ndim if name in params else None for name, p in net.named_parameters()}
    if 1 not in ahead.values():
        return False
    for name, extra in ahead.items():
        if extra != 1:
            raise ValueError(f"some parameters are the weights of several tasks, but {name!r} "
                             f"{'is missing' if extra is None else 'has no task dimension'}; give every parameter as "
                             "(T, …), with p.expand(T, *p.shape) where the tasks share it")
    return True


def norm_of(net: nn.Module) -> str:
    """The name of a network's norm; "none" for a network without one of the course's."""
    return getattr(net, "norm", "none")


def prepare(net: nn.Module, x: Tensor):
    """Samples x (T, M, *D) in the form that costs `call` least to use often."""
    return net.prepare(x) if stacking.stacks(net) else x


def call(net: nn.Module, params: Params, x: Tensor, stats: Stats | None = None) -> Tensor:
    """net(x) with `params` in place of the network's own; `stats` as in `Conv4.forward`, nothing to a network with norm
    "layer" or "none".

    Parameters with a leading task dimension T, and x (T, M, *D), give (T, M, way): at once where the network stacks,
    else one task after another. Raises ValueError for parameters and samples of unlike numbers of tasks, what
    `of_tasks` raises, and for a network that cannot compute the samples, that torch.func cannot transform where it
    is transformed, or whose output is not one tensor (M, …).
    """
    given = _given(net, stats)
    if of_tasks(net, params):
        if _one_after_another(net, params, x):
            return _one_by_one(call, net, params, x, given)
        z = _stacked(net, params, x, given)
        return head(params, z) if "head" in net._modules else z
    return _checked(net, "__call__", params, x, given)


def embeds(net: nn.Module) -> bool:
    """Whether `features` finds those of a network: its method of that name, or its output where it has no head."""
    return hasattr(net, "features") or not hasattr(net, "head")


def head(params: Params, z: Tensor) -> Tensor:
    """Logits (M, way) of the linear head in `params` on features z (M, size); with a leading T on both as in `call`."""
    weight, bias = params["head.weight"], params["head.bias"]
    return stacked.linear_of_tasks(z, weight, bias) if weight.ndim == 3 else F.linear(z, weight, bias)


def features(net: nn.Module, params: Params, x: Tensor, stats: Stats | None = None) -> Tensor:
    """net.features(x) with `params` in place of the network's own: (M, size), or (T, M, size) as in `call`. A network
    without a head may return them itself. Raises ValueError for one with a head alone, and what `call` raises."""
    if not embeds(net):
        raise ValueError(f"this {type(net).__name__} has a head, but no method features(x) that gives what the head "
                         "sees; write one, or pass the network without its head")
    given = _given(net, stats)
    if of_tasks(net, params):
        if _one_after_another(net, params, x):
            return _one_by_one(features, net, params, x, given)
        return _stacked(net, params, x, given)
    if not hasattr(net, "features"):
        return call(net, params, x, given)
    return _checked(net, "features", params, x, given)


def statistics(net: nn.Module, params: Params, x: Tensor) -> Stats:
    """The (mean, variance), each (C,), that every norm of the network takes of these samples; each with a leading T as
    in `call`. An empty tuple for a network with norm "layer" or "none", or without a norm of the course.
    Raises ValueError for no samples."""
    if of_tasks(net, params):
        if _one_after_another(net, params, x):
            return _one_by_one(statistics, net, params, x, None)
        z, used = net.stacked(params, x)
        if used:
            check_samples(z.shape[1])
        return used
    if hasattr(net, "statistics"):
        return _method(net, "statistics", params, x)
    with collected() as used:
        features(net, params, x)
    return tuple(used)


class Seen:
    """What `watching` finds: `stats` are those of the last call, an empty tuple where there was none."""

    stats: Stats = ()


class _Watched(threading.local):
    """The samples that this thread is watching, and where what is seen goes."""

    x: Tensor | None = None
    seen: Seen | None = None


_watched = _Watched()


@contextmanager
def watching(x: Tensor) -> Iterator[Seen]:
    """The statistics that the norms of a network take of these very samples, this object, when `call` or `features`
    normalises them by their own in this block; without their gradient."""
    outer = _watched.x, _watched.seen
    _watched.x, _watched.seen = x, Seen()
    try:
        yield _watched.seen
    finally:
        _watched.x, _watched.seen = outer


@contextmanager
def _noticing(x: Tensor, stats: Stats | None) -> Iterator[None]:
    if stats is not None or x is not _watched.x:
        yield
        return
    with collected() as used:
        yield
    _notice(used)


def _notice(used) -> None:
    _watched.seen.stats = tuple((mean.detach(), var.detach()) for mean, var in used)


def _stacked(net: nn.Module, params: Params, x: Tensor | stacked.Patches, stats: Stats | None) -> Tensor:
    z, used = net.stacked(params, x, stats)
    if x is _watched.x and stats is None:
        _notice(used)
    return z


def _given(net: nn.Module, stats: Stats | None) -> Stats | None:
    """Statistics to pass on: None where there are none, or where the network says that it takes none."""
    if isinstance(stats, tuple) and not stats or getattr(net, "norm", "batch") in ("layer", "none"):
        return None
    return stats


def _one_after_another(net: nn.Module, params: Params, x: Tensor | stacked.Patches) -> bool:
    """Whether tasks have to be computed one after another. Raises ValueError where their number is not one."""
    tasks = next(len(p) for p in params.values() if torch.is_tensor(p))
    given = len(x.rows if isinstance(x, stacked.Patches) else x)
    if given != tasks:
        raise ValueError(f"the parameters are the weights of {tasks} tasks, but the samples are those of {given}; give "
                         "samples (T, M, …) with the same T")
    return not stacking.stacks(net)


def _one_by_one(function, net: nn.Module, params: Params, x: Tensor, stats: Stats | None):
    """`call`, `features` or `statistics` of one task after another."""
    each = []
    for i in range(len(x)):
        own = {name: p[i] for name, p in params.items()}
        given = () if stats is None else (tuple(tuple(s[i] if s.ndim == 2 else s for s in pair) for pair in stats),)
        each.append(function(net, own, x[i], *given))
    return tree_map(lambda *tensors: torch.stack(tensors), each[0], *each[1:])


def _checked(net: nn.Module, name: str, params: Params, x: Tensor, stats: Stats | None) -> Tensor:
    """`_method` of samples; ValueError where it fails, or its output is not one tensor (M, …)."""
    with _noticing(x, stats), saying(net, x):
        z = _method(net, name, params, *((x,) if stats is None else (x, stats)))
    check_output(net, z, x)
    return z


class _Method(nn.Module):
    """Lets `functional_call` reach another method than `forward`."""

    def __init__(self, net: nn.Module, name: str):
        super().__init__()
        self.net, self.name = net, name

    def forward(self, *arguments):
        return getattr(self.net, self.name)(*arguments)


def _method(net: nn.Module, name: str, params: Params, *arguments):
    """A method of the network with `params`. Its own ones stay where they are: functional_call exchanges them in place,
    which threads that share the network would see."""
    own = dict(net.named_parameters())
    if own.keys() == params.keys() and all(params[key] is p for key, p in own.items()):
        return getattr(net, name)(*arguments)
    return torch.func.functional_call(_Method(net, name), {f"net.{k}": p for k, p in params.items()}, arguments)
