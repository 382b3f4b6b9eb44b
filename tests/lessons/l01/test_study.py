"""The studies of lesson 01 on a small scale, against the library called by hand, and the rows that the lesson reads."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from mlcourse import cli
from mlcourse.datasets import DataError, factors, load
from mlcourse.datasets.frame import framed
from mlcourse.datasets.glyphs import load_digits_named_by_face
from mlcourse.domains import SHIFTS, deal, shift_domain
from mlcourse.domains.distances import mmd, proxy_a_distance, proxy_a_floor
from mlcourse.lessons.l01_domains import study_crossing as crossing, study_shift as shift
from mlcourse.lessons.l01_domains.checks_remedy import CLAIMS
from mlcourse.lessons.l01_domains.figures import by_seed, losses
from mlcourse.rows import read
from mlcourse.statistics import t_interval
from mlcourse.system import paths

MEASURED = ("accuracy", "pad", "pad_low", "pad_high", "mmd", "mmd_floor")


TINY = shift.Budget(severities=(0.0, 0.5), steps=2, sample=60, points=300)


def test_a_row_of_a_shift_is_what_the_library_says():
    row = shift.measure("blur", 1, TINY)
    home, away, learner, sigma = shift.of_seed(1, TINY)
    moved = shift_domain(away, "blur", 0.5, 1)
    pad, apart = proxy_a_distance(home, moved, 1, size=60), mmd(home, moved, 1, size=60, bandwidth=sigma)
    with torch.no_grad():
        right = (learner.net(moved.images.float() / 255).argmax(1) == moved.labels).double().mean().item()
    assert (row["kind"], row["seed"], row["severity"]) == ("blur", 1, [0.0, 0.5])
    want = {"accuracy": right, "pad": pad.value, "pad_low": pad.low, "pad_high": pad.high, "mmd": apart.value,
            "mmd_floor": apart.floor}
    for field, value in want.items():
        assert row[field][1] == pytest.approx(value, abs=6e-5), field
    assert row["command"] == "mlcourse study shift --seed 1" and {"commit", "versions", "threads"} <= set(row)
    assert "accuracy" in shift.line(row) and "PAD" in shift.line(row)


def test_the_parts_share_no_picture_and_seeds_differ():
    one, two = shift.of_seed(0, TINY), shift.of_seed(1, TINY)
    assert len(one.home.images) == len(one.away.images) == 1050
    assert not torch.equal(one.home.images, two.home.images)
    weight = lambda of_seed: next(of_seed.learner.parameters())
    assert not torch.equal(weight(one), weight(two))


def test_a_row_of_a_factor_has_the_best_accuracy():
    row = shift.measure(factors.CONCEPT, 0, TINY)
    line = factors.fit_line(*factors.draw(factors.LEFT, 0, 300, 0))
    reached, best = factors.line_accuracy(line, factors.CONCEPT, 0.5)
    assert row["accuracy"][1] == pytest.approx(reached, abs=6e-5) and row["best"][1] == pytest.approx(best, abs=6e-5)
    assert row["pad"][0] == row["pad"][1]            # the very same inputs


def test_other_worlds_and_floors(monkeypatch):
    row = shift.measure("UCI digits", 0, TINY)
    home = shift.of_seed(0, TINY).home
    assert row["severity"] == [1.0]
    assert row["pad"][0] == pytest.approx(proxy_a_distance(home, load("digits"), 0, size=60).value, abs=6e-5)
    row = shift.measure("UCI digits, again", 0, TINY)
    assert row["pad"][0] == pytest.approx(proxy_a_floor(load("digits"), 0, size=60).value, abs=6e-5)
    assert row["mmd"] == [None]
    with pytest.raises(ValueError, match="unknown kind 'fog'; choose one of rotation"):
        shift.measure("fog", 0, TINY)


def test_out_of_the_frame_are_the_same_pictures_in_another_place():
    home, away, learner, _ = shift.of_seed(0, TINY)
    as_they_come = deal(load("glyphs-digits@unframed"), shift.SHARES, 0)[2]
    assert torch.equal(as_they_come.labels, away.labels) and not torch.equal(as_they_come.images, away.images)
    row = shift.measure(shift.AS_IT_COMES, 0, TINY)
    assert row["pad"][0] == pytest.approx(proxy_a_distance(home, as_they_come, 0, size=60).value, abs=6e-5)
    with torch.no_grad():
        z = [learner.net.features(domain.images.float() / 255) for domain in (home, as_they_come)]
    assert row["pad_features"][0] == pytest.approx(proxy_a_distance(*z, 0, size=60).value, abs=6e-5)


def test_at_8_by_8_a_picture_holds_no_more_than_64_numbers_and_stays_in_the_frame():
    away = shift.of_seed(0, TINY).away
    few = away.take(torch.arange(60))
    coarse = shift.coarse(few)
    assert coarse.images.shape == few.images.shape and torch.equal(coarse.labels, few.labels)
    for picture, before in zip(coarse.images[:, 0].numpy(), few.images[:, 0].numpy()):
        small = framed(before.astype(np.float32), side=11)
        rows, columns = small.any(1).sum(), small.any(0).sum()
        assert max(rows, columns) == 8
        again = framed(small).round().astype(np.uint8)
        assert np.array_equal(picture, again)
        assert abs(int(picture.max(1).astype(bool).sum()) - int(before.max(1).astype(bool).sum())) <= 2


def test_what_is_not_here_is_passed_over_by_name(monkeypatch, capsys):
    monkeypatch.setattr(shift, "KINDS", ("MNIST", "blur"))

    def absent(name):
        if name == "mnist":
            raise DataError("there is no mnist here")
        return load(name)

    monkeypatch.setattr(shift, "load", absent)
    study, work = shift.STUDY, shift.STUDY.work([0])
    assert [row["kind"] for row in study.measure(work, [], TINY)] == ["blur"]
    assert "MNIST: passed over (there is no mnist here)" in capsys.readouterr().out
    assert list(study.measure(work, [{"kind": kind, "seed": 0} for kind in ("blur", "MNIST")], TINY)) == []


def test_a_crossing_is_what_scikit_learn_says_of_the_same_pictures():
    home, away = crossing.by_face(0)
    assert torch.equal(home.images, shift.of_seed(0, TINY).home.images)
    faces = load_digits_named_by_face()
    assert torch.equal(faces.images, load("glyphs-digits@unframed").images)      # so their rows are those of the frame
    y = crossing.slanted(away)
    for label, face in zip(y[:200].tolist(), away.labels[:200].tolist()):
        assert label == (away.classes[face].endswith(("Italic", "Oblique")))
    x = lambda domain: domain.images.flatten(1).double().numpy() / 255
    mean, std = x(home)[:500].mean(0), x(home)[:500].std(0)
    std[std == 0] = 1
    model = LogisticRegression(max_iter=3000).fit((x(home)[:500] - mean) / std, crossing.slanted(home)[:500])
    by_hand = model.score((x(away) - mean) / std, y)
    assert crossing.measure("task", "pixels", 0, TINY)["accuracy"] == pytest.approx(by_hand, abs=0.005)


def test_a_sweep_counts_the_ink_of_columns_and_rows():
    domain = shift.of_seed(0, TINY).home
    swept, image = crossing.sweep(domain)[7], domain.images[7, 0].numpy() / 255
    by_hand = [image[:, c].sum() / 28 for c in range(28)] + [image[r].sum() / 28 for r in range(28)]
    assert swept.tolist() == pytest.approx(by_hand, abs=1e-6)


def test_crossings_have_a_row_for_every_arm_and_unknown_ones_are_named():
    study, work = crossing.STUDY, crossing.STUDY.work([0])
    there = [dict(zip(crossing.KEY, key)) for key in study.plan(work, TINY) if key != ("domain", "UCI digits", 0)]
    [row] = study.measure(work, there, TINY)
    assert row["arm"] == "UCI digits" and "cross-domain" in crossing.line(row)
    with pytest.raises(ValueError, match="unknown arm 'ink' of the crossing 'task'; the crossings are task, domain"):
        crossing.measure("task", "ink", 0, TINY)


@pytest.mark.parametrize("study", [shift, crossing], ids=["shift", "crossing"])
def test_the_command_writes_rows_and_a_picture_even_for_one_seed(study, tmp_path, monkeypatch, capsys):
    name, out = study.STUDY.name, tmp_path / "rows.json"
    monkeypatch.setattr(study, "STUDY", replace(study.STUDY, budget=TINY))
    threads = torch.get_num_threads()
    monkeypatch.setattr(sys, "argv", ["mlcourse", "study", name, "--seed", "3", "--out", str(out)])
    monkeypatch.setenv("MLCOURSE_DATA", str(tmp_path))
    with pytest.raises(SystemExit) as end:
        cli.main()
    torch.set_num_threads(threads)
    assert not end.value.code
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG") and "drawn in" in capsys.readouterr().out
    rows = read(out)
    assert {row["seed"] for row in rows} == {3} and len(rows) > 8


# ------------------------------------------------- the rows that the lesson reads


def kept(name):
    return read(name)


def test_the_kept_rows_are_five_seeds_of_everything():
    rows = kept("shift")
    by_kind = {kind: [row for row in rows if row["kind"] == kind] for kind in shift.KINDS}
    assert {row["kind"] for row in rows} <= set(shift.KINDS)
    for kind, own in by_kind.items():
        assert kind == "MNIST" or sorted(row["seed"] for row in own) == list(range(5)), kind
        for row in own:
            assert all(len(row[field]) == len(row["severity"]) for field in MEASURED)
            assert row["command"] == f"mlcourse study shift --seed {row['seed']}" and row["commit"]
    assert all(by_kind[kind][0]["severity"] == [i / 10 for i in range(11)] for kind in (*SHIFTS, *factors.KINDS))
    arms = {(name, arm, seed) for name, own in crossing.ARMS.items() for arm in own for seed in range(5)}
    assert {(row["crossing"], row["arm"], row["seed"]) for row in kept("crossing")} == arms


def test_the_kept_rows_say_what_the_lesson_says():
    at = lambda kind, field, severity: np.array([row[field][row["severity"].index(severity)] for row in kept("shift")
                                                 if row["kind"] == kind])
    home = at("texture", "accuracy", 0.0)
    assert (home > 0.98).all()
    assert (at("texture", "pad", 0.2) > 1.9).all() and (home - at("texture", "accuracy", 0.2)).mean() < 0.02
    assert (at("inversion", "pad", 0.3) < 0.8).all() and (home - at("inversion", "accuracy", 0.3) > 0.2).all()
    for kind in ("typeset digits, again", "UCI digits, again"):
        assert abs(at(kind, "pad", 0.0).mean()) < 0.1
    last = lambda kind, field: by_seed(kept("shift"), kind, field)
    coarse, unframed = (home - last(kind, "accuracy") for kind in (shift.COARSE, shift.AS_IT_COMES))
    assert (last(shift.COARSE, "pad") > last(shift.AS_IT_COMES, "pad")).all()
    assert coarse.mean() < 0.02 and unframed.min() > 0.1
    finer = t_interval(last(shift.COARSE_MNIST, "pad") - last("MNIST", "pad"))
    assert finer.low > 0 and t_interval(last("UCI digits", "pad") - last(shift.COARSE_MNIST, "pad")).low > 0


def test_the_verdicts_of_the_exercise_are_those_of_the_intervals():
    """As in the lesson's cell, with scikit-learn as the discriminator; both ways about 30 points stay in effect."""
    found, effect = {}, {}
    for key, kind in (("a", factors.RIGHT), ("b", factors.LEFT), ("c", factors.LABEL), ("d", factors.CONCEPT)):
        gains = []
        for world in range(20):
            x, y = factors.draw(factors.LEFT, 0, 1000, seed=2 * world)
            away, _ = factors.draw(kind, 0.6, 1000, seed=2 * world + 1)
            z, side = torch.cat([x, away]).numpy(), np.repeat([0, 1], 1000)
            p = LogisticRegression(C=1e6).fit(z, side).predict_proba(x.numpy())[:, 1]
            w = p / (1 - p)
            effect.setdefault(kind, []).append(w.sum() ** 2 / (w ** 2).sum())
            lines = (factors.fit_line(x, y, weight, decay=1e-6) for weight in (None, torch.tensor(w)))
            plain, weighted = (100 * factors.line_accuracy(line, kind, 0.6)[0] for line in lines)
            gains.append(weighted - plain)
        found[key] = t_interval(gains)
    said = {key: "yes" if one.low > 0 else "no" if one.high < 0 else "open" for key, one in found.items()}
    assert said == {key: claim.right for key, claim in CLAIMS.items()}, found
    assert all(24 < np.mean(effect[kind]) < 36 for kind in (factors.LEFT, factors.RIGHT))


