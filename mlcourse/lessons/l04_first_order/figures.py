"""What lesson 04 shows of the rows of its study."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import RC, SERIES
from mlcourse.statistics import Estimate, paired_difference, t_interval

HOME, AWAY = "glyphs", "digits"
PLACES = {HOME: "new scripts", AWAY: "digits"}
ARMS = ("fine-tuning", "MAML", "FOMAML", "Reptile", "ANIL", "BOIL", "iMAML")
MOVES = ("own", "head", "body", "none")


def by_seed(rows: Sequence[dict], arm: str, domain: str, moves: str = "own") -> dict[int, float]:
    """{seed: accuracy in %} of an arm on test episodes of a domain. Raises ValueError where there is none."""
    which = {"part": "glyphs", "split": "test", "arm": arm, "domain": domain, "moves": moves}
    found = {row["seed"]: row["accuracy"] for row in rows if which.items() <= row.items()}
    if not found:
        raise ValueError(f"there is no row of {arm} on {domain} where {moves} moves")
    return found


def arm_accuracy(rows: Sequence[dict], arm: str, domain: str) -> Estimate:
    """The accuracy of an arm on test episodes of a domain, over seeds, in %."""
    return t_interval(by_seed(rows, arm, domain).values())


def cost(rows: Sequence[dict], arm: str, steps: int, field: str) -> float:
    """Of an outer step with so many inner steps: "times_maml", time by that of MAML with one, or "peak_mb"."""
    which = {"part": "cost", "arm": arm, "steps": steps}
    return next(row[field] for row in rows if which.items() <= row.items())


def arms(rows: Sequence[dict]) -> list[str]:
    """The arms that were judged on test scripts."""
    return [arm for arm in ARMS if any(row["part"] == "glyphs" and row["split"] == "test" and row["arm"] == arm
                                       for row in rows)]


def costed(rows: Sequence[dict]) -> list[str]:
    """The arms whose time and memory were measured."""
    return [arm for arm in ARMS if any(row["part"] == "cost" and row["arm"] == arm for row in rows)]


def table(rows: Sequence[dict]) -> str:
    """Accuracy on new scripts, and time and memory of an outer step with 1 and with 20 inner steps, a line an arm."""
    lines = [f"{'5-way 1-shot, %':16s}{'new scripts':>12s}{'time, 1 and 20 steps':>24s}{'MB':>14s}"]
    for arm in arms(rows):
        own, bill = arm_accuracy(rows, arm, HOME).text(tight=True), ("–", "–")
        if arm in costed(rows):
            bill = (f"{cost(rows, arm, 1, 'times_maml'):.1f} and {cost(rows, arm, 20, 'times_maml'):4.1f}",
                    f"{cost(rows, arm, 1, 'peak_mb'):.1f} and {cost(rows, arm, 20, 'peak_mb'):4.1f}")
        lines.append(f"{arm:16s}{own:>12s}{bill[0]:>24s}{bill[1]:>14s}")
    return "\n".join(lines)


def moves_table(rows: Sequence[dict], arm: str = "MAML") -> str:
    """Accuracy of an arm's networks at home and away, a line for each part that the inner loop may move."""
    lines = [f"{f'{arm}, %: what moves':>38s}   new scripts        digits"]
    for moves, said in (("own", "all layers"), ("head", "the head"), ("body", "the body"), ("none", "nothing (NIL)")):
        found = [t_interval(by_seed(rows, arm, domain, moves).values()).text(tight=True) for domain in PLACES]
        lines.append(f"{said:>38s}{found[0]:>14s}{found[1]:>14s}")
    return "\n".join(lines)


def gap(rows: Sequence[dict], arm: str, moves: str, other: str, domain: str) -> Estimate:
    """Accuracy where the inner loop moves one part less where it moves another, paired over seeds, in points."""
    return paired_difference(*(by_seed(rows, arm, domain, what) for what in (moves, other)))


def share(rows: Sequence[dict], arm: str, domain: str, layer: str) -> Estimate:
    """How far an arm's inner loop moves a layer, |φ - θ| / |θ| in %, over seeds."""
    which = {"part": "glyphs", "split": "test", "arm": arm, "domain": domain, "moves": "own"}
    return t_interval([100 * row["moved"][layer] for row in rows if which.items() <= row.items()])


def what_moved(rows: Sequence[dict], arm: str = "MAML") -> Picture:
    """How far each layer moves at test, on new scripts and on the digits, with 95 % t intervals over seeds."""
    layers = list(next(row["moved"] for row in rows if row["arm"] == arm and "moved" in row))
    found = {domain: [share(rows, arm, domain, layer) for layer in layers] for domain in PLACES}
    most = layers[max(range(len(layers)), key=lambda i: found[HOME][i].mean)]
    title = f"{arm}'s inner loop moves {most.replace('head', 'the head')} most, at home and away"
    if max(range(len(layers)), key=lambda i: found[AWAY][i].mean) != layers.index(most):
        title = f"At home {arm}'s inner loop moves {most.replace('head', 'the head')} most"
    figure, said = blank(7, 2.7), []
    with matplotlib.rc_context(RC):
        axes = figure.subplots()
        axes.grid(True, axis="y")
        for (domain, name), style, shift in zip(PLACES.items(), SERIES, (-0.08, 0.08), strict=False):
            values = found[domain]
            at = [i + shift for i in range(len(layers))]
            axes.errorbar(at, [v.mean for v in values], yerr=[v.half for v in values], fmt=style["marker"],
                          color=style["color"], capsize=3, ms=6, label=name)
            said += [f"{layer} on {name} {v.text(tight=True)}" for layer, v in zip(layers, values, strict=True)]
        axes.set_xticks(range(len(layers)), layers)
        axes.set(ylabel="moved, % of the layer's length", title=title, ylim=(0, None))
        axes.legend(loc="upper left")
    return picture(figure, f"{title}. Moved, in % of its length: {'; '.join(said)}.")
