"""A set VAE whose samples join the support set, meta-learned: the query loss flows back into the set encoder.

The course's own. The set VAE is that of the Neural Statistician (`nets.set_vae`); learning its code of a set by the
loss of queries is what VERSA does (Gordon et al., Meta-Learning Probabilistic Inference for Prediction, ICLR 2019).

    D_n the supports of class n:    c ~ q(c|D_n),  z_m ~ p(z|c),  x_m the probabilities of p(x|z_m, c)
    W = ridge regression on the features of D_n and x_1 … x_M of all classes                  (`adapt`)
    logits = α f_θ(x) W                                                                       (`predict`)
    first  descend -bound                      the set VAE alone
    then   descend CE(logits of queries)       through W and the samples into decoder, prior and set encoder; and θ
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learner import check_classes
from mlcourse.learners.r2d2 import R2D2, RidgeHead, ridge
from mlcourse.learners.statistician import NeuralStatistician, as_binary, by_class, resized
from mlcourse.method import Method
from mlcourse.phases import Phase, check_counts, cosine_decay, over_episodes, trained_by

SHARE = 2 / 3           # of the steps, that the bound has
CONTRAST = 3.0          # of the first samples: to a max pooling, equal pixels are ties, where it has no derivative


class SetVAEAugmented(R2D2):
    """R2D2 on the support set and `count` samples of each class.

    copies: how often each support itself stands in there. maps, z, hidden, width, seed: of the set VAE, as in `SetVAE`,
    which works on 28×28 binary pictures; others are resized. penalty, scale: as in R2D2. Raises ValueError as they do.
    """

    def __init__(self, net: nn.Module, count: int = 5, copies: int = 1, penalty: float = 1.0, scale: float = 10.0,
                 maps: int = 4, z: int = 16, hidden: int = 96, width: int = 24, seed: int = 0):
        super().__init__(net, penalty, scale)
        check_counts(count=count, copies=copies)
        self.statistician = NeuralStatistician(maps=maps, z=z, hidden=hidden, width=width, seed=seed)
        with torch.no_grad():
            self.statistician.vae.decoder[-1].weight.mul_(CONTRAST)
        self.count, self.copies = count, copies
        self.config = {"count": count, "copies": copies, "penalty": penalty, "scale": scale, "maps": maps, "z": z,
                       "hidden": hidden, "width": width, "seed": seed}

    def samples(self, episode: Episode) -> Tensor:
        """`count` samples of each class (N, count, 1, S, S), by the noise of the step."""
        vae, x = self.statistician.vae, episode.support_x
        sets = by_class(as_binary(x, vae.side), episode.support_y, episode.way)
        noise_c, noise_z = self.statistician.noise_c[:episode.way], self.statistician.noise_z[:episode.way, :self.count]
        made = vae.sample(sets, noise_c, noise_z)
        return resized(made.flatten(0, 1), x.shape[-1]).unflatten(0, made.shape[:2])

    def adapt(self, episode: Episode, steps: int | None = None) -> RidgeHead:
        """W of supports and samples; a norm's statistics are those of the supports alone."""
        check_classes(self, episode)
        stats = self.adapted(self.theta(), episode).stats
        x = torch.cat([episode.support_x] * self.copies + [self.samples(episode).flatten(0, 1)])
        made = torch.arange(episode.way, device=x.device).repeat_interleave(self.count)
        y = F.one_hot(torch.cat([episode.support_y] * self.copies + [made]), episode.way).to(x.dtype)
        return RidgeHead(ridge(self.embed(x, stats), y, self.log_penalty.exp()), stats)

    def phases(self, sampler, steps: int, *, tasks: int = 4, lr: float = 1e-3) -> list[Phase]:
        """The bound for two thirds of the steps, then the query loss."""
        check_counts(steps=steps)
        own = max(1, round(SHARE * steps))
        bound, = self.statistician.phases(sampler, own, tasks=tasks, lr=lr)
        one = lambda episode, step: self.statistician.loss(episode)
        return [over_episodes(self, "bound", bound.sample, one, bound.optimiser, own, bound.rate, after=False,
                              before=self.statistician.draw),
                self.by_queries(sampler, max(1, steps - own), tasks=tasks, lr=lr)]

    def by_queries(self, sampler, steps: int, *, tasks: int = 4, lr: float = 1e-3) -> Phase:
        """The phase of the query loss, which moves all that is not frozen but q(z|x, c): no sample asks for it."""
        check_counts(steps=steps, tasks=tasks)
        check_rate(lr, "outer learning rate")
        own = [(name, p) for name, p in trained_by(self) if not {"few", "to_z"} & set(name.split("."))]
        return over_episodes(self, "query loss", lambda generator: sampler.sample(tasks, generator),
                             lambda episode, step: self.loss(episode), torch.optim.Adam(own, lr=lr), steps,
                             cosine_decay, before=self.statistician.draw)


METHOD = Method("set-vae", SetVAEAugmented, "samples of a set VAE join the support set", "headless", {"penalty": 100.0},
                {"steps": 3000, "tasks": 1, "lr": 1e-3}, train_way=16, train_query=4, of_pictures=True)
