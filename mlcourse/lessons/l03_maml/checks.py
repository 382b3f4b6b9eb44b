"""Checks of lesson 03: the inner step and the meta-gradient on paper."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.exercises import oracles
from mlcourse.exercises.by_hand import DIFFERENCES, FAR, by_hand
from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, explain
from mlcourse.exercises.gradients import (AT_THETA, FIRST_ORDER, OUTER, THROWN_AWAY, call_step, check_outer_gradient,
                                          graph_named_too, look_like_params)
from mlcourse.exercises.oracles import Params
from mlcourse.exercises.values import number

ALPHA = 0.2
ASCENT, TWICE = "gradient ascent", "twice the curvature"


def check_inner_step(answer: object) -> str:
    """03.1: one step, its value, its side effects, and the gradient through one step and through two."""
    inner_step = LearnerFunction(answer, "inner_step", because=OUTER)
    episode, params = oracles.sine_episode(1), oracles.small_params(1)
    inner = lambda p: oracles.mse(p, episode.support_x, episode.support_y)
    outer = lambda p: oracles.mse(p, episode.query_x, episode.query_y)
    adapted = look_like_params(call_step(inner_step, params, params, inner, ALPHA), params)
    g, want = oracles.gradient(inner, params), oracles.step(inner, params, ALPHA)
    if not oracles.close(adapted, want):
        with graph_named_too(outer(adapted), params, oracles.gradient(outer, adapted)):
            diagnose_step(adapted, params, g)
    for steps in (1, 2):
        phi = params
        for _ in range(steps):
            phi = look_like_params(inner_step(phi, inner, ALPHA), params)
        truth = oracles.numeric_gradient(lambda p: outer(oracles.step(inner, p, ALPHA, steps)), params)
        check_outer_gradient(outer(phi), params, truth, oracles.gradient(outer, phi))
    return "The step is right, changes nothing in place, and the gradient through it agrees with central differences."


def diagnose_step(adapted: Params, params: Params, g: Params) -> None:
    """Raise what is wrong with the value of one inner step; g is the gradient at params."""
    def step(sign: int = -1, rate: float = ALPHA, start: bool = True, size: float = 1) -> Params:
        return {name: start * p.detach() + size * sign * rate * g[name] for name, p in params.items()}

    change = "you returned the gradient or the change; return the parameters after it"
    explain(adapted, step, (
        (THROWN_AWAY, {"size": 0}, "the returned parameters equal the initialisation; return the ones after the step"),
        (ASCENT, {"sign": 1}, "the gradient points uphill, and the step must go down: subtract it"),
        ("the rate is forgotten", {"rate": 1.0}, "the step is the whole gradient; multiply it by alpha"),
        ("the step instead of its result", {"start": False}, change),
        ("the step instead of its result", {"start": False, "sign": 1}, change),
        ("the step instead of its result", {"start": False, "sign": 1, "rate": 1.0}, change),
    ), oracles.close)
    raise NotYet("the result differs from params - alpha * gradient; compare them one parameter at a time.")


CASES = ((1.0, (2.0, 1.0), (1.5, 3.0), 0.1), (-0.5, (1.2, 2.0), (0.7, -1.0), 0.3),
         (2.0, (0.5, -1.0), (3.0, 1.0), 0.05))     # theta, support, query, alpha
META = "meta_gradient must return one number"


def check_meta_gradient(answer: object) -> str:
    """03.2: the meta-gradient of a one-weight model, by a formula, against central differences of its meta-loss."""
    with by_hand(answer, "meta_gradient") as meta_gradient:
        got = [number(meta_gradient(*case), META) for case in CASES]
        want = [slope_of(*case) for case in CASES]
        if not agree(got, want):
            explain(got, lambda **faults: [by_formula(*case, **faults) for case in CASES], META_FAULTS, agree)
            i = next(i for i, pair in enumerate(zip(got, want)) if not agree(pair[:1], pair[1:]))
            theta, support, query, alpha = CASES[i]
            raise NotYet(f"for theta {theta:g}, support {support}, query {query} and alpha {alpha:g} central "
                         f"differences of the meta-loss give {want[i]:.4f}, but you returned {got[i]:.4f}.")
        far = (1.0, (2.0, 1.0), (1.5, FAR), 0.1)
        if not agree([number(meta_gradient(*far), META)], [by_formula(*far)]):
            raise Misconception(*DIFFERENCES)
    return f"It agrees with central differences of the meta-loss in {len(CASES)} cases."


def agree(got: Sequence[float], want: Sequence[float]) -> bool:
    """Whether numbers agree to a thousandth; no for nan."""
    return all(abs(one - other) <= 1e-3 * max(1.0, abs(other)) for one, other in zip(got, want, strict=True))


def slope_of(theta: float, support: tuple, query: tuple, alpha: float, h: float = 1e-4) -> float:
    """The central difference of the meta-loss."""
    return (meta_loss(theta + h, support, query, alpha) - meta_loss(theta - h, support, query, alpha)) / (2 * h)


def meta_loss(theta: float, support: tuple, query: tuple, alpha: float) -> float:
    """The query loss after one step on the support loss; both are (theta x - y)² / 2."""
    (x_s, y_s), (x_q, y_q) = support, query
    adapted = theta - alpha * (theta * x_s - y_s) * x_s
    return (adapted * x_q - y_q) ** 2 / 2


def by_formula(theta: float, support: tuple, query: tuple, alpha: float, factor: str = "support", at: str = "adapted",
               times: float = 1, loss: str = "query") -> float:
    """The meta-gradient on paper; the options are the known faults."""
    (x_s, y_s), (x_q, y_q) = support, query
    slope = lambda at, x, y: (at * x - y) * x
    adapted, uphill = (theta + sign * alpha * slope(theta, x_s, y_s) for sign in (-1, 1))
    if loss == "support":
        return times * slope(theta, x_s, y_s)
    factor = {"support": 1 - alpha * x_s ** 2, "none": 1, "query": 1 - alpha * x_q ** 2, "plus": 1 + alpha * x_s ** 2,
              "one": 1 - alpha, "twice": 1 - 2 * alpha * x_s ** 2}[factor]
    return times * factor * slope({"adapted": adapted, "theta": theta, "uphill": uphill}[at], x_q, y_q)


META_FAULTS = (
    (FIRST_ORDER, {"factor": "none"}, "the adapted weight depends on theta too, and its derivative 1 - alpha * x_s² is "
     "missing from your result"),
    ("the support gradient", {"loss": "support"}, "this is the gradient of the inner "
     "loop; the outer loop differentiates the query loss"),
    (AT_THETA, {"at": "theta", "factor": "none"}, "the query loss is computed with the adapted weight, so its slope is "
     "taken there"),
    (AT_THETA, {"at": "theta"}, "the slope of the query loss must be taken at the adapted weight"),
    ("curvature of the query loss", {"factor": "query"}, "the adapted weight comes from the support loss, so the "
     "curvature in the factor is that of the support loss, x_s²"),
    ("sign of the curvature term", {"factor": "plus"}, "the step subtracts the gradient, so its derivative subtracts "
     "the curvature"),
    ("curvature left out", {"factor": "one"}, "the second derivative of the support loss is x_s², not 1"),
    (TWICE, {"factor": "twice"}, "the support loss carries a factor ½, which cancels the 2 of the square: its second "
     "derivative is x_s²"),
    (ASCENT, {"at": "uphill"}, "the adapted weight lies downhill: the inner step subtracts the gradient"),
    (ASCENT, {"at": "uphill", "factor": "plus"}, "the adapted weight lies downhill: the inner step subtracts the "
     "gradient, and its derivative is 1 - alpha * x_s²"),
    ("a factor of two", {"times": 2}, "both losses carry a factor ½, which cancels the 2 of the square"),
)
