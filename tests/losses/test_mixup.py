"""Mixup: λ = 1 is the identity, and labels go the way of the samples."""

import torch
import torch.nn.functional as F

from mlcourse.losses.mixup import mixed, mixed_loss

ORDER = torch.tensor([2, 0, 3, 1])


def test_at_one_it_is_the_identity_and_at_zero_the_permutation():
    h = torch.randn(4, 2, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(mixed(h, 1.0, ORDER), h)
    assert torch.equal(mixed(h, 0.0, ORDER), h[ORDER])


def test_labels_are_mixed_by_the_same_permutation_as_samples():
    """A linear map that reads the label off the sample must be right of mixtures, too: its loss is least at their mixed
    labels, and with labels in another order it is larger."""
    y = torch.tensor([0, 1, 2, 1])
    one_hot = F.one_hot(y, 3).double()
    logits = mixed(one_hot, 0.7, ORDER).clamp(min=1e-6).log()
    inverse = ORDER.argsort()
    assert mixed_loss(logits, y, 0.7, ORDER) < mixed_loss(logits, y, 0.7, inverse)
    both = 0.7 * F.cross_entropy(logits, y) + 0.3 * F.cross_entropy(logits, y[ORDER])
    torch.testing.assert_close(mixed_loss(logits, y, 0.7, ORDER), both)
