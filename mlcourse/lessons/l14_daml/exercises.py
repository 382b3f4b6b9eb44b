"""Exercises of lesson 14: a leak, the meta-objective without and with generated pictures, an honest interval, and what
intervals bear out."""

from __future__ import annotations

from functools import partial

from mlcourse.exercises.entries import every_misreading, verdict_line, with_verdicts
from mlcourse.exercises.framework import Exercise, edited
from mlcourse.exercises.gradients import CUT
from mlcourse.lessons.l14_daml.checks import (ADDED, AT_THETA, BIASED, CHAINED, CHOSEN, CLAIMS, FIRST_ORDER, LAST,
                                              LEAK_DEV, LEAK_TEST, MEAN, NO_ADAPT, NORMAL, NOT_RANDOM, NOT_REAL,
                                              ON_SUPPORT, ONE_RATE, PLUS_SUPPORT, POOLED, SPREAD, SWAPPED, UNPAIRED,
                                              UNWEIGHTED, WHOLE, check_interval, check_mixed, check_objective,
                                              check_split, check_verdicts)

# ---------------------------------------------------------------- 14.1

SPLIT_GIVEN = '''\
def split_broken(images, seed):
    """The target in three: for the discriminator, to measure on, for the final accuracies."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    third = len(images) // 3
    seen = images[order]            # no labels needed here, so let it see what there is
    dev, test = images[order[third:2 * third]], images[order[2 * third:]]
    return seen, dev, test'''
SPLIT = '''\
def split_target(images, seed):
    """Thirds of the target, at random: (seen by the discriminator, dev to measure on, test).

    images: a tensor (T, ...); seed: decides the order
    No picture stands in two parts; together they are all.
    """
'''
ORDER = "    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))"
THIRD = "    third = len(images) // 3"
SEEN = "    seen = images[order[:third]]"
REST = "    dev, test = images[order[third:2 * third]], images[order[2 * third:]]"
SPLIT_SOLUTION = SPLIT + "\n".join((ORDER, THIRD, SEEN, REST, "    return seen, dev, test"))


def split_wrong(*edits: tuple[str, str]) -> str:
    """A wrong split: the solution with edits."""
    return edited(SPLIT_SOLUTION, *edits)


split = Exercise(
    id="14.1", title="Spot the bug: what the discriminator may see", answer="split_target", difficulty=2, minutes=5,
    given=SPLIT_GIVEN, stub=SPLIT + "    ...", solution_source=SPLIT_SOLUTION, check=check_split,
    hints=(
        "Which pictures does the broken version show to the discriminator, and which of these are used again later?",
        "A picture without its label is still that picture: the generator can learn to draw it. `seen` must share no "
        "picture with dev or test.",
        "Let seen be images[order[:third]], and leave the two others as they are.",
    ),
    wrong=(
        (edited(SPLIT_GIVEN, ("split_broken", "split_target")), f"{LEAK_TEST}, {LEAK_DEV}"),
        (split_wrong((ORDER, "    order = torch.arange(len(images)).roll(seed)")), NOT_RANDOM),
        (split_wrong((ORDER, "    order = torch.arange(len(images)).flip(0).roll(3 * seed)")), NOT_RANDOM),
        (split_wrong((SEEN, "    seen = images[:third]"),
                     (REST, "    generator = torch.Generator().manual_seed(seed)\n"
                            "    rest = third + torch.randperm(len(images) - third, generator=generator)\n"
                            "    dev, test = images[rest[:third]], images[rest[third:]]")), NOT_RANDOM),
        (split_wrong((REST, "    rest = images[order[third:].sort().values]\n"
                            "    dev, test = rest[:third], rest[third:]")), NOT_RANDOM),
        (split_wrong((ORDER, "    order = torch.arange(len(images)).roll(seed)"),
                     ("order[third:2 * third]", "order[2 * third:]")), f"{CHOSEN}, {NOT_RANDOM}"),
        (split_wrong((SEEN, "    seen = images[order[:2 * third]]")), LEAK_DEV),
        (split_wrong((SEEN, "    seen = torch.cat([images[order[:third]], images[order[2 * third:]]])")), LEAK_TEST),
        (split_wrong((SEEN, "    seen = images[order[third:2 * third]]")), LEAK_DEV),
        (split_wrong(("order[third:2 * third]", "order[2 * third:]")), CHOSEN),
    ),
    mutations=(
        (ORDER, "    order = torch.arange(len(images))"),
        (ORDER, "    order = torch.randperm(len(images))"),
        (REST, "    dev, test = images[order[third:]], images[order[2 * third:]]"),
        (REST, "    dev, test = images[order[third:2 * third]], images[order[2 * third:3 * third - 1]]"),
    ))

