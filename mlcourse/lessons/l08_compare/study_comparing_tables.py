"""The tables of `mlcourse study comparing`, as its page has them."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l08_compare.study_comparing_results import BATCHES, METHODS, STEPS, Rows, apart, mean, values
from mlcourse.lessons.l08_compare.study_comparing_settings import (ANY, CONTRAST, FEWER, FEWEST, GLYPHS, HEADED,
                                                                   MATCHING, OMNIGLOT, PAIRS, PROTO, RELATION,
                                                                   RIDGE, UNIT, WARM)
from mlcourse.statistics import paired_difference, t_interval

CHANGE = {PROTO: "64 queries find their class among 64 prototypes",
          PAIRS: "each of the 128 pictures finds its class among all others", UNIT: "features at unit length, τ = 0.1",
          WARM: "τ = 0.2, which is SupCon's 0.1", HEADED: "the loss behind a projection head",
          CONTRAST: "on a view of every picture"}
PUBLISHED = {PROTO: "98.8", MATCHING: "98.1", RELATION: "99.6 ± 0.2", RIDGE: "–"}       # in the papers' own tables


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    line = lambda cells: f"| {' | '.join(cells)} |"
    return "\n".join([line(head), line(["---"] * len(head)), *map(line, body)])


def glyphs(rows: Rows) -> str:
    """All methods on as many pictures."""
    less = lambda arm, shot: ("" if arm == PROTO else
                              apart(rows, (GLYPHS, arm), (GLYPHS, PROTO), shot).text(1, sign=True))
    return table(["method", "1-shot", "less ProtoNet", "5-shot", "less ProtoNet", "core seconds"],
                 [[arm, mean(rows, GLYPHS, arm).text(), less(arm, 1), mean(rows, GLYPHS, arm, 5).text(), less(arm, 5),
                   seconds(rows, GLYPHS, arm)] for arm in METHODS])


def steps(rows: Rows) -> str:
    """From ProtoNet to SupCon, one change at a time."""
    body = []
    for i, (part, arm) in enumerate(STEPS):
        less = "" if i == 0 else apart(rows, (part, arm), STEPS[i - 1]).text(1, sign=True)
        at_test = [mean(rows, part, arm, field=field).text() for field in ("raw", "unit")]
        body.append([arm, CHANGE[arm], mean(rows, part, arm).text(), less, *at_test])
    return table(["trained as", "what is new", "1-shot", "less the row above", "class means of raw features",
                  "of unit features"], body)


def batches(rows: Rows) -> str:
    """NCA on batches of 128 pictures."""
    words = {PAIRS: "64 classes × 2 pictures", FEWER: "32 × 4", FEWEST: "16 × 8", ANY: "drawn regardless of class"}
    less = lambda which: "" if which == BATCHES[0] else apart(rows, which, BATCHES[0]).text(1, sign=True)
    return table(["NCA on batches of", "1-shot", "less 64 × 2", "5-shot"],
                 [[words[arm], mean(rows, part, arm).text(), less((part, arm)), mean(rows, part, arm, 5).text()]
                  for part, arm in BATCHES])


def shots(rows: Rows) -> str:
    """RelationNet, trained 1-shot, on five shots: the sum of their maps, their mean, and no g at all."""
    words = {"accuracy": "g on the sum of the maps, as in the paper", "averaged": "g on their mean",
             "raw": "the nearest mean, without g"}
    found = {field: values(rows, GLYPHS, RELATION, 5, field) for field in words}
    less = lambda field: ("" if field == "accuracy" else
                          paired_difference(found[field], found["accuracy"]).text(sign=True))
    return table(["RelationNet, 5-shot", "accuracy", "less the sum"],
                 [[words[field], t_interval(found[field].values()).text(), less(field)] for field in words])


def omniglot(rows: Rows) -> str:
    """Five minutes of one core each."""
    steps = {row["arm"]: (row["steps"], row["pictures"]) for row in rows if row["part"] == OMNIGLOT}
    return table(["method", "1-shot", "5-shot", "published 1-shot", "steps", "pictures", "core seconds", "seeds"],
                 [[arm, mean(rows, OMNIGLOT, arm).text(), mean(rows, OMNIGLOT, arm, 5).text(), PUBLISHED[arm],
                   *(f"{count:,}" for count in steps[arm]), seconds(rows, OMNIGLOT, arm),
                   str(len(values(rows, OMNIGLOT, arm)))] for arm in PUBLISHED if arm in steps])


def seconds(rows: Rows, part: str, arm: str) -> str:
    """The mean of the core seconds of training."""
    return f"{mean(rows, part, arm, field='core_seconds').mean:.0f}"
