"""Checks of lesson 10 on the set VAE: a draw that gradients pass, a divergence from a learned prior, samples of
sets."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.exercises import by_hand
from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, explain
from mlcourse.exercises.values import tensor

B, S, D = 3, 4, 5
CUT, CUT_SPREAD = "the gradient is cut", "no gradient reaches log_var"
AGAIN = "mean and log_var are needed again, for the divergence, and xi is the caller's"
OWN_NOISE = "noise of its own"


def drawn(*shape: int, seed: int = 0) -> Tensor:
    """Normal numbers, float64."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def agree(one: Tensor, other: Tensor) -> bool:
    """Whether two results agree, up to the digits of float32."""
    return torch.allclose(one, other, rtol=1e-4, atol=1e-5)


# ---------------------------------------------------------------- 10.1


def check_draw(answer: object) -> str:
    """10.1: values for several spreads, and the gradients of both parameters."""
    draw = LearnerFunction(answer, "draw", because=AGAIN)
    mean, log_var, xi = drawn(B, D), 1.5 * drawn(B, D, seed=1), drawn(B, D, seed=2)
    leaves = mean.clone().requires_grad_(), log_var.clone().requires_grad_()
    result = draw(*(1 * leaf for leaf in leaves), xi.clone())
    got = tensor(result, (B, D), f"for inputs of shape {(B, D)} the draw must have the shape {(B, D)}")
    truth = lambda **faults: sampled(mean, log_var, xi, **faults)
    if not agree(got, truth()):
        explain(got, truth, DRAW_FAULTS, agree)
        again = tensor(draw(mean.clone(), log_var.clone(), xi.clone()), (B, D), "the draw must keep its shape")
        if not agree(got, again):
            raise Misconception(OWN_NOISE, "the same inputs gave two different draws; all the randomness is in xi.")
        raise NotYet(f"with mean {mean[0, 0]:.3f}, log_var {log_var[0, 0]:.3f} and xi {xi[0, 0]:.3f} the draw is "
                     f"{truth()[0, 0]:.3f}, yours is {got[0, 0]:.3f}.")
    check_slopes(result, leaves, truth)
    return "Values and both gradients are right: a draw, and still a smooth function of mean and log_var."


def check_slopes(result: object, leaves: tuple[Tensor, Tensor], truth) -> None:
    """Raise Misconception where the gradients of mean or log_var are not those of the formula."""
    if not (isinstance(result, Tensor) and result.requires_grad):
        raise Misconception(CUT, "the numbers are right, but no graph leads from them to mean and log_var, so the "
                            "encoder learns nothing; look for detach, no_grad, .data or NumPy.")
    weights = drawn(B, D, seed=3)
    slopes = torch.autograd.grad((result * weights).sum(), leaves, allow_unused=True)
    if slopes[0] is None:
        raise Misconception(CUT, "no gradient reaches mean; look for detach, no_grad or .data.")
    wanted = weights * (truth() - leaves[0].detach()) / 2           # d(exp(log_var / 2) · xi) / d log_var
    if slopes[1] is None or not agree(slopes[1], wanted):
        raise Misconception(CUT_SPREAD, "the numbers are right, but the gradient of log_var is not that of "
                            "exp(log_var / 2) · xi, so the encoder cannot learn how wide to draw.")


def sampled(mean: Tensor, log_var: Tensor, xi: Tensor, spread: str = "deviation", centred: bool = True,
            noisy: bool = True) -> Tensor:
    """The draw; the options are the known faults."""
    scale = {"deviation": (log_var / 2).exp(), "variance": log_var.exp(), "log": log_var,
             "inverse": (-log_var / 2).exp(), "one": torch.ones_like(log_var)}[spread]
    return (mean if centred else 0) + (scale * xi if noisy else 0 * xi)


DRAW_FAULTS = (
    ("the variance for the deviation", {"spread": "variance"}, "noise is multiplied by the deviation, and "
     "exp(log_var) is its square"),
    ("the logarithm for the deviation", {"spread": "log"}, "log_var is a logarithm, and may be negative; take the "
     "exponential of half of it"),
    ("the deviation upside down", {"spread": "inverse"}, "a larger log_var must spread the draws more"),
    ("the spread is ignored", {"spread": "one"}, "noise is multiplied by the deviation before it is added"),
    ("the mean is ignored", {"centred": False}, "the draws lie around mean"),
    ("nothing is drawn", {"noisy": False}, "the mean alone is no draw; add xi, scaled"),
)

# ---------------------------------------------------------------- 10.2

BY_TORCH = "torch's divergence in place of a formula"


