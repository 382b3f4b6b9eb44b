"""A generator that redraws labelled source pictures in the manner of an unlabelled target: phase 1 of DAML.

Closest to Bousmalis et al., Unsupervised Pixel-Level Domain Adaptation with Generative Adversarial Networks (PixelDA),
CVPR 2017: the label of x is kept by G(x, ξ), and the classifier f learns from source and generated pictures together.

    L_D = relu(1 - D(t)) + relu(1 + D(G(x, ξ)))
    L_G = -D(G) + Σ |mean h(t) - mean h(G)|_2 + 5 CE(f(G), y) + 0.3 |down(G) - down(x)|_1 - 0.02 mode-seeking ratio
    L_f = CE(f(x), y) + CE(f(G), y)                                    h: the layers of D
"""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.episode import Episode
from mlcourse.learner import Adapted, NetLearner, check_head
from mlcourse.losses.gan import (AUGMENTED, content, feature_matching, hinge_discriminator, hinge_generator,
                                 mode_seeking, shift_and_cut)
from mlcourse.nets import Params, call, features
from mlcourse.nets.gan import NOISE, Discriminator, Redrawing
from mlcourse.phases import Phase, check_counts, cosine_decay

MATCH, LABEL, CONTENT, SEEK = 1.0, 5.0, 0.3, 0.02       # weights in L_G
RATES = {"discriminator": 1e-3, "generator": 2e-4, "net": 1e-3}      # annealed to 0 by a cosine
DECAY = 0.995                               # of the generator's moving average


class Translation(NamedTuple):
    """What one step of phase 1 sees. x, y: source pictures (B, 1, S, S) and labels (B,). z1, z2: the noise ξ of two
    drawings of each (B, NOISE). target (2B, 1, S, S): unlabelled. u_real, u_fake (2B, 5): augmentation draws."""

    x: Tensor
    y: Tensor
    z1: Tensor
    z2: Tensor
    target: Tensor
    u_real: Tensor
    u_fake: Tensor


class TranslationSampler:
    """Draws batches of phase 1. images, labels: of the source, uint8 (M, 1, S, S) and int64 (M,). target: uint8
    (T, 1, S, S), all that the discriminator ever sees of the target; no label of it enters.

    batch: generated, and as many target pictures, a step. Raises ValueError for an odd batch or one below 2.
    """

    def __init__(self, images: Tensor, labels: Tensor, target: Tensor, batch: int = 64):
        if batch < 2 or batch % 2:
            raise ValueError(f"batch must be an even number of at least 2, two drawings of each picture, got {batch}")
        self.images, self.labels, self.target, self.batch = images, labels, target, batch

    def sample(self, generator: torch.Generator) -> Translation:
        """One batch, where the pictures lie; the same generator state, of the CPU, gives the same."""
        half = self.batch // 2
        mine = torch.randint(len(self.images), (half,), generator=generator)
        theirs = torch.randint(len(self.target), (self.batch,), generator=generator)
        noise = torch.randn(2, half, NOISE, generator=generator)
        u = 2 * torch.rand(2, self.batch, 5, generator=generator) - 1
        mine, theirs, noise, u = (drawn.to(self.images.device) for drawn in (mine, theirs, noise, u))
        return Translation(self.images[mine].float() / 255, self.labels[mine], *noise,
                           self.target[theirs].float() / 255, *u)


