"""Checks of lesson 05: a step with a rate for each weight, the gradient of the rates, and their update."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from mlcourse.exercises import oracles
from mlcourse.exercises.by_hand import DIFFERENCES, FAR, by_hand
from mlcourse.exercises.framework import Crashed, LearnerFunction, Misconception, NotYet, all_of, explain
from mlcourse.exercises.gradients import (AT_THETA, FIRST_ORDER, OUTER, THROWN_AWAY, call_step, gradient_of,
                                          look_like_params)
from mlcourse.exercises.oracles import Params
from mlcourse.exercises.values import number, tensor
from mlcourse.lessons.l05_meta_sgd.broken import Meta

ONE_RATE = "one rate for all weights of a tensor"
CLAMPED = "negative rates forbidden"
NO_ALPHA = "the rates get no gradient"
NO_THETA = "cut off from the initialisation"
SCALAR = "one number for all weights"
SIGN = "sign of the step"
SUPPORT_TWICE = "the support gradient twice"
WRONG_PATH = "the path through theta, not through alpha"
RETURNS_NONE = "backward() returns None"
LEAF = "in-place change of a leaf"
GONE = "the initialisation changed in place"
NOT_PARAMETER = "a Tensor is no Parameter"
THETA_OUT = "theta is not trained"
ALPHA_OUT = "alpha is not trained"
LEFTOVER = "old gradients are added"
IN_TURN = "one after the other"
BY_PLACE = "rates paired by place, not by name"
INNER_RATES = "the rates of the inner step in the outer one"
SWAPPED = "support and query exchanged"
TWICE_ALPHA = "alpha once too often"
TASKS = (18, 19)        # seeds of two tasks of 05.2: after either step a rate is below zero, and only a clamp hides it


def rates_like(params: Params, seed: int = 3) -> Params:
    """Leaf rates of both signs for every parameter."""
    generator = torch.Generator().manual_seed(seed)
    return {name: (0.3 * torch.randn(p.shape, generator=generator, dtype=p.dtype)).requires_grad_()
            for name, p in params.items()}


def stepped(params: Params, alpha: Params, loss: Callable[[Params], Tensor]) -> Params:
    """θ - α ∘ ∇L(θ), as plain numbers."""
    g = oracles.gradient(loss, params)
    return {name: params[name].detach() - alpha[name].detach() * g[name] for name in params}


# ---------------------------------------------------------------- 05.1


def check_step(answer: object) -> str:
    """05.1: the step's value for rates of both signs, and its gradients by θ and by α."""
    step = LearnerFunction(answer, "meta_sgd_step", because=OUTER)
    episode, params = oracles.sine_episode(1), oracles.small_params(1)
    alpha = rates_like(params)
    inner = lambda p: oracles.mse(p, episode.support_x, episode.support_y)
    outer = lambda p: oracles.mse(p, episode.query_x, episode.query_y)
    phi = look_like_params(call_step(step, params, params, inner, alpha), params)
    if not oracles.close(phi, stepped(params, alpha, inner)):
        diagnose_values(phi, params, alpha, oracles.gradient(inner, params), outer)
    by_alpha, by_theta = gradient_of(outer(phi), alpha), gradient_of(outer(phi), params)
    first_order = oracles.gradient(outer, phi)
    if found := faults_of_step(by_alpha, by_theta, first_order, "the numbers are right, but "):
        raise all_of(found)
    if not oracles.close(by_alpha, oracles.numeric_gradient(lambda a: outer(stepped(params, a, inner)), alpha)):
        raise NotYet("the gradient by alpha differs from central differences of the query loss.")
    if not oracles.close(by_theta, oracles.numeric_gradient(lambda p: outer(stepped(p, alpha, inner)), params)):
        raise NotYet("the gradient by theta differs from central differences of the query loss.")
    if not finds_by_name(step, params, alpha, inner):
        raise Misconception(BY_PLACE, "the step is right only while params and alpha list their names in the same "
                            "order; take the rate of a weight by its name, alpha[name].")
    return "The step is right for rates of both signs, and its gradients by theta and alpha agree with differences."


