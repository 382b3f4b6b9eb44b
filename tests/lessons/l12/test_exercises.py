"""What lesson 12's exercises rest on: the reference answers are the library's, and what the text works out on paper."""

import math

import pytest
import torch
from streams import swapped

from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge
from mlcourse.learners import MAML
from mlcourse.losses import task_loss
from mlcourse.nets import MLP, call
from mlcourse.online import FTML, Buffer, FineTune, forgetting, kaplan_meier, median_needed, play, samples_needed
from mlcourse.online.stream import Task

NEEDED, ARRIVES, META_UPDATE, ARRIVING, FORGOTTEN = (exercise(f"12.{i}").reference() for i in range(1, 6))


def test_share_and_median_are_those_of_kaplan_and_meier():
    generator, sizes = torch.Generator().manual_seed(0), (10, 20, 40, 80)
    for _ in range(40):
        curves = torch.rand(7, 4, generator=generator, dtype=torch.float64) + torch.tensor([0.0, 0.1, 0.2, 0.3])
        curves = curves.clamp(max=1)
        each = [samples_needed(curve, sizes, 0.95) for curve in curves]
        share, median = NEEDED(curves, sizes, 0.95)
        assert median == median_needed(each) and share == pytest.approx(sum(one.passed for one in each) / 7)
        still = dict(kaplan_meier(each)).get(80, 1 - share)
        assert share == pytest.approx(1 - still)


def test_the_buffer_is_the_librarys():
    library, ours = Buffer(), []
    for task in swapped(3):
        library.begin()
        for part in range(0, 40, 10):
            x, y = task.x[part:part + 10], task.y[part:part + 10]
            library.add(x, y)
            ours = ARRIVES(ours, x, y, part == 0)
    assert len(ours) == len(library) == 3
    assert all(torch.equal(a, b) for mine, theirs in zip(ours, library, strict=True)
               for a, b in zip(mine, theirs, strict=True))


@pytest.mark.parametrize("k", [1, 3])
def test_a_meta_update_is_the_librarys(k):
    """Of FTML, with the same two draws of both tasks."""
    data, alpha = [(task.x, task.y) for task in swapped(2)], 0.3
    strategy = FTML(MLP((2, 8, 2)), alpha=alpha, k=k, steps=1, tasks=2)
    net = MLP((2, 8, 2))
    theta = dict(net.named_parameters())
    optimiser = torch.optim.Adam(net.parameters(), lr=2e-3)
    for x, y in data:
        strategy.begin()
        strategy.buffer.add(x, y)
    drawn = []
    real = strategy._drawn
    strategy._drawn = lambda *given: drawn.append(real(*given)) or drawn[-1]
    strategy.meta_update()
    (tr_x, tr_y), (val_x, val_y) = drawn
    order = [next(i for i, (x, y) in enumerate(data) if (x == row[0]).all(1).any() and (
        y[(x == row[0]).all(1)] == label[0]).any()) for row, label in zip(tr_x, tr_y, strict=True)]
    batches = {i: [(tr_x[at], tr_y[at]), (val_x[at], val_y[at])] for at, i in enumerate(order)}
    assert sorted(batches) == [0, 1]

    def some(x, y):
        return batches[next(i for i, each in enumerate(data) if each[0] is x)].pop(0)

    loss = lambda params, x, y: task_loss(call(net, params, x), y)
    META_UPDATE(theta, data, some, loss, alpha, k, optimiser)
    for name, p in strategy.learner.net.named_parameters():
        torch.testing.assert_close(theta[name], p, atol=1e-5, rtol=1e-4)


def test_the_leaders_of_the_paper_example():
    """L₁ = ½θ², L₂ = 2(θ - 1)², α = ¼, one step: found by descending, not by their formulas."""
    def rest(alpha):
        theta = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
        for _ in range(400):
            total = 0.0
            for curvature, minimum in ((1.0, 0.0), (4.0, 1.0)):
                phi = theta - alpha * curvature * (theta - minimum)
                total = total + 0.5 * curvature * (phi - minimum) ** 2
            g, = torch.autograd.grad(total, theta)
            theta = (theta - 0.1 * g).detach().requires_grad_()
        return float(theta.detach())
    assert rest(0.0) == pytest.approx(4 / 5) and rest(0.25) == pytest.approx(0.0, abs=1e-6)
    assert isinstance(FTML(MLP((2, 4, 2))).learner, MAML)


def test_the_mended_protocol_is_the_librarys():
    strategy = lambda: FineTune(MLP((2, 8, 2)), lr=1e-2, steps=10, test_steps=5)
    task, sizes = swapped(1)[0], (5, 10, 40)
    assert ARRIVING(strategy(), task, sizes) == pytest.approx(play(strategy(), [task], sizes).arriving[0].tolist())


def test_the_broken_protocol_flatters_where_nothing_can_be_learned():
    """Labels drawn by lot: half of the test is right at best, and all that was learned by heart."""
    namespace = {"torch": torch}
    exec(exercise("12.4").given, namespace)
    broken = namespace["arriving_broken"]
    generator = torch.Generator().manual_seed(0)
    lot = lambda m: torch.randint(2, (m,), generator=generator)
    task = Task(torch.randn(20, 8, generator=generator), lot(20), torch.randn(400, 8, generator=generator), lot(400))
    strategy = lambda: FineTune(MLP((8, 64, 2)), lr=1e-2, steps=200, test_steps=5)
    assert broken(strategy(), task, (10, 20))[-1] > 0.95 and abs(ARRIVING(strategy(), task, (10, 20))[-1] - 0.5) < 0.1
    assert judge(exercise("12.4"), broken).misconception == "asked before adapting, tested on what it learned from"


def test_what_is_forgotten_is_the_librarys():
    generator = torch.Generator().manual_seed(0)
    for tasks in (2, 3, 6):
        a = torch.rand(tasks, tasks, generator=generator, dtype=torch.float64)
        a[torch.ones(tasks, tasks).triu(1).bool()] = math.nan
        torch.testing.assert_close(FORGOTTEN(a), forgetting(a)[:-1, -1])
