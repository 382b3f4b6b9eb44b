"""FOMAML: MAML without second derivatives.

Finn, Abbeel, Levine, ICML 2017, section 5.2, "first-order approximation": the gradient through the inner step,
∇φ = I - α∇²L_support, is replaced by the identity, so the meta-gradient is the query gradient at φ.
"""

from __future__ import annotations

from torch import nn

from mlcourse.learners.maml import MAML
from mlcourse.method import SINUSOIDS, Method


class FOMAML(MAML):
    """MAML whose inner gradients are constants: ∂L_query/∂θ := ∇L_query(φ)."""

    order = 1

    def __init__(self, net: nn.Module, lr: float = 0.01, steps: int = 1):
        super().__init__(net, lr, steps)
        if self.tasks_at_once:      # no graph of the inner steps is kept: twice the tasks fit in the same cache
            self.tasks_at_once *= 2


METHOD = Method("fomaml", FOMAML, "MAML without second derivatives", "headed", {"lr": 1.0},
                {"steps": 4000, "tasks": 8, "lr": 4e-3}, train_query=2, test_steps=5, sinusoids=SINUSOIDS)
