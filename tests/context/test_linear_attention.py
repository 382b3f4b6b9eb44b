"""T8: one layer of linear attention, one gradient step, and the error that both end at."""

import pytest
import torch

from mlcourse.context import (LinearAttention, LinearTasks, OneStep, best_error, best_rate, error_of, one_step,
                              train_in_context)

DIMS, PAIRS = 5, 20


def batch(size, seed=0, noise=0.0):
    prompt = LinearTasks(DIMS, PAIRS + 1, noise).sample(size, torch.Generator().manual_seed(seed))
    return (prompt.x[:, :-1], prompt.y[:, :-1], prompt.x[:, -1]), prompt.clean[:, -1]


def test_it_is_a_gradient_step_of_the_squared_error():
    (x, y, query), _ = batch(4)
    x, y, query = x.double(), y.double(), query.double()
    w = torch.zeros(4, DIMS, dtype=torch.float64, requires_grad=True)
    loss = (y - (x @ w.unsqueeze(-1))[..., 0]).square().sum() / (2 * PAIRS)
    stepped = -0.3 * torch.autograd.grad(loss, w)[0]
    torch.testing.assert_close(one_step(x, y, query, 0.3), (stepped * query).sum(-1), rtol=0, atol=1e-12)


def test_the_closed_form():
    assert best_error(20, 5) == pytest.approx(30 / 26) and best_rate(20, 5) == 20 / 26
    for noise in (0.0, 0.5, 2.0):
        eta = torch.tensor(best_rate(PAIRS, DIMS, noise), dtype=torch.float64, requires_grad=True)
        error = error_of(eta * torch.eye(DIMS), PAIRS, noise)
        assert error.item() == pytest.approx(best_error(PAIRS, DIMS, noise))
        assert abs(torch.autograd.grad(error, eta)[0]) < 1e-12
        matrix = (eta.detach() * torch.eye(DIMS)).requires_grad_()
        assert torch.autograd.grad(error_of(matrix, PAIRS, noise), matrix)[0].abs().max() < 1e-12


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_the_error_of_a_matrix_is_what_prompts_give(noise):
    matrix = 0.5 * torch.eye(DIMS) + 0.2 * torch.randn(DIMS, DIMS, generator=torch.Generator().manual_seed(2))
    arguments, clean = batch(60_000, 1, noise)
    model = OneStep(DIMS)
    with torch.no_grad():
        model.matrix.copy_(matrix)
        found = (model(*arguments) - clean).square().mean()
    assert float(found) == pytest.approx(float(error_of(matrix, PAIRS, noise)), rel=0.03)


def test_the_layer_with_the_right_matrices_is_the_step():
    """V and P pass y on, K and Q compare the x: then the scores' mean is the step."""
    (x, y, query), _ = batch(4)
    layer = LinearAttention(DIMS)
    with torch.no_grad():
        for matrix in layer.parameters():
            matrix.copy_(torch.eye(DIMS + 1))
        layer.p[-1, -1] = 0.7
        torch.testing.assert_close(layer(x, y, query), one_step(x, y, query, 0.7))


def trained(model, steps, lr, seed=0):
    def loss(generator, step):
        prompt = LinearTasks(DIMS, PAIRS + 1, 0.0).sample(256, generator)
        return (model(prompt.x[:, :-1], prompt.y[:, :-1], prompt.x[:, -1]) - prompt.y[:, -1]).square().mean()

    for _ in train_in_context(model, loss, steps, lr=lr, warm_up=0, seed=seed):
        pass
    return model


def test_trained_it_lands_on_the_closed_form():
    matrix = trained(OneStep(DIMS), 200, 0.03).matrix.detach()
    assert 1 <= float(error_of(matrix, PAIRS)) / best_error(PAIRS, DIMS) < 1.02
    assert float(matrix.diagonal().mean()) == pytest.approx(best_rate(PAIRS, DIMS), abs=0.05)
    assert float((matrix - matrix.diagonal().diag()).abs().max()) < 0.06


def test_trained_the_whole_layer_finds_the_step_by_itself():
    layer, (arguments, clean) = trained(LinearAttention(DIMS, 1), 600, 0.01), batch(10_000, 9)
    with torch.no_grad():
        found = (layer(*arguments) - clean).square().mean()
    best = (one_step(*arguments, best_rate(PAIRS, DIMS)) - clean).square().mean()
    assert float(found / best) == pytest.approx(1, abs=0.02)
