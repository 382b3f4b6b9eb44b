"""The prior-fitted network and its priors: order, queries, standardisation, and that it learns to read a table."""

import pytest
import torch

from mlcourse.context import PFN, logistic_tables, mlp_tables, pfn_loss, standardise, train_in_context

C, R = 7, 11


def net(**settings):
    return PFN(4, **{"layers": 2, "width": 16, "heads": 2, **settings}).double()


def table(features=4, batch=2, prior=logistic_tables, seed=0):
    x, y = prior(batch, R, features, torch.Generator().manual_seed(seed))
    return x.double(), y


def test_t4_the_order_of_the_labelled_rows_says_nothing():
    model, (x, y), order = net(), table(), torch.tensor([4, 0, 6, 1, 3, 2, 5])
    shuffled = torch.cat([x[:, :C][:, order], x[:, C:]], 1)
    torch.testing.assert_close(model(shuffled, y[:, :C][:, order]), model(x, y[:, :C]), rtol=0, atol=1e-12)
    assert not torch.allclose(model(shuffled, y[:, :C]), model(x, y[:, :C]))       # but whose label is whose does


def test_t4_several_queries_together_are_predicted_as_each_alone():
    model, (x, y) = net(), table()
    together = model(x, y[:, :C])
    for i in range(R - C):
        alone = model(torch.cat([x[:, :C], x[:, C + i:C + i + 1]], 1), y[:, :C])
        torch.testing.assert_close(alone[:, 0], together[:, i], rtol=0, atol=1e-12)


def test_t11_columns_are_standardised_by_the_labelled_rows_alone():
    x, _ = table()
    found = standardise(x, C)
    torch.testing.assert_close(found[:, :C].mean(1), torch.zeros(2, 4, dtype=torch.float64), rtol=0, atol=1e-12)
    torch.testing.assert_close(found[:, :C].std(1, unbiased=False), torch.ones(2, 4, dtype=torch.float64))
    other = torch.cat([x[:, :C], 50 + 7 * x[:, C:]], 1)
    assert torch.equal(standardise(other, C)[:, :C], found[:, :C])


def test_t11_units_and_origins_of_columns_change_nothing():
    model, (x, y) = net(), table()
    moved = x * torch.tensor([1e-9, 3.0, 1e6, -0.0 + 2]) + torch.tensor([0.0, 5, -1e5, 100])
    torch.testing.assert_close(model(moved, y[:, :C]), model(x, y[:, :C]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_t11_far_values_are_cut_and_constant_columns_are_0(dtype):
    x = table()[0].to(dtype)
    x[..., 0], x[:, C, 1] = 0.1, 1e9
    found = standardise(x, C)
    assert found[..., 0].abs().max() < 0.2 and (found[:, C, 1] == 100).all() and found.isfinite().all()
    x[:, C:, 0] = 0.2
    assert (standardise(x, C)[:, C:, 0] == 100).all()
    assert not standardise(x[:, :1], 1).any()


def test_fewer_columns_are_filled_up_with_zeros():
    model, (x, y) = net(), table(features=3)
    filled = torch.cat([x, torch.zeros(2, R, 1, dtype=torch.float64)], -1)
    torch.testing.assert_close(model(x, y[:, :C]), model(filled, y[:, :C]), rtol=0, atol=0)


def test_the_loss_is_of_the_rows_without_labels():
    model, (x, y) = net(), table()
    p = model(x, y[:, :C]).softmax(-1)
    each = [-p[b, i, y[b, C + i]].log() for b in range(2) for i in range(R - C)]
    torch.testing.assert_close(pfn_loss(model, x, y, C), sum(each) / len(each))
    torch.testing.assert_close(model(x, y[:, :C]), model(x, torch.cat([y[:, :C], 1 - y[:, C:]], 1)[:, :C]))


@pytest.mark.parametrize("prior", [logistic_tables, mlp_tables])
def test_tables_of_the_priors_hold_both_classes_and_another_task_each(prior):
    x, y = prior(400, 40, 3, torch.Generator().manual_seed(0))
    assert x.shape == (400, 40, 3) and set(y.unique().tolist()) == {0, 1} and y.dtype == torch.int64
    assert float(y.float().mean()) == pytest.approx(0.5, abs=0.05)
    if prior is mlp_tables:
        assert (y.sum(1) == 20).all()
    assert len({tuple(row) for row in y.tolist()}) == 400


def test_labels_of_a_logistic_table_follow_its_probabilities():
    """Their best linear rule is right more often than chance, and not always: the labels are drawn."""
    x, y = logistic_tables(50, 400, 2, torch.Generator().manual_seed(0))
    ones = torch.cat([x, torch.ones(50, 400, 1)], -1)
    w = torch.linalg.lstsq(ones, (2.0 * y - 1).unsqueeze(-1)).solution
    right = (((ones @ w)[..., 0] > 0) == (y == 1)).float().mean()
    assert 0.7 < float(right) < 0.95


def test_it_learns_to_read_tables():
    model = PFN(2, layers=2, width=32, heads=2)

    def loss(generator, step):
        x, y = logistic_tables(32, 24, 2, generator)
        return pfn_loss(model, x, y, 16)

    for _ in train_in_context(model, loss, 100, lr=4e-3, warm_up=10):
        pass
    x, y = logistic_tables(400, 32, 2, torch.Generator().manual_seed(9))
    with torch.no_grad():
        right = (model(x, y[:, :16]).argmax(-1) == y[:, 16:]).double().mean(1)
        blind = (model(x, y[:, :16].roll(1, 0)).argmax(-1) == y[:, 16:]).double().mean(1)
    assert right.mean() - 3 * right.std() / 20 > 0.6 and right.mean() > blind.mean() + 0.1


def test_what_does_not_fit_is_refused():
    x, y = table()
    with pytest.raises(ValueError, match="reads up to 4 columns, got 5; leave some out"):
        net()(torch.cat([x, x[..., :1]], -1), y[:, :C])
    with pytest.raises(ValueError, match="the 11 labelled rows and at least one to predict after them, got 11"):
        net()(x, y)
    with pytest.raises(ValueError, match="at least 1 labelled row to be standardised by, got 0"):
        net()(x, y[:, :0])
    with pytest.raises(ValueError, match="at least 2 classes, got 1"):
        net(classes=1)
