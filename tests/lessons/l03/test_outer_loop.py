"""The outer-loop player against a hand-written outer loop, and over every corner of its controls."""

import asyncio
import copy

import numpy as np
import pytest
import torch

from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.learners import MAML
from mlcourse.lessons.l03_maml.outer_training import MOST_SNAPSHOTS, OuterTraining, Settings, adaptation_losses
from mlcourse.lessons.l03_maml.slices import Plane, flatten
from mlcourse.lessons.l03_maml.widget_outer_loop import (QUERY_X, OuterLoopPlayer, adapted_vectors, fixed_tasks,
                                                         outer_view)
from mlcourse.nets import MLP, call
from mlcourse.system.machine import one_core
from mlcourse.train import step_generator
from mlcourse.widgets import sweep

SETTINGS = Settings(alpha=0.02, steps=2, beta=3e-3, tasks=4)


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


class DoubleSinusoids(SinusoidSampler):
    def sample(self, tasks, generator):
        return super().sample(tasks, generator).to(torch.float64)


def training(net=None, dtype=torch.float64):
    net = MLP(seed=1) if net is None else net
    sampler = DoubleSinusoids() if dtype == torch.float64 else SinusoidSampler()
    return OuterTraining(net.to(dtype), sampler, seed=3)


def by_hand(net, settings, step, optimiser, sampler):
    """One outer step of MAML as a loop over tasks with create_graph=True."""
    batch = sampler.sample(settings.tasks, step_generator(3, 0, step))
    total = 0.0
    for i in range(settings.tasks):
        task = batch.task(i)
        phi = dict(net.named_parameters())
        for _ in range(settings.steps):
            loss = ((call(net, phi, task.support_x) - task.support_y) ** 2).mean()
            gradient = torch.autograd.grad(loss, list(phi.values()), create_graph=True)
            phi = {name: p - settings.alpha * g for (name, p), g in zip(phi.items(), gradient)}
        total = total + ((call(net, phi, task.query_x) - task.query_y) ** 2).mean() / settings.tasks
    optimiser.zero_grad()
    total.backward()
    optimiser.step()
    return total.item()


def test_outer_steps_equal_a_loop_with_create_graph():
    run = training()
    net = MLP(seed=1).double()
    optimiser = torch.optim.Adam(net.parameters(), lr=SETTINGS.beta)
    losses = [by_hand(net, SETTINGS, step, optimiser, run.sampler) for step in range(4)]
    run.advance(1, SETTINGS)
    run.advance(3, SETTINGS)
    assert run.losses == pytest.approx(losses, rel=1e-10)
    for mine, other in zip(run.net.parameters(), net.parameters()):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-12)


def test_rewinding_and_going_on_repeats_the_same_numbers():
    run = training()
    run.advance(2, SETTINGS)
    run.advance(3, SETTINGS)
    losses, theta = list(run.losses), run.snapshots[-1].theta
    run.rewind(2)
    assert run.step == 2 and torch.equal(flatten(dict(run.net.named_parameters())), run.snapshots[1].theta)
    run.advance(3, SETTINGS)
    assert run.losses == losses and torch.equal(run.snapshots[-1].theta, theta) and run.step == 5


def test_a_changed_rate_branches_off_and_is_recorded():
    run = training()
    for _ in range(3):
        run.advance(2, SETTINGS)
    run.rewind(3)                                                    # the snapshot at or before step 3
    assert run.step == 2
    other = SETTINGS._replace(beta=0.1)
    run.advance(1, other)
    assert [snapshot.step for snapshot in run.snapshots] == [0, 2, 3] and len(run.losses) == 3
    assert run.settings == [SETTINGS, SETTINGS, other]
    assert [steps for steps, _ in run.abandoned] == [[2, 4, 6]]


def test_the_check_losses_equal_one_task_at_a_time():
    run = training()
    learner = MAML(run.net, SETTINGS.alpha, SETTINGS.steps)
    before, after = adaptation_losses(learner, run.check)
    for i in (0, 7):
        task = run.check.task(i)
        state = learner.adapt(task)
        assert after[i].item() == pytest.approx(((learner.predict(state, task.query_x)
                                                  - task.query_y) ** 2).mean().item())
        assert before[i].item() == pytest.approx(((run.net(task.query_x) - task.query_y) ** 2).mean().item())


def test_settings_that_cannot_run_leave_theta_where_it_was():
    run = training()
    run.advance(1, SETTINGS)
    theta = flatten(dict(run.net.named_parameters()))
    with pytest.raises(ValueError, match="lower the inner or the outer rate"):
        run.advance(5, SETTINGS._replace(alpha=1e300, steps=5))
    with pytest.raises(ValueError, match="at least 1, got 0 and 4"):
        run.advance(0, SETTINGS)
    assert torch.equal(flatten(dict(run.net.named_parameters())), theta)
    assert len(run.losses) == 1 and run.step == 1 and len(run.snapshots) == 2


def test_many_snapshots_are_thinned_but_keep_the_ends():
    run = training()
    template = run.snapshots[0]
    run.snapshots += [template._replace(step=i) for i in range(1, MOST_SNAPSHOTS)]
    run.cursor = MOST_SNAPSHOTS - 1
    run.advance(1, SETTINGS)
    steps = [snapshot.step for snapshot in run.snapshots]
    assert len(steps) < MOST_SNAPSHOTS and steps[0] == 0 and steps[-1] == MOST_SNAPSHOTS and steps == sorted(set(steps))


