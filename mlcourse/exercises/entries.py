"""Answers that are a dict of words or numbers: what was filled in, and verdicts on claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlcourse.exercises.framework import Misconception, NotAttempted, NotYet, all_of, edited, kind, look_at
from mlcourse.exercises.values import number

VERDICTS = ("yes", "no", "open")
LEFT_OPEN, ACROSS, SIGN = ("a difference that is there, left open", "an interval across 0 taken for a verdict",
                           "the sign of a difference")


def complete(answer: object, keys: Sequence[str]) -> dict[str, object]:
    """What a dict of answers holds under `keys`. Raises NotAttempted where nothing was filled in, NotYet for what is
    not filled in yet and for anything but a dict."""
    if answer is None or answer is ... or (isinstance(answer, dict) and answer
                                           and all(value is ... for value in answer.values())):
        raise NotAttempted
    if not isinstance(answer, dict):
        raise NotYet(f"the answers must be a dict with the keys {', '.join(keys)}, got {kind(answer)}.")
    if left := [key for key in keys if answer.get(key, ...) in (..., None)]:
        raise NotYet(f"no answer yet for {', '.join(left)}.")
    return {key: answer[key] for key in keys}


def numbers(answer: object, keys: Sequence[str]) -> dict[str, float]:
    """A `complete` dict of answers, each one number. Raises NotYet for anything else."""
    return {key: number(value, f"{key} must be one number") for key, value in complete(answer, keys).items()}


def filled(answer: object, choices: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """A `complete` dict of answers, each one of the key's `choices` (in small letters), with spaces and capitals evened
    out. Raises NotYet for anything else."""
    found = complete(answer, list(choices))
    given = {key: " ".join(str(value).lower().split()) for key, value in found.items()}
    for key, value in given.items():
        if value not in choices[key]:
            *most, last = (f'"{each}"' for each in choices[key])
            raise NotYet(f"{key} is {found[key]!r}; write {', '.join(most)} or {last}.")
    return given


def check_claims(answer: object, claims: Mapping[str, tuple]) -> str:
    """A check of verdicts on claims, as `misjudged` takes them."""
    if wrong := misjudged(filled(answer, dict.fromkeys(claims, VERDICTS)), claims):
        raise all_of(wrong)
    return "Each verdict is that of a paired interval over five seeds."


def misjudged(given: Mapping[str, str], claims: Mapping[str, tuple]) -> list[Misconception]:
    """The misconceptions behind the wrong ones among the given verdicts.

    claims: each a named tuple with the right `verdict` ("yes", "no" or "open") and the `name` of the misconception
    behind the wrong verdict `slip` with `why`, what to look at; where `slip` is None, behind either. The other wrong
    verdict is told what any such verdict overlooks.
    """
    return [Misconception(*misread(key, claims[key], given[key])) for key in claims
            if given[key] != claims[key].verdict]


def misread(key: str, claim: tuple, said: str) -> tuple[str, str]:
    """The name of the misconception behind a wrong verdict on a claim, and what to look at."""
    name, why = claim.name, claim.why
    if said == "open" and claim.slip in ("yes", "no"):
        name, why = LEFT_OPEN, "the interval of the difference leaves out 0"
    elif claim.slip not in (said, None):
        name, why = ((ACROSS, "the interval of the difference includes 0, so neither is told ahead")
                     if claim.verdict == "open" else (SIGN, "of the two, which one does the interval find ahead?"))
    return name, look_at(key, why)


def every_misreading(stub: str, claims: Mapping[str, tuple]) -> tuple[tuple[str, str], ...]:
    """For each claim and each wrong verdict on it the stub with that verdict, the others right, and what it is told."""
    return tuple((with_verdicts(stub, claims, **{key: said}), misread(key, claim, said)[0])
                 for key, claim in claims.items() for said in VERDICTS if said != claim.verdict)


def with_verdicts(stub: str, claims: Mapping[str, tuple], **answers: str) -> str:
    """The stub of an exercise on verdicts with these answers, the others right."""
    edits = [(f'"{key}": ...', f'"{key}": "{answers.get(key, claim.verdict)}"') for key, claim in claims.items()]
    return edited(stub, *edits)


def verdict_line(stub: str, claims: Mapping[str, tuple], key: str, verdict: str) -> str:
    """The line of a solution that gives this verdict."""
    filled_in = with_verdicts(stub, claims, **{key: verdict})
    return next(each for each in filled_in.split("\n") if each.startswith(f'    "{key}"'))


def with_numbers(stub: str, right: Mapping[str, str], **answers: str) -> str:
    """The stub of an exercise on numbers with these answers, the others `right`; "two words" goes by two_words."""
    values = {key: answers.get(key.replace(" ", "_"), value) for key, value in right.items()}
    return edited(stub, *((f'"{key}": ...', f'"{key}": {value}') for key, value in values.items()))


def number_line(stub: str, right: Mapping[str, str], key: str, value: str) -> str:
    """The line of a solution that gives this number."""
    filled_in = with_numbers(stub, right, **{key.replace(" ", "_"): value})
    return next(each for each in filled_in.split("\n") if each.startswith(f'    "{key}"'))
