"""The exercises of lesson 03: MAML on sines, and those on its results (`exercises_results`)."""

from __future__ import annotations

from mlcourse.exercises.by_hand import BY_AUTOGRAD, BY_DIFFERENCES
from mlcourse.exercises.framework import IN_PLACE, Exercise, edited
from mlcourse.exercises.gradients import AT_THETA, BACKWARD, CUT, FIRST_ORDER, NO_GRAD, THROWN_AWAY
from mlcourse.lessons.l03_maml.checks import ASCENT, TWICE, check_inner_step, check_meta_gradient
from mlcourse.lessons.l03_maml.checks_outer import (ABSOLUTE, BARE_RATIO, CHAINED, FROM_PHI, GRAPH_KEPT, HALF_WAY,
                                                    INVERTED, NO_DIRECTION, ONE_SIDED, ONE_TURN, SIGNED,
                                                    TO_ITSELF, check_outer_loop, check_slope_error)
from mlcourse.lessons.l03_maml.exercises_results import paired_ratio, verdicts

# ---------------------------------------------------------------- 03.1

INNER_STEP = '''\
def inner_step(params, loss, alpha):
    """One gradient step that the outer loop can differentiate: params - alpha * gradient of loss.

    params: a dict of tensors; loss: a function of such a dict, a scalar; alpha: the rate
    Returns a new dict with the same keys and shapes. Leaves params and its .grad as they are.
    """
'''
VALUES = "    values = list(params.values())              # autograd.grad takes a list of tensors\n"
INNER_STEP_SOLUTION = INNER_STEP + VALUES + '''\
    grads = torch.autograd.grad(loss(params), values, create_graph=True)
    return {name: p - alpha * g for (name, p), g in zip(params.items(), grads)}'''
SUSPECTS = '''\
def step_a(params, loss, alpha):
    grads = torch.func.grad(loss)(params)
    return {name: p - alpha * grads[name] for name, p in params.items()}


def step_b(params, loss, alpha):
    with torch.no_grad():  # saves memory
        grads = torch.func.grad(loss)(params)
    return {name: p - alpha * grads[name] for name, p in params.items()}'''
UPDATE = "    return {name: p - alpha * g for (name, p), g in zip(params.items(), grads)}"

inner_step = Exercise(
    id="03.1", title="One differentiable step", answer="inner_step", difficulty=2, minutes=4,
    stub=INNER_STEP + VALUES + "    ...", solution_source=INNER_STEP_SOLUTION, check=check_inner_step,
    hints=(
        "The gradient of the loss is itself a function of the parameters, and the outer loop has to see it so.",
        "torch.autograd.grad(loss(params), values, create_graph=True) returns one gradient for each parameter, and "
        "each can be differentiated again.",
        "Pair names with gradients by zip(params.items(), grads) and build a new dict of p - alpha * g.",
    ),
    wrong=(
        (edited(INNER_STEP_SOLUTION, (", create_graph=True", "")), FIRST_ORDER),
        (edited(INNER_STEP_SOLUTION, ("p - alpha * g", "p - alpha * g.detach()")), FIRST_ORDER),
        (edited(INNER_STEP_SOLUTION, ("p - alpha * g", "(p - alpha * g).detach()")), CUT),
        (INNER_STEP + SUSPECTS.split("\n\n\n")[1].split("\n", 1)[1], FIRST_ORDER),
        (INNER_STEP + '''\
    with torch.no_grad():
        grads = torch.func.grad(loss)(params)
        return {name: p - alpha * grads[name] for name, p in params.items()}''', CUT),
        (INNER_STEP + '''\
    params = {name: p.detach().requires_grad_() for name, p in params.items()}
    grads = torch.autograd.grad(loss(params), list(params.values()), create_graph=True)
''' + UPDATE, CUT),
        (INNER_STEP + '''\
    with torch.no_grad():
        value = loss(params)
    grads = torch.autograd.grad(value, list(params.values()), create_graph=True)
''' + UPDATE, NO_GRAD),
        (INNER_STEP + '''\
    grads = torch.autograd.grad(loss(params), list(params.values()))
    with torch.no_grad():
        for p, g in zip(params.values(), grads):
            p -= alpha * g
    return params''', IN_PLACE),
        (INNER_STEP + '''\
    grads = torch.autograd.grad(loss(params), list(params.values()), create_graph=True)
    for p, g in zip(params.values(), grads):
        p -= alpha * g
    return params''', IN_PLACE),
        (INNER_STEP + '''\
    grads = torch.autograd.grad(loss(params), list(params.values()), create_graph=True)
    for (name, p), g in zip(list(params.items()), grads):
        params[name] = p - alpha * g
    return params''', IN_PLACE),
        (INNER_STEP + '''\
    loss(params).backward()
    return {name: p - alpha * p.grad for name, p in params.items()}''', BACKWARD),
        (INNER_STEP + '''\
    loss(params).backward()
    for p in params.values():
        p.data -= alpha * p.grad
    return params''', f"{BACKWARD}, {IN_PLACE}"),
        (edited(INNER_STEP_SOLUTION, ("p - alpha * g", "p + alpha * g")), "gradient ascent"),
        (edited(INNER_STEP_SOLUTION, ("p - alpha * g", "p - g")), "the rate is forgotten"),
        (edited(INNER_STEP_SOLUTION, ("p - alpha * g", "p + alpha * g"), (", create_graph=True", "")),
         f"gradient ascent, {FIRST_ORDER}"),
        (edited(INNER_STEP_SOLUTION, ("p - alpha * g", "(p - g).detach()")), f"the rate is forgotten, {CUT}"),
        (edited(INNER_STEP_SOLUTION, ("p - alpha * g", "p + g")), "gradient ascent, the rate is forgotten"),
        (edited(INNER_STEP_SOLUTION, ("p - alpha * g", "alpha * g")), "the step instead of its result"),
        (edited(INNER_STEP_SOLUTION, (UPDATE, "    return dict(params)")), THROWN_AWAY),
    ),
    mutations=(
        ("    grads = torch.autograd.grad(loss(params), values, create_graph=True)",
         "    grads = torch.autograd.grad(loss(params), values, retain_graph=True)"),
        (UPDATE, "    return {name: p - alpha * g for (name, p), g in zip(params.items(), reversed(grads))}"),
        (UPDATE, "    return {name: p.detach() - alpha * g for (name, p), g in zip(params.items(), grads)}"),
    ))

