"""What is said where a network of others cannot be called as a method calls it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mlcourse.nets.state import Buffers, outside, transforms, unwrapped


@contextmanager
def saying(net: nn.Module, x: Tensor) -> Iterator[None]:
    """Turns a RuntimeError of the network on samples x in this block into one ValueError that says whether torch.func
    cannot transform it, or it cannot compute such samples. Not under vmap, which the engine answers with a loop."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        around = transforms()
        if "Vmap" in around:
            raise
        first, name = str(error).strip().splitlines()[0], name_of(net)
        if around and _computes(net, x):
            raise ValueError(f"the method differentiates through the network's own gradient steps by torch.func, which "
                             f"cannot transform this {name} ({first}); replace that part of the network, or "
                             "mlcourse.nets.wrap(net, head=N, frozen=True) adapts a head on it alone") from error
        raise ValueError(f"this {name} cannot compute samples of shape {tuple(x.shape)} ({first}); "
                         f"{_remedy(net, x)}") from error


def check_output(net: nn.Module, z: Any, x: Tensor) -> None:
    """Raises ValueError unless the output z of a network of others on samples x is one tensor (M, …) of features or
    outputs."""
    if type(net).__module__ == "mlcourse.nets.gan":        # a discriminator gives the features of every layer
        return
    if not isinstance(z, Tensor) or z.ndim < 2 or len(z) != len(x):
        what = f"an output of shape {tuple(z.shape)}" if isinstance(z, Tensor) else f"a {type(z).__name__}"
        raise ValueError(f"this {name_of(net)} makes {what} of {len(x)} samples; return one tensor (M, d) of features "
                         "or outputs, for instance from a small module around it")


def name_of(net: nn.Module) -> str:
    """The class of a network, and of what it was wrapped around."""
    body = getattr(net, "body", None)
    return type(net).__name__ + (f" of a {type(body).__name__}" if isinstance(body, nn.Module) else "")


def _remedy(net: nn.Module, x: Tensor) -> str:
    own = next((p.dtype for p in net.parameters() if p.is_floating_point()), x.dtype)
    if own != x.dtype:
        return (f"its parameters are {str(own).removeprefix('torch.')} and the samples "
                f"{str(x.dtype).removeprefix('torch.')}, so call net.to({x.dtype}) before the learner is made")
    return "pass a network that reads samples of this shape, or samples that it reads"


def _computes(net: nn.Module, x: Tensor) -> bool:
    """Whether the network computes the samples where nothing transforms it."""
    buffers = Buffers(net)
    try:
        with outside(), torch.no_grad():
            net(unwrapped(x))
        return True
    except Exception:       # of any kind: whatever fails here is not to be blamed on torch.func
        return False
    finally:
        buffers.restore()
