"""The claim that a class computes several tasks at once, and when it holds.

A stacked form is written for one class; `Stacking` sees to it that no subclass has it by inheritance once it changed a
part of what was stacked.
"""

from __future__ import annotations

from typing import Any

from torch import nn

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
            and vars(thing).keys().isdisjoint(type(thing)._claimed) and not _ties(thing) and bool(thing.stacks))


def _ties(thing: Any) -> bool:
    """Whether two of a module's parameters are one: weights of several tasks are given for each by name."""
    every = [id(p) for module in thing.modules() for p in module._parameters.values() if p is not None]
    return len(set(every)) < len(every)


def untouched(thing: Any, owner: type, *names: str) -> bool:
    """Whether an object's methods of these names are those of `owner`."""
    return all(getattr(type(thing), name) is getattr(owner, name) and name not in vars(thing) for name in names)


def plain(module: nn.Module, kind: type) -> bool:
    """Whether a module is of exactly this kind, without a hook, its own or of all modules, or a `forward` of its own:
    no stacked form calls them."""
    own, of_all = module.__dict__, nn.modules.module
    hooks = ("forward_hooks", "forward_pre_hooks", "backward_hooks", "backward_pre_hooks")
    return type(module) is kind and "forward" not in own and not any(
        own[f"_{name}"] or getattr(of_all, f"_global_{name}") for name in hooks)
