"""The forgetting matrix by hand, and against loops."""

import pytest
import torch

from mlcourse.online import forgetting, mean_forgetting

NAN = float("nan")
ACCURACY = torch.tensor([[0.9, NAN, NAN], [0.6, 0.8, NAN], [0.7, 0.85, 0.5]], dtype=torch.float64)


def test_by_hand():
    wanted = torch.tensor([[NAN, 0.3, 0.2], [NAN, NAN, -0.05], [NAN, NAN, NAN]], dtype=torch.float64)
    assert torch.allclose(forgetting(ACCURACY), wanted, equal_nan=True)
    assert mean_forgetting(ACCURACY) == pytest.approx(0.075)


def test_it_is_the_best_earlier_accuracy_less_the_present_one():
    tasks = 6
    a = torch.rand(tasks, tasks, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).tril()
    found = forgetting(a.masked_fill(torch.ones(tasks, tasks).triu(1).bool(), NAN))
    for i in range(tasks):
        for j in range(tasks):
            if j <= i:
                assert found[i, j].isnan()
            else:
                assert float(found[i, j]) == pytest.approx(max(float(a[l, i]) for l in range(i, j)) - float(a[j, i]))


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="a row for each round"):
        forgetting(torch.zeros(2, 3))
    with pytest.raises(ValueError, match="at least 2"):
        mean_forgetting(torch.zeros(1, 1))
