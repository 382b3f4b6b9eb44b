"""The parts of `mlcourse study protocol`: what the numbers of a row are, given its key.

A key is (part, arm, norm, setting, inner steps at test, split, seed).
"""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Iterator
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.datasets import load_splits
from mlcourse.domains import Domain
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.evaluate import BLOCK, scores
from mlcourse.learner import Learner
from mlcourse.learners import MAML, ProtoNet
from mlcourse.lessons.l06_images import leaks
from mlcourse.lessons.l06_images.arms import (COSINES, PIXELS, PROTOTYPES, REGRESSION, SECOND, SHOT, WAY, WIDE,
                                              Trained, made, trained)
from mlcourse.lessons.l06_images.company import ALONE, COMPANY, TOGETHER, in_company
from mlcourse.lessons.l06_images.fixed_labels import FixedLabels, poisoned
from mlcourse.lessons.l06_images.selection import bias, simulated
from mlcourse.lessons.l06_images.settings import (BEST, CANDIDATES, CHECKPOINTS, CHOSEN, COMPANIONS, FRESH, JUDGED_ON,
                                                  KNOWN, RIVALS, SIMULATED, SKILL, SPREAD, TEST, TIMED, VALIDATION,
                                                  Budget, name_of)
from mlcourse.lessons.l06_images.turns import TurnedEpisodes
from mlcourse.nets import Conv4
from mlcourse.studies.study import Key
from mlcourse.system.timing import in_turn


@cache
def source() -> Domain:
    """The training scripts, turned by 90° as further classes."""
    return load_splits("glyphs").train.with_rotations()


@cache
def new_scripts(split: str) -> Domain:
    """The scripts to choose on, split "val", or to judge on."""
    return getattr(load_splits("glyphs"), split)


