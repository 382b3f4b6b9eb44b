"""FTML and its rivals with gradients: closed forms on quadratics, what is kept, and what is forgotten."""

import pytest
import torch
from streams import swapped
from torch import nn

from mlcourse.learners import MAML
from mlcourse.nets import MLP, params_of
from mlcourse.online import FTML, Buffer, FineTune, TrainOnEverything, forgetting, play

ALPHA, DIMS, ROUNDS = 0.15, 2, 3


def quadratic_tasks():
    """A_i (T, D, D), b_i (T, D), and the data of linear regressions whose mean squared error is, up to a constant,

        f_i(w) = ½ wᵀ A_i w + b_iᵀ w          x = √(D/2) Lᵀ with A = L Lᵀ, and y = -x A⁻¹ b
    """
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(ROUNDS, DIMS, DIMS, generator=generator, dtype=torch.float64)
    A = root @ root.mT + torch.eye(DIMS, dtype=torch.float64)
    b = torch.randn(ROUNDS, DIMS, generator=generator, dtype=torch.float64)
    x = (DIMS / 2) ** 0.5 * torch.linalg.cholesky(A).mT
    y = -x @ torch.linalg.solve(A, b)[..., None]
    return A, b, x, y


def rest(weights, A, b):
    """-(Σ S_i A_i)⁻¹ Σ S_i b_i for the weights S_i (t, D, D)."""
    return -torch.linalg.solve((weights @ A).sum(0), (weights @ b[..., None]).sum(0))[:, 0]


def line():
    """f(x) = wᵀx, from w = 0."""
    net = nn.Linear(DIMS, 1, bias=False).double()
    nn.init.zeros_(net.weight)
    return net


def descending(strategy, net, rate):
    """The strategy with plain gradient descent as its outer optimiser."""
    strategy.optimiser = torch.optim.SGD(net.parameters(), lr=rate)
    return strategy


def w_after_each_round(strategy, net, x, y):
    found = []
    for each in range(ROUNDS):
        strategy.begin()
        strategy.see(x[each], y[each])
        found.append(net.weight.detach()[0].clone())
    return torch.stack(found)


