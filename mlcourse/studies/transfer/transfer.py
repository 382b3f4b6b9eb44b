"""From a labelled source to a target: every way to carry over and to adapt, at a few labels per class, over seeds.

Each seed trains one network on the source; the arms go on from it. The weights of CORAL and DANN are chosen once, by a
network of another seed, where predictions on the target's unlabelled pictures carry the most information; everything
else is fixed. No label of the target enters before the k that an arm is given, and the target's test half is used for
the accuracies alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch

from mlcourse.domains.distances import proxy_a_distance, proxy_a_floor
from mlcourse.domains.names import quoted
from mlcourse.episode.across import pixels
from mlcourse.evaluate import percent_right
from mlcourse.learner import Adapted
from mlcourse.learners import CORAL, DANN
from mlcourse.losses.alignment import information
from mlcourse.nets import call, features, statistics
from mlcourse.rows import facts
from mlcourse.studies.transfer import arms as every
from mlcourse.studies.transfer.arms import WEIGHTS, Arm, Predict, Seed, aligned, in_blocks
from mlcourse.studies.transfer.setting import Setting
from mlcourse.system.machine import in_parallel

KEY = ("source", "target", "arm", "k", "seed")
PILOT = 1000            # the seed of the network that chooses
DRAWS = 3               # of k labelled pictures, averaged within a seed
DRAW_COST = 10          # in outer steps, for the progress bar
CHOICE = "choice of "


def steps(setting: Setting, arms: Sequence[Arm], seeds: Sequence[int], kept: Sequence[dict]) -> int:
    """How much is left to do, about as many as outer steps."""
    mine = of(setting, kept)
    chosen = {row["arm"] for row in mine}
    pilot = sum(len(WEIGHTS[arm.name]) * arm.steps() for arm in arms
                if chooses(setting, arm) and CHOICE + arm.name not in chosen)
    total = pilot + every.SOURCE_STEPS if pilot else 0
    for seed in seeds:
        left = {arm.name: missing(setting, arm, seed, mine) for arm in arms}
        total += sum(arm.steps() + DRAWS * DRAW_COST * sum(k > 0 for k in left[arm.name]) * (arm.labels is not None)
                     for arm in arms if left[arm.name])
        total += every.SOURCE_STEPS if any(arm.source and left[arm.name] for arm in arms) else 0
    return total


def missing(setting: Setting, arm: Arm, seed: int, mine: Sequence[dict]) -> list[int]:
    """The k at which an arm is defined and not yet measured with this seed."""
    there = {row["k"] for row in mine if row["arm"] == arm.name and row["seed"] == seed}
    return [k for k in setting.ks if defined(setting, arm, k) and k not in there]


def of(setting: Setting, kept: Sequence[dict], arms: Sequence[str] | None = None, seeds: Sequence[int] = (),
       ks: Sequence[int] = ()) -> list[dict]:
    """The rows of this source and target, and of these arms, seeds and ks where they are given."""
    mine = [row for row in kept if (row["source"], row["target"]) == (setting.source.name, target_name(setting))]
    if arms is None:
        return mine
    order = {name: i for i, name in enumerate(arms)}
    found = [row for row in mine if row["arm"] in order and row["seed"] in seeds and row["k"] in ks]
    return sorted(found, key=lambda row: (order[row["arm"]], row["k"], row["seed"]))


def target_name(setting: Setting) -> str:
    """The target's own name."""
    return setting.train.name.removesuffix("/train")


def chooses(setting: Setting, arm: Arm) -> bool:
    """Whether an arm has a weight to choose."""
    return arm.name in WEIGHTS and setting.shared


def check(setting: Setting, arms: Sequence[Arm], asked: bool) -> None:
    """Raises ValueError, before anything runs, for an arm that needs several domains where one source cannot be split;
    where the arms were asked for by name, also for one that is nowhere defined."""
    for arm in arms:
        if asked and not any(defined(setting, arm, k) for k in setting.ks):
            why = (f"no class of the source is a class of the target ({_classes(setting)})" if not setting.shared else
                   "it needs labels of the target, so k of 1 or more")
            raise ValueError(f"{arm.name} is not defined here: {why}; leave it out, or change what is missing")
    if setting.shared and any(arm.several for arm in arms):
        try:
            setting.several()
        except ValueError as error:
            wants = ", ".join(f"--arm {arm.name!r}" for arm in arms if not arm.several)
            raise ValueError(f"{error}; or run only the arms that need no second domain: {wants}") from error


def protocol(setting: Setting, arms: Sequence[Arm]) -> str:
    """What is measured, in words."""
    count = lambda domain: f"{len(domain.images):,}"
    text = (f"{setting.source.name} → {target_name(setting)}: {count(setting.source)} labelled source pictures; of the "
            f"target {count(setting.train)} pictures without labels to adapt to, and {count(setting.test)} held out for "
            f"the accuracies.")
    if setting.shared:
        text += f" {len(setting.train.classes)} classes are shared."
    else:
        text += (f" No class of the source is a class of the target ({_classes(setting)}), so nothing is defined "
                 "without labels, nor is any alignment; what remains learns a new head from the k labels per class.")
    text += f" {setting.matching}".rstrip()
    if setting.shared and len(setting.sources) == 1 and any(arm.several for arm in arms):
        text += f" Where a method needs several sources, the one is split into {len(setting.several())} by style."
    return text


def _classes(setting: Setting) -> str:
    """The names of the classes on either side."""
    return f"{quoted(setting.source.classes)}; {quoted(setting.train.classes)}"


