"""MetaGAN: a few-shot classifier with one more class, "made", and a generator that plays against it.

Zhang, Che, Ghahramani, Bengio, Song: MetaGAN: An Adversarial Approach to Few-Shot Learning, NeurIPS 2018, section 4.

    G(T, ξ): a picture from the task's code, the mean feature of its supports, and noise
    L_D = -log p(y | x, real) - log p(real | x) - log p(made | G)       x, y the queries
    L_G = -log p(real | G)
    p(real | x) = Σ_n exp l_n / (Σ_n exp l_n + exp β)

Their D is MAML or RelationNet; here the logits l_n are those of a ridge regression (R2D2). β, the logit of "made", is
the number that R2D2 leaves out because no softmax over real classes depends on it; now one does. At test "made" is left
out and G is not used.
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learner import require_grad
from mlcourse.learners.r2d2 import R2D2, RidgeHead
from mlcourse.learners.statistician import resized
from mlcourse.losses import task_loss
from mlcourse.method import Method
from mlcourse.nets import features
from mlcourse.nets.gan import NOISE, Painter
from mlcourse.phases import Phase, check_counts


class MetaGAN(R2D2):
    """R2D2 with a class "made". weight: of the terms about real and made in L_D. made: pictures that G makes a task.
    penalty, scale: as in R2D2. seed: of G's initial weights and of the noise.

    L_D moves the network, the ridge and β, L_G moves G; `loss` is their sum, of which each has its own gradient.
    Raises ValueError for a weight or a count out of range, and as R2D2.
    """

    needs = ("size",)

    def __init__(self, net: nn.Module, weight: float = 1.0, made: int = 32, penalty: float = 1.0, scale: float = 10.0,
                 seed: int = 0):
        super().__init__(net, penalty, scale)
        check_rate(weight, "weight of the class of made pictures")
        check_counts(made=made)
        self.weight, self.made, self.seed = weight, made, seed
        self.config = {"weight": weight, "made": made, "penalty": penalty, "scale": scale, "seed": seed}
        self.beta = nn.Parameter(torch.zeros(()))
        self.painter = Painter(net.size + NOISE, seed=seed)
        self.register_buffer("noise", torch.zeros(made, NOISE), persistent=False)
        self.draw(0)

    @property
    def exact_gradient(self) -> bool:
        """False: two losses, each with its own weights."""
        return False

    def draw(self, step: int) -> None:
        """The noise of a step."""
        self.noise.copy_(torch.randn(self.noise.shape,
                                     generator=torch.Generator().manual_seed(1_000_003 * self.seed + step)))

    def drawn(self, episode: Episode, code: Tensor) -> Tensor:
        """G(T, ξ) (made, 1, S, S), of the task's code (size,)."""
        pictures = self.painter(torch.cat([code.expand(self.made, -1), self.noise.to(code.dtype)], -1))
        return resized(pictures, episode.support_x.shape[-1]).expand(-1, *episode.support_x.shape[1:])

    def loss(self, episode: Episode) -> Tensor:
        """L_D + L_G."""
        require_grad(self)
        state = self.adapt(episode)
        code = F.layer_norm(self.embed(episode.support_x, state.stats).mean(0).detach(), (self.net.size,))
        drawn, real = self.drawn(episode, code), self.predict(state, episode.query_x)
        classify = task_loss(real, episode.query_y)
        tell = log_real(real, self.beta).mean() + log_made(self.predict(state, drawn.detach()), self.beta).mean()
        return classify - self.weight * tell - self.judged(state, drawn)

    def judged(self, state: RidgeHead, drawn: Tensor) -> Tensor:
        """log p(real | G) on average, by a classifier that is not changed by it."""
        theta = {name: p.detach() for name, p in self.theta().items()}
        stats = tuple((mean.detach(), var.detach()) for mean, var in state.stats)
        logits = self.log_scale.detach().exp() * features(self.net, theta, drawn, stats or None) @ state.weight.detach()
        return log_real(logits, self.beta.detach()).mean()

    def phases(self, sampler, steps: int, **settings) -> list[Phase]:
        """As in `Learner.phases`, with new noise at each step."""
        return [replace(phase, before=self.draw) for phase in super().phases(sampler, steps, **settings)]


def log_real(logits: Tensor, beta: Tensor) -> Tensor:
    """log p(real | x) (M,) of the logits (M, N) of the real classes and that of "made"."""
    return F.logsigmoid(logits.logsumexp(-1) - beta)


def log_made(logits: Tensor, beta: Tensor) -> Tensor:
    """log p(made | x) (M,)."""
    return F.logsigmoid(beta - logits.logsumexp(-1))


METHOD = Method("metagan", MetaGAN, "a class of its own for made pictures", "headless", {"penalty": 100.0},
                {"steps": 600, "tasks": 1, "lr": 5e-3}, train_way=30, train_query=5, of_pictures=True)
