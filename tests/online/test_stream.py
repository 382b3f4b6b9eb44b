"""Looks, recipes and streams: what a task is made of, and that no test picture is ever learned from."""

import pytest
import torch
from streams import SIDE, digits

from mlcourse.domains import deal
from mlcourse.online import GROUNDS, Look, Recipe, drift, rainbow, recipes, rendered, stream
from mlcourse.online.stream import LEARNING

PLAIN = Look()


def test_the_plain_look_is_the_picture_in_three_channels():
    images = digits().images[:5]
    assert torch.allclose(rendered(images, PLAIN), images.float().div(255).expand(-1, 3, -1, -1), atol=1e-5)


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_quarter_turns_are_those_of_rot90(quarter):
    images = digits().images[:5]
    turned = rendered(torch.rot90(images, quarter, (2, 3)), PLAIN)
    assert torch.allclose(rendered(images, Look(turn=90.0 * quarter)), turned, atol=1e-5)


def test_half_the_scale_is_the_picture_averaged_down_in_the_middle():
    image = torch.full((1, 1, SIDE, SIDE), 255, dtype=torch.uint8)
    small = rendered(image, Look(scale=0.5))[0, 0]
    a, b = SIDE // 4, SIDE - SIDE // 4
    assert torch.allclose(small[a:b, a:b], torch.ones(b - a, b - a))
    assert float(small.sum()) == pytest.approx((b - a) ** 2)


def test_the_ground_shows_where_there_is_no_ink_and_white_where_there_is():
    image = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.uint8)
    image[..., 2] = 255
    shown = rendered(image, Look(GROUNDS["olive"]))[0]
    assert torch.allclose(shown[:, :, 2], torch.ones(3, SIDE))
    assert torch.allclose(shown[:, :, 5], torch.tensor(GROUNDS["olive"])[:, None].expand(3, SIDE))


@pytest.mark.parametrize("look", [Look(scale=0.0), Look(scale=1.5), Look((0.0, 2.0, 0.0))])
def test_looks_that_do_not_exist_are_refused(look):
    with pytest.raises(ValueError, match="scale above 0 and at most 1"):
        rendered(digits().images[:1], look)


def test_pictures_must_be_grey_bytes():
    with pytest.raises(ValueError, match="load them in grey"):
        rendered(torch.zeros(1, 3, SIDE, SIDE, dtype=torch.uint8), PLAIN)


def test_the_rainbow_has_24_looks():
    assert len(set(rainbow())) == 24 and {look.turn for look in rainbow()} == {0.0, 90.0}


def test_a_drift_goes_away_in_equal_steps_and_comes_back_the_same_way():
    looks = drift(Look(GROUNDS["red"]), Look(GROUNDS["blue"], 0.5, 90.0), 3)
    assert len(looks) == 7 and looks == looks[::-1]
    assert looks[0] == Look(GROUNDS["red"]) and looks[3] == Look(GROUNDS["blue"], 0.5, 90.0)
    assert [look.turn for look in looks[:4]] == pytest.approx([0, 30, 60, 90])
    with pytest.raises(ValueError, match="at least 1 step"):
        drift(PLAIN, PLAIN, 0)


@pytest.mark.parametrize("moved", [0, 2, 5, 10])
def test_exactly_as_many_labels_change_places_as_were_asked_for(moved):
    made = recipes([PLAIN] * 20, moved=moved)
    for _, labels in made:
        assert sorted(labels) == list(range(10)) and sum(i != label for i, label in enumerate(labels)) == moved
    assert len({labels for _, labels in made}) > (15 if moved > 2 else 1 if moved else 0)
    assert recipes([PLAIN] * 20, moved=moved) == made != recipes([PLAIN] * 20, moved=moved, seed=1) or not moved


@pytest.mark.parametrize("moved", [-1, 1, 11])
def test_other_numbers_of_labels_cannot_change_places(moved):
    with pytest.raises(ValueError, match="0 or 2 to 10"):
        recipes([PLAIN], moved=moved)


def test_a_task_has_its_recipes_look_and_labels():
    recipe = Recipe(Look(GROUNDS["red"], 0.5, 90.0), (1, 0, *range(2, 10)))
    plain, task = stream(digits(), [Recipe(PLAIN, tuple(range(10))), recipe], samples=30)
    _, testing = deal(digits(), (LEARNING, 1 - LEARNING), 0)
    assert torch.equal(task.test_x, rendered(testing.images, recipe.look))
    assert torch.equal(plain.test_y, testing.labels)
    assert torch.equal(task.test_y, torch.tensor(recipe.labels)[testing.labels])
    assert task.x.shape == (30, 3, SIDE, SIDE) and task.y.shape == (30,)


def test_no_test_picture_of_any_task_is_learned_from_in_any_task():
    tasks = stream(digits(), recipes([PLAIN] * 6, moved=5), samples=300, seed=3)
    learned = torch.cat([task.x for task in tasks]).flatten(1).unique(dim=0)
    tested = torch.cat([task.test_x for task in tasks]).flatten(1).unique(dim=0)
    own = digits().images.flatten(1).unique(dim=0)
    assert len(torch.cat([learned, tested]).unique(dim=0)) == len(learned) + len(tested) <= len(own)


def test_a_recipe_that_comes_back_brings_other_pictures_and_a_task_never_has_one_twice():
    first, again = stream(digits(), [Recipe(PLAIN, tuple(range(10)))] * 2, samples=200)
    assert len(first.x.flatten(1).unique(dim=0)) == 200
    assert not torch.equal(first.x, again.x) and torch.equal(first.test_x, again.test_x)


def test_streams_depend_on_their_seed_alone():
    order = recipes(rainbow()[:2])
    one, same, other = (stream(digits(), order, samples=20, seed=seed) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for pair in zip(one, same, strict=True) for a, b in zip(*pair, strict=True))
    assert not torch.equal(one[0].x, other[0].x) and not torch.equal(one[0].test_x, other[0].test_x)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="ask for 1 to 1198"):
        stream(digits(), recipes([PLAIN]), samples=1500)
    with pytest.raises(ValueError, match="each of the labels 0 to 9 once"):
        stream(digits(), [Recipe(PLAIN, (0,) * 10)])