# ---------------------------------------------------------------- 03.2

META_GRADIENT = '''\
def meta_gradient(theta, support, query, alpha):
    """The derivative, with respect to theta, of the query loss after one inner step, by hand.

    The model is theta * x, with one weight; both losses are (theta * x - y)**2 / 2 on one sample.
    theta, alpha: numbers; support, query: pairs (x, y) of numbers
    Returns one number.
    """
'''
PAIRS = "    (x_s, y_s), (x_q, y_q) = support, query\n"
META_GRADIENT_SOLUTION = META_GRADIENT + PAIRS + '''\
    adapted = theta - alpha * (theta * x_s - y_s) * x_s
    query_gradient = (adapted * x_q - y_q) * x_q
    return (1 - alpha * x_s**2) * query_gradient'''
CHAIN_RULE = "    return (1 - alpha * x_s**2) * query_gradient"
AT_ADAPTED = "    query_gradient = (adapted * x_q - y_q) * x_q"


BY_AUTOGRAD_LINES = '''\
    theta = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
    loss = lambda weight, pair: (weight * pair[0] - pair[1]) ** 2 / 2
    g, = torch.autograd.grad(loss(theta, support), theta, create_graph=True)
    return torch.autograd.grad(loss(theta - alpha * g, query), theta)[0]'''
BY_DIFFERENCES_LINES = '''\
    def loss(weight):
        adapted = weight - alpha * (weight * support[0] - support[1]) * support[0]
        return (adapted * query[0] - query[1]) ** 2 / 2
    h = 1e-4
    return (loss(theta + h) - loss(theta - h)) / (2 * h)'''


def meta_wrong(old: str, new: str) -> str:
    """A wrong answer to the meta-gradient: the solution with one edit."""
    return edited(META_GRADIENT_SOLUTION, (old, new))


