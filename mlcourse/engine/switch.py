"""The one switch: which engine computes the tasks of a batch for a learner and its network.

    stacked    the learner's methods and its network take a leading task dimension on everything (stacked.py)
    vmap       torch.vmap of the methods for one episode
    loop       one episode after another: what functorch cannot transform, and the oracle of the other two

All three give the same numbers. A stacked form is written for one class; `Stacking` sees to it that no subclass has it
by inheritance once it changed a part of what was stacked.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_map

STACKED, VMAP, LOOP = "stacked", "vmap", "loop"
FREE = {"stacks", "phases", "after_step", "is_transductive", "exact_gradient"}    # what no stacked form computes with
FINAL = {"losses", "predictions", "engine"}                                       # what no subclass overrides


class Stacking:
    """A class whose methods may take a leading task dimension, which its own body says: `stacks = True` (or a property,
    where it depends on the object).

    The claim is about the methods as they are there. A subclass, a mixin, an object or a later assignment that replaces
    one of them ends it, unless the class that does so states `stacks` anew. What FREE names may be replaced.
    """

    stacks: bool | property = False
    _claimed: dict[str, Any] | None = None

    def __init_subclass__(cls, **settings):
        super().__init_subclass__(**settings)
        if "stacks" in vars(cls):
            cls._claimed = {name: getattr(cls, name) for name in _methods(cls)} if cls.stacks else None
        elif not _as_claimed(cls):
            cls.stacks = False


def _methods(cls: type) -> set[str]:
    """The names of the methods and properties of a class that its stacked form may rest on."""
    return {name for base in cls.__mro__ if base not in (object, nn.Module) for name, value in vars(base).items()
            if (callable(value) or isinstance(value, property)) and not name.startswith("__")} - FREE - FINAL


def _as_claimed(cls: type) -> bool:
    if cls._claimed is None:
        return False
    for name, method in cls._claimed.items():
        if getattr(cls, name) is not method:
            return False
    return True


def stacks(thing: Any) -> bool:
    """Whether the claim `stacks` of a learner or a network holds for this object; False for a class without one."""
    return (isinstance(thing, Stacking) and _as_claimed(type(thing))
            and vars(thing).keys().isdisjoint(type(thing)._claimed) and bool(thing.stacks))


def untouched(thing: Any, owner: type, *names: str) -> bool:
    """Whether an object's methods of these names are those of `owner`."""
    return all(getattr(type(thing), name) is getattr(owner, name) and name not in vars(thing) for name in names)


def engine(learner) -> str:
    """How the tasks of a batch are computed for this learner and its network: STACKED, VMAP or LOOP."""
    net = getattr(learner, "net", None)
    if stacks(learner) and (net is None or stacks(net)):
        return STACKED
    return LOOP if learner.refused_by_vmap or any(_refused(module) for module in learner.modules()) else VMAP


def _refused(module: nn.Module) -> bool:
    """Whether torch.vmap has no rule for this module, no randomness of its own, or a wrong second derivative."""
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        return module.training or module.running_mean is None
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.training and module.p > 0
    return isinstance(module, nn.RNNBase)


def over_tasks(learner, function: Callable[[Any], Any], batch) -> Any:
    """`function` of every episode of a batch, by the learner's engine: tensors, or a tuple of them, with a leading T.

    function: of one episode, without a task dimension; where the engine is STACKED also of a batch. Where vmap turns
    out to fail, the learner goes on in a loop, and a warning says so once.
    """
    chosen = learner.engine
    if chosen == STACKED:
        return function(batch)
    if chosen == VMAP:
        try:
            return torch.vmap(function)(batch)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            result = in_a_loop(function, batch)         # raises anew what vmap is not to blame for
            learner.refused_by_vmap = True
            warnings.warn(f"torch.vmap cannot compute {_pair(learner)} ({str(error).splitlines()[0]}), so its tasks "
                          "are computed one after another: slower, the same numbers", stacklevel=2)
            return result
    return in_a_loop(function, batch)


def in_a_loop(function: Callable[[Any], Any], batch) -> Any:
    """`function` of one episode after another: tensors, or a tuple of them, with a leading T."""
    each = [function(batch.task(i)) for i in range(batch.tasks)]
    return tree_map(lambda *tensors: torch.stack(tensors), each[0], *each[1:])


def _pair(learner) -> str:
    net = getattr(learner, "net", None)
    return type(learner).__name__ + (f" on {type(net).__name__}" if net is not None else "")
