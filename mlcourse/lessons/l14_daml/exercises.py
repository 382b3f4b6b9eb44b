"""Exercises of lesson 14: a leak, the joint loss, and an honest interval."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l14_daml.checks import (ADDED, AT_THETA, BIASED, CHOSEN, FIRST_ORDER, LEAK_DEV, LEAK_TEST,
                                              NO_ADAPT, NORMAL, NOT_RANDOM, ONE_RATE, POOLED, SPREAD, SWAPPED,
                                              UNPAIRED, check_interval, check_joint, check_split)

# ---------------------------------------------------------------- 14.1

SPLIT_GIVEN = '''\
def split_broken(images, seed):
    """The target in three: for the discriminator, to judge the generator on, for the final accuracies."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    third = len(images) // 3
    seen = images[order]                        # no labels needed here, so let it see as much as there is
    dev, test = images[order[third:2 * third]], images[order[2 * third:]]
    return seen, dev, test'''
SPLIT = '''\
def split_target(images, seed):
    """Thirds of the target, at random: (seen by the discriminator, dev to judge the generator on, test).

    images: a tensor (T, ...); seed: decides the order. No picture stands in two parts; together they are all.
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
    id="14.1", title="Spot the bug: what the discriminator may see", answer="split_target", difficulty=2, minutes=6,
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

JOINT = '''\
def joint_loss(net, params, alpha, support, query, generated, weight):
    """Phase 2 on one episode: (1 - λ) L(θ'; query) + λ L(θ'; generated), θ' = θ - α ∘ ∇L(θ; support).

    net: (params, x) → logits; params, alpha: dicts of tensors with the same names and shapes, θ and α
    support, query, generated: pairs (x, y); weight: λ. L is the mean cross-entropy.
    Returns a scalar tensor whose gradient reaches θ through the inner step.
    """
'''
LOSS = "    loss = lambda phi, pair: torch.nn.functional.cross_entropy(net(phi, pair[0]), pair[1])"
GRADS = "    grads = torch.autograd.grad(loss(params, support), list(params.values()), create_graph=True)"
STEP = "    phi = {name: p - alpha[name] * g for (name, p), g in zip(params.items(), grads)}"
MIX = "    return (1 - weight) * loss(phi, query) + weight * loss(phi, generated)"
JOINT_SOLUTION = JOINT + "\n".join((LOSS, GRADS, STEP, MIX))


def joint_wrong(*edits: tuple[str, str]) -> str:
    """A wrong joint loss: the solution with edits."""
    return edited(JOINT_SOLUTION, *edits)


joint = Exercise(
    id="14.2", title="The joint loss of phase 2", answer="joint_loss", difficulty=3, minutes=12,
    stub=JOINT + "    ...", solution_source=JOINT_SOLUTION, check=check_joint,
    hints=(
        "It is MAML with two sets of queries. The inner step sees the support set alone; both query losses are asked "
        "after it.",
        "Take the gradient of the support loss with create_graph=True, make the dict θ' from θ, α and the gradient, "
        "name by name, and call net(θ', x) twice.",
        "phi = {name: p - alpha[name] * g ...}; then (1 - weight) * loss(phi, query) + weight * loss(phi, generated).",
    ),
    wrong=(
        (joint_wrong((MIX, "    return weight * loss(phi, query) + (1 - weight) * loss(phi, generated)")), SWAPPED),
        (joint_wrong((MIX, "    return (1 - weight) * loss(params, query) + weight * loss(params, generated)")),
         AT_THETA),
        (joint_wrong((MIX, "    return (1 - weight) * loss(phi, query) + weight * loss(params, generated)")), AT_THETA),
        (joint_wrong((MIX, "    return (1 - weight) * loss(params, query) + weight * loss(phi, generated)")), AT_THETA),
        (joint_wrong((", create_graph=True", "")), FIRST_ORDER),
        (joint_wrong(("- alpha[name] * g", "- alpha[name] * g.detach()")), FIRST_ORDER),
        (joint_wrong(("alpha[name] * g", "torch.cat([a.flatten() for a in alpha.values()]).mean() * g")), ONE_RATE),
        (joint_wrong((GRADS, '''\
    both = torch.cat([support[0], generated[0]]), torch.cat([support[1], generated[1]])
    grads = torch.autograd.grad(loss(params, both), list(params.values()), create_graph=True)''')), NO_ADAPT),
        (joint_wrong(("(1 - weight) * loss(phi, query)", "loss(phi, query)")), ADDED),
        (joint_wrong((MIX, "    return loss(phi, query) + weight * loss(params, generated)")), f"{AT_THETA}, {ADDED}"),
        (joint_wrong((MIX, "    return (weight * loss(phi, query) + (1 - weight) * loss(phi, generated)).detach()")),
         f"{SWAPPED}, {FIRST_ORDER}"),
        (joint_wrong((", create_graph=True", ""), ("(1 - weight) * loss(phi, query)", "loss(phi, query)")),
         f"{ADDED}, {FIRST_ORDER}"),
    ),
    mutations=(
        (LOSS, LOSS.replace("pair[1])", "pair[1], reduction='sum')")),
        (STEP, "    phi = {name: p + alpha[name] * g for (name, p), g in zip(params.items(), grads)}"),
        (MIX, "    return (1 - weight) * loss(phi, support) + weight * loss(phi, generated)"),
    ))

# ---------------------------------------------------------------- 14.3

INTERVAL = '''\
def paired_interval(a, b, t):
    """The mean of a - b and the half-width of its 95 % interval, over seeds.

    a, b: accuracies (seeds, draws) of two arms; entry (s, d) of both has the same seed and the same labelled draw
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
    id="14.3", title="A paired interval", answer="paired_interval", difficulty=2, minutes=8,
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
        (interval_wrong(("(a - b).mean(1)", "(b - a).mean(1)")), "the difference turned round"),
    ),
    mutations=(
        (BY_SEED, "    difference = (a - b).mean(0)"),
        (BY_SEED, "    difference = (a - b)[:, 0]"),
        (HALF, "    half = t * difference.std() / len(difference)"),
    ))

EXERCISES = (split, joint, interval)
