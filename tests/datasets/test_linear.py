"""Linear prompts as episodes, and MAML on them."""

import pytest
import torch

from mlcourse.context import LinearTasks
from mlcourse.datasets.linear import LinearSampler, as_episodes
from mlcourse.learners import MAML
from mlcourse.nets import MLP


def test_episodes_hold_the_pairs_of_the_prompts_in_their_order():
    tasks = LinearTasks(3, 8, 0.5)
    batch = LinearSampler(tasks, 5).sample(4, torch.Generator().manual_seed(1))
    prompt = tasks.sample(4, torch.Generator().manual_seed(1))
    assert batch.support_x.shape == (4, 5, 3) and batch.query_y.shape == (4, 3, 1) and batch.way == 0
    x, y = batch.samples()
    assert torch.equal(x, prompt.x) and torch.equal(y[..., 0], prompt.y)
    assert all(torch.equal(a, b) for a, b in zip(batch, as_episodes(prompt, 5), strict=True))


def test_maml_takes_them():
    learner = MAML(MLP((3, 8, 1)), lr=0.01)
    batch = LinearSampler(LinearTasks(3, 8), 5).sample(4, torch.Generator().manual_seed(1))
    assert learner.predictions(batch).shape == (4, 3, 1) and learner.losses(batch).isfinite().all()


@pytest.mark.parametrize("shot", [0, 8])
def test_both_sets_need_a_point(shot):
    with pytest.raises(ValueError, match=f"a prompt of 8 points leaves 1 to 7 for the support set, got {shot}"):
        LinearSampler(LinearTasks(3, 8), shot)
