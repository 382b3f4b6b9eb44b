"""Exercises of lesson 03: MAML on sinusoids."""

from __future__ import annotations

from mlcourse.exercises.by_hand import BY_AUTOGRAD, BY_DIFFERENCES
from mlcourse.exercises.framework import Exercise, edited
from mlcourse.exercises.gradients import AT_THETA, BACKWARD, CUT, FIRST_ORDER, IN_PLACE, NO_GRAD, THROWN_AWAY
from mlcourse.lessons.l03_maml.checks import check_adapt, check_inner_step, check_meta_gradient, check_task_loss
from mlcourse.lessons.l03_maml.checks_ratio import check_paired_ratio

# ---------------------------------------------------------------- 03.1

INNER_STEP = '''\
def inner_step(params, loss, alpha):
    """One step of gradient descent that the outer loop can differentiate: params - alpha * gradient of loss.

    params: a dict of tensors; loss: a function of such a dict that returns a scalar; alpha: the rate
    Returns a new dict with the same keys and shapes. Leaves params and its .grad as they are.
    """
'''
INNER_STEP_SOLUTION = INNER_STEP + '''\
    grads = torch.autograd.grad(loss(params), list(params.values()), create_graph=True)
    return {name: p - alpha * g for (name, p), g in zip(params.items(), grads)}'''
UPDATE = "    return {name: p - alpha * g for (name, p), g in zip(params.items(), grads)}"

inner_step = Exercise(
    id="03.1", title="One differentiable step", answer="inner_step", difficulty=2, minutes=10,
    stub=INNER_STEP + "    ...", solution_source=INNER_STEP_SOLUTION, check=check_inner_step,
    hints=(
        "The gradient of the loss is itself a function of the parameters, and the outer loop has to see it so.",
        "torch.autograd.grad(loss(params), list(params.values()), create_graph=True) returns one gradient for each "
        "parameter, and each can be differentiated again.",
        "Pair names with gradients by zip(params.items(), grads) and build a new dict of p - alpha * g.",
    ),
    wrong=(
        (edited(INNER_STEP_SOLUTION, (", create_graph=True", "")), FIRST_ORDER),
        (edited(INNER_STEP_SOLUTION, ("p - alpha * g", "p - alpha * g.detach()")), FIRST_ORDER),
        (edited(INNER_STEP_SOLUTION, ("p - alpha * g", "(p - alpha * g).detach()")), CUT),
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
        ("    grads = torch.autograd.grad(loss(params), list(params.values()), create_graph=True)",
         "    grads = torch.autograd.grad(loss(params), list(params.values()), retain_graph=True)"),
        (UPDATE, "    return {name: p - alpha * g for (name, p), g in zip(params.items(), reversed(grads))}"),
        (UPDATE, "    return {name: p.detach() - alpha * g for (name, p), g in zip(params.items(), grads)}"),
    ))

# ---------------------------------------------------------------- 03.2

META_GRADIENT = '''\
def meta_gradient(theta, support, query, alpha):
    """The derivative, with respect to theta, of the query loss after one inner step, by hand.

    The model is theta * x with one weight, and both losses are (theta * x - y)**2 / 2 on one sample.
    theta, alpha: numbers; support, query: pairs (x, y) of numbers
    Returns one number.
    """
'''
META_GRADIENT_SOLUTION = META_GRADIENT + '''\
    (x_s, y_s), (x_q, y_q) = support, query
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
    id="03.2", title="A meta-gradient on paper", answer="meta_gradient", difficulty=2, minutes=10,
    stub=META_GRADIENT + "    ...", solution_source=META_GRADIENT_SOLUTION, check=check_meta_gradient,
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

ADAPT_GIVEN = '''\
def adapt_broken(forward, params, episode, alpha, steps):
    """Fails: run it and read the error."""
    for _ in range(steps):
        with torch.no_grad():  # saves memory
            loss = ((forward(params, episode.support_x) - episode.support_y) ** 2).mean()
        grads = torch.autograd.grad(loss, list(params.values()), create_graph=True)
        params = {name: p - alpha * g for (name, p), g in zip(params.items(), grads)}
    return params


