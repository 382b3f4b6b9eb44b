"""The label-shift study on a small scale, and the reading of its rows."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mlcourse import cli, small
from mlcourse.episode.across import pixels
from mlcourse.lessons.l13_adaptation import figures as plots, study_label_shift as study
from mlcourse.losses.alignment import information
from mlcourse.rows import read, save
from mlcourse.statistics import paired_difference, t_interval


TINY = study.Budget(distances=(0.6,), coral=(1.0,), dann=(0.1, 1.0), source_steps=5, steps=2, width=6, pictures=72, known=100,
                    unlabeled=100, splits=2, size=60)
STUDY = study.STUDY


@pytest.fixture(scope="module")
def measured():
    """The rows of one seed at one distance."""
    return list(STUDY.measure(STUDY.work([1]), [], TINY))


def test_every_arm_has_a_row_that_the_library_confirms_and_none_is_measured_twice(measured):
    rows = measured
    assert [(row["arm"], row["weight"]) for row in rows] == [
        ("MLDG", 0), ("adapter", 0), (study.CONTROL, 0), ("no adaptation", 0), ("AdaBN", 0), ("CORAL", 1), ("DANN", 0.1),
        ("DANN", 1)]
    assert not list(STUDY.measure(STUDY.work([1]), rows, TINY))
    w = study.of_seed(1, TINY)
    seen, q = study.target(w, 0.6)
    assert torch.bincount(seen.labels, minlength=10)[w.frequent].tolist() == [30] * 3
    by_arm = {row["arm"]: row for row in rows}
    for arm, unlabeled in (("no adaptation", None), ("AdaBN", pixels(seen.images))):
        views = lambda x: small.views(w.base.net, small.known(w.source, 1, TINY.known), x, unlabeled)
        logits = views(pixels(w.test.images)).logits
        right = logits.argmax(1) == w.test.labels
        weight = q[w.test.labels] / torch.bincount(w.test.labels).double()[w.test.labels]
        assert by_arm[arm]["accuracy"] == pytest.approx(100 * float(weight[right].sum()), abs=1e-3)
        told = float(information(views(pixels(seen.images)).logits))
        assert by_arm[arm]["information"] == pytest.approx(told, abs=1e-3)
        said = torch.zeros(10).double().index_add_(0, logits.argmax(1), weight)
        assert by_arm[arm]["predicted"] == pytest.approx(float((said - 0.1).abs().sum() / 2), abs=1e-3)
    assert "label distance 0.6   seed 1   DANN 0.1" in study.line(by_arm["DANN"] | {"weight": 0.1})


def test_the_test_half_and_its_labels_train_nothing(measured):
    study.of_seed.cache_clear()
    w = study.of_seed(1, TINY)
    w.test.labels.copy_(w.test.labels.flip(0))
    assert [row["information"] for row in STUDY.measure(STUDY.work([1]), [], TINY)] == pytest.approx(
        [row["information"] for row in measured], abs=1e-4)
    study.of_seed.cache_clear()


def test_the_command_measures_what_is_missing_writes_and_draws(measured, tmp_path, capsys, monkeypatch):
    out = tmp_path / "rows.json"
    budget = replace(TINY, distances=(0.0, 0.6))
    monkeypatch.setattr(study, "STUDY", replace(STUDY, budget=budget))
    every = [{**row, "seed": seed, "distance": d} for row in measured for seed in (0, 1) for d in budget.distances]
    of_arm = lambda rows, arm: [row for row in rows if (row["arm"], row["seed"], row["distance"]) == (arm, 1, 0.6)]
    save(out, [row for row in every if row not in of_arm(every, "DANN")], study.KEY)
    words = ["mlcourse", "study", "label-shift", "--seed", "0", "--seed", "1", "--out", str(out)]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as end:
        cli.main()
    said, rows = capsys.readouterr().out, read(out)
    assert end.value.code in (0, None) and len(rows) == 32 and out.with_suffix(".png").exists()
    assert said.count("label distance 0.6   seed 1   DANN") == 2 and "AdaBN" not in said
    numbers = lambda rows: [{**row, "seconds": 0} for row in of_arm(rows, "DANN")]
    assert numbers(rows) == numbers(measured)


def row(arm, seed, distance, accuracy, weight=0.0, info=1.0):
    return {"arm": arm, "seed": seed, "distance": distance, "weight": weight, "accuracy": accuracy, "information": info,
            "predicted": 0.1}


def test_values_by_seed_and_paired_differences():
    rows = [row("A", s, 0.0, 10.0 * s) for s in range(3)] + [row("B", s, 0.0, 10.0 * s - 5 - s) for s in range(3)]
    a, b = (plots.by_seed(rows, "accuracy", arm=arm, distance=0.0) for arm in "AB")
    assert a == {0: 0.0, 1: 10.0, 2: 20.0}
    assert paired_difference(a, b) == t_interval([5.0, 6.0, 7.0])
    for which, message in ((dict(arm="C"), "no row"), (dict(distance=0.0), "several rows of one seed")):
        with pytest.raises(ValueError, match=message):
            plots.by_seed(rows, "accuracy", **which)


def test_the_weight_is_chosen_by_information_within_each_seed():
    rows = [row("DANN", 0, 0.6, 30.0, 0.1, 1.5), row("DANN", 0, 0.6, 70.0, 1.0, 1.2),
            row("DANN", 1, 0.6, 40.0, 0.1, 1.0), row("DANN", 1, 0.6, 50.0, 1.0, 1.1)]
    assert plots.of_arm(rows, "DANN", 0.6) == {0: 30.0, 1: 50.0}
    assert {seed: r["weight"] for seed, r in plots.chosen(rows, "DANN", 0.6).items()} == {0: 0.1, 1: 1.0}
    assert plots.rank_agreement(rows, 0.6).mean == pytest.approx(0.0)        # -1 in one seed, +1 in the other
    with pytest.raises(ValueError, match="no row of 'CORAL' at label distance 0.6"):
        plots.chosen(rows, "CORAL", 0.6)


def test_the_titles_follow_the_numbers():
    rows = []
    for seed in range(3):
        noise = np.random.default_rng(seed).normal()
        for d in (0.0, 0.6):
            rows += [row("AdaBN", seed, d, 50 + noise), row("no adaptation", seed, d, 40 + noise)]
            rows += [row(arm, seed, d, 50 + gain * (1 if d == 0 else -2) + noise, w, 1 + 0.1 * w + noise)
                     for arm, gain in (("CORAL", 5), ("DANN", 10)) for w in (0.1, 1.0)]
    title = "Points over AdaBN, label distance 0 → 0.6: CORAL +5 → -10, DANN +10 → -20"
    assert plots.label_shift(rows).alt.startswith(f"{title}.")
    assert "at label distance 0 " in plots.choosing(rows).alt
