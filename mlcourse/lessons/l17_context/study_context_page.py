"""The tables of `mlcourse study context`, as its page has them."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l17_context import study_context_glyphs as glyphs
from mlcourse.lessons.l17_context import study_context_regression as prompts
from mlcourse.lessons.l17_context import study_context_tables as tables
from mlcourse.lessons.l17_context import study_context_words as words
from mlcourse.lessons.l17_context.study_context_results import (PROTO, REGRESSION, WORDS, Rows, accuracy_by_seed, ahead,
                                                                apart, coins, diverse, errors, less_logistic,
                                                                less_ridge, on_words, seconds, table_loss, to_ridge)
from mlcourse.statistics import t_interval

SHOWN_PAIRS = (0, 1, 2, 3, 5, 7, 10)
NAMES = {prompts.CHECKPOINT: "Transformer, checkpoint", prompts.BY_LIVE: "Transformer, live"}


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    line = lambda cells: f"| {' | '.join(cells)} |"
    return "\n".join([line(head), line(["---"] * len(head)), *map(line, body)])


def short(value: float) -> str:
    """Three digits, or a power of ten for what is larger than a thousand."""
    return f"{value:.0e}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def by_pairs(rows: Rows, situation: str = prompts.PRIOR) -> str:
    """The error of every arm after SHOWN_PAIRS pairs."""
    body = [[NAMES.get(arm, arm), *(short(errors(rows, arm, situation)[k]) for k in SHOWN_PAIRS)]
            for arm in (*prompts.TRAINED, *prompts.FIXED) if (arm, situation) != (prompts.TOLD, prompts.PRIOR)]
    return table([f"error after … pairs, {situation}", *map(str, SHOWN_PAIRS)], body)


def shares(rows: Rows) -> str:
    """The error from d pairs on as a share of ridge's, in every situation."""
    def cell(arm: str, situation: str) -> str:
        found = to_ridge(rows, arm, situation)
        return found.text(3) if found.mean < 10 else short(found.mean)

    return table(["share of ridge's error", *prompts.SITUATIONS, "s of a core"], [
        [NAMES.get(arm, arm), *(cell(arm, situation) for situation in prompts.SITUATIONS),
         f"{seconds(rows, REGRESSION, arm):.0f}"]
        for arm in (*prompts.TRAINED, prompts.TOLD, prompts.STEP)])


def differences(rows: Rows) -> str:
    """The Transformer's error from d pairs on less ridge's."""
    return table(["less ridge", *prompts.SITUATIONS], [
        [NAMES[arm], *(less_ridge(rows, arm, situation).text(3, sign=True) for situation in prompts.SITUATIONS)]
        for arm in (prompts.CHECKPOINT, prompts.BY_LIVE)])


def of_pools(rows: Rows) -> str:
    """What was trained on few tasks, on its own and on new ones."""
    number = lambda size, on, which: diverse(rows, size, on, which).text(2)
    head = ["training tasks", "error on them", "pool's Bayes", "error on new tasks", "ridge", "from pool's Bayes",
            "from ridge"]
    return table(head, [[f"{size:,}", number(size, "pool", "Transformer"), number(size, "pool", "pool"),
                         number(size, "new", "Transformer"), number(size, "new", "ridge"), number(size, "from", "pool"),
                         number(size, "from", "ridge")] for size in prompts.POOLS])


def on_glyphs(rows: Rows) -> str:
    """Accuracy on the test scripts, and points above ProtoNet."""
    body = []
    for arm in glyphs.ARMS:
        cells = [arm]
        for shot in glyphs.SHOTS:
            mean = t_interval(accuracy_by_seed(rows, arm, shot).values())
            cells += [f"{mean.mean:.2f}" if arm == PROTO else mean.text(2),
                      "" if arm == PROTO else apart(rows, arm, PROTO, shot).text(2, sign=True)]
        body.append([*cells, f"{seconds(rows, 'glyphs', arm):.0f}"])
    return table(["arm", "1 shot", "less ProtoNet", "5 shots", "less ProtoNet", "s of a core"], body)


def rates(rows: Rows) -> str:
    """One-shot accuracy on validation scripts at each rate."""
    body = []
    for arm, kind in glyphs.ARMS.items():
        if kind.rates:
            found = {row["rate"]: row["accuracy"][0] for row in rows if (row["arm"], row["split"]) == (arm, "val")}
            body.append([arm, *(f"{found[rate]:.2f} at {rate:g}" for rate in sorted(kind.rates))])
    return table(["arm", "lower rate", "higher rate"], body)


def on_tables(rows: Rows, world: str) -> str:
    """Cross-entropy on new rows of the tables of a world, and less logistic regression's."""
    def cells(arm: str, context: int) -> list[str]:
        less = less_logistic(rows, arm, world, context).text(3, sign=True)
        return [f"{table_loss(rows, arm, world, context):.3f}", "" if arm == tables.BY_LOGISTIC else less]

    body = [[arm, *cells(arm, tables.CONTEXTS[0]), *cells(arm, tables.CONTEXTS[-1])]
            for arm in (*tables.PFNS, *tables.FITTED)]
    head = [f"{n} labelled rows" for n in (tables.CONTEXTS[0], tables.CONTEXTS[-1])]
    return table([f"{world} tables", head[0], "less logistic regression", head[1], "less logistic regression"], body)


def of_coins(rows: Rows) -> str:
    """What is predicted of a coin outside of the prior."""
    lines = {"network": "the network says", "bayes": "Bayes says", "network_wrong": "the network is wrong by",
             "bayes_wrong": "Bayes is wrong by", "posterior": "posterior of the coin 0.6"}
    return table(["flips of a coin of 0.5", *map(str, tables.AFTER)],
                 [[says, *(f"{value:.3f}" for value in coins(rows, "outside", what).values())]
                  for what, says in lines.items()])


def of_words(rows: Rows) -> str:
    """Accuracy on words of the test families, and points above counted letters and pairs."""
    body = []
    for arm in words.ARMS:
        cells = [arm]
        for shot in words.SHOTS:
            cells += [t_interval(on_words(rows, arm, shot).values()).text(1),
                      "" if arm == words.COUNTS else ahead(rows, arm, words.COUNTS, shot).text(1, sign=True)]
        body.append([*cells, f"{seconds(rows, WORDS, arm):.0f}"])
    return table(["arm", "1 shot", "less counts", "5 shots", "less counts", "s of a core"], body)


def rates_on_words(rows: Rows) -> str:
    """The mean accuracy of both shots on validation families at each rate, the lowest first, of arms with several."""
    line = lambda found: ", ".join(f"{found[rate]:.1f} at {rate:g}" for rate in sorted(found))
    return table(["arm", "accuracy at each rate"],
                 [[arm, line(by_rate(rows, arm))] for arm in words.TRAINED if len(words.rates(arm)) > 1])


def by_rate(rows: Rows, arm: str) -> dict[float, float]:
    """{rate: mean accuracy of both shots} on validation families of an arm of part "words"."""
    return {row["rate"]: sum(row["accuracy"]) / len(row["accuracy"]) for row in rows
            if (row["part"], row["arm"], row["split"]) == (WORDS, arm, "val")}
