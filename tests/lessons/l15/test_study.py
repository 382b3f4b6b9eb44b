"""The distillation study: its plan, its rows at a tiny size, and what the stored rows say."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mlcourse.datasets.store import DataError
from mlcourse.domains import Domain
from mlcourse.lessons.l15_distillation import figures as plots, study_distillation as study
from mlcourse.rows import read
from mlcourse.statistics import paired_difference

STORED = read("distillation")


TINY = study.Budget(teacher=6, widths=(2, 4), width=4, left_out_width=4, steps=3, left_out_steps=3, seeds=2, left_out_mnist=0,
                    times=2)
STUDY = study.STUDY


def key(row):
    return STUDY.key_of(row)


def test_every_row_is_measured_once_and_none_twice():
    work = STUDY.work()
    found = list(STUDY.measure(work, [], TINY))
    assert sorted(map(key, found)) == sorted(study.plan(work, TINY)) and not list(STUDY.measure(work, found, TINY))
    arms = {row["arm"] for row in found if row["part"] == "domains"}
    assert arms == {"teacher, AdaBN", "teacher, no adaptation", "source labels", "source labels, AdaBN",
                    "target labels", "distilled", "other teacher", "first choices"}
    assert {row["seed"] for row in found if row["part"] == "domains"} == {0, 1}
    by_t = {row["temperature"] for row in found if row["arm"] == "distilled" and row["part"] == "domains"}
    assert by_t == set(study.TEMPERATURES)
    for row in found:
        assert row["command"] == f'mlcourse study distillation --part "{row["part"]}" --seed {row["seed"]}'
        assert study.line(row)
        if row["part"] != "cost":
            assert 0 <= row["errors_left_out"] <= row["errors"] <= row["pictures"]
            assert row["accuracy"] == pytest.approx(100 * (1 - row["errors"] / row["pictures"]), abs=1e-3)
    for row in (row for row in found if row["arm"] == "left out"):
        assert row["errors_test"] <= row["errors"] and row["errors_test"] <= row["errors_train"]


def test_an_interrupted_study_goes_on_with_the_same_numbers():
    clean = lambda rows: [{k: v for k, v in row.items() if k not in ("commit", "seconds")} for row in rows]
    work, stopped = STUDY.work([0], part=["domains"]), []
    whole = list(STUDY.measure(work, [], TINY))
    study.of_seed.cache_clear()
    for row in STUDY.measure(work, [], TINY):
        stopped.append(row)
        if row["arm"] == "target labels":
            break
    study.of_seed.cache_clear()
    rest = list(STUDY.measure(work, stopped, TINY))
    order = lambda rows: sorted(clean(rows), key=str)
    assert rest and order(stopped + rest) == order(whole)


def test_labels_of_the_target_reach_the_upper_bound_and_the_accuracies_alone():
    w = study.of_seed("domains", "digits", 0, TINY)
    wrong = Domain(w.seen.name, w.seen.images, w.seen.labels.flip(0), w.seen.classes, w.seen.groups)
    for student in study.students("domains", TINY):
        nets = []
        for of_seed in (w, w._replace(seen=wrong)):
            made = study.untrained(of_seed, student)
            nets.append(study.learned(*made, "domains", 0, TINY).net)
        same = all(torch.equal(a, b) for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True))
        assert same == (student.arm != "target labels"), student


def test_the_student_that_misses_a_class_never_sees_it():
    w = study.of_seed("left out", "digits", 0, TINY)
    _, _, seen = study.untrained(w, study.Student("left out", 4, 4.0))
    assert int((seen.labels == study.LEFT_OUT).sum()) == 0 < int((w.seen.labels == study.LEFT_OUT).sum())
    assert len(seen.images) + int((w.seen.labels == study.LEFT_OUT).sum()) == len(w.seen.images)


def test_the_chosen_teacher_is_the_more_informative_one_and_a_first_choice_is_a_label():
    w = study.of_seed("domains", "digits", 0, TINY)
    assert w.chosen == max(("AdaBN", "no adaptation"), key=w.information.get)
    x = torch.rand(5, 1, 16, 16)
    v, hard = w.teachers["AdaBN"](x), study.remembered(w.teachers["AdaBN"], x, True)(x)
    assert torch.equal(hard.argmax(1), v.argmax(1)) and float(hard.softmax(1).max(1).values.min()) > 1 - 1e-9
    asked = x[[3, 0, 3, 4]].view(2, 2, 1, 16, 16)
    torch.testing.assert_close(study.remembered(w.teachers["AdaBN"], x)(asked), w.teachers["AdaBN"](asked))


def test_the_best_bias_is_that_of_a_loop():
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(200, 10, generator=generator), torch.randint(10, (200,), generator=generator)
    logits[range(200), labels] += 2
    logits[:, study.LEFT_OUT] -= 4.0
    best, fewest = None, 201
    for step in range(201):
        moved = logits.clone()
        moved[:, study.LEFT_OUT] += step / 10
        errors = int((moved.argmax(1) != labels).sum())
        if errors < fewest:
            best, fewest = step / 10, errors
    assert study.best_bias(logits, labels) == pytest.approx(best) and 1 < best < 8
    assert study.wrong(logits, labels)["errors"] > fewest


def test_data_that_are_not_here_are_passed_over_by_name(monkeypatch, capsys):
    def missing(*_):
        raise DataError("mnist is not here")

    monkeypatch.setattr(study, "load", missing)
    study.of_seed.cache_clear()
    work = STUDY.work(part=["left out"])
    assert not list(STUDY.measure(work, [], replace(TINY, seeds=0, left_out_mnist=1)))
    assert "left out, mnist: passed over (mnist is not here)" in capsys.readouterr().out


def test_an_unknown_part_is_told():
    with pytest.raises(ValueError, match="there is no part 'heat'; the parts are domains, left out, cost"):
        STUDY.work(part=["heat"])


def test_students_of_labels_see_as_many_pictures_a_step_as_those_of_soft_targets(monkeypatch):
    w, batches = study.of_seed("domains", "digits", 0, TINY), []
    monkeypatch.setattr(study, "train", lambda learner, phases, seed, progress: batches.append(
        phases[0].sample(torch.Generator().manual_seed(seed)).task(0)))
    for student in (study.Student("source labels", 4), study.Student("distilled", 4, 1.0)):
        study.learned(*study.untrained(w, student), "domains", 0, TINY)
    assert [len(batches[0].support_x), len(batches[1].unlabeled_x)] == [60, 60]


# ------------------------------------------------------------ the stored rows

def of(arm, width=8, **more):
    """The accuracies of an arm of the part "domains", by seed."""
    return plots.by_seed(STORED, "domains", arm, "accuracy", width=width, **more)


def left(field, temperature=20.0, data="digits"):
    return plots.by_seed(STORED, "left out", "left out", field, temperature=temperature, data=data)


def test_every_planned_row_is_stored_once():
    assert sorted(map(key, STORED)) == sorted(study.plan(STUDY.work(), STUDY.budget))


def test_a_distilled_student_beats_the_same_student_of_source_labels_by_more_than_the_interval():
    for width in STUDY.budget.widths:
        for arm in ("source labels", "source labels, AdaBN"):
            assert paired_difference(of("distilled", width, temperature=1.0), of(arm, width)).low > 0, (width, arm)
    assert paired_difference(of("distilled", temperature=1.0), of("source labels")).low > 20


def test_what_the_lesson_says_about_where_the_gain_comes_from():
    soft = of("distilled", temperature=1.0)
    assert np.abs((soft - of("first choices")).mean()) < 5
    assert paired_difference(soft, of("other teacher")).low > 0
    means = [of("distilled", temperature=t).mean() for t in study.TEMPERATURES]
    assert (np.diff(means) < 0).all()
    teacher = plots.by_seed(STORED, "domains", "teacher, AdaBN", "accuracy")
    for width in (16, 32):
        assert (of("distilled", width, temperature=1.0) > teacher).all()
    assert (of("distilled", 4, temperature=1.0) < teacher - 15).all()


def test_what_the_lesson_says_about_the_class_that_was_left_out():
    for data in ("digits", "mnist"):
        for temperature in study.LEFT_OUT_TEMPERATURES:
            assert (left("errors", temperature, data) > left("errors_train", temperature, data)).all()
        assert left("errors_train", 1.0, data).mean() > 2 * left("errors_train", 20.0, data).mean()
        assert (left("errors_left_out", 20.0, data) < left("errors_left_out", 1.0, data)).all()
        assert left("errors_train", 20.0, data).mean() < 0.5 * left("errors", 20.0, data).mean()


def test_the_pictures_say_what_the_rows_say():
    gain = paired_difference(of("distilled", temperature=1.0), of("source labels"))
    assert plots.domain_bars(STORED).alt.startswith("8 filters: distilled without a label of the target, "
                                                    f"{gain.text(0)} points")
    assert f"the teacher, 64 filters {plots.by_seed(STORED, 'domains', 'teacher, AdaBN', 'accuracy').mean():.1f}" in (
        plots.study_picture(STORED).alt)
    with pytest.raises(ValueError, match="needs the parts domains, left out and cost"):
        plots.study_picture([row for row in STORED if row["seed"] == 0])
