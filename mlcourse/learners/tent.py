"""TENT: at test time, make the predictions on the target surer, by the gains and shifts of the norms alone.

Wang, Shelhamer, Liu, Olshausen, Darrell: Tent: Fully Test-Time Adaptation by Entropy Minimization, ICLR 2021,
section 3.

    H(ŷ) = -Σ_k p(ŷ_k) log p(ŷ_k)                  of a prediction; no label and no source picture enters
    γ, β ← γ, β - η ∇ mean H over a batch of the target, whose own μ and σ normalise it

It needs batches in which the classes are mixed: in a batch of one class μ and σ take away what tells the class, and the
surest prediction is then the same for all (Niu et al., Towards Stable Test-Time Adaptation in Dynamic Wild World, ICLR
2023).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate, descend
from mlcourse.episode import Episode
from mlcourse.learner import Adapted
from mlcourse.learners.adabn import AdaBN
from mlcourse.losses.alignment import mean_entropy
from mlcourse.method import Method
from mlcourse.nets import Norm, Params, call, statistics
from mlcourse.phases import check_counts

NORMS = (Norm, nn.GroupNorm, nn.LayerNorm, nn.modules.batchnorm._NormBase)


class TENT(AdaBN):
    """TENT with rate η = `lr`: `steps` steps, each on the next `batch` unlabelled pictures, the first again after the
    last. Trained as AdaBN is, and with 0 steps it is AdaBN. A network without norms has nothing to adapt.

    Deviations from the paper: plain gradient descent takes the place of Adam; at test the queries are normalised by
    the statistics of all unlabelled pictures, so that one query is predicted as in a batch (`online` is the paper's
    protocol). Raises ValueError for a rate that is not positive and finite, or a count below 1.
    """

    stacks = True
    adapts = True

    def __init__(self, net: nn.Module, lr: float = 0.05, steps: int = 10, batch: int = 100):
        super().__init__(net)
        check_rate(lr, "rate of the adaptation")
        check_counts(steps=steps, batch=batch)
        self.lr, self.steps, self.batch = lr, steps, batch
        self.config = {"lr": lr, "steps": steps, "batch": batch}

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """θ with other gains and shifts, and the target's statistics under them."""
        self.check(episode)
        tasks = episode.batch_shape
        phi, parts = self.theta(tasks), batches(episode.unlabeled_x, self.batch, len(tasks))
        for i in range(self.steps if steps is None else steps):
            phi = self.surer(phi, parts[i % len(parts)], stacked=bool(tasks))
        return Adapted(phi, statistics(self.net, phi, episode.unlabeled_x))

    def online(self, x: Tensor) -> Tensor:
        """Logits (M, N) of target pictures x (M, …) that come batch by batch: each batch is answered under its own
        statistics, and then takes its step. The answers to the first batch are AdaBN's."""
        phi, answers = self.theta(), []
        for part in batches(x, self.batch):
            answers.append(call(self.net, phi, part))
            phi = self.surer(phi, part)
        return torch.cat(answers)

    def surer(self, phi: Params, x: Tensor, stacked: bool = False) -> Params:
        """φ after one step down the mean entropy of its predictions on x, by the gains and shifts alone."""
        own = affine(self.net) & phi.keys()
        if not own:
            return phi
        entropy = lambda phi: mean_entropy(call(self.net, phi, x))
        return descend(entropy, phi, 1, self.lr, order=1, only=own, stacked=stacked)


def affine(net: nn.Module) -> set[str]:
    """The names of the gains and shifts of a network's norms, the course's and torch's."""
    return {f"{name}.{own}" for name, module in net.named_modules() if isinstance(module, NORMS)
            for own, _ in module.named_parameters(recurse=False)}


def batches(x: Tensor, size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """The pictures x along `dim` in parts of nearly equal size, none smaller than `size` where there are as many."""
    return x.tensor_split(max(1, x.shape[dim] // size), dim)


METHOD = Method("tent", TENT, "surer predictions, by the norms' gains and shifts", "headed", {},
                {"steps": 300, "tasks": 2, "lr": 2e-3}, across=True)
