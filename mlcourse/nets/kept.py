"""Whether a copy and a checkpoint of a module are the whole of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

WRITTEN = {torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.bool, torch.int8,
           torch.int16, torch.int32, torch.int64, torch.uint8, torch.uint16, torch.uint32, torch.uint64}


def check_hooks(module: nn.Module) -> None:
    """Raises ValueError where a parameter has a hook of its own: a copy would lose it without a word."""
    if name := hooked(module):
        raise ValueError(f"the parameter {name!r} has a hook, as by register_hook, which neither a copy nor a "
                         "checkpoint keeps; remove it, and do what it does in forward() or in the loss")


def hooked(module: nn.Module) -> str:
    """The name of the first parameter with a hook of its own; "" for none."""
    return next((name for name, p in module.named_parameters()
                 if p._backward_hooks or getattr(p, "_post_accumulate_grad_hooks", None)), "")


def check_state(module: nn.Module) -> None:
    """Raises ValueError, before it is trained, where the state_dict of a module could not be written as it is: it holds
    what is no tensor, or a tensor of a kind that no checkpoint holds, or others than the module's own parameters and
    buffers."""
    kind, own, state = type(module).__name__, _own(module), module.state_dict()
    for name, value in state.items():
        if not isinstance(value, Tensor):
            raise ValueError(f"{name!r} of this {kind} is no tensor; keep it in the card of the checkpoint or in an "
                             "attribute that the constructor sets, not in its state_dict")
        if is_lazy(value):
            continue
        if what := _unwritten(value):
            raise ValueError(f"{name!r} of this {kind} is {what}, which a checkpoint cannot hold; keep it as a dense "
                             "tensor of float32 or of whole numbers, or register it with persistent=False")
        its_own = name in own and value.data_ptr() == own[name].data_ptr() and value.shape == own[name].shape
        if not (its_own or name.rpartition(".")[2] == "_extra_state"):
            raise ValueError(f"{name!r} in the state_dict of this {kind} is not its own parameter or buffer of that "
                             "name, as where a hook changed it; remove the hook")
    if missing := next((name for name in own if name not in state), ""):
        raise ValueError(f"{missing!r} of this {kind} is missing in its state_dict, as where a hook removed it; remove "
                         "the hook")


def _own(module: nn.Module) -> dict[str, Tensor]:
    """All that a state_dict holds by name: the parameters, and the buffers without those that are not persistent."""
    own = dict(module.named_parameters(remove_duplicate=False))
    for prefix, each in module.named_modules(remove_duplicate=False):
        start = f"{prefix}." if prefix else ""
        own |= {f"{start}{name}": b for name, b in each.named_buffers(recurse=False, remove_duplicate=False)
                if name not in each._non_persistent_buffers_set}
    return own


def _unwritten(value: Tensor) -> str:
    """What a tensor is that no checkpoint holds; "" for one that it holds."""
    if value.is_meta:
        return "without values (on the meta device)"
    if value.is_quantized:
        return "quantised"
    if value.layout != torch.strided:
        return "sparse"
    return "" if value.dtype in WRITTEN else f"of type {value.dtype}"
