"""The arms of a transfer study: what each carries over from the source, and what it adapts.

An arm is `ready(seed)`, its network before any label of the target, and `labels(seed, network, x, y)`, what it predicts
with after k labels per class.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.episode import Episode
from mlcourse.episode.across import DomainSampler, pixels
from mlcourse.episode.pairs import PictureSampler
from mlcourse.learner import Adapted, Learner
from mlcourse.learners import (CORAL, DAML, DANN, MLDG, SHOT, TENT, AdaBN, Adapter, Distillation, SelfTraining, SimCLR,
                               Teacher, TranslationSampler, Translator)
from mlcourse.learners.baselines import ridge
from mlcourse.learners.daml import Redraw, by_generator
from mlcourse.learners.l2sp import fine_tuned
from mlcourse.learners.translator import among
from mlcourse.nets import Conv4, build_net, call, features, statistics
from mlcourse.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, look
from mlcourse.small import SIDE, shrunk
from mlcourse.studies.transfer.setting import BATCH, KNOWN, Setting
from mlcourse.supervised import classifier
from mlcourse.system.machine import one_core
from mlcourse.train import train

SOURCE_RATE, ALIGN_RATE, VIEW_RATE = 2e-3, 1e-3, 2e-3
TEMPERATURE = 1.0                       # of distillation
VIEWS = 0.75                            # strength of contrastive views
GENERATED = 64                          # pictures of a step of DAML's generator
TUNE_BATCH, MOST_STEPS = 100, 150
TUNE_RATE, SCRATCH_RATE, ANCHOR = 0.1, 0.4, 0.1
PENALTY = 0.1
WEIGHTS = {"CORAL": (1.0, 10.0, 100.0), "DANN": (0.03, 0.1, 0.3)}     # chosen from without a label of the target
BLOCK = 500         # pictures that are predicted at once


@dataclass(frozen=True)
class Budget:
    """width: of the network, in filters. Steps of training: source; align, of CORAL, DANN and a student; meta, of MLDG, the
    adapter and DAML, whose steps cost more; view, of contrastive pre-training; judge, of DAML's f before its generator;
    generator. tune_steps, or tune_epochs where those are more steps: of k labels. draws: of k labelled pictures, averaged
    within a seed."""

    width: int = 24
    source: int = 300
    align: int = 200
    meta: int = 80
    view: int = 100
    judge: int = 200
    generator: int = 300
    tune_steps: int = 30
    tune_epochs: int = 5
    draws: int = 3


Predict = Callable[[Tensor], Tensor]


@dataclass
class Seed:
    """One seed of a study: its source network, trained once when an arm first needs it.

    weights: of the alignment, by arm.
    """

    setting: Setting
    seed: int
    weights: dict[str, float]
    budget: Budget = Budget()

    def fit(self, learner: Learner, sampler: DomainSampler, steps: int, rate: float) -> Learner:
        """Train a learner on two half-batches a step, one for each core."""
        train(learner, learner.phases(sampler, steps, tasks=2, lr=rate), seed=self.seed, progress=False)
        return learner.eval()

    @cached_property
    def base(self) -> AdaBN:
        """The classifier of the source."""
        s = self.setting
        net = self.network(len(s.source.classes))
        sampler = DomainSampler([s.source], s.shot, 1, unlabeled=1, target=s.train)
        return self.fit(AdaBN(net), sampler, self.budget.source, SOURCE_RATE)

    @cached_property
    def random(self) -> Conv4:
        """A network of random weights with a head for the target's classes."""
        return self.network(len(self.setting.train.classes))

    def network(self, classes: int) -> Conv4:
        """An untrained network of this seed. Not to be made in threads: its weights come from torch's one generator."""
        return Conv4(classes, self.budget.width, "max", "batch", self.setting.train.images.shape[-1], self.seed)

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
        learner = s.fit(kind(s.copied(), s.weights[name]), sampler, s.budget.align, ALIGN_RATE)
        with torch.no_grad():
            return learner.adapt(s.episode)

    return ready


def surer(s: Seed) -> Adapted:
    """TENT on the target's pictures: the source network with other gains and shifts of its norms."""
    learner = TENT(s.base.net)
    with torch.no_grad():
        return learner.adapt(s.episode)


def self_trained(s: Seed) -> Adapted:
    """The source network trained on, with the source's labels and its own sure predictions on the target."""
    shot = s.setting.shot
    sampler = DomainSampler([s.setting.source], shot, 1, unlabeled=shot, target=s.setting.train)
    learner = SelfTraining(s.copied())
    phases = learner.phases(sampler, s.budget.align, tasks=2, lr=ALIGN_RATE, pictures=pixels(s.setting.train.images))
    train(learner, phases, seed=s.seed, progress=False)
    with torch.no_grad():
        return learner.eval().adapt(s.episode)


def transferred(s: Seed) -> Adapted:
    """SHOT: the source network's features moved on the target's pictures, as many a step as CORAL has of both domains."""
    sampler = DomainSampler([s.setting.source], 1, 1, unlabeled=2 * s.setting.shot, target=s.setting.train)
    learner = SHOT(s.copied())
    phase = learner.transfer(sampler, s.budget.align, pixels(s.setting.train.images), tasks=2, lr=ALIGN_RATE)
    train(learner, [phase], seed=s.seed, progress=False)
    with torch.no_grad():
        return learner.eval().adapt(s.episode)


