"""Colours, fonts and small helpers that every figure of the course shares."""

from __future__ import annotations

import numpy as np

# Okabe and Ito's palette: distinct to readers with any common colour vision deficiency
BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, YELLOW, BLACK, GREY = "#56B4E9", "#CC79A7", "#F0E442", "#1A1A1A", "#8A8A8A"

# Roles. Each comes with a marker and a line style of its own, so that no reading depends on colour.
SUPPORT = dict(color=BLUE, marker="o")
QUERY = dict(color=VERMILION, marker="s")
TASKS = (dict(color=PURPLE, marker="^"), dict(color=GREEN, marker="D"), dict(color=ORANGE, marker="v"))
SERIES = tuple(dict(color=color, marker=marker, linestyle=line) for color, marker, line in (
    (BLUE, "o", "-"), (VERMILION, "s", "--"), (GREEN, "D", "-."), (PURPLE, "^", ":"), (ORANGE, "v", "-"),
    (SKY, "P", "--"), (BLACK, "X", "-.")))

RC = {
    "font.size": 9.5, "axes.titlesize": 10.5, "axes.titlelocation": "left", "axes.titlepad": 5.0,
    "axes.labelsize": 9.5, "xtick.labelsize": 8.5, "ytick.labelsize": 8.5, "legend.fontsize": 8.5,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#555555", "axes.linewidth": 0.8,
    "xtick.color": "#333333", "ytick.color": "#333333", "axes.labelcolor": "#222222", "text.color": BLACK,
    "axes.axisbelow": True, "grid.color": "#E4E4E4", "grid.linewidth": 0.7, "legend.frameon": False,
    "lines.linewidth": 1.8, "lines.markersize": 5.0,
}


def short(value: float) -> str:
    """A loss or rate as people say it: 3.1, 0.04, 2·10⁶, or "infinite" for what no longer is a number."""
    if not np.isfinite(value):
        return "infinite"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e4 or size < 1e-3:
        mantissa, exponent = f"{value:.0e}".split("e")
        power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"10{power}" if mantissa == "1" else f"{mantissa}·10{power}"
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def about(value: float) -> str:
    """A number that was trained or measured in this very run, with the sign ≈ before it: ≈3.1, ≈2e6, or "infinite".

    Such numbers differ between processors, and the tests of a lesson compare what follows ≈ with a tolerance.
    """
    if np.isfinite(value) and value != 0 and not 1e-3 <= abs(value) < 1e4:
        mantissa, exponent = f"{value:.0e}".split("e")
        return f"≈{mantissa}e{int(exponent)}"
    return f"≈{short(value)}" if np.isfinite(value) else short(value)


def plural(count: int, noun: str) -> str:
    """1 step, 2 steps."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def look(color: str, marker: str, linestyle: str) -> dict[str, str]:
    """How one of several lines is drawn, of `errorbar` and `plot`."""
    return {"color": color, "marker": marker, "linestyle": linestyle}
