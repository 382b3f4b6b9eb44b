"""The tables of `mlcourse study making`, as its page has them."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l10_data.study_making_arms import (ALONE, BODIES, BOUND, FEATURES, MADE, PIXELS, QUERY, RULE,
                                                         SAMPLES, SEEN, SET, SUPPORT, TRAINING, VIEWS)
from mlcourse.lessons.l10_data.study_making_results import (Rows, found, gain, mean, own_gain, sample, setting,
                                                            trained, trained_gain)
from mlcourse.statistics import t_interval

SHOTS = (1, 5)


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    line = lambda cells: f"| {' | '.join(cells)} |"
    return "\n".join([line(head), line(["---"] * len(head)), *map(line, body)])


def supports(rows: Rows, classifier: str) -> str:
    """Made pictures in the support set of one classifier."""
    body = []
    for arm in (ALONE, *MADE):
        cells = [arm]
        for shot in SHOTS:
            over = lambda base, shot=shot: gain(rows, arm, base, classifier, shot).text(1, sign=True)
            cells += [mean(rows, arm, classifier, shot).text(), "" if arm == ALONE else over(ALONE),
                      "" if arm in (ALONE, VIEWS) else over(VIEWS),
                      setting(rows, arm, classifier, shot)]
        body.append(cells)
    head = [name for shot in SHOTS
            for name in (f"{shot}-shot", "less supports alone", "less as many views", "made × copies")]
    return table(["support set", *head], body)


def features(rows: Rows) -> str:
    """On the features of a trained body."""
    return supports(rows, FEATURES)


def pixels(rows: Rows) -> str:
    """On pixels."""
    return supports(rows, PIXELS)


def rule(rows: Rows) -> str:
    """The set VAE as a classifier."""
    others = ((PIXELS, ALONE), (PIXELS, SET), (PIXELS, QUERY), (FEATURES, ALONE))
    less = lambda rule, classifier, arm, shot: own_gain(rows, rule, arm, classifier, shot).text(1, sign=True)
    body = [[rule, f"{shot}-shot", mean(rows, rule, "own", shot).text(),
             *(less(rule, *other, shot) for other in others)] for rule in (RULE, BOUND) for shot in SHOTS]
    return table(["classified by", "", "accuracy", *(f"less {arm}, {classifier}" for classifier, arm in others)], body)


def bodies(rows: Rows) -> str:
    """Trainings of the body."""
    body = []
    for arm in BODIES:
        own = [] if arm == ALONE else found(rows, TRAINING, arm, FEATURES, 1)
        cells = ["as it is" if arm == ALONE else arm, f"{own[0]['setting']:g}" if own else ""]
        for shot in SHOTS:
            less = lambda over, shot=shot: trained_gain(rows, arm, over, shot).text(1, sign=True)
            cells += [t_interval(trained(rows, arm, shot).values()).text(), "" if arm == ALONE else less(ALONE),
                      "" if arm in (ALONE, SEEN) else less(SEEN)]
        body.append([*cells, f"{t_interval([row['train_seconds'] for row in own]).mean:.0f}" if own else ""])
    head = [name for shot in SHOTS for name in (f"{shot}-shot", "less as it is", "less with views")]
    return table(["training of the body", "setting", *head, "core seconds"], body)


def samples(rows: Rows, shot: int) -> str:
    """What made pictures are, at one number of supports."""
    cell = lambda arm, field, digits: sample(rows, arm, field, shot).text(digits)
    body = [[arm, *(cell(arm, f"recognised{end}", 1) for end in ("", "_sharp")), cell(arm, "recognised_all", 1),
             *(cell(arm, f"near{end}", 2) for end in ("", "_sharp")), cell(arm, "apart", 2),
             cell(arm, "to_trained", 2), cell(arm, "to_held_out", 2)] for arm in MADE]
    real = [cell(SET, f"{field}_real", digits) for field, digits in
            (("recognised", 1), ("recognised_all", 1), ("near", 2), ("apart", 2))]
    body.append(["real drawings", real[0], "", real[1], real[2], "", real[3], "", ""])
    return table(["made", "recognised of 5", "black and white", "recognised of all", "to the nearest support",
                  "black and white", "apart", "to trained drawings", "to held-out drawings"], body)


def samples_of_one(rows: Rows) -> str:
    """Made from one drawing."""
    return samples(rows, 1)


def samples_of_five(rows: Rows) -> str:
    """Made from five drawings."""
    return samples(rows, 5)


def bounds(rows: Rows) -> str:
    """The bound of the set VAE after each training, and the dimensions of z."""
    cell = lambda arm, field, digits=1: sample(rows, arm, field, 5).text(digits)
    over = lambda arm, least: t_interval([sum(each > least for each in row["kl_z"])
                                          for row in found(rows, SAMPLES, arm, FEATURES, 5)]).text(1)
    seconds = lambda arm: t_interval([row["train_seconds"] for row in found(rows, SUPPORT, arm, FEATURES, 1)]).mean
    return table(["trained by", "bound", "log p(x given z, c)", "KL of c, a set", "dimensions of z above 0.01 nats",
                  "above 0.1", "core seconds"],
                 [[arm, cell(arm, "bound"), cell(arm, "likelihood"), cell(arm, "kl_c"), over(arm, 0.01), over(arm, 0.1),
                   f"{seconds(arm):.0f}"] for arm in (SET, QUERY)])

