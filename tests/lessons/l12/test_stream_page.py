"""What the page of the stream study says, held against the stored rows."""

import re

import pytest

from mlcourse.lessons.l12_stream import study_stream_tables as tables
from mlcourse.lessons.l12_stream.study_stream import STUDY
from mlcourse.lessons.l12_stream.study_stream_arms import (ALONE, ARMS, CANDIDATES, CHOOSING, CHOOSING_STREAMS, EQUAL,
                                                           FTML, GDUMB, GDUMB_TUNED, NAMES, RANDOM, SCRATCH,
                                                           STREAMS, TOE, TUNED, setting)
from mlcourse.lessons.l12_stream.study_stream_results import apart, area, mean, needed, ratio
from mlcourse.online.arms import DRIFT, HALF, RAINBOW, TOLD, UPRIGHT
from mlcourse.rows import read
from mlcourse.system import paths

ROWS = read("stream")
PAGE = (paths.RESULTS.parent / "stream.md").read_text(encoding="utf-8")
PROSE = " ".join(" ".join(line for line in PAGE.splitlines() if not line.startswith("|")).split())
# what the prose says, in its order: ratios of samples needed, and points of accuracy with 40, or of what is forgotten
RATIOS = ((HALF, FTML, TUNED), (HALF, FTML, GDUMB_TUNED), (HALF, TUNED, SCRATCH), (HALF, ALONE, TUNED),
          (HALF, GDUMB_TUNED, ALONE), (HALF, FTML, ALONE), (HALF, FTML, EQUAL), (HALF, EQUAL, TUNED),
          (UPRIGHT, FTML, GDUMB), (UPRIGHT, FTML, TOE), (UPRIGHT, FTML, TUNED), (UPRIGHT, FTML, ALONE),
          (RAINBOW, ALONE, SCRATCH), (RAINBOW, ALONE, RANDOM), (TOLD, ALONE, RANDOM), (TOLD, ALONE, SCRATCH))
POINTS = ((HALF, FTML, TUNED), (HALF, FTML, GDUMB_TUNED), (HALF, ALONE, TUNED),
          (HALF, FTML, EQUAL), (HALF, EQUAL, TUNED),
          (HALF, FTML, "forgotten_before"), (HALF, FTML, "forgotten_after"),
          (HALF, TUNED, "forgotten_after"),
          (UPRIGHT, FTML, GDUMB), (UPRIGHT, FTML, TOE), (UPRIGHT, TUNED, TOE), (UPRIGHT, GDUMB_TUNED, GDUMB),
          (RAINBOW, FTML, TOE), (RAINBOW, FTML, GDUMB), (RAINBOW, FTML, SCRATCH), (RAINBOW, FTML, ALONE),
          (TOLD, FTML, ALONE), (TOLD, FTML, TUNED),
          (DRIFT, FTML, "forgotten_before"), (DRIFT, TOE, "forgotten_before"), (DRIFT, FTML, TOE),
          (DRIFT, FTML, RANDOM))
TABLES = {**{stream: lambda rows, stream=stream: tables.arms(rows, stream) for stream in STREAMS},
          "ratios": tables.ratios, "settings": tables.settings}


def test_every_arm_has_a_row_for_every_seed_and_every_setting_its_own():
    assert sorted(map(STUDY.key_of, ROWS)) == sorted(STUDY.plan(STUDY.work(choose=True), STUDY.budget))


@pytest.mark.parametrize("arm", CANDIDATES)
def test_the_settings_are_the_best_where_they_were_chosen(arm):
    for stream, reported in zip(CHOOSING_STREAMS, (UPRIGHT, HALF), strict=True):
        found = {row["setting"]: area(row) for row in ROWS
                 if (row["stream"], row["arm"], row["seed"]) == (stream, arm, CHOOSING)}
        assert bool(found) == ARMS[arm].plays_in(reported)
        assert not found or max(found, key=found.get) == setting(ARMS[arm].settings(reported))


@pytest.mark.parametrize("made", TABLES.values(), ids=TABLES)
def test_the_page_has_the_tables_of_the_rows(made):
    assert made(ROWS) in PAGE


def test_the_numbers_in_its_prose_are_those_of_the_rows():
    said = re.findall(r"\d+\.\d\d \(\d+\.\d\d to \d+\.\d\d\)", PROSE)
    assert said == [ratio(ROWS, *each).text() for each in RATIOS]
    points = [mean(ROWS, *each).times(100) if "forgotten" in each[2] else apart(ROWS, *each) for each in POINTS]
    assert re.findall(r"[+-]\d+\.\d ± \d+\.\d", PROSE) == [each.text(sign=True) for each in points]


