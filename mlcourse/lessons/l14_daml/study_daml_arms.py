"""The arms of the DAML study: one classifier of 16×16 pictures, brought to a target in eleven ways.

Every classifier has the same budget: `source_steps` on the source, then as many more on what its arm adds to the
source, then, where the arm meta-learns, `meta_steps`. Layer norm throughout: no prediction depends on another picture, so
no statistic of the target's test half can leak through a norm.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.domains import Domain
from mlcourse.episode import Episode
from mlcourse.episode.across import DomainSampler, pixels
from mlcourse.episode.views import draws, view
from mlcourse.learner import Learner, NetLearner
from mlcourse.learners import DAML, MLDG, TranslationSampler, Translator
from mlcourse.learners.daml import Redraw, by_generator
from mlcourse.learners.translator import check_unseen
from mlcourse.nets import Conv4, call
from mlcourse.nets.gan import NOISE
from mlcourse.phases import Phase, cosine
from mlcourse.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, YELLOW, look
from mlcourse.studies.transfer.setting import Setting
from mlcourse.train import train

SIDE, NORM = 16, "layer"
SOURCE_RATE, META_RATE, TASKS = 2e-3, 1e-3, 2
STRENGTH = 1.0                      # of the hand-made augmentation, `augment.view`
MOST_STEPS = 10                     # of adaptation to k labels
RATES, STEPS = (0.001, 0.003, 0.01), (1, 3, MOST_STEPS)     # chosen from on the source


@dataclass(frozen=True)
class Budget:
    """source_steps, generator_steps, meta_steps: of training. batch: pictures of a step; shot: of each class in a step of
    meta-learning. width: of the classifier, in filters. generated: pictures that the generator, or a hand-made
    augmentation, adds to the source. draws: of k labelled pictures, averaged within a seed."""

    source_steps: int = 250
    generator_steps: int = 800
    meta_steps: int = 120
    batch: int = 64
    shot: int = 3
    width: int = 16
    generated: int = 2000
    draws: int = 20


@dataclass
class DamlSeed:
    """What one seed works on, and what its arms share: the source networks, the generator, the pictures it adds.

    setting: with the target's training half without `dev`.
    """

    setting: Setting
    dev: Domain
    seed: int
    budget: Budget = Budget()

    def generator(self, purpose: int) -> torch.Generator:
        """A generator of random numbers for one purpose."""
        return torch.Generator().manual_seed(1_000_003 * self.seed + purpose)

    def fit(self, learner: Learner, phases: list[Phase]) -> Learner:
        """Train the learner."""
        train(learner, phases, seed=self.seed, progress=False)
        return learner.eval()

    def classifier(self, start: nn.Module, images: Tensor, labels: Tensor) -> nn.Module:
        """A copy of a network, trained on labelled pictures."""
        net = copy.deepcopy(start)
        self.fit(NetLearner(net), [supervised(net, images, labels, self.budget)])
        return net

    @cached_property
    def untrained(self) -> nn.Module:
        """The network that every classifier begins with."""
        return Conv4(len(self.setting.source.classes), self.budget.width, "max", NORM, SIDE, self.seed)

    @cached_property
    def start(self) -> nn.Module:
        """A network trained on the source for half of a classifier's budget."""
        source = self.setting.source
        return self.classifier(self.untrained, source.images, source.labels)

    @cached_property
    def translator(self) -> Translator:
        """Phase 1, on the target's training pictures alone."""
        source, seen = self.setting.source, self.setting.train
        check_unseen(seen.images, torch.cat([self.dev.images, self.setting.test.images]))
        learner = Translator(copy.deepcopy(self.start), SIDE, seed=self.seed)
        sampler = TranslationSampler(source.images, source.labels, seen.images, self.budget.batch)
        return self.fit(learner, learner.phases(sampler, self.budget.generator_steps))

    @cached_property
    def bases(self) -> Domain:
        """The source pictures that are redrawn."""
        source = self.setting.source
        drawn = torch.randint(len(source.images), (self.budget.generated,), generator=self.generator(1))
        return source.take(drawn)

    @cached_property
    def generated(self) -> tuple[Domain, Tensor]:
        """What the generator makes of the bases, and which of it f recognises: (M,) bool."""
        drawn = redrawn(self.bases, by_generator(self.translator), self.generator(2))
        return drawn, self.translator.accepted(pixels(drawn.images), drawn.labels)

    @cached_property
    def kept(self) -> Domain:
        """The generated pictures that f recognises."""
        drawn, accepted = self.generated
        return drawn.take(torch.nonzero(accepted)[:, 0])

    @cached_property
    def hand_made(self) -> Domain:
        """As many hand-made views of the same bases as there are generated pictures."""
        return redrawn(self.bases, by_hand, self.generator(2)).take(torch.arange(len(self.kept.images)))

    @cached_property
    def shuffled(self) -> Domain:
        """The generated pictures with their labels dealt anew."""
        order = torch.randperm(len(self.kept.labels), generator=self.generator(3))
        return replace(self.kept, labels=self.kept.labels[order])

    def with_source(self, added: Domain | None) -> nn.Module:
        """The classifier of source and added pictures together."""
        source = self.setting.source
        parts = [source] if added is None else [source, added]
        return self.classifier(self.start, torch.cat([d.images for d in parts]), torch.cat([d.labels for d in parts]))

    @cached_property
    def source_only(self) -> nn.Module:
        """The classifier of the source."""
        return self.with_source(None)

    @cached_property
    def with_generated(self) -> nn.Module:
        """The classifier of source and generated pictures."""
        return self.with_source(self.kept)

    @cached_property
    def with_hand_made(self) -> nn.Module:
        """The classifier of source and hand-made pictures."""
        return self.with_source(self.hand_made)

    @cached_property
    def meta_real(self) -> DAML:
        """Meta-learning on real pictures alone."""
        return self.joint(self.source_only, lambda x, generator: x, 0.0)

    @cached_property
    def daml(self) -> DAML:
        """Phase 2 with the generator."""
        return self.joint(self.with_generated, by_generator(self.translator))

    @cached_property
    def meta_hand_made(self) -> DAML:
        """Phase 2 with hand-made pictures in place of generated ones."""
        return self.joint(self.with_hand_made, by_hand)

    def joint(self, start: nn.Module, redraw: Redraw, weight: float = 0.5) -> DAML:
        """Phase 2 from a classifier."""
        learner = DAML(copy.deepcopy(start), weight=weight, seed=self.seed)
        sampler = DomainSampler(self.setting.several(), self.budget.shot, self.budget.shot)
        return self.fit(learner, [learner.joint(sampler, self.budget.meta_steps, redraw, tasks=TASKS, lr=META_RATE)])

    def mldg(self) -> nn.Module:
        """MLDG from the classifier of the source."""
        learner = MLDG(copy.deepcopy(self.source_only))
        sampler = DomainSampler(self.setting.several(), self.budget.shot, self.budget.shot, unlabeled=1)
        return self.fit(learner, learner.phases(sampler, self.budget.meta_steps, tasks=TASKS, lr=META_RATE)).net


