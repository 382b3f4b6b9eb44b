"""Any module of torch's as a network of the course: features, a head, and norms that a method may adapt through."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from mlcourse.nets.kept import check_hooks, check_state
from mlcourse.nets.norms import Norm
from mlcourse.nets.state import outside, transforms, unwrapped

BatchNorm = nn.modules.batchnorm._BatchNorm


class Wrapped(nn.Module):
    """Features (M, size) of a module, and with `head` > 0 logits (M, head) of a linear layer on them: see `wrap`.

    maps: (C, h, w), what the features are the flattened maps of; (size, 1, 1) where the module makes no maps.
    reads: (*D), the shape of a sample of the example that it was wrapped with; empty where none was given.
    """

    reads: tuple[int, ...] = ()

    def __init__(self, body: nn.Module, maps: tuple[int, ...], head: int, frozen: bool, seed: int):
        super().__init__()
        self.body, self.maps, self.frozen = body, maps, frozen
        size = self.size = math.prod(maps)
        self.norm = "batch" if any(isinstance(module, Norm) and module.kind == "batch"
                                   for module in body.modules()) else "none"
        if head:
            self.head = linear(size, head, seed)
        self.train(self.training)

    @property
    def layers(self) -> tuple[tuple[str, ...], ...]:
        """How the parameters' names begin in each layer of the module: its children that have parameters, in the order
        in which they were made, or the module as one layer where it has none. What is the module's own is of the
        first."""
        children = [f"body.{name}." for name, child in self.body.named_children()
                    if any(True for _ in child.parameters())]
        own = [f"body.{name}" for name, _ in self.body.named_parameters(recurse=False)]
        if not children:
            return (("body.",),)
        return ((*own, children[0]), *((each,) for each in children[1:]))

    def features(self, x: Tensor) -> Tensor:
        """What the module makes of samples, (M, size). Where a frozen one is constant to the gradient steps of
        a method, it may hold what torch.func cannot transform."""
        if (self.frozen and set(transforms()) == {"Grad"}
                and all(unwrapped(t) is t for t in (x, *self.body.parameters(), *self.body.buffers()))):
            with outside():
                return self.body(x).flatten(1)
        return self.body(x).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (M, head), or the features where there is no head."""
        z = self.features(x)
        return self.head(z) if "head" in self._modules else z

    def train(self, mode: bool = True) -> Wrapped:
        """As everywhere; a frozen module stays in eval mode."""
        super().train(mode)
        if self.frozen:
            self.body.eval()
        return self


def linear(size: int, outputs: int, seed: int, bias: bool = True) -> nn.Linear:
    """A linear layer (M, size) -> (M, outputs) with normal weights of variance 1/size, drawn by a generator of its own,
    and biases of 0."""
    layer = nn.utils.skip_init(nn.Linear, size, outputs, bias=bias)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(outputs, size, generator=torch.Generator().manual_seed(seed)) / size**0.5)
        if bias:
            layer.bias.zero_()
    return layer


def wrap(module: nn.Module, head: int = 0, *, example: Tensor | None = None, frozen: bool = False,
         exchange_norms: bool = False, seed: int = 0) -> Wrapped:
    """A copy of any module as a network that every learner takes.

    module: maps samples (M, *D) to features (M, d) or maps (M, d, …), which are flattened. head: the outputs of a
    linear layer on the features, for methods that adapt one; 0 for methods that compare features.
    example: samples (M, *D) of any values, of which the size of the features is read; without one, two pictures
    1×28×28. frozen: the module is neither adapted nor trained and stays in eval mode, batch norms and dropout included.
    exchange_norms: every BatchNorm2d becomes a `Norm` of the course, by the statistics of the batch at hand, with its
    gains and shifts. seed: of the head.
    Raises ValueError for what is no module, one whose sizes no samples have set yet, one that cannot be copied or
    written whole (`check_hooks`, `check_state`), or one that cannot compute the example.
    """
    if not isinstance(module, nn.Module):
        raise ValueError(f"a network is a torch.nn.Module, got {type(module).__name__}; pass the module itself, with "
                         "its weights")
    check_sizes(module)
    check_hooks(module)
    check_state(module)
    body = _copy(module)
    if exchange_norms:
        body = exchanged(body)
    if frozen:
        for p in body.parameters():
            p.requires_grad_(False)
    net = Wrapped(body, _maps(body, torch.zeros(2, 1, 28, 28) if example is None else example), head, frozen, seed)
    net.reads = () if example is None else tuple(example.shape[1:])
    return net


