"""Pretrain, Meta-SGD, adapt: the pipeline from glyphs to other characters, and the same with each part left out.

All arms see the same training scripts of glyphs (turned by 90° as further classes), in the same number of outer steps
of the same number of episodes; HALF alone has half of them. Settings were chosen on the validation scripts of glyphs
(rows of split "val", seed CHOOSING); no target label chose anything. An arm without Meta-SGD or MAML spends all its
outer steps on pretraining, and fine-tunes with a new head.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import torch

from mlcourse import datasets
from mlcourse.datasets import DataError
from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import evaluate
from mlcourse.learner import Learner
from mlcourse.learners import MAML, FromScratch, LinearProbe, MetaSGD, MetaTransfer
from mlcourse.lessons.l05_meta_sgd.figures import pipeline
from mlcourse.nets import Conv4
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Option, Study
from mlcourse.train import train

KEY = ("arm", "setting", "domain", "split", "steps", "seed")
WAY, SHOT, QUERY = 5, 1, 15
CHOOSING = 100                            # the seed of the rows that settings were chosen by
RATE = 4e-3                               # β, of Adam, in every phase of every arm
FULL, NO_ADAPT, NO_PRETRAIN, HALF, NO_RATES, NEITHER, NO_META, HEAD, NOTHING = (
    "pretrain, Meta-SGD, adapt", "without adapting", "without pretraining", "without pretraining, half the steps",
    "without learned rates", "without pretraining and learned rates", "without Meta-SGD",
    "without Meta-SGD, head alone adapts", "random start")
_RANGES = tuple({"low": low, "high": high}
                for low, high in ((0.1, 0.4), (0.3, 0.7), (0.5, 1.0), (1.0, 2.0), (2.0, 4.0)))
_RATES = tuple({"lr": rate} for rate in (0.3, 0.6, 1.0, 2.0))
_TUNING = tuple({"lr": rate, "steps": 10} for rate in (0.3, 1.0, 3.0, 10.0))
CANDIDATES: dict[str, tuple[dict, ...]] = {
    FULL: _RANGES, NO_PRETRAIN: _RANGES, NO_RATES: _RATES, NEITHER: _RATES, NO_META: _TUNING, NOTHING: _TUNING,
    HEAD: tuple({"penalty": penalty} for penalty in (0.01, 0.1, 1.0, 10.0))}
CHOSEN: dict[str, dict] = {
    FULL: {"low": 1.0, "high": 2.0}, NO_PRETRAIN: {"low": 0.5, "high": 1.0}, HALF: {"low": 0.5, "high": 1.0},
    NO_RATES: {"lr": 1.0}, NEITHER: {"lr": 1.0}, NO_META: {"lr": 3.0, "steps": 10}, HEAD: {"penalty": 1.0},
    NOTHING: {"lr": 3.0, "steps": 10}}


@dataclass(frozen=True)
class Budget:
    """steps: outer steps of an arm, each of `tasks` episodes with `query` queries of each class. width: of the network,
    in filters. episodes: fixed test episodes of each domain."""

    steps: int = 600
    tasks: int = 8
    query: int = 5
    width: int = 32
    episodes: int = 400


class Bench:
    """What the arms of one seed share: the training episodes, and the pretrained networks, each trained once."""

    def __init__(self, source: Domain, seed: int, budget: Budget):
        self.sampler = EpisodeSampler(source, WAY, SHOT, budget.query)
        self.classes, self.seed, self.steps, self.tasks = len(source.classes), seed, budget.steps, budget.tasks
        self.width, self.episodes = budget.width, budget.episodes
        self.pretrained = cache(self._pretrained)

    def net(self) -> Conv4:
        """An untrained network of this seed, with a head."""
        return Conv4(WAY, self.width, seed=self.seed)

    def run(self, learner: Learner, phases: list) -> Learner:
        """Train, and hand back the learner."""
        train(learner, phases, seed=self.seed, progress=False)
        return learner

    def phases(self, learner: Learner, steps: int) -> list:
        """The phases of a learner with so many outer steps."""
        return learner.phases(self.sampler, steps, tasks=self.tasks, lr=RATE)

    def _pretrained(self, steps: int) -> dict:
        """The network's state after so many outer steps of pretraining, its head untouched."""
        learner = MetaTransfer(self.net(), self.classes, seed=self.seed)
        self.run(learner, self.phases(learner, 2 * steps)[:1])
        return learner.net.state_dict()

    def from_pretrained(self) -> Conv4:
        """The network after half of the outer steps, all of them pretraining."""
        net = self.net()
        net.load_state_dict(self.pretrained(self.steps // 2))
        return net

    def with_new_head(self, trained: bool) -> Conv4:
        """The network after all outer steps, all of them pretraining, or the untrained one; its head set to 0."""
        net = self.net()
        net.load_state_dict(self.pretrained(self.steps) if trained else net.state_dict())
        with torch.no_grad():
            net.head.weight.zero_()
            net.head.bias.zero_()
        return net

    def body(self) -> Conv4:
        """The body of the network after all outer steps, all of them pretraining."""
        net = Conv4(0, self.width)
        state = self.pretrained(self.steps)
        net.load_state_dict({name: t for name, t in state.items() if not name.startswith("head.")})
        return net


def _meta_sgd(bench: Bench, net: Conv4, steps: int, **rates) -> MetaSGD:
    learner = MetaSGD(net, **rates, seed=bench.seed)
    return bench.run(learner, bench.phases(learner, steps))


def _maml(bench: Bench, net: Conv4, steps: int, **rate) -> MAML:
    learner = MAML(net, **rate)
    return bench.run(learner, bench.phases(learner, steps))


ARMS: dict[str, Callable[..., Learner]] = {
    FULL: lambda bench, **rates: _meta_sgd(bench, bench.from_pretrained(), bench.steps // 2, **rates),
    NO_PRETRAIN: lambda bench, **rates: _meta_sgd(bench, bench.net(), bench.steps, **rates),
    HALF: lambda bench, **rates: _meta_sgd(bench, bench.net(), bench.steps // 2, **rates),
    NO_RATES: lambda bench, **rate: _maml(bench, bench.from_pretrained(), bench.steps // 2, **rate),
    NEITHER: lambda bench, **rate: _maml(bench, bench.net(), bench.steps, **rate),
    NO_META: lambda bench, **tuning: FromScratch(bench.with_new_head(trained=True), **tuning),
    HEAD: lambda bench, **setting: LinearProbe(bench.body(), bench.classes, **setting),
    NOTHING: lambda bench, **tuning: FromScratch(bench.with_new_head(trained=False), **tuning),
}
ONE_STEP = (FULL, NO_PRETRAIN, HALF, NO_RATES, NEITHER)          # the arms that are trained for one inner step


def name_of(setting: dict) -> str:
    """A setting in words: "low 0.1, high 0.4"."""
    return ", ".join(f"{name} {value:g}" for name, value in setting.items())


def targets() -> dict[str, tuple[Domain, str]]:
    """The domains that arms are judged on, with their split: held-out scripts of glyphs, the UCI digits, and the test
    alphabets of Omniglot where it is on this machine."""
    found = {"glyphs": (datasets.load_splits("glyphs").test, "test"),
             "digits": (datasets.load("digits@unframed"), "all")}
    try:
        found["omniglot"] = (datasets.load_splits("omniglot").test, "test")
    except DataError:
        pass
    return found


def wanted(arm: str, setting: dict, domains: Mapping[str, tuple], seed: int) -> list[Key]:
    """The keys of the rows that one trained arm gives: every domain; where it was trained for one step, also after five
    on the digits; of the whole pipeline, also without adapting."""
    found = [(arm, domain, 1 if arm in ONE_STEP else setting.get("steps", 0)) for domain in domains]
    found += [(arm, domain, 5) for domain in domains if domain == "digits" and arm in ONE_STEP]
    if arm == FULL:
        found += [(NO_ADAPT, domain, 0) for domain in domains]
    return [(name, name_of(setting), domain, domains[domain][1], steps, seed) for name, domain, steps in found]


@dataclass(frozen=True)
class Work:
    """What was asked, and the data: the training classes, and by name the domains (with their split) to choose on and
    to judge on."""

    seeds: Sequence[int]
    choose: bool
    source: Domain
    choosing: Mapping[str, tuple[Domain, str]]
    targets: Mapping[str, tuple[Domain, str]]

    def trainings(self) -> Iterator[tuple[int, str, dict, Mapping]]:
        """(seed, arm, setting, domains) of everything that is trained, the candidates first."""
        if self.choose:
            for arm, settings in CANDIDATES.items():
                yield from ((CHOOSING, arm, setting, self.choosing) for setting in settings)
        for seed in self.seeds:
            yield from ((seed, arm, setting, self.targets) for arm, setting in CHOSEN.items())


def prepare(seeds: Sequence[int], choose: bool) -> Work:
    """The work on glyphs."""
    splits = datasets.load_splits("glyphs")
    return Work(seeds, choose, splits.train.with_rotations(), {"glyphs": (splits.val, "val")}, targets())


def plan(work: Work, budget: Budget) -> list[Key]:
    """The keys of the seeds' rows, and before them, if settings are to be chosen, those of every candidate on the
    validation scripts."""
    return [key for seed, arm, setting, domains in work.trainings() for key in wanted(arm, setting, domains, seed)]


def rows(work: Work, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`; an arm is trained once for all its rows."""
    bench = None
    for seed, arm, setting, domains in work.trainings():
        keys = [key for key in wanted(arm, setting, domains, seed) if key in todo]
        if keys:
            bench = bench if bench and bench.seed == seed else Bench(work.source, seed, budget)
            yield from measure(bench, arm, setting, domains, keys)


def measure(bench: Bench, arm: str, setting: dict, domains: Mapping, keys: Sequence[Key]) -> Iterator[dict]:
    """Train one arm and yield its rows of these keys."""
    start = time.perf_counter()
    learner = ARMS[arm](bench, **setting)
    seconds = time.perf_counter() - start
    negative = round(float(learner.negative_rates()), 4) if isinstance(learner, MetaSGD) else None
    which = "--choose --seed 0" if bench.seed == CHOOSING else f"--seed {bench.seed}"
    for name, said, domain, split, steps, seed in keys:
        result = evaluate(learner, EpisodeSampler(domains[domain][0], WAY, SHOT, QUERY), bench.episodes, steps=steps)
        yield {"arm": name, "setting": said, "domain": domain, "split": split, "steps": steps,
               "norm": result.norm, "transductive": result.transductive, "way": WAY, "shot": SHOT, "query": QUERY,
               "outer_steps": {NOTHING: 0, HALF: bench.steps // 2}.get(arm, bench.steps),
               "accuracy": round(100 * result.mean, 2), "ci95": round(100 * result.ci95, 2),
               "episodes": bench.episodes, "negative_rates": negative, "training_seconds": round(seconds, 1),
               **facts(f"mlcourse study meta-transfer {which}", seed)}


def line(row: dict) -> str:
    """The row as a line of a table."""
    return (f"{row['arm']:38s} {row['setting']:20s} {row['domain']:8s} {row['split']:4s} seed {row['seed']:3d}  "
            f"{row['steps']:2d} steps  {row['accuracy']:6.2f} ± {row['ci95']:.2f} %")


def pictures(work: Work, found: Sequence[dict]) -> Mapping[str, Picture]:
    """Every arm's accuracy on the digits."""
    return {"": pipeline(found)}


STUDY = Study(
    "meta-transfer",
    """Lesson 05: pretrain, Meta-SGD, adapt, from glyphs to digits and Omniglot, against each part left out.

    Every arm has the same training scripts and the same number of outer steps; 400 fixed test episodes of each domain,
    5-way 1-shot. Four to five minutes for each seed on two cores; --choose takes longer.""",
    ("--choose", "--seed 0"), KEY, Budget(), plan, rows, line, prepare=prepare, pictures=pictures,
    options=(Option("choose", bool, "Measure all settings on validation data first."),))
