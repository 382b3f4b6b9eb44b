"""The protocol: what a strategy is shown, what is measured when, and that nothing tested is ever learned from."""

import pytest
import torch
from streams import NAMES, Witness, digits, strategies, swapped

from mlcourse.online import RandomFeatures, Strategy, play, rainbow, recipes, share_right, stream

SIZES = (10, 20)


def tasks(count=3, samples=20):
    return stream(digits(), recipes(rainbow()[:count], moved=5), samples=samples)


def poisoned(task):
    """The task with other test pictures and labels."""
    return task._replace(test_x=1e3 * torch.randn(task.test_x.shape, generator=torch.Generator().manual_seed(1)),
                         test_y=(task.test_y + 1) % 10)


@pytest.mark.parametrize("name", NAMES)
def test_poison_in_the_test_pictures_changes_nothing_that_is_learned(name):
    probe = tasks(1)[0].test_x[:50]
    given = [(task.x, task.y) for task in tasks()]
    answers = []
    for made in (tasks(), [poisoned(task) for task in tasks()]):
        strategy = strategies()[name]
        play(strategy, made, SIZES)
        answers.append([strategy.before()(probe), *(strategy.after(x, y)(probe) for x, y in given)])
    assert all(torch.equal(a, b) for a, b in zip(*answers, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_poison_in_what_is_learned_from_does_change_it(name):
    """The test above could find nothing if strategies ignored their data."""
    probe = tasks(1)[0].test_x[:50]
    answers = []
    for made in (tasks(), [task._replace(y=(task.y + 1) % 10) for task in tasks()]):
        strategy = strategies()[name]
        play(strategy, made, SIZES)
        answers.append(strategy.after(made[0].x, made[0].y)(probe))
    assert not torch.equal(*answers)


def test_t1_a_strategy_sees_each_sample_once_and_adapts_to_those_of_one_task_that_have_arrived():
    made, witness = tasks(2), Witness()
    play(witness, made, SIZES)
    calls = iter(witness.calls)
    for j, task in enumerate(made):
        assert next(calls) == ("begin",)
        for last, n in ((0, 10), (10, 20)):
            what, x, y = next(calls)
            assert what == "see" and torch.equal(x, task.x[last:n]) and torch.equal(y, task.y[last:n])
            what, x, y = next(calls)
            assert what == "after" and torch.equal(x, task.x[:n]) and torch.equal(y, task.y[:n])
        for i in range(j + 1):
            what, x, y = next(calls)
            assert what == "after" and torch.equal(x, made[i].x) and torch.equal(y, made[i].y)
    assert next(calls, None) is None


class Oracle(Strategy):
    """Knows the labels of the task that it adapted to, by its first picture, and answers 0 before."""

    def __init__(self, made):
        self.made = made

    def see(self, x, y):
        pass

    def before(self):
        return lambda x: torch.eye(10)[torch.zeros(len(x), dtype=torch.int64)]

    def after(self, x, y):
        own = next(task for task in self.made if torch.equal(task.x[0], x[0]))
        return lambda x: torch.eye(10)[own.test_y]


def test_accuracies_stand_where_they_belong():
    made = tasks(3)
    played = play(Oracle(made), made, SIZES)
    seen = torch.ones(3, 3).tril().bool()
    assert torch.equal(played.arriving, torch.ones(3, 2, dtype=torch.float64))
    assert (played.after[seen] == 1).all() and played.after[~seen].isnan().all() and played.before[~seen].isnan().all()
    zeros = torch.stack([(task.test_y == 0).double().mean() for task in made])
    assert torch.equal(played.before[2], zeros) and played.seconds >= 0


def test_the_last_part_of_a_task_and_its_place_in_the_matrix_agree():
    """Nothing is trained between them."""
    for name, strategy in strategies(inputs=2, way=2).items():
        played = play(strategy, swapped(3), (10, 30))
        assert torch.equal(played.arriving[:, -1], played.after.diagonal()), name


def test_the_order_is_the_users():
    made = tasks(3)
    back = play(RandomFeatures(3 * 64, 10, features=20), [made[i] for i in (2, 0, 1)], SIZES)
    there = play(RandomFeatures(3 * 64, 10, features=20), made, SIZES)
    # two sums do not depend on the order, so that at the end the accuracies are the same, task by task
    assert torch.allclose(back.before[2], there.before[2][[2, 0, 1]], atol=0.01)
    assert not torch.allclose(back.before[0, 0], there.before[0, 0], atol=0.01)


@pytest.mark.parametrize("sizes", [(), (0, 10), (10, 10), (20, 10)])
def test_sizes_must_grow(sizes):
    witness = Witness()
    with pytest.raises(ValueError, match="grow from 1 on"):
        play(witness, tasks(1), sizes)
    assert witness.calls == []


def test_more_samples_than_there_are_and_no_task_are_refused():
    with pytest.raises(ValueError, match="samples=30"):
        play(Witness(), tasks(1), (10, 30))
    with pytest.raises(ValueError, match="at least 1 task"):
        play(Witness(), [], SIZES)


def test_share_right():
    task = swapped(1)[0]
    assert share_right(lambda x: torch.stack([-x[:, 0], x[:, 0]], 1), task) > 0.99
    assert share_right(lambda x: torch.stack([x[:, 0], -x[:, 0]], 1), task) < 0.01
