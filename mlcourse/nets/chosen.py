"""A network by the name that a command line gives it: one of the course's, or module:attr, a callable of your own."""

from __future__ import annotations

import importlib
import os
import sys

import torch
from torch import nn

from mlcourse.nets.conv import Conv4
from mlcourse.nets.gru import GRU
from mlcourse.nets.kept import check_hooks, check_state
from mlcourse.nets.resnet import ResNet12
from mlcourse.nets.sequence import Transformer
from mlcourse.nets.wrap import Unfit, Wrapped, check_sizes, output_of, wrap

PICTURES, SEQUENCES = ("conv4", "resnet12"), ("gru", "transformer")      # what they read, the usual one first
NAMES = PICTURES + SEQUENCES
OWN = "module:attr"
WIDEST = 4096       # filters or features


def check_name(name: str) -> None:
    """Raises ValueError unless a name is one of NAMES or has the form module:attr."""
    module, colon, attr = name.partition(":")
    if name not in NAMES and not (colon and attr and all(part.isidentifier() for part in module.split("."))):
        raise ValueError(f"net must be one of {', '.join(NAMES)}, or {OWN} for a callable of your own that returns a "
                         f"torch.nn.Module, such as my_nets:encoder; got {name!r}")


def is_own(name: str) -> bool:
    """Whether the name is that of a callable, not of a network of the course."""
    return name not in NAMES


def network(name: str, outputs: int, *, norm: str = "batch", side: int = 28, channels: int = 1,
            width: int | None = None,
            seed: int = 0, maps: bool = False, sequence: tuple[int, int] | None = None) -> nn.Module:
    """The network of this name with so many outputs; 0: features.

    conv4: with strides where it has outputs, with 2×2 max-pooling for features. maps: whether the features shall be
    those of several positions, to which conv4 then pools less. width: filters of the first layer, of a network for
    sequences its features; None takes the network's own. sequence: (L, inputs), the shape of samples that are
    sequences, which gru and transformer read; None for pictures of `side` and `channels`. module:attr: what the
    callable `attr` of a module makes, called without arguments after torch.manual_seed(seed); the module is imported,
    from the working directory first. A network that has a layer `head` is used as it is, any other is wrapped (`wrap`),
    with a head where there are outputs; norm and width are its own.
    Raises ValueError for a name of another form, a network of the course that reads no such samples, a module that
    cannot be imported, an attribute that is no callable or makes no network, or one that cannot compute the samples, a
    norm or a width for a network that has its own, a width beyond 4096, and what the networks, `check_hooks` and
    `check_state` raise.
    """
    check_name(name)
    if width is not None and not 1 <= width <= WIDEST:
        raise ValueError(f"width must lie between 1 and {WIDEST}, got {width}")
    shape = (channels, side, side) if sequence is None else sequence
    if is_own(name):
        if norm != "batch" or width is not None:
            raise ValueError(f"{name} is a network of your own, with a norm and a width of its own; leave --norm and "
                             "--width out")
        net = _made(name, seed)
        check_hooks(net)
        check_state(net)
        return _fitted(name, net, outputs, torch.zeros(2, *shape), seed)
    _check_reads(name, sequence is not None, maps)
    if sequence is not None:
        if norm != "batch":
            raise ValueError(f"{name} has no norm of a batch to choose; leave --norm out")
        length, inputs = sequence
        settings = {"seed": seed} | ({} if width is None else {"width": width})
        return (GRU(outputs, inputs, **settings) if name == "gru" else
                Transformer(outputs, length, inputs, patch=1, heads=4, pads=True, **settings))
    settings = {"norm": norm, "side": side, "channels": channels, "seed": seed}
    settings |= {} if width is None else {"width": width}
    if name == "resnet12":
        return ResNet12(outputs, **settings)
    return Conv4(outputs, pool="stride" if outputs else "early" if maps else "max", **settings)


def _check_reads(name: str, sequences: bool, maps: bool) -> None:
    """Raises ValueError where a network of the course reads no such samples, or makes no maps."""
    fitting, samples = (SEQUENCES, "sequences") if sequences else (PICTURES, "pictures")
    if name not in fitting:
        raise ValueError(f"the samples are {samples}, which {name} does not read; choose --net {' or '.join(fitting)}")
    if sequences and maps:
        raise ValueError(f"{name} makes one feature vector of a sequence, but this method compares maps of several "
                         "positions; choose another method")


def _fitted(name: str, net: nn.Module, outputs: int, example: torch.Tensor, seed: int) -> nn.Module:
    """A network of one's own, with a head where there are outputs. Raises ValueError where it cannot compute the
    example."""
    try:
        if isinstance(getattr(net, "head", None), nn.Linear) or isinstance(net, Wrapped) and not outputs:
            check_sizes(net)
            output_of(net, example)
            return net
        return wrap(net, outputs, example=example, seed=seed)
    except Unfit as error:
        own = {p.dtype for p in net.parameters()} - {example.dtype}
        _, *shape = example.shape
        raise ValueError(f"{name} cannot compute {_said(shape)} ({error.first}); " + (
            f"its parameters are {str(own.pop()).removeprefix('torch.')}, so return net.float() in it" if own else
            "choose what it reads by --colour, for three channels, and --side, or change the network" if len(shape) == 3
            else "change the network so that it reads them")) from error


def _said(shape: list[int]) -> str:
    if len(shape) < 3:
        return f"sequences of {shape[0]} steps with {shape[1]} inputs"
    channels, side, _ = shape
    return f"pictures of {side}×{side} pixels in {channels} channel{'s' if channels > 1 else ''}"


def _made(name: str, seed: int) -> nn.Module:
    module, _, attr = name.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        found = importlib.import_module(module)
    except Exception as error:          # what a module of the user's raises on import
        raise ValueError(f"the module {module!r} of --net {name} cannot be imported ({error}); run the command where "
                         "it lies, or install it") from error
    finally:
        sys.path.remove(os.getcwd())
    for part in attr.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise ValueError(f"{attr!r} is {'not in' if found is None else 'no callable of'} {module!r}; name a function "
                         "or a class that makes your network")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            net = found()
        except TypeError as error:
            raise ValueError(f"{name} cannot be called without arguments ({error}); name a function that makes your "
                             "network") from error
    if not isinstance(net, nn.Module):
        raise ValueError(f"{name} makes a {type(net).__name__}, not a torch.nn.Module; return the network")
    return net