meta_gradient = Exercise(
    id="03.2", title="A meta-gradient on paper", answer="meta_gradient", difficulty=2, minutes=5,
    stub=META_GRADIENT + PAIRS + "    ...", solution_source=META_GRADIENT_SOLUTION, check=check_meta_gradient,
    hints=(
        "Write the adapted weight as a function of theta, put it into the query loss, and use the chain rule.",
        "The chain rule gives two factors: the slope of the query loss at the adapted weight, and the derivative of "
        "the adapted weight with respect to theta.",
        "adapted = theta - alpha * (theta * x_s - y_s) * x_s has the derivative 1 - alpha * x_s**2; multiply it by "
        "(adapted * x_q - y_q) * x_q.",
    ),
    wrong=(
        (meta_wrong(CHAIN_RULE, "    return query_gradient"), FIRST_ORDER),
        (meta_wrong(CHAIN_RULE, "    return (theta * x_s - y_s) * x_s"), "the support gradient"),
        (meta_wrong(AT_ADAPTED, "    query_gradient = (theta * x_q - y_q) * x_q"), AT_THETA),
        (meta_wrong(CHAIN_RULE, "    return (theta * x_q - y_q) * x_q"), AT_THETA),
        (meta_wrong("alpha * x_s**2", "alpha * x_q**2"), "curvature of the query loss"),
        (meta_wrong("1 - alpha", "1 + alpha"), "sign of the curvature term"),
        (meta_wrong("(1 - alpha * x_s**2)", "(1 - alpha)"), "curvature left out"),
        (meta_wrong("(1 - alpha * x_s**2)", "(1 - 2 * alpha * x_s**2)"), TWICE),
        (meta_wrong("theta - alpha", "theta + alpha"), ASCENT),
        (edited(META_GRADIENT_SOLUTION, ("theta - alpha", "theta + alpha"), ("1 - alpha", "1 + alpha")), ASCENT),
        (meta_wrong(CHAIN_RULE, "    return 2 * (1 - alpha * x_s**2) * query_gradient"), "a factor of two"),
        (meta_wrong(CHAIN_RULE, "    return 2 * (1 + alpha * x_s**2) * query_gradient"),
         "sign of the curvature term, a factor of two"),
        (META_GRADIENT + BY_AUTOGRAD_LINES, BY_AUTOGRAD),
        (META_GRADIENT + BY_AUTOGRAD_LINES.replace("return ", "return 2 * "), f"a factor of two, {BY_AUTOGRAD}"),
        (META_GRADIENT + BY_AUTOGRAD_LINES.replace(", create_graph=True", ""), f"{FIRST_ORDER}, {BY_AUTOGRAD}"),
        (META_GRADIENT + BY_DIFFERENCES_LINES, BY_DIFFERENCES),
        (META_GRADIENT + BY_DIFFERENCES_LINES.replace("1e-4", "1.0"), BY_DIFFERENCES),
        (META_GRADIENT + BY_DIFFERENCES_LINES.replace("1e-4", "1e-4 * abs(theta)"), BY_DIFFERENCES),
    ),
    mutations=(
        ("    adapted = theta - alpha * (theta * x_s - y_s) * x_s",
         "    adapted = theta - alpha * (theta * x_s - y_s)"),
        (AT_ADAPTED, "    query_gradient = adapted * x_q - y_q"),
        (CHAIN_RULE, "    return (1 - alpha * x_s) * query_gradient"),
    ))

# ---------------------------------------------------------------- 03.3

SLOPE_ERROR = '''\
def slope_error(F, theta, gradient, u, eps):
    """How far a claimed gradient of F at theta is from the definition of a derivative, along u.

    F: a function of a dict of tensors that returns a number; theta, gradient, u: such dicts
    Returns one number, |claimed / measured - 1|: measured is the central difference of F along u,
    with eps to either side; claimed is the slope along u that the gradient gives.
    """
'''
MEASURED = "    measured = (F(moved(eps)) - F(moved(-eps))) / (2 * eps)"
CLAIMED = "    claimed = sum((gradient[name] * u[name]).sum() for name in theta)"
ALONG_U = "    moved = lambda by: {name: p + by * u[name] for name, p in theta.items()}\n"
SLOPE_ERROR_SOLUTION = SLOPE_ERROR + ALONG_U + MEASURED + "\n" + CLAIMED + '''
    return float(abs(claimed / measured - 1))'''


def slope_wrong(*edits: tuple[str, str]) -> str:
    """A wrong gradient check: the solution with edits."""
    return edited(SLOPE_ERROR_SOLUTION, *edits)