# ---------------------------------------------------------------- 14.2

OBJECTIVE = '''\
def meta_objective(net, params, alpha, tasks):
    """The sum over the tasks of L(φ_i; queries), φ_i = θ - α ∘ ∇L(θ; support).

    net: (params, x) → logits; params, alpha: dicts of tensors with the same names, θ and α
    tasks: a list of (support, queries), each a pair (x, y). L is the mean cross-entropy.
    Returns a scalar tensor whose gradient reaches θ and α through the inner step.
    """
'''
LOSS = "    loss = lambda phi, pair: torch.nn.functional.cross_entropy(net(phi, pair[0]), pair[1])"
TOTAL = "    total = 0"
GRADS = "        grads = torch.autograd.grad(loss(params, support), list(params.values()), create_graph=True)"
STEP = "        phi = {name: p - alpha[name] * g for (name, p), g in zip(params.items(), grads)}"
ADD = "        total = total + loss(phi, queries)"
OBJECTIVE_SOLUTION = OBJECTIVE + "\n".join((LOSS, TOTAL, "    for support, queries in tasks:", GRADS, STEP, ADD,
                                            "    return total"))


def objective_wrong(*edits: tuple[str, str]) -> str:
    """A wrong objective: the solution with edits."""
    return edited(OBJECTIVE_SOLUTION, *edits)


objective = Exercise(
    id="14.2", title="The meta-objective across domains", answer="meta_objective", difficulty=3, minutes=7,
    stub=OBJECTIVE + "    ...", solution_source=OBJECTIVE_SOLUTION, check=check_objective,
    hints=(
        "It is MAML whose support set and queries come from different domains. Each task takes an inner step from θ.",
        "For each task take the gradient of the support loss with create_graph=True, make the dict φ_i from θ, α and "
        "the gradient, name by name, and add net's loss on the queries at φ_i.",
        "phi = {name: p - alpha[name] * g ...}; then total = total + loss(phi, queries).",
    ),
    wrong=(
        (objective_wrong((ADD, "        total = total + loss(params, queries)")), AT_THETA),
        (objective_wrong((", create_graph=True", "")), FIRST_ORDER),
        (objective_wrong(("- alpha[name] * g", "- alpha[name] * g.detach()")), FIRST_ORDER),
        (objective_wrong(("alpha[name] * g", "torch.cat([a.flatten() for a in alpha.values()]).mean() * g")), ONE_RATE),
        (objective_wrong((ADD, "        total = total + loss(phi, support)")), ON_SUPPORT),
        (objective_wrong((ADD, ADD + " + loss(params, support)")), PLUS_SUPPORT),
        (objective_wrong((ADD, ADD + " + loss(params, support)"), (", create_graph=True", "")),
         f"{PLUS_SUPPORT}, {FIRST_ORDER}"),
        (objective_wrong((ADD, ADD + "\n        params = phi")), CHAINED),
        (objective_wrong((ADD, "        total = loss(phi, queries)")), LAST),
        (objective_wrong(("    return total", "    return total / len(tasks)")), MEAN),
        (objective_wrong((", create_graph=True", ""), ("    return total", "    return total / len(tasks)")),
         f"{MEAN}, {FIRST_ORDER}"),
        (objective_wrong((ADD, "        total = total + loss(phi, queries).detach()")), CUT),
        (objective_wrong((LOSS, "    params = {name: p.detach().clone().requires_grad_() for name, p in "
                                "params.items()}\n" + LOSS)), CUT),
        (objective_wrong((STEP, STEP.replace("p - alpha", "p.detach() - alpha"))), CUT),
        (objective_wrong((STEP, STEP.replace("p - alpha", "p.detach() - alpha")), (", create_graph=True", "")), CUT),
    ),
    mutations=(
        (LOSS, LOSS.replace("pair[1])", "pair[1], reduction='sum')")),
        (STEP, "        phi = {name: p + alpha[name] * g for (name, p), g in zip(params.items(), grads)}"),
        (STEP, "        phi = {name: p - alpha[name].detach() * g for (name, p), g in zip(params.items(), grads)}"),
        (GRADS, GRADS.replace("support", "queries")),
    ))

