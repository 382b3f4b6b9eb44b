"""Comparing methods that compare: on the same number of pictures of glyphs, and for five minutes each on Omniglot.

In the part "glyphs" every step of every method sees 128 pictures of the training scripts, and there are 300
steps; all have the same network but RelationNet, which needs maps of several positions. The part "why" takes the way
from ProtoNet to SupCon one change at a time, and asks what a batch should be made of. In the part "omniglot" every
method has as many steps as about five minutes of one core held on the machine that made the kept rows.

Everything is trained 1-shot and tested 1-shot and 5-shot. Settings were chosen on the validation classes with training
seed CHOOSING (rows of split "val"). The test episodes are the same for all arms and seeds, so that differences over
seeds are paired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

from mlcourse.lessons.l08_compare.study_comparing_arms import TEST, VALIDATION, data, embedded, judged, trained
from mlcourse.lessons.l08_compare.study_comparing_picture import comparison
from mlcourse.lessons.l08_compare.study_comparing_settings import CANDIDATES, OMNIGLOT, PARTS, chosen, name_of
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Option, Study

KEY = ("part", "arm", "setting", "shot", "split", "seed")
SHOTS = (1, 5)
CHOOSING = 100


@dataclass(frozen=True)
class Budget:
    """episodes: that every accuracy is the mean of. share: of the steps. width: of the networks in place of their own;
    0: their own."""

    episodes: int = 1000
    share: float = 1.0
    width: int = 0


def prepare(seeds: Sequence[int], part: Sequence[str], choose: bool) -> SimpleNamespace:
    """The parts, all where none is named. Raises ValueError for an unknown one, or the seed that chooses."""
    if unknown := [name for name in part if name not in PARTS]:
        raise ValueError(f"there is no part {unknown[0]!r}; the parts are {', '.join(PARTS)}")
    if CHOOSING in seeds:
        raise ValueError(f"seed {CHOOSING} is the one that settings are chosen with; take another")
    return SimpleNamespace(seeds=seeds, parts=[name for name in PARTS if name in (part or PARTS)], choose=choose)


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every arm of the parts with every seed, and before them, if settings are to be chosen, their candidates."""
    arms = [key for key in CANDIDATES if key[0] in asked.parts]
    choosing = [(part, arm, name_of(each), shot, "val", CHOOSING) for part, arm in arms
                for each in CANDIDATES[part, arm] if len(CANDIDATES[part, arm]) > 1 for shot in SHOTS]
    return (choosing if asked.choose else []) + [
        (part, arm, name_of(chosen(part, arm)), shot, "test", seed)
        for asked_part in asked.parts for seed in asked.seeds for part, arm in arms if part == asked_part
        for shot in SHOTS]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`; what is trained serves both numbers of shots."""
    for part, name, setting, split, seed in dict.fromkeys((*key[:3], *key[4:]) for key in todo):
        arm = next(each for each in CANDIDATES[part, name] if name_of(each) == setting)
        arm = replace(arm, steps=max(1, round(budget.share * arm.steps)), width=budget.width or arm.width)
        source, val, test = data(OMNIGLOT if part == OMNIGLOT else "glyphs")
        learner, seconds = trained(arm, source, seed)
        domain, episodes = (val, VALIDATION) if split == "val" else (test, TEST)
        z = embedded(learner, domain)
        words = f"--part {part} " + ("--choose" if split == "val" else f"--seed {seed}")
        for shot in SHOTS:
            if (part, name, setting, shot, split, seed) in todo:
                yield {"part": part, "arm": name, "setting": setting, "shot": shot, "split": split,
                       **judged(learner, domain, z, shot, budget.episodes, episodes), "steps": arm.steps,
                       "pictures": arm.steps * arm.pictures, "core_seconds": seconds, "episodes": budget.episodes,
                       **facts(f"mlcourse study comparing {words}", seed)}


def line(row: dict) -> str:
    """The row as a line of a table."""
    return (f"{row['part']:8s} {row['arm']:19s} {row['setting']:34s} {row['split']:4s} seed {row['seed']:3d}  "
            f"{row['shot']}-shot {row['accuracy']:6.2f} %   raw {row['raw']:6.2f}   unit {row['unit']:6.2f}   "
            f"{row['core_seconds']:6.1f} s")


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """All methods on glyphs and the way from ProtoNet to SupCon. Raises ValueError where rows are missing."""
    return {"": comparison(found)}


STUDY = Study(
    "comparing",
    """Lesson 08: ProtoNet, MatchingNet, RelationNet, R2D2, NCA and SupCon on as many pictures of glyphs each, what
    makes the difference between ProtoNet and SupCon, and five minutes of four of them on Omniglot.

    About six minutes of one core for each seed, and 25 more with Omniglot.""",
    ("--part glyphs --part why", "--choose --seed 0"), KEY, Budget(), plan, rows, line, prepare=prepare,
    pictures=pictures, options=(
        Option("part", str, rf"{', '.join(PARTS)}; repeat it for several.  \[default: all]", several=True),
        Option("choose", bool, "Measure all settings on validation classes first.")))
