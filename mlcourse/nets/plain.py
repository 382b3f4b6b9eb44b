"""Small networks, called with their parameters as an argument."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from mlcourse.nets import stacked, stacking
from mlcourse.nets.params import Params
from mlcourse.nets.sequence import Transformer

NORMS = ("batch", "support", "running", "layer", "none")
Stats = tuple[tuple[Tensor, Tensor], ...]


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


class MLP(stacking.Stacking, nn.Module):
    """A fully connected network with ReLU between its layers; (1, 40, 40, 1) is the sinusoid network of
    Finn et al. 2017. Input (M, *D) is flattened to (M, sizes[0]); output (M, sizes[-1]).

    The last layer is called `head`. Initialised by torch's default from `seed`. norm="batch" puts batch normalisation
    before each ReLU, as the fully connected Omniglot network of that paper has, (784, 256, 128, 64, 64, 5).
    """

    tasks_at_once = None

    def __init__(self, sizes: Sequence[int] = (1, 40, 40, 1), norm: str = "none", seed: int = 0):
        super().__init__()
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"an MLP needs at least an input and an output size, all positive, got {tuple(sizes)}")
        if norm not in ("none", "batch"):
            raise ValueError(f"norm of an MLP must be 'none' or 'batch', got {norm!r}; Conv4 has the others")
        self.config = {"net": "MLP", "sizes": list(sizes), "norm": norm, "seed": seed}
        self.norm, self.size = norm, sizes[-2]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.body = nn.ModuleList(nn.Linear(i, o, bias=norm == "none")
                                      for i, o in zip(sizes[:-2], sizes[1:-1], strict=True))
            self.head = nn.Linear(sizes[-2], sizes[-1])
            self.norms = nn.ModuleList(Norm(norm, size) for size in sizes[1:-1])

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))

    def features(self, x: Tensor) -> Tensor:
        """What the head sees: (M, sizes[-2])."""
        x = x.flatten(1)
        for layer, norm in zip(self.body, self.norms, strict=True):
            x = F.relu(norm(layer(x)[..., None, None], None)[..., 0, 0])
        return x

    @property
    def stacks(self) -> bool:
        """Whether the layers are those that `stacked` knows."""
        return (plain(self, type(self)) and plain(self.head, nn.Linear)
                and all(plain(layer, nn.Linear) for layer in self.body._modules.values())
                and all(plain(norm, Norm) and norm.kind == self.norm for norm in self.norms._modules.values()))

    def stacked(self, params: Params, x: Tensor, stats: None = None) -> tuple[Tensor, tuple]:
        """`features` for T tasks at once: parameters (T, …), x (T, M, *D), features (T, M, size); no statistics."""
        return stacked.mlp(self, params, x), ()

    def prepare(self, x: Tensor) -> Tensor:
        """What `stacked` can reuse of x."""
        return x


class Norm(nn.Module):
    """The normalisation after a convolution, by name. x has the shape (M, C, H, W).

    batch: statistics of whatever is in the batch (a prediction then depends on the other queries: transductive).
    support: statistics of the support set, handed in when predicting.
    running: statistics of the batch in training, their running mean (kept by train.py) when predicting.
    layer: statistics of each sample over all channels. none: nothing.
    """

    def __init__(self, kind: str, channels: int):
        super().__init__()
        self.kind = kind
        if kind != "none":
            self.gain = nn.Parameter(torch.ones(channels))
            self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, stats: tuple[Tensor, Tensor] | None) -> Tensor:
        """The normalised x; `stats`: the (mean, variance) to use, None for the batch's own."""
        if self.kind == "none":
            return x
        if self.kind == "layer":
            return F.group_norm(x, 1, self.gain, self.shift)
        if stats is None:
            return _batch_norm(x, self.gain, self.shift)
        mean, var = stats
        scale = self.gain * torch.rsqrt(var + 1e-5)
        return x * scale.view(1, -1, 1, 1) + (self.shift - mean * scale).view(1, -1, 1, 1)