def adapt_silenced(forward, params, episode, alpha, steps):
    """Somebody's repair. The error is gone, and the adapted parameters are right. Is it MAML?"""
    def support_loss(p):
        return ((forward(p, episode.support_x) - episode.support_y) ** 2).mean()
    for _ in range(steps):
        with torch.no_grad():
            grads = torch.func.grad(support_loss)(params)
        params = {name: p - alpha * grads[name] for name, p in params.items()}
    return params'''
ADAPT_BROKEN, ADAPT_SILENCED = ADAPT_GIVEN.split("\n\n\n")
ADAPT = '''\
def adapt(forward, params, episode, alpha, steps):
    """The parameters after some inner steps, which the outer loop can differentiate through all of them.

    forward(params, x) gives predictions; params: a dict of tensors; alpha: the rate; steps: 1 or more
    episode: support_x, support_y (K, 1), query_x, query_y (Q, 1); the loss is the mean squared error
    Returns a new dict with the same keys and shapes. Leaves params and its .grad as they are.
    """
'''
ADAPT_SOLUTION = ADAPT + '''\
    for _ in range(steps):
        loss = ((forward(params, episode.support_x) - episode.support_y) ** 2).mean()
        grads = torch.autograd.grad(loss, list(params.values()), create_graph=True)
        params = {name: p - alpha * g for (name, p), g in zip(params.items(), grads)}
    return params'''


def adapt_wrong(*edits: tuple[str, str]) -> str:
    """A wrong inner step: the solution with edits."""
    return edited(ADAPT_SOLUTION, *edits)


adapt = Exercise(
    id="03.3", title="Spot the bug: an inner loop without a graph", answer="adapt", difficulty=3, minutes=10,
    given=ADAPT_GIVEN, stub=ADAPT + "    ...", solution_source=ADAPT_SOLUTION, check=check_adapt,
    hints=(
        "Which tensors of the inner loop must the outer loop differentiate, and what does no_grad do to them?",
        "Under no_grad the loss has no graph, and torch.autograd.grad says so. torch.func.grad builds a graph of its "
        "own for the inner gradient, but under no_grad nothing leads from that gradient back to the initialisation.",
        "Take adapt_broken, move the loss out of no_grad and keep create_graph=True.",
    ),
    wrong=(
        (edited(ADAPT_BROKEN, ("adapt_broken", "adapt")), NO_GRAD),
        (edited(ADAPT_SILENCED, ("adapt_silenced", "adapt")), FIRST_ORDER),
        (adapt_wrong((", create_graph=True", "")), FIRST_ORDER),
        (adapt_wrong(("    for _ in", "    params = {name: p.detach().requires_grad_() for name, p in params.items()}\n"
                                      "    for _ in")), CUT),
        (ADAPT + '''\
    def support_loss(p):
        return ((forward(p, episode.support_x) - episode.support_y) ** 2).mean()
    with torch.no_grad():
        for _ in range(steps):
            grads = torch.func.grad(support_loss)(params)
            params = {name: p - alpha * grads[name] for name, p in params.items()}
    return params''', CUT),
        (adapt_wrong(("    return params", "    return {name: p.detach() for name, p in params.items()}")), CUT),
        (adapt_wrong(("        params = {", "        adapted = {"), ("    return params", "    return adapted")),
         THROWN_AWAY),
        (adapt_wrong(("episode.support_x", "episode.query_x"), ("episode.support_y", "episode.query_y")),
         "adapted on the query set"),
        (adapt_wrong(("p - alpha * g", "p + alpha * g")), "gradient ascent"),
        (adapt_wrong(("episode.support_x", "episode.query_x"), ("episode.support_y", "episode.query_y"),
                     (", create_graph=True", "")), f"adapted on the query set, {FIRST_ORDER}"),
        (ADAPT + '''\
    for _ in range(steps):
        loss = ((forward(params, episode.support_x) - episode.support_y) ** 2).mean()
        grads = torch.autograd.grad(loss, list(params.values()))
        with torch.no_grad():
            for p, g in zip(params.values(), grads):
                p -= alpha * g
    return params''', IN_PLACE),
    ),
    mutations=(
        ("    for _ in range(steps):", "    for _ in range(1):"),
        ("        loss = ((forward(params, episode.support_x) - episode.support_y) ** 2).mean()",
         "        loss = ((forward(params, episode.support_x) - episode.support_y) ** 2).sum()"),
        ("        grads = torch.autograd.grad(loss, list(params.values()), create_graph=True)",
         "        grads = torch.autograd.grad(loss, list(params.values()))"),
        ("        params = {name: p - alpha * g for (name, p), g in zip(params.items(), grads)}",
         "        params = {name: p - alpha * g.detach() for (name, p), g in zip(params.items(), grads)}"),
    ))

# ---------------------------------------------------------------- 03.4

TASK_LOSS_GIVEN = '''\
def task_loss_broken(forward, params, episode, alpha):
    """Runs without an error. What does an outer loop that descends it train?"""
    def mse(p, x, y):
        return ((forward(p, x) - y) ** 2).mean()
    support_loss = mse(params, episode.support_x, episode.support_y)
    grads = torch.autograd.grad(support_loss, list(params.values()), create_graph=True)
    adapted = {name: p - alpha * g for (name, p), g in zip(params.items(), grads)}
    return mse(params, episode.query_x, episode.query_y)'''
TASK_LOSS = '''\
def task_loss_after_adaptation(forward, params, episode, alpha):
    """What MAML's outer loop descends for one task: the query loss after one inner step on the support set.

    forward(params, x) gives predictions; params: a dict of tensors; alpha: the rate of the inner step
    episode: support_x, support_y (K, 1), query_x, query_y (Q, 1); the loss is the mean squared error
    Returns a scalar tensor; its gradient with respect to params is the meta-gradient, second order.
    """
