"""The explorers of lesson 08 against sums of another make, and over every corner of their controls."""

import re

import numpy as np
import pytest
import torch
from marks import check_marked

from mlcourse.learners import NearestNeighbour, ProtoNet
from mlcourse.lessons.l08_compare import borders, moved
from mlcourse.lessons.l08_compare.borders import COSINE, EACH, EUCLID, HOW, L1, MEANS, METRICS, POINTS, SQUARED
from mlcourse.lessons.l08_compare.explorers import DragPrototypes, MoveDrawing
from mlcourse.lessons.l08_compare.widget_moved import NETWORK, PIXELS, UNTRAINED
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep

X = np.array([(0.4, -1.2), (2.0, 0.3), (-0.7, 0.9)])


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


@pytest.mark.parametrize("metric", METRICS)
def test_probabilities_are_those_of_a_loop(metric):
    def far(a, b):
        if metric == COSINE:
            return 1 - float(torch.cosine_similarity(torch.tensor(a), torch.tensor(b), dim=0))
        straight = float(torch.dist(torch.tensor(a), torch.tensor(b), 1 if metric == L1 else 2))
        return straight**2 if metric == SQUARED else straight

    for x, by_means, by_points in zip(X, *(borders.probabilities(X, POINTS, metric, how, 0.7) for how in HOW)):
        raised = np.array([np.exp(-far(x, own.mean(0)) / 0.7) for own in POINTS])
        np.testing.assert_allclose(by_means, raised / raised.sum())
        each = np.array([[np.exp(-far(x, point) / 0.7) for point in own] for own in POINTS])
        np.testing.assert_allclose(by_points, each.sum(1) / each.sum())


def test_with_one_point_a_class_its_mean_is_that_point():
    one = POINTS[:, :1]
    for metric in METRICS:
        np.testing.assert_allclose(*(borders.probabilities(X, one, metric, how, 0.3) for how in HOW))


def winners(**settings):
    explorer = DragPrototypes()
    explorer.set(**settings)
    return explorer.record.plane.argmax(-1)


@pytest.mark.parametrize("metric", METRICS)
def test_the_temperature_moves_no_border_between_means_and_some_between_points(metric):
    cold, warm = (winners(metric=metric, how=MEANS, tau=tau) for tau in (0.1, 10.0))
    assert (cold == warm).mean() > 0.999            # a tie may round to either side
    cold, warm = (winners(metric=metric, how=EACH, tau=tau) for tau in (0.1, 10.0))
    assert (cold != warm).mean() > 0.005


def test_squared_and_plain_distances_have_the_same_borders_between_means():
    assert (winners(metric=SQUARED) == winners(metric=EUCLID)).mean() > 0.999


def pieces(mask):
    """How many pieces a region of the plane has."""
    left, count = set(map(tuple, np.argwhere(mask))), 0
    while left:
        count, todo = count + 1, [left.pop()]
        while todo:
            i, j = todo.pop()
            near = {(i + di, j + dj) for di in (-1, 0, 1) for dj in (-1, 0, 1)} & left
            left -= near
            todo += near
    return count


def test_what_to_try_with_the_borders_comes_true():
    among_the_squares = {"x": 2.0, "y": -1.0}
    assert pieces(winners(how=EACH, tau=0.1, **among_the_squares) == 0) == 2
    assert pieces(winners(how=EACH, tau=10.0, **among_the_squares) == 0) == 1
    assert pieces(winners(how=MEANS, tau=0.1, **among_the_squares) == 0) == 1
    explorer = DragPrototypes()
    before = explorer.record.means.copy()
    explorer.set(x=float(POINTS[0, 2, 0]) + 1.5)
    np.testing.assert_allclose(explorer.record.means - before, [[0.5, 0], [0, 0], [0, 0]], atol=1e-9)


def test_a_drawing_that_is_not_moved_stays_and_a_shift_is_a_shift():
    x = moved.episode().support_x[0]
    torch.testing.assert_close(moved.moved(x, 0, 0, 0.0), x, atol=1e-5, rtol=0)
    by_two = moved.moved(x, 2, 0, 0.0)
    torch.testing.assert_close(by_two[:, :, 2:], x[:, :, :-2], atol=1e-4, rtol=0)
    torch.testing.assert_close(moved.moved(x, 0, 90, 0.0), torch.rot90(x, 1, (1, 2)), atol=1e-4, rtol=0)
    thick = moved.moved(x, 0, 0, 1.0)
    assert bool((thick >= x - 1e-5).all()) and thick.sum() > 1.3 * x.sum()