def supervised(net: nn.Module, images: Tensor, labels: Tensor, budget: Budget) -> Phase:
    """Adam on the cross-entropy of random batches, the rate annealed to 0 by a cosine."""

    def sample(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        drawn = torch.randint(len(images), (budget.batch,), generator=generator)
        return pixels(images[drawn]), labels[drawn]

    return Phase("classifier", sample, lambda batch, step: F.cross_entropy(net(batch[0]), batch[1]),
                 torch.optim.Adam(net.named_parameters(), lr=SOURCE_RATE), budget.source_steps, cosine)


def redrawn(bases: Domain, redraw: Redraw, generator: torch.Generator) -> Domain:
    """The pictures of a domain redrawn, as bytes; every one keeps its label."""
    images = redraw(pixels(bases.images), generator).clamp(0, 1).mul(255).round().byte()
    return replace(bases, name=f"{bases.name}, redrawn", images=images)


def by_hand(x: Tensor, generator: torch.Generator) -> Tensor:
    """A hand-made view of each picture: turned, sheared, scaled, shifted, bent, thicker or thinner (`augment.view`),
    made without a look at the target."""
    return view(x, draws(len(x), generator), STRENGTH)


def by_chance(redraw: Redraw) -> Redraw:
    """The redrawn pictures in another order, so that none keeps its label but by chance."""
    def shuffled(x: Tensor, generator: torch.Generator) -> Tensor:
        drawn = redraw(x, generator)
        return drawn[torch.randperm(len(drawn), generator=generator)]
    return shuffled


# ------------------------------------------------------------ arms

Adapt = Callable[[Tensor, Tensor], dict[str, Tensor]]


@dataclass(frozen=True)
class Ready:
    """An arm before labels. net: predicts with the parameters that `adapt(x, y)` makes of k labels per class, or with
    its own."""

    net: nn.Module
    adapt: Adapt

    @torch.no_grad()
    def says(self, pictures: Tensor, params: dict[str, Tensor] | None = None) -> Tensor:
        """Logits (M, N) for uint8 pictures."""
        params = params or dict(self.net.named_parameters())
        return torch.cat([call(self.net, params, pixels(block)) for block in pictures.split(500)])


def tuned(net: nn.Module, rate: float) -> Ready:
    """A classifier that is fine-tuned with MOST_STEPS steps of Adam."""

    def adapt(x: Tensor, y: Tensor) -> dict[str, Tensor]:
        phi = copy.deepcopy(net)
        optimiser = torch.optim.Adam(phi.parameters(), lr=rate)
        for _ in range(MOST_STEPS):
            optimiser.zero_grad()
            F.cross_entropy(phi(x), y).backward()
            optimiser.step()
        return {name: p.detach() for name, p in phi.named_parameters()}

    return Ready(net, adapt)


def adapted(learner: DAML, steps: int) -> Ready:
    """A meta-learner that takes a few steps at its learnt rates."""

    def adapt(x: Tensor, y: Tensor) -> dict[str, Tensor]:
        nothing, zero = x[:0], torch.tensor(0)
        with torch.no_grad():
            episode = Episode(x, y, nothing, y[:0], nothing, torch.arange(len(y.unique())), zero)
            return learner.adapt(episode, steps).params

    return Ready(learner.net, adapt)


@dataclass(frozen=True)
class Arm:
    """ready: from a seed, the rate of fine-tuning and the steps at learnt rates. style: in pictures, of `errorbar`."""

    ready: Callable[[DamlSeed, float, int], Ready]
    style: Mapping[str, str]


ARMS: dict[str, Arm] = {
    "source only": Arm(lambda s, rate, steps: tuned(s.source_only, rate), look(GREY, "o", ":")),
    "source + generated": Arm(lambda s, rate, steps: tuned(s.with_generated, rate), look(BLUE, "s", "--")),
    "source + hand-made": Arm(lambda s, rate, steps: tuned(s.with_hand_made, rate), look(ORANGE, "s", "--")),
    "meta, real only": Arm(lambda s, rate, steps: adapted(s.meta_real, steps), look(GREEN, "D", "-.")),
    "MLDG": Arm(lambda s, rate, steps: tuned(s.mldg(), rate), look(PURPLE, "P", "-.")),
    "DAML": Arm(lambda s, rate, steps: adapted(s.daml, steps), look(BLUE, "^", "-")),
    "meta, hand-made": Arm(lambda s, rate, steps: adapted(s.meta_hand_made, steps), look(ORANGE, "^", "-")),
    "meta, shuffled labels": Arm(lambda s, rate, steps: adapted(
        s.joint(s.with_source(s.shuffled), by_chance(by_generator(s.translator))), steps), look(VERMILION, "X", ":")),
    "DAML, tuned": Arm(lambda s, rate, steps: tuned(s.daml.net, rate), look(SKY, "v", "-")),
    "meta, hand-made, tuned": Arm(lambda s, rate, steps: tuned(s.meta_hand_made.net, rate), look(YELLOW, "v", "-")),
    "target oracle": Arm(lambda s, rate, steps: tuned(
        s.classifier(s.start, s.setting.train.images, s.setting.train.labels), rate), look(BLACK, "", "--")),
}


def noise_pair(s: DamlSeed) -> tuple[Tensor, Tensor]:
    """Two drawings of each of the first 200 bases with independent noise, float (M, 1, S, S) each."""
    x, generator = pixels(s.bases.images[:200]), s.generator(4)
    return tuple(s.translator.translated(x, torch.randn(len(x), NOISE, generator=generator)) for _ in range(2))