'''
LAST = "    return mse(adapted, episode.query_x, episode.query_y)"
TASK_LOSS_SOLUTION = TASK_LOSS + TASK_LOSS_GIVEN.split('"""\n', 1)[1].rsplit("\n", 1)[0] + "\n" + LAST
SUPPORT = "    support_loss = mse(params, episode.support_x, episode.support_y)"
ON_QUERY = "    support_loss = mse(params, episode.query_x, episode.query_y)"


def task_wrong(*edits: tuple[str, str]) -> str:
    """A wrong task loss: the solution with edits."""
    return edited(TASK_LOSS_SOLUTION, *edits)


task_loss = Exercise(
    id="03.4", title="Spot the bug: what is being trained?", answer="task_loss_after_adaptation", difficulty=2, minutes=8,
    given=TASK_LOSS_GIVEN, stub=TASK_LOSS + "    ...", solution_source=TASK_LOSS_SOLUTION, check=check_task_loss,
    hints=(
        "Follow `adapted` from where it is made to where it is used.",
        "The broken loss is that of the initialisation, which is joint training: the inner step has no effect on it.",
        "In the last line evaluate the adapted parameters, on the query set.",
    ),
    wrong=(
        (edited(TASK_LOSS_GIVEN, ("task_loss_broken", "task_loss_after_adaptation")),
         "one model adapted, another evaluated"),
        (task_wrong((LAST, "    return mse(adapted, episode.support_x, episode.support_y)")),
         "adapted and evaluated on the same data"),
        (task_wrong((SUPPORT, ON_QUERY)), "adapted on the query set"),
        (task_wrong((SUPPORT, ON_QUERY), (LAST, "    return mse(adapted, episode.support_x, episode.support_y)")),
         "support and query swapped"),
        (task_wrong((LAST, "    return support_loss")), "no adaptation"),
        (task_wrong((LAST, LAST.replace("return mse", "return -mse"))), "a performance instead of a loss"),
        (task_wrong((LAST, "    return -mse(params, episode.query_x, episode.query_y)")),
         "one model adapted, another evaluated, a performance instead of a loss"),
        (task_wrong((SUPPORT, ON_QUERY), (", create_graph=True", "")), f"adapted on the query set, {FIRST_ORDER}"),
        (task_wrong((LAST, LAST.replace("return mse", "return -mse") + ".detach()")),
         f"a performance instead of a loss, {CUT}"),
        (task_wrong((", create_graph=True", "")), FIRST_ORDER),
        (task_wrong((LAST, LAST + ".detach()")), CUT),
        (task_wrong((LAST, "    return ((forward(adapted, episode.query_x) - episode.query_y) ** 2).sum()")),
         "sum instead of mean"),
    ),
    mutations=(
        (SUPPORT, "    support_loss = mse(params, episode.support_x, 0 * episode.support_y)"),
        ("    grads = torch.autograd.grad(support_loss, list(params.values()), create_graph=True)",
         "    grads = torch.autograd.grad(support_loss, list(params.values()))"),
        ("    adapted = {name: p - alpha * g for (name, p), g in zip(params.items(), grads)}",
         "    adapted = {name: p + alpha * g for (name, p), g in zip(params.items(), grads)}"),
        (LAST, "    return mse(params, episode.query_x, episode.query_y)"),
    ))

# ---------------------------------------------------------------- 03.5

PAIRED_RATIO = '''\
def paired_ratio(pretrained_mse, maml_mse):
    """How many times larger is the pretrained baseline's error than MAML's, with a 95 % interval?

    pretrained_mse, maml_mse: tensors of shape (n,), the errors of both methods on the same n tasks
    Returns (ratio, low, high): the mean of one over the mean of the other, and its paired interval,
    by the delta method or by a bootstrap that draws whole tasks.
    """
