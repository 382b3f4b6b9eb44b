"""Parts "regression", "diversity" and "linear" of `mlcourse study context`: linear regression, learned in context."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from mlcourse.context import (InContext, LinearAttention, LinearTasks, Prompt, best_error, best_rate, by_prefix, errors,
                              least_squares, of_pool, one_step, ridge, train_in_context)
from mlcourse.lessons.l17_context import maml, shipped
from mlcourse.lessons.l17_context.training import LIVE, LONG, Setting, learn
from mlcourse.statistics import interval, paired_ratio
from mlcourse.system.machine import one_core

PENALTY = LONG.noise**2
PRIOR, FAR_W, FAR_X, NOISY = "prior", "w × 3", "x × 3", "noise × 3"
# what is judged: factors on w, on x and on the noise
SITUATIONS = {PRIOR: (1, 1, 1), FAR_W: (3, 1, 1), FAR_X: (1, 3, 1), NOISY: (1, 1, 3)}
CHECKPOINT, BY_LIVE, BY_MAML = "checkpoint", "live", "MAML"
RIDGE, TOLD, LEAST, STEP = "ridge", "ridge, told the situation", "least squares", "one gradient step"
TRAINED, FIXED = (CHECKPOINT, BY_LIVE, BY_MAML), (RIDGE, TOLD, LEAST, STEP)
Predict = Callable[[Tensor, Tensor], Tensor]        # x (B, n, d), y (B, n) -> (B, n), each from the pairs before it
PROMPTS, POOL, NEW, LAYER = 18, 1000, 2000, 3000       # seeds of prompts; added to a seed: of pool, prompts, tasks
POOLS = (1, 4, 16, 64, 256, 1024)
MOST = 1e6                                              # what a larger error counts, and one that is no number
PAIRS, TO_ATTENTION = 20, {"steps": 1000, "batch": 256, "lr": 0.01}


def situation(name: str, points: int = LONG.points) -> tuple[LinearTasks, float]:
    """The prompts of a situation, and the penalty of the ridge regression that is the Bayes predictor there."""
    w, x, noise = SITUATIONS[name]
    tasks = LinearTasks(LONG.dims, points, noise * LONG.noise, x_scale=x, w_scale=w)
    return tasks, (noise * LONG.noise / w) ** 2


def step_at_best_rate(x: Tensor, y: Tensor, query: Tensor) -> Tensor:
    """One gradient step from 0, at the rate that is best for so many pairs of the prior; 0 without pairs."""
    pairs = x.shape[1]
    return one_step(x, y, query, best_rate(pairs, LONG.dims, LONG.noise)) if pairs else query.new_zeros(len(query))


def fixed(arm: str, penalty: float) -> Predict:
    """(x, y) -> the predictions (B, n) of an arm that is not trained. penalty: of the Bayes predictor."""
    predict = {RIDGE: ridge(PENALTY), TOLD: ridge(penalty), LEAST: least_squares, STEP: step_at_best_rate}[arm]
    return lambda x, y: by_prefix(predict, x.double(), y.double()).float()


def judged(arm: str, model: Predict | None, prompts: int) -> dict:
    """The mean error of an arm in each situation after each number of pairs, to clean targets, the same prompts for
    all; and from d pairs on as a share of that of ridge with the prior's λ, and less it, with 95 % intervals over
    prompts."""
    found = {"situations": list(SITUATIONS), "errors": [], "to_ridge": [], "less_ridge": []}
    for name in SITUATIONS:
        tasks, penalty = situation(name)
        prompt = tasks.sample(prompts, torch.Generator().manual_seed(PROMPTS))
        with torch.no_grad():
            own = errors((model or fixed(arm, penalty))(prompt.x, prompt.y), prompt.clean)
            own = own.nan_to_num(MOST, MOST).clamp(max=MOST)
        best = errors(fixed(RIDGE, penalty)(prompt.x, prompt.y), prompt.clean)
        late = [each[:, LONG.dims:].mean(1).double().numpy() for each in (own, best)]
        found["errors"].append([round(float(each), 4) for each in own.mean(0)])
        for field, value in (("to_ridge", paired_ratio(*late)), ("less_ridge", interval(late[0] - late[1], "prompts"))):
            found[field].append([round(value.mean, 4), round(value.half, 4)])
    return found


def trained(setting: Setting, seed: int, pool: Tensor | None = None) -> tuple[InContext, float]:
    """A trained Transformer, and the seconds of one core that it took."""
    model = setting.model(seed)
    with one_core():
        began = time.thread_time()
        for _ in learn(setting, model, seed, pool=pool):
            pass
        return model.eval(), round(time.thread_time() - began, 1)


def regression(arm: str, seed: int, share: float, prompts: int) -> dict:
    """A row's values. The Transformer of the checkpoint with shipped.SEED is the one that is shipped."""
    if arm in FIXED:
        return {"steps": 0, "core_seconds": 0.0, **judged(arm, None, prompts)}
    if arm == CHECKPOINT and seed == shipped.SEED:
        card = shipped.card("context-regression")
        return {"steps": card["training"]["steps"], "core_seconds": card["core_seconds"],
                **judged(arm, shipped.regression(), prompts)}
    if arm == BY_MAML:
        steps = max(1, round(share * maml.TRAINING["steps"]))
        with one_core():
            began = time.thread_time()
            learner = maml.trained(LONG.tasks(), seed, steps)
            seconds = round(time.thread_time() - began, 1)
            return {"steps": steps, "core_seconds": seconds,
                    **judged(arm, lambda x, y: maml.by_pairs(learner, x, y), prompts)}
    setting = shortened(LONG if arm == CHECKPOINT else LIVE, share)
    model, seconds = trained(setting, seed)
    return {"steps": setting.steps, "core_seconds": seconds, **judged(arm, model, prompts)}


