"""Exercises of lesson 05: Meta-SGD."""

from __future__ import annotations

from mlcourse.exercises.by_hand import BY_AUTOGRAD, BY_DIFFERENCES
from mlcourse.exercises.framework import IN_PLACE, Exercise, edited
from mlcourse.exercises.gradients import AT_THETA, BACKWARD, FIRST_ORDER
from mlcourse.lessons.l05_meta_sgd.checks import (ALPHA_OUT, BY_PLACE, CLAMPED, GONE, INNER_RATES, IN_TURN, LEAF,
                                                  LEFTOVER, NOT_PARAMETER, NO_ALPHA, NO_THETA, ONE_RATE, RETURNS_NONE,
                                                  SCALAR, SIGN, SUPPORT_TWICE, SWAPPED, THETA_OUT, TWICE_ALPHA,
                                                  WRONG_PATH, check_rate_gradient, check_step, check_update)
from mlcourse.lessons.l05_meta_sgd.exercises_results import verdicts

# ---------------------------------------------------------------- 05.1

STEP = '''\
def meta_sgd_step(params, loss, alpha):
    """One step of Meta-SGD that the outer loop can differentiate, by params and by alpha.

    params, alpha: dicts with the same keys, in any order, and shapes; a rate may have any sign
    loss: a function of such a dict that returns a scalar
    Returns a new dict with the same keys and shapes. Leaves params, alpha and their .grad alone.
    """
'''
GRADS = "    grads = torch.autograd.grad(loss(params), list(params.values()), create_graph=True)"
UPDATE = "    return {name: p - alpha[name] * g for (name, p), g in zip(params.items(), grads)}"
STEP_SOLUTION = f"{STEP}{GRADS}\n{UPDATE}"
BY_ZIP = "    return {name: p - a * g for (name, p), g, a in zip(params.items(), grads, alpha.values())}"


def step_wrong(*edits: tuple[str, str]) -> str:
    """A wrong step: the solution with edits."""
    return edited(STEP_SOLUTION, *edits)


meta_sgd_step = Exercise(
    id="05.1", title="A step with a rate for each weight", answer="meta_sgd_step", difficulty=2, minutes=5,
    stub=STEP + "    ...", solution_source=STEP_SOLUTION, check=check_step,
    hints=(
        "It is MAML's step of exercise 03.1 with one change: what stands in the place of the number alpha?",
        "alpha[name] has the shape of the parameter and of its gradient, so * multiplies element by element.",
        "Take the gradients with create_graph=True and return {name: p - alpha[name] * g}, for every name.",
    ),
    wrong=(
        (step_wrong((", create_graph=True", "")), FIRST_ORDER),
        (step_wrong((UPDATE, BY_ZIP)), BY_PLACE),
        (step_wrong((UPDATE, BY_ZIP), (", create_graph=True", "")), FIRST_ORDER),
        (step_wrong(("alpha[name] * g", "alpha[name].detach() * g")), NO_ALPHA),
        (step_wrong(("p - alpha[name]", "p.detach() - alpha[name].detach()")), NO_ALPHA),
        (step_wrong((GRADS, "    params = {name: p.detach().requires_grad_() for name, p in params.items()}\n"
                            + GRADS)), NO_THETA),
        (step_wrong(("alpha[name] * g", "alpha[name].mean() * g")), ONE_RATE),
        (step_wrong(("alpha[name] * g", "alpha[name].detach() * g"), (", create_graph=True", "")),
         f"{NO_ALPHA}, {FIRST_ORDER}"),
        (step_wrong(("alpha[name] * g", "alpha[name].abs() * g"), (", create_graph=True", "")),
         f"{CLAMPED}, {FIRST_ORDER}"),
        (step_wrong(("p - alpha[name] * g", "p + alpha[name].mean() * g")), f"{SIGN}, {ONE_RATE}"),
        (step_wrong(("alpha[name] * g", "alpha[name].clamp(min=0) * g")), CLAMPED),
        (step_wrong(("alpha[name] * g", "alpha[name].abs() * g")), CLAMPED),
        (step_wrong(("p - alpha", "p + alpha")), SIGN),
        (STEP + '''\
    grads = torch.autograd.grad(loss(params), list(params.values()))
    with torch.no_grad():
        for (name, p), g in zip(params.items(), grads):
            p -= alpha[name] * g
    return params''', IN_PLACE),
        (STEP + '''\
    loss(params).backward()
    return {name: p - alpha[name] * p.grad for name, p in params.items()}''', BACKWARD),
    ),
    mutations=(
        (GRADS, "    grads = torch.autograd.grad(loss(params), list(params.values()))"),
        (UPDATE, "    return {name: p - alpha[name] * g for (name, p), g in zip(params.items(), reversed(grads))}"),
        (UPDATE, "    return {name: p - alpha[name].data * g for (name, p), g in zip(params.items(), grads)}"),
        (UPDATE, "    return {name: p.detach() - alpha[name] * g for (name, p), g in zip(params.items(), grads)}"),
    ))

