"""What a network keeps between calls beside its parameters, its buffers, through transforms of torch.func that spoil
it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack


class Buffers:
    """The buffers of a module as they are now: the very tensors, and their values."""

    def __init__(self, module: nn.Module):
        self._kept = [(f"{path}.{name}".lstrip("."), part._buffers, name, tensor, tensor.clone(), _version(tensor))
                      for path, part in module.named_modules() for name, tensor in part._buffers.items()
                      if tensor is not None]

    def escaped(self) -> str | None:
        """The name of a buffer that was replaced by a tensor of a transform that is over, or about to be; None where
        there is none."""
        for path, owner, name, tensor, *_ in self._kept:
            now = owner.get(name)
            if now is not tensor and now is not None and torch._C._functorch.is_functorch_wrapped_tensor(now):
                return path
        return None

    def restore(self) -> None:
        """Put the tensors back, with the values that they had."""
        with outside(), torch.no_grad():
            for _, owner, name, tensor, value, version in self._kept:
                owner[name] = tensor
                if _version(tensor) != version:
                    tensor.copy_(value)


def _version(tensor: Tensor) -> int:
    """Counts the changes in place; 0 of a tensor of inference mode, which counts none."""
    return 0 if tensor.is_inference() else tensor._version


def settle(module: nn.Module) -> None:
    """Take every buffer that a transform which is over has left in its own form out of it."""
    for part in module.modules():
        for name, tensor in part._buffers.items():
            if tensor is not None and torch._C._functorch.is_functorch_wrapped_tensor(tensor):
                part._buffers[name] = unwrapped(tensor)


def unwrapped(tensor: Tensor) -> Tensor:
    """The tensor that lies in the forms of all transforms."""
    while torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        tensor = torch._C._functorch.get_unwrapped(tensor)
    return tensor


def transforms() -> list[str]:
    """The transforms of torch.func that this call lies in, from outside in, by name: "Vmap", "Grad", …"""
    return [one.key().name for one in torch._C._functorch.get_interpreter_stack() or ()]


@contextmanager
def outside() -> Iterator[None]:
    """In this block, no transform of torch.func is active: what is computed from plain tensors is constant to them."""
    hooks = torch._C._autograd
    forbidden = hooks._saved_tensors_hooks_get_disabled_error_message()
    with temporarily_clear_interpreter_stack():
        hooks._saved_tensors_hooks_enable()
        try:
            yield
        finally:
            if forbidden is not None:
                hooks._saved_tensors_hooks_disable(forbidden)
