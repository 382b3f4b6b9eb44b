"""The distillation study: its plan, its rows at a tiny size, and what the stored rows say."""

import pytest
import torch
import torch.nn.functional as F

from mlcourse.domains import Domain
from mlcourse.episode.across import pixels
from mlcourse.lessons.l15_distillation import figures, study_distillation as study, teaching
from mlcourse.lessons.l15_distillation.checks_results import CLAIMS
from mlcourse.losses.distillation import distillation
from mlcourse.rows import read
from mlcourse.statistics import paired_difference
from mlcourse.train import step_generator

STORED = read("distillation")
TINY = study.Budget(teacher=2, widths=(2, 4), width=4, left_out_width=3, most=3, steps=3, left_out_steps=3)
STUDY = study.STUDY


def key(row):
    return STUDY.key_of(row)


def of_seed():
    return study.of_seed("domains", 0, TINY)


def test_every_row_is_measured_once_and_none_twice():
    work = STUDY.work([0, 1])
    found = list(STUDY.measure(work, [], TINY))
    assert sorted(map(key, found)) == sorted(study.plan(work, TINY)) and not list(STUDY.measure(work, found, TINY))
    assert {row["seed"] for row in found if row["part"] == "domains"} == {0, 1}
    by_tau = {row["temperature"] for row in found if row["arm"] == "distilled" and row["part"] == "domains"}
    assert by_tau == set(study.TEMPERATURES) and study.TEMPERATURE == figures.USUAL in by_tau
    assert {row["parameters"] for row in found if row["width"] == 4} == {550}
    for row in found:
        assert row["command"] == f'mlcourse study distillation --part "{row["part"]}" --seed {row["seed"]}'
        assert study.line(row)
        assert 0 <= row["errors_left_out"] <= row["errors"] <= row["pictures"]
        assert row["accuracy"] == pytest.approx(100 * (1 - row["errors"] / row["pictures"]), abs=1e-3)
    for row in (row for row in found if row["arm"] == "left out"):
        assert row["errors_test"] <= row["errors"] and row["errors_test"] <= row["errors_train"]
    soft = [row for row in found if row["arm"] == "first choices" and row["seed"] == 0]
    teacher, = (row for row in found if row["arm"] == "teacher" and row["part"] == "domains" and row["seed"] == 0)
    assert {row["given"] for row in soft} == {100.0} and abs(soft[0]["given_right"] - teacher["accuracy"]) < 15


def test_an_interrupted_study_goes_on_with_the_same_numbers():
    clean = lambda rows: [{k: v for k, v in row.items() if k not in ("commit", "seconds")} for row in rows]
    work, stopped = STUDY.work([0], part=["domains"]), []
    whole = list(STUDY.measure(work, [], TINY))
    study.of_seed.cache_clear()
    for row in STUDY.measure(work, [], TINY):
        stopped.append(row)
        if row["arm"] == "own labels":
            break
    study.of_seed.cache_clear()
    rest = list(STUDY.measure(work, stopped, TINY))
    order = lambda rows: sorted(clean(rows), key=str)
    assert rest and order(stopped + rest) == order(whole)


def test_labels_of_the_target_reach_the_upper_bound_and_the_accuracies_alone():
    s = of_seed()
    wrong = Domain(s.seen.name, s.seen.images, s.seen.labels.flip(0), s.seen.classes, s.seen.groups)
    start = study.source_student(s, 4)
    for arm in study.TARGETS:
        who = study.Who(arm, 4, study.TEMPERATURE if arm in (*study.SOFT, "distilled") else 0.0)
        nets = [study.of_domains(each, who, start)[0] for each in (s, s._replace(seen=wrong))]
        same = all(torch.equal(a, b) for a, b in zip(*(net.parameters() for net in nets), strict=True))
        assert same == (arm != "target labels"), arm


def test_the_target_is_cut_anew_for_each_seed():
    one, other = (study.of_seed("domains", seed, TINY) for seed in (0, 1))
    assert not torch.equal(one.test.images, other.test.images) and len(one.test.images) == len(other.test.images)
    assert not {*one.test.digests.tolist()} & {*one.seen.digests.tolist()} - {0}


def test_the_student_that_misses_a_class_never_sees_it(monkeypatch):
    s, given = study.of_seed("left out", 0, TINY), []
    monkeypatch.setattr(study, "always", lambda x, targets: given.append(len(x)) or teaching.always(x, targets))
    study.of_left_out(s, study.Who("left out", 3, 4.0))
    assert given == [int((s.seen.labels != study.LEFT_OUT).sum())] and given[0] < len(s.seen.images)


def test_a_student_takes_the_steps_of_a_loop_and_where_it_starts_is_left_as_it_was():
    s, start = of_seed(), study.student(4, 0)
    before = [p.clone() for p in start.parameters()]
    x, v = pixels(s.seen.images), teaching.answers(s.teachers["teacher"], pixels(s.seen.images))
    beside = pixels(s.labelled.images), s.labelled.labels
    got = teaching.taught(start, teaching.always(x, v), study.softly(4.0), 2, 7, beside)
    assert all(map(torch.equal, before, start.parameters()))
    optimiser = torch.optim.Adam(start.parameters(), teaching.RATE)
    for step in (1, 2):
        rows = torch.randint(len(x), (teaching.BATCH,), generator=step_generator(7, 0, step))
        others = torch.randint(len(beside[0]), (teaching.BATCH,), generator=step_generator(7, 0, step))
        loss = distillation(start(x[rows]), s.teachers["teacher"](x[rows]), 4.0)
        loss = loss + F.cross_entropy(start(beside[0][others]), beside[1][others])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    for a, b in zip(got.parameters(), start.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)


def test_sure_pictures_are_those_above_the_threshold_or_the_surest_tenth():
    logits = torch.tensor([[5.0, 0.0], [0.0, 0.5], [0.0, 4.0], [1.0, 0.0]])
    assert teaching.sure(logits).tolist() == [True, False, True, False]
    unsure = torch.rand(50, 2, generator=torch.Generator().manual_seed(0))
    assert int(teaching.sure(unsure).sum()) == 5


def test_labels_of_ones_own_are_given_anew_as_the_student_learns():
    x = torch.rand(40, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    one, other = study.student(4, 0), study.student(4, 1)
    given = teaching.renewed(x)
    first = given(one, 1)
    assert given(other, teaching.EVERY)[1] is first[1]
    again = given(other, teaching.EVERY + 1)
    logits = teaching.answers(other, x)
    assert torch.equal(again[1], logits.argmax(1)[teaching.sure(logits)]) and len(again[0]) == len(again[1])


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


def test_an_unknown_part_is_told():
    with pytest.raises(ValueError, match="there is no part 'heat'; the parts are domains, left out"):
        STUDY.work(part=["heat"])


# ------------------------------------------------------------ the stored rows

def test_every_planned_row_is_stored_once():
    assert sorted(map(key, STORED)) == sorted(study.plan(STUDY.work(), STUDY.budget))


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_each_verdict_of_the_exercise_is_that_of_the_paired_interval(claim):
    gap = paired_difference(*(figures.reached(STORED, arm, claim.width) for arm in (claim.one, claim.other)))
    assert claim.verdict == ("yes" if gap.low > 0 else "no" if gap.high < 0 else "open"), gap.text()


def test_a_picture_needs_both_parts():
    with pytest.raises(ValueError, match="needs the parts domains and left out"):
        figures.study_picture([row for row in STORED if row["seed"] == 0])
