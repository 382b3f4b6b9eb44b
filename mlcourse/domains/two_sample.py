"""Are two sets of pictures told apart? The classifier two-sample test, by two discriminators that are fixed for
good."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.domains.distances import PAD, components, over_splits, pictures_as_rows
from mlcourse.nets import Conv4

STEPS, RATE, BATCH, WIDTH = 120, 3e-3, 64, 12       # of the small CNN


class TwoSample(NamedTuple):
    """pad: the proxy A-distance with its interval over the splits. p: the probability of an accuracy as high as that of
    the first split, were both sets drawn from one and the same."""

    pad: PAD
    p: float


def two_sample(a: Tensor, b: Tensor, discriminator: str = "logistic", seed: int = 0, splits: int = 5, size: int = 300,
               permutations: int = 1000) -> TwoSample:
    """The classifier two-sample test of Lopez-Paz and Oquab (Revisiting Classifier Two-Sample Tests, ICLR 2017) on
    pictures a, b, uint8 (M, 1, S, S), S at least 16.

    At most `size` of each are drawn. `splits` times a discriminator learns from half of each and is asked about the
    other half, both balanced: PAD = 2 (1 - 2 err), its interval as in `proxy_a_distance`. For p the held-out names of
    the first split are dealt anew `permutations` times; p is the share of deals, the true one included, that are
    guessed as well.

    discriminator: "logistic" (logistic regression on 50 principal components, as everywhere in the course) or "cnn" (a
    small convolutional network, 120 steps); neither knows how the pictures were made.
    Raises ValueError for an unknown discriminator, fewer than 10 pictures, or fewer than 2 splits.
    """
    if discriminator not in DISCRIMINATORS:
        raise ValueError(f"unknown discriminator {discriminator!r}; there are {' and '.join(DISCRIMINATORS)}")
    if splits < 2 or min(len(a), len(b), size) < 10:
        raise ValueError(f"a two-sample test needs at least 2 splits and 10 pictures of each set, got {splits} splits "
                         f"and {min(len(a), len(b), size)} pictures")
    rng = np.random.default_rng(seed)
    n = min(len(a), len(b), size)
    pictures = torch.cat([x[rng.permutation(len(x))[:n]] for x in (a, b)])
    prepare, says = DISCRIMINATORS[discriminator]
    x, half, errors, p = prepare(pictures), n // 2, [], 1.0
    for split in range(splits):
        first, second = rng.permutation(n), n + rng.permutation(n)
        train = np.concatenate([first[:half], second[:half]])
        test = np.concatenate([first[half:2 * half], second[half:2 * half]])
        names = np.repeat([0, 1], half)
        guessed = says(x[train], names, x[test], seed + split)
        errors.append(float((guessed != names).mean()))
        if split == 0:
            dealt = [(guessed == rng.permutation(names)).mean() for _ in range(permutations)]
            p = (1 + sum(share >= 1 - errors[0] - 1e-12 for share in dealt)) / (1 + permutations)
    return TwoSample(over_splits([2 * (1 - 2 * error) for error in errors]), p)


def _logistic(train, names: np.ndarray, test, seed: int) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression  # here, because it doubles the time to import mlcourse

    return LogisticRegression(C=1.0).fit(train, names).predict(test)


def _cnn(train: Tensor, names: np.ndarray, test: Tensor, seed: int) -> np.ndarray:
    net, generator = Conv4(2, WIDTH, "max", "layer", train.shape[-1], seed), torch.Generator().manual_seed(seed)
    optimiser, labels = torch.optim.Adam(net.parameters(), RATE), torch.as_tensor(names)
    for _ in range(STEPS):
        drawn = torch.randint(len(train), (BATCH,), generator=generator)
        optimiser.zero_grad()
        F.cross_entropy(net(train[drawn]), labels[drawn]).backward()
        optimiser.step()
    with torch.no_grad():
        return net(test).argmax(1).numpy()


DISCRIMINATORS: dict[str, tuple[Callable, Callable]] = {
    "logistic": (lambda pictures: components(pictures_as_rows(pictures)), _logistic),
    "cnn": (lambda pictures: pictures.float() / 255, _cnn),
}
