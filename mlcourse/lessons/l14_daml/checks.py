"""Checks of lesson 14: what a discriminator may see, the joint loss of phase 2, and an interval of paired
differences."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, kind

AT_THETA = "the outer loss is asked at θ"
FIRST_ORDER = "the inner gradient is a constant"
SWAPPED = "λ on the wrong side"
ONE_RATE = "one rate for all"
NO_ADAPT = "generated pictures in the inner step"
ADDED = "added instead of mixed"
LEAK_TEST = "test pictures in the discriminator"
LEAK_DEV = "judged on what the discriminator saw"
CHOSEN = "one part for choosing and for the test"
UNPAIRED = "unpaired"
POOLED = "draws counted as independent"
NORMAL = "1.96 for a handful of seeds"
SPREAD = "spread instead of standard error"
BIASED = "divided by n instead of n - 1"

Params = dict[str, Tensor]
T_TABLE = {3: 4.302652729911275, 5: 2.7764451051977987, 8: 2.3646242510102993}      # 0.975 quantile, n - 1 degrees


# ---------------------------------------------------------------- 14.1


def check_split(answer: object) -> str:
    """14.1: three parts of a target that share no picture."""
    split = LearnerFunction(answer, "split_target")
    for count, seed in ((30, 0), (31, 4), (60, 7)):
        images = torch.arange(count)[:, None].repeat(1, 2)
        got = split(images.clone(), seed)
        if not isinstance(got, tuple) or len(got) != 3 or not all(isinstance(part, Tensor) for part in got):
            raise NotYet("split_target must return three tensors: (seen, dev, test).")
        seen, dev, test = ({int(row[0]) for row in part} for part in got)
        if len(seen) and seen & test:
            raise Misconception(LEAK_TEST, f"{len(seen & test)} of the pictures that the discriminator sees are test "
                                "pictures. They carry no label, and yet the generator learns to draw exactly the "
                                "pictures that the accuracies are taken on.")
        if seen & dev:
            raise Misconception(LEAK_DEV, f"{len(seen & dev)} of the pictures that the generator is judged on were "
                                "shown to its discriminator. A generator that copied them would get the best "
                                "mark of all.")
        if dev & test:
            raise Misconception(CHOSEN, f"{len(dev & test)} pictures stand in both dev and test; whatever you choose "
                                "by dev is then chosen by the test.")
        sizes = [len(part) for part in got]
        if not all(len(part) == len(rows) for part, rows in zip(got, (seen, dev, test), strict=True)):
            raise NotYet("a picture stands twice in one part.")
        if sum(sizes) != count or max(sizes) - min(sizes) > 2:
            raise NotYet(f"the parts should be thirds of all {count} pictures, got {sizes[0]}, {sizes[1]} and "
                         f"{sizes[2]}.")
        again, other = split(images.clone(), seed), split(images.clone(), seed + 1)
        if not all(torch.equal(a, b) for a, b in zip(got, again, strict=True)):
            raise NotYet("the same seed must give the same three parts.")
        if all(torch.equal(a, b) for a, b in zip(got, other, strict=True)):
            raise NotYet("another seed must give other parts.")
    return "No picture stands in two parts, together they are all pictures, and the seed decides."


# ---------------------------------------------------------------- 14.2


def linear_net(params: Params, x: Tensor) -> Tensor:
    """Logits of a small network whose Hessian is not zero: x (M, 3) → (M, 2)."""
    return torch.tanh(x @ params["body"]) @ params["head"]


def problem(seed: int) -> tuple:
    """(params, alpha, support, query, generated, weight) in float64, small."""
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)
    params = {"body": draw(3, 4), "head": draw(4, 2)}
    alpha = {name: 0.1 + 0.3 * torch.rand(p.shape, generator=generator, dtype=torch.float64)
             for name, p in params.items()}
    pair = lambda m: (draw(m, 3), torch.randint(2, (m,), generator=generator))
    query = pair(5)
    return params, alpha, pair(4), query, (query[0] + 0.7 * draw(5, 3), query[1]), 0.2 + 0.1 * (seed % 3)


def joint(params: Params, alpha: Params, support, query, generated, weight: float, *, order: int = 2,
          inner=None) -> Tensor:
    """The joint loss, written out; `inner` replaces the support set, order=1 the second derivatives."""
    loss = lambda phi, pair: F.cross_entropy(linear_net(phi, pair[0]), pair[1])
    grads = torch.autograd.grad(loss(params, inner or support), list(params.values()), create_graph=order == 2)
    phi = {name: p - alpha[name] * g for (name, p), g in zip(params.items(), grads, strict=True)}
    return (1 - weight) * loss(phi, query) + weight * loss(phi, generated)


def live(params: Params) -> Params:
    """A copy that requires gradients."""
    return {name: p.clone().requires_grad_() for name, p in params.items()}


def near(got: float, want: float) -> bool:
    """Whether two numbers agree to 1e-6; no for nan."""
    return abs(got - want) <= 1e-6 * max(1.0, abs(want))


def both(pairs) -> tuple[Tensor, Tensor]:
    """Several (x, y) as one."""
    return tuple(torch.cat(parts) for parts in zip(*pairs, strict=True))


def check_joint(answer: object) -> str:
    """14.2: value and gradient of the loss of phase 2."""
    joint_loss = LearnerFunction(answer, "joint_loss")
    for seed in range(3):
        raw, alpha, support, query, generated, weight = problem(seed)
        params = live(raw)
        got = joint_loss(linear_net, params, alpha, support, query, generated, weight)
        if not isinstance(got, Tensor) or got.numel() != 1:
            raise NotYet(f"joint_loss must return a scalar tensor, got {kind(got)}.")
        value = float(got.detach())
        given = dict(alpha=alpha, support=support, query=query, generated=generated, weight=weight)
        theirs = lambda given=given, raw=raw, **other: float(joint(live(raw), **{**given, **other}).detach())
        want = theirs()
        mean = {name: torch.full_like(a, float(torch.cat([a.flatten() for a in alpha.values()]).mean()))
                for name, a in alpha.items()}
        at_theta = lambda pair: float(F.cross_entropy(linear_net(raw, pair[0]), pair[1]))
        known = [
            (SWAPPED, theirs(weight=1 - weight), "λ weighs the generated pictures and 1 - λ the real ones; you have it "
             "the other way round"),
            (AT_THETA, (1 - weight) * at_theta(query) + weight * at_theta(generated), "both losses are asked at θ, "
             "before the inner step: nothing is meta-learned. Ask them at θ'"),
            (AT_THETA, (1 - weight) * at_theta(query) + weight * theirs(weight=1.0), "the real queries are asked at θ; "
             "they, too, must be asked at θ', after the inner step"),
            (AT_THETA, (1 - weight) * theirs(weight=0.0) + weight * at_theta(generated), "the generated pictures are "
             "asked at θ; they, too, must be asked at θ', after the inner step"),
            (ONE_RATE, theirs(alpha=mean), "α is one number here; it has a rate for each weight: α[name] * gradient"),
            (NO_ADAPT, theirs(inner=both([support, generated])), "the generated pictures take part in the inner step; "
             "θ' comes from the real support set alone, and the generated ones are what θ' is asked about"),
            (ADDED, theirs(weight=0.0) + weight * theirs(weight=1.0), "λ times the generated loss is added to the "
             "whole real one; the real one gets 1 - λ"),
        ]
        if not near(value, want):
            for name, wrong, why in known:
                if near(value, wrong):
                    raise Misconception(name, why + ".")
            raise NotYet(f"a version written out by hand gives {want:.5f} for problem {seed}, but you returned "
                         f"{value:.5f}.")
        check_second_order(got, params, raw, (alpha, support, query, generated, weight))
    return "Value and gradient agree with the loss written out, second order included, on 3 small problems."


def check_second_order(got: Tensor, params: Params, raw: Params, rest: tuple) -> None:
    """The gradient with respect to θ is that of the whole loss."""
    if not got.requires_grad:
        raise Misconception(FIRST_ORDER, "the value is right, but no gradient reaches θ; look for detach() or no_grad.")
    ours = torch.autograd.grad(got, list(params.values()), allow_unused=True)
    theta = live(raw)
    theirs = torch.autograd.grad(joint(theta, *rest), list(theta.values()))
    if not all(g is not None and torch.allclose(g, want, atol=1e-7) for g, want in zip(ours, theirs, strict=True)):
        raise Misconception(FIRST_ORDER, "the value is right, but its gradient leaves out how θ' depends on θ through "
                            "the inner gradient; pass create_graph=True to torch.autograd.grad, or use "
                            "torch.func.grad.")


# ---------------------------------------------------------------- 14.3


def moments(values: list[float]) -> tuple[float, float]:
    """Mean and standard deviation with n - 1."""
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))


def check_interval(answer: object) -> str:
    """14.3: the t interval of paired differences over seeds."""
    interval = LearnerFunction(answer, "paired_interval")
    for seeds, draws, seed in ((5, 20, 0), (3, 4, 1), (8, 6, 2)):
        noise = torch.randn(4, seeds, draws, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        shared = 5 * noise[0][:, :1] + 2 * noise[3]
        a, b = 60 + shared + noise[1], 57 + shared + noise[2]
        got = interval(a.clone(), b.clone(), T_TABLE[seeds])
        try:
            mean, half = (float(value) for value in got)
        except (TypeError, ValueError, RuntimeError):
            raise NotYet("paired_interval must return two numbers: the mean difference and the half-width.") from None
        known, want = intervals(a, b, T_TABLE[seeds])
        if near(mean, -want[0]) and near(half, want[1]):
            raise Misconception("the difference turned round", "the difference is a less b.")
        if not near(mean, want[0]):
            raise NotYet(f"the mean difference of {seeds} seeds with {draws} draws each is {want[0]:.4f}, but you "
                         f"returned {mean:.4f}.")
        if not near(half, want[1]):
            for name, wrong, why in known:
                if near(half, wrong):
                    raise Misconception(name, why + ".")
            raise NotYet(f"the half-width is {want[1]:.4f}, but you returned {half:.4f}.")
    return "Averaged within seeds, paired, and with Student's t: the interval agrees with a loop in 3 cases."


def intervals(a: Tensor, b: Tensor, t: float) -> tuple[list[tuple[str, float, str]], tuple[float, float]]:
    """The half-widths of known mistakes, and the right (mean, half-width)."""
    of: Callable[[Tensor], list[float]] = lambda x: [sum(row) / len(row) for row in x.tolist()]
    n = len(a)
    mean, sd = moments([x - y for x, y in zip(of(a), of(b), strict=True)])
    sd_a, sd_b = moments(of(a))[1], moments(of(b))[1]
    pooled = moments((a - b).flatten().tolist())[1]
    known = [
        (UNPAIRED, t * math.sqrt((sd_a ** 2 + sd_b ** 2) / n), "this is the interval of two independent samples. Both "
         "arms share seeds and draws, so what a seed does to both cancels in the difference of each seed"),
        (POOLED, t * pooled / math.sqrt(a.numel()), "every draw counts as an experiment of its own here. Draws of one "
         "seed share a network and a generator; average them first, and count seeds"),
        (POOLED, 1.96 * pooled / math.sqrt(a.numel()), "every draw counts as an experiment of its own here; average "
         "the draws of a seed first, and count seeds"),
        (NORMAL, 1.96 * sd / math.sqrt(n), "1.96 belongs to a known spread, or to very many seeds; with a handful, the "
         "spread is itself uncertain, and t is the factor"),
        (SPREAD, t * sd, "this covers single seeds; the uncertainty of their mean is smaller by √n"),
        (BIASED, t * sd * math.sqrt((n - 1) / n) / math.sqrt(n), "the standard deviation of a sample divides by n - 1"),
    ]
    return known, (mean, t * sd / math.sqrt(n))