def _copy(module: nn.Module) -> nn.Module:
    try:
        body = copy.deepcopy(module)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise ValueError(f"this {type(module).__name__} cannot be copied ({str(error).splitlines()[0]}); take out what "
                         "it computes and keeps beside its parameters, and for torch.nn.utils.weight_norm use that of "
                         "torch.nn.utils.parametrizations") from error
    for p in body.parameters():
        if not p.is_leaf:           # so copies a script its parameters
            p.detach_().requires_grad_()
    return body


def check_sizes(module: nn.Module) -> None:
    """Raises ValueError where a lazy layer, such as nn.LazyLinear, has not seen samples, so that it has no weights."""
    for name, layer in module.named_modules():
        own = (*layer.parameters(recurse=False), *layer.buffers(recurse=False))
        if any(map(is_lazy, own)):
            raise ValueError(f"{name or 'the module'} is a {type(layer).__name__} that has no weights before it sees "
                             "samples; call the module once with a few samples, then pass it")


class Unfit(ValueError):
    """A module cannot compute an example; `first` is what torch says of it."""

    def __init__(self, first: str, what: str):
        super().__init__(what)
        self.first = first


def output_of(module: nn.Module, example: Tensor) -> Tensor:
    """What a copy of the module, in eval mode, makes of an example, so that the module's own state stays what it is.

    Raises Unfit where it cannot compute the example, and ValueError where its output is not one tensor (M, d, …) or it
    cannot be copied.
    """
    try:
        with torch.no_grad():
            z = _copy(module).eval()(example)
    except (RuntimeError, TypeError, IndexError) as error:
        first = str(error).strip().splitlines()[0]
        raise Unfit(first, f"the module cannot compute samples of shape {tuple(example.shape)} ({first}); pass some of "
                           "the right shape as example=") from error
    if not isinstance(z, Tensor) or z.ndim < 2 or len(z) != len(example):
        what = f"of shape {tuple(z.shape)}" if isinstance(z, Tensor) else type(z).__name__
        raise ValueError(f"the module makes {what} of {len(example)} samples; return one tensor (M, d) of "
                         "features, for instance from a small module around it")
    return z


def _maps(body: nn.Module, example: Tensor) -> tuple[int, ...]:
    """(C, h, w) of the maps (M, C, h, w) that a module makes; of features of another shape (size, 1, 1)."""
    z = output_of(body, example)
    return tuple(z.shape[1:]) if z.ndim == 4 else (z.flatten(1).shape[1], 1, 1)


class _OwnStatistics(Norm):
    """A `Norm` by the statistics of the batch, called with the batch alone as torch's own norms are."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x, None)


def exchanged(module: nn.Module) -> nn.Module:
    """The module with a `Norm` by the statistics of the batch in place of every BatchNorm2d, in place.

    Raises ValueError for a batch norm of another shape.
    """
    for name, norm in [(name, child) for name, child in module.named_modules() if isinstance(child, BatchNorm)]:
        if not isinstance(norm, nn.BatchNorm2d):
            raise ValueError(f"{name or 'the module'} is a {type(norm).__name__}, and only a BatchNorm2d can be "
                             "exchanged; use nn.GroupNorm or nn.LayerNorm in its place")
        new = _OwnStatistics("batch", norm.num_features)
        if norm.affine:
            new = new.to(norm.weight)
            with torch.no_grad():
                new.gain.copy_(norm.weight)
                new.shift.copy_(norm.bias)
        if not name:
            return new
        parent, _, own = name.rpartition(".")
        setattr(module.get_submodule(parent), own, new)
    return module


def live_batch_norm(net: nn.Module) -> str | None:
    """The name of a batch norm of torch's that takes statistics of its batch, or None where there is none."""
    for name, module in net.named_modules():
        if isinstance(module, BatchNorm) and (module.training or module.running_mean is None):
            return name or type(net).__name__
    return None