# ---------------------------------------------------------------- 14.3

MIXED = '''\
def with_generated(objective, tasks, redraw, weight):
    """Phase 2: (1 - λ) J(tasks) + λ J(the same tasks with their queries redrawn).

    objective: J, from a list of tasks to a scalar tensor
    tasks: a list of (support, queries), each a pair (x, y)
    redraw: pictures → as many, redrawn, in their order; weight: λ
    Returns a scalar tensor.
    """
'''
MADE = "    made = [(support, (redraw(x), y)) for support, (x, y) in tasks]"
MIX = "    return (1 - weight) * objective(tasks) + weight * objective(made)"
MIXED_SOLUTION = MIXED + "\n".join((MADE, MIX))


def mixed_wrong(*edits: tuple[str, str]) -> str:
    """A wrong mix: the solution with edits."""
    return edited(MIXED_SOLUTION, *edits)


mixed = Exercise(
    id="14.3", title="Generated pictures in the outer loss", answer="with_generated", difficulty=2, minutes=4,
    stub=MIXED + "    ...", solution_source=MIXED_SOLUTION, check=check_mixed,
    hints=(
        "Of a task's four tensors one is redrawn. Which?",
        "Make a second list of tasks: the same support sets, and queries whose pictures went through redraw while "
        "their labels stayed. Ask the objective about both lists.",
        "made = [(support, (redraw(x), y)) for support, (x, y) in tasks]; then mix the two by 1 - weight and weight.",
    ),
    wrong=(
        (mixed_wrong((MIX, "    return weight * objective(tasks) + (1 - weight) * objective(made)")), SWAPPED),
        (mixed_wrong(("(1 - weight) * objective(tasks)", "objective(tasks)")), ADDED),
        (mixed_wrong((MIX, "    return objective(tasks) + objective(made)")), UNWEIGHTED),
        (mixed_wrong((MIX, "    return (objective(tasks) + objective(made)) / 2")), UNWEIGHTED),
        (mixed_wrong((MADE, "    made = [((redraw(x), y), queries) for (x, y), queries in tasks]")), NO_ADAPT),
        (mixed_wrong((MADE, "    made = [tuple((redraw(x), y) for x, y in task) for task in tasks]")), NO_ADAPT),
        (mixed_wrong(("objective(tasks)", "objective(made)")), NOT_REAL),
        (mixed_wrong((MADE, "    made = [((redraw(x), y), queries) for (x, y), queries in tasks]"),
                     ("(1 - weight) * objective(tasks)", "objective(tasks)")), f"{ADDED}, {NO_ADAPT}"),
        (mixed_wrong((MIX, MIX.replace("return ", "return (") + ").detach()")), CUT),
    ),
    mutations=(
        (MADE, "    made = [(support, (redraw(x), y.flip(0))) for support, (x, y) in tasks]"),
        (MADE, "    made = [(support, (redraw(redraw(x)), y)) for support, (x, y) in tasks]"),
        (MIX, "    return (1 - weight) * objective(tasks[:1]) + weight * objective(made[:1])"),
    ))

# ---------------------------------------------------------------- 14.4

