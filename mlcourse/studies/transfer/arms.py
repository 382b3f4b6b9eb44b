"""The arms of a transfer study: what each carries over from the source, and what it adapts.

An arm is `ready(seed)`, its network before any label of the target, and `labels(seed, network, x, y)`, what it predicts
with after k labels per class.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.episode import Episode
from mlcourse.episode.across import DomainSampler, pixels
from mlcourse.episode.pairs import PictureSampler
from mlcourse.learner import Adapted, Learner
from mlcourse.learners import (CORAL, DAML, DANN, MLDG, AdaBN, Adapter, Distillation, SimCLR, Teacher,
                               TranslationSampler, Translator)
from mlcourse.learners.baselines import ridge
from mlcourse.learners.daml import Redraw, by_generator
from mlcourse.learners.l2sp import fine_tuned
from mlcourse.learners.translator import among
from mlcourse.nets import Conv4, build_net, call, features, statistics
from mlcourse.small import SIDE, shrunk
from mlcourse.studies.transfer.setting import BATCH, KNOWN, Setting
from mlcourse.supervised import classifier
from mlcourse.system.machine import one_core
from mlcourse.train import train

WIDTH = 24
SOURCE_STEPS, SOURCE_RATE = 300, 2e-3
ALIGN_STEPS, ALIGN_RATE = 200, 1e-3     # of CORAL and DANN
META_STEPS = 80                         # of MLDG and the adapter, whose steps cost more
TEMPERATURE = 1.0                       # of distillation
VIEW_STEPS, VIEW_RATE, VIEWS = 100, 2e-3, 0.75     # of contrastive pre-training
JUDGE_STEPS, GENERATOR_STEPS, GENERATED = 200, 300, 64     # of DAML's f before G, of G, and the pictures of a step
TUNE_STEPS, TUNE_BATCH, TUNE_EPOCHS, MOST_STEPS = 30, 100, 5, 150    # TUNE_STEPS, or TUNE_EPOCHS where those are more
TUNE_RATE, SCRATCH_RATE, ANCHOR = 0.1, 0.4, 0.1
PENALTY = 0.1
WEIGHTS = {"CORAL": (1.0, 10.0, 100.0), "DANN": (0.03, 0.1, 0.3)}     # chosen from without a label of the target
BLOCK = 500         # pictures that are predicted at once

Predict = Callable[[Tensor], Tensor]


@dataclass
class Seed:
    """One seed of a study: its source network, trained once when an arm first needs it.

    weights: of the alignment, by arm. progress: called after every outer step.
    """

    setting: Setting
    seed: int
    weights: dict[str, float]
    progress: Callable[[dict], None] = field(default=lambda record: None)

    def fit(self, learner: Learner, sampler: DomainSampler, steps: int, rate: float) -> Learner:
        """Train a learner on two half-batches a step, one for each core."""
        train(learner, learner.phases(sampler, steps, tasks=2, lr=rate), seed=self.seed, progress=False,
              on_step=self.progress)
        return learner.eval()

    @cached_property
    def base(self) -> AdaBN:
        """The classifier of the source."""
        s = self.setting
        net = self.network(len(s.source.classes))
        sampler = DomainSampler([s.source], s.shot, 1, unlabeled=1, target=s.train)
        return self.fit(AdaBN(net), sampler, SOURCE_STEPS, SOURCE_RATE)

    @cached_property
    def random(self) -> Conv4:
        """A network of random weights with a head for the target's classes."""
        return self.network(len(self.setting.train.classes))

    def network(self, classes: int) -> Conv4:
        """An untrained network of this seed. Not to be made in threads: its weights come from torch's one generator."""
        return Conv4(classes, WIDTH, "max", "batch", self.setting.train.images.shape[-1], self.seed)

    @cached_property
    def episode(self) -> Episode:
        """The source in the support set, the target's training pictures without labels, as a batch of one."""
        s = self.setting
        support = DomainSampler([s.source], s.shot, 1, unlabeled=1, target=s.train)
        episode = support.sample(1, torch.Generator().manual_seed(self.seed))
        return episode._replace(unlabeled_x=pixels(s.known(s.train, self.seed).images)[None])

    def copied(self) -> Conv4:
        """A copy of the source network to train on."""
        return copy.deepcopy(self.base.net)


def random_start(s: Seed) -> Adapted:
    """Random weights, nothing of the source."""
    return Adapted({name: p.detach()[None] for name, p in s.random.named_parameters()}, ())


def source_only(s: Seed) -> Adapted:
    """The source network with the source's statistics."""
    theta = s.base.theta((1,))
    known = pixels(s.setting.known(s.setting.source, s.seed).images)
    with torch.no_grad():
        return Adapted(theta, statistics(s.base.net, theta, known[None]))


