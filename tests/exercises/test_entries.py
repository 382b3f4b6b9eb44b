"""Answers that are verdicts on claims: what each wrong one is told."""

from types import SimpleNamespace

import pytest

from mlcourse.exercises.entries import ACROSS, LEFT_OPEN, SIGN, check_claims, every_misreading, misread
from mlcourse.exercises.framework import Misconception, NotYet

claim = lambda verdict, slip: SimpleNamespace(verdict=verdict, name="its own", why="its own reason", slip=slip)


@pytest.mark.parametrize("verdict, slip, said, name", [
    ("yes", "open", "open", "its own"), ("yes", "open", "no", SIGN), ("yes", "no", "open", LEFT_OPEN),
    ("no", "yes", "yes", "its own"), ("no", "yes", "open", LEFT_OPEN), ("no", "open", "yes", SIGN),
    ("open", "yes", "yes", "its own"), ("open", "yes", "no", ACROSS), ("open", "no", "yes", ACROSS),
    ("yes", None, "open", "its own"), ("yes", None, "no", "its own"), ("open", None, "no", "its own")])
def test_a_wrong_verdict_is_told_by_what_was_said(verdict, slip, said, name):
    found, why = misread("a", claim(verdict, slip), said)
    assert found == name and ("its own reason" in why) == (name == "its own")
    with pytest.raises(Misconception) as told:
        check_claims({"a": said}, {"a": claim(verdict, slip)})
    assert name in str(told.value) or told.value.name == name


def test_every_wrong_verdict_is_planted_once_and_the_right_ones_pass():
    claims = {"a": claim("yes", "open"), "b": claim("open", "yes")}
    stub = 'verdicts = {\n    "a": ...,\n    "b": ...,\n}'
    planted = every_misreading(stub, claims)
    given = []
    for source, _ in planted:
        names = {}
        exec(source, names)
        given.append((names["verdicts"]["a"], names["verdicts"]["b"]))
    assert sorted(given) == [("no", "open"), ("open", "open"), ("yes", "no"), ("yes", "yes")]
    assert check_claims({"a": "Yes", "b": " open "}, claims)
    with pytest.raises(NotYet):
        check_claims({"a": "perhaps", "b": "open"}, claims)