slope_error = Exercise(
    id="03.3", title="Test a meta-gradient", answer="slope_error", difficulty=2, minutes=4, given=SUSPECTS,
    stub=SLOPE_ERROR + ALONG_U + "    ...", solution_source=SLOPE_ERROR_SOLUTION, check=check_slope_error,
    hints=(
        "Move all of theta along u, once by +eps and once by -eps, and look at what F does.",
        "moved(eps) is theta moved by eps along u, a new dict. A slope along u is the "
        "dot product of gradient and u: multiply entry by entry and sum over everything.",
        "measured = (F(moved(eps)) - F(moved(-eps))) / (2 * eps), claimed = the sum over names of "
        "(gradient[name] * u[name]).sum(); return abs(claimed / measured - 1).",
    ),
    wrong=(
        (slope_wrong((MEASURED, "    measured = (F(moved(eps)) - F(theta)) / eps")), ONE_SIDED),
        (slope_wrong(("(2 * eps)", "eps")), HALF_WAY),
        (slope_wrong(("gradient[name] * u[name]", "gradient[name]")), NO_DIRECTION),
        (slope_wrong(("abs(claimed / measured - 1)", "claimed / measured - 1")), SIGNED),
        (slope_wrong(("abs(claimed / measured - 1)", "abs(claimed - measured)")), ABSOLUTE),
        (slope_wrong(("abs(claimed / measured - 1)", "claimed / measured")), BARE_RATIO),
        (slope_wrong(("claimed / measured", "measured / claimed")), INVERTED),
        (slope_wrong((MEASURED, "    loss = F(leaves := {n: p.detach().requires_grad_() for n, p in theta.items()})\n"
                                "    exact = torch.autograd.grad(loss, list(leaves.values()))\n"
                                "    measured = sum((g * d).sum() for g, d in zip(exact, u.values()))")), TO_ITSELF),
        (SLOPE_ERROR + '''\
    with torch.no_grad():
        for name, p in theta.items():
            p += eps * u[name]
        up = F(theta)
        for name, p in theta.items():
            p -= 2 * eps * u[name]
        measured = (up - F(theta)) / (2 * eps)
''' + CLAIMED + "\n    return float(abs(claimed / measured - 1))", IN_PLACE),
        (slope_wrong(("(2 * eps)", "eps"), ("gradient[name] * u[name]", "gradient[name]")),
         f"{HALF_WAY}, {NO_DIRECTION}"),
    ),
    mutations=(
        (MEASURED, "    measured = (F(moved(eps)) - F(moved(-2 * eps))) / (3 * eps)"),
        (CLAIMED, "    claimed = sum((gradient[name] * u[name]).mean() for name in theta)"),
        ("    return float(abs(claimed / measured - 1))", "    return float((claimed / measured - 1) ** 2)"),
    ))

# ---------------------------------------------------------------- 03.4

OUTER_LOOP = '''\
def outer_loop(theta, batches, inner_step, loss, beta):
    """MAML's outer loop, lines [2] to [6], by plain gradient descent: one turn for each batch.

    theta: a dict of tensors that require gradients; batches: a list of lists of (support, query)
    inner_step(theta, support): the adapted parameters of line [5], with their graph
    loss(params, samples): the mean squared error on a support or a query set; beta: the outer rate
    Returns theta after the last turn, a dict with the same keys and shapes. Every turn begins with
    fresh tensors: (p - beta * g).detach().requires_grad_() for each p and its gradient g.
    """
'''
ADAPTED = "            phi = inner_step(theta, support)"
QUERY_LOSS = "            total = total + loss(phi, query) / len(tasks)"
META = "        grads = torch.autograd.grad(total, list(theta.values()))"
NEXT = "        theta = {name: (p - beta * g).detach().requires_grad_() for (name, p), g in zip(theta.items(), grads)}"
OUTER_LOOP_SOLUTION = OUTER_LOOP + '''\
    for tasks in batches:
        total = 0
        for support, query in tasks:
''' + "\n".join((ADAPTED, QUERY_LOSS, META, NEXT)) + "\n    return theta"
OWN_THETA = '''\
    theta = {name: p.detach().clone().requires_grad_() for name, p in theta.items()}
    for tasks in batches:'''
IN_PLACE_TURN = '''\
        total.backward()
        with torch.no_grad():
            for p in theta.values():
                p -= beta * p.grad'''


def outer_wrong(*edits: tuple[str, str]) -> str:
    """A wrong outer loop: the solution with edits."""
    return edited(OUTER_LOOP_SOLUTION, *edits)


ON_QUERY = (ADAPTED, ADAPTED.replace("support", "query"))
ON_SUPPORT = (QUERY_LOSS, QUERY_LOSS.replace("query", "support"))