def test_phi_is_what_maml_adapts_to_and_the_view_shows_it():
    net, tasks = MLP(seed=2), fixed_tasks()
    vectors = adapted_vectors(net, tasks, 0.05, 2)
    learner = MAML(net, 0.05, 2)
    view = outer_view(net, tasks, Settings(0.05, 2), shown=1, aspect=1.2)
    for i in range(3):
        state = learner.adapt(tasks.task(i))
        torch.testing.assert_close(vectors[i], flatten(state.params), rtol=1e-4, atol=1e-5)
        said = learner.predict(state, QUERY_X).detach()[:, 0].numpy()
        assert view["after"][i] == pytest.approx(said, abs=1e-4)
        assert view["query_after"][i] == pytest.approx(((said - view["truth"][i]) ** 2).mean(), rel=1e-4)
    assert view["off_plane"][1] == pytest.approx(0, abs=1e-5) and view["phi"][1, 1] == pytest.approx(0, abs=1e-5)


def test_surfaces_are_those_of_the_task_shown():
    net, tasks = MLP(seed=2), fixed_tasks()
    view = outer_view(net, tasks, Settings(0.05, 1), shown=2, aspect=1.2)
    theta, phi = flatten(dict(net.named_parameters())), adapted_vectors(net, tasks, 0.05, 1)
    plane = Plane(theta, phi[2] - theta, (phi - theta)[:2])
    other, task = copy.deepcopy(net), tasks.task(2)
    for row, column in ((0, 0), (5, 17), (18, 7)):
        vector = plane.origin + view["a"][column] * plane.u + view["b"][row] * plane.v
        torch.nn.utils.vector_to_parameters(vector.float(), other.parameters())
        for surface, x, y in ((view["support_surface"], task.support_x, task.support_y),
                              (view["query_surface"], task.query_x, task.query_y)):
            assert surface[row, column] == pytest.approx(((other(x) - y) ** 2).mean().item(), rel=1e-3)


def test_stepping_moves_the_slider_and_rewinding_shows_the_past():
    player = OuterLoopPlayer(settings=SETTINGS)
    first = bytes(player.picture.value)
    player.step(3)
    player.step(2)
    assert player.controls["rewind"].options == (0, 3, 5) and player.controls["rewind"].value == 5
    assert "After 5 outer steps" in player.title.value
    player.controls["rewind"].value = 3
    assert player.record.step == 3 and "Rewound to outer step 3 of 5" in player.caption.value
    player.controls["rewind"].value = 0
    assert player.record.step == 0 and bytes(player.picture.value) != first     # the curve's later part is still shown
    player.restart()
    assert bytes(player.picture.value) == first and player.controls["rewind"].options == (0,)


def test_every_control_can_be_swept():
    player = OuterLoopPlayer(settings=SETTINGS)
    player.step(2)
    player.step(2)
    pictures = {}
    for name, value, record in sweep(player):
        assert np.isfinite(record.a).all() and np.isfinite(record.b).all()
        pictures.setdefault(name, set()).add(bytes(player.picture.value))
    assert set(pictures) == set(player.controls)
    assert all(len(pictures[name]) > 1 for name in ("rewind", "alpha", "steps", "shown"))


def test_an_inner_rate_that_explodes_is_shown_and_training_on_it_says_why():
    player = OuterLoopPlayer(settings=SETTINGS._replace(alpha=1.0, steps=5))
    assert player.error is None and "too large" in player.title.value
    player.step(1)
    assert "lower the inner or the outer rate" in player.caption.value or player.error is None


def test_an_outer_rate_that_throws_theta_away_is_named_with_the_step_to_rewind_to():
    player = OuterLoopPlayer(settings=SETTINGS)
    player.step(4)
    player.set(beta=1.0)
    for _ in range(3):
        player.step(10)
    assert "β = 1 was too large" in player.title.value and "rewind to outer step 4" in player.title.value
    player.set(beta=1e-3)
    player.step(5)
    assert "β = 1 was too large" in player.title.value              # lowering it does not bring θ back
    assert len(player.scene.off.get_xdata()) == 4                   # and what lies off the scale is marked
    player.controls["rewind"].value = 4
    assert "too large" not in player.title.value
    player.step(3)
    assert "After 7 outer steps" in player.title.value and len(player.scene.off.get_xdata()) == 0


def test_title_and_curves_speak_of_the_same_tasks():
    player = OuterLoopPlayer(settings=SETTINGS)
    player.step(2)
    record = player.record
    assert (record.held_before, record.held_after) == pytest.approx((record.check_before[-1], record.check_after[-1]))
    assert "of 40 tasks" in player.title.value and "of 40 tasks kept aside" in player.caption.value
    before = record.held_after
    player.set(steps=5)
    assert player.record.held_after != before
    assert player.scene.at.get_ydata()[0] == pytest.approx(player.record.held_after)


def test_play_runs_between_other_work_and_pause_stops_it():
    async def scene():
        player = OuterLoopPlayer(settings=SETTINGS)
        player.play()
        assert player.playing and player.play_button.description == "⏸ pause"
        while player.record.step < 20:
            await asyncio.sleep(0.01)
        player.pause()
        stopped = player.record.step
        await asyncio.sleep(0.1)
        assert not player.playing and player.record.step == stopped and player.play_button.description == "▶ play"
        player.play(7)
        other = OuterLoopPlayer(settings=SETTINGS)
        assert not player.playing                                    # a new player stops the old one
        other.play(13)
        while other.playing:
            await asyncio.sleep(0.01)
        assert other.record.step == 13

    asyncio.run(scene())


def test_moving_the_rewind_slider_pauses():
    async def scene():
        player = OuterLoopPlayer(settings=SETTINGS)
        player.play()
        while player.record.step < 10:
            await asyncio.sleep(0.01)
        player.controls["rewind"].value = 0
        assert not player.playing and player.record.step == 0

    asyncio.run(scene())