def test_the_shift_comes_after_the_turn():
    x = moved.episode().support_x[1]
    wanted = torch.zeros_like(x)
    wanted[:, :, 3:] = torch.rot90(x, 1, (1, 2))[:, :, :-3]
    torch.testing.assert_close(moved.moved(x, 3, 90, 0.0), wanted, atol=1e-4, rtol=0)


@torch.no_grad()
def test_the_answers_are_those_of_the_learners():
    task = moved.episode()
    for x in (task.support_x, moved.support(2, 4, 20, 0.5)):
        seen, learner = moved.seen(x), moved.protonet()
        state = learner.adapt(task._replace(support_x=x))
        wanted = learner.predict(state, task.query_x).softmax(1)
        torch.testing.assert_close(seen.probabilities, wanted, atol=1e-4, rtol=1e-3)
        neighbour = NearestNeighbour()
        pixels = neighbour.predict(neighbour.adapt(task._replace(support_x=x)), task.query_x).argmax(1)
        assert torch.equal(seen.pixels, pixels)
        bare = ProtoNet(moved.untrained()).eval()
        said = bare.predict(bare.adapt(task._replace(support_x=x)), task.query_x).argmax(1)
        assert torch.equal(seen.untrained, said)


def test_what_to_try_with_the_drawing_comes_true():
    for which in range(5):
        explorer = MoveDrawing(which=which, shift=4)
        assert explorer.record.right[NETWORK] >= 18 and explorer.record.right[PIXELS] <= 8, which
        explorer.set(shift=0, stroke=1.0)
        assert explorer.record.right[NETWORK] >= 17 and explorer.record.right[PIXELS] <= 4, which
        explorer.set(stroke=0.0, turn=20)
        assert explorer.record.right[NETWORK] >= 18, which
    explorer = MoveDrawing(turn=90)
    assert explorer.record.right[NETWORK] < 5
    for settings in ({"turn": 0, "shift": 4}, {"shift": 0, "stroke": 1.0}):
        explorer.set(**settings)
        assert explorer.record.right[UNTRAINED] < 9 and explorer.record.right[PIXELS] < 9, settings
    assert MoveDrawing(which=0, shift=4).record.right[UNTRAINED] > 15


def test_the_characters_are_of_scripts_that_the_network_has_not_seen():
    _, card = moved.checkpoint.load(moved.CHECKPOINT)
    scripts = {name.split("/")[0] for name in card["data"]["train"]}
    assert card["train_classes"] == 4 * len(card["data"]["train"])         # each turned by a quarter is another class
    assert scripts.isdisjoint({moved.load_splits("glyphs").test.classes[int(c)].split("/")[0]
                               for c in moved.episode().classes})


@pytest.mark.parametrize("build", [DragPrototypes, MoveDrawing])
def test_every_control_can_be_swept_and_moves_the_picture(build):
    explorer, pictures = build(), {}
    for name, _, _ in sweep(explorer):
        pictures.setdefault(name, set()).add(explorer.picture.value)
    assert set(pictures) == set(explorer.controls) and all(len(seen) > 1 for seen in pictures.values())


def test_what_the_borders_say_is_marked():
    check_marked(DragPrototypes, {0.9, 1.0})


def test_what_the_drawing_says_is_marked():
    check_marked(lambda: MoveDrawing(turn=30, shift=2), {2.0, 19.0, 30.0, 90.0})


def test_the_title_of_the_drawing_says_what_becomes_of_its_class():
    explorer = MoveDrawing()
    for _ in sweep(explorer):
        right, title = explorer.record.right, explorer.headline(explorer.record)
        found = re.search(r": the network (.+)s it \(≈(\d+) of 19 queries right\), pixels (.+) it \(≈(\d+)\)$", title)
        net, most, pixels, few = found.groups()
        assert (int(most), int(few)) == (right[NETWORK], right[PIXELS])
        for verb, count in ((net, right[NETWORK]), (pixels, right[PIXELS])):
            assert (verb == "keep") == (count > 0.75 * 19) and (verb == "lose") == (count < 19 / 2), title
    explorer.set(which=3, shift=4, turn=0, stroke=0.0)
    assert "4 pixels to the right: the network keeps it" in explorer.alt and "pixels lose it" in explorer.alt