# ---------------------------------------------------------------- 05.2

UPDATE_GIVEN = '''\
from mlcourse.lessons.l05_meta_sgd.broken import inner_step

def update_a(meta, support_loss, query_loss, beta):
    g, = torch.autograd.grad(support_loss(meta.theta), meta.theta)
    with torch.no_grad():
        meta.theta -= meta.alpha * g
    query_loss(meta.theta).backward()
    with torch.no_grad():
        meta.alpha -= beta * meta.alpha.grad

def update_b(meta, support_loss, query_loss, beta):
    loss = query_loss(inner_step(meta, support_loss))
    with torch.no_grad():
        meta.alpha -= beta * loss.backward()

def update_c(meta, support_loss, query_loss, beta):
    query_loss(inner_step(meta, support_loss)).backward()
    meta.alpha -= beta * meta.alpha.grad

def update_d(meta, support_loss, query_loss, beta):
    query_loss(inner_step(meta, support_loss)).backward()
    meta.alpha = meta.alpha - beta * meta.alpha.grad'''
OUTER = '''\
def outer_update(meta, support_loss, query_loss, beta):
    """One outer step of Meta-SGD on one task, by plain SGD of rate beta, on theta and on alpha.

    meta: a torch.nn.Module with the parameters theta and alpha, vectors of the same length
    support_loss, query_loss: functions of such a vector that return a scalar
    Changes the values of both parameters in place. Returns the query loss before that, a number.
    """
'''
OUTER_SOLUTION = OUTER + '''\
    g, = torch.autograd.grad(support_loss(meta.theta), meta.theta, create_graph=True)
    loss = query_loss(meta.theta - meta.alpha * g)
    by_theta, by_alpha = torch.autograd.grad(loss, (meta.theta, meta.alpha))
    with torch.no_grad():
        meta.theta -= beta * by_theta
        meta.alpha -= beta * by_alpha
    return loss.item()'''
INNER = "    g, = torch.autograd.grad(support_loss(meta.theta), meta.theta, create_graph=True)"
BOTH = "    by_theta, by_alpha = torch.autograd.grad(loss, (meta.theta, meta.alpha))"
LAST = "    return loss.item()"
HELPER, BROKEN_A, BROKEN_B, BROKEN_C, BROKEN_D = UPDATE_GIVEN.split("\n\n")


def broken(source: str, letter: str) -> str:
    """One of the four broken updates, under the name of the exercise."""
    return f"{HELPER}\n\n{edited(source, (f'update_{letter}', 'outer_update'))}"


def outer_wrong(*edits: tuple[str, str]) -> str:
    """A wrong update: the solution with edits."""
    return edited(OUTER_SOLUTION, *edits)


KEPT = OUTER + '''\
    g, = torch.autograd.grad(support_loss(meta.theta), meta.theta, create_graph=True)
    loss = query_loss(meta.theta - meta.alpha * g)
    loss.backward()
    with torch.no_grad():
        meta.theta -= beta * meta.theta.grad
        meta.alpha -= beta * meta.alpha.grad
    return loss.item()'''

IN_TURN_LINES = OUTER + '''\
    def loss():
        g, = torch.autograd.grad(support_loss(meta.theta), meta.theta, create_graph=True)
        return query_loss(meta.theta - meta.alpha * g)
    before = loss()
    for parameter in (meta.theta, meta.alpha):
        slope, = torch.autograd.grad(loss(), parameter)
        with torch.no_grad():
            parameter -= beta * slope
    return before.item()'''

