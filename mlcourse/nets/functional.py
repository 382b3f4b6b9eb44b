"""Networks called with their parameters as an argument, of one task or of several at once."""

from __future__ import annotations

from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from mlcourse.nets import stacked, stacking
from mlcourse.nets.norms import Stats
from mlcourse.nets.params import Params


def of_tasks(net: nn.Module, params: Params) -> bool:
    """Whether `params` holds the weights of several tasks, with a leading task dimension."""
    return any(params[name].ndim > p.ndim for name, p in islice(net.named_parameters(), 1))


def norm_of(net: nn.Module) -> str:
    """The name of a network's norm; "none" for a network without one of the course's."""
    return getattr(net, "norm", "none")


def prepare(net: nn.Module, x: Tensor):
    """Samples x (T, M, *D) in the form that costs `call` least to use often."""
    return net.prepare(x) if stacking.stacks(net) else x


def call(net: nn.Module, params: Params, x: Tensor, stats: Stats | None = None) -> Tensor:
    """net(x) with `params` in place of the network's own; `stats` as in `Conv4.forward`.

    Parameters with a leading task dimension T, and x (T, M, *D), give (T, M, way): at once where the network stacks,
    else one task after another.
    """
    if of_tasks(net, params):
        if not stacking.stacks(net):
            return _one_by_one(call, net, params, x, stats)
        out = net.stacked(params, x, stats)[0]
        return head(params, out) if "head" in net._modules else out
    if stats is None:
        return torch.func.functional_call(net, params, (x,))
    return torch.func.functional_call(net, params, (x, stats))


def head(params: Params, z: Tensor) -> Tensor:
    """Logits (M, way) of the linear head in `params` on features z (M, size); with a leading T on both as in `call`."""
    weight, bias = params["head.weight"], params["head.bias"]
    return stacked.linear(z, weight, bias) if weight.ndim == 3 else F.linear(z, weight, bias)


def features(net: nn.Module, params: Params, x: Tensor, stats: Stats | None = None) -> Tensor:
    """net.features(x) with `params` in place of the network's own: (M, size), or (T, M, size) as in `call`."""
    if of_tasks(net, params):
        if not stacking.stacks(net):
            return _one_by_one(features, net, params, x, stats)
        return net.stacked(params, x, stats)[0]
    if not hasattr(net, "features") and not hasattr(net, "head"):
        return call(net, params, x, stats)
    return _method(net, "features", params, *((x, stats) if stats else (x,)))


def statistics(net: nn.Module, params: Params, x: Tensor) -> Stats:
    """net.statistics(x) with `params` in place of the network's own; each with a leading T as in `call`."""
    if of_tasks(net, params):
        return tuple(net.stacked(params, x)[1]) if stacking.stacks(net) else _one_by_one(statistics, net, params, x)
    return _method(net, "statistics", params, x)


def _one_by_one(function, net: nn.Module, params: Params, x: Tensor, stats: Stats | None = None):
    """`call`, `features` or `statistics` of one task after another."""
    each = []
    for i in range(len(x)):
        own = {name: p[i] for name, p in params.items()}
        given = () if not stats else (tuple(tuple(s[i] if s.ndim == 2 else s for s in pair) for pair in stats),)
        each.append(function(net, own, x[i], *given))
    return tree_map(lambda *tensors: torch.stack(tensors), each[0], *each[1:])


class _Method(nn.Module):
    """Lets `functional_call` reach another method than `forward`."""

    def __init__(self, net: nn.Module, name: str):
        super().__init__()
        self.net, self.name = net, name

    def forward(self, *arguments):
        return getattr(self.net, self.name)(*arguments)


def _method(net: nn.Module, name: str, params: Params, *arguments):
    return torch.func.functional_call(_Method(net, name), {f"net.{k}": p for k, p in params.items()}, arguments)
