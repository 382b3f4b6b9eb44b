"""How good a learner is, and how sure we may be: results with intervals, and tables of them."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

import pandas as pd
import torch
from torch import Tensor

from mlcourse.episode import Episode
from mlcourse.learner import Learner, check_finite, device_of, is_seen_transductive, map_parts
from mlcourse.phases import check_counts, in_threads
from mlcourse.statistics import Estimate, interval, t_interval

EVALUATION_SEED = 20170
BLOCK = 25  # episodes that are drawn together


@dataclass(frozen=True)
class Result:
    """One measured number and everything needed to measure it again.

    mean: accuracy in [0, 1], or mean squared error in regression (`metric` says which), over `episodes` episodes
    drawn from `seed`; ci95: the half-width of its 95 % interval, which covers the draw of the episodes for this one
    trained model. norm: one of `NORMS`, or "own", torch's in a network of your own. steps: inner steps at test (0:
    none or not applicable). seconds: wall time of the evaluation.
    """

    method: str
    domain: str
    split: str
    norm: str
    transductive: bool
    train_way: int
    way: int
    shot: int
    query: int
    steps: int
    metric: str
    mean: float
    ci95: float
    episodes: int
    seed: int
    seconds: float
    command: str = ""
    commit: str = ""
    note: str = ""

    def __str__(self) -> str:
        found = Estimate(self.mean, self.ci95, self.episodes, "episodes")
        value = f"{found.times(100).text(2)} %" if self.metric == "accuracy" else f"mean squared error {found.text(3)}"
        task = f"{self.way}-way {self.shot}-shot" if self.way else f"{self.shot}-shot regression"
        steps = f", {self.steps} inner step{'s' * (self.steps != 1)}" if self.steps else ""
        mode = "transductive" if self.transductive else "one query at a time"
        note = f"; {self.note}" if self.note else ""
        return (f"{self.method} on {self.domain} ({self.split}), {task}{steps}: {value} "
                f"(95 % interval over {self.episodes} episodes; norm {self.norm}, {mode}){note}")


@torch.no_grad()
def scores(learner: Learner, sampler, episodes: int = 600, *, seed: int = EVALUATION_SEED, steps: int | None = None,
           chunk: int | None = None) -> Tensor:
    """The score of each of `episodes` fixed episodes (episodes,): accuracy, or mean squared error in regression.

    The episodes depend on the sampler and the seed only, so that two learners are judged on the same ones, and fewer
    episodes are the first of more. chunk: how many of a block of 25 a core computes at once, to bound memory
    (None: the learner's `tasks_at_once`).
    The learner is in eval mode meanwhile, and the episodes come to the device where its parameters lie.
    Raises ValueError for a count below 1, or samples that are not finite.
    """
    check_counts(episodes=episodes, **({} if chunk is None else {"chunk": chunk}))
    was_training = learner.training
    learner.eval()
    generator = torch.Generator().manual_seed(seed)
    at_once = learner.tasks_at_once if chunk is None else chunk

    def part_scores(part: Episode) -> Tensor:
        return torch.vmap(score)(learner.predictions(part, steps), part.query_y)

    try:
        done = []
        for start in range(0, episodes, BLOCK):
            block = sampler.sample(BLOCK, generator).task(slice(0, episodes - start)).to(device_of(learner))
            check_finite(block)
            done += map_parts(part_scores, block, at_once, in_threads(learner))
        return torch.cat(done).cpu()
    finally:
        learner.train(was_training)


def score(prediction: Tensor, y: Tensor) -> Tensor:
    """Accuracy of logits (M, N) against int64 labels, or mean squared error of (M, 1) against float targets."""
    if y.is_floating_point():
        return (prediction - y).square().mean()
    return (prediction.argmax(-1) == y).float().mean()


def percent_right(logits: Tensor, labels: Tensor) -> float:
    """The share of logits (M, N) that name the label right, in per cent to three digits, as rows of results hold it."""
    return round(100 * float(score(logits, labels)), 3)


def evaluate(learner: Learner, sampler, episodes: int = 600, *, seed: int = EVALUATION_SEED, steps: int | None = None,
             name: str | None = None, split: str = "test", train_way: int = 0, command: str = "",
             commit: str = "", note: str = "") -> Result:
    """The mean score over fixed episodes with its 95 % interval, of Student's t under 30 of them.

    `seed`, `steps`: as in `scores`; note: as in `Result`.
    Raises ValueError for fewer than 2 episodes, and what `scores` raises.
    """
    check_episodes(episodes)
    start = time.perf_counter()
    values = scores(learner, sampler, episodes, seed=seed, steps=steps)
    return summed(values, learner, sampler, seed=seed, seconds=time.perf_counter() - start, name=name, split=split,
                  note=note, steps=getattr(learner, "steps", 0) if steps is None else steps, train_way=train_way,
                  command=command, commit=commit)


def summed(values: Tensor, learner: Learner, sampler, *, seed: int, seconds: float, steps: int, name: str | None = None,
           **more) -> Result:
    """The `Result` of the scores of episodes (E,) that a sampler drew. more: fields of a `Result`, as they are."""
    mean, ci95 = (interval if len(values) >= 30 else t_interval)(values)
    domain, was_training = getattr(sampler, "domain", None), learner.training
    learner.eval()
    one = sampler.sample(1, torch.Generator().manual_seed(seed)).task(0).to(device_of(learner))
    is_transductive = is_seen_transductive(learner, lambda: learner.adapt(one), one.query_x)
    learner.train(was_training)
    return Result(
        method=name or type(learner).__name__, domain=domain.name if domain else "sinusoids",
        norm=_norm(learner), transductive=is_transductive,
        way=sampler.way, shot=sampler.shot, query=sampler.query, steps=steps, metric="accuracy" if sampler.way
        else "mse", mean=mean, ci95=ci95, episodes=len(values), seed=seed, seconds=round(seconds, 3), **more)


def _norm(learner: Learner) -> str:
    """The name of the norm of a learner's network: "own" for those of a network that is not the course's."""
    net = getattr(learner, "net", None)
    named = getattr(net, "norm", "none")
    own = net is not None and any("Norm" in type(module).__name__ for module in net.modules())
    return "own" if named == "none" and own and "norm" not in getattr(net, "config", {}) else named


def check_episodes(episodes: int) -> None:
    """Raises ValueError for fewer episodes than an interval needs."""
    if episodes < 2:
        raise ValueError(f"episodes must be at least 2, for an interval, got {episodes}")


def compare(learners: dict[str, Learner], samplers: dict[str, object], episodes: int = 600, *,
            seed: int = EVALUATION_SEED, steps: int | None = None) -> pd.DataFrame:
    """Every learner on every domain, on the same episodes: a table with a row for each `Result`.

    learners, samplers: by the names that the table shows.
    """
    rows = []
    for domain, sampler in samplers.items():
        for name, learner in learners.items():
            row = asdict(evaluate(learner, sampler, episodes, seed=seed, steps=steps, name=name))
            rows.append({**row, "domain": domain})
    return pd.DataFrame(rows)