def pixel_distance(setting: Setting) -> str:
    """The PAD of the pictures themselves with its interval, and the target's floor, in words."""
    a, b = setting.known(setting.source, 1), setting.known(setting.train, 0)
    pad, floor = proxy_a_distance(a, b), proxy_a_floor(b)
    return f"{pad.value:.2f} [{pad.low:.2f}, {pad.high:.2f}], floor {floor.value:.2f} [{floor.low:.2f}, {floor.high:.2f}]"


def defined(setting: Setting, arm: Arm, k: int) -> bool:
    """Whether an arm has a meaning at k labels per class."""
    return (arm.zero or k > 0) and (setting.shared or (not arm.shared and k > 0))


def rows(setting: Setting, arms: Sequence[Arm], seeds: Sequence[int], kept: Sequence[dict], command: str,
         progress: Callable[[int], None] = lambda steps: None) -> Iterator[list[dict]]:
    """The rows of one arm and seed after another; those in `kept` are not measured again.

    A row has the arm's accuracy (%) on the target's test half at k labels per class, the mean over its draws; at k = 0
    also the PAD between source and target as the arm sees them, with its interval over splits and its floor.
    progress: called with the number of steps that are done.
    Raises ValueError, before anything is measured, where `kept` has rows of the same names on other pictures.
    """
    common = {"source": setting.source.name, "target": target_name(setting), "data": setting.fingerprint()}
    mine = of(setting, kept)
    if any(row["data"] != common["data"] for row in mine):
        raise ValueError(f"the file holds rows of {common['source']} and {common['target']} that were made with other "
                         "pictures or labels under these names; write to another file, or remove it")
    weights = {row["arm"].removeprefix(CHOICE): row["weight"] for row in mine if row["arm"].startswith(CHOICE)}
    tick = lambda record: progress(1)
    pilot = Seed(setting, PILOT, {}, tick)
    for arm in arms:
        if chooses(setting, arm) and arm.name not in weights:
            row = choose(pilot, arm.name)
            weights[arm.name] = row["weight"]
            yield [{**common, **row, **facts(command, PILOT)}]
    for seed in seeds:
        state = Seed(setting, seed, weights, tick)
        for arm in arms:
            if ks := missing(setting, arm, seed, mine):
                yield [{**common, "arm": arm.name, "k": k, **values, "classes": len(setting.train.classes),
                        **facts(command, seed)} for k, values in measure(state, arm, ks, progress)]


def choose(pilot: Seed, name: str) -> dict:
    """The weight of an alignment under which the target's unlabelled training pictures are predicted most informatively
    (`information`, in nats)."""
    kind, scores = {"CORAL": CORAL, "DANN": DANN}[name], {}
    for weight in WEIGHTS[name]:
        pilot.weights[name] = weight
        state = aligned(kind, name)(pilot)
        with torch.no_grad():
            logits = call(pilot.base.net, state.params, pilot.episode.unlabeled_x, state.stats)[0]
        scores[weight] = round(float(information(logits)), 4)
    return {"arm": CHOICE + name, "k": 0, "weight": max(scores, key=scores.get),
            "information": {f"{weight:g}": score for weight, score in scores.items()}}


def measure(s: Seed, arm: Arm, ks: Sequence[int], progress: Callable[[int], None]) -> Iterator[tuple[int, dict]]:
    """(k, values) of one arm and seed at each of ks."""
    state = arm.ready(s)
    if arm.source:
        _ = s.base                  # trained now: the draws share the cores, and none of them may train it
    scores = labelled(s, arm, state, [k for k in ks if k > 0]) if arm.labels is not None else {}
    unchanged = None
    if arm.zero:
        predict = lambda x: call(s.base.net, state.params, x[None], state.stats)[0]
        unchanged = {"accuracy": on_test(s.setting, predict), "draws": 0}
    for k in ks:
        if k == 0:
            yield k, {**unchanged, **distances(s, state)}
        elif arm.labels is None:
            yield k, unchanged
        else:
            yield k, {"accuracy": scores[k], "draws": DRAWS}
            progress(DRAWS * DRAW_COST)


def labelled(s: Seed, arm: Arm, state: Adapted, ks: Sequence[int]) -> dict[int, float]:
    """The accuracy (%) from each k labels per class, averaged over its draws. The cores share the draws of all k, the
    longest first."""

    def one(k_and_draw: tuple[int, int]) -> float:
        k, draw = k_and_draw
        x, y = s.setting.labelled(k, s.seed, draw)
        return on_test(s.setting, arm.labels(s, state, x, y))

    every = [(k, draw) for k in sorted(ks, reverse=True) for draw in range(DRAWS)]
    scores = dict(zip(every, in_parallel(one, every), strict=True))
    return {k: round(sum(scores[k, draw] for draw in range(DRAWS)) / DRAWS, 3) for k in ks}


def on_test(setting: Setting, predict: Predict) -> float:
    """The share (%) of the target's test half that is predicted right."""
    return percent_right(in_blocks(predict, pixels(setting.test.images)), setting.test.labels)


def distances(s: Seed, state: Adapted) -> dict:
    """PAD between the features of source and target, each under the arm's statistics of its own, and its floor."""
    theirs = s.setting.known(s.setting.train, s.seed)
    ours = s.setting.known(s.setting.source, s.seed + 1)
    with torch.no_grad():
        own = statistics(s.base.net, state.params, pixels(ours.images)[None])
        a = features(s.base.net, state.params, pixels(ours.images)[None], own)[0]
        b = features(s.base.net, state.params, pixels(theirs.images)[None], state.stats)[0]
    pad, floor = proxy_a_distance(a, b, s.seed), proxy_a_floor(b, s.seed)
    values = lambda name, p: dict(zip((name, f"{name}_low", f"{name}_high"), (round(v, 4) for v in p), strict=True))
    return {**values("pad", pad), **values("floor", floor)}
