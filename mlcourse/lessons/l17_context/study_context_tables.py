"""Parts "tables" and "coin" of `mlcourse study context`: networks fitted to a prior, in it and outside of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from torch import Tensor, nn

from mlcourse.context import (PFN, ContextTransformer, Table, causal, logistic_tables, mlp_tables, pfn_loss,
                              standardise, train_in_context)
from mlcourse.context.coins import posterior, predictive
from mlcourse.statistics import interval
from mlcourse.system.machine import one_core

FEATURES, ROWS, QUERIES, CONTEXTS = 4, 50, 20, (5, 10, 20, 30)
LOGISTIC, NETWORKS, REAL = "logistic", "networks", "real"
PRIORS = {LOGISTIC: logistic_tables, NETWORKS: mlp_tables}
WORLDS = (LOGISTIC, NETWORKS, REAL)
PFNS = {f"PFN, {name} prior": name for name in PRIORS}
BY_LOGISTIC, BY_RIDGE, BY_MLP, CONSTANT = "logistic regression", "ridge", "small network", "share of the classes"
FITTED = (BY_LOGISTIC, BY_RIDGE, BY_MLP, CONSTANT)
BATCH, TRAIN_QUERIES, TO_PFN = 32, 10, {"steps": 2000, "lr": 3e-3}
TABLES, JUDGED = 5000, 6000         # seeds of tables, of those that are judged

COINS, TRUTH, FLIPS = (0.3, 0.6), 0.5, 100
TO_COINS = {"steps": 800, "batch": 32, "lr": 3e-3}
AFTER = (0, 1, 3, 10, 30, 100)      # flips


def pfn(prior: str, seed: int, share: float) -> tuple[PFN, int, float]:
    """A PFN trained on tables of a prior, with 5 to 30 labelled rows; its steps and the seconds of one core. Tables
    have as many rows as those that are judged, since the networks' classes halve all rows of a table."""
    model, steps = PFN(FEATURES, seed=seed), max(1, round(share * TO_PFN["steps"]))

    def loss(generator: torch.Generator, step: int) -> Tensor:
        context = int(torch.randint(CONTEXTS[0], CONTEXTS[-1] + 1, (), generator=generator))
        x, y = PRIORS[prior](BATCH, ROWS, FEATURES, generator)
        shown = context + TRAIN_QUERIES
        return pfn_loss(model, x[:, :shown], y[:, :shown], context)

    with one_core():
        began = time.thread_time()
        for _ in train_in_context(model, loss, steps, lr=TO_PFN["lr"], seed=seed):
            pass
        return model.eval(), steps, round(time.thread_time() - began, 1)


@cache
def real_tables() -> tuple[tuple[Tensor, Tensor], ...]:
    """The first four columns of three tables with two classes: iris (versicolor, virginica), wine (the first two
    cultivars), breast cancer."""
    found = []
    for load, kept in ((load_iris, (1, 2)), (load_wine, (0, 1)), (load_breast_cancer, (0, 1))):
        x, y = load(return_X_y=True)
        rows = (y == kept[0]) | (y == kept[1])
        found.append((torch.tensor(x[rows, :FEATURES]).float(), torch.tensor(y[rows] == kept[1]).long()))
    return tuple(found)


def tables(world: str, count: int) -> Table:
    """So many tables of ROWS rows, the same for every arm; real ones are random rows of the three in turn, their
    columns standardised by all rows of the table."""
    generator = torch.Generator().manual_seed(JUDGED)
    if world in PRIORS:
        return PRIORS[world](count, ROWS, FEATURES, generator)
    parts = []
    for i in range(count):
        x, y = real_tables()[i % 3]
        rows = torch.randperm(len(x), generator=generator)[:ROWS]
        parts.append(((x[rows] - x.mean(0)) / x.std(0), y[rows]))
    return Table(*map(torch.stack, zip(*parts, strict=True)))


