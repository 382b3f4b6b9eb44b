"""The strategies of ours that adapt, and the play of a strategy that does not."""

import pytest
import torch
import torch.nn.functional as F
from streams import net, strategies, swapped

from mlcourse.nets import MLP
from mlcourse.online import (FineTune, FromScratch, GDumb, GDumbFineTune, RandomFeatures, RandomFeaturesAlone,
                             TrainOnEverything, play, unadapted)


def both(adapting, plain, tasks):
    """The play of an adapting strategy without its adaptation, and that of the strategy that never adapts."""
    return unadapted(play(adapting, tasks, (10, 20))), play(plain, tasks, (10, 20))


@pytest.mark.parametrize(("adapting", "plain"), [
    (lambda: FineTune(net(2, 2), steps=3), lambda: TrainOnEverything(net(2, 2), steps=3)),
    (lambda: GDumbFineTune(net(2, 2), capacity=50, steps=3), lambda: GDumb(net(2, 2), capacity=50, steps=3)),
    (lambda: RandomFeaturesAlone(2, 2, features=20), lambda: RandomFeatures(2, 2, features=20))])
def test_without_adapting_it_is_the_strategy_that_never_does(adapting, plain):
    one, other = both(adapting(), plain(), swapped(3))
    for field in ("arriving", "as_is", "before", "after"):
        assert torch.equal(getattr(one, field).nan_to_num(), getattr(other, field).nan_to_num()), field
    assert one.adapting == 0 <= one.seconds


def test_spare_gradients_are_more_steps_where_samples_are_few():
    task, = swapped(1)
    made = lambda **steps: FineTune(net(2, 2), **steps).after(task.x[:10], task.y[:10])(task.test_x)
    assert torch.equal(made(test_steps=3, spare=49), made(test_steps=7))
    with pytest.raises(ValueError, match="spare must be at least 0, got -1"):
        FineTune(net(2, 2), spare=-1)


def test_a_play_measures_as_is_before_adapting():
    for name, strategy in strategies(2, 2).items():
        played = play(strategy, swapped(3), (10, 40))
        assert torch.equal(played.as_is[:, -1], played.before.diagonal()), name
        assert 0 <= played.adapting <= played.seconds


def test_gdumb_and_fine_tune_tells_contradicting_tasks_apart():
    strategy = GDumbFineTune(MLP((2, 16, 2), seed=0), capacity=1000, steps=60, alpha=0.5, test_steps=40, lr=1e-2)
    played = play(strategy, swapped(2), (40,))
    assert float(played.before[1].mean()) < 0.65 and float(played.after[1].min()) > 0.9


def test_adapting_leaves_gdumbs_network_as_it_was():
    one, two = swapped(2)
    strategy = GDumbFineTune(MLP((2, 8, 2)), capacity=100, steps=5)
    strategy.see(one.x, one.y)
    before = strategy.before()(two.test_x)
    assert not torch.equal(strategy.after(two.x, two.y)(two.test_x), before)
    assert torch.equal(strategy.before()(two.test_x), before)


def test_random_features_alone_are_the_ridge_regression_on_the_tasks_own_samples():
    one, two = swapped(2)
    strategy = RandomFeaturesAlone(2, 2, features=30, width=1.0)
    strategy.see(one.x, one.y)
    strategy.see(two.x, two.y)
    z, Y = strategy.phi(two.x), F.one_hot(two.y, 2).double()
    ones = 0.1 ** 0.5 * torch.eye(30, dtype=torch.float64)
    W = torch.linalg.lstsq(torch.cat([z, ones]), torch.cat([Y, torch.zeros(30, 2, dtype=torch.float64)])).solution
    assert torch.allclose(strategy.after(two.x, two.y)(one.test_x), strategy.phi(one.test_x) @ W, atol=1e-6)


def test_from_scratch_trains_nothing_twice_and_tells_other_samples_apart():
    one, two = swapped(2)
    strategy = FromScratch(MLP((2, 8, 2)), steps=5)
    first = strategy.after(one.x, one.y)
    assert strategy.after(one.x, one.y) is first
    for x, y in ((two.x, two.y), (one.x, 1 - one.y), (one.x[:20], one.y[:20])):
        assert strategy.after(x, y) is not first
    assert torch.equal(FromScratch(MLP((2, 8, 2)), steps=5).after(one.x, one.y)(one.test_x), first(one.test_x))


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"test_steps": 0}, {"capacity": 0}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        GDumbFineTune(net(2, 2), **{"capacity": 5} | wrong)
