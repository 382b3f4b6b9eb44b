"""The LSTM meta-learner of Ravi and Larochelle beside MAML and others: 5-way 1-shot episodes of glyphs.

Two networks. HEAD: a linear head on frozen features of the ProtoNet that the course ships, which learned from the
training scripts; the prototypes of the same features stand beside it. WHOLE: all weights of a Conv4 of 16 filters.
No query is normalised with others: WHOLE takes the statistics of the support set. All arms that are trained on a
network take the same number of outer steps on the same training episodes, all that adapt by gradients as many steps on
the support set, and all are judged on the same test episodes; DESCENT starts at random weights that nobody trained.
LSTM is trained with gradients as constants, as in the paper; LSTM_2 is not.
Settings were chosen on the validation scripts with training seed CHOOSING, as rows of split "val" show. Ravi and
Larochelle report nothing on drawings.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mlcourse import checkpoint
from mlcourse.datasets import load_splits
from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler, Splits
from mlcourse.evaluate import evaluate
from mlcourse.learner import Learner
from mlcourse.learners import MAML, MetaLSTM, ProtoNet
from mlcourse.nets import MLP, Conv4, wrap
from mlcourse.rows import facts
from mlcourse.statistics import cell, paired_difference
from mlcourse.studies.study import Key, Option, Study
from mlcourse.studies.table import table
from mlcourse.system import paths
from mlcourse.train import train

KEY = ("net", "arm", "setting", "outer_rate", "split", "seed")
CHOOSING = 100
HEAD, WHOLE = "head on frozen features", "whole Conv4"
LSTM, LSTM_2 = "LSTM meta-learner", "LSTM meta-learner, second order"
BY_MAML, PROTONET, DESCENT = "MAML", "ProtoNet", "gradient descent"
ARMS = (LSTM, LSTM_2, BY_MAML, PROTONET, DESCENT)
WAY, SHOT = 5, 1
STEPS = {HEAD: 12, WHOLE: 5}

# what each arm was tried with, its setting and the outer rate; the first is the chosen one
CANDIDATES: dict[tuple[str, str], tuple[tuple[float, float], ...]] = {
    (HEAD, LSTM): ((0.5, 3e-3), (0.02, 3e-3), (0.1, 3e-3)),
    (HEAD, LSTM_2): ((0.02, 3e-3), (0.1, 3e-3), (0.5, 3e-3)),
    (HEAD, BY_MAML): ((0.1, 3e-3), (0.05, 3e-3), (0.2, 3e-3)),
    (HEAD, PROTONET): ((0, 0),),
    (HEAD, DESCENT): ((0.1, 0), (0.05, 0), (0.2, 0)),
    (WHOLE, LSTM): ((0.5, 2e-2), (0.5, 6e-3), (0.1, 6e-3)),
    (WHOLE, BY_MAML): ((0.5, 2e-2), (0.5, 6e-3), (0.1, 6e-3)),
    (WHOLE, PROTONET): ((0, 2e-2), (0, 6e-3)),
    (WHOLE, DESCENT): ((0.5, 0), (0.1, 0)),
    (WHOLE, LSTM_2): ((0.5, 2e-2),),         # that of the first order, not chosen anew
}


@dataclass(frozen=True)
class Budget:
    """head_steps, whole_steps: outer steps of all arms on a network, each of head_tasks, whole_tasks episodes. query:
    of each class in training. width: filters of the Conv4. episodes: judged."""

    head_steps: int = 100
    head_tasks: int = 8
    whole_steps: int = 100
    whole_tasks: int = 4
    query: int = 5
    width: int = 16
    episodes: int = 400


class SecondOrder(MetaLSTM):
    """The LSTM meta-learner whose meta-training knows that a step changes the gradients of those after it."""

    order = 2


class Work(NamedTuple):
    """What was asked, the pictures, and the features (M, D) of those of each split."""

    seeds: Sequence[int]
    nets: Sequence[str]
    choose: bool
    splits: Splits
    features: Splits


class FeatureSampler(EpisodeSampler):
    """The very episodes of an EpisodeSampler, features in place of pictures. z (M, D): of the domain's pictures."""

    def __init__(self, z: Tensor, domain: Domain, way: int, shot: int, query: int = 15):
        super().__init__(domain, way, shot, query)
        self.z = z

    def pixels(self, index: Tensor) -> Tensor:
        """The features at these indices."""
        return self.z[index]


def prepare(seeds: Sequence[int], net: Sequence[str], choose: bool) -> Work:
    """Loads the glyphs and embeds them. Raises ValueError for an unknown network."""
    names = {"head": HEAD, "whole": WHOLE}
    if unknown := set(net) - set(names):
        raise ValueError(f"there is no network {min(unknown)!r}; choose from {', '.join(names)}")
    splits = load_splits("glyphs")
    nets = [names[each] for each in net or names]
    return Work(seeds, nets, choose, splits, features(splits) if HEAD in nets else None)


