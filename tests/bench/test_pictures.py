"""The benchmarks' pictures say what their rows say."""

import pytest

from mlcourse.bench import pictures as bench


def run(method, accuracies, minutes=5.0, of_minutes=5.0, **more):
    """A row for each seed."""
    return [{"method": method, "norm": "batch", "transductive": True, "way": 5, "shot": 1, "seed": seed,
             "minutes": minutes, "of_minutes": of_minutes, "accuracy": value, **more}
            for seed, value in enumerate(accuracies)]


def steps(order, times, **more):
    """Rows of 1, 2, … inner steps."""
    return [{"axis": "steps", "order": order, "value": value, "ms": ms, "peak_mb": 10.0 * value, "tasks": 8,
             "steps": value, "ways": 5, "width": 64, **more} for value, ms in enumerate(times, 1)]


RUNS = [*run("maml", [90, 92, 94]), *run("maml", [80, 82, 81], minutes=1.0), *run("reptile", [85, 85, 88])]
GROWTH = [*steps(2, [30, 50, 70, 90]), *steps(1, [20, 30, 40, 50])]


def test_accuracy_names_the_best_and_the_worst_with_intervals():
    alt = bench.accuracy_against_time(RUNS).alt
    assert alt.startswith("After 5 minutes of training MAML labels 92.0 % right, Reptile 86.0 %.")
    assert "MAML 92.0 ± 5.0; Reptile 86.0 ± 4.3." in alt


def test_only_the_longest_training_of_a_method_counts():
    longer = run("maml", [70, 71, 72], minutes=10.0, of_minutes=10.0)
    assert bench.accuracy_against_time(RUNS + longer).alt.startswith(
        "At the end of its training Reptile labels 86.0 % right, MAML 71.0 %.")


def test_one_seed_has_no_interval_and_norms_are_told_apart():
    assert "MAML 91.0." in bench.accuracy_against_time(run("maml", [91])).alt
    other = run("maml", [97], norm="running", transductive=False)
    assert "MAML, norm running 97.0; MAML, norm batch 91.0." in bench.accuracy_against_time(run("maml", [91]) + other).alt


def test_growth_says_whether_second_order_is_linear():
    alt = bench.growth(GROWTH).alt
    assert alt.startswith("Second order is linear in inner steps: 20 ms each (R² 1.0000), "
                          "1.71 times as long as first order.")
    assert "4 × the inner steps take 3 × the time and 4 × the memory" in alt
    assert bench.growth(steps(2, [1, 2, 4, 8, 16])).alt.startswith("Second order is not linear in inner steps (R² 0.8")


def test_growth_of_other_axes_alone():
    tasks = [{**row, "axis": "tasks", "value": 2 * row["value"]} for row in steps(2, [10, 40])]
    assert bench.growth(tasks).alt == ("Time and memory of one meta-step. 2 × the tasks take 4 × the time and 2 × the "
                                       "memory.")


def test_pictures_need_rows():
    with pytest.raises(ValueError, match="at least one row, got none"):
        bench.accuracy_against_time([])
    with pytest.raises(ValueError, match="at least one row of second order, got none"):
        bench.growth(steps(1, [1, 2]))


@pytest.mark.parametrize("draw, rows", [(bench.accuracy_against_time, RUNS), (bench.growth, GROWTH)])
def test_the_same_rows_in_any_order_give_the_same_bytes_without_metadata(draw, rows):
    png = draw(rows).png
    assert png == draw(rows[::-1]).png
    assert all(chunk not in png for chunk in (b"tEXt", b"iTXt", b"tIME", b"matplotlib"))
