"""Self-training: the network's own sure predictions on the target as labels, beside the labels of the source.

Lee: Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method for Deep Neural Networks, ICML 2013
workshop, section 2.4, with the threshold of French, Mackiewicz, Fisher: Self-Ensembling for Visual Domain Adaptation,
ICLR 2018.

    ŷ(x) = argmax_k p_k(x)                            of pictures x of the target, anew in every step
    descend  L_y(source) + α mean_x [p_ŷ ≥ τ] (-log p_ŷ)
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learners.adabn import AdaBN
from mlcourse.method import Method
from mlcourse.nets import call, head
from mlcourse.phases import Phase, check_counts, cosine_decay, over_episodes, trained_by

SUREST = 0.1        # the share of the target's pictures that counts where none is sure


class SelfTraining(AdaBN):
    """Self-training with α = `weight` and τ = `threshold`: source in the support set, target in the unlabelled
    pictures.

    cut: the threshold in force, which `phases` sets every `refresh` steps: τ, or, where no picture of the target
    reaches it, the confidence of their surest tenth; a warning then says so. It comes along in a checkpoint.
    Deviation from the papers: α stays, and the threshold takes the place of its rise; each domain is normalised by its
    own statistics, in training and at test. Raises ValueError for a threshold outside (0, 1), a weight that is not
    positive and finite, or fewer than 1 step.
    """

    stacks = True

    def __init__(self, net: nn.Module, threshold: float = 0.9, weight: float = 1.0, refresh: int = 20):
        super().__init__(net)
        if not 0 < threshold < 1:
            raise ValueError(f"the threshold is a probability between 0 and 1, got {threshold}; 0.9 is common")
        check_rate(weight, "weight of the pseudo-labels")
        check_counts(refresh=refresh)
        self.threshold, self.weight, self.refresh = threshold, weight, refresh
        self.config = {"threshold": threshold, "weight": weight, "refresh": refresh}
        self.register_buffer("cut", torch.tensor(float(threshold)))

    def loss(self, episode: Episode, cut: Tensor | None = None) -> Tensor:
        """L_y + α times the mean over the unlabelled pictures of [p_ŷ ≥ cut] (-log p_ŷ). cut: the threshold; None: τ,
        or the confidence of the surest of these pictures where that is lower."""
        source, target = self.pair(episode)
        log_p = head(self.theta(episode.batch_shape), target).log_softmax(-1).amax(-1)
        p = log_p.detach().exp()
        sure = p >= (p.amax(-1, keepdim=True).clamp(max=self.threshold) if cut is None else cut)
        return self.label_loss(source, episode) - self.weight * (sure * log_p).mean(-1)

    def phases(self, sampler, steps: int, *, tasks: int = 2, lr: float = 1e-3,
               pictures: Tensor | None = None) -> list[Phase]:
        """One phase of Adam, the rate annealed to 0 by a cosine. pictures: all of the target (M, 1, S, S), for the
        threshold; None: each episode has its own. Raises what `episodic_phase` raises."""
        check_counts(tasks=tasks)
        check_rate(lr, "outer learning rate")
        return [over_episodes(self, "self-training", lambda generator: sampler.sample(tasks, generator),
                              lambda episode, step: self.loss(episode, None if pictures is None else self.cut),
                              torch.optim.Adam(trained_by(self), lr=lr), steps, cosine_decay,
                              before=None if pictures is None else lambda step: self.renew(step, pictures))]

    def renew(self, step: int, pictures: Tensor) -> None:
        """Every `refresh` steps, set the threshold by the predictions on all pictures of the target."""
        if step % self.refresh:
            return
        with torch.no_grad():
            p = call(self.net, self.theta(), pictures.to(self.cut)).softmax(-1).amax(-1)
        if p.max() >= self.threshold:
            self.cut.fill_(self.threshold)
            return
        self.cut.copy_(p.quantile(1 - SUREST))
        warnings.warn(f"no prediction on the {len(p):,} pictures of the target is as sure as {self.threshold:g}, so "
                      f"the surest tenth counts, from {float(self.cut):.2f} on; train longer on the source first, or "
                      "lower the threshold", stacklevel=2)


METHOD = Method("self-training", SelfTraining, "its own sure predictions as labels", "headed", {},
                {"steps": 300, "tasks": 2, "lr": 1e-3}, across=True)
