"""The inner-loop explorer against autograd, and over every corner of its controls."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call

from mlcourse.engine.descend import trajectory
from mlcourse.lessons.l03_maml.slices import GRID, Plane, flatten, frame, predictions, unflatten
from mlcourse.lessons.l03_maml.widget_inner_loop import (MAX_STEPS, QUERY_X, InnerLoopExplorer, course,
                                                         first_explosion, headline, inner_loop, inner_path)
from mlcourse.losses import task_loss
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep

SETTINGS = dict(name="θ", alpha=0.03, steps=4, shots=5, amplitude=3.0, phase=1.0)


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


def mlp(seed=0, hidden=40):
    generator = torch.Generator().manual_seed(seed)
    net = nn.Sequential(nn.Linear(1, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1))
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.randn(p.shape, generator=generator) / (p.shape[-1] ** 0.5 if p.ndim > 1 else 4) * 0.7)
    return net


def support(record):
    return torch.tensor(record.support_x)[:, None], torch.tensor(record.support_y)[:, None]


def test_the_losses_along_the_path_equal_a_plain_loop_in_float64():
    record = inner_loop(mlp(), **SETTINGS)
    net = copy.deepcopy(mlp()).double()
    x, y = (part.double() for part in support(record))
    truth = 3.0 * torch.sin(QUERY_X.double() - 1.0)
    for step in range(MAX_STEPS + 1):
        loss = ((net(x) - y) ** 2).mean()
        query = ((net(QUERY_X.double()) - truth) ** 2).mean()
        assert record.support_loss[step] == pytest.approx(loss.item(), rel=1e-3)
        assert record.query_loss[step] == pytest.approx(query.item(), rel=1e-3)
        with torch.no_grad():
            for p, g in zip(net.parameters(), torch.autograd.grad(loss, list(net.parameters()))):
                p -= 0.03 * g


def test_the_path_is_the_one_that_descend_takes():
    net = mlp().double()
    record = inner_loop(mlp(), **SETTINGS)
    x, y = (part.double() for part in support(record))
    theta = {name: p.detach() for name, p in net.named_parameters()}
    path = trajectory(lambda phi: task_loss(functional_call(net, phi, (x,)), y), theta, MAX_STEPS, 0.03)
    points, losses = inner_path(net, x, y, 0.03)
    torch.testing.assert_close(points, torch.stack([flatten(phi) for phi in path]))
    assert losses == pytest.approx([task_loss(functional_call(net, phi, (x,)), y).item() for phi in path])


def test_the_surfaces_equal_the_loss_of_the_network_at_each_grid_point():
    net = mlp()
    record = inner_loop(net, **SETTINGS)
    x, y = support(record)
    points, _ = inner_path(net, x, y, 0.03)
    plane = Plane(points[0], points[1] - points[0], (points[-1] - points[0])[None])
    assert record.support_surface.shape == record.query_surface.shape == (GRID, GRID)
    other = copy.deepcopy(net)
    for row, column in ((0, 0), (3, 17), (9, 9), (18, 5), (18, 18)):
        vector = plane.origin + record.a[column] * plane.u + record.b[row] * plane.v
        torch.nn.utils.vector_to_parameters(vector.float(), other.parameters())
        truth = 3.0 * torch.sin(QUERY_X - 1.0)
        assert record.support_surface[row, column] == pytest.approx(((other(x) - y) ** 2).mean().item(), rel=1e-4)
        assert record.query_surface[row, column] == pytest.approx(((other(QUERY_X) - truth) ** 2).mean().item(),
                                                                  rel=1e-4)


def test_start_first_and_tenth_step_lie_on_the_slice_and_its_window_shows_the_path():
    record = inner_loop(mlp(), **SETTINGS)
    assert record.off_plane[[0, 1, MAX_STEPS]] == pytest.approx(0, abs=1e-4)
    assert record.path[1, 1] == pytest.approx(0, abs=1e-5) and record.path[1, 0] > 0
    shown = record.path[:SETTINGS["steps"] + 1]
    assert (shown[:, 0] > record.a[0]).all() and (shown[:, 0] < record.a[-1]).all()
    assert (shown[:, 1] > record.b[0]).all() and (shown[:, 1] < record.b[-1]).all()


def test_a_plane_has_orthonormal_axes_and_gives_back_its_own_points():
    generator = torch.Generator().manual_seed(0)
    origin, first, other = torch.randn(3, 30, generator=generator, dtype=torch.float64)
    plane = Plane(origin, first, other[None])
    assert float(plane.u.norm()) == pytest.approx(1) and float(plane.v.norm()) == pytest.approx(1)
    assert float(plane.u @ plane.v) == pytest.approx(0, abs=1e-12)
    inside = torch.stack([origin, origin + first, origin + other])
    assert plane.distance(inside).numpy() == pytest.approx(0, abs=1e-9)
    a, b = torch.tensor([0.0, 1.0, 2.0]).double(), torch.tensor([-1.0, 1.0]).double()
    back = plane.coordinates(plane.grid(a, b))
    torch.testing.assert_close(back, torch.tensor([[x, y] for y in (-1.0, 1.0) for x in (0.0, 1.0, 2.0)]).double())


@pytest.mark.parametrize("first", [0.0, 1e-20])
def test_a_plane_survives_a_vanishing_first_step(first):
    plane = Plane(torch.zeros(10), torch.full((10,), first), torch.zeros(1, 10))
    assert torch.isfinite(plane.u).all() and torch.isfinite(plane.v).all()
    assert float(plane.u @ plane.v) == pytest.approx(0, abs=1e-6)


def test_flatten_and_unflatten_are_inverse_and_predictions_batch_the_forward_pass():
    net = mlp()
    params = dict(net.named_parameters())
    vector = flatten(params)
    assert all(torch.equal(part, params[name]) for name, part in unflatten(vector, params).items())
    x = torch.linspace(-1, 1, 7)[:, None]
    said = predictions(net, torch.stack([vector, 0 * vector]), x)
    torch.testing.assert_close(said, torch.stack([net(x)[:, 0], torch.zeros(7)]))


def test_the_window_stands_still_while_points_move_a_little():
    points = np.array([[0.0, 0.0], [1.0, 0.3]])
    still = frame(points, 2.0)
    moved = frame(points * 1.01, 2.0)
    assert np.array_equal(still[0], moved[0]) and np.array_equal(still[1], moved[1])
    assert (still[0][-1] - still[0][0]) / (still[1][-1] - still[1][0]) == pytest.approx(2.0)


def test_a_rate_that_explodes_is_shown_with_its_step_and_leaves_every_artist_finite():
    explorer = InnerLoopExplorer({"θ": mlp()}, alpha=10.0, steps=10)
    record = explorer.record
    assert explorer.error is None and record.diverged_at == first_explosion(record.support_loss.tolist()) <= 2
    assert not np.isfinite(record.support_loss[-1])
    assert "too large" in headline(record) and f"at step ≈{record.diverged_at}" in headline(record)
    assert np.isfinite(record.a).all() and np.isfinite(record.b).all() and len(explorer.picture.value) > 10_000
    assert record.support_surface.min() < record.support_loss[0] * 1.01      # the window still shows θ's surroundings


def test_what_lies_off_the_scale_is_marked_and_the_mark_is_in_the_legend():
    explorer = InnerLoopExplorer({"θ": mlp()}, alpha=10.0, steps=10)
    axes = explorer.scene.losses[0][1].axes
    assert "above 1000" in [text.get_text() for text in axes.get_legend().get_texts()]
    assert explorer.scene.losses[0][2].get_visible()
    explorer.set(alpha=0.01)
    assert not explorer.scene.losses[0][2].get_visible()


def test_without_surfaces_it_says_nothing_of_them():
    explorer = InnerLoopExplorer({"random start": mlp()}, alpha=0.01, steps=5, surfaces=False)
    assert not any(word in explorer.alt for word in ("θ", "φ", "slice", "Contour"))
    texts = [text.get_text() for axes in explorer.scene.figure.axes for text in axes.get_legend().get_texts()]
    assert not any(symbol in text for text in texts for symbol in "θφ")
    for _ in sweep(explorer):
        assert explorer.error is None


def test_no_step_says_so_and_the_finding_follows_the_numbers():
    record = inner_loop(mlp(), **{**SETTINGS, "steps": 0})
    assert headline(record).startswith("Before any step")
    falls = record._replace(steps=1, query_loss=np.array([3.1, 0.4]), diverged_at=None)
    assert headline(falls) == "After 1 step of α = 0.03 the query loss of θ falls by ≈87 %, from ≈3.1"
    assert "rises" in headline(falls._replace(query_loss=np.array([0.4, 3.1])))
    for lost in (np.inf, np.nan):
        assert course(6.42, lost) == "grows from ≈6.42 without bound"


def test_every_control_can_be_swept_and_moves_the_picture():
    explorer = InnerLoopExplorer({"θ_MAML": mlp(0), "θ_random": mlp(1)})
    pictures = {}
    for name, value, record in sweep(explorer):
        assert np.isfinite(record.a).all() and np.isfinite(record.b).all()
        assert bytes(explorer.picture.value).startswith(b"\x89PNG")
        pictures.setdefault(name, set()).add(explorer.picture.value)
    assert set(pictures) == set(explorer.controls) and all(len(seen) > 1 for seen in pictures.values())


def test_more_points_keep_the_ones_before():
    few, more = (inner_loop(mlp(), **{**SETTINGS, "shots": k}) for k in (3, 9))
    assert np.array_equal(few.support_x, more.support_x[:3])
    assert not np.array_equal(few.support_x, inner_loop(mlp(), **{**SETTINGS, "shots": 3}, draw=1).support_x)


def test_it_needs_an_initialisation():
    with pytest.raises(ValueError, match="at least one initialisation"):
        InnerLoopExplorer({})