class Translator(NetLearner):
    """G, D and the classifier f = `net` of phase 1. Predicts with f, which needs no adaptation.

    frozen=True leaves f as it is: the ablation. match, label, seek: the weights of feature matching, of the label term
    and of mode seeking in L_G. augmented: the share of the pictures that D sees shifted and cut, in [0, 1]. seed: of
    the initial weights of G and D. averaged: the exponential moving average of G's weights, with which pictures are
    generated.
    """

    def __init__(self, net: nn.Module, side: int = 16, frozen: bool = False, match: float = MATCH, label: float = LABEL,
                 seek: float = SEEK, augmented: float = AUGMENTED, seed: int = 0):
        super().__init__(net)
        self.generator, self.discriminator = Redrawing(seed=seed), Discriminator(side, seed=seed)
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False)
        self.frozen, self.match, self.label, self.seek, self.augmented = frozen, match, label, seek, augmented
        self.config = {"side": side, "frozen": frozen, "match": match, "label": label, "seek": seek,
                       "augmented": augmented, "seed": seed}

    def shown(self, x: Tensor, u: Tensor) -> Tensor:
        """What D gets to see of pictures x."""
        return shift_and_cut(x, u, self.augmented)

    def discriminator_loss(self, batch: Translation, drawn: Tensor) -> Tensor:
        """L_D, of which G is no part."""
        pictures = torch.cat([self.shown(batch.target, batch.u_real), self.shown(drawn.detach(), batch.u_fake)])
        return hinge_discriminator(*self.discriminator(pictures).split([len(batch.target), len(drawn)]))

    def generator_loss(self, batch: Translation, drawn: Tensor) -> Tensor:
        """L_G; D and f judge, and are not changed by it."""
        d = constant(self.discriminator)
        *fake, judged = features(self.discriminator, d, self.shown(drawn, batch.u_fake))
        *real, _ = features(self.discriminator, d, self.shown(batch.target, batch.u_real))
        said = call(self.net, constant(self.net), drawn)
        return (hinge_generator(judged) + self.match * feature_matching(real, fake)
                + self.label * F.cross_entropy(said, batch.y.repeat(2))
                + CONTENT * content(drawn, batch.x.repeat(2, 1, 1, 1))
                - self.seek * mode_seeking(*drawn.chunk(2), batch.z1, batch.z2))

    def classifier_loss(self, batch: Translation, drawn: Tensor) -> Tensor:
        """L_f, of which G is no part."""
        source, generated = self.net(torch.cat([batch.x, drawn.detach()])).split([len(batch.x), len(drawn)])
        return F.cross_entropy(source, batch.y) + F.cross_entropy(generated, batch.y.repeat(2))

    def both(self, batch: Translation) -> Tensor:
        """Two drawings of every source picture, (2B, 1, S, S): all with z1, then all with z2."""
        return self.generator(batch.x.repeat(2, 1, 1, 1), torch.cat([batch.z1, batch.z2]))

    def phases(self, sampler: TranslationSampler, steps: int) -> list[Phase]:
        """Phase 1: L_D + L_G + L_f in one step of one Adam, β = (0.5, 0.9), its rates annealed to 0 by a cosine. Each
        term moves the weights of its own network alone, so the sum's gradient is all three gradients."""
        check_counts(steps=steps)
        terms = [self.discriminator_loss, self.generator_loss] + [self.classifier_loss] * (not self.frozen)
        groups = [{"params": [(f"{part}.{name}", p) for name, p in getattr(self, part).named_parameters()], "lr": lr}
                  for part, lr in RATES.items() if part != "net" or not self.frozen]
        optimiser = torch.optim.Adam(groups, betas=(0.5, 0.9))

        def loss(batch: Translation, step: int) -> Tensor:
            drawn = self.both(batch)
            return sum(term(batch, drawn) for term in terms)

        return [Phase("generator", sampler.sample, loss, optimiser, steps, cosine_decay,
                      after=self.after_step)]

    @torch.no_grad()
    def after_step(self, batch: Translation) -> None:
        """Move the average of G's weights, and estimate the spectral norms anew."""
        for slow, fast in zip(self.averaged.parameters(), self.generator.parameters(), strict=True):
            slow.lerp_(fast, 1 - DECAY)
        self.discriminator.iterate()

    @torch.no_grad()
    def translated(self, x: Tensor, z: Tensor) -> Tensor:
        """G(x, ξ) with the averaged weights, z being ξ: pictures (M, 1, S, S) in [0, 1]; every one keeps the label of
        its x."""
        return self.averaged(x, z)

    @torch.no_grad()
    def accepted(self, drawn: Tensor, y: Tensor) -> Tensor:
        """Which drawings f recognises as their label: bool (M,)."""
        return call(self.net, self.theta(), drawn).argmax(1) == y

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """f as it is."""
        check_head(self, episode)
        return self.adapted(self.theta(), episode)


def constant(net: nn.Module) -> Params:
    """The parameters of a network as constants: a gradient flows through what it computes and not into it."""
    return {name: p.detach() for name, p in net.named_parameters()}


def among(pictures: Tensor, known: Tensor) -> Tensor:
    """Which pictures (M, 1, S, S) are, byte for byte, among others (T, 1, S, S): bool (M,)."""
    bytes_of = {picture.numpy().tobytes() for picture in known}
    return torch.tensor([picture.numpy().tobytes() in bytes_of for picture in pictures], dtype=torch.bool)


def check_unseen(seen: Tensor, test: Tensor) -> None:
    """Raises ValueError where pictures of the target's test half (M, 1, S, S) are among those that the discriminator
    sees (T, 1, S, S): the generator would then imitate what it is judged on."""
    leaked = int(among(seen, test).sum())
    if leaked:
        raise ValueError(f"{leaked} of the {len(seen)} pictures that the discriminator would see are test pictures; "
                         "train it on the target's training half alone")
