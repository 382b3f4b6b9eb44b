"""The progress file: atomic, versioned, and never in the way of a check."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse.exercises import (best_score, check, every_exercise, prediction, predictions, progress, record_prediction,
                                record_score, reset, score, show_progress, status)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(tmp_path))
    monkeypatch.setattr(progress, "_in_memory", {})
    monkeypatch.setattr(progress, "_said", set())
    return tmp_path


def test_file_has_version_and_leaves_nothing_else(folder):
    progress.record_attempt("03.1", False)
    record_score("lesson 00", 0.6)
    record_prediction("03.p1", {"choice": 2})
    data = json.loads((folder / "progress.json").read_text())
    assert data["version"] == 1
    assert data["exercises"]["03.1"] == {"attempts": 1, "passed": False, "first_passed": None, "hints": 0}
    assert [p.name for p in folder.iterdir()] == ["progress.json"]


def test_reading_writes_nothing(folder):
    assert score("lesson 00") is None and prediction("03.p1") is None and len(status()) == len(every_exercise())
    assert list(folder.iterdir()) == []


def test_scores_keep_last_and_best():
    for value in (0.6, 0.9, 0.7):
        record_score("lesson 00", value)
    assert (score("lesson 00"), best_score("lesson 00")) == (0.7, 0.9)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "0.6", None])
def test_bad_score(folder, value):
    with pytest.raises(ValueError, match="a score must be a finite number, got"):
        record_score("lesson 00", value)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, object()])
def test_bad_prediction(folder, value):
    with pytest.raises(ValueError, match="a prediction must be a text, a finite number"):
        record_prediction("03.p1", value)
    assert list(folder.iterdir()) == []


def test_a_lesson_shows_how_far_the_learner_is(monkeypatch, capsys):
    made = predictions.Prediction("00.p1", "Which?", ("a", "b"), "a", bool, str)
    monkeypatch.setattr(predictions, "every_prediction", lambda: (made,))
    show_progress("00")
    for id in ("00.1", "03.1"):
        progress.record_attempt(id, True)
    progress.record_attempt("00.2", False)
    record_prediction("00.p1", "b")
    show_progress("00")
    record_prediction("00.p1", "a")
    show_progress("00")
    show_progress("03")
    many, others = (sum(each.lesson == lesson for each in every_exercise()) for lesson in ("00", "03"))
    assert capsys.readouterr().out.splitlines() == [
        f"Lesson 00 so far: exercises passed 0 of {many}, predictions right 0 of 1.",
        f"Lesson 00 so far: exercises passed 1 of {many}, predictions right 0 of 1.",
        f"Lesson 00 so far: exercises passed 1 of {many}, predictions right 1 of 1.",
        f"Lesson 03 so far: exercises passed 1 of {others}."]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-10**9, 10**9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3))


@settings(max_examples=30, deadline=None)
@given(value=json_values)
def test_prediction_round_trip(tmp_path_factory, value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLCOURSE_PROGRESS", str(tmp_path_factory.mktemp("progress")))
        record_prediction("03.p1", value)
        assert prediction("03.p1") == value


def file_text(version="1", exercises="{}", scores="{}"):
    return f'{{"version": {version}, "exercises": {exercises}, "scores": {scores}, "predictions": {{}}}}'


DAMAGED = ["", "{", "[]", "null", "7", '{"version": 1}', "[" * 100_000, file_text(version='"1"'),
           file_text(version="true"), file_text(exercises='{"03.1": 5}'),
           file_text(scores='{"k": {"last": "x", "best": 1}}'),
           file_text(exercises='{"03.1": {"attempts": -1, "passed": false, "first_passed": null, "hints": 0}}')]


def test_sound_file_is_read(folder, capsys):
    (folder / "progress.json").write_text(file_text(scores='{"k": {"last": 1, "best": 2}}'))
    assert (score("k"), best_score("k"), capsys.readouterr().err) == (1, 2, "")


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_file_is_kept_aside(folder, capsys, text):
    (folder / "progress.json").write_text(text)
    progress.record_attempt("00.1", True)
    assert (folder / "progress.json.damaged").read_text() == text
    assert status()[0]["passed"]
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "was damaged; it is kept as progress.json.damaged" in said


def test_damaged_twice_keeps_both(folder):
    for text in ("one", "two"):
        (folder / "progress.json").write_text(text)
        status()
    assert (folder / "progress.json.damaged").read_text() == "one"
    assert (folder / "progress.json.damaged-2").read_text() == "two"


def test_bytes_that_are_no_text(folder):
    (folder / "progress.json").write_bytes(b"\xff\xfe\x00{")
    assert score("k") is None
    assert (folder / "progress.json.damaged").exists()


def test_newer_version_is_left_alone(folder, capsys):
    text = '{"version": 2, "exercises": "otherwise", "more": []}'
    (folder / "progress.json").write_text(text)
    assert check("00.1", 7).status == "not yet"
    record_score("lesson 00", 0.6)
    assert score("lesson 00") == 0.6 and status()[0]["attempts"] == 1
    with pytest.raises(ValueError, match="cannot be reset"):
        reset()
    assert (folder / "progress.json").read_text() == text and len(list(folder.iterdir())) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "has version 2" in said and "update the course" in said


def test_unwritable_folder_warns_once_and_checks_work(folder, monkeypatch, capsys):
    (folder / "file").write_text("")
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(folder / "file"))
    for answer in (7, 8):
        assert check("00.1", answer).status == "not yet"
    assert status()[0]["attempts"] == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "cannot be" in said and "MLCOURSE_PROGRESS" in said


def test_full_disk_leaves_the_old_file_whole(folder, monkeypatch, capsys):
    progress.record_attempt("00.1", True)
    before = (folder / "progress.json").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    progress.record_attempt("00.1", True)
    assert (folder / "progress.json").read_bytes() == before
    assert [p.name for p in folder.iterdir()] == ["progress.json"]
    assert status()[0]["attempts"] == 2
    assert "No space left on device" in capsys.readouterr().err


def test_interrupt_while_writing_leaves_the_old_file_whole(folder, monkeypatch):
    record_score("k", 1)
    before = (folder / "progress.json").read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        record_score("k", 2)
    assert (folder / "progress.json").read_bytes() == before and len(list(folder.iterdir())) == 1


def test_reset_starts_afresh_and_keeps_the_old_file(folder):
    reset()
    record_score("k", 1)
    reset()
    assert score("k") is None
    assert json.loads((folder / "progress.json.before-reset").read_text())["scores"]["k"]["last"] == 1
    for value in (2, 3):
        record_score("k", value)
        reset()
    kept = [json.loads((folder / f"progress.json.before-reset{end}").read_text()) for end in ("", "-2", "-3")]
    assert [data["scores"]["k"]["last"] for data in kept] == [1, 2, 3]


COUNTS = """
import sys
from mlcourse.exercises import progress
for i in range(30):
    progress.record_attempt("03.1", False, f"{sys.argv[1]} {i}")
    progress.record_hint("03.2", i % 3 + 1)
