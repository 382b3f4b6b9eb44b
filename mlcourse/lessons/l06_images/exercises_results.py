"""The exercises of lesson 06 that ask for a judgement: which split leaks, and what numbers bear out."""

from __future__ import annotations

from mlcourse.exercises.entries import every_misreading, verdict_line, with_verdicts
from mlcourse.exercises.framework import Exercise
from mlcourse.lessons.l06_images.checks_results import CLAIMS, LEAKS, check_leaks, check_verdicts

# ---------------------------------------------------------------- 06.2

SHARED = '''\
shared = {      # "nothing", "scripts", "look-alikes", "turned classes" or "classes"
    "a": ...,
    "b": ...,
    "c": ...,
    "d": ...,
    "e": ...,
}'''


def with_leaks(**answers: str) -> str:
    """The answers to 06.2, those that are not given right."""
    return with_verdicts(SHARED, LEAKS, **answers)


leaks = Exercise(
    id="06.2", title="Find the leak", answer="shared", difficulty=2, minutes=4,
    stub=SHARED, solution_source=with_leaks(), check=check_leaks,
    hints=(
        "Look at all five. Is a test character the one below it, drawn by another hand? Is it that one turned?",
        "Where no pair is one shape, the title tells: are the scripts the same on both sides? Where all pairs are one "
        "shape, it tells whether the classes are.",
        "One split of each kind; b has other scripts and other shapes.",
    ),
    wrong=(
        (with_leaks(a="nothing"), LEAKS["a"].name), (with_leaks(a="classes"), LEAKS["a"].name),
        (with_leaks(b="look-alikes"), LEAKS["b"].name),
        (with_leaks(c="nothing"), LEAKS["c"].name), (with_leaks(d="scripts"), LEAKS["d"].name),
        (with_leaks(e="scripts"), LEAKS["e"].name),
        (with_leaks(a="nothing", d="scripts"), f"{LEAKS['a'].name}, {LEAKS['d'].name}"),
    ),
    mutations=tuple((verdict_line(SHARED, LEAKS, key, LEAKS[key].verdict), verdict_line(SHARED, LEAKS, key, wrong))
                    for key, wrong in (("a", "nothing"), ("b", "scripts"), ("c", "classes"), ("d", "classes"),
                                       ("e", "look-alikes"))))

# ---------------------------------------------------------------- 06.6

VERDICTS = '''\
verdicts = {     # "yes", "no" or "open"
    # a: on these scripts MAML is more accurate than RFS
    "a": ...,
    # b: Baseline++ is more accurate than MAML
    "b": ...,
    # c: Baseline++ is more accurate than ProtoNet
    "c": ...,
    # d: a ProtoNet has 97.8 ± 0.2 % over 1,000 episodes: another training seed will end in that
    "d": ...,
    # e: of 20 equal checkpoints, each on 100 episodes of its own, the best has 84 %: expect 84
    #    of it on other episodes
    "e": ...,
}'''


def judged(**answers: str) -> str:
    """The verdicts of 06.6, those that are not given right."""
    return with_verdicts(VERDICTS, CLAIMS, **answers)


OTHER = {"yes": "no", "no": "yes", "open": "yes"}
verdicts = Exercise(
    id="06.6", title="What do the numbers bear out?", answer="verdicts", difficulty=2, minutes=4,
    stub=VERDICTS, solution_source=judged(), check=check_verdicts,
    hints=(
        "The last two columns are paired differences; on which side of 0 does the interval lie?",
        "Two of the claims are not about a difference: ask what the interval covers, and how the number was chosen.",
        "What would a second training, and a second hundred episodes, change?",
    ),
    wrong=every_misreading(VERDICTS, CLAIMS),
    mutations=tuple((verdict_line(VERDICTS, CLAIMS, key, claim.verdict),
                     verdict_line(VERDICTS, CLAIMS, key, OTHER[claim.verdict])) for key, claim in CLAIMS.items()))