def finds_by_name(step: LearnerFunction, params: Params, alpha: Params, inner: Callable[[Params], Tensor]) -> bool:
    """Whether a step that is right for these arguments is right for the same rates in another order as well."""
    try:
        phi = look_like_params(step(params, inner, dict(reversed(alpha.items()))), params)
    except NotYet:
        return False
    return oracles.close(phi, stepped(params, alpha, inner))


def faults_of_step(by_alpha: Params | None, by_theta: Params | None, first_order: Params,
                   start: str = "") -> list[Misconception]:
    """What is wrong with the graph of a step, from the gradients by α and by θ of the query loss after it."""
    found = []
    if by_alpha is None:
        found.append(Misconception(NO_ALPHA, f"{start}no gradient flows from the adapted parameters to alpha, so the "
                                   "outer loop could not train the rates; look for detach(), .data or no_grad."))
    start = "" if found else start
    if by_theta is None:
        found.append(Misconception(NO_THETA, f"{start}no gradient flows back to theta; look for detach(), .data or "
                                   "no_grad."))
    elif oracles.close(by_theta, first_order):
        found.append(Misconception(FIRST_ORDER, f"{start}the gradient by theta lacks the second "
                                   "derivatives; torch.autograd.grad needs create_graph=True."))
    return found


def diagnose_values(phi: Params, params: Params, alpha: Params, g: Params, outer: Callable) -> None:
    """Raise what is wrong with the values of a step, and with its graph; g is the gradient at params."""
    def step(rate: Callable[[Tensor], Tensor] = lambda a: a, sign: int = -1, start: bool = True) -> Params:
        return {name: start * p.detach() + sign * rate(alpha[name].detach()) * g[name] for name, p in params.items()}

    change = "you returned the change; return the parameters after it"
    try:
        explain(phi, step, (
            (THROWN_AWAY, {"rate": torch.zeros_like}, "the returned parameters equal theta"),
            (SIGN, {"sign": 1}, "a positive rate must go downhill: subtract alpha times the gradient"),
            (CLAMPED, {"rate": lambda a: a.clamp(min=0)}, "weights with a negative rate have not moved; a rate may "
             "have any sign"),
            (CLAMPED, {"rate": torch.abs}, "weights with a negative rate moved the wrong way; a rate keeps its sign"),
            (ONE_RATE, {"rate": lambda a: a.mean()}, "each tensor was moved by the mean of its rates; multiply element "
             "by element"),
            ("the rates are forgotten", {"rate": torch.ones_like}, "the step is the whole gradient; multiply it by "
             "alpha"),
            ("the step instead of its result", {"start": False}, change),
            ("the step instead of its result", {"start": False, "sign": 1}, change),
        ), oracles.close)
    except Misconception as found:
        by_alpha, by_theta = gradient_of(outer(phi), alpha), gradient_of(outer(phi), params)
        moved = not {THROWN_AWAY, "the step instead of its result"} & set(found.names)
        used = moved and "the rates are forgotten" not in found.names
        graph = faults_of_step(by_alpha if used else {}, by_theta, oracles.gradient(outer, phi)) if moved else []
        raise all_of([found, *graph]) from None
    raise NotYet("the result differs from theta - alpha * gradient, element by element; compare one parameter at a "
                 "time.")


# ---------------------------------------------------------------- 05.2


def losses(task: int) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """The support and the query loss of a small task: mean squared errors of a linear model."""
    generator = torch.Generator().manual_seed(task)
    x = torch.randn(2, 4, 3, generator=generator, dtype=torch.float64)
    y = torch.randn(2, 4, generator=generator, dtype=torch.float64)
    return tuple(lambda w, x=x[i], y=y[i]: ((x @ w - y) ** 2).mean() for i in range(2))


def after_update(theta: Tensor, alpha: Tensor, support: Callable, query: Callable, beta: float,
                 rate: Callable[[Tensor], Tensor] = lambda a: a) -> tuple:
    """θ and α after one outer step of SGD, and the query loss before it, by finite differences of the whole loss.

    rate: what the inner step makes of α; the right one takes it as it is.
    """
    def loss(both: Tensor) -> Tensor:
        t, a = both[:3].detach().requires_grad_(), rate(both[3:])
        g, = torch.autograd.grad(support(t), t)
        return query(t.detach() - a * g)

    both = torch.cat([theta.detach(), alpha.detach()])
    slope = numeric(loss, both)
    moved = both - beta * slope
    return moved[:3], moved[3:], float(loss(both))


