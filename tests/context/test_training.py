"""The training loop: its rate, its seed, and losses that are not finite."""

import pytest
import torch
from torch import nn

from mlcourse.context import train_in_context
from mlcourse.context.training import rate


def test_the_rate_rises_along_a_line_and_falls_along_half_a_cosine_to_a_fiftieth():
    found = [rate(step, 100, 10) for step in range(100)]
    assert found[:10] == pytest.approx([(i + 1) / 10 for i in range(10)]) and found[10] == 1
    assert found[55] == pytest.approx(0.51) and found[99] == pytest.approx(0.02, abs=1e-3)
    assert sorted(found[10:], reverse=True) == found[10:]


def test_the_same_seed_draws_the_same_tasks_and_ends_at_the_same_weights():
    def trained(seed):
        model = nn.Linear(2, 1)
        nn.init.zeros_(model.weight), nn.init.zeros_(model.bias)
        loss = lambda generator, step: (model(torch.randn(4, 2, generator=generator)) - 1).square().mean()
        losses = list(train_in_context(model, loss, 20, lr=0.1, warm_up=2, seed=seed))
        assert losses[-1] < losses[0]
        return model.weight

    assert torch.equal(trained(0), trained(0)) and not torch.equal(trained(0), trained(1))


def test_the_step_reaches_the_loss_for_a_curriculum():
    model, steps = nn.Linear(1, 1), []
    for _ in train_in_context(model, lambda generator, step: steps.append(step) or model.weight.square().sum(), 3):
        pass
    assert steps == [0, 1, 2]


def test_a_loss_that_is_not_finite_stops_it_before_the_weights_change():
    model = nn.Linear(1, 1)
    before = model.weight.clone()
    with pytest.raises(ValueError, match="the loss is inf at step 0; train with a lower rate than 0.5"):
        next(train_in_context(model, lambda generator, step: model.weight.sum() * 0 + float("inf"), 3, lr=0.5))
    assert torch.equal(model.weight, before)
