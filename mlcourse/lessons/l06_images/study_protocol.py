"""What a few-shot score is worth: norms and companions, splits that leak, fixed labels, rivals, chosen checkpoints.

The same network throughout, Conv4 of 16 filters on 28×28 glyphs, 5-way 1-shot, tested on fixed episodes of new scripts
that are the same for all arms and seeds, so that differences are paired over training seeds. Settings were chosen on
the validation scripts with training seed CHOOSING (rows of split "val"); test scripts chose nothing, except in the part
"selection", where that is the question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace

from mlcourse.lessons.l06_images import leaks, parts
from mlcourse.lessons.l06_images.arms import PIXELS, PROTOTYPES, SECOND, WIDE
from mlcourse.lessons.l06_images.company import COMPANY
from mlcourse.lessons.l06_images.figures_study import what_a_score_is_worth
from mlcourse.lessons.l06_images.settings import (AT_TEST, BEST, CANDIDATES, CHOOSING, CHOSEN, COMPANIONS, JUDGED_ON,
                                                  LABELS, LABELS_NORM, LEAKS, PARTS, RIVALS, SELECTION, SHARES,
                                                  SIMULATED, SIMULATED_ON, TIMED, TURNED, WAYS, Budget, name_of)
from mlcourse.lessons.l06_images.turns import TURNS
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Option, Study

KEY = ("part", "arm", "norm", "setting", "steps", "split", "seed")


def candidates(part: str) -> Iterator[Key]:
    """The rows on validation scripts that choose the settings of a part."""
    for (arm, norm), several in CANDIDATES.get(part, {}).items():
        for setting in several:
            for steps in AT_TEST if arm == SECOND else (0,):
                yield (part, arm, norm, name_of(setting), steps, "val", CHOOSING)


def of_norms(seed: int) -> list[Key]:
    """Both methods with every norm."""
    return [(COMPANIONS, arm, norm, name_of(setting), steps, "test", seed)
            for (arm, norm), (setting, steps) in CHOSEN.items()]


def of_splits(seed: int) -> list[Key]:
    """ProtoNet on every training set."""
    setting, _ = CHOSEN[PROTOTYPES, "layer"]
    return [(LEAKS, PROTOTYPES, "layer", leak, 0, "test", seed) for leak in leaks.LEAKS]


def of_labels(seed: int) -> list[Key]:
    """MAML with each share of shuffled episodes."""
    return [(LABELS, SECOND, LABELS_NORM, f"{share:g} shuffled", CHOSEN[SECOND, LABELS_NORM][1], "test", seed)
            for share in SHARES]


def of_rivals(seed: int) -> list[Key]:
    """Every arm with the norm and setting that validation chose for it."""
    return [(RIVALS, arm, norm, name_of(setting), steps, "test", seed)
            for arm, (norm, setting, steps) in BEST.items() if seed == 0 or arm != PIXELS]


def of_selection(seed: int) -> list[Key]:
    """Checkpoints of one training, and simulated ones."""
    real = [(SELECTION, PROTOTYPES, "layer", f"{count} episodes", 0, "test", seed) for count in JUDGED_ON]
    return real + [(SELECTION, SIMULATED, "", f"{count} episodes", 0, "", seed) for count in SIMULATED_ON]


def of_turns(seed: int) -> list[Key]:
    """ProtoNet on test classes that are turned, in each of the ways."""
    return [(TURNED, PROTOTYPES, "layer", turn, 0, "test", seed) for turn in TURNS]


def of_ways(seed: int) -> list[Key]:
    """ProtoNet trained on 5 and on 20 ways, tested on both; with seed 0 the time of steps of both ways."""
    found = [(WAYS, arm, BEST[WIDE][0], f"{way}-way", 0, "test", seed) for arm in (PROTOTYPES, WIDE) for way in (5, 20)]
    return found + [(WAYS, arm, "layer", f"{way}-way", steps, "", 0) for arm, steps in TIMED for way in (5, 20)
                    if seed == 0]


MEASURED: dict[str, tuple[Callable[[int], list[Key]], Callable[[Key, Budget], dict]]] = {
    COMPANIONS: (of_norms, parts.norms), LEAKS: (of_splits, parts.splits), LABELS: (of_labels, parts.labels),
    RIVALS: (of_rivals, parts.rivals), SELECTION: (of_selection, parts.selection), WAYS: (of_ways, parts.ways),
    TURNED: (of_turns, parts.turned)}


def prepare(seeds: Sequence[int], part: Sequence[str], choose: bool) -> SimpleNamespace:
    """The parts, all where none is named. Raises ValueError for an unknown one."""
    if unknown := set(part) - set(PARTS):
        raise ValueError(f"there is no part {sorted(unknown)[0]!r}; the parts are {', '.join(PARTS)}")
    return SimpleNamespace(seeds=seeds, parts=part or PARTS, choose=choose)


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every row of the parts that were asked for, the candidates first."""
    chosen = [key for part in asked.parts for key in candidates(part)] if asked.choose else []
    return chosen + [key for seed in asked.seeds for part in asked.parts for key in MEASURED[part][0](seed)]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`."""
    for key in todo:
        part, seed = key[0], key[-1]
        which = "--choose" if seed == CHOOSING else f"--seed {seed}"
        yield {**dict(zip(KEY, key, strict=True)), **MEASURED[part][1](key, budget),
               "episodes": budget.episodes, **facts(f"mlcourse study protocol --part {part} {which}", seed)}


def line(row: dict) -> str:
    """The row as a line of a table."""
    names = ("accuracy", *COMPANY, "known", "poisoned", "reshuffled", "new", "reported", "fresh", "by_validation",
             "optimism", "expected", "ms")
    said = "   ".join(f"{name} {row[name]:.1f}" for name in names if name in row)
    return (f"{row['part']:9s} {row['arm']:17s} {row['norm']:8s} {row['setting']:16s} {row['split']:4s} "
            f"seed {row['seed']:3d}  {said}")


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """Norms and splits, where both were asked for."""
    return {"": what_a_score_is_worth(found)} if {COMPANIONS, LEAKS} <= set(asked.parts) and asked.seeds else {}


STUDY = Study(
    "protocol",
    """Lesson 06: what a few-shot score depends on beside the method. Norms and companions of a query, splits that leak,
    labels that stay fixed, pretrained rivals, checkpoints chosen on the test set, ways.

    5-way 1-shot on glyphs, 16 filters. About seven minutes of one core for each seed.""",
    ("", "--choose --seed 0", "--part splits --seed 0"), KEY, Budget(), plan, rows, line, prepare=prepare,
    pictures=pictures, options=(
        Option("part", str, rf"{', '.join(PARTS)}; repeat it for several.  \[default: all]", several=True),
        Option("choose", bool, "Measure all settings on validation scripts first.")))
