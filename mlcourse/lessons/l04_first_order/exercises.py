"""The exercises of lesson 04: what first order drops, and Reptile; and those that ask for a judgement."""

from __future__ import annotations

from mlcourse.exercises.framework import IN_PLACE, Exercise, edited
from mlcourse.exercises.gradients import BACKWARD, THROWN_AWAY
from mlcourse.lessons.l04_first_order.checks import (AT_PHI, AT_THETA, BLOCKS, BY_ALPHA, CARRIED_ON, GRAPH, IN_TURN,
                                                     KEPT, LAST, MEAN, MOVING, NO_GRAPH, NO_U, OF_QUERY, OTHER_G, RATES,
                                                     SCALAR, STANDS, SWAPPED, WHOLE, check_dropped_term,
                                                     check_reptile_step)
from mlcourse.lessons.l04_first_order.exercises_results import bill, rests, ways

# ---------------------------------------------------------------- 04.1

DROPPED = '''\
def dropped_term(theta, support_loss, query_loss, alpha):
    """What FOMAML drops from MAML's meta-gradient, -alpha * H u, without forming H.

    theta: a dict of tensors that require gradients
    support_loss, query_loss: functions of such a dict that return a scalar
    H: the second derivatives of the support loss at theta; g, phi and u are FOMAML's
    Returns a dict with the keys and shapes of theta.
    """
'''
PLAIN = "    g = torch.autograd.grad(support_loss(theta), list(theta.values()))"
PHI = "    phi = {name: p - alpha * d for (name, p), d in zip(theta.items(), g)}"
U = "    u = torch.autograd.grad(query_loss(phi), list(phi.values()))"
GIVEN = "\n".join((PLAIN, PHI, U)) + "\n"
GRADIENT = PLAIN[:-1] + ", create_graph=True)"
SLOPE = "    slope = sum((one * other).sum() for one, other in zip(g, u))"
HU = "    Hu = torch.autograd.grad(slope, list(theta.values()))"
TERM = "    return {name: -alpha * each for name, each in zip(theta, Hu)}"
DROPPED_SOLUTION = DROPPED + "\n".join((GRADIENT, PHI, U, SLOPE, HU, TERM))


def dropped_wrong(*edits: tuple[str, str]) -> str:
    """A wrong dropped term: the solution with edits."""
    return edited(DROPPED_SOLUTION, *edits)