def adabn(s: Seed) -> Adapted:
    """The source network with the target's statistics."""
    base = s.base
    with torch.no_grad():
        return base.adapt(s.episode)


def aligned(kind: type[CORAL] | type[DANN], name: str) -> Callable[[Seed], Adapted]:
    """A learner that aligns source and target, trained on from the source network."""

    def ready(s: Seed) -> Adapted:
        sampler = DomainSampler([s.setting.source], s.setting.shot, 1, unlabeled=s.setting.shot, target=s.setting.train)
        learner = s.fit(kind(s.copied(), s.weights[name]), sampler, ALIGN_STEPS, ALIGN_RATE)
        with torch.no_grad():
            return learner.adapt(s.episode)

    return ready


def across_sources(kind: type[MLDG] | type[Adapter]) -> Callable[[Seed], Adapted]:
    """A learner whose queries come from another source domain, trained on from the source network."""

    def ready(s: Seed) -> Adapted:
        shot = s.setting.shot_of_several()
        sampler = DomainSampler(s.setting.several(), shot, shot, unlabeled=shot)
        learner = s.fit(kind(s.copied()), sampler, META_STEPS, ALIGN_RATE)
        with torch.no_grad():
            return learner.adapt(s.episode)

    return ready


def distilled(s: Seed) -> Adapted:
    """A student of random weights on the target's pictures; its teacher is the source network with AdaBN."""
    sampler = DomainSampler([s.setting.source], 1, 1, unlabeled=s.setting.shot, target=s.setting.train)
    student = Distillation(s.network(len(s.setting.source.classes)), Teacher(s.base.net, adabn(s)), TEMPERATURE)
    learner = s.fit(student, sampler, ALIGN_STEPS, SOURCE_RATE)
    with torch.no_grad():
        return learner.adapt(s.episode)


class BothDomains:
    """Pictures of the source in one task, of the target in the other, regardless of class: each domain has its own
    statistics, and is its own negatives."""

    def __init__(self, setting: Setting):
        domains = (setting.source, setting.train)
        count = min(BATCH, *(len(domain.images) for domain in domains))
        self.samplers = [PictureSampler(domain, count) for domain in domains]

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """A batch of two tasks, whatever `tasks` says."""
        drawn = [sampler.sample(1, generator) for sampler in self.samplers]
        return Episode(*map(torch.cat, zip(*drawn, strict=True)))


def contrasted(s: Seed) -> Adapted:
    """SimCLR on pictures of both domains without labels, then the source's labels, then the target's statistics."""
    net = s.network(len(s.setting.source.classes))
    encoder = build_net({**net.config, "way": 0})
    s.fit(SimCLR(encoder, views=VIEWS), BothDomains(s.setting), VIEW_STEPS, VIEW_RATE)
    net.load_state_dict(encoder.state_dict(), strict=False)
    sampler = DomainSampler([s.setting.source], s.setting.shot, 1, unlabeled=1, target=s.setting.train)
    learner = s.fit(AdaBN(net), sampler, SOURCE_STEPS, SOURCE_RATE)
    with torch.no_grad():
        return learner.adapt(s.episode)


def generated(s: Seed) -> Adapted:
    """DAML: a generator learns to redraw the source in the manner of the target, at 16×16; then the source network
    learns across sources with every query redrawn. One generator serves all k and draws. Its discriminator sees no
    picture of which the test half has a copy."""
    source, seen = shrunk(s.setting.source), shrunk(s.setting.train)
    seen = seen.take(torch.nonzero(~among(seen.images, shrunk(s.setting.test).images))[:, 0])
    translator = Translator(classifier(source, JUDGE_STEPS, s.seed), SIDE, seed=s.seed)
    pictures = TranslationSampler(source.images, source.labels, seen.images, GENERATED)
    with one_core():
        train(translator, translator.phases(pictures, GENERATOR_STEPS), seed=s.seed, progress=False, on_step=s.progress)
    learner, shot = DAML(s.copied(), seed=s.seed), s.setting.shot_of_several()
    joint = learner.joint(DomainSampler(s.setting.several(), shot, shot), META_STEPS, enlarged(translator, s.setting),
                          tasks=2, lr=ALIGN_RATE)
    train(learner, [joint], seed=s.seed, progress=False, on_step=s.progress)
    with torch.no_grad():
        return AdaBN(learner.net).adapt(s.episode)


def enlarged(translator: Translator, setting: Setting) -> Redraw:
    """Redraws pictures of the setting's size at the generator's."""
    redraw, side = by_generator(translator), setting.train.images.shape[-1]

    def through(x: Tensor, generator: torch.Generator) -> Tensor:
        small = redraw(F.adaptive_avg_pool2d(x, SIDE), generator)
        return F.interpolate(small, size=(side, side), mode="bilinear")

    return through


# ------------------------------------------------------------ from k labels


