"""Linear tasks as prompts: their moments, the curriculum, pools, what lies outside the prior."""

import math

import pytest
import torch

from mlcourse.context import LinearTasks, curriculum


def drawn(tasks, batch=4000, seed=0, **settings):
    return tasks.sample(batch, torch.Generator().manual_seed(seed), **settings).to(torch.float64)


def test_targets_are_a_linear_function_and_noise():
    prompt = drawn(LinearTasks(3, 6, 0.5))
    assert prompt.x.shape == (4000, 6, 3) and prompt.y.shape == (4000, 6) and prompt.w.shape == (4000, 3)
    torch.testing.assert_close(prompt.clean, torch.einsum("bnd,bd->bn", prompt.x, prompt.w))
    off = prompt.y - prompt.clean
    assert float(off.std()) == pytest.approx(0.5, abs=0.01) and abs(float(off.mean())) < 0.02
    assert float(prompt.y.var()) == pytest.approx(3 + 0.25, rel=0.05)
    quiet = drawn(LinearTasks(3, 6, 0.0))
    torch.testing.assert_close(quiet.y, quiet.clean, rtol=1e-5, atol=1e-5)


def test_t10_the_curriculum_sets_numbers_of_x_to_0_and_leaves_w_whole():
    """So the targets of two used dimensions have a variance of 2, and no dimension of w is 0."""
    prompt = drawn(LinearTasks(5, 4, 0.0), used=2)
    assert not prompt.x[..., 2:].any() and prompt.x[..., :2].all() and prompt.w.all()
    assert float(prompt.y.var()) == pytest.approx(2, rel=0.05)
    torch.testing.assert_close(prompt.y, (prompt.x[..., :2] @ prompt.w[:, :2, None])[..., 0], rtol=1e-5, atol=1e-5)


def test_the_curriculum_of_the_authors():
    dims = [curriculum(step, 5, 20, 2000) for step in (0, 1999, 2000, 29_999, 30_000, 500_000)]
    assert dims == [5, 5, 6, 19, 20, 20]
    assert [curriculum(step, 11, 41, 2000, by=2) for step in (0, 2000, 28_000, 30_000, 40_000)] == [11, 13, 39, 41, 41]


def test_a_pool_holds_all_tasks_there_are():
    pool = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    w = drawn(LinearTasks(4, 2, pool=pool), 300).w.float()
    which = (w[:, None] == pool).all(-1)
    assert (which.sum(1) == 1).all() and (which.sum(0) > 70).all()


def test_scales_leave_the_prior():
    near, far = drawn(LinearTasks(3, 4, 0.0)), drawn(LinearTasks(3, 4, 0.0, x_scale=3.0, w_scale=2.0))
    torch.testing.assert_close(far.x, 3 * near.x, rtol=1e-6, atol=0)
    torch.testing.assert_close(far.w, 2 * near.w)
    assert float((far.y / near.y).median()) == pytest.approx(6, rel=1e-4)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="at least 1 dimension and 1 point, got 0 and 11"):
        LinearTasks(0)
    with pytest.raises(ValueError, match="must be finite and not negative, got nan"):
        LinearTasks(noise=math.nan)
    with pytest.raises(ValueError, match=r"weights of its tasks, \(M, 5\), got \(7, 4\)"):
        LinearTasks(pool=torch.zeros(7, 4))
    with pytest.raises(ValueError, match="uses 1 to 5 dimensions, got 6"):
        drawn(LinearTasks(), 1, used=6)
