"""The study of lesson 06 at a tiny size: every part gives its rows, none twice; the settings are those that validation
chose; the page says what the rows say."""

import re

import pytest
import torch

from mlcourse.lessons.l06_images import parts, results, study_protocol as study, tables
from mlcourse.lessons.l06_images.arms import COSINES, FINE, LEARNED, PIXELS, PROTOTYPES, REGRESSION, SECOND, trained
from mlcourse.lessons.l06_images.leaks import SCRIPT_TURNED, TURNED
from mlcourse.lessons.l06_images.settings import (BEST, CANDIDATES, CHOOSING, CHOSEN, COMPANIONS, PARTS, RIVALS, Budget,
                                                  name_of)
from mlcourse.nets import NORMS
from mlcourse.rows import read
from mlcourse.statistics import paired_difference
from mlcourse.system import paths
from tiny import patterns

TINY = Budget(steps=20, pretraining=2, width=4, episodes=2, checkpoint_episodes=2, draws=3, rounds=1)


@pytest.fixture
def small(monkeypatch):
    """Two norms, so that a part takes seconds."""
    some = {key: value for key, value in CHOSEN.items() if key[1] in ("batch", "layer")}
    monkeypatch.setattr(study, "CHOSEN", some)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_gives_its_rows_and_none_twice(part, small):
    work = study.STUDY.work([0], part=[part])
    found = list(study.STUDY.measure(work, [], TINY))
    assert [study.STUDY.key_of(row) for row in found] == study.plan(work, TINY) != []
    assert list(study.STUDY.measure(work, found, TINY)) == []
    assert all(study.line(row).startswith(part) and row["command"].endswith(f"--part {part} --seed 0") for row in found)
    shares = [row[name] for row in found for name in ("accuracy", "alone", "all", "known", "reported") if name in row]
    assert all(0 <= value <= 100 for value in shares)


def test_a_candidate_is_measured_on_validation_scripts():
    work = study.STUDY.work([0], part=[RIVALS], choose=True)
    key = next(key for key in study.plan(work, TINY) if key[1] == REGRESSION)
    row, = study.rows(work, TINY, [key], [])
    assert row["split"] == "val" and row["seed"] == CHOOSING and row["pictures"] == 80 * TINY.pretraining
    assert row["command"] == "mlcourse study protocol --part rivals --choose"


def test_candidates_stand_before_the_seeds_and_every_chosen_setting_was_one():
    keys = study.plan(study.STUDY.work([0], choose=True), TINY)
    assert all((key[-1] == CHOOSING) == (key[-2] == "val") for key in keys)
    assert [key[-1] == CHOOSING for key in keys] == sorted((key[-1] == CHOOSING for key in keys), reverse=True)
    for (arm, norm), (setting, _) in CHOSEN.items():
        assert setting in CANDIDATES[COMPANIONS][arm, norm]
    for arm, (norm, setting, _) in BEST.items():
        assert arm == PIXELS or setting in {**CANDIDATES[COMPANIONS], **CANDIDATES[RIVALS]}[arm, norm]


def test_an_unknown_part_is_refused():
    with pytest.raises(ValueError, match="there is no part 'images'; the parts are norms, splits, labels"):
        study.STUDY.work([0], part=["images"])


def test_rfs_and_fine_tuning_start_from_one_body_and_it_stays_as_it_was():
    one, other = (parts.ready(arm, "layer", setting, 0, TINY).learner.net.state_dict()
                  for arm, setting in ((REGRESSION, {"C": 10.0, "outer": 4e-3}), (FINE, {"lr": 0.1, "outer": 4e-3})))
    assert all(torch.equal(one[name], other[name]) for name in one)
    third = parts.ready(COSINES, "layer", {"lr": 0.1, "outer": 4e-3}, 0, TINY).learner.net.state_dict()
    assert not all(torch.equal(one[name], third[name]) for name in one)


