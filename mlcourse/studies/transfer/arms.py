"""The arms of a transfer study: what each carries over from the source, and what it adapts.

An arm is `ready(seed)`, its network before any label of the target, and `labels(seed, network, x, y)`, what it predicts
with after k labels per class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.domains import Domain
from mlcourse.episode import Episode
from mlcourse.episode.across import DomainSampler, pixels
from mlcourse.episode.pairs import PictureSampler
from mlcourse.learner import Adapted
from mlcourse.learners import (CORAL, DAML, DANN, MLDG, SHOT, TENT, AdaBN, Adapter, Distillation, SelfTraining, SimCLR,
                               Teacher, Translator)
from mlcourse.learners.baselines import ridge
from mlcourse.learners.daml import Redraw, by_generator
from mlcourse.learners.l2sp import fine_tuned
from mlcourse.nets import LeNet, build_net, call, features, statistics
from mlcourse.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, look
from mlcourse.small import SIDE
from mlcourse.studies.transfer.criterion import Score, right_at_home
from mlcourse.studies.transfer.seed import Seed
from mlcourse.studies.transfer.setting import BATCH, KNOWN, Setting
from mlcourse.studies.transfer.source import parted, trained
from mlcourse.studies.transfer.streams import in_streams

ALIGN_RATE, VIEW_RATE, STUDENT_RATE = 1e-3, 2e-3, 2e-3
TEMPERATURE = 1.0                       # of distillation
VIEWS = 0.75                            # strength of contrastive views
TUNE_BATCH, MOST_STEPS = 100, 150
TUNE_RATE, PLAIN_RATE, SCRATCH_RATE, ANCHOR = 0.1, 0.03, 0.1, 0.1
PENALTY = 0.1
WEIGHTS = {"CORAL": (1.0, 10.0, 100.0), "DANN": (0.03, 0.1, 0.3)}     # chosen from without a label of the target
BLOCK = 500         # pictures that are predicted at once

Predict = Callable[[Tensor], Tensor]


def as_it_is(net: nn.Module) -> Adapted:
    """A network without statistics of a domain, unchanged."""
    return Adapted({name: p.detach()[None] for name, p in net.named_parameters()}, ())


def adabn(s: Seed) -> Adapted:
    """The source network with the target's statistics."""
    with torch.no_grad():
        return s.base.adapt(s.episode)


def aligned(kind: type[CORAL] | type[DANN], name: str) -> Callable[[Seed], Adapted]:
    """A learner that aligns source and target, trained on from the source network."""

    def ready(s: Seed) -> Adapted:
        learner = kind(s.copied(), s.weights[name])
        s.fit(learner, learner.phases(s.pairs(), s.budget.align, tasks=2, lr=ALIGN_RATE), s.informative)
        with torch.no_grad():
            return learner.adapt(s.episode)

    return ready


def surer(s: Seed) -> Adapted:
    """TENT on the target's pictures: the source network with other gains and shifts of its norms."""
    with torch.no_grad():
        return TENT(s.base.net).adapt(s.episode)


def self_trained(s: Seed) -> Adapted:
    """The source network trained on, with the source's labels and its own sure predictions on the target."""
    learner, seen = SelfTraining(s.copied()), pixels(s.setting.train.images)
    s.fit(learner, learner.phases(s.pairs(), s.budget.align, tasks=2, lr=ALIGN_RATE, pictures=seen), s.informative)
    with torch.no_grad():
        return learner.adapt(s.episode)


def transferred(s: Seed) -> Adapted:
    """SHOT: the source network's features moved on the target's pictures, as many a step as CORAL has of both."""
    learner, seen = SHOT(s.copied()), pixels(s.setting.train.images)
    sampler = DomainSampler([s.setting.source], 1, 1, unlabeled=2 * s.setting.shot, target=s.setting.train)
    s.fit(learner, [learner.transfer(sampler, s.budget.align, seen, tasks=2, lr=ALIGN_RATE)])
    with torch.no_grad():
        return learner.adapt(s.episode)


def generalising(s: Seed) -> Adapted:
    """MLDG, trained on from the source network across the source domains, without the tenth of the source that was held
    back from that network, until the loss on it has not fallen for 100 steps."""
    held, _ = parted(s.setting.source, s.seed)
    domains, learner = s.setting.without(held).domains(), MLDG(s.copied())
    across(s, learner, domains, s.budget.align, right_at_home(held))
    with torch.no_grad():
        return learner.adapt(s.episode)