outer_loop = Exercise(
    id="03.4", title="The outer loop", answer="outer_loop", difficulty=3, minutes=6,
    stub=OUTER_LOOP + "    ...", solution_source=OUTER_LOOP_SOLUTION, check=check_outer_loop,
    hints=(
        "A turn is: adapt to each task of the batch, add up the losses of the adapted parameters, take one gradient "
        "with respect to theta, step. Which of the two sets does each part use?",
        "total is the mean over tasks of loss(inner_step(theta, support), query); torch.autograd.grad(total, "
        "list(theta.values())) is the meta-gradient.",
        "theta of the next turn is {name: (p - beta * g).detach().requires_grad_() for (name, p), g in "
        "zip(theta.items(), grads)}: new numbers without the old graph, ready to be differentiated again.",
    ),
    wrong=(
        (outer_wrong(("loss(phi, query)", "loss(theta, query)")), "one model adapted, another evaluated"),
        (outer_wrong(ON_SUPPORT), "adapted and evaluated on the same data"),
        (outer_wrong(ON_QUERY), "adapted on the query set"),
        (outer_wrong(ON_QUERY, ON_SUPPORT), "support and query swapped"),
        (outer_wrong(("loss(phi, query)", "loss(theta, support)")), "no adaptation"),
        (outer_wrong(("total + loss", "total - loss")), "a performance instead of a loss"),
        (outer_wrong(("p - beta * g", "p + beta * g")), "a performance instead of a loss"),
        (outer_wrong(("loss(phi, query)", "loss(theta, query)"), ("total + loss", "total - loss")),
         "one model adapted, another evaluated, a performance instead of a loss"),
        (outer_wrong((" / len(tasks)", "")), "sum instead of mean"),
        (outer_wrong(("p - beta * g", "p - g")), "the rate is forgotten"),
        (outer_wrong(("total = total + loss(phi, query) / len(tasks)", "total = loss(phi, query)")),
         "only the last task of a batch"),
        (outer_wrong((ADAPTED, ADAPTED + '''
            phi = {name: theta[name] + (p - theta[name]).detach() for name, p in phi.items()}''')), FIRST_ORDER),
        (outer_wrong(ON_QUERY, (QUERY_LOSS, '''\
            phi = {name: theta[name] + (p - theta[name]).detach() for name, p in phi.items()}
''' + QUERY_LOSS)), f"adapted on the query set, {FIRST_ORDER}"),
        (outer_wrong((ADAPTED, "            with torch.no_grad():\n    " + ADAPTED)), NO_GRAD),
        (outer_wrong((ADAPTED, ADAPTED + '''
            phi = {name: p.detach().requires_grad_() for name, p in phi.items()}''')), CUT),
        (outer_wrong((ADAPTED, ADAPTED + '''
            phi = {name: p.detach() for name, p in phi.items()}''')), CUT),
        (outer_wrong(("        theta = {name", "        moved = {name")), THROWN_AWAY),
        (outer_wrong((META, ""), (NEXT, IN_PLACE_TURN), ("    for tasks in batches:", OWN_THETA)),
         "gradients of earlier turns added"),
        (outer_wrong((META, ""), (NEXT, IN_PLACE_TURN)), IN_PLACE),
        (outer_wrong((NEXT, IN_PLACE_TURN.split("\n", 1)[1].replace("p -= beta * p.grad", "p -= beta * g").replace(
            "p in theta.values()", "p, g in zip(theta.values(), grads)"))), IN_PLACE),
        (outer_wrong(("(p - beta * g).detach().requires_grad_()", "p - beta * g")), GRAPH_KEPT),
        (outer_wrong((NEXT, NEXT.replace("theta.items()", "phi.items()"))), FROM_PHI),
        (outer_wrong(("        total = 0", "        total, phi = 0, theta"),
                     (ADAPTED, ADAPTED.replace("(theta", "(phi"))), CHAINED),
        (outer_wrong(("    return theta", "        return theta")), ONE_TURN),
        (outer_wrong(("(p - beta * g).detach().requires_grad_()", "(p - beta * g).detach()")),
         "theta without a graph in the next turn"),
        (OUTER_LOOP + '''\
    for tasks in batches:
        phis = [inner_step(theta, support) for support, query in tasks]
        theta = {name: (sum(phi[name] for phi in phis) / len(phis)).detach().requires_grad_() for name in theta}
    return theta''', "the mean of the adapted parameters"),
        (OUTER_LOOP + '''\
    for tasks in batches:
        for support, query in tasks:
            grads = torch.autograd.grad(loss(inner_step(theta, support), query), list(theta.values()))
            theta = {name: (p - beta * g).detach().requires_grad_() for (name, p), g in zip(theta.items(), grads)}
    return theta''', "a step for each task"),
    ),
    mutations=(
        ("    for tasks in batches:", "    for tasks in batches[:1]:"),
        (ADAPTED, "            phi = inner_step(inner_step(theta, support), support)"),
        (META, "        grads = torch.autograd.grad(total ** 2, list(theta.values()))"),
        (NEXT, NEXT.replace("p - beta * g", "p - beta * g / 2")),
    ))

EXERCISES = (inner_step, meta_gradient, slope_error, outer_loop, paired_ratio, verdicts)
