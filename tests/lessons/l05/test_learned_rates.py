"""The learned-rates explorer against a hand-written outer loop, and over every corner of its controls."""

import numpy as np
import pytest
import torch

from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.learners import MetaSGD
from mlcourse.lessons.l05_meta_sgd.rate_history import RateHistory
from mlcourse.lessons.l05_meta_sgd.scene_learned_rates import COLOURS, DEAD, EDGES, shade
from mlcourse.lessons.l05_meta_sgd.signs import Weight, support_gradients
from mlcourse.lessons.l05_meta_sgd.widget_learned_rates import LearnedRates, ranked
from mlcourse.nets import MLP, call
from mlcourse.system.machine import one_core
from mlcourse.train import step_generator, train
from mlcourse.widgets import sweep


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


class DoubleSinusoids(SinusoidSampler):
    def sample(self, tasks, generator):
        return super().sample(tasks, generator).to(torch.float64)


def history(every=2, dtype=torch.float32, net=None):
    sampler = DoubleSinusoids(5, 6) if dtype == torch.float64 else SinusoidSampler(5, 6)
    learner = MetaSGD(net or MLP((1, 6, 5, 1), seed=1), low=0.01, high=0.05).to(dtype)
    return RateHistory(learner, sampler, every=every)


@pytest.fixture
def explorer():
    widget = LearnedRates(history())
    widget.step(4)
    widget.step(2)
    return widget


def test_advancing_equals_a_loop_with_create_graph():
    run = history(every=1, dtype=torch.float64)
    other = MetaSGD(MLP((1, 6, 5, 1), seed=1), low=0.01, high=0.05).double()
    optimiser = torch.optim.Adam(other.parameters(), lr=3e-3)
    for step in range(3):
        batch, total = run.sampler.sample(4, step_generator(0, 1, step)), 0.0
        for task in map(batch.task, range(4)):
            theta, alpha = other.theta(), other.rates()
            loss = ((call(other.net, theta, task.support_x) - task.support_y) ** 2).mean()
            g = torch.autograd.grad(loss, list(theta.values()), create_graph=True)
            phi = {name: p - alpha[name] * each for (name, p), each in zip(theta.items(), g)}
            total = total + ((call(other.net, phi, task.query_x) - task.query_y) ** 2).mean() / 4
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
    run.advance(3, beta=3e-3, tasks=4)
    for name, value in other.theta().items():
        torch.testing.assert_close(run.snapshots[-1].theta[name], value.detach())
        torch.testing.assert_close(run.snapshots[-1].alpha[name], other.rates()[name].detach())


def test_snapshots_are_copies_taken_every_so_many_steps_of_a_training():
    run = history(every=3)
    train(run.learner, run.learner.phases(run.sampler, 7, tasks=2, lr=1e-2), on_step=run, progress=False)
    assert [snapshot.step for snapshot in run.snapshots] == [0, 3, 6] and run.step == 7
    run.advance(1)
    assert run.snapshots[-1].step == 8
    first, last = run.snapshots[0], run.snapshots[-1]
    assert all(not torch.equal(first.alpha[name], last.alpha[name]) for name in ("head.bias", "body.0.weight"))
    assert first.negative == 0 and first.before == pytest.approx(float((call(
        MLP((1, 6, 5, 1), seed=1), first.theta, run.check.query_x.flatten(0, 1))
        - run.check.query_y.flatten(0, 1)).square().mean()), rel=1e-5)


def test_a_history_refuses_no_interval():
    with pytest.raises(ValueError, match="every 1 or more outer steps, got 0"):
        history(every=0)


def test_the_record_holds_the_gradients_and_the_loss_of_one_task_at_a_time(explorer):
    explorer.set(tensor="body.1.weight", rank=80)
    record, tasks = explorer.record, explorer.history.check
    shown, net = explorer.history.snapshots[-1], explorer.history.learner.net
    name, index = record.weight
    for i in range(4):
        task = tasks.task(i)
        theta = {key: p.clone().requires_grad_() for key, p in shown.theta.items()}
        loss = ((call(net, theta, task.support_x) - task.support_y) ** 2).mean()
        g = dict(zip(theta, torch.autograd.grad(loss, list(theta.values()))))
        assert record.support_gradient[i] == pytest.approx(g[name].flatten()[index].item(), rel=1e-4, abs=1e-6)
        phi = {key: p.detach() - shown.alpha[key] * g[key] for key, p in theta.items()}
        phi[name].view(-1)[index] = shown.theta[name].view(-1)[index]
        phi[name].requires_grad_()
        loss = ((call(net, phi, task.query_x) - task.query_y) ** 2).mean()
        slope, = torch.autograd.grad(loss, phi[name])
        assert record.query_gradient[i] == pytest.approx(slope.flatten()[index].item(), rel=1e-3, abs=1e-6)
    at = np.interp(record.rate, record.slice_rates, record.slice_loss)
    assert at == pytest.approx(record.after, rel=1e-2)
    assert record.rate == pytest.approx(shown.alpha[name].flatten()[index].item())
    alive = np.concatenate([(gradient != 0).any(0).ravel() for gradient in (
        each.numpy() for each in support_gradients(net, shown.theta, tasks).values())])
    assert np.array_equal(alive, np.concatenate([each.ravel() for each in record.alive.values()])) and alive.any()
    every = np.concatenate([a.ravel() for a in record.alpha.values()])
    assert record.negative == pytest.approx(np.mean(every[alive] < 0))


