"""Pretrain, then Meta-SGD, then fast adaptation: three stages, one learner.

    1. θ ← minimise the cross-entropy of one classifier over all training classes        (phase "pretrain")
    2. θ, α ← minimise mean_i L(θ - α ∘ ∇L(θ; S_i); Q_i) from that θ                      (phase "meta-train")
    3. φ = θ - α ∘ ∇L(θ; S) on a new task                                                (`adapt`)

Stages 2 and 3 are Meta-SGD (Li, Zhou, Chen, Li, 2017). The order of the stages is that of Sun, Liu, Chua, Schiele,
Meta-Transfer Learning for Few-Shot Learning, CVPR 2019, whose stage 2 is another one: they freeze the pretrained
weights, learn a scale and a shift of them, and sample more of the hard tasks.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learner import Adapted, check_classes, require_grad
from mlcourse.learners.meta_sgd import MetaSGD
from mlcourse.method import Method
from mlcourse.nets import features, trainable
from mlcourse.phases import Phase, check_counts, cosine_decay, over_episodes


class MetaTransfer(MetaSGD):
    """Meta-SGD on a body that was pretrained to tell all training classes apart.

    train_classes: the number of classes that pretraining tells apart; the episode's `classes` say which ones it holds.
    Pretraining trains the body and a `classifier` that no later stage uses; the head of N outputs starts as the network
    made it. The other settings are those of `MetaSGD`. Raises what `MetaSGD` raises.
    """

    needs = ("features", "size", "head")
    stacks = True

    def __init__(self, net: nn.Module, train_classes: int, low: float = 0.005, high: float = 0.1, steps: int = 1,
                 order: int = 2, seed: int = 0):
        super().__init__(net, low, high, steps, order, seed)
        check_counts(train_classes=train_classes)
        self.config = {"train_classes": train_classes, **self.config}
        self.classifier = nn.utils.skip_init(nn.Linear, net.size, train_classes)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            self.classifier.weight.copy_(torch.randn(train_classes, net.size, generator=generator) / net.size**0.5)
            self.classifier.bias.zero_()

    def pretraining_loss(self, episode: Episode) -> Tensor:
        """Cross-entropy over all training classes, on support and query samples alike: a scalar, or (T,) for a batch.

        Raises ValueError in regression, RuntimeError when grad mode is off.
        """
        require_grad(self)
        check_classes(self, episode)
        tasks = episode.batch_shape
        x, labels = episode.samples()
        y = episode.classes.gather(-1, labels)
        logits = self.classifier(features(self.net, self.theta(tasks), self.prepare(x, episode)))
        return F.cross_entropy(logits.flatten(0, -2), y.flatten(), reduction="none").view(y.shape).mean(-1)

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """φ: `steps` steps of θ - α ∘ ∇L_support. Raises ValueError in regression."""
        check_classes(self, episode)
        return super().adapt(episode, steps)

    def phases(self, sampler, steps: int, *, tasks: int = 16, lr: float = 2e-3, pretrain: float = 0.5) -> list[Phase]:
        """A share `pretrain` of the outer steps on `pretraining_loss`, the others on Meta-SGD's loss; each phase is
        Adam with its rate annealed to 0 by a cosine.

        Raises ValueError for a share outside (0, 1), for fewer than 2 steps, for a rate that is not positive and
        finite, or for a domain of more than `train_classes` classes.
        """
        check_counts(tasks=tasks)
        check_rate(lr, "outer learning rate")
        if not 0 < pretrain < 1 or steps < 2:
            raise ValueError(f"pretraining takes a share in (0, 1) of at least 2 outer steps, got a share of {pretrain}"
                             f" of {steps}; for one phase alone use meta-sgd or finetune")
        domain, outputs = getattr(sampler, "domain", None), self.classifier.out_features
        if domain is not None and len(domain.classes) > outputs:
            raise ValueError(f"{domain.name} has {len(domain.classes)} classes, but the classifier tells {outputs} "
                             f"apart; make the learner with train_classes={len(domain.classes)}")
        first = min(max(round(pretrain * steps), 1), steps - 1)
        named = trainable(self)
        body = {name: p for name, p in named.items() if name.startswith("net.") and not name.startswith("net.head.")}
        classifier = {name: p for name, p in named.items() if name.startswith("classifier.")}
        later = {name: p for name, p in named.items() if name not in classifier}
        sample = lambda generator: sampler.sample(tasks, generator)
        adam = lambda parameters: torch.optim.Adam(parameters.items(), lr=lr)
        return [over_episodes(self, "pretrain", sample, lambda episode, step: self.pretraining_loss(episode),
                              adam({**body, **classifier}), first, cosine_decay, after=False),
                over_episodes(self, "meta-train", sample, lambda episode, step: self.loss(episode), adam(later),
                              steps - first, cosine_decay)]


METHOD = Method("meta-transfer", MetaTransfer, "pretrain, then Meta-SGD", "headed", {"low": 0.1, "high": 0.4},
                {"steps": 2000, "tasks": 16, "lr": 2e-3})