def test_the_bend_lies_where_home_has_few_points_and_most_marks_of_inversion_above_half_of_pad():
    x, _ = factors.draw(factors.LEFT, 0, 100_000, seed=5)
    assert float((x[:, 0] > factors.BEND).double().mean()) < 0.05
    marks = [(pad, lost) for kind, _, pad, lost, *_ in losses(kept("shift")) if kind == "inversion"]
    assert len(marks) == 10 and sum(lost > pad / 2 for pad, lost in marks) == 9


def test_the_page_says_of_resolution_what_the_kept_rows_say():
    page = " ".join((paths.ROOT / "benchmarks" / "shift.md").read_text(encoding="utf-8").split())
    last = lambda kind, field="pad": by_seed(kept("shift"), kind, field)
    uci, mnist, coarse = last("UCI digits"), last("MNIST"), last(shift.COARSE_MNIST)
    right = last("MNIST", "accuracy") - last("UCI digits", "accuracy")
    for sentence, values in (("Of the {} by which UCI digits lie farther than MNIST,", uci - mnist),
                             ("resolution is {},", coarse - mnist),
                             ("a share of {}:", (coarse - mnist) / (uci - mnist)),
                             ("The other {} is something else.", uci - coarse)):
        assert sentence.format(t_interval(values).text(2)) in page, sentence
    assert f"MNIST less UCI digits {t_interval(100 * right).text()} points" in page
    assert t_interval(right).low < 0 < t_interval(right).high


