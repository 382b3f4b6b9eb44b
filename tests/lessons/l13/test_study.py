"""The label-shift study on a small scale, BBSE, and the reading of the study's rows."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import patterns

from mlcourse import cli
from mlcourse.episode.across import pixels
from mlcourse.lessons.l13_adaptation import bbse, figures as plots, study_label_shift as study
from mlcourse.rows import read, save
from mlcourse.statistics import paired_difference, t_interval
from mlcourse.studies.transfer.seed import Budget as Training
from mlcourse.studies.transfer.source import parted

TINY = study.Budget(distances=(0.6,), training=Training(width=2, source=5, align=2), pictures=120, unlabeled=40)
STUDY = study.STUDY
STILL = [study.PLAIN, study.PLAIN + study.BBSE, study.PLAIN + study.TRUE]


@pytest.fixture(scope="module")
def measured():
    """The rows of one seed at one distance."""
    return list(STUDY.measure(STUDY.work([1]), [], TINY))


def test_every_arm_has_a_row_and_none_is_measured_twice(measured):
    assert [(row["ground"], row["arm"]) for row in measured] == [
        *((study.WITHIN, arm) for arm in STILL), *((study.ACROSS, arm) for arm in STILL), (study.ACROSS, "AdaBN"),
        (study.ACROSS, "AdaBN, BBSE"), (study.ACROSS, "AdaBN, true shares"), (study.ACROSS, "CORAL"),
        (study.ACROSS, "CORAL, BBSE"), (study.ACROSS, "CORAL, true shares"), (study.ACROSS, "SHOT")]
    assert not list(STUDY.measure(STUDY.work([1]), measured, TINY))
    assert "label distance 0.6   seed 1   CORAL, BBSE" in study.line(measured[-3])


def test_uniform_shares_have_no_true_ones_to_weight_by():
    keys = study.plan(STUDY.work([0]), replace(TINY, distances=(0.0, 0.6)))
    assert not [key for key in keys if key[1].endswith(study.TRUE) and key[2] == 0.0]
    assert (study.WITHIN, study.PLAIN + study.TRUE, 0.6, 0) in keys and len(keys) == len(set(keys))


def test_the_rows_of_adabn_are_those_of_a_network_taken_by_hand(measured):
    g = study.grounds(1, TINY)[study.ACROSS]()
    at = study.shifted(g, 0.6, TINY.unlabeled)
    s, base = g.networks, g.networks.base.net
    seen, q = at.networks.setting.train, at.q
    assert torch.bincount(seen.labels, minlength=10)[g.frequent].tolist() == [12] * 3
    with torch.no_grad():
        logits = base(pixels(s.setting.test.images), base.statistics(at.networks.episode.unlabeled_x[0])).double()
        held, rest = parted(s.setting.source, 1)
        known = pixels(s.setting.known(rest, 1).images)
        at_home = base(pixels(held.images), base.statistics(known)).argmax(1)
        away = base(pixels(seen.images), base.statistics(at.networks.episode.unlabeled_x[0])).argmax(1)
    w = bbse.label_weights(bbse.confusion(at_home, held.labels, 10), bbse.shares(away, 10))
    p = bbse.shares(s.setting.source.labels, 10)
    by_arm = {row["arm"]: row for row in measured if row["ground"] == study.ACROSS}
    for arm, weights in (("AdaBN", torch.ones(10)), ("AdaBN, BBSE", w), ("AdaBN, true shares", q / p)):
        says, labels = (logits + weights.clamp(min=1e-9).log()).argmax(1), s.setting.test.labels
        right = sum(float(q[c]) * float((says == labels)[labels == c].double().mean()) for c in range(10))
        assert by_arm[arm]["accuracy"] == pytest.approx(100 * right, abs=0.3), arm
    assert by_arm["AdaBN, BBSE"]["missed"] == pytest.approx(float((w * p - q).abs().sum() / 2), abs=0.02)
    assert by_arm["AdaBN, true shares"]["missed"] == pytest.approx(0, abs=1e-6)


def test_one_domain_has_other_pictures_of_the_same_kind_in_all_its_parts():
    s = study.grounds(0, TINY)[study.WITHIN]().networks.setting
    parts = [set(map(bytes, domain.images.numpy())) for domain in (s.source, s.train, s.test)]
    assert all(len(part) == len(domain.images) for part, domain in zip(parts, (s.source, s.train, s.test), strict=True))
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])


def test_the_test_half_and_its_labels_train_nothing(measured, monkeypatch):
    made = study.grounds

    def flipped(seed, budget):
        g = made(seed, budget)[study.ACROSS]()
        g.networks.setting.test.labels.copy_(g.networks.setting.test.labels.flip(0))
        return {study.ACROSS: lambda: g}

    monkeypatch.setattr(study, "grounds", flipped)
    todo = [key for key in study.plan(STUDY.work([1]), TINY) if key[0] == study.ACROSS]
    told = [row["information"] for row in measured if row["ground"] == study.ACROSS]
    assert [row["information"] for row in study.rows(STUDY.work([1]), TINY, todo, [])] == pytest.approx(told, abs=1e-4)


def test_the_command_measures_what_is_missing_writes_and_draws(measured, tmp_path, capsys, monkeypatch):
    out = tmp_path / "rows.json"
    monkeypatch.setattr(study, "STUDY", replace(STUDY, budget=replace(TINY, distances=(0.0, 0.6))))
    every = [{**row, "seed": seed, "distance": d} for row in measured for seed in (0, 1) for d in (0.0, 0.6)
             if d or not row["arm"].endswith(study.TRUE)]
    key = (study.WITHIN, "no adaptation, BBSE", 1, 0.6)
    last = lambda row: (row["ground"], row["arm"], row["seed"], row["distance"]) == key
    save(out, [row for row in every if not last(row)], study.KEY)
    words = ["mlcourse", "study", "label-shift", "--seed", "0", "--seed", "1", "--out", str(out)]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as end:
        cli.main()
    said, rows = capsys.readouterr().out, read(out)
    assert end.value.code in (0, None) and len(rows) == len(every) and out.with_suffix(".png").exists()
    assert said.count("label distance 0.6   seed 1   no adaptation, BBSE") == 1 and "AdaBN" not in said
    numbers = lambda rows: [{**row, "seconds": 0} for row in rows if last(row)]
    assert numbers(rows) == numbers(every)


# ---------------------------------------------------------------- BBSE


def test_with_all_pictures_of_a_target_the_shares_are_exact():
    """R w = r holds in expectation, so it is exact where the target's answers are those that R expects."""
    table = torch.tensor([[0.7, 0.2, 0.0], [0.2, 0.5, 0.1], [0.1, 0.3, 0.9]]).double()        # P(answer | label)
    p, q = torch.tensor([0.5, 0.3, 0.2]).double(), torch.tensor([0.1, 0.2, 0.7]).double()
    assert bbse.label_weights(table * p, table @ q) == pytest.approx((q / p).tolist())


