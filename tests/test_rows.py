"""The rows of result files: found by name, as a tidy table, and as estimates over seeds."""

import subprocess
import sys

import numpy as np
import pytest

from mlcourse.rows import by_seed, estimates, frame, read, save
from mlcourse.statistics import t_interval
from mlcourse.system import paths

SWEEP = [{"kind": "blur", "severity": [0.0, 1.0], "accuracy": [0.9, 0.5], "seed": seed, "versions": {"torch": "2"}}
         for seed in range(3)]


def test_a_name_is_a_file_of_the_repository_and_a_path_any(tmp_path):
    assert read("shift") == read(paths.RESULTS / "shift.json")
    save(tmp_path / "own.json", [{"name": "a", "seed": 0}], ("name",))
    assert read(tmp_path / "own.json") == [{"name": "a", "seed": 0}]
    assert frame(tmp_path / "own.json").to_dict("records") == [{"name": "a", "seed": 0}]
    with pytest.raises(FileNotFoundError):
        read("own")


def test_a_table_has_a_row_for_each_measurement_and_a_column_for_each_nested_fact():
    table = frame(SWEEP, each=("severity", "accuracy", "best"))
    assert table[["severity", "accuracy", "seed"]].values.tolist() == [
        [severity, accuracy, seed] for seed in range(3) for severity, accuracy in ((0.0, 0.9), (1.0, 0.5))]
    assert (table["versions.torch"] == "2").all() and "best" not in table
    assert frame([{"a": 1, "seed": 0}, {"b": 2, "seed": 0}]).isna().sum().to_dict() == {"a": 1, "seed": 0, "b": 1}


def test_lists_that_do_not_belong_together_are_refused():
    for row in ({"severity": [0, 1], "accuracy": [0.9]}, {"accuracy": [0.9]}):
        with pytest.raises(ValueError, match="a row needs a list 'severity', and lists of its length"):
            frame([row], each=("severity", "accuracy"))


def test_estimates_are_t_intervals_over_seeds_with_draws_averaged_first():
    rows = [{"arm": arm, "k": k, "seed": seed, "accuracy": 10.0 * k + seed + draw}
            for arm in "BA" for k in (1, 5) for seed in range(3) for draw in (0, 1)]
    found = estimates(frame(rows), "accuracy", by=["arm", "k"])
    assert list(found) == [("B", 1), ("B", 5), ("A", 1), ("A", 5)]
    assert found["B", 5] == t_interval([50.5, 51.5, 52.5])
    assert estimates(frame(rows), "accuracy", by=["arm"])["A"] == t_interval([30.5, 31.5, 32.5])


def test_groups_that_measured_nothing_are_left_out_and_a_nan_is_not_hidden():
    rows = [{"arm": "A", "seed": 0, "accuracy": 1.0}, {"arm": "A", "seed": 1, "accuracy": float("nan")},
            {"arm": "B", "seed": 0, "pad": 2.0}]
    found = estimates(frame(rows), "accuracy", by=["arm"])
    assert list(found) == ["A"] and np.isnan(found["A"].mean)
    (one,) = estimates(frame(rows), "pad", by=["arm"]).values()
    assert (one.mean, one.n) == (2.0, 1) and np.isnan(one.half)
    with pytest.raises(ValueError, match="the table has no column 'loss', 'kind'; it has arm, seed, accuracy, pad"):
        estimates(frame(rows), "loss", by=["kind"])


def test_the_stored_rows_agree_with_values_by_seed():
    rows = [row for row in read("transfer") if (row["source"], row["target"]) == ("mnist", "digits")]
    for (arm, k), found in estimates(frame(rows), "accuracy", by=["arm", "k"]).items():
        assert tuple(found) == pytest.approx(tuple(t_interval(by_seed(rows, arm, k).values())))


SAVES = """
import sys, time
from pathlib import Path
from mlcourse.rows import save
file, name = Path(sys.argv[1]), sys.argv[2]
file.with_name(name).touch()
while not all(file.with_name(each).exists() for each in "ab"):
    time.sleep(0.01)
for i in range(40):
    save(file, [{"name": name, "i": i}], ("name", "i"))
"""


def test_commands_that_save_into_one_file_at_the_same_time_lose_nothing(tmp_path):
    both = [subprocess.Popen([sys.executable, "-c", SAVES, tmp_path / "rows.json", name]) for name in "ab"]
    assert [process.wait(60) for process in both] == [0, 0]
    assert len(read(tmp_path / "rows.json")) == 80
