"""Checks of lesson 14: what a discriminator may see, the joint loss of phase 2, an interval of paired differences, and
what such intervals bear out."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from itertools import permutations
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.exercises import oracles
from mlcourse.exercises.entries import check_claims
from mlcourse.exercises.framework import (LearnerFunction, Misconception, NotYet, all_of, explain, faults_behind, named,
                                          options_of)
from mlcourse.exercises.gradients import CUT, gradient_of
from mlcourse.exercises.values import DIGITS, described, is_regular, numbers, scalar, tensor

AT_THETA = "the outer loss is asked at θ"
FIRST_ORDER = "the inner gradient is a constant"
ONE_RATE = "one rate for all"
CHAINED = "a task starts where the last one ended"
LAST = "the last task alone"
MEAN = "averaged instead of summed"
ON_SUPPORT = "asked about the support set"
PLUS_SUPPORT = "the support loss is added"
SWAPPED = "λ on the wrong side"
ADDED = "added instead of mixed"
UNWEIGHTED = "λ is forgotten"
NO_ADAPT = "generated pictures in the inner step"
NOT_REAL = "no real queries are left"
LEAK_TEST = "test pictures in the discriminator"
LEAK_DEV = "measured on what the discriminator saw"
CHOSEN = "one part for choosing and for the test"
UNPAIRED = "unpaired"
POOLED = "draws counted as independent"
NORMAL = "1.96 for a handful of seeds"
SPREAD = "spread instead of standard error"
NOT_RANDOM = "a split that is not random"
BIASED = "divided by n instead of n - 1"
WHOLE = "the whole width"

Params = dict[str, Tensor]
T_TABLE = {3: 4.302652729911275, 5: 2.7764451051977987, 8: 2.3646242510102993}      # 0.975 quantile, n - 1 degrees


# ---------------------------------------------------------------- 14.1


def check_split(answer: object) -> str:
    """14.1: three parts of a target, at random, that share no picture."""
    split = LearnerFunction(answer, "split_target")
    for count, seed in ((60, 7), (30, 0), (31, 4)):
        images = torch.arange(count)[:, None].repeat(1, 2)
        deal = lambda seed: parts_of(split(images.clone(), seed))
        parts, again, other = deal(seed), deal(seed), deal(seed + 1)
        found = leaks(*map(set, parts))
        if how := as_stored(parts, count):
            found.append(Misconception(NOT_RANDOM, f"{how}; pictures often lie sorted by class, so the parts differ in "
                                       "their classes. Deal them with torch.randperm."))
        if found:
            raise all_of(found)
        sizes = [len(part) for part in parts]
        if any(len(part) != len(set(part)) for part in parts):
            raise NotYet("a picture stands twice in one part.")
        if sum(sizes) != count or max(sizes) - min(sizes) > 2:
            raise NotYet(f"the parts should be thirds of all {count} pictures, got {sizes[0]}, {sizes[1]} and "
                         f"{sizes[2]}.")
        if parts != again:
            raise NotYet("the same seed must give the same three parts.")
        if parts == other:
            raise NotYet("another seed must give other parts.")
    return "No picture stands in two parts, together they are all pictures, and the seed decides."


def parts_of(got: object) -> list[list[int]]:
    """The marks of the pictures in each of the three parts."""
    three = "split_target must return three tensors of pictures: (seen, dev, test)"
    if not isinstance(got, (tuple, list)) or len(got) != 3:
        raise NotYet(f"{three}, got {described(got)}.")
    parts = [tensor(part, None, three) for part in got]
    if any(part.ndim != 2 or part.shape[1] != 2 for part in parts):
        raise NotYet(f"{three}; index images, and return the pictures themselves and not their numbers.")
    return [part[:, 0].long().tolist() for part in parts]


def as_stored(parts: list[list[int]], count: int) -> str:
    """How the order in which `count` pictures are stored decides what stands in a part; empty where it does not."""
    if any(15 < len(set(part)) < count and is_regular(part, count) for part in parts):
        return "a part is a run of pictures as they are stored, or takes them by equal steps"
    if any(one and two and max(one) < min(two) for one, two in permutations(parts, 2)):
        return "every picture of one part is stored before all those of another"
    return ""


def leaks(seen: set[int], dev: set[int], test: set[int]) -> list[Misconception]:
    """The parts that share a picture."""
    found = []
    if seen & test:
        found.append(Misconception(LEAK_TEST, f"{len(seen & test)} of the pictures that the discriminator sees are "
                                   "test pictures. They carry no label, and yet the generator learns to draw exactly "
                                   "the pictures that the accuracies are taken on."))
    if seen & dev:
        found.append(Misconception(LEAK_DEV, f"{len(seen & dev)} pictures of dev, on which the generator is measured, "
                                   "were shown to its discriminator. A generator that copied them would get the best "
                                   "mark of all."))
    if dev & test:
        found.append(Misconception(CHOSEN, f"{len(dev & test)} pictures stand in both dev and test; whatever you "
                                   "choose by dev is then chosen by the test."))
    return found


# ---------------------------------------------------------------- 14.2


def linear_net(params: Params, x: Tensor) -> Tensor:
    """Logits of a small network whose Hessian is not zero: x (M, 3) → (M, 2)."""
    return torch.tanh(x @ params["body"]) @ params["head"]


def problem(seed: int) -> tuple[Params, Params, list]:
    """(params, alpha, tasks) in float64, small: three tasks of support and queries of different sizes."""
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)
    params = {"body": draw(3, 4), "head": draw(4, 2)}
    alpha = {name: 0.1 + 0.3 * torch.rand(p.shape, generator=generator, dtype=torch.float64)
             for name, p in params.items()}
    pair = lambda m: (draw(m, 3), torch.randint(2, (m,), generator=generator))
    return params, alpha, [(pair(4), pair(m)) for m in (5, 3, 6)]


def objective(params: Params, alpha: Params, tasks: list, *, order: int = 2, rate: str = "each", at: str = "phi",
              asked: str = "query", plus: bool = False, start: str = "theta", over: str = "sum",
              copied: bool = False) -> Tensor:
    """The meta-objective, written out. order=1 leaves out the second derivatives, `copied` takes the step from a
    detached copy of θ; the other options are the known faults of its value: the rates, where the losses are asked and
    about what, whether the support loss at θ is added, where a task starts, and how the tasks are put together."""
    loss = lambda phi, pair: F.cross_entropy(linear_net(phi, pair[0]), pair[1])
    if rate == "mean":
        mean = torch.cat([a.flatten() for a in alpha.values()]).mean()
        alpha = {name: mean.expand_as(a) for name, a in alpha.items()}
    losses, begin = [], params
    for support, query in tasks:
        grads = torch.autograd.grad(loss(begin, support), list(begin.values()), create_graph=order == 2)
        phi = {name: (p.detach() if copied else p) - alpha[name] * g
               for (name, p), g in zip(begin.items(), grads, strict=True)}
        losses.append(loss({"phi": phi, "theta": params}[at], {"query": query, "support": support}[asked])
                      + (loss(begin, support) if plus else 0))
        begin = phi if start == "last" else params
    return {"sum": sum(losses), "mean": sum(losses) / len(losses), "last": losses[-1]}[over]


OBJECTIVE_FAULTS = (
    (AT_THETA, {"at": "theta"}, "the queries are asked at θ, before the inner step: nothing is meta-learned. Ask them "
     "at φ_i"),
    (ONE_RATE, {"rate": "mean"}, "α is one number here; it has a rate for each weight: alpha[name] * gradient"),
    (ON_SUPPORT, {"asked": "support"}, "φ_i is asked about the very pictures that it has just learned from; ask the "
     "queries, which come from another domain"),
    (PLUS_SUPPORT, {"plus": True}, "you add L(θ; S_i), the support loss before the inner step, as MLDG does; this "
     "objective has the loss on the queries alone"),
    (CHAINED, {"start": "last"}, "every task starts from θ, and not from the φ_i of the task before it"),
    (LAST, {"over": "last"}, "the losses of all tasks are summed; yours is that of the last one"),
    (MEAN, {"over": "mean"}, "the objective is the sum over the tasks; you have divided by their number"),
)


def live(params: Params) -> Params:
    """A copy that requires gradients."""
    return {name: p.clone().requires_grad_() for name, p in params.items()}


def near(got: float, want: float) -> bool:
    """Whether two numbers agree to the digits of float32; no for nan."""
    return abs(got - want) <= DIGITS * max(1.0, abs(want))


def all_near(got: list[float], want: list[float]) -> bool:
    """Whether the numbers of all cases agree."""
    return all(map(near, got, want))


def check_objective(answer: object) -> str:
    """14.2: value and gradient of the meta-objective across domains."""
    meta_objective = LearnerFunction(answer, "meta_objective")
    problems = [problem(seed) for seed in range(3)]
    starts = [(live(theta), live(alpha)) for theta, alpha, _ in problems]
    sentence = "meta_objective must return a scalar tensor"
    got = [scalar(meta_objective(linear_net, *start, copy.deepcopy(tasks)), sentence)
           for start, (*_, tasks) in zip(starts, problems)]
    values = [float(loss.detach()) for loss in got]
    theirs = lambda **faults: [float(objective(live(theta), *rest, **faults).detach()) for theta, *rest in problems]
    want = theirs()
    if not all_near(values, want):
        if found := faults_behind(values, theirs, OBJECTIVE_FAULTS, all_near):
            raise all_of(named(found) + constants(got[0], starts[0][0], problems[0], options_of(found)))
        seed = next(i for i, pair in enumerate(zip(values, want)) if not near(*pair))
        raise NotYet(f"a version written out by hand gives {want[seed]:.5f} for problem {seed}, but you returned "
                     f"{values[seed]:.5f}.")
    for loss, start, each in zip(got, starts, problems):
        check_second_order(loss, start, each)
    return "Value and gradient agree with the objective written out, second order included, on 3 small problems."


def constants(got: Tensor, params: Params, problem: tuple, options: dict) -> list[Misconception]:
    """Whether an objective with known faults in its value treats the inner gradient as a constant besides."""
    ours = gradient_of(got, params)
    if ours is None:
        return [Misconception(CUT, "no gradient reaches θ; look for detach() or no_grad.")]
    raw, *rest = problem
    by_order = [gradient_of(objective(theta, *rest, order=order, **options), theta)
                for order in (1, 2) for theta in [live(raw)]]
    if oracles.close(*by_order) or not oracles.close(ours, by_order[0]):
        return []
    return [Misconception(FIRST_ORDER, "the gradient leaves out how φ_i depends on θ through the inner gradient; pass "
                          "create_graph=True to torch.autograd.grad.")]


def check_second_order(got: Tensor, start: tuple[Params, Params], problem: tuple) -> None:
    """The gradients with respect to θ and α are those of the whole objective."""
    if not got.requires_grad:
        raise Misconception(CUT, "the value is right, but no gradient reaches θ; look for detach() or no_grad.")
    leaves = lambda pair: [p for params in pair for p in params.values()]
    ours = torch.autograd.grad(got, leaves(start), allow_unused=True, retain_graph=True)
    theta, alpha, tasks = problem
    own = live(theta), live(alpha)
    theirs = torch.autograd.grad(objective(*own, tasks), leaves(own))
    same = lambda g, want: g is not None and torch.allclose(g, want, rtol=1e-4, atol=1e-5)
    right = [same(*pair) for pair in zip(ours, theirs, strict=True)]
    if not all(right[:len(theta)]):
        raise wrong_by_theta(gradient_of(got, start[0]), problem)
    if not all(right):
        raise NotYet("the value and the gradient of θ are right, but α gets no gradient; the rates are learned, too.")


def wrong_by_theta(ours: Params | None, problem: tuple) -> NotYet:
    """Why the gradient of θ (None: there is none) is not that of an objective whose value is right."""
    raw, *rest = problem
    of = lambda **faults: [gradient_of(objective(theta, *rest, **faults), theta) for theta in [live(raw)]][0]
    if ours is None or oracles.close(ours, of(copied=True)):
        return Misconception(CUT, "the value is right, but φ_i starts from a copy that is cut off from θ; step from "
                             "`params` themselves, without detach() or .data.")
    if oracles.close(ours, of(order=1)):
        return Misconception(FIRST_ORDER, "the value is right, but its gradient leaves out how φ_i depends on θ by the "
                             "inner gradient; pass create_graph=True to torch.autograd.grad, or use "
                             "torch.func.grad.")
    return NotYet("the value is right, but the gradient of θ is not; look for a detached part of the inner step.")


# ---------------------------------------------------------------- 14.3


def moved(x: Tensor) -> Tensor:
    """Pictures redrawn, for the check."""
    return torch.tanh(x + 0.6)


def mixed(of: Callable[[list], Tensor], tasks: list, weight: float, *, redrawn: str = "query",
          real: str = "as they are",
          mix: Callable[[float], tuple[float, float]] = lambda weight: (1 - weight, weight)) -> Tensor:
    """The objective of phase 2; the options are the known faults: what is redrawn, whether real queries are left, and
    how the two are mixed."""
    again = lambda name, pair: (moved(pair[0]), pair[1]) if redrawn in (name, "both") else pair
    made = [(again("support", support), again("query", query)) for support, query in tasks]
    of_real, of_made = mix(weight)
    return of_real * of(tasks if real == "as they are" else made) + of_made * of(made)


MIX_FAULTS = (
    (SWAPPED, {"mix": lambda weight: (weight, 1 - weight)}, "λ weighs the generated pictures and 1 - λ the real ones; "
     "you have it the other way round"),
    (ADDED, {"mix": lambda weight: (1, weight)}, "λ times the generated objective is added to the whole real one; the "
     "real one gets 1 - λ"),
    (UNWEIGHTED, {"mix": lambda weight: (1, 1)}, "the two objectives are added; λ and 1 - λ weigh them"),
    (UNWEIGHTED, {"mix": lambda weight: (0.5, 0.5)}, "the two objectives get a half each, whatever λ is"),
    (NO_ADAPT, {"redrawn": "support"}, "the support sets are redrawn, and so the generated pictures take part in the "
     "inner step; φ_i learns from real support pictures, and the generated ones are what it is asked about"),
    (NO_ADAPT, {"redrawn": "both"}, "the support sets are redrawn as well, so that φ_i learns from generated pictures; "
     "redraw the queries alone"),
    (NOT_REAL, {"real": "made"}, "both objectives are asked about generated pictures; the first is asked about the "
     "tasks as they are"),
)


def check_mixed(answer: object) -> str:
    """14.3: the objective of phase 2, real and generated queries mixed."""
    with_generated = LearnerFunction(answer, "with_generated")
    cases = [(*problem(seed), weight) for seed, weight in ((0, 0.3), (1, 0.5), (2, 0.1))]
    of = lambda theta, alpha: lambda tasks: objective(theta, alpha, list(tasks))
    got = []
    for theta, alpha, tasks, weight in cases:
        said = with_generated(of(live(theta), alpha), copy.deepcopy(tasks), moved, weight)
        got.append(scalar(said, "with_generated must return a scalar tensor"))
    values = [float(loss.detach()) for loss in got]
    theirs = lambda **faults: [float(mixed(of(live(theta), alpha), tasks, weight, **faults).detach())
                               for theta, alpha, tasks, weight in cases]
    want = theirs()
    if not all_near(values, want):
        explain(values, theirs, MIX_FAULTS, all_near)
        i = next(i for i, pair in enumerate(zip(values, want)) if not near(*pair))
        raise NotYet(f"a version written out by hand gives {want[i]:.5f} for λ = {cases[i][-1]}, but you returned "
                     f"{values[i]:.5f}; keep the labels and the order of the tasks.")
    if not all(loss.requires_grad for loss in got):
        raise Misconception(CUT, "the value is right, but no gradient can be taken of it; look for detach(), no_grad "
                            "or float().")
    return "Support sets stay real, queries are asked twice, and λ weighs the two: right on 3 small problems."


# ---------------------------------------------------------------- 14.4


def moments(values: list[float]) -> tuple[float, float]:
    """Mean and standard deviation with n - 1."""
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))


def check_interval(answer: object) -> str:
    """14.4: the t interval of paired differences over seeds."""
    interval = LearnerFunction(answer, "paired_interval")
    arms, got = [], []
    for seeds, draws, seed in ((5, 20, 0), (3, 4, 1), (8, 6, 2)):
        noise = torch.randn(4, seeds, draws, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        shared = 5 * noise[0][:, :1] + 2 * noise[3]
        arms.append((60 + shared + noise[1], 57 + shared + noise[2], T_TABLE[seeds]))
        a, b, t = arms[-1]
        got += numbers(interval(a.clone(), b.clone(), t), 2, "paired_interval must return two numbers: the mean "
                       "difference and the half-width")
    theirs = lambda **faults: [value for each in arms for value in by_loops(*each, **faults)]
    want = theirs()
    if not all_near(got, want):
        explain(got, theirs, INTERVAL_FAULTS, all_near)
        i = next(i for i, pair in enumerate(zip(got, want)) if not near(*pair))
        what = "half-width" if i % 2 else "mean difference"
        seeds, draws = arms[i // 2][0].shape
        raise NotYet(f"the {what} of {seeds} seeds with {draws} draws each is {want[i]:.4f}, but you returned "
                     f"{got[i]:.4f}.")
    return "Averaged within seeds, paired, and with Student's t: the interval agrees with a loop in 3 cases."


def by_loops(a: Tensor, b: Tensor, t: float, sign: int = 1, unit: str = "seed", paired: bool = True, factor: str = "t",
            spread: bool = False, correction: int = 1, width: float = 1) -> tuple[float, float]:
    """The mean difference and its half-width, by loops; the options are the known faults."""
    of = lambda x: [sum(row) / len(row) for row in x.tolist()] if unit == "seed" else x.flatten().tolist()
    n = len(of(a))
    mean, sd = moments([x - y for x, y in zip(of(a), of(b), strict=True)])
    if not paired:
        sd = math.sqrt(moments(of(a))[1] ** 2 + moments(of(b))[1] ** 2)
    sd *= math.sqrt((n - 1) / (n - correction))
    return sign * mean, width * (t if factor == "t" else 1.96) * sd / (1 if spread else math.sqrt(n))


INTERVAL_FAULTS = (
    ("the difference turned round", {"sign": -1}, "the difference is a less b"),
    (UNPAIRED, {"paired": False}, "this is the interval of two independent samples. Both arms share seeds and draws, "
     "so what a seed does to both cancels in the difference of each seed"),
    (POOLED, {"unit": "draw"}, "every draw counts as an experiment of its own here. Draws of one seed share a network "
     "and a generator; average them first, and count seeds"),
    (NORMAL, {"factor": "normal"}, "1.96 belongs to a known spread, or to very many seeds; with a handful, the spread "
     "is itself uncertain, and t is the factor"),
    (SPREAD, {"spread": True}, "this covers single seeds; the uncertainty of their mean is smaller by √n"),
    (BIASED, {"correction": 0}, "the standard deviation of a sample divides by n - 1"),
    (WHOLE, {"width": 2}, "this is the width from end to end; the half-width is what stands behind ±"),
)


# ---------------------------------------------------------------- 14.5


class Claim(NamedTuple):
    """That the arm `one` beats `other` at k labels per class, in study daml. verdict, name, why, slip: as in
    `entries.misjudged`."""

    one: str
    other: str
    k: int
    verdict: str
    name: str
    why: str
    slip: str | None = None


CLAIMS = {
    "a": Claim("source + generated", "source only", 0, "yes", "a gain that is there, left open",
               "the interval of the difference lies above zero", slip="open"),
    "b": Claim("source + generated", "source only", 5, "open", "what helps without labels taken to help with them",
               "with five labels per class the interval includes zero", slip="yes"),
    "c": Claim("source + generated", "source + hand-made", 1, "no", "the learned pictures taken for the better ones",
               "the interval lies below zero: hand-made views are ahead", slip="yes"),
    "d": Claim("DAML", "source + generated", 0, "open", "the sign of a mean taken for a difference",
               "the mean lies far below zero, but so wide an interval includes zero", slip="no"),
}


def check_verdicts(answer: object) -> str:
    """14.5: what paired intervals of study daml bear out."""
    return check_claims(answer, CLAIMS)
