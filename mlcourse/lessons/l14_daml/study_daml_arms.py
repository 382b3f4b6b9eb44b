"""The arms of the DAML study: one network, one source rule, one budget.

The network is that of the transfer study: a LeNet with layer norm, so that no prediction depends on another picture,
trained on the source until it stops improving (`transfer.source.trained`). Every arm goes on from there for `more`
steps, half of each batch being the source's pictures and half what the arm adds, drawn anew in every step.
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
from mlcourse.learners.l2sp import fine_tuned
from mlcourse.learners.translator import check_unseen
from mlcourse.nets import LeNet, call
from mlcourse.phases import Phase, cosine_decay
from mlcourse.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, look
from mlcourse.studies.transfer.setting import Setting
from mlcourse.studies.transfer.source import trained
from mlcourse.train import train

SIDE = 16
RATE = 1e-3                             # of all training after the source
TUNE_RATE, TUNE_STEPS = 0.03, 30        # from k labels, as in the transfer study
TASK_RATES = (0.05, 0.2)                # of relabelled tasks: between them the learnt rates start
PERMUTED = 7_000


@dataclass(frozen=True)
class Budget:
    """width: of the networks, in filters. source: steps on the source at most; more: of every arm from there, phase 2
    included; generator: of phase 1; task: of phase 2 on relabelled tasks. batch: pictures of a step, translated: of
    phase 1. shot: of each class in an episode. judged: generated pictures that are judged. draws: of k labelled
    pictures, averaged within a seed."""

    width: int = 20
    source: int = 1500
    more: int = 250
    generator: int = 300
    task: int = 400
    batch: int = 64
    translated: int = 48
    shot: int = 3
    judged: int = 600
    draws: int = 3


@dataclass(frozen=True)
class Choice:
    """What was chosen without a label of the target. strength: of hand-made views. label, match: weights in the
    generator's loss. steps: at learnt rates. rates: of fine-tuning on relabelled tasks, by arm."""

    strength: float = 1.0
    label: float = 5.0
    match: float = 1.0
    steps: int = 1
    rates: Mapping[str, float] | None = None