def test_where_tasks_contradict_each_other_ftml_needs_at_most_two_thirds():
    """The bar of the lesson, with its interval, against each rival that adapts."""
    assert ratio(ROWS, HALF, FTML, TUNED).high <= 2 / 3
    assert ratio(ROWS, HALF, FTML, EQUAL).high <= 2 / 3
    for rival in (EQUAL, GDUMB_TUNED, ALONE, SCRATCH):
        assert ratio(ROWS, HALF, FTML, rival).high < 1 and apart(ROWS, HALF, FTML, rival).low > 0
    for arm in (TOE, GDUMB, RANDOM):        # as they are
        assert not any(needed(ROWS, HALF, arm).values())


def test_ftmls_cost_buys_fine_tune_points_and_no_samples_that_can_be_told():
    found = ratio(ROWS, HALF, EQUAL, TUNED)
    assert found.low < 1 < found.high and apart(ROWS, HALF, EQUAL, TUNED).low > 0
    seconds = {arm: mean(ROWS, HALF, arm, "seconds").mean for arm in (EQUAL, FTML, TUNED)}
    assert seconds[EQUAL] > seconds[FTML] > seconds[TUNED]


def test_where_labels_stay_gdumb_as_it_is_is_not_told_apart_from_ftml():
    for rival in (GDUMB, TOE):
        found = ratio(ROWS, UPRIGHT, FTML, rival)
        assert found.low < 1 < found.high
    level = apart(ROWS, UPRIGHT, FTML, GDUMB)
    assert level.low < 0 < level.high and apart(ROWS, UPRIGHT, FTML, TOE).low > 0
    assert {*needed(ROWS, UPRIGHT, ALONE).values()} == {80} and ratio(ROWS, UPRIGHT, FTML, ALONE).high < 1
    assert mean(ROWS, UPRIGHT, TUNED, "passed").mean <= 0.5 and mean(ROWS, UPRIGHT, FTML, "passed").mean > 0.9


def test_a_ridge_that_knows_no_other_task_is_level_with_fine_tune_where_they_contradict_each_other():
    found, points = ratio(ROWS, HALF, ALONE, TUNED), apart(ROWS, HALF, ALONE, TUNED)
    assert found.low < 1 < found.high and points.low < 0 < points.high


def test_where_looks_turn_too_random_features_alone_are_the_only_arm_that_always_passes():
    passed = {arm: mean(ROWS, RAINBOW, arm, "passed").mean for arm in NAMES if needed(ROWS, RAINBOW, arm)}
    assert len(passed) == 8 and [arm for arm, share in passed.items() if share == 1] == [ALONE]
    assert [round(100 * passed[arm]) for arm in (FTML, GDUMB, TUNED)] == [60, 53, 30]       # as the page says
    assert max(share for arm, share in passed.items() if arm not in (RANDOM, ALONE)) < 0.7
    assert sorted(needed(ROWS, RAINBOW, ALONE).values()) == [80, 80, 80, 80, 120]
    assert all(ratio(ROWS, RAINBOW, ALONE, other).high < 1 for other in (SCRATCH, RANDOM))
    assert apart(ROWS, RAINBOW, FTML, TOE).low > 0
    for other in (GDUMB, SCRATCH, ALONE):
        level = apart(ROWS, RAINBOW, FTML, other)
        assert level.low < 0 < level.high


def test_where_the_look_tells_the_task_and_labels_move_ftml_fails_and_the_ridge_alone_is_best():
    assert ratio(ROWS, TOLD, FTML, ALONE) is None and mean(ROWS, TOLD, FTML, "passed").mean < 0.1
    assert mean(ROWS, TOLD, ALONE, "passed").mean == 1 and apart(ROWS, TOLD, FTML, SCRATCH).high < 0
    assert all(ratio(ROWS, TOLD, ALONE, other).high < 1 for other in (RANDOM, SCRATCH))


def test_where_a_domain_drifts_random_features_as_they_are_are_ahead():
    assert all(apart(ROWS, DRIFT, RANDOM, other).low > 0 for other in (FTML, TOE, TUNED, GDUMB, ALONE))
    assert all(abs(mean(ROWS, DRIFT, arm, "forgotten_before").mean) < 0.02 for arm in (FTML, TOE, RANDOM))


def test_ftml_forgets_before_adapting_and_not_after():
    for arm, after in ((FTML, 0.005), (ALONE, 0.001)):
        assert mean(ROWS, HALF, arm, "forgotten_before").low > 0.05
        assert mean(ROWS, HALF, arm, "forgotten_after").high < after


def test_the_picture_says_the_ratio():
    shown = STUDY.pictures(STUDY.work(), ROWS)[""]
    assert shown.alt.startswith(f"Where tasks contradict each other FTML needs {ratio(ROWS, HALF, FTML, TUNED).text()}")