def logistic_fit(x: Tensor, y: Tensor, new: Tensor, steps: int = 25) -> Tensor:
    """The logits (B, Q) at new rows of logistic regressions whose penalties are the logistic prior's: w ~ N(0, 4 I),
    b ~ N(0, 1). Newton's method from 0."""
    one = lambda x: F.pad(x.double(), (0, 1), value=1.0)
    design, precision = one(x), torch.tensor([0.25] * x.shape[-1] + [1.0], dtype=torch.float64)
    w = torch.zeros(len(x), design.shape[-1], 1, dtype=torch.float64)
    for _ in range(steps):
        p = (design @ w).sigmoid()
        gradient = design.mT @ (p - y.unsqueeze(-1)) + precision.unsqueeze(-1) * w
        hessian = (design * (p * (1 - p))).mT @ design + precision.diag()
        w = w - torch.linalg.solve(hessian, gradient)
    return (one(new) @ w).squeeze(-1).float()


def ridge_fit(x: Tensor, y: Tensor, new: Tensor) -> Tensor:
    """Ridge regression of labels -1 and 1 with λ = 1 and a constant, its output clipped to a probability, as logits."""
    one = lambda x: F.pad(x, (0, 1), value=1.0)
    design = one(x)
    system = design.mT @ design + torch.eye(design.shape[-1])
    value = one(new) @ torch.linalg.solve(system, design.mT @ (2.0 * y - 1).unsqueeze(-1))
    return (0.5 + 0.5 * value.squeeze(-1)).clamp(0.02, 0.98).logit()


def mlp_fit(x: Tensor, y: Tensor, new: Tensor, steps: int = 200, decay: float = 0.01) -> Tensor:
    """Networks with 8 tanh units, one for each table, by 200 steps of Adam with a penalty decay/2 |θ|² on the mean
    loss."""
    generator = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(len(x), *shape, generator=generator)
    theta = [draw(x.shape[-1], 8) / 2, 0 * draw(1, 8), draw(8, 1) / 3, 0 * draw(1, 1)]
    theta = [p.requires_grad_() for p in theta]
    adam = torch.optim.Adam(theta, lr=0.05)
    call = lambda x: ((x @ theta[0] + theta[1]).tanh() @ theta[2] + theta[3]).squeeze(-1)
    for _ in range(steps):
        loss = F.binary_cross_entropy_with_logits(call(x), y.float(), reduction="none").mean(1).sum()
        loss = loss + decay / 2 * sum(p.square().sum() for p in theta)
        adam.zero_grad()
        loss.backward()
        adam.step()
    with torch.no_grad():
        return call(new)


def constant_fit(x: Tensor, y: Tensor, new: Tensor) -> Tensor:
    """The logit of (ones + 1)/(rows + 2), whatever the row."""
    share = (y.sum(1, keepdim=True) + 1.0) / (y.shape[1] + 2)
    return share.logit().expand(-1, new.shape[1])


FITS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    BY_LOGISTIC: logistic_fit, BY_RIDGE: ridge_fit, BY_MLP: mlp_fit, CONSTANT: constant_fit}


def judged(arm: str, model: PFN | None, count: int) -> dict:
    """Cross-entropy (nats) and accuracy (%) on the last 20 rows of tables of each world, by labelled rows, and the
    cross-entropy less that of logistic regression with its 95 % interval over tables. Fits see columns standardised by
    the labelled rows, as the PFN does."""
    found = {"worlds": list(WORLDS), "contexts": list(CONTEXTS), "loss": [], "accuracy": [], "less_logistic": []}
    with one_core():
        for world in WORLDS:
            table = tables(world, count)
            y = table.y[:, -QUERIES:]
            both = [[answers(*each, table, context) for each in ((arm, model), (BY_LOGISTIC, None))]
                    for context in CONTEXTS]
            less = [interval((losses(own, y) - losses(other, y)).numpy(), "tables") for own, other in both]
            found["loss"].append([round(float(losses(own, y).mean()), 4) for own, _ in both])
            found["accuracy"].append([round(100 * float(((own > 0) == y).float().mean()), 2) for own, _ in both])
            found["less_logistic"].append([[round(each.mean, 4), round(each.half, 4)] for each in less])
    return found