def test_a_training_with_shuffled_labels_is_another_than_one_with_fixed_labels():
    source = patterns(classes=10, side=28)
    nets = [trained(SECOND, "layer", {"lr": 0.4, "steps": 1}, 0, source, 2, 4, shuffled=share).learner.net.state_dict()
            for share in (0.0, 0.0, 1.0)]
    same = lambda a, b: all(torch.equal(a[name], b[name]) for name in a)
    assert same(nets[0], nets[1]) and not same(nets[0], nets[2])


# ---------------------------------------------------------------- the stored rows, and the page

@pytest.fixture(scope="module")
def rows():
    return read("protocol")


def test_the_stored_rows_are_those_of_five_seeds(rows):
    wanted = study.plan(study.STUDY.work(range(5), choose=True), study.STUDY.budget)
    assert set(wanted) == {study.STUDY.key_of(row) for row in rows}


def best_of(rows, **which):
    return max((row for row in rows if row["split"] == "val" and which.items() <= row.items()),
               key=lambda row: row["accuracy"])


def test_the_stored_settings_are_those_that_the_stored_validation_rows_choose(rows):
    for (arm, norm), (setting, steps) in CHOSEN.items():
        best = best_of(rows, part=COMPANIONS, arm=arm, norm=norm)
        assert (best["setting"], best["steps"]) == (name_of(setting), steps), (arm, norm)
    for arm, (norm, setting, steps) in BEST.items():
        if arm == PIXELS:
            continue
        part, norms = (COMPANIONS, set(NORMS) - {"batch"}) if arm in LEARNED else (RIVALS, NORMS)
        best = best_of([row for row in rows if row["norm"] in norms], part=part, arm=arm)
        assert (best["norm"], best["setting"], best["steps"]) == (norm, name_of(setting), steps), arm


def test_companions_change_the_score_of_batch_norms_alone(rows):
    for row in rows:
        if row["part"] == COMPANIONS and row["split"] == "test":
            assert (row["alone"] == row["all"]) == (row["norm"] != "batch"), row
            assert ("mixed" in row and row["mixed"] != row["one class"]) == (row["norm"] == "batch"), row


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


@pytest.fixture(scope="module")
def page():
    return (paths.ROOT / "benchmarks" / "protocol.md").read_text(encoding="utf-8")


def test_the_tables_of_the_page_are_made_of_the_rows(page, rows):
    stored = page.split("<!-- tables -->")[1].split("<!-- /tables -->")[0]
    assert stored.strip() == tables.tables(rows).strip()


def test_every_interval_in_the_text_of_the_page_is_in_its_tables_or_a_difference_of_rows(page, rows):
    text, tables = re.sub(r"<!-- tables -->.*<!-- /tables -->", "", page, flags=re.S), page.split("<!-- tables -->")[1]
    less = lambda part, arm, field, one, other: paired_difference(
        *(results.by_seed(rows, part, arm, field, **which) for which in (one, other))).text(sign=True)
    anew_less_new = lambda setting: paired_difference(
        *(results.by_seed(rows, "labels", SECOND, field, setting=setting) for field in ("reshuffled", "new"))
    ).text(sign=True)
    differences = {
        *(less(COMPANIONS, arm, "all", {"norm": norm}, {"norm": "batch"})
          for arm, norm in ((PROTOTYPES, "running"), (SECOND, "support"))),
        less("splits", PROTOTYPES, "accuracy", {"setting": TURNED}, {"setting": SCRIPT_TURNED}),
        less("labels", SECOND, "known", {"setting": "0 shuffled"}, {"setting": "1 shuffled"}),
        *(less(COMPANIONS, PROTOTYPES, "all", {"norm": "running"}, {"norm": norm})
          for norm in ("support", "layer", "none")),
        less(COMPANIONS, SECOND, "all", {"norm": "support"}, {"norm": "layer"}),
        *(anew_less_new(f"{share} shuffled") for share in (0, 1))}
    said = set(re.findall(r"[-+]?\d+\.\d+ ± \d+\.\d+", " ".join(text.split())))
    assert len(said) > 20 and differences <= said
    assert [each for each in said - differences if f" {each} |" not in tables] == []
