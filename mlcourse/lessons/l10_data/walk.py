"""A walk through the latent space of the shipped set VAE, and how far each of its drawings lies from real ones."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mlcourse import checkpoint
from mlcourse.learners import ProtoNet
from mlcourse.lessons.l10_data import shipped
from mlcourse.lessons.l10_data.pictures import splits
from mlcourse.lessons.l10_data.study_making_arms import source
from mlcourse.losses.vae import kl
from mlcourse.system import paths

CHARACTERS, SHOWN = 10, 5           # of new scripts; drawings of each that the network can be shown
KNOWN = slice(10, 20)               # drawings of each by which the judge knows it
WORDS = 13                          # of 64 bits, for the 784 pixels of a picture
JUDGE = paths.DATA / "checkpoints" / "protonet-glyphs.safetensors"


class Ruler(NamedTuple):
    """How many pixels differ: between the sample and the training picture that is nearest to it (its number), and
    between the sample and the nearest of the drawings that were shown. real_trained, real_shown: the same of the
    character's other real drawings, the least, the median and the most."""

    to_trained: int
    trained: int
    to_shown: int
    shown: int
    real_trained: tuple[float, float, float]
    real_shown: tuple[float, float, float]


@cache
def drawings() -> Tensor:
    """CHARACTERS of new scripts, evenly spaced, with all their drawings: (CHARACTERS, 20, 1, 28, 28), 0 or 1."""
    domain = splits("glyphs").test
    chosen = torch.linspace(0, len(domain.classes) - 1, CHARACTERS).long()
    return torch.stack([domain.images[domain.labels == c] for c in chosen]).float() / 255


@cache
@torch.no_grad()
def context(character: int, shown: int) -> tuple[Tensor, Tensor, Tensor]:
    """The mean of q(c|D) for the first `shown` drawings of a character, (1, C), and mean and deviation of p(z|c),
    (Z,)."""
    vae = shipped.vae()
    c = vae.context(vae.embed(drawings()[character:character + 1, :shown])).mean
    prior = vae.prior(c)
    return c, prior.mean[0], (prior.log_var[0] / 2).exp()


@torch.no_grad()
def sample(character: int, shown: int, steps: dict[int, float]) -> Tensor:
    """The probabilities (28, 28) of a picture whose z lies `steps` deviations of the prior from its mean, by dimension,
    and 0 in the others."""
    c, mean, deviation = context(character, shown)
    z = mean.clone()
    for dimension, by in steps.items():
        z[dimension] += by * deviation[dimension]
    return shipped.vae().decode(z[None, None], c)[0, 0, 0].sigmoid()


@cache
@torch.no_grad()
def divergences() -> Tensor:
    """The mean of KL(q(z|x, c) ‖ p(z|c)) in nats of each dimension (Z,), over all drawings of the characters, in sets
    of five."""
    vae = shipped.vae()
    sets = drawings().unflatten(1, (-1, SHOWN)).flatten(0, 1)
    h = vae.embed(sets)
    c = vae.context(h).mean
    prior = vae.prior(c)
    return kl(vae.posterior(h, c), type(prior)(*(part[:, None] for part in prior))).mean((0, 1))


@cache
def judge() -> ProtoNet:
    """The shipped ProtoNet of the glyphs, which has seen neither these characters nor a sample."""
    learner, _ = checkpoint.load(JUDGE)
    return learner.eval()


@torch.no_grad()
def features(x: Tensor) -> Tensor:
    """The judge's features (M, D) of pictures (M, 1, 28, 28)."""
    return judge().embed(x, judge().fixed_stats())


@cache
def prototypes() -> Tensor:
    """The means (CHARACTERS, D) of the features of drawings that the set VAE is not shown."""
    known = drawings()[:, KNOWN]
    return features(known.flatten(0, 1)).unflatten(0, known.shape[:2]).mean(1)


def judged(x: Tensor) -> Tensor:
    """The judge's probabilities (CHARACTERS,) of a picture (28, 28)."""
    return (-torch.cdist(features(x[None, None]), prototypes())[0].square()).softmax(0)


def packed(x: Tensor) -> np.ndarray:
    """Pictures (M, 1, 28, 28) of 0 and 1 as bits: uint64 (M, WORDS)."""
    bits = np.packbits(x.flatten(1).numpy().astype(bool), axis=1)
    return np.pad(bits, ((0, 0), (0, 8 * WORDS - bits.shape[1]))).view(np.uint64)


@cache
def trained() -> tuple[np.ndarray, Tensor]:
    """All that the set VAE was trained on, as bits and as pictures (M, 1, 28, 28) uint8."""
    images = source("glyphs").images
    return packed(images > 127), images


def differing(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How many pixels of a picture, as bits (WORDS,), differ from each of the others (M, WORDS)."""
    return np.bitwise_count(others ^ one).sum(1)


@cache
def real(character: int, shown: int) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """What a `Ruler` says of the drawings that cannot be shown, when `shown` are."""
    bits, span = packed(drawings()[character]), lambda values: tuple(np.percentile(values, (0, 50, 100)))
    nearest = lambda others: span([differing(one, others).min() for one in bits[SHOWN:]])
    return nearest(trained()[0]), nearest(bits[:shown])


def measured(ink: np.ndarray, character: int, shown: int) -> Ruler:
    """The ruler for a picture (28, 28) of bools."""
    bits, = packed(torch.from_numpy(ink)[None, None])
    to_trained, to_shown = differing(bits, trained()[0]), differing(bits, packed(drawings()[character, :shown]))
    nearest = int(to_trained.argmin()), int(to_shown.argmin())
    return Ruler(int(to_trained[nearest[0]]), nearest[0], int(to_shown[nearest[1]]), nearest[1],
                 *real(character, shown))