outer_update = Exercise(
    id="05.2", title="Spot the bug: four updates of the rates", answer="outer_update", difficulty=3, minutes=7,
    given=UPDATE_GIVEN, stub=OUTER + "    ...", solution_source=OUTER_SOLUTION, check=check_update,
    hints=(
        "Read the four errors again. One is about what a function returns, two are about what may be changed and how, "
        "one comes from a graph that was never built. And which parameter do all four leave out?",
        "The inner step must make a new tensor with a graph; the update of the parameters must have no graph, so it "
        "stands under torch.no_grad() and changes values in place.",
        "torch.autograd.grad(loss, (meta.theta, meta.alpha)) returns both gradients and stores nothing; then, under "
        "no_grad, theta -= beta * by_theta and alpha -= beta * by_alpha.",
    ),
    wrong=(
        (broken(BROKEN_A, "a"), GONE),
        (broken(BROKEN_B, "b"), RETURNS_NONE),
        (broken(BROKEN_C, "c"), LEAF),
        (broken(BROKEN_D, "d"), NOT_PARAMETER),
        (outer_wrong(("        meta.theta -= beta * by_theta\n", "")), THETA_OUT),
        (outer_wrong(("        meta.alpha -= beta * by_alpha\n", "")), ALPHA_OUT),
        (outer_wrong((", create_graph=True", "")), FIRST_ORDER),
        (outer_wrong(("loss = query_loss(meta.theta - meta.alpha * g)",
                      "loss = query_loss(phi := meta.theta - meta.alpha * g)"), ("(meta.theta, meta.alpha))",
                     "(phi, meta.alpha))")), FIRST_ORDER),
        (outer_wrong(("meta.theta -= beta", "meta.theta -= meta.alpha")), INNER_RATES),
        (outer_wrong(("        meta.theta -= beta * by_theta\n", ""),
                     (LAST, f"        meta.theta -= meta.alpha * by_theta\n{LAST}")), INNER_RATES),
        (outer_wrong(("-= beta", "+= beta")), SIGN),
        *((outer_wrong((LAST, f"        meta.alpha.{positive}\n{LAST}")), CLAMPED)
          for positive in ("clamp_(min=0)", "clamp_(min=0.001)", "abs_()")),
        (outer_wrong(("meta.alpha * g", "meta.alpha.clamp(min=0) * g")), CLAMPED),
        (outer_wrong((INNER, f"    with torch.no_grad():\n        meta.alpha.clamp_(min=0)\n{INNER}")), CLAMPED),
        (outer_wrong((LAST, f"        meta.alpha.clamp_(min=0)\n{LAST}"), (", create_graph=True", "")),
         f"{CLAMPED}, {FIRST_ORDER}"),
        (outer_wrong((LAST, f"        meta.alpha.clamp_(min=0)\n{LAST}"), ("-= beta", "+= beta")),
         f"{SIGN}, {CLAMPED}"),
        (KEPT, LEFTOVER),
        (IN_TURN_LINES, IN_TURN),
        (edited(IN_TURN_LINES, ("(meta.theta, meta.alpha):", "(meta.alpha, meta.theta):")), IN_TURN),
        (outer_wrong(("-= beta", "+= beta"), (", create_graph=True", "")), f"{SIGN}, {FIRST_ORDER}"),
        (outer_wrong(("        meta.alpha -= beta * by_alpha\n", ""), (", create_graph=True", "")),
         f"{ALPHA_OUT}, {FIRST_ORDER}"),
        (outer_wrong(("    with torch.no_grad():\n", "    if True:\n")), LEAF),
    ),
    mutations=(
        (INNER, "    g, = torch.autograd.grad(support_loss(meta.theta), meta.theta)"),
        ("    loss = query_loss(meta.theta - meta.alpha * g)", "    loss = query_loss(meta.theta)"),
        (BOTH, "    by_alpha, by_theta = torch.autograd.grad(loss, (meta.theta, meta.alpha))"),
        ("    return loss.item()", "    return support_loss(meta.theta).item()"),
    ))

# ---------------------------------------------------------------- 05.3

RATE = '''\
def rate_gradient(theta, alpha, support, query):
    """The derivative of the query loss after one step by every rate, by hand: no autograd.

    The model is theta @ x, and both losses are (theta @ x - y)**2 / 2 on one sample.
    theta, alpha: tensors of shape (3,); support, query: pairs (x, y), x of shape (3,), y a number
    Returns a tensor of shape (3,).
    """
'''
RATE_SOLUTION = RATE + '''\
    (x_s, y_s), (x_q, y_q) = support, query
    support_gradient = (theta @ x_s - y_s) * x_s
    phi = theta - alpha * support_gradient
    query_gradient = (phi @ x_q - y_q) * x_q
    return -query_gradient * support_gradient'''
