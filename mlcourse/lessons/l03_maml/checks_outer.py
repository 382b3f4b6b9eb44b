"""Checks of lesson 03: the test of a meta-gradient, and the outer loop."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mlcourse.exercises import oracles
from mlcourse.exercises.framework import Crashed, LearnerFunction, Misconception, NotYet, explain
from mlcourse.exercises.gradients import (CUT, FIRST_ORDER, IN_PLACE, THROWN_AWAY, explain_crash, gradients_by,
                                          look_like_params)
from mlcourse.exercises.oracles import Params
from mlcourse.exercises.values import DIGITS, number

# ---------------------------------------------------------------- 03.3

ONE_SIDED, HALF_WAY = "a one-sided difference", "the distance is 2 eps"
NO_DIRECTION, SIGNED, ABSOLUTE = "a slope without its direction", "an error with a sign", "an absolute error"
BARE_RATIO, TO_ITSELF = "a ratio, not an error", "autograd compared with itself"
INVERTED = "the ratio upside down"
SLOPE = "slope_error must return one number"
EPSILONS = (0.3, 0.1)


def check_slope_error(answer: object) -> str:
    """03.3: the error of right and of wrong gradients of a function whose central differences are known."""
    slope_error = LearnerFunction(answer, "slope_error", because="F of a moved copy is wanted")
    theta, u = points()
    cases = [(scale, eps) for scale in (1.0, 1.37, -0.4) for eps in EPSILONS]
    got = []
    for scale, eps in cases:
        claimed = {name: scale * g for name, g in slopes(theta).items()}
        got.append(number(slope_error(cubic, theta, claimed, u, eps), SLOPE))
    truth = lambda **faults: [error_of(theta, u, scale, eps, **faults) for scale, eps in cases]
    if not alike(got, truth()):
        explain(got, truth, SLOPE_FAULTS, alike)
        scale, eps = cases[0]
        raise NotYet(f"for the right gradient of a cubic and eps {eps:g} the error is {truth()[0]:.5f}, but you "
                     f"returned {got[0]:.5f}.")
    return f"It finds the error of right and of wrong gradients in {len(cases)} cases."


def points() -> tuple[Params, Params]:
    """theta and u, float64."""
    generator = torch.Generator().manual_seed(0)
    draw = lambda: {name: torch.randn(shape, generator=generator, dtype=torch.float64)
                    for name, shape in (("weight", (3, 2)), ("bias", (2,)))}
    return draw(), draw()


def cubic(params: Params) -> Tensor:
    """Σ p³ + 2p, a scalar."""
    return sum((p ** 3 + 2 * p).sum() for p in params.values())


def slopes(params: Params) -> Params:
    """The gradient of `cubic`, by hand."""
    return {name: 3 * p.detach() ** 2 + 2 for name, p in params.items()}


def error_of(theta: Params, u: Params, scale: float, eps: float, by: str = "both sides", length: int = 2,
             along: bool = True, says: str = "error") -> float:
    """The error that `slope_error` is to return for `scale` times the gradient; the options are the known faults."""
    at = lambda sign: float(cubic({name: p + sign * eps * u[name] for name, p in theta.items()}))
    exact = sum(float((g * u[name]).sum()) for name, g in slopes(theta).items())
    measured = {"both sides": (at(1) - at(-1)) / (length * eps), "one side": (at(1) - at(0)) / eps,
                "autograd": exact}[by]
    claimed = scale * (exact if along else sum(float(g.sum()) for g in slopes(theta).values()))
    return {"error": abs(claimed / measured - 1), "signed": claimed / measured - 1, "ratio": claimed / measured,
            "absolute": abs(claimed - measured), "inverted": abs(measured / claimed - 1)}[says]


SLOPE_FAULTS = (
    (ONE_SIDED, {"by": "one side"}, "a difference to one side is off by a term of order eps; move theta by +eps and by "
     "-eps, where that term cancels"),
    (HALF_WAY, {"length": 1}, "the two points lie 2 eps apart, so their difference is divided by 2 eps"),
    (NO_DIRECTION, {"along": False}, "F was moved along u, so the slope that the gradient gives is the sum of "
     "gradient * u"),
    (SIGNED, {"says": "signed"}, "an error of -0.3 is as wrong as one of 0.3; take the absolute value"),
    (ABSOLUTE, {"says": "absolute"}, "a miss of 0.1 is much for a slope of 0.2 and little for one of 200; divide by "
     "the measured slope"),
    (BARE_RATIO, {"says": "ratio"}, "a right gradient has the ratio 1; return how far it is from 1"),
    (INVERTED, {"says": "inverted"}, "the error is a share of the measured slope, which is the right one: divide "
     "claimed by measured"),
    (TO_ITSELF, {"by": "autograd"}, "a gradient that autograd made is no test of another that autograd made; measure "
     "the slope with two values of F"),
)


def alike(got: list[float], want: list[float]) -> bool:
    """Whether errors agree, to the digits of float32."""
    return all(abs(one - other) <= DIGITS * max(1.0, abs(other)) for one, other in zip(got, want, strict=True))


# ---------------------------------------------------------------- 03.4

ALPHA, BETA, TURNS, TASKS = 0.2, 0.3, 2, 3
NO_GRAPH = "theta without a graph in the next turn"
GRAPH_KEPT, FROM_PHI = "the graph of earlier turns kept", "the next turn starts from phi"
CHAINED, ONE_TURN = "a task starts from the last task's phi", "only the first batch"
Batches = list[list[tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]]]


def check_outer_loop(answer: object) -> str:
    """03.4: θ after two turns, against turns whose meta-gradients are central differences."""
    outer_loop = LearnerFunction(answer, "outer_loop")
    theta, batches = oracles.small_params(5), some_batches()
    given, met = fresh(theta), []

    def watched(params: Params, support: tuple[Tensor, Tensor]) -> Params:
        met.append(params)
        return inner_step(params, support)

    got = called(outer_loop, given, batches, watched)
    want = turns(theta, batches)
    if not oracles.close(got, want):
        explain(got, lambda **faults: turns(theta, batches, **faults), OUTER_FAULTS, oracles.close)
        raise NotYet(f"after {TURNS} turns theta differs from {TURNS} steps of beta times the gradient, with respect "
                     f"to theta, of the mean query loss after the inner step.")
    see_fresh_tensors(theta, given, met)
    return f"After {TURNS} turns theta is where {TURNS} meta-gradients, measured by central differences, lead."


def fresh(theta: Params) -> Params:
    """A copy of θ that requires gradients."""
    return {name: p.detach().clone().requires_grad_() for name, p in theta.items()}


def see_fresh_tensors(theta: Params, given: Params, met: list[Params]) -> None:
    """Raise where a loop with the right numbers overwrote the θ that it was `given`, or began a later turn with tensors
    whose graph leads back to it; met: what its inner steps began from."""
    if any(not torch.equal(p, given[name]) for name, p in theta.items()):
        raise Misconception(IN_PLACE, "the numbers are right, but the theta that was handed in has changed; leave it, "
                            "and let a turn make new tensors.")
    start = sum(p.sum() for p in met[-1].values())
    if start.requires_grad and any(g is not None for g in gradients_by(start, list(given.values()))):
        raise Misconception(GRAPH_KEPT, "the numbers are right, but theta still carries the graph of every earlier "
                            "turn, and memory grows with each; (p - beta * g).detach().requires_grad_() begins anew.")


def called(outer_loop: LearnerFunction, theta: Params, batches: Batches, inner_step: Callable) -> Params:
    """What the learner's loop returns; an error that torch is known to give for a mistake is raised by its name."""
    try:
        return look_like_params(outer_loop(theta, batches, inner_step, loss, BETA), theta)
    except Crashed as crash:
        text = str(crash.error)
        if "not have been used in the graph" in text or "does not require grad" in text and runs_inside(outer_loop):
            raise Misconception(CUT, "nothing leads from the query losses back to theta; inner_step returns parameters "
                                "with their graph, so use them as they are.") from None
        if "require" in text and "grad" in text:
            try:
                outer_loop(fresh(theta), batches[:1], inner_step, loss, BETA)
            except Crashed:
                explain_crash(crash)
            else:
                raise Misconception(NO_GRAPH, "the first turn works, and the second cannot be differentiated: what a "
                                    "turn leaves must be new tensors that require gradients, as by "
                                    "(p - beta * g).detach().requires_grad_().") from None
        raise