def test_weights_are_ranked_by_their_signed_step(explorer):
    last, net = explorer.history.snapshots[-1], explorer.history.learner.net
    g = support_gradients(net, last.theta, explorer.history.check)
    order = ranked(last.theta, last.alpha, g, "head.weight")
    steps = [float(last.alpha["head.weight"].flatten()[w.index]
                   * g["head.weight"].flatten(1)[:, w.index].square().mean()
                   ** 0.5) for w in order]
    assert steps == sorted(steps) and sorted(w.index for w in order) == list(range(5))
    assert len(ranked(last.theta, last.alpha, g, "all")) == sum(p.numel() for p in last.theta.values())


def test_rewinding_keeps_the_weight_and_shows_its_past(explorer):
    weight, now = explorer.record.weight, bytes(explorer.picture.value)
    assert explorer.controls["rewind"].options == (0, 2, 4, 6) and explorer.record.step == 6
    explorer.controls["rewind"].value = 0
    assert explorer.record.weight == weight and explorer.record.step == 0 and bytes(explorer.picture.value) != now
    assert "Before training ≈0 % of the rates with a gradient are negative" in explorer.title.value
    first = explorer.history.snapshots[0].alpha[weight.tensor].flatten()[weight.index]
    assert explorer.record.rate == pytest.approx(float(first))


def test_every_control_can_be_swept_and_moves_the_picture(explorer):
    pictures = {}
    for name, _, record in sweep(explorer):
        assert np.isfinite(record.slice_loss).all() and np.isfinite(record.support_gradient).all()
        pictures.setdefault(name, set()).add(bytes(explorer.picture.value))
    assert set(pictures) == set(explorer.controls) and all(len(seen) > 1 for seen in pictures.values())


def test_a_weight_without_a_gradient_is_said_to_have_none(explorer):
    net = MLP((1, 6, 5, 1), seed=1)
    with torch.no_grad():
        net.body[0].bias[2] = -100.0                                          # a unit that never fires
    widget = LearnedRates(history(net=net))
    found = [widget.set(tensor="body.0.bias", rank=rank) or widget.alt for rank in range(0, 101, 20)]
    assert any("has no gradient on any of the 60 tasks" in text for text in found) and widget.error is None


def test_the_map_places_every_weight_once(explorer):
    scene, seen = explorer.scene, set()
    for name, shape in scene.shapes.items():
        for index in range(int(np.prod(shape))):
            row, column = scene.cells(name, index)
            seen.add((int(row), int(column)))
            assert 0 <= row < scene.size[0] and 0 <= column < scene.size[1]
    assert len(seen) == sum(int(np.prod(shape)) for shape in scene.shapes.values())
    w2, b2 = list(scene.shapes)[2], list(scene.shapes)[3]
    assert scene.cells(w2, 7)[0] == scene.cells(b2, 1)[0]                      # row 1 of W₂ is unit 1, as b₂'s entry 1


def test_colours_go_with_the_logarithm_of_a_rate_and_grey_is_kept_for_weights_without_a_gradient(explorer):
    rates = np.array([-3, -1, -0.1, 0, 0.1, 1, 3])
    assert np.array_equal(shade(rates), -shade(-rates)) and (np.diff(shade(rates[1:6])) > 0.2).all()
    assert shade(rates)[0] == -1 and shade(rates)[-1] == 1 and not (COLOURS == DEAD).all(1).any()
    net = MLP((1, 6, 5, 1), seed=1)
    with torch.no_grad():
        net.body[0].bias[2] = -100.0
    widget = LearnedRates(history(net=net))
    row, column = widget.scene.cells("body.0.bias", 2)
    shown = widget.scene.map.get_array()
    assert np.array_equal(shown[row, column], DEAD) and not widget.record.alive["body.0.bias"][2]
    assert "of all rates have no gradient (grey)" in widget.alt


def test_no_bin_of_the_histogram_holds_rates_of_both_signs(explorer):
    assert 0 in EDGES and len(EDGES) == 41 and (np.diff(EDGES) > 0).all()


def test_a_point_is_said_to_ask_for_the_sign_of_its_product(explorer):
    said = [(text, *text.get_position()) for axes in explorer.scene.figure.axes for text in axes.texts
            if text.get_text().startswith("asks for")]
    assert len(said) == 4 and all(text.get_text().endswith("> 0" if x * y > 0 else "< 0") for text, x, y in said)


def test_training_that_explodes_says_so(explorer):
    explorer.history.advance = lambda count: (_ for _ in ()).throw(ValueError("the loss is nan; lower the outer rate"))
    explorer.step(1)
    assert "lower the outer rate" in explorer.caption.value


def test_it_shows_networks_with_two_hidden_layers_only():
    with pytest.raises(ValueError, match="an MLP with two hidden layers"):
        LearnedRates(history(net=MLP((1, 4, 1))))


def test_by_itself_it_starts_untrained():
    widget = LearnedRates()
    assert widget.controls["rewind"].options == (0,) and widget.error is None
    assert isinstance(widget.record.weight, Weight) and "LearnedRates(rewind, tensor, rank)" == repr(widget)
