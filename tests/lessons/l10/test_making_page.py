"""What the page of the study of making data says, held against the stored rows."""

import pytest

from mlcourse.lessons.l10_data import study_making as study
from mlcourse.lessons.l10_data import study_making_arms as arms
from mlcourse.lessons.l10_data import study_making_tables as tables
from mlcourse.lessons.l10_data.study_making_results import found, gain, own_gain, sample, trained_gain
from mlcourse.rows import read
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
