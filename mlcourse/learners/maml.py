"""MAML: learn an initialisation from which a few gradient steps suffice.

Finn, Abbeel, Levine: Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks, ICML 2017, Algorithm 1.

    repeat
      sample tasks T_i                                              (line 3)
      for each: φ_i ← θ - α ∇_θ L_i^support(f_θ)                    (lines 5-6, `adapt`)
      θ ← θ - β ∇_θ Σ_i L_i^query(f_φi)                             (line 8, `loss`, then the outer optimiser)
"""

from __future__ import annotations

from torch import nn

from mlcourse.engine import dual
from mlcourse.engine.descend import check_rate, descend
from mlcourse.episode import Episode
from mlcourse.learner import Adapted, NetLearner, check_adaptable, check_head
from mlcourse.method import SINUSOIDS, Method
from mlcourse.nets import stacking
from mlcourse.phases import check_counts


REPLACED = ("loss_at", "theta", "prepare", "adapted", "fixed_stats")     # what the dual form does not call


class MAML(NetLearner):
    """MAML with the inner rate α = `lr` and `steps` inner steps in training and, unless told otherwise, at test.

    net: the network whose parameters are θ. The inner loss is the mean over the support set (see `task_loss`).
    Deviation from the paper: Adam's rate is annealed in `phases`; the paper keeps it constant.
    Raises ValueError for a rate that is not positive and finite, or fewer than 1 step.
    """

    adapts = True
    order = 2
    only = None
    stacks = True

    def __init__(self, net: nn.Module, lr: float = 0.01, steps: int = 1):
        super().__init__(net)
        check_adaptable(self)
        check_rate(lr, "inner learning rate")
        check_counts(steps=steps)
        self.lr, self.steps = lr, steps
        self.config = {"lr": lr, "steps": steps}

    @property
    def exact_gradient(self) -> bool:
        """True in second order."""
        return self.order == 2

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """φ: `steps` gradient steps on the support loss from θ."""
        check_head(self, episode)
        steps = self.steps if steps is None else steps
        x, y, tasks = self.prepare(episode.support_x, episode), episode.support_y, episode.batch_shape
        if tasks and dual.fits(self.net, self.lr, self.only) and stacking.untouched(self, NetLearner, *REPLACED):
            return Adapted(dual.descend(self.net, self.theta(), x, y, steps, self.lr, self.order), ())
        phi = descend(lambda phi: self.loss_at(phi, x, y), self.theta(tasks), steps, self.lr,
                      order=self.order, only=self.only, stacked=bool(tasks))
        return self.adapted(phi, episode)


METHOD = Method("maml", MAML, "learn an initialisation", "headed", {"lr": 2.0},
                {"steps": 12000, "tasks": 8, "lr": 6e-3}, train_query=2, test_steps=5, sinusoids=SINUSOIDS)
