"""The rivals: from scratch, GDumb's memory, and random features against an ordinary ridge regression."""

import pytest
import torch
import torch.nn.functional as F
from streams import SIDE, digits, net, swapped

from mlcourse.nets import MLP
from mlcourse.online import (FineTune, FromScratch, GDumb, Look, RandomFeatures, TrainOnEverything, play, recipes,
                             share_right, stream)


def test_t4_from_scratch_forgets_everything_between_tasks():
    one, two = swapped(2)
    strategy = FromScratch(MLP((2, 8, 2)), steps=20)
    fresh = strategy.after(two.x, two.y)(two.test_x)
    untrained = strategy.before()(two.test_x)
    play(strategy, [one, two, one], (10, 40))
    assert torch.equal(strategy.after(two.x, two.y)(two.test_x), fresh)
    assert torch.equal(strategy.before()(two.test_x), untrained)


def test_t4_from_scratch_has_enough_steps():
    """With the steps that it has by itself it fits what it is given, and twice as many gain nothing."""
    task, = stream(digits(), recipes([Look()]), samples=200)
    wide = MLP((3 * SIDE * SIDE, 64, 64, 10), seed=0)
    for n in (10, 200):
        fitted = FromScratch(wide).after(task.x[:n], task.y[:n])
        assert (fitted(task.x[:n]).argmax(1) == task.y[:n]).all()
        longer = FromScratch(wide, steps=400).after(task.x[:n], task.y[:n])
        assert share_right(longer, task) - share_right(fitted, task) < 0.02


def seen(strategy, labels, at_once=7):
    """Samples whose number is their place in the stream."""
    labels = torch.as_tensor(labels)
    for part in range(0, len(labels), at_once):
        strategy.see(torch.arange(len(labels))[part:part + at_once, None].float(), labels[part:part + at_once])
    return {label: [int(sample) for sample in kept] for label, kept in strategy.memory.items()}


def test_gdumb_keeps_everything_while_there_is_room():
    labels = [0, 1, 2] * 10
    kept = seen(GDumb(MLP((1, 4, 3)), capacity=30), labels)
    assert kept == {label: list(range(label, 30, 3)) for label in range(3)}


def test_gdumb_makes_room_for_a_label_that_comes_late():
    kept = seen(GDumb(MLP((1, 4, 3)), capacity=12), [0] * 50 + [1] * 50)
    assert {label: len(each) for label, each in kept.items()} == {0: 6, 1: 6}
    assert kept[1] == [50, 51, 52, 53, 54, 55] and set(kept[0]) < set(range(12))       # greedy: the first that come
    kept = seen(GDumb(MLP((1, 4, 3)), capacity=12), [0] * 50 + [1] * 50 + [2] * 3)
    assert sum(len(each) for each in kept.values()) == 12 and len(kept[2]) == 3


def test_gdumb_is_balanced_and_never_beyond_its_capacity():
    labels = torch.randint(5, (400,), generator=torch.Generator().manual_seed(0)).square() % 7
    kept = seen(GDumb(MLP((1, 4, 7)), capacity=22), labels.tolist())
    counts = [len(each) for each in kept.values()]
    assert sum(counts) <= 22 and max(counts) - min(counts) <= 2
    assert all(int(labels[place]) == label for label, each in kept.items() for place in each)


def test_gdumb_trains_anew_on_its_memory_alone():
    one, two = swapped(2)
    roomy = GDumb(MLP((2, 8, 2)), capacity=1000, steps=30)
    for task in (one, two):
        roomy.see(task.x, task.y)
    straight = GDumb(MLP((2, 8, 2)), capacity=1000, steps=30)
    straight.see(torch.cat([one.x, two.x]), torch.cat([one.y, two.y]))
    assert torch.equal(roomy.before()(one.test_x), straight.before()(one.test_x))
    assert torch.equal(roomy.after(two.x, two.y)(one.test_x), roomy.before()(one.test_x))


def test_gdumb_answers_before_it_has_seen_anything():
    start = net(2, 2)
    assert torch.equal(GDumb(start, capacity=5).before()(torch.ones(3, 2)), start(torch.ones(3, 2)))


def ridge(z, y, penalty):
    """The least-squares solution of the samples and of √λ I with zeros beside them."""
    ones = penalty ** 0.5 * torch.eye(z.shape[1], dtype=z.dtype)
    return torch.linalg.lstsq(torch.cat([z, ones]), torch.cat([y, torch.zeros(len(ones), y.shape[1]).to(y)])).solution


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_random_features_are_the_ridge_regression_on_all_samples_in_whatever_order(order):
    tasks = swapped(3)
    strategy = RandomFeatures(2, 2, features=30, width=1.0)
    for i in order:
        for part in range(0, 40, 8):
            strategy.see(tasks[i].x[part:part + 8], tasks[i].y[part:part + 8])
    x, y = torch.cat([task.x for task in tasks]), torch.cat([task.y for task in tasks])
    head = ridge(strategy.phi(x), F.one_hot(y, 2).double(), 0.1)
    probe = tasks[0].test_x
    assert torch.allclose(strategy.before()(probe), strategy.phi(probe) @ head, atol=1e-6)


def test_random_features_approach_the_gaussian_kernel():
    x = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
    z = RandomFeatures(4, 2, features=2000, width=0.5).phi(x)
    assert torch.allclose(z @ z.T, torch.exp(-0.5 * (0.5 * torch.cdist(x, x)).square()).double(), atol=0.1)


def test_random_features_learn_one_task_of_digits():
    task, = stream(digits(), recipes([Look()]), samples=200)
    strategy = RandomFeatures(3 * SIDE * SIDE, 10, features=300)
    strategy.see(task.x, task.y)
    assert share_right(strategy.before(), task) > 0.8


@pytest.mark.parametrize(("make", "wrong"), [
    (lambda **wrong: TrainOnEverything(net(), **wrong), {"batch": 0}),
    (lambda **wrong: TrainOnEverything(net(), **wrong), {"lr": 0.0}),
    (lambda **wrong: FineTune(net(), **wrong), {"alpha": -1.0}),
    (lambda **wrong: FineTune(net(), **wrong), {"test_steps": 0}),
    (lambda **wrong: FromScratch(net(), **wrong), {"steps": 0}),
    (lambda **wrong: FromScratch(net(), **wrong), {"lr": float("inf")}),
    (lambda **wrong: GDumb(net(), **{"capacity": 5} | wrong), {"capacity": 0}),
    (lambda **wrong: RandomFeatures(4, 2, **wrong), {"features": 0}),
    (lambda **wrong: RandomFeatures(4, 2, **wrong), {"penalty": 0.0}),
    (lambda **wrong: RandomFeatures(4, 2, **wrong), {"width": -1.0})])
def test_settings_that_make_no_sense_are_refused(make, wrong):
    with pytest.raises(ValueError, match="must be"):
        make(**wrong)
