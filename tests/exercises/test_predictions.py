"""Predictions: their records, the claim before the outcome, and what the learner sees of them."""

import pytest

from mlcourse.exercises import predictions, record_prediction
from mlcourse.exercises.predictions import Prediction, claim, every_prediction, named
from mlcourse.widgets import Predict, outcome

HALF = Prediction("98.p1", "Is it less than a half?", ("yes", "no"), "yes", lambda value: value < 0.5,
                  lambda value: f"it was ≈{value:.2f}, less than a half.")


@pytest.fixture
def half(monkeypatch, tmp_path):
    """A lesson with one prediction, and progress of its own."""
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(tmp_path))
    monkeypatch.setattr(predictions, "every_prediction", lambda: (HALF,))
    monkeypatch.setattr(predictions, "_claimed", {})


def test_every_prediction_can_be_right_and_has_its_lessons_number():
    for each in every_prediction():
        assert each.right in each.options and len(set(each.options)) == len(each.options) > 1
        assert each.id[:2].isdigit() and named(each.id) == each


def test_the_question_is_shown_and_the_answer_is_not(half):
    shown = Predict("98.p1")._repr_mimebundle_()
    assert "less than a half?" in shown["text/html"] and "<li>yes</li><li>no</li>" in shown["text/html"]
    assert "it was" not in str(shown)


def test_outcome_says_what_was_claimed(half, capsys):
    record_prediction("98.p1", "no")
    outcome("98.p1")
    assert capsys.readouterr().out == 'Nothing is measured yet: run the cell with claim("98.p1", …) first.\n'
    claim("98.p1", value=0.25)
    outcome("98.p1")
    assert capsys.readouterr().out == ("You predicted: no\nWhat happened: it was ≈0.25, less than a half.\n")


def test_a_claim_that_does_not_hold_stops_the_lesson(half, capsys):
    with pytest.raises(AssertionError, match=r"does not bear out what the lesson says of 98.p1 \(value = 0.75\)"):
        claim("98.p1", value=0.75)
    outcome("98.p1")
    assert "Nothing is measured yet" in capsys.readouterr().out


def test_an_unknown_prediction_is_refused():
    with pytest.raises(ValueError, match="there is no prediction '98.p9'; the predictions are"):
        Predict("98.p9")