def check_update(answer: object) -> str:
    """05.2: two outer steps of SGD on θ and α, which stay the parameters that they were."""
    update = LearnerFunction(answer, "outer_update")
    meta, beta = Meta(), 0.05
    objects, earlier = (meta.theta, meta.alpha), None
    for task in TASKS:
        support, query = losses(task)
        start = meta.theta.detach().clone(), meta.alpha.detach().clone()
        want_theta, want_alpha, loss = after_update(*start, support, query, beta)
        try:
            got = update(meta, support, query, beta)
        except Crashed as crash:
            explain_update(crash, meta, start)
            raise
        if not (isinstance(meta.theta, nn.Parameter) and isinstance(meta.alpha, nn.Parameter)):
            raise Misconception(NOT_PARAMETER, "theta or alpha is a plain tensor now, which no optimiser would find; "
                                "change the values of the parameter and keep the parameter.")
        if meta.theta is not objects[0] or meta.alpha is not objects[1]:
            raise NotYet("theta or alpha was replaced by a new parameter; an optimiser would go on training the old "
                         "one, so change the values in place under no_grad.")
        diagnose_update(meta, start, (want_theta, want_alpha), (support, query), beta, earlier)
        earlier = (want_theta - start[0], want_alpha - start[1])
        returns = f"outer_update must return the query loss before the update, {loss:.4f} here"
        value = number(got, returns)
        if not abs(value - loss) <= 1e-5 * max(1.0, abs(loss)):
            raise NotYet(f"{returns}, got {value:.4f}.")
    return "Two outer steps move theta and alpha as central differences say, and both stay parameters."


def explain_update(crash: Crashed, meta: Meta, start: tuple[Tensor, Tensor]) -> None:
    """Raise the misconception behind an error that torch is known to give for it."""
    text = str(crash.error)
    if "NoneType" in text and not torch.equal(meta.theta.detach(), start[0]):
        raise Misconception(GONE, "alpha.grad is None: the inner step overwrote theta under no_grad, so the query "
                            "loss does not depend on alpha, and the initialisation is gone; let the inner step make a "
                            "new tensor.") from None
    if "NoneType" in text:
        raise Misconception(RETURNS_NONE, "backward() returns None and leaves the gradients in .grad; multiply beta by "
                            "a gradient.") from None
    if "a leaf Variable that requires grad" in text:
        raise Misconception(LEAF, "torch refuses to change a leaf that requires gradients in place; an update is no "
                            "part of the graph, so do it under torch.no_grad().") from None
    if "cannot assign" in text:
        raise Misconception(NOT_PARAMETER, "alpha is registered as a Parameter, and alpha - beta * gradient is a "
                            "plain tensor; change its values in place under torch.no_grad().") from None


def near(a: Tensor, b: Tensor) -> bool:
    """Whether θ or α is what an outer step by finite differences gives."""
    return bool(((a.detach() - b).abs() <= 1e-5).all())


def forbids(alpha: Tensor, want: Tensor) -> bool:
    """Whether rates are the wanted ones but for those wanted below zero, which lie there no more."""
    off = (alpha.detach() - want).abs() > 1e-5
    return bool(off.any() and (want[off] < 0).all() and (alpha.detach()[off] >= 0).all())


def diagnose_forbidden(meta: Meta, start: tuple, task_losses: tuple, beta: float) -> None:
    """Raise it where the update began, or took its inner step, without negative rates."""
    for positive in (torch.relu, torch.abs):
        for ended in (after_update(*start, *task_losses, beta, rate=positive),
                      after_update(start[0], positive(start[1]), *task_losses, beta)):
            if near(meta.theta, ended[0]) and near(meta.alpha, ended[1]):
                raise Misconception(CLAMPED, "the inner step took negative rates for 0, or turned them round; a rate "
                                    "may have any sign, so take alpha as it is.")