@dataclass
class DamlSeed:
    """What one seed works on, and what its arms share. setting: its `train` is what the discriminator sees, without
    `dev`."""

    setting: Setting
    dev: Domain
    seed: int
    choice: Choice = Choice()
    budget: Budget = Budget()

    def generator(self, purpose: int) -> torch.Generator:
        """A generator of random numbers for one purpose."""
        return torch.Generator().manual_seed(1_000_003 * self.seed + purpose)

    def fit(self, learner: Learner, phases: list[Phase]) -> Learner:
        """Train the learner."""
        train(learner, phases, seed=self.seed, progress=False)
        return learner.eval()

    def classifier(self, domain: Domain) -> LeNet:
        """A network of this seed, trained on a domain's labels until it stops improving."""
        net = LeNet(len(domain.classes), self.budget.width, "layer", SIDE, seed=self.seed)
        return trained(net, domain, self.budget.source, self.seed)

    @cached_property
    def start(self) -> LeNet:
        """The classifier of the source."""
        return self.classifier(self.setting.source)

    @cached_property
    def judge(self) -> LeNet:
        """A classifier of the target's labels: it judges, and is the oracle's arm."""
        return self.classifier(self.setting.train)

    def translated(self, seen: Domain, **changed) -> Translator:
        """Phase 1 with these pictures of the target for the discriminator. changed: settings of the translator that are
        not those of the choice."""
        source, chosen = self.setting.source, {"label": self.choice.label, "match": self.choice.match}
        learner = Translator(copy.deepcopy(self.start), SIDE, seed=self.seed, **chosen | changed)
        sampler = TranslationSampler(source.images, source.labels, seen.images, self.budget.translated)
        return self.fit(learner, learner.phases(sampler, self.budget.generator))

    @cached_property
    def translator(self) -> Translator:
        """Phase 1, on the target's training pictures alone."""
        check_unseen(self.setting.train.images, torch.cat([self.dev.images, self.setting.test.images]))
        return self.translated(self.setting.train)

    @cached_property
    def leaked(self) -> Domain:
        """As many pictures as the discriminator sees, but of the test half."""
        test = self.setting.test
        return test.take(torch.randperm(len(test.images), generator=self.generator(1))[:len(self.setting.train.images)])

    @cached_property
    def leaky(self) -> Translator:
        """Phase 1 with the leak."""
        return self.translated(self.leaked)

    def more(self, redraw: Redraw | None, permuted: bool = False) -> LeNet:
        """The source classifier trained on, on batches half of which are redrawn. permuted: every batch has labels of
        its own, so that no classifier fits them all."""
        source, net = self.setting.source, copy.deepcopy(self.start)

        def sample(generator: torch.Generator) -> tuple[Tensor, Tensor]:
            rows = torch.randint(len(source.images), (self.budget.batch,), generator=generator)
            x, y, half = pixels(source.images[rows]), source.labels[rows], self.budget.batch // 2
            if redraw is not None:
                x = torch.cat([x[:half], redraw(x[half:], generator)])
            return x, torch.randperm(len(source.classes), generator=generator)[y] if permuted else y

        phase = Phase("classifier", sample, lambda batch, step: F.cross_entropy(net(batch[0]), batch[1]),
                      torch.optim.Adam(net.named_parameters(), lr=RATE), self.budget.more, cosine_decay)
        self.fit(NetLearner(net), [phase])
        return net

    @cached_property
    def with_generated(self) -> LeNet:
        """The classifier of source and generated pictures."""
        return self.more(by_generator(self.translator))

    @cached_property
    def daml(self) -> DAML:
        """Phase 2 with the generator."""
        return self.joint(by_generator(self.translator))

    def joint(self, redraw: Redraw) -> DAML:
        """Phase 2 from the source classifier, with the typefaces as domains."""
        learner = DAML(copy.deepcopy(self.start), seed=self.seed)
        return self.fit(learner, [learner.joint(self.domains(), self.budget.more, redraw, tasks=1, lr=RATE)])

    def domains(self, unlabeled: int = 0) -> DomainSampler:
        """Episodes across the source's domains."""
        return DomainSampler(self.setting.domains(), self.budget.shot, self.budget.shot, unlabeled=unlabeled)

    def mldg(self) -> LeNet:
        """MLDG from the source classifier."""
        learner = MLDG(copy.deepcopy(self.start))
        return self.fit(learner, learner.phases(self.domains(unlabeled=1), self.budget.more, tasks=1, lr=RATE)).net

    def relabelled(self) -> DAML:
        """Phase 2 with the generator on tasks that contradict each other: every one has labels of its own."""
        learner = DAML(copy.deepcopy(self.start), low=TASK_RATES[0], high=TASK_RATES[1], seed=self.seed)
        sampler = Relabelled(self.domains())
        redraw = by_generator(self.translator)
        return self.fit(learner, [learner.joint(sampler, self.budget.task, redraw, tasks=1, lr=RATE)])


@dataclass(frozen=True)
class Relabelled:
    """Episodes of a sampler, each with labels of its own: the same permutation for support and queries."""

    sampler: DomainSampler

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """A batch of `tasks` episodes; the same generator state gives the same episodes."""
        batch = self.sampler.sample(tasks, generator)
        order = torch.rand(tasks, self.sampler.way, generator=generator).argsort(1)
        return batch._replace(support_y=order.gather(1, batch.support_y), query_y=order.gather(1, batch.query_y))


def by_hand(strength: float) -> Redraw:
    """Hand-made views: turned, sheared, scaled, shifted, bent, thicker or thinner (`views.view`), no square blanked."""

    def redraw(x: Tensor, generator: torch.Generator) -> Tensor:
        u = draws(len(x), generator)
        u[:, 9] = -1                    # where it is negative, nothing is blanked
        return view(x, u, strength)

    return redraw


def redrawn(bases: Domain, redraw: Redraw, generator: torch.Generator) -> Domain:
    """The pictures of a domain redrawn, as bytes; every one keeps its label."""
    images = redraw(pixels(bases.images), generator).clamp(0, 1).mul(255).round().byte()
    return replace(bases, name=f"{bases.name}, redrawn", images=images)


# ------------------------------------------------------------ arms

Params = dict[str, Tensor]
Adapt = Callable[[Tensor, Tensor], Params]


