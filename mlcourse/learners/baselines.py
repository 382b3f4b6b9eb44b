"""The baselines that meta-learning has to beat: they share its networks and its evaluation, not its outer loss.

NoAdaptation, FromScratch and JointTraining work in regression and in classification; FineTune and LinearProbe need
classes; NearestNeighbour has no parameters at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate, descend
from mlcourse.episode import Episode
from mlcourse.learner import Adapted, Learner, NetLearner, check_classes, check_head, require_grad
from mlcourse.learners.maml import MAML
from mlcourse.learners.pretrained import PRETRAINING, LinearHead, Pretrained
from mlcourse.learners.protonet import squared_distances
from mlcourse.losses import task_loss
from mlcourse.method import SINUSOIDS, Method
from mlcourse.nets import Params, features, trainable
from mlcourse.phases import Phase, check_counts


class NoAdaptation(NetLearner):
    """Uses the network as it is on every task: φ = θ. Trained on the query loss at θ."""

    stacks = True

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """θ itself."""
        check_head(self, episode)
        return self.adapted(self.theta(episode.batch_shape), episode)


class FromScratch(MAML):
    """Forgets everything: gradient steps on the support set from a fixed random start. It has no meta-parameters.

    Adapts as MAML does; lr, steps: the rate and number of its gradient steps.
    """

    order = 1

    def __init__(self, net: nn.Module, lr: float = 0.01, steps: int = 10):
        super().__init__(net, lr, steps)
        net.requires_grad_(False)

    def phases(self, sampler, steps: int, **_) -> list[Phase]:
        """No phase: there is nothing to train."""
        return []


class JointTraining(MAML):
    """The multi-task objective min_θ Σ_t L(θ; D_t): one network fitted to all tasks at once, then fine-tuned.

    In regression this is the "pretrained" baseline of Finn et al. 2017, section 5.1. It adapts as MAML does, but its
    outer loop descends the loss *before* adaptation, on support and query together. lr, steps: of the fine-tuning.
    """

    order = 1
    stacks = True
    exact_gradient = True       # the loss is that before any adaptation

    def loss(self, episode: Episode) -> Tensor:
        """L(θ; support and query together), before any adaptation."""
        require_grad(self)
        check_head(self, episode)
        return self.loss_at(self.theta(episode.batch_shape), *episode.samples())


class FineTune(Pretrained):
    """Pretrain on all training classes at once with one linear classifier, then fine-tune with a new head per task
    (the "Baseline" of Chen et al., A Closer Look at Few-shot Classification, ICLR 2019, with all layers moving).

    net, train_classes, seed: as in `Pretrained`. lr, steps: of the fine-tuning; the new head starts at zero.
    Raises ValueError in regression, where JointTraining is the same thing.
    """

    adapts = True

    def __init__(self, net: nn.Module, train_classes: int = 0, lr: float = 0.1, steps: int = 10, seed: int = 0):
        super().__init__(net, train_classes, seed)
        check_rate(lr, "inner learning rate")
        check_counts(steps=steps)
        self.lr, self.steps = lr, steps
        self.config = {"train_classes": train_classes, "lr": lr, "steps": steps, "seed": seed}

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """The body, where it is not frozen, and a new head of N outputs, after gradient steps on the support set."""
        check_classes(self, episode)
        steps = self.steps if steps is None else steps
        return self.tuned(self.start(episode), episode, steps)

    def start(self, episode: Episode) -> Params:
        """Where the steps begin: the body, where it is not frozen, and a new head of zeros, "new.weight" (N, size) and
        "new.bias" (N,)."""
        x = episode.support_x
        return {**trainable(self.net), "new.weight": x.new_zeros(episode.way, self.net.size),
                "new.bias": x.new_zeros(episode.way)}

    def tuned(self, phi: Params, episode: Episode, steps: int) -> Adapted:
        """The state after so many gradient steps on the support loss from φ."""
        x, y = episode.support_x, episode.support_y
        support_loss = lambda phi: task_loss(self._logits(phi, x, self.fixed_stats()), y)
        phi = descend(support_loss, phi, steps, self.lr, order=1, only=self.moving(phi))
        return Adapted(phi, self.adapted(self.body(phi), episode).stats)

    def moving(self, phi: Params) -> Sequence[str] | None:
        """The names of what the steps move; None: everything."""
        return None

    def body(self, phi: Params) -> Params:
        """The parameters of the network in φ."""
        return {name: p for name, p in phi.items() if not name.startswith("new.")}

    def predict(self, state: Adapted, x: Tensor) -> Tensor:
        """Logits of the new head."""
        return self._logits(state.params, x, state.stats)

    def _logits(self, phi: Params, x: Tensor, stats: tuple) -> Tensor:
        return F.linear(features(self.net, self.body(phi), x, stats), phi["new.weight"], phi["new.bias"])


def ridge(z: Tensor, y: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    """Weight (D, N) and bias (N,) of a ridge regression of y (M, N) on features z (M, D).

    W = Zᵀ(ZZᵀ + λI)⁻¹(Y - Ȳ) with centred features Z: the closed form in the M × M kernel, as in Bertinetto et al.,
    Meta-learning with Differentiable Closed-form Solvers, ICLR 2019. penalty: λ as a share of the mean squared norm of
    the centred features.
    """
    z_mean, y_mean = z.mean(0), y.mean(0)
    z, y = z - z_mean, y - y_mean
    kernel = z @ z.T
    scale = penalty * (kernel.diagonal().mean() + 1e-8)
    weight = z.T @ torch.linalg.solve(kernel + scale * torch.eye(len(z)).to(z), y)
    return weight, y_mean - z_mean @ weight


class LinearProbe(Pretrained):
    """Pretrained as FineTune is; then the body is frozen and the head is a `ridge` regression on one-hot labels, with
    λ = `penalty`, positive.
    """

    def __init__(self, net: nn.Module, train_classes: int = 0, penalty: float = 0.1, seed: int = 0):
        super().__init__(net, train_classes, seed)
        check_rate(penalty, "ridge penalty")
        self.penalty = penalty
        self.config = {"train_classes": train_classes, "penalty": penalty, "seed": seed}

    def adapt(self, episode: Episode, steps: int | None = None) -> LinearHead:
        """The ridge head; `steps` is ignored."""
        check_classes(self, episode)
        z, stats = self.embedded(episode)
        return LinearHead(*ridge(z, F.one_hot(episode.support_y, episode.way).to(z.dtype), self.penalty), stats)

    def predict(self, state: LinearHead, x: Tensor) -> Tensor:
        """The ridge regression's N outputs."""
        return features(self.net, self.theta(), x, state.stats) @ state.weight + state.bias


