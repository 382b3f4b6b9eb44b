"""The tables of `benchmarks/protocol.md`, from the rows of the study."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l06_images.arms import LEARNED, PIXELS, PROTOTYPES, SECOND, WIDE
from mlcourse.lessons.l06_images.leaks import BY_SCRIPT, LEAKS
from mlcourse.lessons.l06_images.results import by_seed, company, leak, mean, rival
from mlcourse.lessons.l06_images.settings import (BEST, CHOSEN, COMPANIONS, JUDGED_ON, LABELS, RIVALS, SELECTION,
                                                  SHARES, SIMULATED, SIMULATED_ON, TIMED, TURNED, WAYS, name_of)
from mlcourse.lessons.l06_images.turns import NONE, TURNS
from mlcourse.statistics import paired_difference, t_interval


def tables(rows: Sequence[dict]) -> str:
    """All tables, in Markdown: means over seeds with 95 % t intervals; paired where a column says "less"."""
    made = (norms, splits, labels, rivals, simulation, selection, ways, times, turns)
    return "\n\n".join(markdown(each(rows)) for each in made)


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells, the first of them the head."""
    head, *body = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([head, "|---" * len(lines[0]) + "|", *body])


def norms(rows: Sequence[dict]) -> list[list[str]]:
    """Every norm in every company."""
    lines = [["method", "norm", "setting", "steps at test", "all 75", "alone", "15 mixed", "15 of one class",
              "alone less all", "one class less mixed"]]
    for (arm, norm), (setting, steps) in CHOSEN.items():
        companies, pairs = ("all", "alone", "mixed", "one class"), (("alone", "all"), ("one class", "mixed"))
        some = norm != "batch"
        found = [mean(rows, COMPANIONS, arm, each, norm=norm).text() for each in companies[:2 if some else 4]]
        gaps = [company(rows, arm, norm, *pair).text(sign=True) for pair in pairs[:1 if some else 2]]
        found, gaps = found + ["as alone"] * 2 * some, gaps + ["–"] * some
        lines.append([arm, norm, name_of(setting), str(steps) if arm == SECOND else "–", *found, *gaps])
    return lines


def splits(rows: Sequence[dict]) -> list[list[str]]:
    """What each split reports."""
    return [["split", "score", f"less {BY_SCRIPT}"]] + [
        [each, mean(rows, "splits", PROTOTYPES, "accuracy", setting=each).text(),
         "" if each == BY_SCRIPT else leak(rows, each).text(sign=True)] for each in LEAKS]


def labels(rows: Sequence[dict]) -> list[list[str]]:
    """MAML with fixed and with shuffled labels."""
    fields = ("known", "no_step", "poisoned", "reshuffled", "new")
    lines = [["episodes shuffled", "known classes, labels as trained", "without a step", "support labels wrong",
              "known classes, labels shuffled", "new scripts", "new less all shuffled", "loss, known", "loss, new"]]
    for share in SHARES:
        which = {"setting": f"{share:g} shuffled"}
        new, best = (by_seed(rows, LABELS, SECOND, "new", setting=f"{each:g} shuffled") for each in (share, 1.0))
        lines.append([f"{100 * share:g} %", *(mean(rows, LABELS, SECOND, each, **which).text() for each in fields),
                      "" if share == 1 else paired_difference(new, best).text(sign=True),
                      *(mean(rows, LABELS, SECOND, f"{each}_loss", **which).text(2) for each in ("known", "new"))])
    return lines


def rivals(rows: Sequence[dict]) -> list[list[str]]:
    """Every arm with its own settings."""
    lines = [["arm", "norm", "setting", "new scripts", "less MAML", "less ProtoNet", "pictures", "core seconds"]]
    for arm, (norm, setting, steps) in BEST.items():
        seen = next(row["pictures"] for row in rows if row["part"] == RIVALS and row["arm"] == arm and
                    row["split"] == "test")
        seconds = by_seed(rows, RIVALS, arm, "core_seconds").values()
        gaps = ["" if arm == other else rival(rows, arm, other).text(sign=True) for other in LEARNED]
        said = name_of(setting) + (f", {steps} at test" if arm == SECOND else "")
        lines.append([arm, "–" if arm == PIXELS else norm, said or "–", mean(rows, RIVALS, arm, "accuracy").text(),
                      *gaps, f"{seen:,}", f"{t_interval(seconds).mean:.0f}"])
    return lines


def simulation(rows: Sequence[dict]) -> list[list[str]]:
    """The best of twenty simulated checkpoints of equal skill."""
    lines = [["episodes to choose on", "best less skill, simulated", "by the formula"]]
    for count in SIMULATED_ON:
        mine = [row for row in rows if row["arm"] == SIMULATED and row["setting"] == f"{count} episodes"]
        lines.append([str(count), t_interval([row["optimism"] for row in mine]).text(2), f"{mine[0]['expected']:.2f}"])
    return lines


def selection(rows: Sequence[dict]) -> list[list[str]]:
    """Checkpoints of one training, chosen on test and on validation episodes."""
    lines = [["episodes to choose on", "reported: best on test", "the same, fresh episodes", "optimism",
              "by the formula", "by validation, fresh", "by test less by validation"]]
    for count in JUDGED_ON:
        field = {name: by_seed(rows, SELECTION, PROTOTYPES, name, setting=f"{count} episodes")
                 for name in ("reported", "fresh", "expected", "by_validation", "test_all", "all")}
        above = [{seed: field[best][seed] - field[every][seed] for seed in field[best]}
                 for best, every in (("reported", "test_all"), ("fresh", "all"))]
        lines.append([str(count), *(t_interval(field[name].values()).text() for name in ("reported", "fresh")),
                      paired_difference(*above).text(sign=True), t_interval(field["expected"].values()).text(),
                      t_interval(field["by_validation"].values()).text(),
                      paired_difference(field["fresh"], field["by_validation"]).text(sign=True)])
    return lines


def ways(rows: Sequence[dict]) -> list[list[str]]:
    """ProtoNet trained and tested on 5 and on 20 ways."""
    lines = [["ProtoNet, 1-shot", "tested 5-way", "tested 20-way"]]
    for arm, said in ((PROTOTYPES, "trained 5-way"), (WIDE, "trained 20-way")):
        lines.append([said, *(mean(rows, WAYS, arm, "accuracy", setting=f"{way}-way").text() for way in (5, 20))])
    return lines


def times(rows: Sequence[dict]) -> list[list[str]]:
    """The time of an outer gradient."""
    lines = [["gradient of an outer step, four episodes", "5-way, ms", "20-way, ms", "20-way, × 5-way"]]
    for arm, steps in TIMED:
        mine = {row["setting"]: row for row in rows if row["part"] == WAYS and "ms" in row and
                (row["arm"], row["steps"]) == (arm, steps)}
        said = f"{arm}, {steps} inner step{'s' * (steps > 1)}" if steps else arm
        lines.append([said, *(f"{mine[way]['ms']:.1f}" for way in ("5-way", "20-way")),
                      f"{mine['20-way']['times_5_way']:.2f}"])
    return lines


def turns(rows: Sequence[dict]) -> list[list[str]]:
    """ProtoNet on test classes that are turned."""
    found = {turn: by_seed(rows, TURNED, PROTOTYPES, "accuracy", setting=turn) for turn in TURNS}
    less = lambda values: paired_difference(values, found[NONE]).text(sign=True)
    return [["turns of the test classes", "score", "less none"]] + [
        [turn, t_interval(values.values()).text(), "" if turn == NONE else less(values)]
        for turn, values in found.items()]