def test_confusion_counts_answers_in_rows_and_labels_in_columns():
    said, labels = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 1, 1, 2])
    assert bbse.confusion(said, labels, 3).tolist() == [[0.25, 0.25, 0], [0, 0.25, 0], [0, 0, 0.25]]


def test_a_negative_weight_becomes_0_and_a_singular_table_is_no_error():
    joint = torch.tensor([[0.4, 0.2], [0.2, 0.2]]).double()
    w = bbse.label_weights(joint, torch.tensor([0.3, 0.7]).double())
    assert w.min() == 0 and float(w @ joint.sum(0)) == pytest.approx(1)
    never = torch.tensor([[0.5, 0.5], [0.0, 0.0]]).double()
    assert bbse.label_weights(never, torch.tensor([1.0, 0.0]).double()).tolist() == pytest.approx([1.0, 1.0])


def test_the_source_is_drawn_in_the_shares_that_are_asked_for():
    source, target = patterns(0, classes=4, per_class=30), patterns(1, classes=4, per_class=30)
    q = torch.tensor([0.5, 0.0, 0.3, 0.2]).double()
    sampler = bbse.InShares(source, target, q, 500)
    episode, again = (sampler.sample(2, torch.Generator().manual_seed(0)) for _ in range(2))
    assert torch.equal(episode.support_x, again.support_x) and episode.support_x.shape[:2] == (2, 500)
    drawn = torch.bincount(episode.support_y.flatten(), minlength=4) / 1000
    assert drawn.tolist() == pytest.approx(q.tolist(), abs=0.05) and drawn[1] == 0
    mine = {bytes(x) for x in (255 * episode.unlabeled_x).round().byte().flatten(0, 1).numpy()}
    assert mine <= {bytes(x) for x in target.images.numpy()} and episode.way == 4


# ---------------------------------------------------------------- the reading of rows


def row(arm, seed, distance, accuracy, ground=study.ACROSS):
    return {"ground": ground, "arm": arm, "seed": seed, "distance": distance, "accuracy": accuracy}


def test_values_by_seed_and_paired_differences():
    rows = [row("A", s, 0.0, 10.0 * s) for s in range(3)] + [row("B", s, 0.0, 10.0 * s - 5 - s) for s in range(3)]
    a, b = (plots.at(rows, study.ACROSS, arm, 0.0) for arm in "AB")
    assert a == {0: 0.0, 1: 10.0, 2: 20.0}
    assert paired_difference(a, b) == t_interval([5.0, 6.0, 7.0])
    for which, message in ((dict(arm="C"), "no row"), (dict(distance=0.0), "several rows of one seed")):
        with pytest.raises(ValueError, match=message):
            plots.by_seed(rows, "accuracy", **which)


def test_the_title_follows_the_numbers():
    rows = [row(arm, seed, d, 50 + gain * d + np.random.default_rng(seed).normal(), ground)
            for ground, arms in plots.PANELS.items() for seed in range(3) for d in (0.0, 0.6)
            for arm, gain in zip(arms, (0, 10, 20, -10, 5, -20), strict=False)]
    alt = plots.label_shift(rows).alt
    assert alt.startswith("BBSE at distance 0.6: +6.0 ± 0.0 points on faint print; typeset → handwritten +6.0 ± 0.0 to "
                          "AdaBN, +3.0 ± 0.0 to no adaptation.")


def test_the_title_speaks_of_no_gain_where_there_is_none():
    rows = [row(arm, seed, 0.6, value + 25 * seed, ground) for ground, arms in plots.PANELS.items() for seed in range(3)
            for arm, value in zip(arms, (10, 5, 20, 30, 12, 2), strict=False)]
    assert plots.label_shift(rows).alt.startswith("BBSE at distance 0.6: -5.0 ± 0.0 points on faint print")


def test_the_grounds_of_the_figure_are_those_of_the_study():
    assert (plots.WITHIN, plots.ACROSS) == (study.WITHIN, study.ACROSS)
    asked = {(ground, arm) for ground, arm, *_ in study.plan(STUDY.work([0]), STUDY.budget)}
    assert {(ground, arm) for ground, arms in plots.PANELS.items() for arm in arms} <= asked