dropped_term = Exercise(
    id="04.1", title="The missing term", answer="dropped_term", difficulty=3, minutes=6,
    stub=DROPPED + GIVEN + "    ...", solution_source=DROPPED_SOLUTION, check=check_dropped_term,
    hints=(
        "u is there, and a constant. The gradient of the support loss at theta must be differentiated once more: can "
        "that of the first line be?",
        "Take g with create_graph=True. The slope is the sum over all tensors of (g * u).sum(), and its gradient by "
        "theta is H u.",
        "slope = sum((one * other).sum() for one, other in zip(g, u)); Hu = torch.autograd.grad(slope, "
        "list(theta.values())); return a dict of -alpha * each.",
    ),
    wrong=(
        (dropped_wrong((", create_graph=True", ", retain_graph=True")), NO_GRAPH),
        (dropped_wrong((", create_graph=True", "")), NO_GRAPH),
        (dropped_wrong((U, "    u = torch.autograd.grad(query_loss(phi), list(phi.values()), create_graph=True)")),
         MOVING),
        (dropped_wrong((U, "    u = torch.autograd.grad(query_loss(theta), list(theta.values()))")), AT_THETA),
        (dropped_wrong((SLOPE, GRADIENT.replace("support", "query") + "\n" + SLOPE)), OF_QUERY),
        (dropped_wrong(("-alpha * each for", "alpha * each for")), "the sign"),
        (dropped_wrong(("-alpha * each for", "-each for")), "the rate is forgotten"),
        (dropped_wrong(("-alpha * each for", "each for")), "the sign, the rate is forgotten"),
        (dropped_wrong((TERM, "    return {name: one - alpha * each for name, one, each in zip(theta, u, Hu)}")),
         WHOLE),
        (dropped_wrong((TERM, "    return dict(zip(theta, u))")), KEPT),
        (dropped_wrong((SLOPE + "\n", ""), (HU, "    Hu = [torch.autograd.grad((one * other).sum(), p, "
                        "retain_graph=True)[0] for one, other, p in zip(g, u, theta.values())]")), BLOCKS),
        (dropped_wrong(("(one * other).sum()", "(one * other).mean()")), MEAN),
        (dropped_wrong((SLOPE, "    slope = torch.cat([(one * other).flatten() for one, other in zip(g, u)]).mean()")),
         MEAN),
        (dropped_wrong(("(one * other).sum()", "(one * other).mean()"), ("-alpha * each for", "alpha * each for")),
         f"the sign, {MEAN}"),
        (dropped_wrong(("(one * other).sum()", "one.sum()")), NO_U),
        (dropped_wrong(("(one * other).sum()", "(one * one.detach()).sum()")), OTHER_G),
        (dropped_wrong(("(one * other).sum()", "(one * one).sum()")), OTHER_G),
        (dropped_wrong((GRADIENT, GRADIENT.replace("support", "query")), (U, U.replace("query", "support"))), SWAPPED),
        (dropped_wrong((SLOPE, GRADIENT.replace("theta", "phi") + "\n" + SLOPE), (HU, HU.replace("theta", "phi"))),
         AT_PHI),
        (dropped_wrong((PHI, "    support_loss(theta).backward()\n    phi = {name: (p - alpha * p.grad).detach()"
                        ".requires_grad_() for name, p in theta.items()}")), BACKWARD),
        (dropped_wrong((PHI, "    for p, d in zip(theta.values(), g):\n        p.data -= alpha * d.detach()\n"
                        "    phi = theta")), IN_PLACE),
    ),
    mutations=(
        (PHI, "    phi = {name: p - 2 * alpha * d for (name, p), d in zip(theta.items(), g)}"),
        (SLOPE, "    slope = sum((one * other).mean() for one, other in zip(g, u))"),
        (SLOPE, "    slope = sum((one * one).sum() for one, other in zip(g, u))"),
        (SLOPE, "    slope = sum((one * other).abs().sum() for one, other in zip(g, u))"),
        (TERM, "    return {name: -alpha**2 * each for name, each in zip(theta, Hu)}"),
    ))

# ---------------------------------------------------------------- 04.4

REPTILE = '''\
def reptile_step(theta, tasks, loss, alpha, k, beta):
    """One outer step of Reptile, lines [3] to [6].

    theta: a dict of tensors that require gradients
    tasks: for each task its samples, all of them for every step; loss(params, samples): a scalar
    alpha, k: rate and number of the inner steps; beta: the outer rate
    Returns the next theta, a new dict with the same keys and shapes, without a graph.
    """
'''
START = "        phi = {name: p.detach().requires_grad_() for name, p in theta.items()}"
INNER = "            g = torch.autograd.grad(loss(phi, samples), list(phi.values()))"
STEP = "            phi = {name: (p - alpha * d).detach().requires_grad_() for (name, p), d in zip(phi.items(), g)}"
CHANGE = "        change = {name: change[name] + phi[name].detach() - p.detach() for name, p in theta.items()}"
NEXT = "    return {name: p.detach() + beta * change[name] / len(tasks) for name, p in theta.items()}"
REPTILE_SOLUTION = REPTILE + '''\
    change = {name: torch.zeros_like(p) for name, p in theta.items()}
    for samples in tasks:
''' + START + "\n        for _ in range(k):\n" + "\n".join((INNER, STEP, CHANGE, NEXT))


def reptile_wrong(*edits: tuple[str, str]) -> str:
    """A wrong outer step of Reptile: the solution with edits."""
    return edited(REPTILE_SOLUTION, *edits)


ADDED = "        change = {name: change[name] + d for name, d in zip(theta, g)}"
AT_END = INNER.replace("            g", "        g")
FLAT_MEAN = "torch.cat([(phi[n] - theta[n]).detach().flatten() for n in theta]).mean()"


def one_by_one(rate: str) -> str:
    """Line [6] after each task, from where the task before it has moved theta."""
    here = f"        theta = {{name: p.detach() + {rate} * (phi[name] - p).detach() for name, p in theta.items()}}"
    return reptile_wrong((CHANGE, here), (NEXT, "    return theta"))


