"""NCA: ProtoNet's distances without episodes, every pair of the batch used.

Goldberger, Hinton, Roweis, Salakhutdinov: Neighbourhood Components Analysis, NeurIPS 2004, for a network and a batch as
in Laenen, Bertinetto: On Episodes, Prototypical Networks, and Few-shot Learning, NeurIPS 2021.

    loss = -mean_i log( Σ_{j ≠ i, y_j = y_i} exp(-|z_i - z_j|²/τ) / Σ_{k ≠ i} exp(-|z_i - z_k|²/τ) )        (`loss`)

At test the class is that of the nearest class mean, as in ProtoNet, which the authors found best, too.
"""

from __future__ import annotations

from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learner import check_classes, require_grad
from mlcourse.learners.protonet import ProtoNet
from mlcourse.losses.contrast import nca
from mlcourse.method import Method


class NCA(ProtoNet):
    """Each sample of the batch finds those of its class among all others; adapts as ProtoNet.

    tau: the temperature of the training loss.
    Raises ValueError for a temperature that is not positive and finite, and in regression.
    """

    stacks = True

    def __init__(self, net: nn.Module, tau: float = 1.0):
        super().__init__(net)
        check_rate(tau, "temperature")
        self.tau, self.config = tau, {"tau": tau}

    def loss(self, episode: Episode) -> Tensor:
        """NCA over support and query samples together: the episode is a batch, and its two sets are one."""
        require_grad(self)
        check_classes(self, episode)
        x, y = episode.samples()
        return nca(self.embed(x, tasks=episode.batch_shape), y, self.tau)


METHOD = Method("nca", NCA, "every pair of the batch, no episodes", "headless", {},
                {"steps": 1000, "tasks": 1, "lr": 4e-3}, train_way=60, train_query=5)