def check_kl(answer: object) -> str:
    """10.2: against priors of another place and width, for one and for several leading dimensions."""
    with by_hand.by_hand(answer, "kl") as kl:
        for lead in ((B,), (B, S)):
            args = (drawn(*lead, D), 0.7 * drawn(*lead, D, seed=1), drawn(*lead, D, seed=2),
                    0.8 * drawn(*lead, D, seed=3))
            result = kl(*(each.clone() for each in args))
            got = tensor(result, None, f"for inputs of shape {(*lead, D)} the divergences must have the shape {lead}")
            truth = lambda args=args, **faults: divergence(*args, **faults)
            same = lambda one, other: one.shape == other.shape and agree(one, other)
            if not same(got, truth()):
                explain(got, truth, KL_FAULTS, same)
                shaped(got, lead)
                raise NotYet(f"the first divergence must be {truth().flatten()[0]:.4f}, yours is "
                             f"{got.flatten()[0]:.4f}.")
        leaves = [each.clone().requires_grad_() for each in args]
        result = kl(*leaves)
        if not (isinstance(result, Tensor) and result.requires_grad):
            raise Misconception(CUT, "the numbers are right, but no graph leads to the four inputs; encoder and prior "
                                "both learn from this number.")
        slopes = torch.autograd.grad(result.sum(), leaves, allow_unused=True)
        wanted = torch.autograd.grad(divergence(*leaves).sum(), leaves)
        for name, slope, right in zip(("mean_q", "log_var_q", "mean_p", "log_var_p"), slopes, wanted, strict=True):
            if slope is None or not agree(slope, right):
                raise Misconception(CUT, f"the numbers are right, but the gradient of {name} is not that of the "
                                    f"formula; encoder and prior both learn, from every term.")
        if any("torch.distributions" in called for called in kl.called):
            raise Misconception(BY_TORCH, "torch.distributions did the work; write the formula for one dimension, "
                                "then sum.")
    return "Right for priors of any place and width; it is 0 where both are the same."


def shaped(got: Tensor, lead: tuple[int, ...]) -> None:
    """Raise NotYet for a wrong shape."""
    if tuple(got.shape) != lead:
        raise NotYet(f"for inputs of shape {(*lead, D)} the divergences must have the shape {lead}, got "
                     f"{tuple(got.shape)}.")


GIVEN = {"log variance": lambda v: v, "log deviation": lambda v: 2 * v, "deviation": lambda v: v.square().log()}


def divergence(mean_q: Tensor, log_var_q: Tensor, mean_p: Tensor, log_var_p: Tensor, way: str = "q to p",
               prior: str = "learned", minus_one: str = "each", half: bool = True, over: str = "last",
               far: str = "square over variance", log: int = 1, given: str = "log variance") -> Tensor:
    """The divergences, a loop over dimensions; the options are the known faults."""
    log_var_q, log_var_p = map(GIVEN[given], (log_var_q, log_var_p))
    if way == "p to q":
        mean_q, log_var_q, mean_p, log_var_p = mean_p, log_var_p, mean_q, log_var_q
    if prior == "standard":
        mean_p, log_var_p = torch.zeros_like(mean_p), torch.zeros_like(log_var_p)
    each = []
    for i in range(mean_q.shape[-1]):
        a, b = log_var_q[..., i], log_var_p[..., i]
        apart = mean_q[..., i] - mean_p[..., i]
        moved = {"square over variance": apart**2 / b.exp(), "square": apart**2,
                 "length": apart.abs() / (b / 2).exp()}[far]
        each.append((log * (b - a) + (a.exp() / b.exp()) + moved - int(minus_one != "never")) / (2 if half else 1))
    stacked = torch.stack(each, -1)
    total = stacked.sum(-1) + (len(each) - 1) * (0.5 if half else 1) * int(minus_one == "once")
    return {"last": total, "mean": stacked.mean(-1), "all": stacked.sum(), "none": stacked}[over]


KL_FAULTS = (
    ("the divergence the other way round", {"way": "p to q"}, "KL(q ‖ p) is not KL(p ‖ q): the variance of q stands "
     "above, that of p below"),
    ("the standard normal in place of the prior", {"prior": "standard"}, "the prior is learned: its mean and its "
     "variance belong in the formula"),
    ("exp(log_var) taken for the deviation", {"given": "log deviation"}, "exp(log_var) is the variance already; it is "
     "not squared again"),
    ("log_var taken for the deviation", {"given": "deviation"}, "log_var is the logarithm of the variance, and the "
     "variance is its exponential"),
    ("the -1 is forgotten", {"minus_one": "never"}, "the divergence of a distribution from itself is 0; without the -1 "
     "it is not"),
    ("the -1 once for all dimensions", {"minus_one": "once"}, "each dimension has its own -1, inside the sum"),
    ("the half is forgotten", {"half": False}, "each dimension's sum is halved"),
    ("the distance without the prior's width", {"far": "square"}, "the squared distance of the means is divided by the "
     "prior's variance: a wide prior forgives more"),
    ("the distance is not squared", {"far": "length"}, "the distance of the means counts squared"),
    ("the logarithms the wrong way round", {"log": -1}, "log_var_p - log_var_q: a narrow q costs"),
    ("the mean over the dimensions", {"over": "mean"}, "independent dimensions add up; a mean would change how much "
     "the divergence weighs"),
    ("summed over everything", {"over": "all"}, "sum the last dimension alone; each set keeps a number of its own"),
    ("not summed", {"over": "none"}, "sum over the last dimension"),
)

