"""MLDG: a step that helps the training domains must help a held-out domain too.

Li, Yang, Song, Hospedales: Learning to Generalize: Meta-Learning for Domain Generalization, AAAI 2018, Algorithm 1.

    θ' = θ - α ∇F(θ)              F: the loss on the meta-train domain, here the support set
    descend F(θ) + β G(θ')        G: the loss on the meta-test domain, here the query set
"""

from __future__ import annotations

from torch import Tensor, nn

from mlcourse.engine.descend import check_rate, descend
from mlcourse.episode import Episode
from mlcourse.learner import require_grad
from mlcourse.learners.adabn import AdaBN
from mlcourse.losses import task_loss
from mlcourse.method import Method
from mlcourse.nets import call


class MLDG(AdaBN):
    """MLDG with α = `inner` and β = `weight`, for episodes whose queries come from another source domain.

    It sees no target while it trains. Deviations from the paper: one domain at a time is the meta-train side, not all
    but one; at test the norms take the target's statistics, as in every learner of this family.
    """

    stacks = True
    needs = ()
    adapts = True

    def __init__(self, net: nn.Module, inner: float = 0.05, weight: float = 1.0):
        super().__init__(net)
        check_rate(inner, "inner learning rate")
        check_rate(weight, "weight of the held-out domain")
        self.inner, self.weight = inner, weight
        self.config = {"inner": inner, "weight": weight}

    def loss(self, episode: Episode) -> Tensor:
        """F(θ) + β G(θ - α ∇F(θ)), second order."""
        require_grad(self)
        self.check(episode)
        tasks = episode.batch_shape
        f = lambda params: task_loss(call(self.net, params, episode.support_x), episode.support_y)
        g = lambda params: task_loss(call(self.net, params, episode.query_x), episode.query_y)
        theta = self.theta(tasks)
        return f(theta) + self.weight * g(descend(f, theta, 1, self.inner, stacked=bool(tasks)))


METHOD = Method("mldg", MLDG, "steps that help a held-out domain", "headed", {}, {"steps": 300, "tasks": 2, "lr": 1e-3},
                across=True)
