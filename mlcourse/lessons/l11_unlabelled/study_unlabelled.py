"""What a pool of unlabelled drawings is worth: alone, with drawings of other classes in it, and when some classes have
more of it than others.

Every seed trains a ProtoNet, and goes on from it for 500 further steps once with each method; "ProtoNet" goes on, too,
without a pool. A method is trained with as many distractor classes as it is tested with, on pools with as many drawings
of one class as of another. The same test episodes for all arms and seeds, so that differences over seeds are paired; an
episode's support and queries are the same whatever is in its pool.

The rate of the further steps was chosen on validation classes with training seed CHOOSING (rows of split "val"): one
rate for all, that with the best accuracy on even pools, as a mean over the trained arms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

from mlcourse.lessons.l11_unlabelled.study_unlabelled_arms import (ARMS, PARTS, RATES, TEST, VALIDATION, WIDTH,
                                                                   Seed, data)
from mlcourse.lessons.l11_unlabelled.study_unlabelled_picture import falls
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Option, Study

KEY = ("part", "arm", "distractors", "rate", "split", "seed")
DISTRACTORS = (0, 5)
CHOOSING = 100


@dataclass(frozen=True)
class Budget:
    """episodes: that every accuracy is the mean of. share: of the steps of the ProtoNet that all start from. further:
    steps from there. width: of the network."""

    episodes: int = 1000
    share: float = 1.0
    further: int = 500
    width: int = WIDTH


def prepare(seeds: Sequence[int], part: Sequence[str], choose: bool) -> SimpleNamespace:
    """The parts, all where none is named. Raises ValueError for an unknown one, or the seed that chooses."""
    if unknown := [name for name in part if name not in PARTS]:
        raise ValueError(f"there is no part {unknown[0]!r}; the parts are {', '.join(PARTS)}")
    if CHOOSING in seeds:
        raise ValueError(f"seed {CHOOSING} is the one that the rate is chosen with; take another")
    return SimpleNamespace(seeds=seeds, parts=[name for name in PARTS if name in (part or PARTS)], choose=choose)


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every arm of the parts with every seed, and before them, if the rate is to be chosen, the rates on glyphs."""
    first = next(iter(PARTS))
    choosing = [(first, name, count, rate, "val", CHOOSING) for rate in RATES for name, arm in ARMS.items()
                if arm.is_candidate for count in DISTRACTORS]
    return (choosing if asked.choose and first in asked.parts else []) + [
        (part, name, count, RATES[0], "test", seed) for part in asked.parts for seed in asked.seeds
        for name, arm in ARMS.items() if part in arm.parts for count in DISTRACTORS]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`; what a seed trains serves all arms that rest on it."""
    for part, rate, split, seed in dict.fromkeys((key[0], *key[3:]) for key in todo):
        source, val, test = data(part)
        domain, episodes = (val, VALIDATION) if split == "val" else (test, TEST)
        start = max(1, round(budget.share * PARTS[part]))
        one = Seed(source, rate, seed, start, budget.further, budget.width)
        words = f"--part {part} " + ("--choose" if split == "val" else f"--seed {seed}")
        for name, arm in ARMS.items():
            for count in DISTRACTORS:
                if (part, name, count, rate, split, seed) in todo:
                    yield {"part": part, "arm": name, "distractors": count, "rate": rate, "split": split,
                           **one.judged(arm, count, domain, budget.episodes, episodes), "episodes": budget.episodes,
                           **facts(f"mlcourse study unlabelled {words}", seed)}


def line(row: dict) -> str:
    """The row as a line of a table."""
    accuracy = "  ".join(f"{name} {value:5.2f}" for name, value in zip(row["balance"], row["accuracy"], strict=True))
    return (f"{row['part']:8s} {row['arm']:26s} {row['distractors']} distractors  rate {row['rate']:g} "
            f"{row['split']:4s} seed {row['seed']:3d}  {accuracy}  {row['core_seconds']:5.1f} s")


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """The arms with and without distractors, and over the balance of the pool. Raises ValueError where rows are
    missing."""
    return {"": falls(found)}


STUDY = Study(
    "unlabelled",
    """Lesson 11: ProtoNet, soft k-means, with a cluster for distractors, and masked, with pools of unlabelled drawings
    that hold other classes and more of one class than of another.

    About three minutes of one core for each seed and part.""",
    ("--part glyphs", "--choose --seed 0"), KEY, Budget(), plan, rows, line, prepare=prepare, pictures=pictures,
    options=(
        Option("part", str, rf"{', '.join(PARTS)}; repeat it for several.  \[default: all]", several=True),
        Option("choose", bool, "Measure the rates on validation classes first.")))
