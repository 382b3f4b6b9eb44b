"""What the page of the study of memories says, held against the stored rows."""

import pytest

from mlcourse.lessons.l09_memory.study_memory import (ARMS, BY_LSTM, BY_NTM, COPY, NEAREST, NO_FIRST, PLAIN, REPAIR,
                                                      STREAM, STRONG, STUDY)
from mlcourse.memory import elimination_bound
from mlcourse.rows import read
from mlcourse.statistics import paired_difference, t_interval
from mlcourse.system import paths

ROWS = read("memory")
PAGE = (paths.RESULTS.parent / "memory.md").read_text(encoding="utf-8")
SHOWN = (1, 2, 3, 5)
PAIRS = ((STRONG, BY_LSTM), (PLAIN, BY_LSTM), (STRONG, PLAIN), (NO_FIRST, STRONG), (REPAIR, NO_FIRST),
         (NEAREST, REPAIR))


def rows(part, arm):
    return sorted((row for row in ROWS if (row["part"], row["arm"]) == (part, arm)), key=lambda row: row["seed"])


def by_seed(arm, presentation):
    return {row["seed"]: 100 * row["accuracy"][presentation - 1] for row in rows(STREAM, arm)}


def test_every_arm_has_a_row_for_every_seed():
    assert sorted(map(STUDY.key_of, ROWS)) == sorted(STUDY.plan(STUDY.work(), STUDY.budget))


@pytest.mark.parametrize("arm", ARMS[STREAM])
def test_the_table_of_the_streams_is_that_of_the_rows(arm):
    cells = [t_interval(by_seed(arm, each).values()).text(1) for each in SHOWN]
    seconds = t_interval([row["train_seconds"] for row in rows(STREAM, arm)]).mean
    assert f"| {arm} | {' | '.join(cells)} | {rows(STREAM, arm)[0]['updates']:,} | {seconds:.0f} |" in PAGE


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_the_paired_differences_are_those_of_the_rows(one, other):
    cells = [paired_difference(by_seed(one, each), by_seed(other, each)).text(1, sign=True) for each in SHOWN]
    assert f"| {one} less {other} | {' | '.join(cells)} |" in PAGE


def show(bits):
    """A number of wrong bits as the page writes it."""
    return f"{bits:.0f}" if bits >= 10 else f"{bits:.2f}".rstrip("0").rstrip(".")


@pytest.mark.parametrize("at", range(5))
def test_the_tables_of_the_copies_are_those_of_the_rows(at):
    ntm, lstm = (rows(COPY, arm)[at] for arm in (BY_NTM, BY_LSTM))
    wrong = [show(ntm["wrong"][n]) for n in ("10", "20", "40")] + [show(ntm["wrong_128"]["40"])]
    control = [show(lstm["wrong"][n]) for n in ("5", "10", "20")]
    seconds = [f"{row['train_seconds']:.0f}" for row in (ntm, lstm)]
    assert f"| {ntm['seed']} | {' | '.join([*wrong, seconds[0], *control, seconds[1]])} |" in PAGE
    held = [show(ntm["without"][part]) for part in ("content", "shift", "sharpening")]
    assert f"| {ntm['seed']} | {' | '.join([show(ntm['wrong']['10']), *held])} |" in PAGE


def test_the_bound_and_what_the_rows_say():
    assert f"gets {100 * elimination_bound(5):.1f}." in PAGE
    for row in rows(COPY, BY_NTM):
        assert row["wrong"]["10"] < 0.3 and row["wrong"]["40"] > 80 and row["without"]["content"] < 0.3
        assert row["without"]["shift"] > 30 and row["without"]["sharpening"] > 20
        assert row["wrong_128"]["40"] < row["wrong"]["40"] / 2
    assert all(row["wrong"]["10"] > 10 for row in rows(COPY, BY_LSTM))
    for each in SHOWN[1:]:
        assert paired_difference(by_seed(NEAREST, each), by_seed(REPAIR, each)).low > 0
        assert paired_difference(by_seed(REPAIR, each), by_seed(STRONG, each)).low > 0
    behind = {each: paired_difference(by_seed(PLAIN, each), by_seed(BY_LSTM, each)) for each in range(1, 7)}
    assert [each for each, gap in behind.items() if gap.high < 0] == [2, 6]
    assert all(gap.low < 0 for gap in behind.values())
    said = " ".join(PAGE.split())
    assert f"by {-behind[2].mean:.1f} ± {behind[2].half:.1f}, and at the sixth, by {-behind[6].mean:.1f} ± " \
           f"{behind[6].half:.1f}," in said
    seconds = lambda arm: t_interval([row["train_seconds"] for row in rows(STREAM, arm)]).mean
    assert seconds(STRONG) > 3 * seconds(BY_LSTM) and "more than three times as long" in said
    for arm in ARMS[STREAM]:
        assert all(share < 100 * elimination_bound(5) for share in by_seed(arm, 1).values())
