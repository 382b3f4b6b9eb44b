"""Exercises of lesson 01 on the remedy: importance weights, and what paired intervals bear out."""

from __future__ import annotations

import re

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l01_domains.checks_remedy import (BARE_SHARE, CLAIMS, NO_SIZES, SCALED, SWAPPED_SIZES,
                                                        TURNED_RATIO, check_verdicts, check_weights)


def mutated(solution: str, key: str, wrong: str) -> tuple[str, str]:
    """The line of a dict that answers `key`, and the same with a wrong answer: a mutation of an `Exercise`."""
    line = next(line for line in solution.split("\n") if line.startswith(f'    "{key}": '))
    return line, re.sub(r': "[^"]*"', f': "{wrong}"', line, count=1)


# ---------------------------------------------------------------- 01.5

WEIGHTS = '''\
def importance_weights(p_away, n_home, n_away):
    """How much a home sample should count: P_away(x) / P_home(x) at each sample.

    p_away (n,): a discriminator's P(away | x) for n home samples, above 0 and below 1
    n_home, n_away: how many home and away samples it was trained on
    Returns a tensor (n,).
    """
'''
WEIGHTS_SOLUTION = WEIGHTS + '''\
    odds = p_away / (1 - p_away)
    weights = odds * n_home / n_away
    return weights'''
ODDS = "    odds = p_away / (1 - p_away)"
SIZED = "    weights = odds * n_home / n_away"


def weights_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 01.5: the solution with edits."""
    return edited(WEIGHTS_SOLUTION, *edits)


weights = Exercise(
    id="01.5", title="Weights from a discriminator", answer="importance_weights", difficulty=2, minutes=3,
    stub=WEIGHTS + "    ...", solution_source=WEIGHTS_SOLUTION, check=check_weights,
    hints=(
        "By Bayes' rule P(away | x) is to P(home | x) as n_away · P_away(x) is to n_home · P_home(x).",
        "P(home | x) is 1 - p_away. Solve the proportion of the first hint for P_away(x) / P_home(x).",
        "The odds p_away / (1 - p_away), times n_home / n_away.",
    ),
    wrong=(
        (weights_wrong((ODDS, "    odds = (1 - p_away) / p_away"), (SIZED, "    weights = odds * n_away / n_home")),
         TURNED_RATIO),
        (weights_wrong((ODDS, "    odds = (1 - p_away) / p_away"), (SIZED, "    weights = odds")), TURNED_RATIO),
        (weights_wrong((ODDS, "    odds = (1 - p_away) / p_away")), TURNED_RATIO),
        (weights_wrong((ODDS, "    odds = p_away")), BARE_SHARE),
        (weights_wrong((ODDS, "    odds = p_away"), (SIZED, "    weights = odds")), BARE_SHARE),
        (weights_wrong((SIZED, "    weights = odds")), NO_SIZES),
        (weights_wrong((SIZED, "    weights = odds * n_away / n_home")), SWAPPED_SIZES),
        (weights_wrong((SIZED, "    weights = odds / odds.sum()")), SCALED),
        (weights_wrong((SIZED, "    weights = odds / odds.mean()")), SCALED),
    ),
    mutations=(
        (ODDS, "    odds = 1 / (1 - p_away)"),
        (SIZED, "    weights = odds * n_home / (n_home + n_away)"),
        ("    return weights", "    return weights.clamp(max=1)"),
    ))

# ---------------------------------------------------------------- 01.6

VERDICTS = '''\
verdicts = {  # "yes" if the interval lies above 0, "no" if below, "open" if it includes 0
    "a": ...,   # covariate shift to the right: weights raise the accuracy
    "b": ...,   # covariate shift to the left: weights raise the accuracy
    "c": ...,   # label shift: weights raise the accuracy
    "d": ...,   # concept shift: weights raise the accuracy
}'''


def judged(**answers: str) -> str:
    """The verdicts with these answers, the others right."""
    return edited(VERDICTS, *((f'"{key}": ...', f'"{key}": "{answers.get(key, claim.right)}"')
                              for key, claim in CLAIMS.items()))


verdicts = Exercise(
    id="01.6", title="What do the intervals bear out?", answer="verdicts", difficulty=2, minutes=3,
    stub=VERDICTS, solution_source=judged(), check=check_verdicts,
    hints=(
        "Take a paired difference for each claim; two intervals side by side do not tell.",
        "For a: t_interval(weighted[factors.RIGHT] - plain[factors.RIGHT]).text(3); so for the others.",
        "One lies above 0, one below, and two include it.",
    ),
    wrong=(
        *((judged(**{key: other}), name) for key, claim in CLAIMS.items() for other, (name, _) in claim.others.items()),
        (judged(c="no", d="no"), CLAIMS["d"].others["no"][0]),
        (judged(b="open", c="yes"), f"{CLAIMS['b'].others['open'][0]}, {CLAIMS['c'].others['yes'][0]}"),
    ),
    mutations=tuple(mutated(judged(), key, wrong) for key, wrong in (("a", "no"), ("c", "no"), ("d", "yes"))))

EXERCISES = (weights, verdicts)