def _batch_norm(x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    """Batch normalisation by the batch's own statistics, as a group norm with a group for each channel.

    Under vmap the second derivative of F.batch_norm is wrong by a per cent or two (seen in torch 2.13, in float64),
    and MAML's meta-gradient with it, without an error; that of F.group_norm is right.
    """
    m, c, h, w = x.shape
    channels = x.transpose(0, 1).reshape(1, c, m * h * w)
    return F.group_norm(channels, c, gain, shift).view(c, m, h, w).transpose(0, 1)


def plain(module: nn.Module, kind: type) -> bool:
    """Whether a module is of exactly this kind, without a hook or a `forward` of its own: no stacked form calls them."""
    own = module.__dict__
    return type(module) is kind and not (own["_forward_hooks"] or own["_forward_pre_hooks"] or "forward" in own)


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance (without Bessel's correction) of each channel of x (M, C, H, W), each (C,)."""
    return x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)


class Conv4(stacking.Stacking, nn.Module):
    """Four 3×3 convolutions of `width` filters, each with norm and ReLU, then a linear head for `way` classes.

    pool="stride" is the Omniglot network of Finn et al. 2017: stride 2 and a mean over the remaining positions.
    pool="max" is that of Vinyals et al. 2016 and Snell et al. 2017: stride 1, 2×2 max-pooling, flattened.
    Input (M, 1, S, S) with the picture's side S in pixels, output (M, way). way=0 leaves the head out: the network
    then returns its features. norm: see `Norm`. A convolution has a bias only where no norm follows, because the
    norm would cancel it.
    Raises ValueError for an unknown pool or norm.
    """

    tasks_at_once = 4

    def __init__(self, way: int, width: int = 64, pool: str = "stride", norm: str = "batch", side: int = 28,
                 seed: int = 0):
        super().__init__()
        if pool not in ("stride", "max"):
            raise ValueError(f"pool must be 'stride' or 'max', got {pool!r}")
        if norm not in NORMS:
            raise ValueError(f"norm must be one of {', '.join(NORMS)}, got {norm!r}")
        self.config = {"net": "Conv4", "way": way, "width": width, "pool": pool, "norm": norm, "side": side,
                       "seed": seed}
        self.pool, self.norm, self.side = pool, norm, side
        self.stride = 2 if pool == "stride" else 1
        channels = [1] + [width] * 4
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.convs = nn.ModuleList(nn.Conv2d(i, o, 3, self.stride, padding=1, bias=norm == "none")
                                       for i, o in zip(channels[:-1], channels[1:], strict=True))
            for conv in self.convs:
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            self.norms = nn.ModuleList(Norm(norm, width) for _ in self.convs)
            self.size = width if pool == "stride" else width * max(1, side // 16) ** 2
            if way:
                self.head = nn.Linear(self.size, way)
        if norm == "running":
            self.register_buffer("running_mean", torch.zeros(4, width))
            self.register_buffer("running_var", torch.ones(4, width))

    def forward(self, x: Tensor, stats: Stats | None = None) -> Tensor:
        """Logits (M, way). stats: (mean, variance) of each norm, each (width,); None takes the batch's own."""
        features = self.features(x, stats)
        return self.head(features) if "head" in self._modules else features

    def features(self, x: Tensor, stats: Stats | None = None) -> Tensor:
        """What the head sees: (M, size)."""
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            x = self._activate(norm(conv(x), stats[i] if stats is not None else None))
        return x.mean((2, 3)) if self.pool == "stride" else x.flatten(1)

    @property
    def stacks(self) -> bool:
        """Whether the norm and the layers are those that `stacked` knows."""
        built = ((3, 3), (self.stride, self.stride), (1, 1), (1, 1), 1, "zeros", self.norm == "none")
        is_built = lambda c: plain(c, nn.Conv2d) and built == (c.kernel_size, c.stride, c.padding, c.dilation, c.groups,
                                                               c.padding_mode, c.bias is not None)
        return (self.norm != "layer" and plain(self, type(self))
                and ("head" not in self._modules or plain(self.head, nn.Linear))
                and all(is_built(conv) for conv in self.convs._modules.values())
                and all(plain(norm, Norm) and norm.kind == self.norm for norm in self.norms._modules.values()))

    def stacked(self, params: Params, x: Tensor | stacked.Patches,
                stats: Stats | None = None) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """`features` for T tasks at once and the statistics that its norms saw: parameters (T, …), x (T, M, 1, S, S)
        or its `prepare`, features (T, M, size), statistics (T, width)."""
        return stacked.conv4(self, params, x, stats)

    def prepare(self, x: Tensor) -> stacked.Patches:
        """What `stacked` can reuse of pictures x (T, M, 1, S, S): the patches that the first convolution sees."""
        return stacked.patches(x, self.stride)

    def statistics(self, x: Tensor) -> Stats:
        """The statistics of each norm on this batch."""
        used = []
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = conv(x)
            used.append(moments(x))
            x = self._activate(norm(x, None))
        return tuple(used)

    def _activate(self, x: Tensor) -> Tensor:
        return F.max_pool2d(F.relu(x), 2) if self.pool == "max" else F.relu(x)

    def running_stats(self) -> Stats:
        """The running statistics in the form that `forward` takes."""
        return tuple(zip(self.running_mean, self.running_var, strict=True))

    @torch.no_grad()
    def update_running(self, stats: Stats, momentum: float = 0.1) -> None:
        """Move the running statistics a share `momentum` of the way to these."""
        for i, (mean, var) in enumerate(stats):
            self.running_mean[i].lerp_(mean, momentum)
            self.running_var[i].lerp_(var, momentum)


class StrokeNet(nn.Module):
    """Four 1-D convolutions along a pen's path, each with stride 2, norm and ReLU, then a mean over the path.

    Input (M, P, 3): P points with x, y and the pen (1 where a line was drawn from the point before, 0 where the pen was
    set down); the network adds the step from the point before, 0 where the pen was up. Output: features (M, width).
    norm: "layer" (statistics of each path by itself) or "none". Raises ValueError for another norm.
    """

    tasks_at_once = None

    def __init__(self, width: int = 64, norm: str = "layer", seed: int = 0):
        super().__init__()
        if norm not in ("layer", "none"):
            raise ValueError(f"norm of a StrokeNet must be 'layer' or 'none', got {norm!r}")
        self.config = {"net": "StrokeNet", "width": width, "norm": norm, "seed": seed}
        self.norm, self.size = norm, width
        channels = [5] + [width] * 4
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.convs = nn.ModuleList(nn.Conv1d(i, o, 5, 2, padding=2, bias=norm == "none")
                                       for i, o in zip(channels[:-1], channels[1:], strict=True))
            for conv in self.convs:
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            self.norms = nn.ModuleList(Norm(norm, width) for _ in self.convs)

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x)

    def features(self, x: Tensor) -> Tensor:
        """The mean over the path of what the last convolution sees: (M, width)."""
        place, pen = x[..., :2], x[..., 2:]
        step = F.pad(place.diff(dim=1), (0, 0, 1, 0)) * pen
        x = torch.cat([place, 4 * step, pen], -1).mT
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.relu(norm(conv(x)[..., None], None)[..., 0])
        return x.mean(-1)


def build_net(config: dict) -> nn.Module:
    """The network that a checkpoint's card describes (its `config`)."""
    arguments = dict(config)
    kinds = {"MLP": MLP, "Conv4": Conv4, "StrokeNet": StrokeNet, "Transformer": Transformer}
    kind = arguments.pop("net", None)
    if kind not in kinds:
        raise ValueError(f"unknown network {kind!r}; known are {', '.join(kinds)}")
    return kinds[kind](**arguments)
