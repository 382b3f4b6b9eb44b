"""You against the machine: fair questions, right scores, honest intervals."""

import numpy as np
import pytest
import torch

from mlcourse.domains import Domain
from mlcourse.learners import NearestNeighbour
from mlcourse.lessons.l00_start import widget_you_against_machine as module
from mlcourse.lessons.l00_start.widget_you_against_machine import YouAgainstMachine, deal, labels_of
from mlcourse.statistics import wilson
from mlcourse.widgets import sweep


def domain(classes=8, each=20):
    generator = torch.Generator().manual_seed(0)
    shape = torch.rand(classes, 1, 1, 28, 28, generator=generator) * 200
    images = (shape + 50 * torch.rand(classes, each, 1, 28, 28, generator=generator)).to(torch.uint8).flatten(0, 1)
    labels = torch.arange(classes).repeat_interleave(each)
    return Domain("noise", images, labels, tuple(f"c{i}" for i in range(classes)), ("S",) * classes)


@pytest.fixture
def kept(monkeypatch):
    scores = []
    monkeypatch.setattr(module, "keep_score", lambda key, value: scores.append((key, value)) or "Kept.")
    return scores


def finish(quiz, wrong=0):
    truth = quiz.episode.query_y.tolist()
    for i in range(len(quiz.answers), quiz.questions):
        quiz.answer((truth[i] + (i < wrong)) % quiz.way)


def test_the_same_number_deals_the_same_quiz_and_no_picture_is_asked_that_was_shown():
    one, same, other = (deal(domain(), 5, 10, seed) for seed in (3, 3, 4))
    assert torch.equal(one.query_x, same.query_x) and not torch.equal(one.query_x, other.query_x)
    assert one.support_y.tolist() == [0, 1, 2, 3, 4] and len(one.query_y) == 10
    distance = (one.query_x[:, None] - one.support_x[None]).flatten(2).abs().amax(2)
    assert (distance > 0).all()


def test_a_quiz_is_asked_answered_scored_and_kept(kept):
    quiz = YouAgainstMachine(domain(), key="00.you")
    assert quiz.error is None and "Question 1 of 10" in quiz.title.value and quiz.record.scores == ()
    assert quiz.alt.startswith("Question 1 of 10: which of the 5 characters is it? You see one labelled drawing")
    quiz.buttons[0].click()
    assert len(quiz.answers) == 1 and "Question 2 of 10" in quiz.title.value and not kept
    quiz.answers[0] = int(quiz.episode.query_y[0])
    quiz.answer(int(quiz.episode.query_y[1] + 1) % 5)
    finish(quiz)
    you, machine = quiz.record.scores
    assert (you.name, you.correct) == ("You", 9) and (you.low, you.high) == wilson(9, 10)
    said = NearestNeighbour().predict(NearestNeighbour().adapt(quiz.episode), quiz.episode.query_x).argmax(1)
    assert machine.correct == int((said == quiz.episode.query_y).sum())
    assert kept == [("00.you", 0.9)] and all(button.disabled for button in quiz.buttons)
    assert "9 of 10 right" in quiz.title.value and "60 to 98 %" in quiz.caption.value
    quiz.answer(0)
    assert len(quiz.answers) == 10 and len(kept) == 1


def test_a_new_episode_starts_again(kept):
    quiz = YouAgainstMachine(domain(), key=None)
    start = bytes(quiz.picture.value)
    finish(quiz, wrong=3)
    assert quiz.record.scores[0].correct == 7 and bytes(quiz.picture.value) != start and not kept
    quiz.set(episode=1)
    assert quiz.answers == [] and not quiz.buttons[0].disabled
    quiz.set(episode=0)
    assert bytes(quiz.picture.value) == start


def test_digits_may_be_typed():
    quiz = YouAgainstMachine(domain(), key=None)
    for text in ("3", "7", "x", " 5"):
        quiz.typed.value = text
        assert quiz.typed.value == ""
    assert quiz.answers == [2, 4]


def test_machines_are_learners_or_functions():
    quiz = YouAgainstMachine(domain(), {"oracle": lambda episode: episode.query_y,
                                        "always 0": lambda episode: np.zeros(len(episode.query_y))}, key=None)
    finish(quiz, wrong=10)
    by_name = {score.name: score.correct for score in quiz.record.scores}
    assert by_name["oracle"] == 10 and by_name["You"] == 0 and "you are behind" in quiz.title.value
    assert by_name["always 0"] == int((quiz.episode.query_y == 0).sum())
    with pytest.raises(ValueError, match=r"must answer 10 labels, got an array of shape \(3,\)"):
        labels_of(lambda episode: [1, 2, 3], quiz.episode)


def test_a_score_that_cannot_be_kept_is_said_and_loses_nothing(monkeypatch):
    import mlcourse.exercises

    def full(key, value):
        raise OSError("no space left on device")

    monkeypatch.setattr(mlcourse.exercises, "record_score", full)
    quiz = YouAgainstMachine(domain())
    finish(quiz)
    assert quiz.error is None and "could not be kept: no space left on device" in quiz.caption.value


def test_it_can_be_swept_and_refuses_what_it_cannot_show():
    quiz = YouAgainstMachine(domain(), key=None)
    pictures = {bytes(quiz.picture.value) for _ in sweep(quiz)}
    assert len(pictures) == 2              # episode 0, which is both minimum and default, and 9999
    with pytest.raises(ValueError, match="2 to 5 classes, got a way of 6"):
        YouAgainstMachine(domain(), way=6)
    with pytest.raises(ValueError, match="1 to 12 questions, got 0"):
        YouAgainstMachine(domain(), questions=0)
    with pytest.raises(ValueError, match="a label must lie in 0..4, got 5"):
        quiz.answer(5)
