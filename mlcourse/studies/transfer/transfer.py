"""The measuring of a transfer study: the choice of a weight, an arm's accuracies, and the distance of its features."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from statistics import mean

import torch

from mlcourse.domains.distances import proxy_a_distance, proxy_a_floor
from mlcourse.episode.across import pixels
from mlcourse.evaluate import percent_right
from mlcourse.learner import Adapted
from mlcourse.learners import CORAL, DANN
from mlcourse.losses.alignment import information
from mlcourse.nets import call, features, statistics
from mlcourse.studies.transfer.arms import WEIGHTS, Arm, Predict, aligned, in_blocks, seen_by
from mlcourse.studies.transfer.seed import Seed
from mlcourse.studies.transfer.setting import Setting
from mlcourse.system.processes import side_by_side

CHOICE = "choice of "


def choose(pilot: Seed, names: Sequence[str]) -> Iterator[dict]:
    """For each of these alignments the weight under which the target's unlabelled training pictures are predicted most
    informatively (`information`, in nats). The trainings run side by side."""
    trials = [(name, weight) for name in names for weight in WEIGHTS[name]]
    if trials:
        pilot.base.eval()                   # trained here, once; the processes go on from it
    scores = dict(side_by_side(lambda trial: [(trial, told(pilot, *trial))], trials))
    for name in names:
        by_weight = {weight: scores[name, weight] for weight in WEIGHTS[name]}
        yield {"arm": CHOICE + name, "k": 0, "weight": max(by_weight, key=by_weight.get),
               "information": {f"{weight:g}": score for weight, score in by_weight.items()}}


def told(pilot: Seed, name: str, weight: float) -> float:
    """The information of the predictions after an alignment with this weight."""
    trial = copy.copy(pilot)
    trial.weights = {name: weight}
    state = aligned({"CORAL": CORAL, "DANN": DANN}[name], name)(trial)
    with torch.no_grad():
        logits = call(pilot.base.net, state.params, pilot.episode.unlabeled_x, state.stats)[0]
    return round(float(information(logits)), 4)


def measure(s: Seed, arm: Arm, ks: Sequence[int]) -> Iterator[tuple[int, dict]]:
    """(k, values) of one arm and seed at each of ks."""
    state = arm.ready(s)
    scores = labelled(s, arm, state, [k for k in ks if k > 0]) if arm.labels is not None else {}
    unchanged = None
    if arm.zero:
        unchanged = {"accuracy": on_test(s.setting, arm.predict(s, state)), "draws": 0}
    for k in ks:
        if k == 0:
            yield k, {**unchanged, **arm.also(s), **distances(s, arm, state)}
        elif arm.labels is None:
            yield k, unchanged
        else:
            yield k, {"accuracy": scores[k], "draws": s.budget.draws}


def labelled(s: Seed, arm: Arm, state: Adapted, ks: Sequence[int]) -> dict[int, float]:
    """The accuracy (%) from each k labels per class, averaged over its draws."""
    scores = {}
    for k in ks:
        drawn = (s.setting.labelled(k, s.seed, draw) for draw in range(s.budget.draws))
        scores[k] = round(mean(on_test(s.setting, arm.labels(s, state, x, y)) for x, y in drawn), 3)
    return scores


def on_test(setting: Setting, predict: Predict) -> float:
    """The share (%) of the target's test half that is predicted right."""
    return percent_right(in_blocks(predict, pixels(setting.test.images)), setting.test.labels)


def distances(s: Seed, arm: Arm, state: Adapted) -> dict:
    """PAD between the features of source and target, each under the arm's statistics of its own, and its floor; nothing
    where there are too few pictures for it."""
    if not s.setting.measurable:
        return {}
    theirs = s.setting.known(s.setting.train, s.seed)
    ours = s.setting.known(s.setting.source, s.seed + 1)
    net = arm.net(s)
    ours, theirs = (seen_by(net, pixels(domain.images))[None] for domain in (ours, theirs))
    with torch.no_grad():
        a = features(net, state.params, ours, statistics(net, state.params, ours))[0]
        b = features(net, state.params, theirs, state.stats)[0]
    pad, floor = proxy_a_distance(a, b, s.seed), proxy_a_floor(b, s.seed)
    values = lambda name, p: dict(zip((name, f"{name}_low", f"{name}_high"), (round(v, 4) for v in p), strict=True))
    return {**values("pad", pad), **values("floor", floor)}
