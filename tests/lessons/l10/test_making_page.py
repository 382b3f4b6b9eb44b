"""What the page of the study of making data says, held against the stored rows."""

import pytest

from mlcourse.lessons.l10_data import study_making as study
from mlcourse.lessons.l10_data import study_making_arms as arms
from mlcourse.lessons.l10_data import study_making_tables as tables
from mlcourse.lessons.l10_data.study_making_results import found, gain, own_gain, sample, trained_gain
from mlcourse.rows import read
from mlcourse.statistics import paired_difference
from mlcourse.system import paths

ROWS = read("making")
PAGE = (paths.RESULTS.parent / "making.md").read_text(encoding="utf-8")


def test_every_arm_has_a_row_for_every_seed():
    assert sorted(map(study.STUDY.key_of, ROWS)) == sorted(study.plan(study.STUDY.work(), study.STUDY.budget))


@pytest.mark.parametrize("made", [tables.features, tables.pixels, tables.rule, tables.bodies, tables.samples_of_one,
                                  tables.samples_of_five, tables.bounds])
def test_the_page_has_the_tables_of_the_rows(made):
    assert made(ROWS) in PAGE


@pytest.mark.parametrize("arm", study.SETTINGS)
def test_a_bodys_training_has_the_setting_that_did_best_on_validation_classes(arm):
    best = max(found(ROWS, study.TRAINING, arm, arms.FEATURES, 1, "val"), key=lambda row: row["accuracy"])
    assert best["setting"] == study.SETTINGS[arm][0] == found(ROWS, study.TRAINING, arm, arms.FEATURES, 1)[0]["setting"]


def test_what_the_page_says_of_made_pictures():
    features, pixels = arms.FEATURES, arms.PIXELS
    assert gain(ROWS, arms.VIEWS, arms.ALONE, features).low > 0
    assert all(gain(ROWS, arm, arms.ALONE, features).mean < 0 for arm in (arms.SET, arms.QUERY, arms.GAN))
    assert gain(ROWS, arms.VIEWS, arms.ALONE, pixels).low > gain(ROWS, arms.SET, arms.ALONE, pixels).high > 1
    assert gain(ROWS, arms.SET, arms.VIEWS, pixels).high < 0
    for shot in (1, 5):
        assert gain(ROWS, arms.QUERY, arms.VIEWS, pixels, shot).low > 0
        for over in (arms.ALONE, arms.VIEWS):
            assert gain(ROWS, arms.GAN, over, pixels, shot).low < 0 < gain(ROWS, arms.GAN, over, pixels, shot).high


@pytest.mark.parametrize("shot", [1, 5])
def test_what_the_page_says_of_the_set_vae_asked_itself(shot):
    for samples in (arms.SET, arms.QUERY):
        assert own_gain(ROWS, arms.BOUND, samples, arms.PIXELS, shot).low > 0
    over = own_gain(ROWS, arms.BOUND, arms.ALONE, arms.FEATURES, shot)
    assert over.high < 0 and over.mean == pytest.approx({1: -3.9, 5: -0.5}[shot], abs=0.05)
    rule = own_gain(ROWS, arms.RULE, arms.ALONE, arms.PIXELS, shot)
    assert rule.low < 0 < rule.high
    assert own_gain(ROWS, arms.RULE, arms.BOUND, "own", shot).high < 0


def test_what_the_page_says_of_the_bodies():
    assert trained_gain(ROWS, arms.SEEN).low > 0
    assert trained_gain(ROWS, arms.MIXUP).low < 0 < trained_gain(ROWS, arms.MIXUP).high
    assert all(trained_gain(ROWS, arm, arms.SEEN).high < 0 for arm in (arms.MIXUP, arms.FAKE))


def test_what_was_aimed_at():
    assert sample(ROWS, arms.SET, "active").low >= 4
    assert all(sample(ROWS, arms.SET, "recognised", shot).low > 80 for shot in (1, 5))
    for shot, is_nearer in ((5, False), (1, True)):
        rows = found(ROWS, study.SAMPLES, arms.SET, arms.FEATURES, shot)
        far = paired_difference([row["near_sharp"] for row in rows], [row["near_real"] for row in rows])
        assert far.high < 0 if is_nearer else far.low > 0
    for arm in arms.MADE:
        for shot in (1, 5):
            rows = found(ROWS, study.SAMPLES, arm, arms.FEATURES, shot)
            assert sum(row["to_held_out"] - row["to_trained"] for row in rows) / len(rows) < 0.025