def runs_inside(outer_loop: LearnerFunction) -> bool:
    """Whether the learner's loop gets through its inner steps: its own gradient fails, and not theirs."""
    entered = []

    def watched(theta: Params, support: tuple[Tensor, Tensor]) -> Params:
        phi = inner_step(theta, support)
        entered.append(1)
        return phi

    try:
        outer_loop(oracles.small_params(5), some_batches()[:1], watched, loss, BETA)
    except Crashed:
        return len(entered) == TASKS
    return False


def some_batches() -> Batches:
    """Batches of tasks, each a support and a query set (x, y)."""
    episodes = [oracles.sine_episode(seed) for seed in range(20, 20 + TURNS * TASKS)]
    pairs = [((e.support_x, e.support_y), (e.query_x, e.query_y)) for e in episodes]
    return [pairs[i:i + TASKS] for i in range(0, len(pairs), TASKS)]


def loss(params: Params, samples: tuple[Tensor, Tensor]) -> Tensor:
    """The mean squared error of the small network on samples (x, y)."""
    return oracles.mse(params, *samples)


def inner_step(theta: Params, support: tuple[Tensor, Tensor]) -> Params:
    """One step on the support loss, with its graph."""
    grads = torch.autograd.grad(loss(theta, support), list(theta.values()), create_graph=True)
    return {name: p - ALPHA * g for (name, p), g in zip(theta.items(), grads)}