def test_the_bound_holds_in_the_concept_shift():
    """The lesson's 0.49: where P(x) stays, the distance is 0, and the ideal joint error at least the line's loss."""
    line = factors.fit_line(*factors.draw(factors.LEFT, 0, 2000, seed=0))
    at_home, away = (1 - factors.line_accuracy(line, factors.CONCEPT, severity)[0] for severity in (0, 1))
    own = by_seed(kept("shift"), factors.CONCEPT, "accuracy").mean()
    home = np.mean([row["accuracy"][0] for row in kept("shift") if row["kind"] == factors.CONCEPT])
    assert round(home - own, 2) == 0.49 and away - at_home == pytest.approx(0.49, abs=0.02)
    (x, y), (_, turned) = (factors.draw(factors.CONCEPT, severity, 20_000, seed=12) for severity in (0, 1))
    joint = factors.fit_line(torch.cat([x, x]), torch.cat([y, turned]))
    assert sum(1 - factors.line_accuracy(joint, factors.CONCEPT, severity)[0] for severity in (0, 1)) > home - own


def test_far_to_the_right_a_constant_answer_does_as_well_as_the_lesson_says():
    _, y = factors.draw(factors.RIGHT, 1, 100_000, seed=3)
    assert float(y.double().mean()) == pytest.approx(0.92, abs=0.01)


def test_under_the_label_shift_weights_gain_nothing_where_the_line_has_no_weight_decay():
    """Claim c, with scikit-learn for the line, too."""
    gains = []
    for world in range(20):
        x, y = factors.draw(factors.LEFT, 0, 1000, seed=2 * world)
        away, _ = factors.draw(factors.LABEL, 1, 1000, seed=2 * world + 1)
        split = LogisticRegression(C=1e6).fit(torch.cat([x, away]).numpy(), np.repeat([0, 1], 1000))
        p = split.predict_proba(x.numpy())[:, 1]
        right = []
        for weight in (None, p / (1 - p)):
            fit = LogisticRegression(C=1e6).fit(x.numpy(), y.numpy(), weight)
            line = factors.Line(torch.tensor(fit.coef_[0]).float(), torch.tensor(fit.intercept_[0]).float())
            right.append(100 * factors.line_accuracy(line, factors.LABEL, 1)[0])
        gains.append(right[1] - right[0])
    gain = t_interval(gains)
    assert abs(gain.mean) < 0.15 and gain.high - gain.mean < 0.15
