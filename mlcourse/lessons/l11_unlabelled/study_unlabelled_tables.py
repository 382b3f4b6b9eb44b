"""The tables of `mlcourse study unlabelled`, as its page has them."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l11_unlabelled.study_unlabelled_arms import (ARMS, BALANCES, CLUSTER, GLYPHS, MASKED, OMNIGLOT,
                                                                   PROTO, RATES, SOFT, SOFT_AT_TEST)
from mlcourse.lessons.l11_unlabelled.study_unlabelled_results import Rows, apart, largest, mean
from mlcourse.statistics import t_interval

# Ren et al., Table 1 of the submitted version: errors (%) without and with distractors
PUBLISHED = {PROTO: ("5.16", "5.16"), SOFT_AT_TEST: ("2.35", "4.70"), SOFT: ("2.56", "4.59"),
             CLUSTER: ("2.18", "2.71"), MASKED: ("2.46", "2.62")}


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    line = lambda cells: f"| {' | '.join(cells)} |"
    return "\n".join([line(head), line(["---"] * len(head)), *map(line, body)])


def even(rows: Rows, part: str = GLYPHS) -> str:
    """All arms on even pools, without and with distractors, and less ProtoNet."""
    body = []
    for arm in (name for name, each in ARMS.items() if part in each.parts):
        cells = [arm]
        for count in (0, 5):
            less = apart(rows, (arm, count, "even"), (PROTO, count, "even"), part).text(sign=True)
            cells += [mean(rows, arm, count, part=part).text(), "" if arm == PROTO else less]
        body.append(cells)
    return table(["arm", "no distractors", "less ProtoNet", "5 distractor classes", "less ProtoNet"], body)


def balances(rows: Rows, distractors: int) -> str:
    """How many points each arm is above ProtoNet at each balance of the pool."""
    less = lambda arm, a: apart(rows, (arm, distractors, a), (PROTO, distractors, a)).text(sign=True)
    return table(["less ProtoNet", *(name if name == "even" else f"a = {name}" for name in BALANCES)],
                 [[arm, *(less(arm, balance) for balance in BALANCES)] for arm in ARMS if arm != PROTO])


def shares(rows: Rows) -> str:
    """The mean share of the commonest class at each balance."""
    return ", ".join(f"{value:.0f} % ({name if name == 'even' else f'a = {name}'})"
                     for name, value in largest(rows).items())


def weights(rows: Rows) -> str:
    """What a drawing of the even pool weighs in the prototypes of all classes together."""
    def weight(arm: str, count: int, field: str) -> str:
        return t_interval(row[field] for row in rows if (row["part"], row["arm"], row["distractors"], row["split"]) == (
            GLYPHS, arm, count, "test")).text(2)

    columns = ((0, "weight_own"), (5, "weight_own"), (5, "weight_distractors"))
    body = [[arm, *(weight(arm, *column) for column in columns)] for arm in (SOFT, CLUSTER, MASKED)]
    return table(["arm", "own classes, no distractors", "own classes, beside distractors", "distractors"], body)


def errors(rows: Rows) -> str:
    """Errors on Omniglot beside the published ones."""
    wrong = lambda arm, count: f"{100 - (e := mean(rows, arm, count, part=OMNIGLOT)).mean:.2f} ± {e.half:.2f}"
    return table(["error (%)", "no distractors", "published", "5 distractor classes", "published"],
                 [[arm, wrong(arm, 0), one, wrong(arm, 5), other] for arm, (one, other) in PUBLISHED.items()])


def rates(rows: Rows) -> str:
    """The accuracy on validation classes at each rate, even pools."""
    found = lambda arm, count, rate: next(
        row["accuracy"][0] for row in rows
        if (row["arm"], row["distractors"], row["rate"], row["split"]) == (arm, count, rate, "val"))
    arms = [(name, count) for name, arm in ARMS.items() if arm.is_candidate for count in (0, 5)]
    body = []
    for rate in sorted(RATES):
        values = [found(*arm, rate) for arm in arms]
        body.append([f"{rate:g}", *(f"{value:.1f}" for value in values), f"{sum(values) / len(values):.2f}"])
    return table(["rate", *(f"{arm}, {count}" for arm, count in arms), "mean"], body)