def across_sources(kind: type[MLDG] | type[Adapter]) -> Callable[[Seed], Adapted]:
    """A learner whose queries come from another source domain, trained on from the source network."""

    def ready(s: Seed) -> Adapted:
        shot = s.setting.shot_of_several()
        sampler = DomainSampler(s.setting.several(), shot, shot, unlabeled=shot)
        learner = s.fit(kind(s.copied()), sampler, s.budget.meta, ALIGN_RATE)
        with torch.no_grad():
            return learner.adapt(s.episode)

    return ready


def distilled(s: Seed) -> Adapted:
    """A student of random weights on the target's pictures; its teacher is the source network with AdaBN."""
    sampler = DomainSampler([s.setting.source], 1, 1, unlabeled=s.setting.shot, target=s.setting.train)
    student = Distillation(s.network(len(s.setting.source.classes)), Teacher(s.base.net, adabn(s)), TEMPERATURE)
    learner = s.fit(student, sampler, s.budget.align, SOURCE_RATE)
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
    s.fit(SimCLR(encoder, views=VIEWS), BothDomains(s.setting), s.budget.view, VIEW_RATE)
    net.load_state_dict(encoder.state_dict(), strict=False)
    sampler = DomainSampler([s.setting.source], s.setting.shot, 1, unlabeled=1, target=s.setting.train)
    learner = s.fit(AdaBN(net), sampler, s.budget.source, SOURCE_RATE)
    with torch.no_grad():
        return learner.adapt(s.episode)


def generated(s: Seed) -> Adapted:
    """DAML: a generator learns to redraw the source in the manner of the target, at 16×16; then the source network
    learns across sources with every query redrawn. One generator serves all k and draws. Its discriminator sees no
    picture of which the test half has a copy."""
    source, seen = shrunk(s.setting.source), shrunk(s.setting.train)
    seen = seen.take(torch.nonzero(~among(seen.images, shrunk(s.setting.test).images))[:, 0])
    translator = Translator(classifier(source, s.budget.judge, s.seed), SIDE, seed=s.seed)
    pictures = TranslationSampler(source.images, source.labels, seen.images, GENERATED)
    with one_core():
        train(translator, translator.phases(pictures, s.budget.generator), seed=s.seed, progress=False)
    learner, shot = DAML(s.copied(), seed=s.seed), s.setting.shot_of_several()
    joint = learner.joint(DomainSampler(s.setting.several(), shot, shot), s.budget.meta, enlarged(translator, s.setting),
                          tasks=2, lr=ALIGN_RATE)
    train(learner, [joint], seed=s.seed, progress=False)
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
    return descended(s, s.base.net, params, x, y, TUNE_RATE, known, anchor)


def descended(s: Seed, net: Conv4, params: dict[str, Tensor], x: Tensor, y: Tensor, rate: float, known: Tensor,
              anchor: float = 0.0) -> Predict:
    """Gradient steps on labelled pictures, then predictions with the statistics of `known`."""
    steps = min(max(s.budget.tune_steps, s.budget.tune_epochs * -(-len(x) // TUNE_BATCH)), MOST_STEPS)
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
    return descended(s, s.random, state.params, x, y, SCRATCH_RATE, x)


@dataclass(frozen=True)
class Arm:
    """name: in tables. order: its place among all, the simplest first. style: in pictures, of `errorbar`. ready: the
    network before labels. labels: how k > 0 labels are used, from (seed, network, x, y), called in threads; None: not at
    all. source: whether it needs the source network. zero: whether k = 0 makes sense. shared: whether it needs shared
    classes; several: whether it needs several domains."""

    name: str
    order: int
    style: Mapping[str, str]
    ready: Callable[[Seed], Adapted]
    labels: Callable[[Seed, Adapted, Tensor, Tensor], Predict] | None
    source: bool = True
    zero: bool = True
    shared: bool = True
    several: bool = False


ARMS = (
    Arm("no adaptation", 0, look(GREY, "x", ":"), source_only, None),
    Arm("from scratch", 6, look(BLACK, "X", "-."), random_start, tune_random, zero=False, shared=False, source=False),
    Arm("linear probe", 3, look(SKY, "P", "--"), source_only, probe, zero=False, shared=False),
    Arm("fine-tuning", 4, look(BLUE, "o", "-"), source_only, tune_source, zero=False, shared=False),
    Arm("L2-SP", 5, look(BLUE, "s", "--"), source_only, lambda s, state, x, y: tune_source(s, state, x, y, ANCHOR),
        zero=False, shared=False),
    Arm("AdaBN", 1, look(GREEN, "D", "-"), adabn, tune),
    Arm("TENT", 2, look(GREEN, "d", "--"), surer, tune),
    Arm("CORAL", 7, look(ORANGE, "v", "-"), aligned(CORAL, "CORAL"), tune),
    Arm("DANN", 8, look(VERMILION, "^", "-"), aligned(DANN, "DANN"), tune),
    Arm("self-training", 9, look(GREY, "+", "--"), self_trained, tune),
    Arm("SHOT", 10, look(VERMILION, "1", "-."), transferred, tune),
    Arm("MLDG", 12, look(PURPLE, "<", "--"), across_sources(MLDG), tune, several=True),
    Arm("adapter", 13, look(PURPLE, ">", "-"), across_sources(Adapter), tune, several=True),
    Arm("distillation", 11, look(BLACK, "p", "-"), distilled, tune),
    Arm("contrastive", 14, look(SKY, "h", "-"), contrasted, tune),
    Arm("DAML", 15, look(ORANGE, "*", "--"), generated, tune, several=True),
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