'''
PAIRED_RATIO_SOLUTION = PAIRED_RATIO + '''\
    ratio = pretrained_mse.mean() / maml_mse.mean()
    residual = (pretrained_mse - ratio * maml_mse) / maml_mse.mean()
    half = 1.96 * residual.std() / len(residual) ** 0.5
    return float(ratio), float(ratio - half), float(ratio + half)'''
RATIO = "    ratio = pretrained_mse.mean() / maml_mse.mean()"
RESIDUAL = "    residual = (pretrained_mse - ratio * maml_mse) / maml_mse.mean()"
HALF = "    half = 1.96 * residual.std() / len(residual) ** 0.5"
BOOTSTRAP = PAIRED_RATIO + '''\
    n = len(maml_mse)
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randint(n, (2000, n), generator=generator)
    ratios = pretrained_mse[drawn].mean(1) / maml_mse[drawn].mean(1)
    low, high = ratios.quantile(torch.tensor([0.025, 0.975], dtype=ratios.dtype))
    return pretrained_mse.mean() / maml_mse.mean(), low, high'''


def ratio_wrong(*edits: tuple[str, str]) -> str:
    """A wrong paired ratio: the solution with edits."""
    return edited(PAIRED_RATIO_SOLUTION, *edits)


paired_ratio = Exercise(
    id="03.5", title="Beats pretraining, by how much?", answer="paired_ratio", difficulty=3, minutes=12,
    stub=PAIRED_RATIO + "    ...", solution_source=PAIRED_RATIO_SOLUTION, check=check_paired_ratio,
    hints=(
        "A hard task is hard for both methods. An interval that keeps the pairs together does not count that as "
        "uncertainty about the ratio.",
        "The delta method needs one number for each task: (pretrained_mse - ratio * maml_mse) / maml_mse.mean(). Its "
        "standard error is that of the ratio. In a bootstrap, index both tensors by the same drawn tasks.",
        "The half-width is 1.96 times the standard deviation of these n numbers divided by the square root of n; the "
        "interval is ratio - half to ratio + half.",
    ),
    wrong=(
        (ratio_wrong((RATIO, "    ratio = (pretrained_mse / maml_mse).mean()"),
                     (RESIDUAL, "    residual = pretrained_mse / maml_mse")), "mean of ratios"),
        (ratio_wrong((HALF, "    relative = pretrained_mse.var() / pretrained_mse.mean() ** 2 + maml_mse.var() / "
                            "maml_mse.mean() ** 2\n    half = 1.96 * ratio * (relative / len(residual)) ** 0.5")),
         "unpaired interval"),
        (edited(BOOTSTRAP, ("    ratios = pretrained_mse[drawn]", "    other = torch.randint(n, (2000, n), "
                            "generator=generator)\n    ratios = pretrained_mse[other]")), "unpaired interval"),
        (ratio_wrong((" / len(residual) ** 0.5", "")), "standard deviation instead of standard error"),
        (ratio_wrong(("1.96 * ", "")), "one standard error"),
        (ratio_wrong((RATIO, "    ratio = maml_mse.mean() / pretrained_mse.mean()")), "ratio upside down"),
        (ratio_wrong((RATIO, "    ratio = maml_mse.mean() / pretrained_mse.mean()"),
                     (RESIDUAL, "    residual = (maml_mse - ratio * pretrained_mse) / pretrained_mse.mean()"),
                     ("1.96 * ", "")), "ratio upside down, one standard error"),
    ),
    mutations=(
        (RATIO, "    ratio = pretrained_mse.median() / maml_mse.median()"),
        (RESIDUAL, "    residual = pretrained_mse / maml_mse.mean()"),
        (HALF, "    half = 1.96 * residual.std() / len(residual)"),
        ("    return float(ratio), float(ratio - half), float(ratio + half)",
         "    return float(ratio), float(ratio + half), float(ratio - half)"),
    ))

EXERCISES = (inner_step, meta_gradient, adapt, task_loss, paired_ratio)
