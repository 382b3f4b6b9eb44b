"""Prompts as tokens, and the Transformer that reads them: what a prediction may know, the loss, and that it learns."""

import pytest
import torch

from mlcourse.context import (InContext, LinearTasks, by_prefix, errors, interleaved, prefix_loss, ridge,
                              shifted_pairs, train_in_context)
from mlcourse.statistics import paired_difference

TOKENS = ["pairs", "interleaved"]
SMALL = {"layers": 2, "width": 16, "heads": 2}


def prompt(batch=3, dims=2, points=6, seed=0):
    return LinearTasks(dims, points, 0.5).sample(batch, torch.Generator().manual_seed(seed)).to(torch.float64)


def depends(tokens, on):
    """Whether prediction i depends on pair j's x or y: (n, n) of truth values."""
    model, x, y, _ = InContext(2, tokens=tokens, **SMALL).double(), *prompt(1)
    said = model(x, y)
    found = []
    for j in range(6):
        other_x, other_y = x.clone(), y.clone()
        (other_x if on == "x" else other_y)[:, j] += 1
        found.append((model(other_x, other_y) - said).abs()[0] > 1e-12)
    return torch.stack(found, 1)


@pytest.mark.parametrize("tokens", TOKENS)
def test_t1_no_prediction_depends_on_a_later_pair_and_each_on_all_before(tokens):
    assert torch.equal(depends(tokens, "x"), torch.ones(6, 6, dtype=torch.bool).tril())


@pytest.mark.parametrize("tokens", TOKENS)
def test_t2_no_prediction_depends_on_its_own_target(tokens):
    assert torch.equal(depends(tokens, "y"), torch.ones(6, 6, dtype=torch.bool).tril(-1))


def test_t2_read_at_the_tokens_of_y_the_answer_would_leak():
    model, x, y, _ = InContext(2, tokens="interleaved", **SMALL).double(), *prompt(1)
    at_y = lambda y: model.transformer(interleaved(x, y), torch.ones(12, 12, dtype=torch.bool).tril())[0, 1::2, 0]
    assert ((at_y(y + 1) - at_y(y)).abs() > 1e-6).all()


def test_t3_interleaved_targets_are_padded_and_share_the_channel_of_the_first_number_of_x():
    x, y = torch.tensor([[[1.0, 2], [3, 4]]]), torch.tensor([[5.0, 6]])
    assert interleaved(x, y).tolist() == [[[1, 2], [5, 0], [3, 4], [6, 0]]]


def test_shifted_pairs_hold_the_pair_before_and_say_whether_there_is_one():
    x, y = torch.tensor([[[1.0, 2], [3, 4], [7, 8]]]), torch.tensor([[5.0, 6, 9]])
    assert shifted_pairs(x, y).tolist() == [[[1, 2, 0, 0, 0, 0], [3, 4, 1, 2, 5, 1], [7, 8, 3, 4, 6, 1]]]


@pytest.mark.parametrize("tokens", TOKENS)
def test_one_pass_predicts_after_every_prefix_as_a_pass_of_its_own_would(tokens):
    model, x, y, _ = InContext(2, tokens=tokens, **SMALL).double(), *prompt()
    said = model(x, y)
    for k in range(6):
        torch.testing.assert_close(model(x[:, :k + 1], y[:, :k + 1])[:, -1], said[:, k], rtol=0, atol=1e-12)


def test_t5_the_loss_counts_every_prefix_the_empty_one_included():
    predicted, y = torch.zeros(2, 3), torch.tensor([[3.0, 0, 0], [0, 0, 3]])
    assert float(prefix_loss(predicted, y)) == 18 / 6
    with pytest.raises(ValueError, match=r"one prediction is needed for each y, got \(2, 3\) for \(2, 2\)"):
        prefix_loss(predicted, y[:, 1:])


def test_errors_are_to_targets_without_noise():
    found = errors(torch.ones(1, 2), torch.tensor([[1.0, 3]]))
    assert found.tolist() == [[0, 4]]


def test_other_tokens_are_refused():
    with pytest.raises(ValueError, match="'pairs' or 'interleaved', got 'sum'"):
        InContext(2, tokens="sum")


def test_in_one_dimension_it_learns_to_regress_and_t7_does_not_beat_the_bayes_predictor():
    tasks, model = LinearTasks(1, 8, 0.5), InContext(1, layers=2, width=32, heads=2)

    def loss(generator, step):
        drawn = tasks.sample(64, generator)
        return prefix_loss(model(drawn.x, drawn.y), drawn.y)

    for _ in train_in_context(model, loss, 300, lr=6e-3, warm_up=30):
        pass
    judged = tasks.sample(2000, torch.Generator().manual_seed(9))
    with torch.no_grad():
        learned = errors(model(judged.x, judged.y), judged.clean)
    best = errors(by_prefix(ridge(0.25), judged.x, judged.y), judged.clean)
    assert float(learned[:, 0].mean()) == pytest.approx(float(best[:, 0].mean()), rel=0.1)     # the prior mean
    assert learned[:, 4:].mean() < 0.25 * learned[:, 0].mean()
    assert paired_difference(learned.mean(1).tolist(), best.mean(1).tolist()).high > 0