def diagnose_update(meta: Meta, start: tuple, want: tuple, task_losses: tuple, beta: float,
                    earlier: tuple | None) -> None:
    """Raise what is wrong with θ and α after an outer step; earlier: how the right step before it moved them."""
    theta_right, alpha_right = near(meta.theta, want[0]), near(meta.alpha, want[1])
    if theta_right and alpha_right:
        return
    if earlier and all(near(now, right) or near(now, right + move)
                       for now, right, move in zip((meta.theta, meta.alpha), want, earlier)):
        raise Misconception(LEFTOVER, "the first update is right and the second is not: the gradients of the first "
                            "were still in .grad; set them to None, or ask torch.autograd.grad, which stores nothing.")
    diagnose_forbidden(meta, start, task_losses, beta)
    found = [Misconception(name, f"{which} has not moved; Meta-SGD trains both in the same step.")
             for which, name, now, before in (("theta", THETA_OUT, meta.theta, start[0]),
                                              ("alpha", ALPHA_OUT, meta.alpha, start[1])) if near(now, before)]
    mirrored = 2 * start[1] - want[1]
    uphill = [which for which, now, before, right in (("theta", meta.theta, start[0], want[0]),
                                                      ("alpha", meta.alpha, start[1], want[1]))
              if not near(now, right) and near(now, 2 * before - right) or which == "alpha" and forbids(now, mirrored)]
    if uphill:
        found.append(Misconception(SIGN, f"{' and '.join(uphill)} moved uphill; subtract beta times the gradient."))
    if forbids(meta.alpha, want[1]) or forbids(meta.alpha, mirrored):
        found.append(Misconception(CLAMPED, "a rate that the step takes below zero is not below zero afterwards; a "
                                   "rate may have any sign, so leave alpha where the step takes it."))
    at = start[0].clone().requires_grad_()
    g, = torch.autograd.grad(task_losses[0](at), at)
    phi = (start[0] - start[1] * g).requires_grad_()
    first, = torch.autograd.grad(task_losses[1](phi), phi)
    if not theta_right and any(near(meta.theta, start[0] - sign * beta * first) for sign in (1, -1)):
        if near(meta.theta, start[0] + beta * first) and not uphill:
            found.append(Misconception(SIGN, "theta moved uphill; subtract beta times the gradient."))
        found.append(Misconception(FIRST_ORDER, "theta moved along the query gradient at phi: the second derivatives "
                                   "are missing, so take the support gradient with create_graph=True, and the query "
                                   "gradient by theta, not by phi."))
    slope = (start[0] - want[0]) / beta
    if not theta_right and any(near(meta.theta, start[0] - rates * slope) for rates in (start[1], meta.alpha)):
        found.append(Misconception(INNER_RATES, "theta moved at the rates alpha; the outer step has one rate, beta, "
                                   "for theta and alpha."))
    if found:
        raise all_of(found)
    if earlier:
        raise NotYet("the first update is right and the second is not: what does it keep of the first?")
    for right, other, now, first, second in (
            (theta_right, "alpha", meta.alpha, "theta", after_update(meta.theta, start[1], *task_losses, beta)[1]),
            (alpha_right, "theta", meta.theta, "alpha", after_update(start[0], meta.alpha, *task_losses, beta)[0])):
        if right and near(now, second):
            raise Misconception(IN_TURN, f"{first} had moved when the gradient by {other} was taken; take both "
                                "gradients at the same theta and alpha, and then move both.")
    if alpha_right:
        raise NotYet("alpha is right, and theta differs from one step of beta times its gradient; does the step start "
                     "from theta as it was before the inner step?")
    if theta_right:
        raise NotYet("theta is right, and alpha differs from one step of beta times its gradient.")
    raise NotYet("theta and alpha differ from one step of beta times their gradients of the query loss at phi.")


# ---------------------------------------------------------------- 05.3


