"""Making data: does a generator help a classifier that sees one drawing of a class, or five?

Part "support": pictures join the support set of a ridge regression, on features or on pixels: hand-made views, samples
of a set VAE, trained by its bound or further by the loss of queries, DAGAN's drawings; and the set VAE as a classifier.
Part "training": the body of features is trained with hand-made views, manifold mixup or MetaGAN, and judged on supports
alone. Part "samples": what the made pictures are. Views are those of strength 0.5 there, and the query loss is that of
the classifier of features.

Everything is trained on the same drawings of training classes, and the test episodes are the same for all arms and
seeds. Rows keep means, so an interval over seeds speaks of other trainings and draws, not of other episodes. Settings
are those with the best rows of split "val", whose training seed CHOOSING is not reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace

from mlcourse.lessons.l10_data.study_making_arms import (ALONE, BODIES, BOUND, FAKE, FEATURES, MADE, MIXUP, PIXELS,
                                                         QUERY, RULE, SAMPLES, SEEN, SET, STRENGTHS, SUPPORT,
                                                         TRAINING, VIEWS, Budget, body, by_bound, by_queries,
                                                         maker, statistician, views)
from mlcourse.lessons.l10_data.study_making_judged import accuracy_alone, bound_of, quality, with_made
from mlcourse.lessons.l10_data.study_making_picture import making
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Option, Study

KEY = ("data", "part", "arm", "setting", "classifier", "shot", "split", "seed")
OMNIGLOT, SHOTS = "omniglot", (1, 5)
CHOOSING = 100
# of a body's training, see `body`; the first was chosen on validation classes
SETTINGS = {SEEN: (0.5, 0.25, 1.0), MIXUP: (0.5, 2.0), FAKE: (0.1, 1.0)}


def prepare(seeds: Sequence[int], data: str | None) -> SimpleNamespace:
    """Raises ValueError for the seed that chooses, or pictures that are neither glyphs nor omniglot."""
    if CHOOSING in seeds:
        raise ValueError(f"seed {CHOOSING} is the one that settings are chosen with; take another")
    data = data or OMNIGLOT
    if data not in ("glyphs", OMNIGLOT):
        raise ValueError(f"data must be glyphs or omniglot, got {data!r}")
    return SimpleNamespace(seeds=seeds, data=data)


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """The rows that choose, then every arm with every seed."""
    keys = []
    for split, seeds in (("val", (CHOOSING,)), ("test", asked.seeds)):
        for seed in seeds:
            own = [(TRAINING, arm, setting, FEATURES, shot) for arm in BODIES[1:]
                   for setting in (SETTINGS[arm] if split == "val" else SETTINGS[arm][:1]) for shot in SHOTS]
            own += [(SUPPORT, arm, 0.0, classifier, shot) for arm in (ALONE, *MADE) for shot in SHOTS
                    for classifier in (FEATURES, PIXELS)]
            own += [(SUPPORT, arm, 0.0, "own", shot) for arm in (RULE, BOUND) for shot in SHOTS]
            own += [(SAMPLES, arm, 0.0, FEATURES, shot) for arm in MADE if split == "test" for shot in SHOTS]
            keys += [(asked.data, *each, split, seed) for each in own]
    return keys


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`."""
    for key in todo:
        data, part, arm, setting, classifier, shot, split, seed = key
        measure = {SUPPORT: _support, TRAINING: _training, SAMPLES: _samples}[part]
        words = ("" if data == OMNIGLOT else f"--data {data} ") + f"--seed {0 if split == 'val' else seed}"
        yield {**dict(zip(KEY, key, strict=True)), **measure(key, budget), "episodes": budget.episodes,
               **facts(f"mlcourse study making {words}", seed)}


def _support(key: Key, budget: Budget) -> dict:
    data, _, arm, _, classifier, shot, split, seed = key
    if arm in (RULE, BOUND):
        learner, seconds = statistician(data, arm, seed, budget)
        return {"accuracy": accuracy_alone(data, learner, shot, split, budget), "train_seconds": seconds}
    if arm == VIEWS:
        each = {strength: with_made(data, views(strength), classifier, shot, split, seed, budget)
                for strength in STRENGTHS}
        return {"accuracy": {f"{name} at {strength}": value for strength, found in each.items()
                             for name, value in found.items()}, "train_seconds": 0.0}
    made, seconds = (None, 0.0) if arm == ALONE else maker(data, arm, classifier, seed, budget)
    return {"accuracy": with_made(data, made, classifier, shot, split, seed, budget), "train_seconds": seconds}


def _training(key: Key, budget: Budget) -> dict:
    data, _, arm, setting, _, shot, split, seed = key
    learner, seconds = body(data, arm, seed, budget, setting)
    return {"accuracy": accuracy_alone(data, learner, shot, split, budget), "train_seconds": seconds}


def _samples(key: Key, budget: Budget) -> dict:
    data, _, arm, _, classifier, shot, _, seed = key
    made, _ = maker(data, arm, classifier, seed, budget)
    row = quality(data, made, shot, seed, arm in (SET, QUERY))
    if arm == SET:
        row |= bound_of(data, by_bound(data, seed, budget)[0])
    if arm == QUERY:
        row |= bound_of(data, by_queries(data, classifier, seed, budget)[0].statistician)
    return row


def line(row: dict) -> str:
    """The row as a line of a table."""
    head = f"{row['part']:8s} {row['arm']:19s} {row['setting']:4g} {row['classifier']:8s} {row['shot']}-shot " \
           f"{row['split']:4s} seed {row['seed']:3d}  "
    if row["part"] == SAMPLES:
        return head + (f"recognised {row['recognised']:5.1f} %, real {row['recognised_real']:5.1f}   nearest support "
                       f"{row['near_sharp']:.2f}, real {row['near_real']:.2f}")
    if isinstance(row["accuracy"], dict):
        return head + "  ".join(f"{name} {value:.1f}" for name, value in row["accuracy"].items())
    return head + f"{row['accuracy']:.1f} %"


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """All gains. Raises ValueError where rows are missing."""
    return {"": making([row for row in found if row["data"] == asked.data])}


STUDY = Study(
    "making",
    """Lesson 10: does a generator help a classifier that sees one or five drawings of a class?

    Hand-made views, a set VAE, DAGAN, MetaGAN and manifold mixup on held-out alphabets or scripts. About six minutes of
    one core for each seed.""",
    ("", "--data glyphs --seed 0"), KEY, Budget(), plan, rows, line, prepare=prepare,
    pictures=pictures, options=(
        Option("data", str, r"glyphs or omniglot.  \[default: omniglot]"),))