@dataclass(frozen=True)
class Ready:
    """An arm before labels. net: predicts with the parameters that `adapt(x, y)` makes of k labels per class, or with
    its own."""

    net: nn.Module
    adapt: Adapt | None = None

    @torch.no_grad()
    def says(self, pictures: Tensor, params: Params | None = None) -> Tensor:
        """Logits (M, N) for uint8 pictures."""
        params = params or dict(self.net.named_parameters())
        return torch.cat([call(self.net, params, pixels(block)) for block in pictures.split(500)])


def tuned(net: nn.Module, rate: float = TUNE_RATE) -> Ready:
    """A classifier that is fine-tuned with TUNE_STEPS steps."""

    def adapt(x: Tensor, y: Tensor) -> Params:
        theta = {name: p.detach()[None] for name, p in net.named_parameters()}
        return {name: p[0] for name, p in fine_tuned(net, theta, x, y, TUNE_STEPS, rate).items()}

    return Ready(net, adapt)


def adapted(learner: DAML, steps: int) -> Ready:
    """A meta-learner that takes a few steps at its learnt rates."""

    def adapt(x: Tensor, y: Tensor) -> Params:
        nothing, zero = x[:0], torch.tensor(0)
        with torch.no_grad():
            episode = Episode(x, y, nothing, y[:0], nothing, torch.arange(len(y.unique())), zero)
            return learner.adapt(episode, steps).params

    return Ready(learner.net, adapt)


@dataclass(frozen=True)
class Arm:
    """ready: from a seed. style: in pictures, of `errorbar`. labels: whether it takes k labels; zero: whether it is
    measured without. task: whether its target tasks have labels of their own; its `ready` then takes a rate, too."""

    ready: Callable[..., Ready]
    style: Mapping[str, str]
    labels: bool = True
    zero: bool = True
    task: bool = False


def on_tasks(net: Callable[[DamlSeed], nn.Module], style: Mapping[str, str]) -> Arm:
    """An arm of relabelled tasks, fine-tuned at a rate."""
    return Arm(lambda s, rate: tuned(net(s), rate), style, zero=False, task=True)


LEARNT, LEAK, ORACLE = "DAML, learnt rates", "source + generated, leak", "target oracle"
PLAIN, AGREEING, SUCH, FITTED = (f"relabelled: {name}" for name in (
    "source + generated", "DAML", "phase 2 on such tasks", "plain training on such tasks"))
ARMS: dict[str, Arm] = {
    "source only": Arm(lambda s: tuned(s.more(None)), look(GREY, "o", ":")),
    "source + hand-made": Arm(lambda s: tuned(s.more(by_hand(s.choice.strength))), look(ORANGE, "s", "--")),
    "source + generated": Arm(lambda s: tuned(s.with_generated), look(BLUE, "s", "--")),
    "PixelDA's f": Arm(lambda s: tuned(s.translator.net), look(PURPLE, "D", "-.")),
    "MLDG": Arm(lambda s: tuned(s.mldg()), look(GREEN, "P", "-.")),
    "DAML, hand-made": Arm(lambda s: tuned(s.joint(by_hand(s.choice.strength)).net), look(ORANGE, "^", "-")),
    "DAML": Arm(lambda s: tuned(s.daml.net), look(BLUE, "^", "-")),
    LEARNT: Arm(lambda s: adapted(s.daml, s.choice.steps), look(SKY, "v", ":"), zero=False),
    LEAK: Arm(lambda s: Ready(s.more(by_generator(s.leaky))), look(VERMILION, "X", ":"), labels=False),
    ORACLE: Arm(lambda s: Ready(s.judge), look(BLACK, "", "--"), labels=False),
    PLAIN: on_tasks(lambda s: s.with_generated, look(BLUE, "s", "--")),
    AGREEING: on_tasks(lambda s: s.daml.net, look(BLUE, "^", "-")),
    SUCH: on_tasks(lambda s: s.relabelled().net, look(VERMILION, "D", "-")),
    FITTED: on_tasks(lambda s: s.more(by_generator(s.translator), permuted=True), look(GREY, "x", ":")),
}


def defined(arm: str, k: int) -> bool:
    """Whether an arm is measured at k labels per class."""
    return ARMS[arm].labels if k else ARMS[arm].zero


def own_labels(s: DamlSeed, draw: int) -> Tensor:
    """The labels of a relabelled task: the class c is called order[c]. Every arm gets the same."""
    return torch.randperm(len(s.setting.source.classes), generator=s.generator(PERMUTED + draw))
