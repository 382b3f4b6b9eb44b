"""The exercises of lesson 10 on claims: what the study bears out, and whether MAML is a VAE."""

from __future__ import annotations

from mlcourse.exercises.entries import verdict_line, with_verdicts
from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l10_data.checks_claims import BOTH, CLAIMS, MAML, PROPERTIES, VAE, check_maml, check_verdicts

# ---------------------------------------------------------------- 10.4

VERDICTS = '''\
verdicts = {     # "yes", "no" or "open"
''' + "".join(f'    # {claim.says}\n    "{key}": ...,\n' for key, claim in CLAIMS.items()) + "}"
OTHER = {"yes": "open", "no": "yes", "open": "yes"}

verdicts = Exercise(
    id="10.4", title="Does a generator help?", answer="verdicts", difficulty=2, minutes=4,
    stub=VERDICTS, solution_source=with_verdicts(VERDICTS, CLAIMS), check=check_verdicts,
    hints=(
        "apart(one, other, on) prints the paired difference of two arms; where does its interval lie?",
        "Above 0: yes. Below 0: no. Across 0: open, however far apart the means are.",
        "One call for each claim, with the two names in their order.",
    ),
    wrong=tuple((with_verdicts(VERDICTS, CLAIMS, **{key: OTHER[claim.verdict]}), claim.name)
                for key, claim in CLAIMS.items()),
    mutations=tuple((verdict_line(VERDICTS, CLAIMS, key, claim.verdict),
                     verdict_line(VERDICTS, CLAIMS, key, OTHER[claim.verdict])) for key, claim in CLAIMS.items()))

# ---------------------------------------------------------------- 10.6

CLAIM = "MAML is a VAE"
PROPERTY = '''\
said = {     # of whom is it true: "MAML", "VAE" (lines [1] to [7]), or "both"?
''' + "".join(f'    # {each.says}\n    "{key}": ...,\n' for key, each in PROPERTIES.items()) + f'''\
    "{CLAIM}": ...,         # "yes" or "no"
}}'''
WRITTEN = {MAML: "MAML", VAE: "VAE", BOTH: "both"}
AMISS = {MAML: "both", VAE: "both", BOTH: "MAML"}


def said(claim: str = "no", **answers: str) -> str:
    """The stub with these answers, the others right."""
    edits = [(f'"{key}": ...', f'"{key}": "{answers.get(key, WRITTEN[each.of])}"') for key, each in PROPERTIES.items()]
    return edited(PROPERTY, *edits, (f'"{CLAIM}": ...', f'"{CLAIM}": "{claim}"'))


def line_of(source: str, key: str) -> str:
    """The line of a solution that answers `key`."""
    return next(line for line in source.split("\n") if line.startswith(f'    "{key}"'))


maml = Exercise(
    id="10.6", title="\"MAML is a VAE\"", answer="said", difficulty=2, minutes=3,
    stub=PROPERTY, solution_source=said(), check=check_maml,
    hints=(
        "Two of the six hold for both. What does each make of a support set, and how?",
        "MAML steps down a loss and can only label. The set VAE reads a set, draws a code, and can draw pictures.",
        "both, both, MAML, VAE, VAE, MAML. Four of six tell them apart.",
    ),
    wrong=tuple((said(**{key: AMISS[each.of]}), each.name) for key, each in PROPERTIES.items())
    + ((said("yes"), "a shared level taken for the same model"),
       (said("yes", e="both"), "MAML taken for a generative model, a shared level taken for the same model")),
    mutations=tuple((line_of(said(), key), line_of(said(**{key: AMISS[each.of]}), key))
                    for key, each in PROPERTIES.items()))
