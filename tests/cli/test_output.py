"""No command writes into the tracked results unless it is told to."""

import inspect
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlcourse.cli.bench import bench_app
from mlcourse.cli.output import _spelled, as_json_text, rows_file
from mlcourse.cli import study as studies
from mlcourse.system import paths


def test_rows_go_to_runs_or_where_they_are_sent_or_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    assert rows_file("shift", None, False) == Path("runs/shift.json")
    assert rows_file("shift", Path("mine.json"), False) == Path("mine.json")
    assert rows_file("shift", None, True) == tmp_path / "shift.json"
    assert rows_file("transfer-a-to-b", None, True, "transfer") == tmp_path / "transfer.json"


@pytest.mark.parametrize("out, keep, sentence", [
    (Path("mine.json"), True, "--keep and --out mine.json name two files; leave one of them out"),
    (Path("rows.png"), False, r"the rows are written as JSON, got --out rows.png; give it a name that ends in \.json"),
    (None, True, "rows are kept in a clone of the repository, and this course was installed without one; leave out --keep")])
def test_what_cannot_be_written_is_said_before_anything_is_measured(monkeypatch, out, keep, sentence):
    monkeypatch.setattr(paths, "IN_CLONE", False)
    with pytest.raises(ValueError, match=sentence):
        rows_file("shift", out, keep)


@pytest.mark.parametrize("command", bench_app.registered_commands,
                         ids=lambda command: command.name or command.callback.__name__)
def test_every_benchmark_has_both_options(command):
    options = inspect.signature(command.callback).parameters
    assert options["out"].default is None and options["keep"].default is False and options["as_json"].default is False


@pytest.mark.parametrize("name", studies.names())
def test_every_study_has_the_options_of_all(name, mlcourse):
    status, said, _ = mlcourse("study", name, "--help")
    assert status == 0 and f"mlcourse study {name}" in said
    assert [word for word in ("--seed", "--out", "--plot", "--keep", "--json", "Example") if word not in said] == []


@pytest.mark.parametrize("command", [f"study {name}" for name in studies.names()]
                         + [f"bench {command.name or command.callback.__name__}" for command in bench_app.registered_commands])
def test_every_study_and_benchmark_has_a_page_and_its_rows_are_kept(command):
    name = command.partition(" ")[2]
    title = (paths.RESULTS.parent / f"{name}.md").read_text(encoding="utf-8").partition("\n")[0]
    assert f"`mlcourse {command}" in title
    assert (paths.RESULTS / f"{name.replace('-', '_')}.json").exists()


def test_a_file_of_other_rows_is_recognised_before_anything_is_measured(tmp_path, mlcourse):
    """DAML's rows have the fields of the transfer study's; a benchmark's have none of a study's."""
    for kept, words in (("daml", ["study", "transfer", "--source", "glyphs-digits", "--target", "digits"]),
                        ("sampler", ["study", "rates"]), ("rates", ["bench", "sampler"])):
        file = tmp_path / f"{kept}.json"
        file.write_bytes((paths.RESULTS / f"{kept}.json").read_bytes())
        status, _, said = mlcourse(*words, "--out", file)
        assert status == 2 and f"{file} holds rows that mlcourse {words[0]} {words[1]} did not make" in said
        assert file.read_bytes() == (paths.RESULTS / f"{kept}.json").read_bytes()


@pytest.mark.parametrize("encoding, words", [
    ("cp1252", ["train", "--help"]), ("cp1252", ["study", "transfer", "--help"]), ("ascii", ["list"]),
    ("cp437", ["list", "--json"]), ("ascii", ["train", "maml", "--domain", "sinusoids", "--steps", "2", "--episodes", "2"])])
def test_no_code_page_stops_a_command(encoding, words, tmp_path, monkeypatch, mlcourse):
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        for name in ("stdout", "stderr"):
            patch.setattr(sys, name, io.TextIOWrapper(io.BytesIO(), encoding))
        status, *_ = mlcourse(*words)
        sys.stdout.flush()
        said = sys.stdout.buffer.getvalue().decode(encoding)
        sys.stderr.flush()
        assert status == 0 and said, sys.stderr.buffer.getvalue().decode(encoding)
    if "--json" in words:
        assert [row["lesson"] for row in json.loads(said)][0] == "00"


def test_no_code_page_stops_the_process_of_a_command(tmp_path):
    """With the streams that Python opens for it."""
    result = subprocess.run([sys.executable, "-m", "mlcourse", "train", "--help"], cwd=tmp_path, capture_output=True,
                            env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONPATH": str(paths.ROOT)})
    assert result.returncode == 0 and result.stdout.decode("ascii"), result.stderr.decode("ascii")


def test_what_an_encoding_lacks_is_spelled_and_json_loses_nothing(monkeypatch):
    lost = lambda text, encoding: _spelled(UnicodeEncodeError(encoding, text, 0, len(text), ""))[0]
    assert lost("→α±猫", "ascii") == "->alpha+-\\u732b"
    for encoding, kept in (("cp1252", False), ("utf-8", True), ("UTF8", True), (None, False)):
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(encoding=encoding))
        text = as_json_text({"class": "猫 é 😀"})
        assert json.loads(text) == {"class": "猫 é 😀"} and ("猫" in text) == kept


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such shell")
@pytest.mark.parametrize("where, says", [
    (">&-", "standard output is closed, so that no result could be told; leave it open, or send it to a file"),
    (">/dev/full", "No space left on device")])
def test_a_result_that_cannot_be_told_is_no_success(where, says):
    if where.endswith("full") and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    result = subprocess.run(["sh", "-c", f'exec "$0" -m mlcourse list {where}', sys.executable], capture_output=True,
                            text=True, env=os.environ | {"PYTHONPATH": str(paths.ROOT)})
    assert (result.returncode, result.stdout) == (2, "") and says in result.stderr
    assert result.stderr.startswith("mlcourse: ") and result.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["study", "rates"], ["bench", "omniglot"], ["train", "maml"],
                                   ["evaluate", "x.safetensors", "--domain", "digits"]])
def test_a_seed_that_no_generator_takes_is_refused(words, mlcourse):
    status, _, said = mlcourse(*words, "--seed", str(2**63))
    assert status == 2 and "2147483647" in said
