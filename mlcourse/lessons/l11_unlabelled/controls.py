"""Two other ways to refine prototypes by unlabelled samples: by hard pseudo-labels, and by labels made to balance."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from mlcourse.learners.protonet import squared_distances
from mlcourse.learners.soft_kmeans import SoftKMeans

ROUNDS = 50


class HardPseudoLabels(SoftKMeans):
    """Each unlabelled sample counts wholly for the nearest prototype, as in k-means."""

    def weights(self, unlabelled: Tensor, means: Tensor, progress: float = 0.0) -> Tensor:
        """The nearest prototype, one-hot (U, N)."""
        return F.one_hot(squared_distances(unlabelled, means).argmin(-1), means.shape[-2]).to(unlabelled.dtype)


class BalancedKMeans(SoftKMeans):
    """Soft k-means whose assignment gives every class the same number of unlabelled samples, as if the pool were
    balanced: softmax(-|z̃_j - c_n|²) brought to rows of 1 and columns of U/N.

    One step like those of Hu, Gripon, Pateux: Leveraging the Feature Distribution in Transfer-Based Few-Shot Learning,
    ICANN 2021, by Sinkhorn's algorithm; theirs are on transformed features, regularised and repeated.
    """

    def weights(self, unlabelled: Tensor, means: Tensor, progress: float = 0.0) -> Tensor:
        """The balanced assignment (U, N)."""
        return balanced(-squared_distances(unlabelled, means).detach())


def balanced(logits: Tensor) -> Tensor:
    """The matrix (U, N) nearest to exp(logits) in relative entropy whose rows sum to 1 and whose columns, after enough
    rounds, sum to U/N."""
    for _ in range(ROUNDS):
        logits = (logits - logits.logsumexp(-2, keepdim=True)).log_softmax(-1)
    return logits.exp()