def test_the_quadratics_are_what_they_say():
    A, b, x, y = quadratic_tasks()
    w = torch.randn(DIMS, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for each in range(ROUNDS):
        f = lambda w, each=each: 0.5 * w @ A[each] @ w + b[each] @ w
        error = lambda w, each=each: (x[each] @ w - y[each][:, 0]).square().mean()
        assert float(error(w) - error(0 * w)) == pytest.approx(float(f(w)), abs=1e-12)


def test_t3_the_leaders_of_both_kinds_are_the_closed_forms_after_every_round():
    A, b, x, y = quadratic_tasks()
    eye = torch.eye(DIMS, dtype=torch.float64)
    net = line()
    meta = w_after_each_round(descending(FTML(net, alpha=ALPHA, k=1, steps=250, tasks=ROUNDS, batch=DIMS), net, 0.3),
                              net, x, y)
    net = line()
    joint = w_after_each_round(descending(TrainOnEverything(net, steps=250, batch=ROUNDS * DIMS), net, 0.15), net, x, y)
    for t in range(1, ROUNDS + 1):
        once = eye - ALPHA * A[:t]
        assert torch.allclose(meta[t - 1], rest(once @ once, A[:t], b[:t]), atol=1e-5), f"FTML, round {t}"
        assert torch.allclose(joint[t - 1], rest(eye.expand(t, -1, -1), A[:t], b[:t]), atol=1e-5), f"joint, round {t}"
    assert torch.allclose(meta[0], joint[0], atol=1e-5)             # one task: both stand at its minimum
    assert (meta[1:] - joint[1:]).norm(dim=1).min() > 0.01          # several: they differ


def test_t3_adapting_is_one_step_from_the_leader():
    A, b, x, y = quadratic_tasks()
    net = line()
    strategies = (FTML(net, alpha=ALPHA, k=1, test_steps=1), FineTune(net, alpha=ALPHA, test_steps=1))
    nn.init.normal_(net.weight)
    w = net.weight.detach()[0].clone()
    stepped = w - ALPHA * (A[1] @ w + b[1])
    for strategy in strategies:
        assert torch.allclose(strategy.after(x[1], y[1])(torch.eye(DIMS).double())[:, 0], stepped, atol=1e-12)
        assert torch.equal(net.weight[0], w)


def test_t2_the_buffer_holds_every_task_with_all_its_samples():
    made = swapped(3)
    strategy = FTML(MLP((2, 4, 2)), k=1, steps=1, tasks=2)
    for t, task in enumerate(made, 1):
        strategy.begin()
        for part in range(0, 40, 10):
            strategy.see(task.x[part:part + 10], task.y[part:part + 10])
        assert len(strategy.buffer) == t
        for i, seen in enumerate(made[:t]):
            x, y = strategy.buffer[i]
            assert torch.equal(x, seen.x) and torch.equal(y, seen.y)
    assert torch.equal(strategy.buffer.everything()[0], torch.cat([task.x for task in made]))


def test_a_buffer_says_what_is_missing():
    buffer = Buffer()
    with pytest.raises(ValueError, match="call begin"):
        buffer.add(torch.zeros(2, 3), torch.zeros(2))
    buffer.begin()
    with pytest.raises(ValueError, match="no sample of this task"):
        buffer[0]
    with pytest.raises(ValueError, match="every sample needs a label"):
        buffer.add(torch.zeros(2, 3), torch.zeros(3))
    assert len(buffer) == 1


def shown_to(monkeypatch, strategy, parts):
    """The batches that a strategy differentiates in its meta-updates, as the parts of these tasks arrive."""
    batches = []
    real = MAML.losses
    monkeypatch.setattr(MAML, "losses", lambda self, batch: batches.append(batch) or real(self, batch))
    for task in parts:
        strategy.begin()
        for x, y in task:
            strategy.see(x, y)
    return batches


def test_meta_updates_draw_from_all_tasks_the_current_one_included_and_two_batches_independently(monkeypatch):
    number = torch.arange(3 * 20).view(3, 20, 1).float()
    labels = torch.arange(20) % 2
    strategy = FTML(MLP((1, 4, 2)), k=1, steps=60, tasks=2, batch=10)
    batches = shown_to(monkeypatch, strategy, [[(x, labels)] for x in number])[-60:]
    drawn = torch.stack([batch.support_x[:, 0, 0].div(20, rounding_mode="floor") for batch in batches])
    assert drawn.shape == (60, 2) and (drawn[:, 0] != drawn[:, 1]).all()        # without repetition
    assert (drawn.flatten().long().bincount() - 40).abs().max() < 16            # uniform over the three
    for batch in batches:
        assert torch.equal(batch.support_x.div(20, rounding_mode="floor")[:, 0], batch.query_x.div(
            20, rounding_mode="floor")[:, 0])                                   # both of one task
    shared = [len(set(batch.support_x[0].flatten().tolist()) & set(batch.query_x[0].flatten().tolist()))
              for batch in batches]
    assert 3.5 < sum(shared) / 60 < 6.5 and len(set(shared)) > 2                # by chance, 5 of 10


def test_a_task_with_fewer_samples_makes_the_batches_smaller(monkeypatch):
    x, y = swapped(1)[0][:2]
    strategy = FTML(MLP((2, 4, 2)), k=1, steps=1, tasks=2, batch=10)
    batches = shown_to(monkeypatch, strategy, [[(x, y)], [(x[:4], y[:4])]])
    assert [batch.support_y.shape for batch in batches] == [(1, 10), (2, 4)]


def test_t6_ftml_forgets_before_adapting_and_not_after():
    strategy = FTML(MLP((2, 16, 2), seed=0), alpha=0.5, k=2, test_steps=10, lr=1e-2, steps=120, tasks=4)
    played = play(strategy, swapped(3), (40,))
    zero_shot, adapted = forgetting(played.before), forgetting(played.after)
    assert float(played.before[0, 0]) > 0.95
    assert float(zero_shot[0].nan_to_num(0).max()) > 0.2 and float(adapted.nan_to_num(0).abs().max()) < 0.05
    assert (played.after[torch.ones(3, 3).tril().bool()] > 0.95).all()


def test_where_labels_conflict_one_network_cannot_serve_both_tasks_and_fine_tuning_can():
    heap = play(TrainOnEverything(MLP((2, 16, 2), seed=0), lr=1e-2, steps=100), swapped(2), (40,))
    tuned = play(FineTune(MLP((2, 16, 2), seed=0), alpha=0.5, test_steps=40, lr=1e-2, steps=100), swapped(2), (40,))
    assert torch.equal(heap.before.nan_to_num(), heap.after.nan_to_num())
    assert torch.equal(heap.before.nan_to_num(), tuned.before.nan_to_num())     # they are trained alike
    assert float(heap.before[1].mean()) < 0.65                                  # what one gains, the other loses
    assert float(tuned.after[1].min()) > 0.9


@pytest.mark.parametrize("wrong", [{name: 0} for name in ("alpha", "lr", "k", "steps", "tasks", "batch", "test_steps")])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        FTML(MLP((2, 4, 2)), **wrong)


def test_adapting_changes_nothing_that_is_kept():
    task, other = swapped(2)
    for strategy in (FTML(MLP((2, 8, 2)), k=1, steps=2, tasks=2), FineTune(MLP((2, 8, 2)), steps=2)):
        strategy.begin()
        strategy.see(task.x, task.y)
        net = strategy.net if isinstance(strategy, FineTune) else strategy.learner.net
        w = {name: p.detach().clone() for name, p in params_of(net).items()}
        first = strategy.after(other.x, other.y)(task.test_x)
        assert torch.equal(first, strategy.after(other.x, other.y)(task.test_x))
        assert all(torch.equal(p, w[name]) for name, p in params_of(net).items())
        answer = strategy.before()
        now = answer(task.test_x)
        strategy.see(other.x, 1 - task.y)
        assert torch.equal(answer(task.test_x), now) and not torch.equal(strategy.before()(task.test_x), now)
