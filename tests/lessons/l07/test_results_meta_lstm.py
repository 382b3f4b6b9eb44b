"""What the page of the LSTM meta-learner says, held against the stored rows."""

import pytest

from mlcourse.lessons.l07_optimiser.study_meta_lstm import (ARMS, BY_MAML, CANDIDATES, DESCENT, HEAD, LSTM, LSTM_2,
                                                            PROTONET, STUDY, WHOLE)
from mlcourse.rows import read
from mlcourse.statistics import paired_difference

ROWS = read("meta_lstm")
CLOSE = 3.0             # points that the LSTM may lie below MAML, said before anything was measured


def accuracy(net, arm):
    """{seed: accuracy in %} on the test scripts."""
    which = (net, arm, "test")
    return {row["seed"]: row["accuracy"] for row in ROWS if (row["net"], row["arm"], row["split"]) == which}


def less(net, arm, other):
    one, two = accuracy(net, arm), accuracy(net, other)
    shared = one.keys() & two.keys()
    return paired_difference({seed: one[seed] for seed in shared}, {seed: two[seed] for seed in shared})


def test_every_arm_has_five_seeds_at_the_setting_that_the_validation_scripts_chose():
    for (net, arm), tried in CANDIDATES.items():
        assert set(accuracy(net, arm)) == set(range(5)), (net, arm)
        val = {(row["setting"], row["outer_rate"]): row["accuracy"] for row in ROWS
               if (row["net"], row["arm"], row["split"]) == (net, arm, "val")}
        if len(tried) > 1:
            assert set(val) == set(tried) and max(val, key=val.get) == tried[0], (net, arm, val)
        used = {(row["setting"], row["outer_rate"]) for row in ROWS
                if (row["net"], row["arm"], row["split"]) == (net, arm, "test")}
        assert used == {tried[0]}


def test_all_arms_of_a_network_took_as_many_outer_steps_and_were_judged_alike():
    for net, steps in ((HEAD, STUDY.budget.head_steps), (WHOLE, STUDY.budget.whole_steps)):
        rows = [row for row in ROWS if row["net"] == net and row["outer_rate"]]
        assert {row["outer_steps"] for row in rows} == {steps}
        assert len({row["tasks"] for row in rows}) == 1
        assert len({row["steps"] for row in rows if row["arm"] != PROTONET}) == 1
        assert {row["episodes"] for row in rows} == {STUDY.budget.episodes}


@pytest.mark.parametrize("net", [HEAD, WHOLE])
def test_the_lstm_lies_within_three_points_of_maml_in_second_order_and_not_in_first(net):
    assert less(net, LSTM_2, BY_MAML).low > -CLOSE and less(net, LSTM, BY_MAML).mean < -CLOSE


def test_on_the_head_prototypes_and_plain_descent_are_ahead_of_the_lstm():
    assert all(less(HEAD, PROTONET, arm).low > 0 for arm in ARMS if arm != PROTONET)
    assert less(HEAD, LSTM_2, DESCENT).high < 0


def test_first_order_learns_less_well_than_second_and_on_the_head_than_plain_descent():
    assert all(less(net, LSTM, LSTM_2).high < 0 for net in (HEAD, WHOLE)) and less(HEAD, LSTM, DESCENT).high < 0


def test_in_second_order_the_lstm_that_learns_all_of_the_network_is_ahead_of_maml():
    assert less(WHOLE, LSTM_2, BY_MAML).low > 0
