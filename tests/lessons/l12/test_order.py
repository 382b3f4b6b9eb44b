"""The explorer of streams in any order: against the library's play, and over every corner of its controls."""

import pytest
from marks import check_marked
from streams import net

from mlcourse.lessons.l12_stream import orders, widget_order
from mlcourse.lessons.l12_stream.explorers import HEAP, META, StreamOrder, stream_order
from mlcourse.lessons.l12_stream.orders import SIZES, TASKS
from mlcourse.lessons.l12_stream.widget_order import NONE
from mlcourse.online import FTML, FineTune, forgetting, play
from mlcourse.system.machine import one_core

CONFLICT = ("digits", "labels moved", "others moved", "labels moved", "digits")
DRIFT = ("digits", "on purple", "turned on blue", "on purple", "digits")


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


@pytest.fixture
def small(monkeypatch):
    """Strategies that take few steps after each part, in streams that nobody has played yet."""
    made = {META: lambda: FTML(net(), k=1, steps=1, test_steps=2),
            HEAP: lambda: FineTune(net(), steps=4, lr=1e-2, alpha=0.1, test_steps=2)}
    monkeypatch.setattr(orders, "start", lambda name: made[name]())
    monkeypatch.setattr(orders, "_known", {})


def slots(order):
    return {f"task{t}": name for t, name in enumerate([*order, *[NONE] * (5 - len(order))], 1)}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", [HEAP, META])
def test_rounds_are_those_of_the_librarys_play(name):
    order = CONFLICT[:3]
    played = play(orders.start(name), orders.tasks(order), SIZES)
    assert len({*played.before[2].tolist(), *played.after[2].tolist()}) > 3
    for j in (1, 0, 2):             # known, and computed with the rounds before
        found = orders.last(name, order[:j + 1])
        assert found.adapted == pytest.approx(played.arriving[j].tolist())
        assert found.as_is == pytest.approx(played.as_is[j].tolist())
        assert found.before == pytest.approx(played.before[j, :j + 1].tolist())
        assert found.after == pytest.approx(played.after[j, :j + 1].tolist())


@pytest.mark.usefixtures("small")
def test_a_stream_that_begins_alike_is_not_played_again_and_not_changed():
    first = orders.last(HEAP, CONFLICT[:2])
    longer = orders.last(HEAP, CONFLICT[:3])
    assert orders.last(HEAP, CONFLICT[:2]) is first and len(longer.before) == 3
    orders._known.pop((HEAP, CONFLICT[:3]))
    assert orders.last(HEAP, CONFLICT[:3]) == longer


@pytest.mark.usefixtures("small")
def test_what_the_matrices_show_is_forgetting():
    explorer = StreamOrder()
    explorer.set(**slots(CONFLICT))
    played = play(orders.start(HEAP), orders.tasks(CONFLICT), SIZES)
    for shown, accuracies in ((explorer.record.before, played.before), (explorer.record.after, played.after)):
        assert shown == pytest.approx(forgetting(accuracies).numpy(), nan_ok=True)


def test_what_to_try_comes_true(monkeypatch):
    monkeypatch.setattr(widget_order, "OPENING", CONFLICT)
    both = stream_order()
    assert both.record.order == CONFLICT
    as_is, tuned = both.record.right[HEAP]
    assert tuned > as_is + 0.1 and both.record.right[META][1] > tuned + 0.03
    heap_lost = both.record.before[:-1, -1].max()
    both.set(shown=META)
    assert heap_lost > 0.1 and both.record.before[:-1, -1].max() > 0.05 > both.record.after[:-1, -1].max()
    both.set(**slots(DRIFT))
    as_is, tuned = both.record.right[HEAP]
    assert abs(tuned - as_is) < 0.04 and abs(both.record.right[META][1] - tuned) < 0.03
    needed = lambda which: both.record.needed[which][-1].samples
    assert needed(0) == needed(1) == SIZES[0]


def test_the_opening_is_the_first_stream_and_shows_one_strategy():
    explorer = StreamOrder()
    assert explorer.record.order == CONFLICT[:2] + CONFLICT[:1] and len(explorer.record.needed) == 2
    assert explorer.bar.value == explorer.bar.max == 3 and META not in explorer.record.right
    as_is, tuned = explorer.record.before, explorer.record.after
    assert as_is[0, 1] > tuned[0, 1] + 0.05


def test_places_left_open_are_passed_over():
    explorer = StreamOrder()
    explorer.set(task2=NONE)
    assert explorer.record.order == ("digits", "digits") and explorer.record.played == 2


@pytest.mark.usefixtures("small")
def test_every_control_moves_the_picture_and_what_is_said_is_marked():
    explorer, last = StreamOrder(), {}          # the last picture at each setting
    opening = explorer.settings

    def see(*_):
        last[tuple(explorer.settings.values())] = explorer.picture.value

    def build():
        see()
        explorer.picture.observe(see, "value")
        return explorer

    check_marked(build, {1.0, 2.0, 3.0, 4.0, 5.0, 20.0})
    for at, name in enumerate(opening):
        others = lambda values, at=at: (*values[:at], *values[at + 1:])
        alone = {picture for values, picture in last.items() if others(values) == others(tuple(opening.values()))}
        assert len(alone) > 1, name
    assert len(TASKS) == 5
