"""The benchmarks measure what they say, keep their rows, and every lesson and widget has one within its bars."""

import json
import pkgutil
from importlib import import_module

import ipywidgets
import nbformat
import pytest
import torch
from kept_rows import FACTS, kept
from sample_lesson import sample

from mlcourse.bench import lessons, sampler, widgets
from mlcourse.course import notebooks
from mlcourse.lesson import lessons as lessons_of_the_course
from mlcourse.rows import facts, read, save
from mlcourse.system import paths
from mlcourse.widgets import Explorer

COURSE_FOLDER = paths.NOTEBOOKS
COURSE = notebooks.lessons()

# ------------------------------------------------------------------- rows


@pytest.mark.parametrize("lesson", COURSE, ids=lambda lesson: lesson.lesson)
def test_every_lesson_has_a_row_within_its_bars(lesson):
    rows = {row["lesson"]: row for row in kept("lessons")}
    assert lesson.lesson in rows, f"no row: run mlcourse bench lessons {lesson.lesson} --keep"
    row = rows[lesson.lesson]
    assert row["seconds"] * lessons.PACE / row.get("pace", lessons.PACE) <= 45
    assert row["peak_mb"] <= 1200 and row["bytes"] <= 1_500_000
    assert row["code"] == notebooks.fingerprint(lesson.path), f"a stale row: run mlcourse bench lessons {lesson.lesson} --keep"


@pytest.mark.parametrize("name", widgets.names())
def test_every_widget_has_a_row_within_its_bars(name):
    rows = {row["widget"]: row for row in kept("widgets")}
    assert name in rows, f"no row: run mlcourse bench widgets {name} --keep"
    row = rows[name]
    assert row["p95_ms"] <= 40 and row["changes"] > 0
    assert row["compute_ms"] > 0 and row["draw_ms"] > 0 and row["key_to_pixel_ms"] > 0


def test_no_row_is_of_something_that_is_gone():
    assert {row["lesson"] for row in kept("lessons")} == {lesson.lesson for lesson in COURSE}
    assert {row["widget"] for row in kept("widgets")} == set(widgets.names())
    assert {row["alternative"] for row in kept("sampler")} == set(sampler.ALTERNATIVES)


@pytest.mark.parametrize("name", ["lessons", "widgets", "sampler"])
def test_every_row_says_what_made_it(name):
    for row in kept(name):
        assert FACTS <= set(row) and row["command"].startswith(f"mlcourse bench {name}")
        assert row["commit"] and row["threads"] == 2 and row["versions"]["torch"]


def test_rows_merge_replace_and_are_sorted(tmp_path):
    path = tmp_path / "deep" / "rows.json"
    save(path, [{"name": "b", "shot": 10, "is": 1}, {"name": "b", "shot": 5, "is": 2}], ("name", "shot"))
    save(path, [{"name": "a", "shot": 1, "is": 3}, {"name": "b", "shot": 5, "is": 4}], ("name", "shot"))
    assert [tuple(row.values()) for row in read(path)] == [("a", 1, 3), ("b", 5, 4), ("b", 10, 1)]
    before = path.read_bytes()
    save(path, [], ("name", "shot"))
    assert path.read_bytes() == before


