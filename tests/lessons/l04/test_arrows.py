"""The explorer of arrows against loops written out with torch.autograd.grad, and over every corner of its controls."""

import numpy as np
import pytest
import torch
from marks import check_marked
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from mlcourse.lessons.l04_first_order import arrows as parts
from mlcourse.lessons.l04_first_order.arrows import ALGORITHMS, FIRST, IMPLICIT, JOINT, REPTILE, SECOND
from mlcourse.lessons.l04_first_order.widget_which_arrow import WhichArrow
from mlcourse.nets import MLP, call, params_of
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep

ALPHA = 0.02


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


def small():
    return MLP((1, 6, 5, 1), seed=3).double()


def mse(net, params, samples):
    return ((call(net, params, samples[0]) - samples[1]) ** 2).mean()


def gradient(net, params, samples, graph=False):
    return torch.autograd.grad(mse(net, params, samples), list(params.values()), create_graph=graph)


def by_hand(name, net, tasks, steps):
    """Minus the meta-gradient of an algorithm, task by task."""
    total = 0
    for i in range(2):
        task = tasks.task(i)
        support, query, both = (task.support_x, task.support_y), (task.query_x, task.query_y), task.samples()
        theta = phi = params_of(net)
        for _ in range(steps):
            g = gradient(net, phi, both if name == REPTILE else support, graph=True)
            phi = {key: p - ALPHA * d for (key, p), d in zip(phi.items(), g, strict=True)}
        if name == JOINT:
            found = gradient(net, theta, both)
        elif name == SECOND:
            found = torch.autograd.grad(mse(net, phi, query), list(theta.values()))
        elif name == FIRST:
            found = gradient(net, phi, query)
        else:
            found = [(p - phi[key]) / (ALPHA * steps) for key, p in theta.items()]
        total = total - torch.cat([each.detach().flatten() for each in found]) / 2
    return total


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("name", [JOINT, FIRST, SECOND, REPTILE])
def test_an_arrow_is_that_of_a_loop_written_out(name, steps):
    net, tasks = small(), parts.two_tasks()
    torch.testing.assert_close(parts.arrow(name, net, tasks, ALPHA, steps), by_hand(name, net, tasks, steps))


def test_imamls_arrow_is_the_derivative_of_the_query_loss_at_the_minimum_of_its_inner_problem():
    net, tasks = small(), parts.two_tasks()
    like = [p.shape for p in net.parameters()]

    def query_loss(theta, i):
        task, phi = tasks.task(i), theta.clone()
        for _ in range(150):
            at = phi.clone().requires_grad_()
            named = dict(zip(params_of(net), (part.view(shape) for part, shape in zip(
                at.split([shape.numel() for shape in like]), like, strict=True)), strict=True))
            pull = ((at - theta) ** 2).sum() / (2 * ALPHA)
            g, = torch.autograd.grad(mse(net, named, (task.support_x, task.support_y)) + pull, at)
            phi = phi - ALPHA / 4 * g
        copied = small()
        vector_to_parameters(phi, copied.parameters())
        return mse(copied, params_of(copied), (task.query_x, task.query_y)).item()

    theta = parameters_to_vector(net.parameters()).detach()
    arrow = parts.arrow(IMPLICIT, net, tasks, ALPHA, 1)
    for j in (0, 9, 30, 47):
        u = torch.zeros_like(theta)
        u[j] = 1e-4
        slope = sum(query_loss(theta + u, i) - query_loss(theta - u, i) for i in range(2)) / 2 / 2e-4
        assert float(arrow[j]) == pytest.approx(-slope, rel=0.02, abs=2e-3 * float(arrow.abs().max()))


def test_with_one_inner_step_reptiles_arrow_is_that_of_joint_training():
    net, tasks = small(), parts.two_tasks()
    torch.testing.assert_close(*(parts.arrow(name, net, tasks, ALPHA, 1) for name in (REPTILE, JOINT)))


def test_the_plane_holds_both_tasks_and_its_axes_are_orthonormal():
    own = parts.downhill(small(), parts.two_tasks())
    plane = parts.plane(*own)
    torch.testing.assert_close(plane @ plane.T, torch.eye(2, dtype=torch.float64))
    torch.testing.assert_close(own @ plane.T @ plane, own)
    ends = own @ plane.T
    assert (ends[:, 0] > 0).all() and ends[0, 1] > 0 > ends[1, 1]


def test_angles():
    x, y = torch.eye(2, dtype=torch.float64)
    assert parts.angle(x, 3 * x) == 0
    assert parts.angle(x, y) == pytest.approx(90) and parts.angle(x, -x) == pytest.approx(180)
    assert np.isnan(parts.angle(x, 0 * x))


def test_the_record_says_what_the_vectors_say():
    explorer = WhichArrow({"small": small()}, alpha=ALPHA, steps=2)
    record, found = explorer.record, parts.arrows(small(), parts.two_tasks(), ALPHA, 2)
    gap = found[SECOND] - found[FIRST]
    assert record.missing == pytest.approx(float(gap.norm() / found[SECOND].norm()))
    cosine = float(found[FIRST] @ found[SECOND] / (found[FIRST].norm() * found[SECOND].norm()))
    assert np.cos(np.radians(record.angles[FIRST])) == pytest.approx(cosine)
    assert record.lengths[JOINT] == 1 and record.angles[SECOND] == 0 and 0 < record.inside <= 1
    assert "2 inner steps" in explorer.headline(record)


def test_every_control_can_be_swept_and_moves_the_picture():
    explorer = WhichArrow({"small": small(), "other": MLP((1, 4, 1), seed=1)})
    pictures = {}
    for name, _, _ in sweep(explorer):
        pictures.setdefault(name, set()).add(explorer.picture.value)
    assert set(pictures) == set(explorer.controls) and all(len(seen) > 1 for seen in pictures.values())


def test_an_inner_loop_that_explodes_is_said_and_draws_nothing_of_it():
    explorer = WhichArrow({"steep": MLP((1, 40, 40, 1), seed=0)})
    net = explorer.nets["steep"]
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(30)
    explorer.set(alpha=0.1, steps=8)
    assert explorer.error is None and "explodes" in explorer.headline(explorer.record)
    assert "Not finite: " in explorer.alt and not explorer.scene.near.arrows[SECOND][0].get_visible()
    explorer.nets["steep"] = small()
    explorer.set(alpha=0.01, steps=1)
    assert explorer.scene.near.arrows[SECOND][0].get_visible()


def test_what_was_computed_is_marked():
    check_marked(lambda: WhichArrow({"small": small()}), set())


def test_the_first_explorer_of_the_lesson_names_no_other_algorithm():
    explorer = WhichArrow({"random start": small()}, algorithms=(JOINT, FIRST, SECOND))
    for _ in sweep(explorer):
        assert not any(name in explorer.alt for name in (REPTILE, IMPLICIT))
    assert set(explorer.record.places) == {JOINT, FIRST, SECOND} < set(ALGORITHMS)


def test_it_needs_a_network_and_the_arrows_that_it_compares():
    with pytest.raises(ValueError, match="at least one network"):
        WhichArrow({})
    with pytest.raises(ValueError, match="compared with that of FOMAML"):
        WhichArrow({"small": small()}, algorithms=(JOINT, SECOND))