def turns(theta: Params, batches: Batches, adapt: str = "support", evaluate: str = "query", order: int = 2,
          sign: int = -1, times: int = 1, rate: float = BETA, last_task: bool = False, kept: str = "each turn",
          update: str = "descent") -> Params:
    """θ after a turn of the outer loop for each batch, as plain numbers; the options are the known faults."""
    start, done = theta, {name: torch.zeros_like(p) for name, p in theta.items()}
    sets = lambda task: dict(zip(("support", "query"), task))

    def adapted(at: Params, task) -> Params:
        if adapt == "none":
            return at
        return oracles.step(lambda p: loss(p, sets(task)[adapt]), at, ALPHA)

    def gradient(at: Params, tasks: list) -> Params:
        if order == 1:
            each = [oracles.gradient(lambda p, task=task: loss(p, sets(task)[evaluate]), adapted(at, task))
                    for task in tasks]
            return {name: sum(g[name] for g in each) / len(each) for name in at}

        def mean(p: Params) -> Tensor:
            total, begun = 0.0, p
            for task in tasks:
                phi = adapted(begun, task)
                total = total + loss(phi, sets(task)[evaluate]) / len(tasks)
                begun = phi if update == "chained" else p
            return total
        return oracles.numeric_gradient(mean, at)

    for tasks in batches[:1] if kept == "the first turn" else batches:
        at = start if kept == "none" else theta
        chosen = tasks[-1:] if last_task else tasks
        if update == "mean":
            phis = [adapted(at, task) for task in chosen]
            theta = {name: sum(phi[name] for phi in phis) / len(phis) for name in at}
            continue
        for group in ([[task] for task in chosen] if update == "each task" else [chosen]):
            g = gradient(at, group)
            done = {name: g[name] + (done[name] if kept == "sums" else 0) for name in g}
            begun = adapted(at, group[-1]) if update == "from phi" else at
            at = {name: p.detach() + sign * times * rate * done[name] for name, p in begun.items()}
        theta = at
    return start if kept == "nothing" else theta


OUTER_FAULTS = (
    ("one model adapted, another evaluated", {"adapt": "none"}, "this descends the query loss at theta, which is joint "
     "training; the loss of line [6] is that of the adapted parameters"),
    ("adapted and evaluated on the same data", {"evaluate": "support"}, "this descends the support loss after "
     "adapting to the support set; it says nothing about new points, so evaluate on the query set"),
    ("adapted on the query set", {"adapt": "query"}, "the query set was used to adapt and to evaluate; adapt on the "
     "support set"),
    ("support and query swapped", {"adapt": "query", "evaluate": "support"}, "the model adapted on the query set and "
     "was evaluated on the support set; it must be the other way round"),
    ("no adaptation", {"adapt": "none", "evaluate": "support"}, "this descends the support loss at theta, the loss "
     "that the inner loop starts from"),
    ("a performance instead of a loss", {"sign": 1}, "theta climbed; the outer loop descends a loss, so its gradient "
     "is subtracted"),
    (FIRST_ORDER, {"order": 1}, "the gradient with respect to theta lacks the second derivatives: the inner gradient "
     "was treated as a constant, or the gradient was taken with respect to φ; take it with respect to theta, through "
     "the parameters that inner_step returns"),
    ("sum instead of mean", {"times": TASKS}, "line [6] takes the mean over the tasks of a batch"),
    ("the rate is forgotten", {"rate": 1.0}, "the step is the whole gradient; multiply it by beta"),
    ("only the last task of a batch", {"last_task": True}, "the losses of the other tasks were overwritten; add them "
     "up"),
    (THROWN_AWAY, {"kept": "nothing"}, "theta is what it was at the start; each turn must leave a new one"),
    (THROWN_AWAY, {"kept": "none"}, "each turn began at the first theta again; it must begin where the last one ended"),
    ("gradients of earlier turns added", {"kept": "sums"}, "backward() adds to .grad, and nobody emptied it between "
     "the turns; use torch.autograd.grad, or set .grad to None"),
    ("the mean of the adapted parameters", {"update": "mean"}, "averaging what the tasks adapted to is another "
     "algorithm, close to Reptile, and needs no query set; MAML takes the gradient of the query losses"),
    (FROM_PHI, {"update": "from phi"}, "the outer step moves theta, not what a task adapted to: p - beta * g for the p "
     "of theta"),
    (CHAINED, {"update": "chained"}, "every task of a batch adapts from theta; yours went on from where the task "
     "before it had ended"),
    (ONE_TURN, {"kept": "the first turn"}, "theta took one step, for the first batch; return after the loop, not "
     "inside it"),
    ("a step for each task", {"update": "each task"}, "all tasks of a batch start from the same theta; step once, with "
     "the mean of their losses"),
)
