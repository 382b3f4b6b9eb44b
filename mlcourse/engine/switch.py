"""The one switch: which engine computes the tasks of a batch for a learner and its network.

    stacked    the learner's methods and its network take a leading task dimension on everything (nets/stacked.py)
    vmap       torch.vmap of the methods for one episode
    loop       one episode after another: what functorch cannot transform, and the oracle of the other two

All three give the same numbers. Who may claim to be stacked, and when the claim ends: nets/stacking.py.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd.graph import disable_saved_tensors_hooks
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from mlcourse.nets.stacking import stacks
from mlcourse.nets.state import Buffers, settle
from mlcourse.system.machine import is_one_of_several

STACKED, VMAP, LOOP = "stacked", "vmap", "loop"


def engine(learner) -> str:
    """How the tasks of a batch are computed for this learner and its network: STACKED, VMAP or LOOP."""
    net = getattr(learner, "net", None)
    if stacks(learner) and (net is None or stacks(net) and not _frozen_in_part(net)):
        return STACKED
    return LOOP if learner.refused_by_vmap or any(_refused(module) for module in learner.modules()) else VMAP


def _frozen_in_part(net: nn.Module) -> bool:
    return len({p.requires_grad for p in net.parameters()}) == 2


def _refused(module: nn.Module) -> bool:
    """Whether torch.vmap has no rule for this module, no randomness of its own, or a wrong second derivative, or passes
    by a hook of it."""
    if module._backward_hooks or module._backward_pre_hooks:
        return True
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        return module.training or module.running_mean is None
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.training and module.p > 0
    return isinstance(module, (nn.RNNBase, torch.jit.ScriptModule))       # a script hides what it calls


def over_tasks(learner, function: Callable[[Any], Any], batch) -> Any:
    """`function` of every episode of a batch, by the learner's engine: tensors, or a tuple of them, with a leading T.

    function: of one episode, without a task dimension; where the engine is STACKED also of a batch. A batch of one
    episode, of a learner that compares features, is computed as that episode, because torch's own convolutions are then
    faster than products; but not in one of several threads, which would exchange each other's parameters. Where vmap
    turns out to fail, the learner goes on in a loop, and a warning says so once.
    """
    chosen = learner.engine
    if batch.tasks == 1 and learner.compares and not is_one_of_several():
        return in_a_loop(function, batch)
    if chosen == STACKED:
        return function(batch)
    if chosen == VMAP:
        try:
            return _by_vmap(learner, function, batch)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            result = _looped(learner, function, batch)  # raises anew what vmap is not to blame for
            learner.refused_by_vmap = True
            warnings.warn(f"torch.vmap cannot compute {_pair(learner)} ({str(error).splitlines()[0]}), so its tasks "
                          "are computed one after another: slower, the same numbers", stacklevel=2)
            return result
    return _looped(learner, function, batch)


def _looped(learner, function: Callable[[Any], Any], batch) -> Any:
    """`function` in a loop, after which no buffer is left in the form of a transform that is over."""
    try:
        return in_a_loop(function, batch)
    finally:
        settle(learner)


def _by_vmap(learner, function: Callable[[Any], Any], batch) -> Any:
    """`function` of a batch by vmap. Raises RuntimeError where it cannot be, also where a buffer would be left in
    vmap's own form; whatever is raised, the learner's buffers are then what they were."""
    buffers = Buffers(learner)
    try:
        with _RightDerivatives(), disable_saved_tensors_hooks("hooks keep what its gradient needs"):
            result = torch.vmap(function)(batch)
        if name := buffers.escaped():
            raise RuntimeError(f"its buffer {name} depends on the task")
    except BaseException:
        buffers.restore()
        raise
    return result


class _RightDerivatives(TorchFunctionMode):
    """In this block, RuntimeError where a norm's second derivative would be wrong under vmap, without an error (torch
    2.13: in the third digit or worse, of a norm with a weight and a bias; that of group_norm is right). Other norms
    than those of torch.nn.functional, torch.layer_norm or torch.ops.aten.native_batch_norm, are judged by whether they
    are given any tensor beside the samples."""

    def __torch_function__(self, function, types, arguments=(), named=None):
        named = named or {}
        if function in _WRONG:
            given = inspect.signature(function).bind(*arguments, **named).arguments
            own = given.get("training", False) if function is F.batch_norm else given.get("use_input_stats", True)
            if own and (given.get("weight") is not None or given.get("bias") is not None):
                raise RuntimeError(f"the second derivative of its {function.__name__} is wrong there")
        elif _WRONG_NAME.search(name := getattr(function, "__name__", "")):
            if sum(map(torch.is_tensor, (*arguments, *named.values()))) > 1:
                raise RuntimeError(f"the second derivative of its {name} is wrong there")
        return function(*arguments, **named)


_WRONG = (F.batch_norm, F.instance_norm, F.layer_norm)
_WRONG_NAME = re.compile("(batch|instance|layer)_norm")


def in_a_loop(function: Callable[[Any], Any], batch) -> Any:
    """`function` of one episode after another: tensors, or a tuple of them, with a leading T."""
    each = [function(batch.task(i)) for i in range(batch.tasks)]
    return tree_map(lambda *tensors: torch.stack(tensors), each[0], *each[1:])


def _pair(learner) -> str:
    net = getattr(learner, "net", None)
    return type(learner).__name__ + (f" on {type(net).__name__}" if net is not None else "")
