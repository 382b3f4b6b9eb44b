"""How many samples the tasks of a stream need, and what is forgotten: FTML beside train on everything, GDumb, random
features and learning from scratch, in streams of digits.

Every task has 200 labelled pictures, the same for all arms, and all arms but "from scratch" and "alone" may keep every
one. A seed decides the division into learning and test pictures, the order of the looks, the labels, the pictures of
each task and the networks' starts, so that differences over seeds are paired.

Settings were chosen with seed CHOOSING in two streams that are not reported (`--choose`), for streams of several looks
in one of colours and turns, for those of one look where all labels move: the setting with the highest mean accuracy on
the later half of the tasks after adapting, over all numbers of samples.

"fine-tune, FTML's cost" is fine-tune with as many gradients of samples as FTML has when it draws eight tasks, in every
round: in longer or wider training, or in more steps on the task at hand. Its setting was chosen in the same way; it is
played in streams of one look alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

from mlcourse.lessons.l12_stream.study_stream_arms import (ARMS, CANDIDATES, CHOOSING, CHOOSING_STREAMS,
                                                           CHOOSING_TASKS, SIZES, STREAMS, TASKS, THRESHOLD, digits,
                                                           met, setting, tasks_of)
from mlcourse.lessons.l12_stream.study_stream_picture import curves
from mlcourse.online.arms import found
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Option, Study

KEY = ("stream", "arm", "setting", "seed")


@dataclass(frozen=True)
class Budget:
    """tasks: of a stream. choosing: tasks where settings are chosen. sizes: the numbers of samples at which a task is
    tested. side: of the pictures."""

    tasks: int = TASKS
    choosing: int = CHOOSING_TASKS
    sizes: tuple[int, ...] = SIZES
    side: int = 16


def prepare(seeds: Sequence[int], stream: Sequence[str], choose: bool) -> SimpleNamespace:
    """The streams, all where none is named. Raises ValueError for an unknown one, or the seed that chooses."""
    if unknown := [name for name in stream if name not in STREAMS]:
        raise ValueError(f"there is no stream {unknown[0]!r}; the streams are {'; '.join(STREAMS)}")
    if CHOOSING in seeds:
        raise ValueError(f"seed {CHOOSING} is the one that settings are chosen with; take another")
    chosen = [name for name in STREAMS if name in (stream or STREAMS)]
    return SimpleNamespace(seeds=seeds, streams=chosen, choose=choose)


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every arm with every seed in every stream that it plays in, and before them, if settings are to be chosen, every
    setting."""
    choosing = [(name, arm, setting(each), CHOOSING) for name in CHOOSING_STREAMS for arm in CANDIDATES
                if ARMS[arm].plays_in(name) for each in ARMS[arm].choices]
    return (choosing if asked.choose else []) + [
        (name, one, setting(ARMS[arm].settings(name)), seed) for name in asked.streams for seed in asked.seeds
        for arm in ARMS if ARMS[arm].plays_in(name) for one in (arm, ARMS[arm].as_is) if one]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`; an arm and the one that never adapts come from one play."""
    domain, wanted = digits(budget.side), dict.fromkeys(todo)
    for name, seed in dict.fromkeys((key[0], key[-1]) for key in todo):
        is_choice = seed == CHOOSING
        made = tasks_of(domain, name, budget.choosing if is_choice else budget.tasks, seed, budget.sizes[-1])
        words = "--choose" if is_choice else f'--stream "{name}" --seed {seed}'
        for arm in ARMS:
            for each in ARMS[arm].choices:
                key = lambda one, each=each: (name, one, setting(each), seed)
                if not any(key(one) in wanted for one in (arm, ARMS[arm].as_is)):
                    continue
                for one, played in met(arm, each, made, domain, seed, budget.sizes).items():
                    if key(one) in wanted:
                        yield {"stream": name, "arm": one, "setting": setting(each),
                               **found(played, budget.sizes, THRESHOLD), "sizes": list(budget.sizes),
                               **facts(f"mlcourse study stream {words}", seed)}


def line(row: dict) -> str:
    """The row as a line of a table."""
    return (f"{row['stream']:32s} {row['arm']:22s} {row['setting']:22s} seed {row['seed']:3d}  median "
            f"{row['median'] or '–':>4}  passed {row['passed']:.0%}  forgotten {row['forgotten_before']:+.3f} "
            f"{row['forgotten_after']:+.3f}  {row['seconds']:5.1f} s")


def pictures(asked: SimpleNamespace, measured: Sequence[dict]) -> Mapping[str, Picture]:
    """Accuracy over the samples of a task. Raises ValueError where rows are missing."""
    return {"": curves(measured)}


STUDY = Study(
    "stream",
    """Lesson 12: FTML, train on everything, GDumb, random features and learning from scratch in streams of tasks.

    About two minutes of one core for each stream and seed.""",
    ('--stream "half the labels moved"', "--choose --seed 0"), KEY, Budget(), plan, rows, line, prepare=prepare,
    pictures=pictures,
    options=(
        Option("stream", str, f"{'; '.join(STREAMS)}; repeat it for several.  " r"\[default: all]", several=True),
        Option("choose", bool, "Measure the settings first, in the streams for that.")))
