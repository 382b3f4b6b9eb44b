"""A learner in words: its method, its settings and its network, from which it can be built anew."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor, nn

from mlcourse.learner import Learner
from mlcourse.learners import record, record_of
from mlcourse.nets import build_net, hooked

OWN = ("to save it all the same, use rebuilds=False, and load it with checkpoint.load(path, into=learner), a learner "
       "that you make as you made this one")
# attributes that change no number of a trained learner; `drawn` is drawn anew before each step of a training
OF_SPEED = {"training", "tasks_at_once", "refused_by_vmap", "stacks", "seen", "drawn"}
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks", "_state_dict_hooks",
         "_state_dict_pre_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks")


def describe(learner: Learner) -> dict:
    """The learner as JSON: the name of its method, its settings (`config`), and the network's unless the method makes
    its own.

    Raises ValueError, in one sentence, unless `rebuild` makes the same learner of it: the same classes throughout,
    without a method or a hook of the object's own or tied weights, the same settings as they are now, and tensors of
    the same names, shapes and types.
    """
    kind, entry = type(learner).__name__, record_of(learner)
    if entry is None:
        raise ValueError(f"{kind} is no method of the course, so that a checkpoint could not be built anew; {OWN}")
    try:
        net = learner.net.config if entry.net else None
        description = {"method": entry.name, "settings": learner.config, "net": net}
        description = json.loads(json.dumps(description, allow_nan=False))
    except AttributeError:
        raise ValueError(f"this {kind} is around a {type(learner.net).__name__}, which is no network of the course, so "
                         f"that a checkpoint could not be built anew; {OWN}") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"the settings of this {kind} cannot be written as JSON ({error}); {OWN}") from error
    try:
        with torch.random.fork_rng(devices=[]):
            again = in_precision_of(rebuild(description), learner.state_dict())
    except ValueError as error:
        raise ValueError(f"this {kind} cannot be built anew from its config {learner.config}: {error}; "
                         f"{OWN}") from error
    if found := _difference(learner, again):
        raise ValueError(f"this {kind} is not what its config makes: {found}; make it so in its constructor, or {OWN}")
    return description


def rebuild(description: dict) -> Learner:
    """The untrained learner of `describe`. Raises ValueError for an unknown method, setting or network."""
    try:
        kind = record(description["method"]).kind
        if not isinstance(description["net"], dict | None):
            raise TypeError(f"its net is {description['net']!r}")
        net = () if description["net"] is None else (build_net(description["net"]),)
        return kind(*net, **description["settings"])
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(f"the card does not describe a learner ({error}); was it made by another version?") from error


def in_precision_of(learner: Learner, tensors: dict[str, Tensor]) -> Learner:
    """The learner with its numbers in the type that all floating-point tensors have, where they have one."""
    types = {t.dtype for t in tensors.values() if t.is_floating_point()}
    return learner.to(types.pop()) if len(types) == 1 else learner


def _difference(learner: nn.Module, again: nn.Module) -> str:
    """In a clause, the first thing in which a learner is not the one built anew; "" for nothing."""
    mine, theirs = (dict(each.named_modules(remove_duplicate=False)) for each in (learner, again))
    for name in sorted(mine.keys() | theirs.keys()):
        its = f"its {name}" if name else "it"
        if name not in theirs or name not in mine:
            return f"{its} is {'an addition' if name in mine else 'missing'}"
        if type(mine[name]) is not type(theirs[name]):
            return f"{its} is a {type(mine[name]).__name__}, not a {type(theirs[name]).__name__}"
        if any(len(getattr(mine[name], hooks)) != len(getattr(theirs[name], hooks)) for hooks in HOOKS):
            return f"{its} has a hook"
        if found := _attributes(mine[name], theirs[name], f"{name}." if name else ""):
            return found
    if name := hooked(learner):
        return f"its {name!r} has a hook"
    shared, apart = _tied(learner), _tied(again)
    for name in sorted(shared.keys() & apart.keys()):
        if shared[name] != apart[name]:
            return f"its {name!r} is {f'tied to {shared[name]!r}' if shared[name] != name else 'no longer tied'}"
    trains, frozen = ({name: p.requires_grad for name, p in each.named_parameters()} for each in (learner, again))
    for name in sorted(trains.keys() & frozen.keys()):
        if trains[name] != frozen[name]:
            return f"its {name!r} is {'to be trained' if trains[name] else 'frozen'}"
    own, other = learner.state_dict(), again.state_dict()
    for name in sorted(own.keys() | other.keys()):
        if name not in own or name not in other:
            return f"its {name!r} is {'an addition' if name in own else 'missing'}"
        if (own[name].shape, own[name].dtype) != (other[name].shape, other[name].dtype):
            return (f"its {name!r} is {own[name].dtype} of shape {tuple(own[name].shape)}, not {other[name].dtype} of "
                    f"shape {tuple(other[name].shape)}")
    return ""


def _tied(learner: nn.Module) -> dict[str, str]:
    """The first name of the tensor behind each name of a state_dict: another one where two names share their numbers.
    """
    first: dict[tuple, str] = {}
    return {name: first.setdefault((t.data_ptr(), t.shape) if t.numel() else (name,), name)
            for name, t in learner.state_dict().items()}


def _attributes(mine: nn.Module, theirs: nn.Module, prefix: str) -> str:
    """In a clause, the first attribute that a class knows and that differs."""
    of_modules = vars(nn.Module()).keys() | OF_SPEED
    own, other = vars(mine), vars(theirs)
    known = {name for name in own if hasattr(type(mine), name)} | other.keys()
    for name in sorted(known - of_modules):
        if name not in other:
            return f"its {prefix}{name} was replaced"
        if name not in own or not _same(own[name], other[name]):
            return f"its {prefix}{name} is {_shown(own.get(name))}, not {_shown(other[name])}"
    return ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 and "\n" not in text else f"a {type(value).__name__}"


def _same(a: Any, b: Any) -> bool:
    if torch.is_tensor(a) and torch.is_tensor(b):
        return a.shape == b.shape and torch.equal(a.cpu(), b.cpu())
    try:
        return bool(a == b) or json.dumps(a) == json.dumps(b)
    except (TypeError, ValueError, RuntimeError):
        return False
