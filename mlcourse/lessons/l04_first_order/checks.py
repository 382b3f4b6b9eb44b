"""Checks of lesson 04: the term that first order drops, and Reptile's outer step."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.exercises import oracles
from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, explain
from mlcourse.exercises.gradients import NO_GRAD, OUTER, THROWN_AWAY, call_step, look_like_params
from mlcourse.exercises.oracles import Params

ALPHA, BETA, STEPS, TASKS = 0.2, 0.3, 3, 4      # k times a mean of TASKS is no sum over them

# ---------------------------------------------------------------- 04.1

NO_GRAPH = "a gradient without a graph"
MOVING = "u is not held constant"
AT_THETA = "u taken at theta"
OF_QUERY = "curvature of the query loss"
WHOLE = "the whole meta-gradient"
KEPT = "what FOMAML keeps"
BLOCKS = "tensor by tensor"
MEAN = "a mean for a sum"
NO_U = "u is missing"
OTHER_G = "the support gradient in place of u"
SWAPPED = "support and query swapped"
AT_PHI = "H taken at phi"


def check_dropped_term(answer: object) -> str:
    """04.1: -α H u, against an H made of central differences of the gradient, column by column."""
    dropped_term = LearnerFunction(answer, "dropped_term", because=OUTER)
    for seed in (1, 2):
        theta, support, query = case(seed)
        try:
            got = look_like_params(call_step(dropped_term, theta, theta, support, query, ALPHA), theta)
        except Misconception as found:
            if found.name == NO_GRAD:
                raise Misconception(NO_GRAPH, "a slope made of gradients was differentiated, but the gradients carry "
                                    "no graph; ask for the support gradient with create_graph=True.") from None
            raise
        truth = lambda theta=theta, losses=(support, query), **faults: dropped(theta, *losses, **faults)
        if not oracles.close(got, truth()):
            explain(got, truth, DROPPED_FAULTS, oracles.close)
            raise NotYet("it differs from -alpha * H u, with H from central differences of the support gradient; "
                         "compare one by one what g, u, their product, its slope and the factor are.")
    return "It agrees, on two tasks, with the whole matrix H made of central differences."


def case(seed: int):
    """θ of a small network, and the support and the query loss of a task, float64."""
    episode = oracles.sine_episode(seed)
    support = lambda p: oracles.mse(p, episode.support_x, episode.support_y)
    query = lambda p: oracles.mse(p, episode.query_x, episode.query_y)
    return oracles.small_params(seed), support, query


def along(loss, at: Params, u: Params, h: float = 1e-4) -> Params:
    """H u at a point by a central difference of the gradient along u."""
    moved_by = lambda by: {name: p.detach() + by * u[name] for name, p in at.items()}
    ends = [oracles.gradient(loss, moved_by(sign * h)) for sign in (1, -1)]
    return {name: (ends[0][name] - ends[1][name]) / (2 * h) for name in at}


def multiplied(u: Params, g: Params, by: str) -> Params:
    """What H is multiplied by: u, or what stands in its place where the product of g and u is another one."""
    entries = sum(each.numel() for each in u.values())
    return {name: {"u": each, "mean": each / each.numel(), "mean of all": each / entries, "nothing": each * 0 + 1,
                   "g": g[name], "g twice": 2 * g[name]}[by] for name, each in u.items()}


def dropped(theta: Params, support, query, sign: int = -1, rate: float = ALPHA, at: str = "phi", of: str = "support",
            held: bool = True, says: str = "term", whole: bool = True, by: str = "u", curved_at: str = "theta",
            swapped: bool = False) -> Params:
    """-α H u; the options are the known faults."""
    support, query = (query, support) if swapped else (support, query)
    phi = oracles.step(support, theta, ALPHA)
    points = {"phi": phi, "theta": theta}
    g, u = oracles.gradient(support, theta), oracles.gradient(query, points[at])
    curved, place, v = {"support": support, "query": query}[of], points[curved_at], multiplied(u, g, by)
    Hu = along(curved, place, v)
    if not whole:
        alone = lambda kept: {name: each * (name == kept) for name, each in v.items()}
        Hu = {name: along(curved, place, alone(name))[name] for name in v}
    if not held:
        pair = lambda p: (oracles.gradient(support, p), oracles.gradient(query, oracles.step(support, p, ALPHA)))
        slope = lambda p: sum((one * other).sum() for one, other in zip(*(g.values() for g in pair(p)), strict=True))
        Hu = oracles.numeric_gradient(slope, theta)
    kept = {"term": 0, "whole": 1, "kept": 1}[says]
    return {name: kept * u[name] + (says != "kept") * sign * rate * Hu[name] for name in g}


ALL_ENTRIES = "a dot product is a sum over all entries of all tensors, with nothing to divide by"
WHOSE = "g was multiplied by itself; the vector is u, the query gradient at phi"
DROPPED_FAULTS = (
    ("the sign", {"sign": 1}, "the step subtracts alpha times the gradient, so the term is -alpha * H u"),
    ("the rate is forgotten", {"rate": 1.0}, "H u is to be multiplied by -alpha"),
    (AT_THETA, {"at": "theta"}, "u is the query gradient at phi, after the step, and not at theta"),
    (OF_QUERY, {"of": "query"}, "the step follows the support loss, so H holds the second derivatives of the support "
     "loss"),
    (MOVING, {"held": False}, "phi and u depend on theta, and the slope was differentiated through them as well; for "
     "H u hold u constant: take u without create_graph, or detach it"),
    (BLOCKS, {"whole": False}, "each tensor was differentiated by itself, as if it did not bend the gradients of the "
     "others; add the products g * u of all tensors up first, and differentiate that sum"),
    (MEAN, {"by": "mean"}, ALL_ENTRIES),
    (MEAN, {"by": "mean of all"}, ALL_ENTRIES),
    (NO_U, {"by": "nothing"}, "this is H times ones, the slope of the sum of g; multiply g by u before you add up, for "
     "H u is the slope of their dot product"),
    (OTHER_G, {"by": "g"}, WHOSE),
    (OTHER_G, {"by": "g twice"}, WHOSE),
    (SWAPPED, {"swapped": True}, "H and the inner step are those of the support loss, and u is the gradient of the "
     "query loss"),
    (AT_PHI, {"curved_at": "phi"}, "H is that of the support loss at theta, where the step begins; only u is taken at "
     "phi"),
    (WHOLE, {"says": "whole"}, "this is MAML's meta-gradient, u - alpha * H u; return the second part alone"),
    (KEPT, {"says": "kept"}, "this is u, FOMAML's gradient; what it leaves out is -alpha * H u"),
)

# ---------------------------------------------------------------- 04.4

CARRIED_ON = "a task starts where the last one ended"
GRAPH = "a graph that Reptile does not need"
BY_ALPHA = "divided by alpha"
STANDS = "every gradient at theta"
RATES = "alpha and beta swapped"
IN_TURN = "an outer step after each task"
LAST = "only the last gradient"
SCALAR = "a mean over the entries too"
TURNS = {"in turn": 1, "in turn, shared": TASKS}            # an outer step after each task, its rate divided by this
SKIPPED = {"last step": 1, "next gradient": 0}              # one step alone counts, after k less so many


def check_reptile_step(answer: object) -> str:
    """04.4: one outer step, against the same steps by hand; and with one task and one inner step."""
    reptile_step = LearnerFunction(answer, "reptile_step", because=OUTER)
    for k, tasks in ((STEPS, TASKS), (1, 2)):
        theta, samples = oracles.small_params(4), some_samples(tasks)
        got = look_like_params(call_step(reptile_step, theta, theta, list(samples), loss, ALPHA, k, BETA), theta)
        truth = lambda k=k, theta=theta, samples=samples, **faults: moved(theta, samples, k, **faults)
        if not oracles.close(got, truth(), 1e-6):
            explain(got, truth, REPTILE_FAULTS, lambda a, b: oracles.close(a, b, 1e-6))
            raise NotYet(f"with {tasks} tasks and k = {k} theta is not where theta + beta * mean(phi - theta) lies; "
                         f"compare them one parameter at a time.")
    if any(p.grad_fn is not None for p in got.values()):
        raise Misconception(GRAPH, "the numbers are right, but the new theta drags the graph of all inner steps along; "
                            "nothing is differentiated here, so detach it.")
    return f"One outer step is right with {TASKS} tasks and k = {STEPS}, and with k = 1; no graph is kept."


def some_samples(tasks: int) -> list[tuple[Tensor, Tensor]]:
    """The samples (x, y) of some tasks."""
    return [oracles.sine_episode(seed).samples() for seed in range(30, 30 + tasks)]


def loss(params: Params, samples: tuple[Tensor, Tensor]) -> Tensor:
    """The mean squared error of the small network on samples (x, y)."""
    return oracles.mse(params, *samples)


def moved(theta: Params, samples: list, k: int, sign: int = 1, beta: float = BETA, rate: float = ALPHA,
          divide: float | None = None, start: str = "theta", steps: str = "k", inner: int = 1,
          kept: str = "all", share: float = 1.0, stands: bool = False) -> Params:
    """θ + β mean_i(φ_i - θ); the options are the known faults."""
    if kept in TURNS:
        for each in samples:
            theta = moved(theta, [each], k, sign, beta / TURNS[kept], rate, inner=inner)
        return theta
    total, at = {name: torch.zeros_like(p) for name, p in theta.items()}, theta
    for each in samples:
        descended = lambda p, each=each: inner * loss(p, each)
        times = {"k": k, "one": 1, "more": k + 1}[steps]
        rate_of, times = (k * rate, 1) if stands else (rate, times)
        before, begin = theta, at if start == "last" else theta
        if kept in SKIPPED:
            before = begin = oracles.step(descended, theta, rate, k - SKIPPED[kept])
            times = 1
        phi = at = oracles.step(descended, begin, rate_of, times)
        total = {name: total[name] + phi[name] - before[name].detach() for name in theta}
    change = {name: total[name] / (divide or len(samples)) for name in theta}
    if kept == "last task":
        change = {name: at[name] - theta[name].detach() for name in theta}
    elif kept == "mean of each":
        change = {name: each.mean().expand_as(each) for name, each in change.items()}
    elif kept == "mean of all":
        mean = torch.cat([each.flatten() for each in change.values()]).mean()
        change = {name: mean.expand_as(each) for name, each in change.items()}
    return {name: theta[name].detach() + sign * beta * share * change[name] for name in theta}


ONE_STEP = "theta moved after each task, and the next one started from there; line [6] comes once, after all tasks"
WAY = "one gradient at the end is FOMAML's way; Reptile goes towards phi, and phi - theta holds all k gradients"
NO_ENTRIES = "the mean is over the tasks alone; each weight keeps a change of its own"
REPTILE_FAULTS = (
    (CARRIED_ON, {"start": "last"}, "every task's inner loop starts from theta, not from where the task before it "
                                    "ended"),
    ("away from phi", {"sign": -1}, "theta moves towards the adapted parameters: add beta times the mean of phi - "
                                    "theta"),
    (BY_ALPHA, {"share": 1 / ALPHA}, "line [6] moves theta by phi - theta itself, in which alpha already is; do not "
     "divide by it"),
    ("the mean of the solutions", {"beta": 1.0}, "this is the mean of the phi, where theta would land with beta = 1; "
     "go only the share beta of the way"),
    (RATES, {"rate": BETA, "beta": ALPHA}, "alpha is the rate of the inner steps of line [5], beta that of the outer "
     "step of line [6]"),
    (IN_TURN, {"kept": "in turn"}, ONE_STEP),
    (IN_TURN, {"kept": "in turn, shared"}, ONE_STEP),
    (LAST, {"kept": "last step"}, WAY),
    (LAST, {"kept": "last step", "share": 1 / ALPHA}, WAY),
    (LAST, {"kept": "next gradient"}, WAY),
    (LAST, {"kept": "next gradient", "share": 1 / ALPHA}, WAY),
    (SCALAR, {"kept": "mean of each"}, NO_ENTRIES),
    (SCALAR, {"kept": "mean of all"}, NO_ENTRIES),
    (STANDS, {"stands": True}, "the k gradients were all taken at theta; line [5] takes each at the phi that the step "
     "before it reached"),
    ("sum instead of mean", {"divide": 1.0}, "line [6] takes the mean over the tasks"),
    ("one inner step only", {"steps": "one"}, "line [5] is taken k times"),
    ("one inner step too many", {"steps": "more"}, "line [5] is taken k times"),
    ("gradient ascent", {"inner": -1}, "the inner steps go down the loss: subtract alpha times the gradient"),
    ("the inner rate is forgotten", {"rate": 1.0}, "an inner step is the gradient times alpha"),
    ("only the last task", {"kept": "last task"}, "the changes of the other tasks were overwritten; add them up"),
    (THROWN_AWAY, {"beta": 0.0}, "theta is what it was; return the moved one"),
)
