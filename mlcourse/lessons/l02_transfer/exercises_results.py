"""Exercises of lesson 02 on results: the crossover, and which sources hurt."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l02_transfer.checks_results import (BIASED, BY_N, CLAIMS, FALSE_UNFAIR, FIRST, HURTS, LAST,
                                                          LESS_TWICE, MEANS, NO_ROOT, NORMAL, OTHER_T, UNPAIRED,
                                                          WRONG_SIDE, check_crossover, check_verdicts)

# ---------------------------------------------------------------- 02.3

CROSSOVER = '''\
def crossover(with_source, without):
    """The least k such that, at k and at every larger one, the 95 % interval of the paired gain is
    not above 0.

    with_source, without: {k: tensor (5,)}, accuracy with k labels, of the same five seeds
    The interval: mean ± 2.776 sd / √5 of the gain, with source less without, seed by seed
    Returns one number: that k, or float("inf") where it is told to help at the largest k.
    """
'''
CROSSOVER_SOLUTION = CROSSOVER + '''\
    found = float("inf")
    for k in sorted(with_source, reverse=True):
        gain = with_source[k] - without[k]
        if gain.mean() - 2.776 * gain.std() / 5**0.5 > 0:
            break
        found = k
    return found'''
ORDER = "    for k in sorted(with_source, reverse=True):"
GAIN = "        gain = with_source[k] - without[k]"
HELPS = "        if gain.mean() - 2.776 * gain.std() / 5**0.5 > 0:"


def crossover_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 02.3: the solution with edits."""
    return edited(CROSSOVER_SOLUTION, *edits)


crossover = Exercise(
    id="02.3", title="The crossover", answer="crossover", difficulty=2, minutes=7,
    stub=CROSSOVER + "    ...", solution_source=CROSSOVER_SOLUTION, check=check_crossover,
    hints=(
        "Write down for one k whether the source helps. Then ask in which order to walk through the ks.",
        "gain = with_source[k] - without[k]; it helps where gain.mean() - 2.776 * gain.std() / 5**0.5 is above 0. Walk "
        "from the largest k downwards until it does.",
        "found = float(\"inf\"); for k in sorted(with_source, reverse=True): stop where the source helps, else found = "
        "k; return found.",
    ),
    wrong=(
        (crossover_wrong((HELPS, "        if gain.mean() > 0:")), MEANS),
        (crossover_wrong((HELPS, "        if gain.mean() - 2.776 * (with_source[k].var() + without[k].var()).sqrt() / "
                                 "5**0.5 > 0:")),
         UNPAIRED),
        (crossover_wrong((ORDER, "    for k in sorted(with_source):"), ("            break\n        found = k",
                          "            continue\n        return k")), FIRST),
        (crossover_wrong((HELPS, "        if gain.mean() + 2.776 * gain.std() / 5**0.5 > 0:")), HURTS),
        (crossover_wrong((HELPS, HELPS.replace("2.776", "1.96"))), NORMAL),
        (crossover_wrong((HELPS, HELPS.replace("2.776", "2.571"))), OTHER_T),
        (crossover_wrong((HELPS, HELPS.replace("gain.std()", "gain.std(correction=0)"))), BIASED),
        (crossover_wrong((HELPS, HELPS.replace(" / 5**0.5", ""))), NO_ROOT),
        (crossover_wrong((HELPS, HELPS.replace("5**0.5", "4**0.5"))), LESS_TWICE),
        (crossover_wrong((HELPS, HELPS.replace("5**0.5", "5"))), BY_N),
        (crossover_wrong(("    found = float(\"inf\")", "    found = min(with_source)"),
                         ("            break\n        found = k", "            return k")), LAST),
    ),
    mutations=(
        (ORDER, "    for k in sorted(with_source, reverse=False):"),
        (GAIN, "        gain = without[k] - with_source[k]"),
        (HELPS, "        if gain.mean() - 2.776 * gain.std() / 5 > 0:"),
        ("        found = k", "        found = min(found, 10 * k)"),
    ))


# ---------------------------------------------------------------- 02.5

VERDICTS = """\
verdicts = {    # "helps", "hurts", "open", or "unfair" where the two sides are two algorithms
    "a": ...,   # glyphs, a solved head on 4 frozen blocks, 1 label, against random blocks
    "b": ...,   # permuted, fine-tuned with 1 label, against scratch
    "c": ...,   # typeset, fine-tuned with 1 label, against scratch
    "d": ...,   # inverted, a solved head on 1 frozen block, 20 labels, against a random block
    "e": ...,   # permuted, a solved head on 4 frozen blocks, 10 labels, against scratch
}"""


def judged(**answers: str) -> str:
    """The verdicts with these answers, the others right."""
    return edited(VERDICTS, *((f'"{key}": ...', f'"{key}": "{answers.get(key, claim.right)}"')
                              for key, claim in CLAIMS.items()))


def line(key: str, verdict: str) -> str:
    """The line of a solution that gives this verdict."""
    return next(each for each in judged(**{key: verdict}).split("\n") if each.startswith(f'    "{key}"'))


verdicts = Exercise(
    id="02.5", title="Which sources hurt?", answer="verdicts", difficulty=2, minutes=4,
    stub=VERDICTS, solution_source=judged(), check=check_verdicts,
    hints=(
        "Ask first whether both sides did the same but for the source. Then look at the p-value after Holm, and only "
        "then at the sign.",
        'gap(source, arm, k) prints the gap and its p-value after Holm; above 0 the source hurts. Below 0.05 a p-value '
        'tells, '
        "from 0.05 on the verdict is open.",
        "One is unfair, one helps, and three are open.",
    ),
    wrong=(
        (judged(a="open"), CLAIMS["a"].name), (judged(b="hurts"), CLAIMS["b"].name),
        (judged(c="helps"), CLAIMS["c"].name),
        (judged(d="hurts"), CLAIMS["d"].name), (judged(e="hurts"), CLAIMS["e"].name),
        (judged(c="helps", e="hurts"), f"{CLAIMS['c'].name}, {CLAIMS['e'].name}"),
        (judged(a="hurts"), WRONG_SIDE[0]),
        *((judged(**{key: verdict}), f"{WRONG_SIDE[0]}, {CLAIMS[key].name}")
          for key, verdict in (("b", "helps"), ("c", "hurts"), ("d", "helps"))),
        *((judged(**{key: "unfair"}), FALSE_UNFAIR[0]) for key in "abcd"),
        (judged(e="open"), CLAIMS["e"].name),
    ),
    mutations=tuple((line(key, CLAIMS[key].right), line(key, wrong)) for key, wrong in (
        ("a", "hurts"), ("b", "helps"), ("c", "hurts"), ("d", "unfair"), ("e", "open"))))

EXERCISES = (crossover, verdicts)