PRODUCT = "    return -query_gradient * support_gradient"
AT_PHI = "    query_gradient = (phi @ x_q - y_q) * x_q"


LOSS_LINES = '''\
    loss = lambda weights, pair: (weights @ pair[0] - pair[1]) ** 2 / 2
    g = (theta @ support[0] - support[1]) * support[0]
    after = lambda rates: loss(theta - rates * g, query)
'''
BY_AUTOGRAD_LINES = LOSS_LINES + '''\
    alpha = alpha.clone().requires_grad_()
    return torch.autograd.grad(after(alpha), alpha)[0]'''
BY_JACOBIAN_LINES = LOSS_LINES + "    return torch.func.jacfwd(after)(alpha)"
BY_DIFFERENCES_LINES = LOSS_LINES + "    return torch.stack([(after(alpha + e) - after(alpha - e)) / 2e-3 " \
    "for e in 1e-3 * torch.eye(3).double()])"


def rate_wrong(*edits: tuple[str, str]) -> str:
    """A wrong gradient by the rates: the solution with edits."""
    return edited(RATE_SOLUTION, *edits)


rate_gradient = Exercise(
    id="05.3", title="How the loss depends on a rate", answer="rate_gradient", difficulty=2, minutes=7,
    stub=RATE + "    ...", solution_source=RATE_SOLUTION, check=check_rate_gradient,
    hints=(
        "Write phi as a function of alpha. Which entries of phi does the first rate touch?",
        "phi[i] = theta[i] - alpha[i] * g[i], with g the support gradient at theta, which does not depend on alpha. So "
        "the derivative of phi[i] by alpha[i] is -g[i], and by all other rates it is 0.",
        "The chain rule multiplies it by the query gradient at phi, (phi @ x_q - y_q) * x_q, element by element.",
    ),
    wrong=(
        (rate_wrong((PRODUCT, "    return query_gradient * support_gradient")), SIGN),
        (rate_wrong((AT_PHI, "    query_gradient = (theta @ x_q - y_q) * x_q")), AT_THETA),
        (rate_wrong((PRODUCT, "    return -support_gradient * support_gradient")), SUPPORT_TWICE),
        (rate_wrong((PRODUCT, "    return -(query_gradient @ support_gradient)")), SCALAR),
        (rate_wrong((PRODUCT, "    return -query_gradient")), "the support gradient left out"),
        (rate_wrong((PRODUCT, "    return query_gradient - ((alpha * query_gradient) @ x_s) * x_s")), WRONG_PATH),
        (rate_wrong((PRODUCT, "    return -query_gradient * (phi @ x_s - y_s) * x_s")), "the support gradient at phi"),
        (rate_wrong(("(x_s, y_s), (x_q, y_q) = support, query", "(x_q, y_q), (x_s, y_s) = support, query")), SWAPPED),
        (rate_wrong((PRODUCT, "    return -alpha * query_gradient * support_gradient")), TWICE_ALPHA),
        (rate_wrong((PRODUCT, "    return query_gradient * support_gradient"),
                    (AT_PHI, "    query_gradient = (theta @ x_q - y_q) * x_q")), f"{SIGN}, {AT_THETA}"),
        (RATE + BY_AUTOGRAD_LINES, BY_AUTOGRAD),
        (RATE + BY_AUTOGRAD_LINES.replace("    return ", "    return -"), f"{SIGN}, {BY_AUTOGRAD}"),
        (RATE + BY_JACOBIAN_LINES, BY_AUTOGRAD),
        (RATE + BY_DIFFERENCES_LINES, BY_DIFFERENCES),
    ),
    mutations=(
        ("    support_gradient = (theta @ x_s - y_s) * x_s", "    support_gradient = (theta @ x_s + y_s) * x_s"),
        ("    phi = theta - alpha * support_gradient", "    phi = theta - 2 * alpha * support_gradient"),
        (AT_PHI, "    query_gradient = (phi @ x_q - y_q) * x_s"),
        (PRODUCT, "    return -2 * query_gradient * support_gradient"),
    ))

EXERCISES = (meta_sgd_step, outer_update, rate_gradient, verdicts)
