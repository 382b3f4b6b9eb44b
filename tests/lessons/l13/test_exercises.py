"""Lesson 13's checks accept other right answers, and its broken code fails as the lesson says."""

import pytest
import torch

from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge
from mlcourse.losses.alignment import coral, reversed_gradient


def answer_of(id, source):
    namespace = {"torch": torch}
    exec(source, namespace)
    return namespace[exercise(id).answer]


def test_the_library_passes_its_own_exercises():
    assert judge(exercise("13.2"), reversed_gradient).passed
    assert judge(exercise("13.1"), coral).passed


@pytest.mark.parametrize("id, source", [
    ("13.2", "class R(torch.autograd.Function):\n    generate_vmap_rule = True\n    @staticmethod\n"
             "    def forward(x, s):\n        return x.clone()\n    @staticmethod\n"
             "    def setup_context(ctx, inputs, output):\n        ctx.s = inputs[1]\n    @staticmethod\n"
             "    def backward(ctx, g):\n        return -ctx.s * g, None\n"
             "def reverse(x, strength):\n    return R.apply(x, strength)"),
    ("13.2", "def reverse(x, strength):\n    return x.detach() + strength * (x.detach() - x)"),
    ("13.1", "def coral_loss(a, b):\n    d = a.shape[1]\n"
             "    return torch.linalg.matrix_norm(torch.cov(a.T) - torch.cov(b.T)) ** 2 / (4 * d * d)"),
    ("13.4", "def aligned_target(p, q):\n    table = torch.zeros(len(p), len(q)).double()\n"
             "    p, q = p.clone(), q.clone()\n    for i in range(len(p)):\n        m = float(min(p[i], q[i]))\n"
             "        table[i, i] += m\n        p[i] -= m\n        q[i] -= m\n"
             "    for i in range(len(p)):\n        for j in range(len(q)):\n"
             "            m = float(min(p[i], q[j]))\n            table[i, j] += m\n"
             "            p[i] -= m\n            q[j] -= m\n"
             "    return table"),
    ("13.3", "def adversarial_batches(sx, sy, tx, size, g):\n    order = torch.randperm(len(sx), generator=g)\n"
             "    out = []\n    for k in range(0, len(sx), size):\n        s = order[k:k + size]\n"
             "        t = torch.randperm(len(tx), generator=g)[:len(s)]\n        out.append((sx[s], sy[s], tx[t]))\n"
             "    return tuple(out)"),
])
def test_other_right_answers_pass(id, source):
    assert judge(exercise(id), answer_of(id, source)).status == "passed"


def test_the_old_kind_of_function_works_in_plain_pytorch_and_not_under_torch_func():
    source = next(source for source, name in exercise("13.2").wrong if name == "invisible to torch.func")
    reverse = answer_of("13.2", source)
    x = torch.ones(3, requires_grad=True)
    g, = torch.autograd.grad(reverse(x, 2.0).sum(), x)
    assert g.tolist() == [-2.0] * 3
    with pytest.raises(RuntimeError, match="setup_context"):
        torch.func.grad(lambda z: reverse(z, 2.0).sum())(x.detach())


def test_the_broken_batches_hold_their_three_bugs():
    namespace = {"torch": torch}
    exec(exercise("13.3").given, namespace)
    broken = namespace["adversarial_batches_broken"]
    assert judge(exercise("13.3"), broken).misconception == (
        "the source in the place of the target, zip stops at the shorter, the target in its stored order")
    source, target = torch.arange(50)[:, None], 1000 + torch.arange(24)[:, None]
    batches = broken(source, torch.arange(50), target, 8, torch.Generator().manual_seed(0))
    assert len(batches) == 3 and all((t < 1000).all() for _, _, t in batches)
    assert torch.cat([t[:, 0] for _, _, t in batches]).tolist() == list(range(24))
