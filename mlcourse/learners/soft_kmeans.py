"""ProtoNet whose prototypes unlabelled samples refine: soft k-means, with a cluster for distractors, and masked.

Ren, Triantafillou, Ravi, Snell, Swersky, Tenenbaum, Larochelle, Zemel: Meta-Learning for Semi-Supervised Few-Shot
Classification, ICLR 2018, section 3. Of N classes, support samples z_i with labels y_i, unlabelled samples z̃_j:

    c_n = mean of z_i over the support samples of class n                                      ProtoNet's, to start with
    π_jn = softmax_n(-|z̃_j - c_n|²)                                                           a soft assignment
    c_n ← (Σ_i [y_i = n] z_i + Σ_j π_jn m_jn z̃_j) / (Σ_i [y_i = n] + Σ_j π_jn m_jn)          labelled samples stay

Plain soft k-means has m = 1. What belongs to no class of the episode, a distractor, then pulls prototypes away.

    + cluster   one more prototype, 0 to start with, and a radius r_n: π_jn = softmax_n(-|z̃_j - c_n|²/2r_n² - log r_n),
                where r_n = 1 for the classes and is learned for the distractors
    masked      d̃_jn = |z̃_j - c_n|² / mean_j |z̃_j - c_n|²
                (β_n, γ_n) = an MLP of min, max, variance, skewness and kurtosis of d̃_jn over j
                m_jn = sigmoid(γ_n (β_n - d̃_jn))                                               0 for what lies too far

Without unlabelled samples all three are ProtoNet.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learners.protonet import Prototypes, ProtoNet, class_means, squared_distances
from mlcourse.method import Method
from mlcourse.phases import check_counts

STATISTICS, HIDDEN, OUTPUTS = 5, 20, 3


class SoftKMeans(ProtoNet):
    """Soft k-means on the support set and the unlabelled samples of an episode.

    refinements: how often the prototypes are refined; `adapt` takes another number as its `steps`, 0 for ProtoNet.
    As in the authors' code no gradient flows through the assignments. Raises ValueError for fewer than 1 refinement,
    and in regression.
    """

    stacks = True

    def __init__(self, net: nn.Module, refinements: int = 1):
        super().__init__(net)
        check_counts(refinements=refinements)
        self.refinements = refinements
        self.config = {"refinements": refinements}

    @property
    def exact_gradient(self) -> bool:
        """False: the assignments are constants in it."""
        return False

    def adapt(self, episode: Episode, steps: int | None = None) -> Prototypes:
        """The refined prototypes c_n; ProtoNet's where nothing is unlabelled or `steps` is 0."""
        steps = self.refinements if steps is None else steps
        z, one_hot, stats = self.labelled(episode)
        if steps == 0 or not has_unlabelled(episode):
            return Prototypes(class_means(z, one_hot), stats)
        means, one_hot = self.start(z, one_hot)
        unlabelled = self.embed(episode.unlabeled_x, stats, episode.batch_shape)
        for step in range(steps):
            weights = self.weights(unlabelled, means, step / max(1, steps - 1))
            means = refined(z, one_hot, unlabelled, weights)
        return Prototypes(means, stats)

    def start(self, z: Tensor, one_hot: Tensor) -> tuple[Tensor, Tensor]:
        """The clusters before the first refinement, and the support samples' places in them, from support samples
        (M, D) with one-hot labels (M, N)."""
        return class_means(z, one_hot), one_hot

    def weights(self, unlabelled: Tensor, means: Tensor, progress: float = 0.0) -> Tensor:
        """π_jn m_jn: what each unlabelled sample (U, D) weighs in each prototype (N, D), (U, N). progress: 0 in the
        first refinement, 1 in the last of several."""
        return assignment(unlabelled, means).detach()


class Clusters(NamedTuple):
    """The prototypes of N classes and, last, of the distractors (N + 1, D), and the norm statistics to embed queries
    with."""

    means: Tensor
    stats: tuple


class SoftKMeansCluster(SoftKMeans):
    """Soft k-means with one more cluster, at 0 to start with, for what belongs to no class of the episode.

    radius: where the distractors' r starts; it is learned as its logarithm, and r = 1 for the classes. A query has
    N + 1 logits, the last for the distractors. Distances are halved, as in the authors' code and not in the paper.
    Raises ValueError for a radius that is not positive and finite.
    """

    stacks = True

    def __init__(self, net: nn.Module, refinements: int = 1, radius: float = 100.0):
        super().__init__(net, refinements)
        check_rate(radius, "radius of the distractors")
        self.log_radius = nn.Parameter(torch.tensor(math.log(radius)))
        self.config = {"refinements": refinements, "radius": radius}

    @property
    def exact_gradient(self) -> bool:
        """True: it flows through the assignments, too."""
        return True

    def adapt(self, episode: Episode, steps: int | None = None) -> Prototypes | Clusters:
        """The refined clusters; ProtoNet's prototypes where nothing is unlabelled or `steps` is 0."""
        found = super().adapt(episode, steps)
        return Clusters(*found) if found.means.shape[-2] > episode.way else found

    def start(self, z: Tensor, one_hot: Tensor) -> tuple[Tensor, Tensor]:
        """One more cluster, at 0, without a support sample."""
        means = class_means(z, one_hot)
        return (torch.cat([means, torch.zeros_like(means[..., :1, :])], -2),
                torch.cat([one_hot, torch.zeros_like(one_hot[..., :1])], -1))

    def weights(self, unlabelled: Tensor, means: Tensor, progress: float = 0.0) -> Tensor:
        """The soft assignment to classes and distractors (U, N + 1)."""
        return self.logits(unlabelled, means).softmax(-1)

    def logits(self, z: Tensor, means: Tensor) -> Tensor:
        """-|z_j - c_n|²/2r_n² - log r_n - ½ log 2π (U, N + 1) for samples (U, D) and clusters (N + 1, D)."""
        is_last = torch.arange(means.shape[-2], device=means.device) == means.shape[-2] - 1
        return gaussian_logits(z, means, self.log_radius * is_last)

    def predict(self, state: Prototypes | Clusters, x: Tensor) -> Tensor:
        """Logits of the classes and the distractors (M, N + 1); ProtoNet's (M, N) where nothing was unlabelled."""
        if isinstance(state, Prototypes):
            return super().predict(state, x)
        return self.logits(self.embed(x, state.stats, state.means.shape[:-2]), state.means)