"""


def test_kernels_that_write_at_the_same_time_lose_nothing(folder):
    both = [subprocess.Popen([sys.executable, "-c", COUNTS, name]) for name in "ab"]
    assert [process.wait(60) for process in both] == [0, 0]
    data = progress.load()["exercises"]
    assert data["03.1"]["attempts"] == 60 and data["03.2"]["hints"] == 3
    assert [path.name for path in folder.iterdir()] == ["progress.json"]


def test_the_same_answer_again_is_no_new_attempt(folder):
    for answer in ("a", "a", "b", "b", "a"):
        progress.record_attempt("03.1", False, answer)
    assert progress.load()["exercises"]["03.1"]["attempts"] == 3


def test_entries_of_exercises_that_are_gone_stay(folder):
    progress.record_attempt("99.9", True)
    progress.record_attempt("00.1", False)
    assert set(progress.load()["exercises"]) == {"99.9", "00.1"}


def test_the_default_place_is_the_systems_own_for_a_users_data(monkeypatch):
    monkeypatch.delenv("MLCOURSE_PROGRESS")
    monkeypatch.setattr(progress.platformdirs, "user_data_path", lambda app, appauthor: Path("data") / app)
    assert progress.path() == Path("data/mlcourse/progress.json")

    def homeless(*_, **__):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(progress.platformdirs, "user_data_path", homeless)
    record_score("k", 1)
    assert not progress.path().exists() and score("k") == 1