INTERVAL = '''\
def paired_interval(a, b, t):
    """The mean of a - b and the half-width of its 95 % interval, over seeds.

    a, b: accuracies (seeds, draws) of two arms, with the same seeds and draws of labels; a seed
    is one experiment, however many draws of labels it has
    t: the factor of Student's t for this number of seeds
    Returns (mean, half-width), two numbers.
    """
'''
BY_SEED = "    difference = (a - b).mean(1)"
HALF = "    half = t * difference.std() / len(difference) ** 0.5"
INTERVAL_SOLUTION = INTERVAL + "\n".join((BY_SEED, HALF, "    return difference.mean(), half"))


def interval_wrong(*edits: tuple[str, str]) -> str:
    """A wrong interval: the solution with edits."""
    return edited(INTERVAL_SOLUTION, *edits)


interval = Exercise(
    id="14.4", title="A paired interval", answer="paired_interval", difficulty=2, minutes=4,
    stub=INTERVAL + "    ...", solution_source=INTERVAL_SOLUTION, check=check_interval,
    hints=(
        "How many independent experiments are there: seeds, or seeds times draws? And what do both arms have in "
        "common?",
        "Subtract entry by entry, average over the draws of each seed, and treat the result as one number per seed.",
        "With difference = (a - b).mean(1), the half-width is t * difference.std() / len(difference) ** 0.5.",
    ),
    wrong=(
        (interval_wrong((HALF, "    half = t * ((a.mean(1).var() + b.mean(1).var()) / len(a)) ** 0.5")), UNPAIRED),
        (interval_wrong((BY_SEED, "    difference = (a - b).flatten()")), POOLED),
        (interval_wrong((BY_SEED, "    difference = (a - b).flatten()"), ("t * difference", "1.96 * difference")),
         f"{POOLED}, {NORMAL}"),
        (interval_wrong((" / len(difference) ** 0.5", ""), (".std()", ".std(correction=0)")), f"{SPREAD}, {BIASED}"),
        (interval_wrong(("t * difference", "1.96 * difference")), NORMAL),
        (interval_wrong((" / len(difference) ** 0.5", "")), SPREAD),
        (interval_wrong((".std()", ".std(correction=0)")), BIASED),
        (interval_wrong((HALF, HALF.replace("t *", "2 * t *"))), WHOLE),
        (interval_wrong(("(a - b).mean(1)", "(b - a).mean(1)")), "the difference turned round"),
    ),
    mutations=(
        (BY_SEED, "    difference = (a - b).mean(0)"),
        (BY_SEED, "    difference = (a - b)[:, 0]"),
        (HALF, "    half = t * difference.std() / len(difference)"),
    ))

# ---------------------------------------------------------------- 14.5

VERDICTS = '''\
verdicts = {    # "yes": the interval lies above zero, "no": below, "open": it includes zero
    "a": ...,   # without a label, generated pictures help: better than source only
    "b": ...,   # at k = 5 they still help
    "c": ...,   # at k = 1 they help more than hand-made views
    "d": ...,   # without a label, phase 2 (DAML) helps: better than source + generated
}'''


judged, line = partial(with_verdicts, VERDICTS, CLAIMS), partial(verdict_line, VERDICTS, CLAIMS)


verdicts = Exercise(
    id="14.5", title="What did each part add?", answer="verdicts", difficulty=1, minutes=2,
    stub=VERDICTS, solution_source=judged(), check=check_verdicts,
    hints=(
        "Each claim has its row in the last table, and its column by k.",
        "Where the interval lies above zero the claim is borne out, below zero its contrary is; where it includes zero "
        "it is open, however far from zero its middle lies.",
        "One is yes, one no, and two are open.",
    ),
    wrong=(
        *every_misreading(VERDICTS, CLAIMS),
        (judged(b="yes", d="no"), f"{CLAIMS['b'].name}, {CLAIMS['d'].name}"),
    ),
    mutations=tuple((line(key, CLAIMS[key].verdict), line(key, wrong)) for key, wrong in (
        ("a", "no"), ("b", "no"), ("c", "open"), ("d", "yes"))))

EXERCISES = (split, objective, mixed, interval, verdicts)