# ---------------------------------------------------------------- 10.3

MIXED_UP, ONE_NOISE = "z from the priors of other sets", "one noise for a whole set"


class Model:
    """A prior and a decoder with fixed weights, of which every picture (1, 2, 2) depends on its own z and c."""

    def __init__(self):
        self.to_mean, self.to_spread = 3 * drawn(2, D, seed=5), 0.4 * drawn(2, D, seed=6)
        self.from_z, self.from_c = drawn(D, 4, seed=7), drawn(2, 4, seed=8)
        self.sizes: set[tuple[int, int]] = set()

    def prior(self, c: Tensor) -> tuple[Tensor, Tensor]:
        """c (M, 2) -> mean and log_var (M, D)."""
        return c.double() @ self.to_mean, c.double() @ self.to_spread

    def decode(self, z: Tensor, c: Tensor) -> Tensor:
        """z (M, D), c (M, 2) -> pictures (M, 1, 2, 2). Raises ValueError where their numbers differ."""
        if z.dim() != 2 or c.dim() != 2 or len(z) != len(c):
            raise ValueError(f"decode takes z (M, {D}) and c (M, 2), got {tuple(z.shape)} and {tuple(c.shape)}")
        return torch.tanh(z.double() @ self.from_z + c.double() @ self.from_c).view(-1, 1, 2, 2)


def check_sample(answer: object) -> str:
    """10.3: sets whose priors lie far apart; then a single set."""
    sample, model = LearnerFunction(answer, "sample"), Model()
    for sets, count in ((B, S), (2, 3), (1, 2)):
        c, xi = drawn(sets, 2, seed=9), drawn(sets, count, D, seed=10)
        shape = (sets, count, 1, 2, 2)
        got = tensor(sample(model.prior, model.decode, c.clone(), xi.clone()), shape,
                     f"for {sets} sets and {count} pictures of each the result must have the shape {shape}")
        truth = lambda c=c, xi=xi, **faults: pictures(model, c, xi, **faults)
        if not agree(got, truth()):
            explain(got, truth, SAMPLE_FAULTS, agree)
            raise NotYet(f"with {sets} sets, picture k of set b is not the one that z from the prior of c[b] with the "
                         f"noise xi[b, k] gives.")
    return "Each picture's z is from the prior of its own set, for 3, 2 and 1 sets."


def pictures(model: Model, c: Tensor, xi: Tensor, z_of: str = "own", c_of: str = "own", order: str = "sets first",
             noise: str = "own", spread: str = "deviation") -> Tensor:
    """The pictures (sets, count, 1, 2, 2), a loop; the options are the known faults."""
    sets, count = xi.shape[:2]
    mean, log_var = model.prior(c)
    made = []
    for b in range(sets):
        for k in range(count):
            turn = (b * count + k) % sets
            zb, cb = (turn if which == "turn" else b for which in (z_of, c_of))
            scale = {"deviation": (log_var[zb] / 2).exp(), "variance": log_var[zb].exp(), "log": log_var[zb], "none": 0}
            z = mean[zb] + scale[spread] * xi[b, 0 if noise == "one" else k]
            made.append(model.decode(z[None], c[cb][None])[0])
    flat = torch.stack(made)
    if order == "pictures first":
        return flat.reshape(count, sets, 1, 2, 2).transpose(0, 1)
    return flat.reshape(sets, count, 1, 2, 2)


SAMPLE_FAULTS = (
    (MIXED_UP, {"z_of": "turn"}, "repeat counts the sets through, 0 1 2 0 1 2, while the pictures are read set by set, "
     "0 0 1 1 2 2; repeat_interleave keeps a set together"),
    ("the codes of other sets", {"c_of": "turn"}, "c must follow the same order as z: set by set"),
    ("read in the wrong order", {"order": "pictures first"}, "in reshape the last dimension runs fastest: the pictures "
     "come set by set, so sets stand first"),
    (ONE_NOISE, {"noise": "one"}, "the pictures of a set are alike: each has noise of its own, xi[b, k]"),
    ("the prior's mean in place of a draw", {"spread": "none"}, "add exp(log_var / 2) · xi to the mean"),
    ("the variance for the deviation", {"spread": "variance"}, "noise is multiplied by exp(log_var / 2)"),
    ("the logarithm for the deviation", {"spread": "log"}, "noise is multiplied by exp(log_var / 2)"),
)
