"""The networks of one seed of a transfer study, each trained once, when an arm first needs it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from mlcourse.domains import Domain
from mlcourse.episode import Episode
from mlcourse.episode.across import DomainSampler, pixels
from mlcourse.learner import Learner
from mlcourse.learners import AdaBN, TranslationSampler, Translator
from mlcourse.learners.translator import among
from mlcourse.nets import LeNet
from mlcourse.phases import Phase
from mlcourse.small import SIDE, shrunk
from mlcourse.studies.transfer.criterion import Enough, Score, UntilNoBetter, informative
from mlcourse.studies.transfer.ink import in_the_ink_of
from mlcourse.studies.transfer.setting import Setting
from mlcourse.studies.transfer.source import trained
from mlcourse.supervised import classifier
from mlcourse.system.machine import one_core
from mlcourse.train import train

GENERATED = 64                          # pictures of a step of DAML's generator


@dataclass(frozen=True)
class Budget:
    """width: of the networks, in filters. Steps of training, at most where a criterion may end it: source, of the
    source networks; align, of what goes on from there with unlabelled pictures of the target, and of MLDG; meta, of the
    adapter and DAML, whose steps cost more; view, of contrastive pre-training; judge, of DAML's f before its generator;
    generator. tune_steps, or tune_epochs where those are more steps: of k labels. draws: of k labelled pictures,
    averaged within a seed."""

    width: int = 20
    source: int = 1500
    align: int = 400
    meta: int = 200
    view: int = 100
    judge: int = 200
    generator: int = 300
    tune_steps: int = 30
    tune_epochs: int = 5
    draws: int = 3


@dataclass
class Seed:
    """One seed of a study: its source network, trained once when an arm first needs it.

    weights: of the alignment, by arm.
    """

    setting: Setting
    seed: int
    weights: dict[str, float]
    budget: Budget = Budget()

    def fit(self, learner: Learner, phases: Sequence[Phase], score: Score | None = None) -> Learner:
        """Train a learner. score: training ends when it has not risen for 100 steps, and the weights with the highest
        stay (`criterion.UntilNoBetter`)."""
        watch = UntilNoBetter(learner, score) if score else None
        try:
            train(learner, phases, seed=self.seed, progress=False, on_step=watch)
        except Enough:
            pass
        if watch is not None:
            learner.load_state_dict(watch.best)
        return learner.eval()

    @property
    def informative(self) -> Score:
        """How informative the predictions on the target's unlabelled pictures are."""
        return informative(self.episode.unlabeled_x[0])

    def source_classifier(self, norm: str, domain: Domain) -> LeNet:
        """A network of this seed, trained on a domain's labels (`source.trained`)."""
        return trained(self.network(len(self.setting.source.classes), norm), domain, self.budget.source, self.seed)

    @cached_property
    def plain(self) -> LeNet:
        """The classifier of the source with layer norm, in which there are no statistics of a domain."""
        return self.source_classifier("layer", self.setting.source)

    @cached_property
    def inked(self) -> LeNet:
        """The same of the source in the target's ink."""
        return self.source_classifier("layer", in_the_ink_of(self.setting.train, self.setting.source, self.seed))

    @cached_property
    def base(self) -> AdaBN:
        """The classifier of the source with batch norm, from which all go on that adapt statistics."""
        return AdaBN(self.source_classifier("batch", self.setting.source)).eval()

    @cached_property
    def translator(self) -> Translator:
        """Phase 1 of DAML: a generator that redraws the source in the manner of the target, at 16×16, and the
        classifier f that learns from its pictures. Its discriminator sees no picture of which the test half has a
        copy."""
        source, seen = shrunk(self.setting.source), shrunk(self.setting.train)
        seen = seen.take(torch.nonzero(~among(seen.images, shrunk(self.setting.test).images))[:, 0])
        translator = Translator(classifier(source, self.budget.judge, self.seed), SIDE, seed=self.seed)
        pictures = TranslationSampler(source.images, source.labels, seen.images, GENERATED)
        with one_core():
            train(translator, translator.phases(pictures, self.budget.generator), seed=self.seed, progress=False)
        return translator

    @cached_property
    def random(self) -> LeNet:
        """A network of random weights with a head for the target's classes."""
        return self.network(len(self.setting.train.classes))

    def network(self, classes: int, norm: str = "batch") -> LeNet:
        """An untrained network of this seed."""
        pictures = self.setting.train.images
        return LeNet(classes, self.budget.width, norm, pictures.shape[-1], pictures.shape[1], self.seed)

    def pairs(self, unlabeled: int = 0) -> DomainSampler:
        """Source in the support set, and as many pictures of the target without labels, or so many per class."""
        s = self.setting
        return DomainSampler([s.source], s.shot, 1, unlabeled=unlabeled or s.shot, target=s.train)

    @cached_property
    def episode(self) -> Episode:
        """The source in the support set, the target's training pictures without labels, as a batch of one."""
        s = self.setting
        episode = self.pairs(unlabeled=1).sample(1, torch.Generator().manual_seed(self.seed))
        return episode._replace(unlabeled_x=pixels(s.known(s.train, self.seed).images)[None])

    def copied(self) -> LeNet:
        """A copy of the source network with batch norm to train on."""
        return copy.deepcopy(self.base.net)