def test_a_row_that_cannot_be_written_leaves_the_file(tmp_path):
    path = tmp_path / "rows.json"
    save(path, [{"name": "a"}], ("name",))
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save(path, [{"name": "b", "value": object()}], ("name",))
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["rows.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"rows": 3}', '{"rows": [3]}', "\ufffd"])
def test_a_damaged_file_is_said_and_left_alone(tmp_path, text):
    path = tmp_path / "rows.json"
    path.write_bytes(text.encode() if text != "\ufffd" else b"\xff\xfe")
    before = path.read_bytes()
    for touch in (lambda: read(path), lambda: save(path, [{"name": "a"}], ("name",))):
        with pytest.raises(ValueError, match="is not a file of benchmark results .*restore it"):
            touch()
    assert path.read_bytes() == before
    path.write_text('{"rows": [{"other": 1}]}')
    with pytest.raises(ValueError, match="has a row without 'name'"):
        save(path, [{"name": "a"}], ("name",))


def test_facts_are_those_of_this_process():
    made = facts("mlcourse bench lessons 03", seed=7)
    assert FACTS <= set(made) and made["command"] == "mlcourse bench lessons 03" and made["seed"] == 7
    assert made["threads"] == torch.get_num_threads() and made["versions"]["torch"] == torch.__version__


# ---------------------------------------------------------------- sampler


@pytest.mark.parametrize("side", ["ours", *sampler.ALTERNATIVES])
def test_both_sides_deliver_the_same_kind_of_episodes(side):
    domain = sampler.arrays(classes=30)
    blocks = sampler.ours(domain) if side == "ours" else sampler.ALTERNATIVES[side](domain)
    block = next(blocks)
    blocks.close()
    t, n, k, q = sampler.BLOCK, sampler.WAY, sampler.SHOT, sampler.QUERY
    assert block.support_x.shape == (t, n * k, 1, 28, 28) and block.query_x.shape == (t, n * q, 1, 28, 28)
    assert block.support_x.dtype == block.query_x.dtype == torch.float32
    assert block.support_y.shape == (t, n * k) and block.query_y.shape == (t, n * q)
    assert block.support_y.dtype == block.query_y.dtype == torch.int64 and block.unlabeled_x.shape[:2] == (t, 0)
    bytes_of = domain.images.flatten(1)
    for episode in map(block.task, range(3)):
        assert len(set(episode.classes.tolist())) == n
        x = torch.cat([episode.support_x, episode.query_x]).mul(255).round().byte().flatten(1)
        y = torch.cat([episode.support_y, episode.query_y])
        found = (x[:, None] == bytes_of).all(-1)
        assert torch.equal(found.sum(1), torch.ones(len(x), dtype=torch.int64))
        origin = found.int().argmax(1)
        assert len(set(origin.tolist())) == len(x)
        assert torch.equal(domain.labels[origin], episode.classes[y])
        assert torch.bincount(episode.query_y).tolist() == [q] * n


def test_a_sampler_row_compares_the_two_sides(monkeypatch):
    monkeypatch.setattr(sampler, "REST", 0)
    name = next(iter(sampler.ALTERNATIVES))
    row = sampler.measure(name, sampler.arrays(classes=30), rounds=1)
    assert row["alternative"] == name and row["classes"] == 30 and FACTS <= set(row)
    assert row["ours_per_s"] > 0 and row["alternative_per_s"] > 0
    assert row["ratio_range"][0] <= row["ratio"] <= row["ratio_range"][1] and name in sampler.line(row)


# ---------------------------------------------------------------- lessons


@pytest.mark.alone
def test_a_lesson_is_measured_and_not_changed(mlcourse, tmp_path, monkeypatch):
    lesson = sample("03")
    lesson.cells = [lesson.cells[0], nbformat.v4.new_code_cell("held = bytearray(300_000_000)")]
    path, out = tmp_path / "notebooks" / "03_maml.ipynb", tmp_path / "lessons.json"
    path.parent.mkdir()
    nbformat.write(lesson, path)
    monkeypatch.setattr(paths, "NOTEBOOKS", path.parent)
    before = path.read_bytes()
    save(out, [{"lesson": name, "seconds": -1, "command": "mlcourse bench lessons"} for name in ("00", "03")], lessons.KEY)
    status, said, _ = mlcourse("bench", "lessons", "--out", out)
    assert status == 0 and said.startswith("lesson 03") and path.read_bytes() == before
    other, row = read(out)
    assert other["lesson"] == "00" and row["lesson"] == "03" and row["command"] == "mlcourse bench lessons 03"
    assert row["seconds"] > 0 < row["pace"] and row["bytes"] == len(before) and 300 < row["peak_mb"] < 1500
    assert row["code"] == notebooks.fingerprint(path) != notebooks.fingerprint(notebooks.find("00", COURSE_FOLDER))


def test_a_lesson_that_fails_is_named_and_one_there_is_not_stops_all(mlcourse, tmp_path, monkeypatch):
    lesson = sample("03")
    lesson.cells = [lesson.cells[0], nbformat.v4.new_code_cell("{}['key']")]
    nbformat.write(lesson, tmp_path / "03_maml.ipynb")
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path)
    out = tmp_path / "lessons.json"
    status, _, err = mlcourse("bench", "lessons", "03", "--out", out)
    assert status == 2 and err == "mlcourse: 03_maml.ipynb, cell 1 of 1: KeyError: 'key'\n" and not out.exists()
    status, said, err = mlcourse("bench", "lessons", "03", "99", "--out", out)
    assert status == 2 and said == "" and "no lesson '99'" in err