def adapter(s: Seed) -> Adapted:
    """The adapter, trained on from the source network across the source domains."""
    learner = Adapter(s.copied())
    across(s, learner, s.setting.domains(), s.budget.meta)
    with torch.no_grad():
        return learner.adapt(s.episode)


def across(s: Seed, learner: MLDG | Adapter, domains: Sequence[Domain], steps: int, score: Score | None = None) -> None:
    """Train a learner whose queries come from another domain than its support set."""
    shot = s.setting.shot_of_several(domains)
    s.fit(learner, learner.phases(DomainSampler(domains, shot, shot, unlabeled=shot), steps, tasks=2, lr=ALIGN_RATE),
          score)


def distilled(s: Seed) -> Adapted:
    """A student of random weights on the target's pictures; its teacher is the source network with AdaBN."""
    sampler = DomainSampler([s.setting.source], 1, 1, unlabeled=s.setting.shot, target=s.setting.train)
    student = Distillation(s.network(len(s.setting.source.classes)), Teacher(s.base.net, adabn(s)), TEMPERATURE)
    s.fit(student, student.phases(sampler, s.budget.align, tasks=2, lr=STUDENT_RATE))
    with torch.no_grad():
        return student.adapt(s.episode)


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
    views = SimCLR(encoder, views=VIEWS)
    s.fit(views, views.phases(BothDomains(s.setting), s.budget.view, tasks=2, lr=VIEW_RATE))
    net.load_state_dict(encoder.state_dict(), strict=False)
    with torch.no_grad():
        return AdaBN(trained(net, s.setting.source, s.budget.source, s.seed)).adapt(s.episode)


def generated(s: Seed) -> Adapted:
    """DAML: the source network learns across sources with every query redrawn by the generator. One generator serves
    all k and draws."""
    learner, domains = DAML(s.copied(), seed=s.seed), s.setting.domains()
    shot = s.setting.shot_of_several(domains)
    joint = learner.joint(DomainSampler(domains, shot, shot), s.budget.meta, enlarged(s.translator, s.setting),
                          tasks=2, lr=ALIGN_RATE)
    s.fit(learner, [joint])
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
    """Fine-tune the source network with layer norm; all that it sees of the target are the labelled pictures."""
    return descended(s, s.plain, with_head(s, s.plain, state.params), x, y, PLAIN_RATE, x, anchor)


def tuned(s: Seed, state: Adapted, x: Tensor, y: Tensor, known: Tensor) -> Predict:
    """Fine-tune, and predict with the statistics of `known`."""
    return descended(s, s.base.net, with_head(s, s.base.net, state.params), x, y, TUNE_RATE, known)


def with_head(s: Seed, net: LeNet, params: dict[str, Tensor]) -> dict[str, Tensor]:
    """The parameters, with a new head where source and target share no class."""
    if s.setting.shared:
        return params
    ways, like = len(s.setting.train.classes), params["convs.0.weight"]
    return {**params, "head.weight": like.new_zeros(1, ways, net.size), "head.bias": like.new_zeros(1, ways)}