class MaskedSoftKMeans(SoftKMeans):
    """Soft k-means that leaves out, softly, what lies too far from a prototype by the episode's own measure.

    mask_net: from five statistics to (log β of the first refinement, what is added to β up to the last, log γ). seed:
    of its first weights. No gradient flows through the statistics.
    Deviations from the authors' code: it multiplies by the mask twice, so that m = 1/2 weighs 1/4, where here, as in
    the paper, it weighs 1/2; and all of several refinements have the statistics of the first, where here each has its
    own.
    """

    stacks = True

    def __init__(self, net: nn.Module, refinements: int = 1, seed: int = 0):
        super().__init__(net, refinements)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.mask_net = nn.Sequential(nn.Linear(STATISTICS, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, OUTPUTS))
            for layer in (self.mask_net[0], self.mask_net[2]):
                nn.init.normal_(layer.weight, std=0.01)
                nn.init.zeros_(layer.bias)
        self.config = {"refinements": refinements, "seed": seed}

    @property
    def exact_gradient(self) -> bool:
        """False: the statistics are constants in it."""
        return False

    def weights(self, unlabelled: Tensor, means: Tensor, progress: float = 0.0) -> Tensor:
        """π_jn m_jn (U, N)."""
        return assignment(unlabelled, means) * self.mask(unlabelled, means, progress)

    def mask(self, unlabelled: Tensor, means: Tensor, progress: float = 0.0) -> Tensor:
        """m_jn (U, N) in (0, 1): how much an unlabelled sample (U, D) may count for the prototype of a class (N, D)."""
        d = relative_distances(unlabelled, means)
        log_beta, added, log_gamma = self.mask_net(distance_statistics(d).detach()).unsqueeze(-3).unbind(-1)
        return torch.sigmoid(log_gamma.exp() * (log_beta.exp() + progress * added - d))


def has_unlabelled(episode: Episode) -> bool:
    """Whether an episode, or each of a batch, has unlabelled samples."""
    return episode.unlabeled_x.shape[len(episode.batch_shape)] > 0


def assignment(z: Tensor, means: Tensor) -> Tensor:
    """softmax_n(-|z_j - c_n|²) (U, N) for samples (U, D) and prototypes (N, D)."""
    return (-squared_distances(z, means)).softmax(-1)


def refined(z: Tensor, one_hot: Tensor, unlabelled: Tensor, weights: Tensor) -> Tensor:
    """The prototypes (N, D) of support samples (M, D) with one-hot labels (M, N) and unlabelled samples (U, D) with
    weights (U, N) ≥ 0. A class without a support sample and without weight has 0."""
    total = one_hot.sum(-2) + weights.sum(-2)
    return (one_hot.mT @ z + weights.mT @ unlabelled) / torch.where(total == 0, 1, total).unsqueeze(-1)


def gaussian_logits(z: Tensor, means: Tensor, log_radii: Tensor) -> Tensor:
    """-|z_j - c_n|²/2r_n² - log r_n - ½ log 2π (U, N) for samples (U, D), prototypes (N, D) and log radii (N,). The
    normaliser is that of one dimension, whatever D, as in the paper."""
    log_radii = log_radii.unsqueeze(-2)
    return -squared_distances(z, means) / (2 * (2 * log_radii).exp()) - log_radii - 0.5 * math.log(2 * math.pi)


def relative_distances(z: Tensor, means: Tensor) -> Tensor:
    """d̃_jn (U, N): squared distances of samples (U, D) from prototypes (N, D), over the mean for each prototype."""
    d = squared_distances(z, means).clamp(min=0)
    mean = d.mean(-2, keepdim=True)
    return d / torch.where(mean == 0, 1, mean)


def distance_statistics(d: Tensor) -> Tensor:
    """Minimum, maximum, variance, skewness and excess kurtosis over the samples of distances (U, N): (N, 5). Where all
    distances are equal the last two are 0 and -3."""
    mean = d.mean(-2, keepdim=True)
    variance = (d - mean).square().mean(-2)
    spread = torch.where(variance == 0, 1, variance)
    third, fourth = ((d - mean).pow(power).mean(-2) for power in (3, 4))
    return torch.stack([d.amin(-2), d.amax(-2), variance, third / spread**1.5, fourth / spread**2 - 3], -1)


TRAINING = {"steps": 1000, "tasks": 1, "lr": 4e-3}
METHOD = Method("soft-kmeans", SoftKMeans, "prototypes refined by unlabelled samples", "headless", {}, TRAINING,
                train_way=60, train_query=3, unlabeled=5)
# trained with the way of the test, because the radius of the distractors depends on how many classes there are
CLUSTER = Method("soft-kmeans-cluster", SoftKMeansCluster, "with one more cluster for distractors", "headless", {},
                 {"steps": 1000, "tasks": 4, "lr": 4e-3}, train_query=5, unlabeled=5)
MASKED = Method("soft-kmeans-masked", MaskedSoftKMeans, "without what lies too far from a prototype", "headless", {},
                TRAINING, train_way=60, train_query=3, unlabeled=5)