def losses(logits: Tensor, y: Tensor) -> Tensor:
    """The mean cross-entropy of each table (B,)."""
    return F.binary_cross_entropy_with_logits(logits, y.float(), reduction="none").mean(1)


def answers(arm: str, model: PFN | None, table: Table, context: int) -> Tensor:
    """The logits (B, Q) of class 1 for the last QUERIES rows, of an arm that saw the labels of the first `context`."""
    x, y = torch.cat([table.x[:, :context], table.x[:, -QUERIES:]], 1), table.y[:, :context]
    if model is None:
        x = standardise(x, context)
        return FITS[arm](x[:, :context], y, x[:, context:])
    with torch.no_grad():
        return model(x, y).diff(dim=-1).squeeze(-1)


class CoinNetwork(nn.Module):
    """Flips (B, n) of 0 and 1 to the logits (B, n + 1) that the next is a 1, after 0, 1, …, n of them.

    Tokens are [is a 1, is a 0, stands first], and the first comes before all flips."""

    def __init__(self, seed: int = 0):
        super().__init__()
        self.transformer = ContextTransformer(3, 1, layers=2, width=32, heads=2, seed=seed)

    def forward(self, flips: Tensor) -> Tensor:
        flips = flips.float()
        tokens = torch.stack([flips, 1 - flips, torch.zeros_like(flips)], -1)
        first = torch.tensor([0.0, 0.0, 1.0]).expand(len(flips), 1, 3)
        tokens = torch.cat([first, tokens], 1)
        return self.transformer(tokens, causal(tokens.shape[1])).squeeze(-1)


def tosses(batch: int, p: Tensor | float, generator: torch.Generator) -> Tensor:
    """FLIPS flips (B, n) of coins p, one for all or (B, 1)."""
    return (torch.rand(batch, FLIPS, generator=generator) < p).long()


def train_coins(model: CoinNetwork, steps: int, seed: int):
    """Train it on coins of the prior; yields the loss of each step."""
    coins = torch.tensor(COINS)

    def loss(generator: torch.Generator, step: int) -> Tensor:
        p = coins[torch.randint(len(coins), (TO_COINS["batch"], 1), generator=generator)]
        flips = tosses(len(p), p, generator)
        return F.binary_cross_entropy_with_logits(model(flips[:, :-1]), flips.float())

    return train_in_context(model, loss, steps, lr=TO_COINS["lr"], seed=seed)


def coin(seed: int, share: float, count: int) -> dict:
    """A network trained on two coins: what it and the exact posterior predict, on average, after AFTER flips of a coin
    of the prior (the first) and of one that is not in it; and how far the network is from Bayes."""
    model, steps = CoinNetwork(seed), max(1, round(share * TO_COINS["steps"]))
    with one_core():
        began = time.thread_time()
        for _ in train_coins(model, steps, seed):
            pass
        found = {"steps": steps, "core_seconds": round(time.thread_time() - began, 1), "after": list(AFTER)}
    for name, p in (("inside", COINS[0]), ("outside", TRUTH)):
        flips = tosses(count, p, torch.Generator().manual_seed(JUDGED + seed))
        with torch.no_grad():
            own = model(flips).sigmoid().double()
        exact, at = predictive(flips, COINS), list(AFTER)
        mean = lambda values, at=at: [round(float(each), 4) for each in values.mean(0)[at]]
        found[name] = {"truth": p, "network": mean(own), "bayes": mean(exact), "apart": mean((own - exact).abs()),
                       "network_wrong": mean((own - p).abs()), "bayes_wrong": mean((exact - p).abs()),
                       "posterior": mean(posterior(flips, COINS)[..., 1])}
    return found
