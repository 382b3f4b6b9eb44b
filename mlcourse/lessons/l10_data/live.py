"""What lesson 10 runs: a ridge regression on supports and made pictures, and a set VAE trained by a learner's bound, or
further by a learner's query loss."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache

import torch
import torch.nn.functional as F
from IPython.display import display
from torch import Tensor, nn

from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.generators import Generator, augmented
from mlcourse.learners import R2D2
from mlcourse.learners.r2d2 import ridge
from mlcourse.lessons.l10_data.pictures import splits
from mlcourse.lessons.l10_data.study_making_arms import source
from mlcourse.losses.vae import Normal, reparameterised
from mlcourse.nets.set_vae import SetVAE
from mlcourse.statistics import interval
from mlcourse.widgets import Bar

WAY, EPISODES, SEED = 5, 40, 2
SETS, PICTURES, RATE = 16, 5, 2e-3      # of a step: sets, pictures in each; Adam's rate
PENALTY, SCALE = 10.0, 10.0             # of the ridge regression on pixels
TASKS, SAMPLES, FURTHER = 4, 5, 5e-4    # of a step of the query loss: episodes, samples of each class; Adam's rate


@torch.no_grad()
def behind_sets(vae: SetVAE, sets: Tensor, sample: Callable[..., Tensor], count: int = 3) -> Tensor:
    """`count` pictures (B, count, 1, h, w) of each set (B, K, 1, h, w), drawn by a learner's `sample` (exercise 10.3)
    from a code of each set and from noise."""
    noise = torch.Generator().manual_seed(0)
    q_c = vae.context(vae.embed(sets))
    c = reparameterised(q_c, torch.randn(q_c.mean.shape, generator=noise))
    xi = torch.randn(len(c), count, vae.z, generator=noise)
    return sample(vae.prior, lambda z, c: vae.decode(z[:, None], c)[:, 0].sigmoid(), c, xi)


@cache
def episodes(split: str = "test") -> Episode:
    """EPISODES of 5-way 1-shot, glyphs of scripts that no training saw; split: "val" to choose on, "test" to report."""
    sampler = EpisodeSampler(getattr(splits("glyphs"), split), WAY, 1)
    return sampler.sample(EPISODES, torch.Generator().manual_seed(SEED))


@torch.no_grad()
def accuracies(logits: Callable[[Episode], Tensor], split: str = "test") -> Tensor:
    """The share of right answers in per cent, of each episode (EPISODES,). logits: of an episode's queries (M, WAY)."""
    tasks = map(episodes(split).task, range(EPISODES))
    return torch.stack([100 * (logits(e).argmax(1) == e.query_y).float().mean() for e in tasks])


def on_pixels(maker: Generator | None, count: int, copies: int, split: str = "test") -> Tensor:
    """`accuracies` of a ridge regression on pixels, with `count` made pictures of each class beside `copies` of every
    support picture; no maker: on supports alone."""
    ridge, generator = R2D2(nn.Flatten(), PENALTY, SCALE).eval(), torch.Generator().manual_seed(SEED)

    def logits(e: Episode) -> Tensor:
        wider = augmented(e, maker, count, generator, copies) if maker else e
        return ridge.predict(ridge.adapt(wider), e.query_x)

    return accuracies(logits, split)


def right(name: str, maker: Generator | None = None, count: int = 20, copies: int = 5) -> Tensor:
    """Prints and returns the accuracies of `on_pixels` on test scripts."""
    found = on_pixels(maker, count, copies)
    print(f"{name:23s} ≈{interval(found).text()} %")
    return found


def under_each_class(vae: SetVAE, e: Episode) -> tuple[Tensor, Tensor, Normal, Normal]:
    """The queries x (WAY, M, 1, 28, 28), once for every class, the contexts c (WAY, C), means of q(c|S) of the
    supports, and q(z|x, c) and p(z|c), both (WAY, M, Z)."""
    sets = e.support_x[e.support_y.argsort()].unflatten(0, (e.way, -1))
    c, x = vae.context(vae.embed(sets)).mean, e.query_x.expand(e.way, *e.query_x.shape)
    q = vae.posterior(vae.embed(e.query_x[None]).expand(e.way, *[-1] * e.query_x.dim()), c)
    return x, c, q, Normal(*(part[:, None].expand_as(q.mean) for part in vae.prior(c)))


def trained(bound: Callable, steps: int, seed: int = 0) -> SetVAE:
    """A set VAE after `steps` of Adam up a bound, with a bar; prints the bound a picture before and after.

    bound: (vae, D, ξ of c, ξ of z) -> (B,), in nats, of sets D (B, 5, 1, 28, 28).
    """
    vae, generator, bar = SetVAE(seed=seed), torch.Generator().manual_seed(seed), Bar(steps, "your set VAE")
    adam = torch.optim.Adam(vae.parameters(), RATE)
    sampler = EpisodeSampler(source("glyphs"), SETS, 1, PICTURES - 1)
    display(bar)
    losses = []
    for _ in range(steps):
        e = sampler.sample(1, generator).task(0)
        x, y = e.samples()
        sets = x[y.argsort()].unflatten(0, (SETS, PICTURES))
        noise = [torch.randn(SETS, *size, generator=generator) for size in ((vae.c,), (PICTURES, vae.z))]
        loss = -bound(vae, sets, *noise).mean() / PICTURES
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(vae.parameters(), 10.0)
        adam.step()
        losses.append(loss.item())
        bar({"loss": loss.item()})
    print(f"bound, nats a picture: ≈{-losses[0]:.0f} before, ≈{-sum(losses[-20:]) / 20:.0f} after")
    return vae.eval()


def fitted(x: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
    """A ridge regression on the pixels of x (M, 1, 28, 28) with labels y (M,): from pictures to logits (…, WAY)."""
    weight = ridge(x.flatten(1), F.one_hot(y, WAY).to(x.dtype), torch.tensor(PENALTY))
    return lambda asked: SCALE * asked.flatten(1) @ weight


def by_queries(vae: SetVAE, query_loss: Callable, steps: int, seed: int = 0) -> SetVAE:
    """The set VAE, a copy, trained further by `steps` of Adam down a query loss, with a bar.

    query_loss: (make, fit, support, query) -> loss, as exercise 10.5 asks for.
    """
    vae, generator, bar = deepcopy(vae), torch.Generator().manual_seed(seed), Bar(steps, "your query loss")
    adam = torch.optim.Adam(vae.parameters(), FURTHER)
    sampler = EpisodeSampler(source("glyphs"), WAY, 1, PICTURES)

    def make(x: Tensor) -> Tensor:
        return vae.sample(x[:, None], *(torch.randn(len(x), *size, generator=generator)
                                        for size in ((vae.c,), (SAMPLES, vae.z))))

    display(bar)
    for _ in range(steps):
        batch = sampler.sample(TASKS, generator)
        loss = torch.stack([query_loss(make, fitted, (e.support_x, e.support_y), (e.query_x, e.query_y))
                            for e in map(batch.task, range(TASKS))]).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        bar({"loss": loss.item()})
    return vae.eval()
