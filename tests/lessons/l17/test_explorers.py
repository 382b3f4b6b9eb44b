"""The explorers of lesson 17 against the library, and over every corner of their controls."""

import numpy as np
import pytest
import torch
from marks import check_marked

from mlcourse.context import LinearTasks, by_prefix, errors, ridge
from mlcourse.context.coins import posterior
from mlcourse.lessons.l17_context import coin, player, shipped
from mlcourse.lessons.l17_context import maml as by_maml
from mlcourse.lessons.l17_context.explorers import ALL, CoinPlayer, PromptPlayer, coin_player, prompt_player
from mlcourse.lessons.l17_context.player import MAML, NETWORK, ONE_STEP, ORDERS, RIDGE
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


def test_answers_are_those_of_the_models_one_prompt_at_a_time():
    prompt = LinearTasks(1, 6, 0.5).sample(1, torch.Generator().manual_seed(0))
    points = torch.stack([prompt.x[0, :5, 0], prompt.y[0, :5]], 1).numpy()
    found = player.said(points, prompt.x[0, 5].numpy())
    with torch.no_grad():
        wanted = {NETWORK: shipped.line()(prompt.x, prompt.y)[0, 5],
                  RIDGE: by_prefix(ridge(0.25), prompt.x, prompt.y)[0, 5],
                  MAML: by_maml.by_pairs(shipped.maml_line(), prompt.x, prompt.y)[0, 5]}
    for name, value in wanted.items():
        assert float(found[name][0]) == pytest.approx(float(value), abs=1e-4)
    x, y = points.T
    assert found[ONE_STEP] == pytest.approx(5 / 7.25 * np.mean(x * y) * prompt.x[0, 5].numpy(), abs=1e-5)


def test_before_the_first_example_only_the_prior_speaks():
    found = player.said(np.zeros((0, 2)))
    assert not found[RIDGE].any() and not found[ONE_STEP].any()
    usual = np.abs(player.GRID) < 2
    assert np.abs(found[NETWORK][usual]).max() < 0.3 and np.isfinite(found[MAML]).all()


def test_the_networks_are_near_ridge_in_the_prior():
    prompts = LinearTasks(1, 11, 0.5).sample(1000, torch.Generator().manual_seed(3))
    with torch.no_grad():
        own = errors(shipped.line()(prompts.x, prompts.y), prompts.clean)
    best = errors(by_prefix(ridge(0.25), prompts.x, prompts.y), prompts.clean)
    assert own[:, 1:].mean() < 1.1 * best[:, 1:].mean()


def test_what_to_try_with_the_prompt_comes_true():
    prompt = PromptPlayer(names=ALL)
    off = lambda: dict(prompt.record.off)
    prompt.set(examples=0)
    none = off()
    prompt.set(examples=10)
    many = off()
    assert all(many[name] < none[name] / 2 for name in (NETWORK, RIDGE))
    prompt.set(examples=5, up=6.0)
    answers = {}
    for order in ORDERS:
        prompt.set(order=order)
        answers[order] = dict(prompt.record.said)
    for name, changes in ((NETWORK, True), (RIDGE, False), (ONE_STEP, False), (MAML, False)):
        assert (np.abs(answers[ORDERS[0]][name] - answers[ORDERS[1]][name]).max() > 1e-3) == changes, name
    prompt.set(examples=10, up=0.0, spread=3.0, order=ORDERS[0])
    wide = off()
    assert wide[NETWORK] > 3 * wide[RIDGE]


def test_the_ringed_example_is_the_one_that_is_moved():
    prompt = PromptPlayer(names=ALL, examples=6)
    before = prompt.record.points
    for order in ORDERS:
        prompt.set(which=3, up=4.0, order=order)
        record = prompt.record
        assert tuple(record.points[record.ringed]) == pytest.approx((before[2, 0], before[2, 1] + 4))
    prompt.set(examples=2)
    assert prompt.record.points[:, 1].max() < 9 and len(prompt.record.points) == 2


def test_what_is_shaded_holds_what_training_showed():
    prompts = LinearTasks(1, 1, 0.5).sample(20_000, torch.Generator().manual_seed(0))
    x, y = prompts.x[:, 0, 0].numpy(), prompts.y[:, 0].numpy()
    assert (np.abs(x) <= player.USUAL).mean() == pytest.approx(0.95, abs=0.005)
    assert (np.abs(y) <= player.prior(x)).mean() == pytest.approx(0.95, abs=0.005)


def test_the_coins_means_are_those_of_tosses():
    flips = (torch.rand(20_000, 30, generator=torch.Generator().manual_seed(0)) < 0.5).long()
    found = posterior(flips, coin.COINS)[:, 30]
    said = found @ torch.tensor(coin.COINS, dtype=torch.float64)
    wanted = coin.expected(30, 0.5)
    assert (float(said.mean()), float((said - 0.5).abs().mean()), float(found[:, 1].mean())) == pytest.approx(
        wanted, abs=0.01)


def test_what_to_try_with_the_coin_comes_true():
    explorer = CoinPlayer(coin=0.6)
    assert (np.diff(explorer.record.off)[3:] < 0).all() and explorer.record.off[-1] < 0.005
    explorer.set(coin=0.5)
    record = explorer.record
    assert record.off[0] < record.off[-1] / 1.9 and record.share[-1] < record.off[-1] / 3
    explorer.set(coin=0.4, tosses=300)
    assert explorer.record.belief[-1] < 0.1


@pytest.mark.parametrize("build", [PromptPlayer, prompt_player, coin_player])
def test_every_control_can_be_swept_and_moves_the_picture(build):
    explorer, pictures = build(), {}
    for name, _, _ in sweep(explorer):
        pictures.setdefault(name, set()).add(explorer.picture.value)
    assert set(pictures) == set(explorer.controls) and all(len(seen) > 1 for seen in pictures.values())


@pytest.mark.parametrize("build", [PromptPlayer, prompt_player, coin_player])
def test_what_is_said_is_marked(build):
    check_marked(build, {float(n) for n in range(11)} | set(coin.COINS))