@cache
def known(seen: bool) -> Domain:
    """The KNOWN training classes of the part "labels": fourteen drawings of each to train on, or the other six."""
    train = load_splits("glyphs").train
    order = torch.randperm(len(train.classes), generator=torch.Generator().manual_seed(0))
    some = train.subset(order[:KNOWN].tolist())
    place = torch.arange(len(some.images)) % (len(some.images) // KNOWN)
    return some.take(torch.nonzero((place < 14) == seen)[:, 0])


@cache
def body(arm: str, norm: str, outer: float, seed: int, budget: Budget) -> Trained:
    """ProtoNet, or the pretrained body of an arm, trained once for all that is asked of it."""
    steps = budget.steps if arm in (PROTOTYPES, WIDE) else budget.pretraining
    return trained(arm, norm, {"outer": outer}, seed, source(), steps, budget.width)


@cache
def second(norm: str, setting: tuple, seed: int, budget: Budget) -> Trained:
    """MAML, its setting as pairs."""
    return trained(SECOND, norm, dict(setting), seed, source(), budget.steps, budget.width)


def ready(arm: str, norm: str, setting: dict, seed: int, budget: Budget) -> Trained:
    """An arm, trained. RFS and fine-tuning start from the same body."""
    if arm == SECOND:
        return second(norm, tuple(setting.items()), seed, budget)
    if arm in (PROTOTYPES, WIDE):
        return body(arm, norm, setting["outer"], seed, budget)
    if arm == PIXELS:
        return trained(PIXELS, norm, {}, seed, source(), 0, 0)
    pretrained = body(COSINES if arm == COSINES else REGRESSION, norm, setting["outer"], seed, budget)
    own = {name: value for name, value in setting.items() if name != "outer"}
    learner = made(arm, norm, own, seed, budget.width, 0)
    learner.net.load_state_dict(pretrained.learner.net.state_dict())
    return Trained(learner.eval(), pretrained.seconds)


def sampler(split: str, way: int = WAY, query: int = 15) -> EpisodeSampler:
    """Ordinary episodes of new scripts."""
    return EpisodeSampler(new_scripts(split), way, SHOT, query)


def percent(values: Tensor) -> float:
    """The mean of shares, in per cent."""
    return round(100 * float(values.mean()), 3)


def blocks(draws: EpisodeSampler, episodes: int, seed: int) -> Iterator[Episode]:
    """The episodes that `evaluate.scores` draws from this seed, in its blocks."""
    generator = torch.Generator().manual_seed(seed)
    for start in range(0, episodes, BLOCK):
        yield draws.sample(BLOCK, generator).task(slice(0, episodes - start))


def episodic_accuracy(learner: Learner, split: str, steps: int, budget: Budget) -> dict:
    """On ordinary episodes, every query in the company of all others."""
    seed = VALIDATION if split == "val" else TEST
    return {"accuracy": percent(scores(learner, sampler(split), budget.episodes, seed=seed, steps=steps or None))}


# ------------------------------------------------------------ the parts

def norms(key: Key, budget: Budget) -> dict:
    """A trained arm in every company, where it is not transductive in two of them; or on validation scripts."""
    _, arm, norm, said, steps, split, seed = key
    setting = next(each for each in CANDIDATES[COMPANIONS][arm, norm] if name_of(each) == said)
    learner, seconds = ready(arm, norm, setting, seed, budget)
    if split == "val":
        return {**episodic_accuracy(learner, split, steps, budget), "core_seconds": seconds}
    companies = COMPANY if learner.is_transductive else (ALONE, TOGETHER)
    found = {company: torch.cat([in_company(learner, each, company, steps or None)
                                 for each in blocks(sampler("test"), budget.episodes, TEST)]) for company in companies}
    return {**{company: percent(values) for company, values in found.items()}, "core_seconds": seconds}


def splits(key: Key, budget: Budget) -> dict:
    """ProtoNet trained on one of the training sets, on the test that all of them share."""
    every, (setting, _) = load_splits("glyphs"), CHOSEN[PROTOTYPES, "layer"]
    learner, seconds = trained(PROTOTYPES, "layer", setting, key[-1], leaks.trained_on(every, key[3], key[-1]),
                               budget.steps, budget.width)
    test = EpisodeSampler(leaks.tested(every), WAY, SHOT, 9)
    return {"accuracy": percent(scores(learner, test, 2 * budget.episodes, seed=TEST)), "core_seconds": seconds}


def labels(key: Key, budget: Budget) -> dict:
    """MAML on few training classes: what it answers for them in new drawings, with right and with wrong support labels,
    without an inner step and with labels that were shuffled, and for new scripts; accuracy in per cent, and the query
    loss."""
    norm, said, steps, seed = key[2], key[3], key[4], key[6]
    share, (setting, _) = float(said.split()[0]), CHOSEN[SECOND, norm]
    learner, seconds = trained(SECOND, norm, setting, seed, known(True), budget.steps, budget.width, shuffled=share)
    draws = lambda shuffled: FixedLabels(known(False), WAY, SHOT, 5, shuffled)
    batches = {"known": draws(0.0), "no_step": draws(0.0), "poisoned": draws(0.0), "reshuffled": draws(1.0),
               "new": sampler("test", query=5)}
    found = {"core_seconds": seconds}
    for name, each in batches.items():
        logits, y = predicted(learner, each, budget.episodes, 0 if name == "no_step" else steps,
                              poisoned if name == "poisoned" else None)
        found[name] = percent((logits.argmax(-1) == y).double())
        found[f"{name}_loss"] = round(float(F.cross_entropy(logits.flatten(0, 1), y.flatten())), 4)
    return found


@torch.no_grad()
def predicted(learner: Learner, draws: EpisodeSampler, episodes: int, steps: int,
              change: Callable[[Episode], Episode] | None) -> tuple[Tensor, Tensor]:
    """Logits (E, M, N) and labels (E, M) of the queries of fixed episodes, which `change` may change."""
    parts = [change(each) if change else each for each in blocks(draws, episodes, TEST)]
    return torch.cat([learner.predictions(each, steps) for each in parts]), torch.cat([each.query_y for each in parts])


def rivals(key: Key, budget: Budget) -> dict:
    """An arm on validation or test scripts, and the pictures that it saw in training."""
    _, arm, norm, said, steps, split, seed = key
    known_settings = [BEST[arm][1], *CANDIDATES[RIVALS].get((arm, norm), ())]
    setting = next(each for each in known_settings if name_of(each) == said)
    learner, seconds = ready(arm, norm, setting, seed, budget)
    steps_taken = {PIXELS: 0}.get(arm, budget.steps if arm in (SECOND, PROTOTYPES, WIDE) else budget.pretraining)
    return {**episodic_accuracy(learner, split, steps, budget), "core_seconds": seconds, "pictures": 80 * steps_taken}


def selection(key: Key, budget: Budget) -> dict:
    """The optimism of the best of CHECKPOINTS, in points."""
    count, seed = int(key[3].split()[0]), key[-1]
    if key[1] == SIMULATED:
        best = simulated(CHECKPOINTS, count, SKILL, 75, SPREAD, budget.draws, torch.Generator().manual_seed(seed))
        return {"optimism": round(100 * float(best.mean()) - 100 * SKILL, 4),
                "expected": round(100 * bias(CHECKPOINTS, count, SPREAD), 4)}
    val, test, fresh = along(seed, budget)
    by_test, by_val = int(test[:, :count].mean(1).argmax()), int(val[:, :count].mean(1).argmax())
    shared = torch.corrcoef(fresh)
    spread = float(fresh.std(1).mean())
    rho = float((shared.sum() - CHECKPOINTS) / (CHECKPOINTS * (CHECKPOINTS - 1)))
    return {"reported": percent(test[by_test, :count]), "fresh": percent(fresh[by_test]),
            "by_validation": percent(fresh[by_val]), "all": percent(fresh), "last": percent(fresh[-1]),
            "test_all": percent(test[:, :count]), "spread": round(100 * spread, 3), "shared": round(rho, 4),
            "expected": round(100 * bias(CHECKPOINTS, count, spread, rho), 4)}


@cache
def along(seed: int, budget: Budget) -> tuple[Tensor, ...]:
    """The scores of CHECKPOINTS from the second half of a training on episodes to choose on (validation scripts), on
    test episodes, and on fresh ones of the test scripts: each (CHECKPOINTS, E)."""
    at = torch.linspace(budget.steps / 2, budget.steps, CHECKPOINTS + 1)[1:].round().tolist()
    states, taken = [], iter(range(1, budget.steps + 1))

    def keep(learner):
        step = next(taken)
        states.extend([copy.deepcopy(learner.state_dict())] * at.count(step))

    setting, _ = CHOSEN[PROTOTYPES, "layer"]
    learner, _ = trained(PROTOTYPES, "layer", setting, seed, source(), budget.steps, budget.width, on_step=keep)
    sets = (("val", VALIDATION, max(JUDGED_ON)), ("test", TEST, max(JUDGED_ON)),
            ("test", FRESH, budget.checkpoint_episodes))
    found = [[] for _ in sets]
    for state in states:
        learner.load_state_dict(state)
        for place, (split, draw, count) in zip(found, sets, strict=True):
            place.append(scores(learner, sampler(split, query=5), count, seed=draw))
    return tuple(torch.stack(each) for each in found)


def turned(key: Key, budget: Budget) -> dict:
    """ProtoNet on the same episodes of new scripts, turned in one of the ways."""
    _, arm, norm, turn, _, _, seed = key
    learner, seconds = ready(arm, norm, CHOSEN[arm, norm][0], seed, budget)
    draws = TurnedEpisodes(new_scripts("test"), WAY, SHOT, 15, turn)
    return {"accuracy": percent(scores(learner, draws, budget.episodes, seed=TEST)), "core_seconds": seconds}


def ways(key: Key, budget: Budget) -> dict:
    """The accuracy at 5 or 20 ways, or the milliseconds of an outer gradient on four episodes."""
    _, arm, norm, said, steps, split, seed = key
    way = int(said.split("-")[0])
    if not split:
        return times(budget)[arm, way, steps]
    setting = BEST[WIDE][1] if arm == WIDE else CHOSEN[PROTOTYPES, norm][0]
    learner, seconds = ready(arm, norm, setting, seed, budget)
    return {"accuracy": percent(scores(learner, sampler("test", way, 5), budget.episodes, seed=TEST)),
            "core_seconds": seconds}


@cache
def times(budget: Budget) -> dict[tuple[str, int, int], dict]:
    """Milliseconds, the median of turns, by arm, way and inner steps; and as a multiple of the same at 5 ways."""
    sides = {(arm, way, steps): gradient(arm, way, steps, budget) for arm, steps in TIMED for way in (5, 20)}
    measured = in_turn(sides, budget.rounds)
    ratio = lambda a, b: round(statistics.median(x / y for x, y in zip(a, b, strict=True)), 3)
    return {(arm, way, steps): {"ms": round(statistics.median(found), 2),
                                "times_5_way": ratio(found, measured[arm, 5, steps])}
            for (arm, way, steps), found in measured.items()}


def gradient(arm: str, way: int, steps: int, budget: Budget) -> Callable[[], object]:
    """A function that computes the gradient of an outer step on four episodes with three queries of each class."""
    net = Conv4(way if arm == SECOND else 0, budget.width, norm="layer", seed=0)
    learner = MAML(net, 0.4, steps) if arm == SECOND else ProtoNet(net)
    batch = EpisodeSampler(source(), way, SHOT, 3).sample(4, torch.Generator().manual_seed(0))
    return lambda: torch.autograd.grad(learner.losses(batch).mean(), list(learner.parameters()))