def shortened(setting: Setting, share: float) -> Setting:
    """The same with a share of the steps."""
    return replace(setting, steps=max(1, round(share * setting.steps)))


def pool_of(size: int, seed: int) -> Tensor | None:
    """The weights (M, d) of the only tasks of a training: a small pool is the beginning of a larger one; None for
    unlimited tasks, written 0."""
    weights = torch.randn(max(POOLS), LONG.dims, generator=torch.Generator().manual_seed(POOL + seed))
    return weights[:size] if size else None


def diversity(size: int, seed: int, share: float, prompts: int) -> dict:
    """A Transformer that was trained on a pool of tasks: errors from d pairs on, on tasks of the pool and on new ones,
    beside ridge and the Bayes predictor of the pool, and how far its predictions on new ones are from theirs."""
    setting, pool = shortened(LIVE, share), pool_of(size, seed)
    model, seconds = trained(setting, seed, pool)
    found = {"steps": setting.steps, "core_seconds": seconds}
    for name, own in (("pool", pool), ("new", None)):
        prompt = setting.tasks(own).sample(prompts, torch.Generator().manual_seed(NEW + seed))
        said = predictions(model, pool, prompt)
        late = lambda a, b: round(float(errors(a, b)[:, LONG.dims:].mean()), 4)
        found[name] = {each: late(value, prompt.clean) for each, value in said.items()}
    found["from"] = {each: late(said["Transformer"], value) for each, value in said.items() if each != "Transformer"}
    return found


def predictions(model: InContext, pool: Tensor | None, prompt: Prompt) -> dict[str, Tensor]:
    """What each predicts of a batch of prompts, (B, n)."""
    with torch.no_grad():
        said = {"Transformer": model(prompt.x, prompt.y), "ridge": by_prefix(ridge(PENALTY), prompt.x, prompt.y)}
    return said if pool is None else said | {"pool": by_prefix(of_pool(pool, LONG.noise), prompt.x, prompt.y)}


def attention(seed: int, share: float, prompts: int) -> dict:
    """One layer of linear attention, trained on prompts without noise: its error as a share of the least
    possible, which is that of one gradient step on the same prompts, with its 95 % interval over prompts."""
    model, tasks = LinearAttention(LONG.dims, seed), LinearTasks(LONG.dims, PAIRS + 1, 0.0)
    predict = lambda prompt: model(prompt.x[:, :-1], prompt.y[:, :-1], prompt.x[:, -1])

    def loss(generator: torch.Generator, step: int) -> Tensor:
        prompt = tasks.sample(TO_ATTENTION["batch"], generator)
        return (predict(prompt) - prompt.y[:, -1]).square().mean()

    steps = max(1, round(share * TO_ATTENTION["steps"]))
    with one_core():
        began = time.thread_time()
        for _ in train_in_context(model, loss, steps, lr=TO_ATTENTION["lr"], seed=seed):
            pass
        seconds = round(time.thread_time() - began, 2)
    prompt = tasks.sample(20 * prompts, torch.Generator().manual_seed(PROMPTS))
    with torch.no_grad():
        own = (predict(prompt) - prompt.y[:, -1]).square()
    step = one_step(prompt.x[:, :-1], prompt.y[:, :-1], prompt.x[:, -1], best_rate(PAIRS, LONG.dims))
    share = paired_ratio(own.double().numpy(), (step - prompt.y[:, -1]).square().double().numpy())
    return {"steps": steps, "core_seconds": seconds, "error": round(share.mean * best_error(PAIRS, LONG.dims), 5),
            "to_best": [round(share.mean, 5), round(share.half, 5)]}
