"""Where algorithms rest on two quadratics: against their own outer loops and linear solves, and the explorer of it."""

import pytest
import torch
from marks import check_marked

from mlcourse.lessons.l04_first_order.arrows import ALGORITHMS, FIRST, IMPLICIT, JOINT, REPTILE, SECOND
from mlcourse.lessons.l04_first_order.checks_results import PAIRS, RATE, truth
from mlcourse.lessons.l04_first_order.quadratics import rest
from mlcourse.lessons.l04_first_order.widget_two_valleys import MINIMA, TwoValleys, curvatures
from mlcourse.widgets import sweep


def meta_gradient(name, w, a, c, alpha, k):
    """By autograd, the mean over tasks; the inner problem of iMAML is solved by many steps."""
    total = torch.zeros_like(w)
    for i in range(len(a)):
        loss = lambda v, i=i: (0.5 * a[i] * (v - c[i]) ** 2).sum()
        leaf = w.clone().requires_grad_()
        phi = leaf
        for _ in range(k if name == REPTILE else 1):
            g, = torch.autograd.grad(loss(phi), phi, create_graph=True)
            phi = phi - alpha * g
        if name == JOINT:
            found, = torch.autograd.grad(loss(leaf), leaf)
        elif name == SECOND:
            found, = torch.autograd.grad(loss(phi), leaf)
        elif name == FIRST:
            found, = torch.autograd.grad(loss(phi), phi)
        elif name == REPTILE:
            found = w - phi.detach()
        else:
            lowest = (a[i] * c[i] + leaf / alpha) / (a[i] + 1 / alpha)         # argmin of loss + |v - w|² / 2α
            found, = torch.autograd.grad(loss(lowest), leaf)
        total += found.detach() / len(a)
    return total


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_outer_loop_of_an_algorithm_comes_to_rest_there(name, k):
    generator = torch.Generator().manual_seed(0)
    a = 0.5 + 3 * torch.rand(3, 2, generator=generator, dtype=torch.float64)
    c = torch.randn(3, 2, generator=generator, dtype=torch.float64)
    w, rate = torch.zeros(2, dtype=torch.float64), 1.0 if name == REPTILE else 0.4
    for _ in range(250):
        w = w - rate * meta_gradient(name, w, a, c, 0.1, k)
    torch.testing.assert_close(w, rest(name, a, c, 0.1, k))


def test_joint_training_and_maml_rest_where_the_formulas_with_matrices_say():
    a, alpha = curvatures(4.0), 0.2
    matrices, eye = torch.diag_embed(a), torch.eye(2, dtype=torch.float64)
    b = -(matrices @ MINIMA[:, :, None])
    joint = -torch.linalg.solve(matrices.sum(0), b.sum(0))[:, 0]
    shrink = eye - alpha * matrices
    maml = -torch.linalg.solve((shrink @ shrink @ matrices).sum(0), (shrink @ shrink @ b).sum(0))[:, 0]
    torch.testing.assert_close(rest(JOINT, a, MINIMA, alpha), joint)
    torch.testing.assert_close(rest(SECOND, a, MINIMA, alpha), maml)


def test_equal_curvatures_give_one_point_and_so_does_rate_0():
    for a, alpha in ((curvatures(1.0), 0.2), (curvatures(4.0), 0.0)):
        points = [rest(name, a, MINIMA, alpha) for name in ALGORITHMS]
        assert all(torch.allclose(point, points[0]) for point in points)


def test_the_exercises_numbers_are_those_of_the_formula():
    for weight, tasks in PAIRS.items():
        a, c = (torch.tensor([[getattr(task, what)] for task in tasks], dtype=torch.float64) for what in ("a", "c"))
        for key, name in (("joint", JOINT), ("MAML", SECOND)):
            assert truth(f"{key} {weight}") == pytest.approx(float(rest(name, a, c, RATE)))
    assert [truth(key) for key in ("joint 1", "MAML 1", "joint 2", "MAML 2")] == pytest.approx([0.8, 0.2, 0.5, 0.5])


def test_each_algorithm_is_best_at_its_own_loss():
    record = TwoValleys(alpha=0.2).record
    assert min(record.before, key=record.before.get) == JOINT and min(record.after, key=record.after.get) == SECOND
    order = [record.paths[name][-1][0] for name in (JOINT, REPTILE, FIRST, SECOND)]
    assert order == sorted(order, reverse=True) and order[0] > record.paths[IMPLICIT][-1][0] > order[-1]


def test_a_bar_that_is_longer_than_its_axis_says_so():
    explorer = TwoValleys(alpha=0.25, steep=3.0)
    texts = lambda: [text.text for *_, text in explorer.scene.before.bars]
    assert max(explorer.record.before.values()) < explorer.scene.before.limit and not any("→" in t for t in texts())
    explorer.set(steep=4.0)
    longer = [value > explorer.scene.before.limit for value in explorer.record.before.values()]
    assert any(longer) and longer == ["→" in each for each in texts()]


def test_every_control_can_be_swept_and_what_was_computed_is_marked():
    check_marked(lambda: TwoValleys(alpha=0.1), {1})
    explorer, pictures = TwoValleys(alpha=0.1), {}
    for name, _, _ in sweep(explorer):
        pictures.setdefault(name, set()).add(explorer.picture.value)
    assert all(len(seen) > 1 for seen in pictures.values())
    explorer.set(alpha=0.0)
    assert "rest at one point" in explorer.headline(explorer.record)