def last_gradient(rate: str) -> str:
    """An outer step against the gradient of the last inner step."""
    return reptile_wrong((CHANGE, ADDED), ("beta * change", f"-({rate}) * change"))


ONCE = START.replace("        phi", "    phi", 1) + "\n    for samples in tasks:\n"
reptile_step = Exercise(
    id="04.4", title="Reptile's outer step", answer="reptile_step", difficulty=2, minutes=7,
    stub=REPTILE + "    ...", solution_source=REPTILE_SOLUTION, check=check_reptile_step,
    hints=(
        "Two loops: over the tasks, and inside over the k inner steps. Where does each task's phi begin?",
        "Every task starts from theta, detached. Add up phi - theta over the tasks, divide by their number, and go the "
        "share beta of that way.",
        "In the inner loop g = torch.autograd.grad(loss(phi, samples), list(phi.values())), then phi = {name: (p - "
        "alpha * d).detach().requires_grad_() ...}. At the end p.detach() + beta * change[name] / len(tasks).",
    ),
    wrong=(
        (reptile_wrong(("    for samples in tasks:\n" + START + "\n", ONCE)), CARRIED_ON),
        (reptile_wrong(("beta * change", "change")), "the mean of the solutions"),
        (reptile_wrong(("+ beta", "- beta")), "away from phi"),
        (reptile_wrong(("beta * change", "beta / alpha * change")), BY_ALPHA),
        (reptile_wrong(("beta * change", "beta / alpha * change"), (" / len(tasks)", "")),
         f"{BY_ALPHA}, sum instead of mean"),
        (reptile_wrong((" / len(tasks)", "")), "sum instead of mean"),
        (reptile_wrong(("range(k)", "range(1)")), "one inner step only"),
        (reptile_wrong(("range(k)", "range(1)"), ("p - alpha * d", "p - k * alpha * d")), STANDS),
        (reptile_wrong((INNER, "            g = torch.autograd.grad(loss(theta, samples), list(theta.values()))")),
         STANDS),
        (reptile_wrong(("p - alpha * d", "p - beta * d"), ("beta * change", "alpha * change")), RATES),
        (one_by_one("beta"), IN_TURN),
        (one_by_one("beta / len(tasks)"), IN_TURN),
        (last_gradient("alpha * beta"), LAST),
        (last_gradient("beta"), LAST),
        (reptile_wrong((CHANGE, f"{AT_END}\n{ADDED}"), ("beta * change", "-beta * change")), LAST),
        (reptile_wrong((CHANGE, CHANGE.replace("phi[name].detach() - p.detach()", "(phi[name] - p).detach().mean()"))),
         SCALAR),
        (reptile_wrong((CHANGE, CHANGE.replace("phi[name].detach() - p.detach()", FLAT_MEAN))), SCALAR),
        (reptile_wrong(("range(k)", "range(k + 1)")), "one inner step too many"),
        (reptile_wrong(("p - alpha * d", "p + alpha * d")), "gradient ascent"),
        (reptile_wrong(("p - alpha * d", "p - d")), "the inner rate is forgotten"),
        (reptile_wrong(("change[name] + phi[name].detach() - p.detach()", "(phi[name] - p).detach() * len(tasks)")),
         "only the last task"),
        (reptile_wrong((NEXT, "    return {name: p.detach() for name, p in theta.items()}")), THROWN_AWAY),
        (reptile_wrong((NEXT, "    return {name: p + beta * change[name] / len(tasks) for name, p in theta.items()}")),
         GRAPH),
        (reptile_wrong(("    for samples in tasks:\n" + START + "\n", ONCE), (" / len(tasks)", "")),
         f"{CARRIED_ON}, sum instead of mean"),
        (reptile_wrong((START, "        phi = theta"), (STEP, "            for p, d in zip(phi.values(), g):\n"
                                                       "                p.data -= alpha * d")), IN_PLACE),
    ),
    mutations=(
        (INNER, "            g = torch.autograd.grad(loss(phi, tasks[0]), list(phi.values()))"),
        (CHANGE, "        change = {name: change[name] + alpha * (phi[name].detach() - p.detach()) for name, p in "
                 "theta.items()}"),
        (NEXT, "    return {name: p.detach() + beta * change[name] / k for name, p in theta.items()}"),
    ))

EXERCISES = (dropped_term, ways, rests, reptile_step, bill)
