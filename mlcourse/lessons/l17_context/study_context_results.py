"""What the rows of `mlcourse study context` say."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.statistics import Estimate, paired_difference, t_interval

Rows = Sequence[dict]
REGRESSION, DIVERSITY, LINEAR, GLYPHS, TABLES, COIN = "regression", "diversity", "linear", "glyphs", "tables", "coin"
WORDS = "words"
PARTS = (REGRESSION, DIVERSITY, LINEAR, GLYPHS, TABLES, COIN, WORDS)
LAYER, NETWORK, PROTO = "linear attention", "network", "ProtoNet"       # the arms of "linear" and "coin"; of "glyphs"


def of(rows: Rows, part: str, arm: str) -> list[dict]:
    """The rows of an arm on what is reported, by seed. Raises ValueError where there is none."""
    if found := [row for row in rows if (row["part"], row["arm"], row["split"]) == (part, arm, "test")]:
        return sorted(found, key=lambda row: row["seed"])
    raise ValueError(f"there is no row of {arm!r} in part {part!r}; mlcourse study context --part {part} measures it")


def errors(rows: Rows, arm: str, situation: str = "prior") -> list[float]:
    """The error after 0, 1, … pairs of an arm of part "regression" in a situation, averaged over seeds."""
    found = [row["errors"][row["situations"].index(situation)] for row in of(rows, REGRESSION, arm)]
    return [sum(each) / len(found) for each in zip(*found, strict=True)]


def late(rows: Rows, arm: str, situation: str = "prior", dims: int = 5) -> float:
    """The mean of `errors` from d pairs on."""
    found = errors(rows, arm, situation)[dims:]
    return sum(found) / len(found)


def to_ridge(rows: Rows, arm: str, situation: str = "prior") -> Estimate:
    """The error from d pairs on as a share of ridge's: over seeds where there are several, else over prompts."""
    return _estimate(rows, arm, situation, "to_ridge")


def less_ridge(rows: Rows, arm: str, situation: str = "prior") -> Estimate:
    """The same, less ridge's error."""
    return _estimate(rows, arm, situation, "less_ridge")


def _estimate(rows: Rows, arm: str, situation: str, field: str) -> Estimate:
    found = [row[field][row["situations"].index(situation)] for row in of(rows, REGRESSION, arm)]
    return t_interval([mean for mean, _ in found]) if len(found) > 1 else Estimate(*found[0], 4000, "prompts")


def accuracy_by_seed(rows: Rows, arm: str, shot: int = 1) -> dict[int, float]:
    """{seed: accuracy (%)} of an arm of part "glyphs"; of ProtoNet, which is not trained further, the same for every
    seed of the others."""
    found = {row["seed"]: row["accuracy"][row["shots"].index(shot)] for row in of(rows, GLYPHS, arm)}
    if arm != PROTO:
        return found
    seeds = {row["seed"] for row in rows if (row["part"], row["split"]) == (GLYPHS, "test")}
    return dict.fromkeys(sorted(seeds), found[0])


def apart(rows: Rows, one: str, other: str, shot: int = 1) -> Estimate:
    """How many points `one` is above `other` on the glyphs, paired over seeds on the same test episodes."""
    return paired_difference(accuracy_by_seed(rows, one, shot), accuracy_by_seed(rows, other, shot))


def on_words(rows: Rows, arm: str, shot: int = 1, field: str = "accuracy") -> dict[int, float]:
    """{seed: accuracy (%)} of an arm of part "words"; field "longer": with more padding behind the words."""
    return {row["seed"]: row[field][row["shots"].index(shot)] for row in of(rows, WORDS, arm)}


def ahead(rows: Rows, one: str, other: str, shot: int = 1) -> Estimate:
    """How many points `one` is above `other` on words, paired over seeds: each has test episodes of its own, the same
    for all arms."""
    return paired_difference(on_words(rows, one, shot), on_words(rows, other, shot))


def seconds(rows: Rows, part: str, arm: str) -> float:
    """The mean seconds of one core that training took."""
    found = [row["core_seconds"] for row in of(rows, part, arm)]
    return sum(found) / len(found)


def share_of_least(rows: Rows) -> Estimate:
    """The error of the trained layer of linear attention as a share of the closed form, over seeds."""
    return t_interval(row["to_best"][0] for row in of(rows, LINEAR, LAYER))


def table_loss(rows: Rows, arm: str, world: str, context: int) -> float:
    """Cross-entropy (nats) of an arm of part "tables" on new rows of tables with so many labels."""
    return _of_tables(rows, arm, world, context, "loss")


def less_logistic(rows: Rows, arm: str, world: str, context: int) -> Estimate:
    """The same less that of logistic regression on the same tables."""
    return Estimate(*_of_tables(rows, arm, world, context, "less_logistic"), 600, "tables")


def _of_tables(rows: Rows, arm: str, world: str, context: int, field: str):
    row, = of(rows, TABLES, arm)
    return row[field][row["worlds"].index(world)][row["contexts"].index(context)]


def diverse(rows: Rows, size: int, on: str, which: str) -> Estimate:
    """A number of part "diversity" with a pool of `size` tasks, over seeds. on: "new" or "pool", errors on such tasks,
    or "from", how far the Transformer's predictions on new tasks are from others'; which: "Transformer", "ridge",
    "pool"."""
    return t_interval(row[on][which] for row in of(rows, DIVERSITY, str(size)))


def coins(rows: Rows, where: str, what: str) -> dict[int, float]:
    """{flips: mean} of part "coin", "inside" or "outside" of the prior, averaged over seeds; what: "network" or
    "bayes", the probability of a 1, "network_wrong", "bayes_wrong", how far it is from the truth, "apart", how far the
    two are from each other, or "posterior", of the larger coin."""
    found = of(rows, COIN, NETWORK)
    return {flips: sum(row[where][what][i] for row in found) / len(found)
            for i, flips in enumerate(found[0]["after"])}