def check_rate_gradient(answer: object) -> str:
    """05.3: ∂L(φ; Q)/∂α of a linear model, by a formula, against central differences."""
    generator = torch.Generator().manual_seed(5)
    draw = lambda *shape: torch.randn(shape, generator=generator, dtype=torch.float64)
    cases = [(draw(3), 0.3 * draw(3), (draw(3), float(draw(1))), (draw(3), float(draw(1)))) for _ in range(3)]
    with by_hand(answer, "rate_gradient") as function:
        rate_gradient = lambda *case: rates_of(function(*copy.deepcopy(case)))
        got = torch.stack([rate_gradient(*case) for case in cases])
        if not agree(got, torch.stack([numeric(lambda a: query_loss(theta, a, support, query), alpha)
                                       for theta, alpha, support, query in cases])):
            explain(got, lambda **faults: torch.stack([by_formula(*case, **faults) for case in cases]), RATE_FAULTS,
                    agree)
            raise NotYet("it differs from central differences of the query loss; write phi as a function of alpha "
                         "first.")
        theta, alpha, support, (x_q, _) = cases[0]
        far = theta, alpha, support, (x_q, FAR)
        if not agree(rate_gradient(*far)[None], by_formula(*far)[None]):
            raise Misconception(*DIFFERENCES)
    return "It agrees with central differences of the query loss in 3 cases."


def rates_of(got: object) -> Tensor:
    """A derivative for each of the three rates."""
    if isinstance(got, (Tensor, float)) and torch.as_tensor(got).numel() == 1:
        raise Misconception(SCALAR, "there are three rates and you returned one number; every rate has a derivative of "
                            "its own, so multiply element by element and do not sum.")
    return tensor(got, (3,), "rate_gradient must return a tensor of shape (3,)")


def agree(got: Tensor, want: Tensor) -> bool:
    """Whether the derivatives of all cases (cases, 3) agree to 1e-4."""
    return bool(((got - want).abs() <= 1e-4 * want.abs().amax(1, keepdim=True)).all())


def query_loss(theta: Tensor, alpha: Tensor, support: tuple, query: tuple) -> Tensor:
    """The query loss after one step; both losses are (θ·x - y)² / 2 on one sample."""
    (x_s, y_s), (x_q, y_q) = support, query
    phi = theta - alpha * (theta @ x_s - y_s) * x_s
    return (phi @ x_q - y_q) ** 2 / 2


def numeric(function: Callable[[Tensor], Tensor], at: Tensor, h: float = 1e-5) -> Tensor:
    """Central differences of a scalar function of a vector."""
    each = torch.eye(len(at), dtype=at.dtype) * h
    return torch.stack([(function(at + e) - function(at - e)) / (2 * h) for e in each])


def by_formula(theta: Tensor, alpha: Tensor, support: tuple, query: tuple, sign: int = -1, at: str = "phi",
               first: str = "query", second: str = "theta", times: float = 1, swapped: bool = False,
               with_alpha: bool = False) -> Tensor:
    """The derivative by the rates on paper; the options are the known faults."""
    if swapped:
        support, query = query, support
    slope = lambda at, pair: (at @ pair[0] - pair[1]) * pair[0]
    g_s = slope(theta, support)
    phi = theta - alpha * g_s
    g_q = slope({"phi": phi, "theta": theta}[at], query)
    if first == "theta":        # the derivative by θ
        return g_q - (alpha * g_q) @ support[0] * support[0]
    second = {"theta": g_s, "phi": slope(phi, support), "none": torch.ones_like(g_s)}[second]
    return times * sign * {"query": g_q, "support": g_s}[first] * second * (alpha if with_alpha else 1)


RATE_FAULTS = (
    (SIGN, {"sign": 1}, "the step subtracts alpha times the support gradient, so the derivative has a minus"),
    (AT_THETA, {"at": "theta"}, "the query loss is computed with the adapted weights, so its gradient is taken at phi"),
    (SUPPORT_TWICE, {"first": "support"}, "the first factor is the gradient of the query loss, not of the support "
     "loss"),
    ("the support gradient at phi", {"second": "phi"}, "the step was taken with the support gradient at theta"),
    ("the support gradient left out", {"second": "none"}, "phi depends on alpha through alpha * support gradient, so "
     "its derivative is minus the support gradient"),
    ("a factor of two", {"times": 2}, "both losses carry a factor ½, which cancels the 2 of the square"),
    (WRONG_PATH, {"first": "theta"}, "this is the derivative by theta; the rates enter phi directly"),
    (SWAPPED, {"swapped": True}, "the step is taken on the support sample, and the loss that is differentiated is that "
     "of the query sample"),
    (TWICE_ALPHA, {"with_alpha": True}, "phi is linear in alpha, so its derivative by alpha has no alpha in it"),
)