def descended(s: Seed, net: LeNet, params: dict[str, Tensor], x: Tensor, y: Tensor, rate: float, known: Tensor,
              anchor: float = 0.0) -> Predict:
    """Gradient steps on labelled pictures, then predictions with the statistics of `known`."""
    steps = min(max(s.budget.tune_steps, s.budget.tune_epochs * -(-len(x) // TUNE_BATCH)), MOST_STEPS)
    phi = fine_tuned(net, params, x, y, steps, rate, anchor, TUNE_BATCH)
    with torch.no_grad():
        stats = statistics(net, phi, known[None, :KNOWN])
    return lambda pictures: call(net, phi, pictures[None], stats)[0]


def probe(s: Seed, state: Adapted, x: Tensor, y: Tensor) -> Predict:
    """A ridge regression on the source network's features."""
    embed = lambda pictures: features(s.plain, state.params, pictures[None], state.stats)[0]
    with torch.no_grad():
        weight, bias = ridge(embed(x), F.one_hot(y, len(s.setting.train.classes)).to(x.dtype), PENALTY)
    return lambda pictures: embed(pictures) @ weight + bias


def tune_random(s: Seed, state: Adapted, x: Tensor, y: Tensor) -> Predict:
    """Train a network of random weights on the labels alone."""
    return descended(s, s.random, state.params, x, y, SCRATCH_RATE, x)


@dataclass(frozen=True)
class Arm:
    """name: in tables. order: its place among all, the simplest first. style: in pictures, of `errorbar`. ready: the
    network before labels. labels: how k > 0 labels are used, from (seed, network, x, y); None: not at all. net: whose
    parameters `ready` gives. zero: whether k = 0 makes sense. shared: whether it needs shared classes; several: whether
    it needs several domains. norm: of the source network that it goes on from; arms of one norm share trainings. usual:
    whether it runs where no arm is named. also: more numbers for the row at k = 0."""

    name: str
    order: int
    style: Mapping[str, str]
    ready: Callable[[Seed], Adapted]
    labels: Callable[[Seed, Adapted, Tensor, Tensor], Predict] | None
    net: Callable[[Seed], LeNet] = lambda s: s.base.net
    zero: bool = True
    shared: bool = True
    several: bool = False
    norm: str = "batch"
    usual: bool = True
    also: Callable[[Seed], dict[str, float]] = lambda s: {}

    def predict(self, s: Seed, state: Adapted) -> Predict:
        """What it predicts with before labels."""
        net = self.net(s)
        return lambda x: call(net, state.params, seen_by(net, x)[None], state.stats)[0]


def seen_by(net: LeNet, x: Tensor) -> Tensor:
    """Pictures at the size of a network."""
    return x if x.shape[-1] == net.side else F.adaptive_avg_pool2d(x, net.side)


plain = lambda s: s.plain

ARMS = (
    Arm("no adaptation", 0, look(GREY, "x", ":"), lambda s: as_it_is(s.plain), None, plain, norm="layer"),
    Arm("in the target's ink", 1, look(GREY, "o", "--"), lambda s: as_it_is(s.inked), None, lambda s: s.inked,
        norm="layer"),
    Arm("from scratch", 7, look(BLACK, "X", "-."), lambda s: as_it_is(s.random), tune_random, lambda s: s.random,
        zero=False, shared=False, norm="layer"),
    Arm("linear probe", 4, look(SKY, "P", "--"), lambda s: as_it_is(s.plain), probe, plain, zero=False, shared=False,
        norm="layer", usual=False),
    Arm("fine-tuning", 5, look(BLUE, "o", "-"), lambda s: as_it_is(s.plain), tune_source, plain, zero=False,
        shared=False, norm="layer"),
    Arm("L2-SP", 6, look(BLUE, "s", "--"), lambda s: as_it_is(s.plain),
        lambda s, state, x, y: tune_source(s, state, x, y, ANCHOR), plain, zero=False, shared=False,
        norm="layer", usual=False),
    Arm("AdaBN", 2, look(GREEN, "D", "-"), adabn, tune),
    Arm("TENT", 3, look(GREEN, "d", "--"), surer, tune, usual=False,
        also=lambda s: in_streams(s.base, s.setting.test, s.seed)),
    Arm("CORAL", 8, look(ORANGE, "v", "-"), aligned(CORAL, "CORAL"), tune, usual=False),
    Arm("DANN", 9, look(VERMILION, "^", "-"), aligned(DANN, "DANN"), tune),
    Arm("self-training", 10, look(GREY, "+", "--"), self_trained, tune, usual=False),
    Arm("SHOT", 11, look(VERMILION, "1", "-."), transferred, tune),
    Arm("MLDG", 13, look(PURPLE, "<", "--"), generalising, tune, several=True, usual=False),
    Arm("adapter", 14, look(PURPLE, ">", "-"), adapter, tune, several=True, usual=False),
    Arm("distillation", 12, look(BLACK, "p", "-"), distilled, tune, usual=False),
    Arm("contrastive", 15, look(SKY, "h", "-"), contrasted, tune, usual=False),
    Arm("PixelDA's f", 16, look(PURPLE, "s", ":"), lambda s: as_it_is(s.translator.net), None,
        lambda s: s.translator.net, usual=False),
    Arm("DAML", 17, look(ORANGE, "*", "--"), generated, tune, several=True, usual=False),
)
USUAL, ALL = [arm.name for arm in ARMS if arm.usual], "all"


def named(names) -> list[Arm]:
    """The arms of these names, all of them for "all". Raises ValueError, listing them, for any other."""
    known, names = {arm.name: arm for arm in ARMS}, list(names)
    for name in names:
        if name not in known and name != ALL:
            raise ValueError(f"unknown arm {name!r}; the arms are {', '.join(known)}, or {ALL}")
    if ALL in names:
        return list(ARMS)
    return [known[name] for name in names]


@torch.no_grad()
def in_blocks(predict: Predict, pictures: Tensor) -> Tensor:
    """predict(pictures), a block at a time."""
    return torch.cat([predict(block) for block in pictures.split(BLOCK)])
