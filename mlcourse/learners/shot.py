"""SHOT: keep the source's classifier, and move the features of the target until it is sure of them.

Liang, Hu, Feng: Do We Really Need to Access the Source Data? Source Hypothesis Transfer for Unsupervised Domain
Adaptation, ICML 2020, sections 3.2 and 3.3. g: the features of the target; h: the head, the source's and fixed;
p = softmax(h(g(x))): the predictions.

    c_k ← Σ_x p_k(x) g(x) / Σ_x p_k(x)               ŷ(x) ← argmin_k of the cosine distance of g(x) and c_k
    c_k ← Σ_x [ŷ(x) = k] g(x) / Σ_x [ŷ(x) = k]       ŷ(x) ← likewise                               (`centroids`)
    descend  mean H(p) - H(mean p) + β mean -log p_ŷ  by g alone, on pictures of the target         (`loss`)
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learner import require_grad
from mlcourse.learners.adabn import AdaBN
from mlcourse.losses import task_loss
from mlcourse.losses.alignment import information
from mlcourse.method import Method
from mlcourse.nets import features, head
from mlcourse.phases import Phase, check_counts, cosine_decay, over_episodes, trained_by


class SHOT(AdaBN):
    """SHOT with β = `weight`: of its two phases the first trains g and h on the source's labels; `transfer` then moves
    g on unlabelled pictures of the target, and looks at no picture of the source.

    centroids: c (N, size) of all pictures of the target, which `transfer` takes anew every `refresh` steps; they come
    along in a checkpoint.
    Deviations from the paper: ŷ of a picture is that of the nearest centroid at the features of the present step, not
    of the last refresh; the head is a plain linear layer on the network's features, without weight norm or a
    bottleneck, and no label is smoothed; Adam takes the place of SGD with momentum. β is 0.3, as for objects in the
    paper; its code has 0.1 for digits.
    """

    needs = ("features", "size", "head")
    stacks = True

    def __init__(self, net: nn.Module, weight: float = 0.3, refresh: int = 20):
        super().__init__(net)
        check_rate(weight, "weight of the pseudo-labels")
        check_counts(refresh=refresh)
        self.weight, self.refresh = weight, refresh
        self.config = {"weight": weight, "refresh": refresh}
        self.register_buffer("centroids", torch.zeros(net.head.out_features, net.size))

    def loss(self, episode: Episode, c: Tensor | None = None) -> Tensor:
        """mean H(p) - H(mean p) + β mean -log p_ŷ of the unlabelled pictures. c: the centroids that give ŷ, (N, size);
        None: those of these pictures alone."""
        require_grad(self)
        self.check(episode)
        z = self.embed(episode.unlabeled_x, episode)
        logits = head(self.theta(episode.batch_shape), z)
        z, p = z.detach(), logits.detach().softmax(-1)
        y = nearest(z, centroids(z, p) if c is None else c)
        return self.weight * task_loss(logits, y) - information(logits)

    def phases(self, sampler, steps: int, *, tasks: int = 2, lr: float = 1e-3,
               pictures: Tensor | None = None) -> list[Phase]:
        """The phase of the source and then `transfer`, of `steps` steps each. Raises what `episodic_phase` raises."""
        transfer = self.transfer(sampler, steps, pictures, tasks=tasks, lr=lr)
        source = over_episodes(self, "source", transfer.sample, lambda episode, step: AdaBN.loss(self, episode),
                               torch.optim.Adam(trained_by(self), lr=lr), steps, cosine_decay)
        return [source, transfer]

    def transfer(self, sampler, steps: int, pictures: Tensor | None = None, *, tasks: int = 2,
                 lr: float = 1e-3) -> Phase:
        """Adam on g while h stays, the rate annealed to 0 by a cosine.

        sampler: of episodes, of which the unlabelled pictures alone are looked at. pictures: all of the target
        (M, 1, S, S), for the centroids; None: each episode has those of its own pictures. Raises what `episodic_phase`
        raises.
        """
        check_counts(tasks=tasks)
        check_rate(lr, "outer learning rate")
        g = [(name, p) for name, p in trained_by(self) if not name.startswith("net.head.")]
        one = lambda episode, step: self.loss(episode, None if pictures is None else self.centroids)
        return over_episodes(self, "transfer", lambda generator: sampler.sample(tasks, generator), one,
                             torch.optim.Adam(g, lr=lr), steps, cosine_decay,
                             before=None if pictures is None else lambda step: self.renew(step, pictures))

    @torch.no_grad()
    def renew(self, step: int, pictures: Tensor) -> None:
        """Every `refresh` steps, take the centroids of all pictures of the target anew."""
        if step % self.refresh == 0:
            theta = self.theta()
            z = features(self.net, theta, pictures.to(self.centroids))
            self.centroids.copy_(centroids(z, head(theta, z).softmax(-1)))


def centroids(z: Tensor, p: Tensor) -> Tensor:
    """c (N, size) of features z (M, size) with predictions p (M, N): first the means weighted by p, then those of the
    features that are nearest to them; zeros where none is. With a leading task dimension as well."""
    y = nearest(z, weighted(z, p))
    return weighted(z, F.one_hot(y, p.shape[-1]).to(z.dtype))


def weighted(z: Tensor, w: Tensor) -> Tensor:
    """The means (N, size) of features z (M, size) under weights w (M, N)."""
    return w.mT @ z / w.sum(-2).clamp(min=1e-8)[..., None]


def nearest(z: Tensor, c: Tensor) -> Tensor:
    """The class (M,) of the centroid of c (N, size) at the least cosine distance from each feature of z (M, size), the
    first of several; never that of a centroid of zeros."""
    likeness = F.normalize(z, dim=-1) @ F.normalize(c, dim=-1).mT
    return likeness.masked_fill((c == 0).all(-1)[..., None, :], -torch.inf).argmax(-1)


METHOD = Method("shot", SHOT, "the source's classifier kept, the target's features moved", "headed", {},
                {"steps": 300, "tasks": 2, "lr": 1e-3}, across=True)