def tune(s: Seed, state: Adapted, x: Tensor, y: Tensor) -> Predict:
    """Fine-tune an adapted network on labels of the target; then its norms take the target's statistics again."""
    return tuned(s, state, x, y, s.episode.unlabeled_x[0])


def tune_source(s: Seed, state: Adapted, x: Tensor, y: Tensor, anchor: float = 0.0) -> Predict:
    """Fine-tune the source network; all that it sees of the target are the labelled pictures."""
    return tuned(s, state, x, y, x, anchor)


def tuned(s: Seed, state: Adapted, x: Tensor, y: Tensor, known: Tensor, anchor: float = 0.0) -> Predict:
    """Fine-tune, with a new head where source and target share no class; predict with the statistics of `known`."""
    params, ways = state.params, len(s.setting.train.classes)
    if not s.setting.shared:
        params = {**params, "head.weight": x.new_zeros(1, ways, s.base.net.size), "head.bias": x.new_zeros(1, ways)}
    return descended(s.base.net, params, x, y, TUNE_RATE, known, anchor)


def descended(net: Conv4, params: dict[str, Tensor], x: Tensor, y: Tensor, rate: float, known: Tensor,
              anchor: float = 0.0) -> Predict:
    """Gradient steps on labelled pictures, then predictions with the statistics of `known`."""
    steps = min(max(TUNE_STEPS, TUNE_EPOCHS * -(-len(x) // TUNE_BATCH)), MOST_STEPS)
    phi = fine_tuned(net, params, x, y, steps, rate, anchor, TUNE_BATCH)
    with torch.no_grad():
        stats = statistics(net, phi, known[None, :KNOWN])
    return lambda pictures: call(net, phi, pictures[None], stats)[0]


def probe(s: Seed, state: Adapted, x: Tensor, y: Tensor) -> Predict:
    """A ridge regression on the source network's features."""
    embed = lambda pictures: features(s.base.net, state.params, pictures[None], state.stats)[0]
    with torch.no_grad():
        weight, bias = ridge(embed(x), F.one_hot(y, len(s.setting.train.classes)).to(x.dtype), PENALTY)
    return lambda pictures: embed(pictures) @ weight + bias


def tune_random(s: Seed, state: Adapted, x: Tensor, y: Tensor) -> Predict:
    """Train a network of random weights on the labels alone."""
    return descended(s.random, state.params, x, y, SCRATCH_RATE, x)


@dataclass(frozen=True)
class Arm:
    """name: in tables. ready: the network before labels. labels: how k > 0 labels are used, from (seed, network, x, y),
    called in threads; None: not at all. source: whether it needs the source network. zero: whether k = 0 makes sense.
    shared: whether it needs shared classes; several: whether it needs several domains. steps: how many outer steps
    `ready` takes beside those of the source network."""

    name: str
    ready: Callable[[Seed], Adapted]
    labels: Callable[[Seed, Adapted, Tensor, Tensor], Predict] | None
    source: bool = True
    zero: bool = True
    shared: bool = True
    several: bool = False
    steps: Callable[[], int] = lambda: 0


ARMS = (
    Arm("no adaptation", source_only, None),
    Arm("from scratch", random_start, tune_random, zero=False, shared=False, source=False),
    Arm("linear probe", source_only, probe, zero=False, shared=False),
    Arm("fine-tuning", source_only, tune_source, zero=False, shared=False),
    Arm("L2-SP", source_only, lambda s, state, x, y: tune_source(s, state, x, y, ANCHOR), zero=False, shared=False),
    Arm("AdaBN", adabn, tune),
    Arm("CORAL", aligned(CORAL, "CORAL"), tune, steps=lambda: ALIGN_STEPS),
    Arm("DANN", aligned(DANN, "DANN"), tune, steps=lambda: ALIGN_STEPS),
    Arm("MLDG", across_sources(MLDG), tune, several=True, steps=lambda: META_STEPS),
    Arm("adapter", across_sources(Adapter), tune, several=True, steps=lambda: META_STEPS),
    Arm("distillation", distilled, tune, steps=lambda: ALIGN_STEPS),
    Arm("contrastive", contrasted, tune, steps=lambda: VIEW_STEPS + SOURCE_STEPS),
    Arm("DAML", generated, tune, several=True, steps=lambda: GENERATOR_STEPS + META_STEPS),
)


def named(names) -> list[Arm]:
    """The arms of these names. Raises ValueError, listing all, for any other."""
    known = {arm.name: arm for arm in ARMS}
    for name in names:
        if name not in known:
            raise ValueError(f"unknown arm {name!r}; the arms are {', '.join(known)}")
    return [known[name] for name in names]


@torch.no_grad()
def in_blocks(predict: Predict, pictures: Tensor) -> Tensor:
    """predict(pictures), a block at a time."""
    return torch.cat([predict(block) for block in pictures.split(BLOCK)])