@torch.no_grad()
def features(splits: Splits) -> Splits:
    """The shipped ProtoNet's features of all pictures, times one factor that makes their mean square over the training
    pictures 1."""
    learner, _ = checkpoint.load(paths.DATA / "checkpoints" / "protonet-glyphs.safetensors")
    stats = learner.fixed_stats()
    embed = lambda images: torch.cat([learner.embed(part.float() / 255, stats) for part in images.split(100)])
    z = [embed(domain.images) for domain in splits]
    return Splits(*(each / z[0].square().mean().sqrt() for each in z))


def made(net: str, arm: str, setting: float, size: int, seed: int, width: int) -> Learner:
    """An untrained arm. setting: the rate at which the LSTM's gate starts, else the inner rate."""
    if arm == PROTONET:
        return ProtoNet(wrap(nn.Flatten(), example=torch.zeros(2, size)) if net == HEAD
                        else Conv4(0, width, "stride", "support", seed=seed))
    body = MLP((size, WAY), seed=seed) if net == HEAD else Conv4(WAY, width, norm="support", seed=seed)
    if arm in (LSTM, LSTM_2):
        return (MetaLSTM if arm == LSTM else SecondOrder)(body, rate=setting, steps=STEPS[net], seed=seed)
    return MAML(body, lr=setting, steps=STEPS[net])


def samplers(work: Work, net: str, split: str, query: int) -> tuple[EpisodeSampler, EpisodeSampler]:
    """What trains, and what judges on a split."""
    train_on, judge = work.splits.train, getattr(work.splits, split)
    if net == WHOLE:
        return EpisodeSampler(train_on, WAY, SHOT, query), EpisodeSampler(judge, WAY, SHOT)
    return (FeatureSampler(work.features.train, train_on, WAY, SHOT, query),
            FeatureSampler(getattr(work.features, split), judge, WAY, SHOT))


def plan(work: Work, budget: Budget) -> list[Key]:
    """Every arm with every seed, and before them, if the settings are to be chosen, each candidate."""
    wanted = {pair: tried for pair, tried in CANDIDATES.items() if pair[0] in work.nets}
    choosing = [(*pair, *each, "val", CHOOSING) for pair, tried in wanted.items() if len(tried) > 1 for each in tried]
    return (choosing if work.choose else []) + [(*pair, *tried[0], "test", seed)
                                                for seed in work.seeds for pair, tried in wanted.items()]


def rows(work: Work, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`."""
    for net, arm, setting, rate, split, seed in todo:
        source, judge = samplers(work, net, split, budget.query)
        start, size = time.perf_counter(), work.features.train.shape[1] if net == HEAD else 0
        learner = made(net, arm, setting, size, seed, budget.width)
        steps, tasks = ((budget.head_steps, budget.head_tasks) if net == HEAD
                        else (budget.whole_steps, budget.whole_tasks))
        if rate:
            train(learner, learner.phases(source, steps, tasks=tasks, lr=rate), seed=seed, progress=False)
        seconds = round(time.perf_counter() - start, 1)
        result = evaluate(learner, judge, budget.episodes)
        words = f"--seed {seed}" if split == "test" else "--choose --seed 0"
        name = "head" if net == HEAD else "whole"
        yield {"net": net, "arm": arm, "setting": setting, "split": split, "outer_rate": rate,
               "outer_steps": steps if rate else 0, "tasks": tasks, "steps": result.steps, "norm": "support",
               "accuracy": round(100 * result.mean, 3), "ci95": round(100 * result.ci95, 3),
               "episodes": budget.episodes, "train_seconds": seconds,
               **facts(f"mlcourse study meta-lstm --net {name} {words}", seed)}


def line(row: dict) -> str:
    """The row as a line of a table."""
    return (f"{row['net']:24s} {row['arm']:31s} {row['setting']:<5g} {row['outer_rate']:<5g} {row['split']:4s} "
            f"seed {row['seed']:3d}   {row['accuracy']:.1f} ± {row['ci95']:.1f} %   {row['train_seconds']} s")


def report(work: Work, found: Sequence[dict]) -> str:
    """The accuracies over the seeds, and how far the LSTM lies from the others, paired."""
    lines = [("", "accuracy, %", "LSTM less this")]
    for net in work.nets:
        by_arm = {arm: {row["seed"]: row["accuracy"] for row in found if (row["net"], row["arm"], row["split"]) ==
                        (net, arm, "test")} for arm in ARMS if (net, arm) in CANDIDATES}
        for arm, values in by_arm.items():
            shared = values.keys() & by_arm[LSTM].keys()
            pair = ({s: each[s] for s in shared} for each in (by_arm[LSTM], values))
            apart = paired_difference(*pair).text(1, sign=True) if shared and arm != LSTM else ""
            lines.append((f"{net}: {arm}", cell(values.values()), apart))
    return table(lines)


STUDY = Study(
    "meta-lstm",
    """The LSTM meta-learner beside MAML, ProtoNet and plain gradient descent, on glyphs, 5-way 1-shot.

    A head on frozen features and all of a small Conv4; 400 test episodes. A few minutes for each seed on one core.""",
    ("--net head", "--net whole --seed 0"), KEY, Budget(), plan, rows, line, prepare=prepare, report=report,
    options=(Option("net", str, r"head or whole; repeat it for both.  \[default: both]", several=True),
             Option("choose", bool, "Measure all settings on validation scripts first.")))
