"""What the checks of several lessons ask of an adaptation: new parameters, the old ones left alone, the right
gradient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from mlcourse.exercises import oracles
from mlcourse.exercises.framework import IN_PLACE, Crashed, LearnerFunction, Misconception, NotYet, also, kind
from mlcourse.exercises.oracles import Params

CUT = "cut off from the initialisation"
FIRST_ORDER = "first order only"
NO_GRAD = "inner loop under no_grad"
BACKWARD = "backward() inside the inner loop"
THROWN_AWAY = "the update is thrown away"
NO_STEP = {THROWN_AWAY, "the step instead of its result", "one model adapted, another evaluated", "no adaptation"}
BROKEN = "an in-place change that breaks the graph"
AT_THETA = "gradient at theta, not at the adapted weight"
OUTER = "the outer loop goes on with the same numbers"         # why an adaptation leaves its arguments alone


def call_step(function: LearnerFunction, params: Params, *args) -> Params:
    """Call a learner's adaptation (params go where `args` holds them) and see that it hands back new
    parameters and leaves the old ones, and their .grad, alone."""
    leaves, result, changed = list(params.values()), None, None
    try:
        result = function(*args)
    except Crashed as crash:
        explain_crash(crash)
        raise
    except Misconception as found:
        changed = found
    if any(p.grad is not None for p in leaves):
        filled = Misconception(BACKWARD, "the .grad of the initialisation is filled now, and the outer loop would add "
                               "to it; ask torch.autograd.grad for the gradient, it returns it and stores nothing.")
        raise also(filled, changed) if changed else filled
    if changed:
        raise changed
    return result


def explain_crash(crash: Crashed) -> None:
    """Raise the misconception behind an error that torch is known to give for it."""
    text = str(crash.error)
    if "does not require grad" in text:
        raise Misconception(NO_GRAD, f"torch says \"{text.splitlines()[0]}\", because the loss was computed under "
                            f"no_grad or from detached parameters and has no graph to differentiate; compute it with "
                            f"the graph.") from None
    if "a leaf Variable that requires grad" in text and "in-place" in text:
        raise Misconception(IN_PLACE, "an in-place operation such as -= would overwrite the initialisation, and torch "
                            "refuses that; build new tensors, p - alpha * g.") from None


def look_like_params(result: object, params: Params) -> Params:
    """The learner's adapted parameters, or a sentence on why they are none."""
    if not isinstance(result, dict) or set(result) != set(params):
        got = f"a dict with the keys {', '.join(map(str, result))}" if isinstance(result, dict) else kind(result)
        raise NotYet(f"the result must be a dict with the keys of the given one ({', '.join(params)}), got {got}.")
    for name, value in result.items():
        if not isinstance(value, Tensor) or value.shape != params[name].shape:
            got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else kind(value)
            raise NotYet(f"{name} must stay a tensor of shape {tuple(params[name].shape)}, got {got}.")
    return {name: value.to(params[name].dtype) for name, value in result.items()}


def check_outer_gradient(outer: Tensor, params: Params, truth: Params, first_order: Params) -> None:
    """Compare the gradient of `outer` with respect to the initialisation with central differences (`truth`)."""
    found = gradient_of(outer, params)
    if found is not None and oracles.close(found, truth):
        return
    if fault := fault_of_graph(outer, params, first_order, "the numbers are right, but "):
        raise fault
    raise NotYet("the adapted parameters are right, but the gradient of the outer loss with respect to the "
                 "initialisation differs from central differences; look for a part of the update that is detached.")


def gradients_by(loss: Tensor, leaves: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
    """The gradients of a scalar by tensors; None for one that takes no part. Raises Misconception where the graph was
    broken by an in-place change."""
    if not loss.requires_grad:
        return (None,) * len(leaves)
    try:
        return torch.autograd.grad(loss, leaves, allow_unused=True, retain_graph=True)
    except RuntimeError as error:
        if "inplace operation" not in str(error):
            raise
        raise Misconception(BROKEN, "an in-place change such as -=, /= or fill_ overwrote a number that the backward "
                            "pass needs; make a new tensor there.") from None


def gradient_of(outer: Tensor, params: Params) -> Params | None:
    """The gradient of a scalar by params, zeros where one takes no part; None where none does."""
    found = gradients_by(outer, list(params.values()))
    if all(g is None for g in found):
        return None
    return {name: torch.zeros_like(p) if g is None else g for (name, p), g in zip(params.items(), found)}


def fault_of_graph(outer: Tensor, params: Params, first_order: Params | None, start: str = "") -> Misconception | None:
    """What is wrong with the graph between the initialisation and `outer`, whatever its value: there is none, or it
    leaves out the inner gradient, and its gradient is `first_order` (None: not looked for)."""
    found = gradient_of(outer, params)
    if found is None:
        return Misconception(CUT, f"{start}no gradient flows from the adapted parameters back to the initialisation; "
                             "look for no_grad, detach() or .data in the inner loop.")
    if first_order is not None and oracles.close(found, first_order):
        return Misconception(FIRST_ORDER, f"{start}the gradient of the outer loss lacks the second derivatives: the "
                             "inner gradient was treated as a constant. torch.autograd.grad needs create_graph=True, "
                             "and torch.func.grad must not run under no_grad.")
    return None


@contextmanager
def graph_named_too(outer: Tensor, params: Params, first_order: Params) -> Iterator[None]:
    """A misconception about values that is raised inside is joined by what is wrong with the graph of `outer`.

    A step that was not taken has no second derivatives to leave out, so only a cut graph joins those of `NO_STEP`."""
    try:
        yield
    except Misconception as found:
        fault = fault_of_graph(outer, params, None if NO_STEP & set(found.names) else first_order)
        raise (also(found, fault) if fault else found) from None
