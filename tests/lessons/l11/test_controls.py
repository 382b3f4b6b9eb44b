"""The two other ways to refine: hard labels against a loop, balanced ones against a linear programme's constraints."""

import pytest
import torch
from torch import nn

from mlcourse.episode import Episode
from mlcourse.learners import ProtoNet, SoftKMeans
from mlcourse.lessons.l11_unlabelled.controls import BalancedKMeans, HardPseudoLabels, balanced


def two_classes(left, right):
    """An episode on a line: class 0 at -1, class 1 at 1, and so many unlabelled samples near each."""
    x = lambda values: torch.tensor(values, dtype=torch.float64).unsqueeze(-1)
    pool = x([-1.0 - 0.01 * i for i in range(left)] + [1.0 + 0.01 * i for i in range(right)])
    return Episode(x([-1.0, 1.0]), torch.tensor([0, 1]), x([-0.6, 0.6]), torch.tensor([0, 1]), pool,
                   torch.arange(2), torch.tensor(0))


def test_hard_pseudo_labels_are_means_of_the_nearest():
    generator = torch.Generator().manual_seed(0)
    draw = lambda n: torch.randn(n, 3, generator=generator, dtype=torch.float64)
    support, pool = draw(3), draw(8)
    episode = Episode(support, torch.arange(3), draw(1), torch.tensor([0]), pool, torch.arange(3), torch.tensor(0))
    nearest = [min(range(3), key=lambda c: float((z - support[c]).norm())) for z in pool]
    members = [[support[c], *(z for z, k in zip(pool, nearest, strict=True) if k == c)] for c in range(3)]
    wanted = torch.stack([torch.stack(own).mean(0) for own in members])
    torch.testing.assert_close(HardPseudoLabels(nn.Identity()).adapt(episode).means, wanted)


def test_the_balanced_assignment_has_its_sums_and_the_odds_of_the_distances():
    """Sinkhorn scales rows and columns, so that every 2 × 2 odds ratio stays what exp(logits) has."""
    logits = torch.randn(12, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = balanced(logits)
    torch.testing.assert_close(found.sum(1), torch.ones(12, dtype=torch.float64))
    torch.testing.assert_close(found.sum(0), torch.full((3,), 4.0, dtype=torch.float64), rtol=0, atol=1e-6)
    odds = lambda log: log[0, 0] + log[1, 1] - log[0, 1] - log[1, 0]
    torch.testing.assert_close(odds(found.log()), odds(logits))


@pytest.mark.parametrize(("left", "right", "moves"), [(6, 6, False), (11, 1, True)])
def test_labels_made_to_balance_are_wrong_where_the_pool_is_not(left, right, moves):
    """Of eleven samples near one class five are given to the other, whose prototype they drag over."""
    episode = two_classes(left, right)
    soft, even = (kind(nn.Identity()).double().adapt(episode).means for kind in (SoftKMeans, BalancedKMeans))
    start = ProtoNet(nn.Identity()).adapt(episode).means
    assert (soft - start).abs().max() < 0.2
    assert bool((even[1] - start[1]).abs() > 1) == moves
