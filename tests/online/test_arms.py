"""Streams and strategies by name, and the rows that are kept."""

import json

import pytest
import torch
from streams import digits, swapped

from mlcourse.nets import MLP
from mlcourse.online import FTML, GDumb, Look, arms, play


@pytest.mark.parametrize("name", arms.STREAMS)
def test_every_stream_has_its_looks_and_labels(name):
    made = arms.order(name, 7, 3)
    looks, moved = [look for look, _ in made], [sum(i != label for i, label in enumerate(labels)) for _, labels in made]
    assert len(made) == 7 and moved == [{arms.HALF: 5, arms.ALL: 10, arms.TOLD: 5}.get(name, 0)] * 7
    if name in (arms.HALF, arms.ALL):
        assert set(looks) == {Look()}
    elif name == arms.DRIFT:
        assert looks == looks[::-1] and looks[3] == arms.FAR and len(set(looks)) == 4
    else:
        assert len(set(looks)) == 7 and looks != [look for look, _ in arms.order(name, 7, 4)]
    assert {look.turn for look in looks} == {0.0} or name in (arms.RAINBOW, arms.TOLD, arms.DRIFT)


@pytest.mark.parametrize(("name", "tasks", "words"), [
    ("nothing", 4, "the streams are"), (arms.UPRIGHT, 13, "12 looks"), (arms.DRIFT, 4, "odd number")])
def test_streams_that_do_not_exist_are_refused(name, tasks, words):
    with pytest.raises(ValueError, match=words):
        arms.order(name, tasks, 0)


@pytest.mark.parametrize("name", arms.STRATEGIES)
def test_every_strategy_is_made_for_the_domain(name):
    made = arms.strategy(name, digits(), 100, 0)
    assert made.before()(torch.zeros(2, 3, 8, 8)).shape == (2, 10)


def test_settings_take_the_place_of_the_usual_ones():
    assert isinstance(ftml := arms.strategy("FTML", digits(), 100, 0, {"steps": 3}), FTML) and ftml.steps == 3
    assert isinstance(gdumb := arms.strategy("GDumb", digits(), 100, 0), GDumb) and gdumb.capacity == 100
    with pytest.raises(ValueError, match="the strategies are"):
        arms.strategy("nothing", digits(), 100, 0)


def test_a_row_says_null_where_there_is_no_number():
    played = play(FTML(MLP((2, 8, 2)), k=1, steps=1, tasks=2), swapped(3), (10, 20))
    never = arms.found(played._replace(arriving=torch.zeros(3, 2).double()), (10, 20), 0.85)
    assert never["needed"] == [None] * 2 and never["median"] is None and never["passed"] == 0
    row = arms.found(played._replace(arriving=torch.tensor([[0, 0], [0.9, 0], [0, 0.9]]).double()), (10, 20), 0.85)
    assert row["needed"] == [10, 20] and row["passed"] == 1 and row["median"] == 10
    assert row["arriving"] == [[0.9, 0], [0, 0.9]]
    assert [len(each) for each in row["before"]] == [len(each) for each in row["after"]] == [1, 2, 3]
    assert json.loads(json.dumps(row, allow_nan=False)) == row