class NearestNeighbour(Learner):
    """Answers with the label of the support sample that is nearest in pixels. It has no parameters."""

    def adapt(self, episode: Episode, steps: int | None = None) -> tuple[Tensor, Tensor]:
        """The support set itself: samples (N·K, D) and one-hot labels (N·K, N)."""
        check_classes(self, episode)
        x = episode.support_x.flatten(1)
        return x, F.one_hot(episode.support_y, episode.way).to(x.dtype)

    def predict(self, state: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        """Minus the squared distance to the nearest support sample of each class (M, N)."""
        support, labels = state
        distance = squared_distances(x.flatten(1), support)[:, :, None]
        return -distance.masked_fill(labels[None] == 0, torch.inf).amin(1)

    def phases(self, sampler, steps: int, **_) -> list[Phase]:
        """No phase: there is nothing to train."""
        return []


NONE = Method("none", NoAdaptation, "a network that never adapts", "headed", {},
              {"steps": 500, "tasks": 16, "lr": 1e-3},
              sinusoids=({}, {"steps": 3000, "tasks": 25, "lr": 3e-3}), baseline=True)
SCRATCH = Method("scratch", FromScratch, "fine-tuning of random weights", "headed", {"lr": 0.1, "steps": 20},
                 {"steps": 1}, sinusoids=({"lr": 0.01, "steps": 20}, {"steps": 1}), baseline=True)
JOINT = Method("joint", JointTraining, "one network for all tasks, then fine-tuning", "headed",
               {"lr": 0.1, "steps": 10}, {"steps": 500, "tasks": 16, "lr": 1e-3}, sinusoids=SINUSOIDS, baseline=True)
FINETUNE = Method("finetune", FineTune, "pretrain a classifier, fine-tune a new head", "headless", {},
                  PRETRAINING, train_way=32, train_query=1, baseline=True)
PROBE = Method("probe", LinearProbe, "pretrain a classifier, fit a linear head", "headless", {},
               PRETRAINING, train_way=32, train_query=1, baseline=True)
NEIGHBOUR = Method("neighbour", NearestNeighbour, "the nearest neighbour in pixels", "", {}, {"steps": 1},
                   baseline=True)
