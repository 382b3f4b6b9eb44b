"""Classify by a variational autoencoder of sets: no classifier is trained. Labels only say which pictures belong
together, in training as in the support set.

After Edwards and Storkey, Towards a Neural Statistician, ICLR 2017, section 5.3. The network is `SetVAE`.

    descend -(bound of the pictures of each class) / their number           (`loss`)
    D_n the supports of class n:  q(c|D_n)                                  (`adapt`)
    logit_n(x) = -KL( q(c|x) ‖ q(c|D_n) ), x as a set of one                (`predict`)

The course's own rule asks the whole model, not the codes alone: how probable is x where D_n has been seen?

    logit_n(x) = log p(x|z, c_n) - KL( q(z|x, c_n) ‖ p(z|c_n) ),  c_n and z at the means of q(c|D_n) and q(z|x, c_n)

With z drawn from q(z|x, c_n) its mean would be a bound on log p(x|c_n); at the mean of q it stands in for one.
(`BoundStatistician`)
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.episode import Episode
from mlcourse.learner import Learner, check_classes, require_grad
from mlcourse.losses.vae import Normal, kl, log_bernoulli
from mlcourse.method import Method
from mlcourse.nets.set_vae import Bound, SetVAE
from mlcourse.phases import Phase

CLASSES, PICTURES = 64, 32      # of an episode, at most, in training


class NeuralStatistician(Learner):
    """The set VAE as a classifier. Pictures become binary, and of side `side` where they are not.

    maps, z, hidden, width, seed: as in `SetVAE`. Raises ValueError in regression, for pictures of more than one
    channel, and in training for episodes of more than 64 classes or 32 pictures a class.
    """

    def __init__(self, side: int = 28, maps: int = 4, z: int = 16, hidden: int = 96, width: int = 24, seed: int = 0):
        super().__init__()
        self.vae, self.seed = SetVAE(side, maps, z, hidden, width, seed), seed
        self.config = self.vae.config
        self.register_buffer("noise_c", torch.zeros(CLASSES, self.vae.c), persistent=False)
        self.register_buffer("noise_z", torch.zeros(CLASSES, PICTURES, z), persistent=False)
        self.draw(0)

    def draw(self, step: int) -> None:
        """The noise of a step."""
        generator = torch.Generator().manual_seed(1_000_003 * self.seed + step)
        for noise in (self.noise_c, self.noise_z):
            noise.copy_(torch.randn(noise.shape, generator=generator))

    def bound(self, episode: Episode) -> Bound:
        """The bound of the set of all pictures of each class."""
        x, y = episode.samples()
        sets = by_class(as_binary(x, self.vae.side), y, episode.way)
        n, s = sets.shape[:2]
        if n > CLASSES or s > PICTURES:
            raise ValueError(f"the set VAE is trained on at most {CLASSES} classes and {PICTURES} pictures a class, "
                             f"but the episode has {n} and {s}; take smaller ones")
        return self.vae.bound(sets, self.noise_c[:n], self.noise_z[:n, :s])

    def loss(self, episode: Episode) -> Tensor:
        """The bound of each class, negative, in nats a picture."""
        require_grad(self)
        check_classes(self, episode)
        bound = self.bound(episode)
        return -bound.value.mean() / bound.likelihood.shape[1]

    def adapt(self, episode: Episode, steps: int | None = None) -> Normal:
        """q(c|D_n) of each class."""
        check_classes(self, episode)
        sets = by_class(as_binary(episode.support_x, self.vae.side), episode.support_y, episode.way)
        return self.vae.context(self.vae.embed(sets))

    def predict(self, state: Normal, x: Tensor) -> Tensor:
        """-KL(q(c|x) ‖ q(c|D_n)): (M, N)."""
        own = self.vae.context(self.vae.embed(as_binary(x, self.vae.side).unsqueeze(1)))
        return -kl(Normal(*(part.unsqueeze(1) for part in own)), state).sum(-1)

    def phases(self, sampler, steps: int, **settings) -> list[Phase]:
        """As in `Learner.phases`, with new noise at each step."""
        return [replace(phase, before=self.draw) for phase in super().phases(sampler, steps, **settings)]


class BoundStatistician(NeuralStatistician):
    """The same set VAE, which says the class under which a picture is most probable."""

    def predict(self, state: Normal, x: Tensor) -> Tensor:
        """log p(x|z, c_n) - KL(q(z|x, c_n) ‖ p(z|c_n)): (M, N)."""
        x = as_binary(x, self.vae.side)
        sets = x.unsqueeze(0).expand(len(state.mean), *x.shape)                # all pictures beside every class
        h = self.vae.embed(x.unsqueeze(0)).expand(len(sets), *[-1] * x.ndim)
        q_z = self.vae.posterior(h, state.mean)
        prior = Normal(*(part.unsqueeze(1) for part in self.vae.prior(state.mean)))
        return (log_bernoulli(sets, self.vae.decode(q_z.mean, state.mean)) - kl(q_z, prior).sum(-1)).mT


def as_binary(x: Tensor, side: int) -> Tensor:
    """Pictures (M, 1, S, S) in [0, 1] as 0 and 1, of the given side. Raises ValueError for other than one channel."""
    if x.shape[-3] != 1:
        raise ValueError(f"the set VAE reads pictures of one channel, got {x.shape[-3]}; load them as grey")
    return (resized(x, side) > 0.5).to(x.dtype)


def resized(x: Tensor, side: int) -> Tensor:
    """Pictures (M, C, S, S), of the given side."""
    return x if x.shape[-1] == side else F.interpolate(x, (side, side), mode="bilinear", align_corners=False)


def by_class(x: Tensor, y: Tensor, way: int) -> Tensor:
    """Samples (N·K, *D) with labels y (N·K,), K of each class, as sets (N, K, *D)."""
    return x[y.argsort(stable=True)].unflatten(0, (way, -1))


METHOD = Method("statistician", NeuralStatistician, "a variational autoencoder of sets, by the divergence of codes", "",
                {}, {"steps": 4000, "tasks": 1, "lr": 1e-3}, train_way=16, train_query=4, of_pictures=True)
