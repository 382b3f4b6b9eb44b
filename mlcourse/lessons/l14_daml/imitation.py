"""Phase 1 of DAML small enough to watch: a generator trained in half a minute, with snapshots on the way.

What lesson 14 trains live and its widget shows. The full-sized runs are those of `mlcourse study daml`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mlcourse.domains import Domain
from mlcourse.domains.distances import proxy_a_distance
from mlcourse.episode.across import pixels
from mlcourse.learners import Translator
from mlcourse.learners.translator import TranslationSampler
from mlcourse.nets import Params, call
from mlcourse.nets.gan import NOISE
from mlcourse.system.machine import one_core
from mlcourse.train import outer_step, step_generator

BATCH = 48
JUDGED, SPLITS = 300, 3             # generated pictures that a snapshot is judged on; splits of its PAD


class Snapshot(NamedTuple):
    """The generator after some steps. weights: averaged. pad: PAD of generated pictures and dev, logistic. fidelity:
    the share of generated pictures in which the judge finds the label. scores_real, scores_generated (JUDGED,): what
    the discriminator says to dev and to generated pictures."""

    step: int
    weights: Params
    pad: float
    fidelity: float
    scores_real: Tensor
    scores_generated: Tensor


def imitate(translator: Translator, source: Domain, seen: Domain, dev: Domain, judge: nn.Module, *, steps: int = 300,
            every: int = 50, seed: int = 0, on_step: Callable[[dict], None] | None = None) -> list[Snapshot]:
    """Train a translator on a source and the pictures that its discriminator sees; a snapshot at the start, after every
    `every` steps, and at the end. judge: a classifier of the target, which only judges. on_step: called with a record
    {phase, step, loss} after every step."""
    phase = translator.phases(TranslationSampler(source.images, source.labels, seen.images, BATCH), steps)[0]
    generator = torch.Generator().manual_seed(seed)
    bases = source.take(torch.randint(len(source.images), (JUDGED,), generator=generator))
    noise = torch.randn(JUDGED, NOISE, generator=generator)
    taken = [snapshot(0, translator, bases, noise, dev, judge)]
    with one_core():
        for step in range(steps):
            loss = outer_step(phase, step, step_generator(seed, 0, step))
            if on_step is not None:
                on_step({"phase": phase.name, "step": step, "loss": loss})
            if (step + 1) % every == 0 or step + 1 == steps:
                taken.append(snapshot(step + 1, translator, bases, noise, dev, judge))
    return taken


@torch.no_grad()
def snapshot(step: int, translator: Translator, bases: Domain, noise: Tensor, dev: Domain,
             judge: nn.Module) -> Snapshot:
    """The generator as it is now, judged on dev pictures that its discriminator does not see."""
    drawn = translator.translated(pixels(bases.images), noise)
    as_bytes = drawn.mul(255).round().byte()
    said = call(judge, dict(judge.named_parameters()), drawn).argmax(1)
    scores = (translator.discriminator(x[:JUDGED]) for x in (pixels(dev.images), drawn))
    return Snapshot(step, {name: p.clone() for name, p in translator.averaged.named_parameters()},
                    proxy_a_distance(as_bytes, dev.images, 0, SPLITS).value,
                    float((said == bases.labels).float().mean()),
                    *scores)