def test_a_damaged_file_is_said_before_anything_is_measured(mlcourse, tmp_path):
    out = tmp_path / "rows.json"
    out.write_text("{")
    for command in ("lessons", "widgets", "sampler"):
        status, said, err = mlcourse("bench", command, "--out", out)
        assert status == 2 and said == "" and "is not a file of benchmark results" in err and err.count("\n") == 1


# ---------------------------------------------------------------- widgets


def test_every_explorer_of_the_course_is_named_by_its_lesson_and_has_something_to_show():
    for lesson in lessons_of_the_course():
        folder = import_module(lesson.folder)
        for module in pkgutil.iter_modules(folder.__path__):
            import_module(f"{lesson.folder}.{module.name}")
    found = {kind.__name__ for kind in Explorer.__subclasses__() if kind.__module__.startswith("mlcourse.lessons")}
    assert sorted(found) == sorted(widgets.names()) and len(found) == len(widgets.names())
    with pytest.raises(ValueError, match="there is no widget 'Fresh'; the widgets are YouAgainstMachine, "):
        widgets.example("Fresh")


def test_a_control_visits_up_to_15_values_between_its_ends():
    assert widgets.values_of(ipywidgets.IntSlider(3, 0, 4)) == [0, 1, 2, 3, 4]
    many = widgets.values_of(ipywidgets.FloatSlider(value=1.0, min=0.0, max=7.0))
    assert len(many) == 15 and many[0] == 0 and many[-1] == 7
    log = widgets.values_of(ipywidgets.FloatLogSlider(value=1.0, min=-2, max=2))
    assert len(log) == 15 and log[0] == pytest.approx(0.01) and log[-1] == pytest.approx(100)
    assert widgets.values_of(ipywidgets.ToggleButtons(options=[("one", 1), ("two", 2)])) == [1, 2]
    assert widgets.values_of(ipywidgets.Checkbox()) == [False, True]


def test_a_widget_is_measured_without_a_browser_only_on_request(mlcourse, tmp_path, monkeypatch):
    out = tmp_path / "widgets.json"
    status, said, _ = mlcourse("bench", "widgets", "YouAgainstMachine", "--no-browser", "--out", out)
    assert status == 0 and "key to pixel not measured" in said
    [row] = read(out)
    assert row["command"] == "mlcourse bench widgets YouAgainstMachine --no-browser" and row["changes"] == 14
    assert row["key_to_pixel_ms"] is None and 0 < row["p50_ms"] <= row["p95_ms"]
    assert row["compute_ms"] > 0 and row["draw_ms"] > 0
    before = out.read_bytes()
    monkeypatch.setattr(widgets.browser, "BROWSERS", ("no-such-browser",))
    status, said, err = mlcourse("bench", "widgets", "YouAgainstMachine", "--out", out)
    assert status == 2 and said == "" and ("no Chromium found" in err or "playwright" in err) and "--no-browser" in err
    status, _, err = mlcourse("bench", "widgets", "Nothing", "--out", out)
    assert status == 2 and "there is no widget 'Nothing'; the widgets are" in err
    assert out.read_bytes() == before


def test_a_widget_that_cannot_show_a_value_is_no_measurement():
    quiz = widgets.example("YouAgainstMachine")

    def fails(**_):
        raise ValueError("it cannot be")

    quiz.compute = fails
    with pytest.raises(ValueError, match="it cannot be"):
        widgets.sweep(quiz)


def test_the_results_are_json_that_ends_in_a_line():
    for path in sorted(paths.RESULTS.glob("*.json")):
        text = path.read_text(encoding="utf-8")
        assert json.loads(text) and text.endswith("\n")
