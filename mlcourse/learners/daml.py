"""DAML-style augmentation: a generator that imitates the target takes part in meta-learning.

The course's own formulation, closest to PixelDA and CyCADA (a translated picture keeps its label), DAGAN, MetaGAN and
MLDG. "DAML" elsewhere is the name of three other methods: Yu et al., RSS 2018 (imitation from videos of people);
Qian and Yu, ACL 2019 (dialogue); Shu et al., CVPR 2021 (open domain generalisation), which, too, meta-learns across
augmented domains, with no generator.

    1 generator   G learns to redraw source pictures in the manner of the target                  (`Translator`)
    2 joint       θ' = θ - α ∘ ∇L(θ; S_i support)
                  descend (1 - λ) L(θ'; S_j query) + λ L(θ'; G(S_j query)),   i ≠ j, λ from 0 to 1/2      (`loss`)
    3 transfer    φ = θ - α ∘ ∇L(θ; k labels of the target), at most 10 steps                    (`adapt`)
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learner import require_grad
from mlcourse.learners.meta_sgd import MetaSGD
from mlcourse.learners.translator import TranslationSampler, Translator
from mlcourse.losses import task_loss
from mlcourse.method import Method
from mlcourse.nets.gan import NOISE
from mlcourse.phases import Phase, check_counts, cosine_decay, over_episodes

RAMP = 0.5          # the share of phase 2 in which λ rises

Redraw = Callable[[Tensor, torch.Generator], Tensor]


class DAML(MetaSGD):
    """Meta-SGD across domains, whose outer loss also asks about generated pictures.

    An episode has its support set from one source and its queries from another; `unlabeled_x` holds the queries as the
    generator redraws them, in their order, so that their labels are `query_y`. weight: the last λ, in [0, 1]; 0 is
    meta-learning on real pictures alone. translator: of phase 1; None where the pictures are redrawn by other means.
    Raises ValueError for a weight out of range, and as `MetaSGD`.
    """

    stacks = True

    def __init__(self, net: nn.Module, translator: Translator | None = None, weight: float = 0.5, low: float = 0.005,
                 high: float = 0.02, seed: int = 0):
        super().__init__(net, low, high, seed=seed)
        if not 0 <= weight <= 1:
            raise ValueError(f"the weight of the generated pictures must lie in [0, 1], got {weight}")
        self.translator, self.weight = translator, weight
        self.config = {"weight": weight, "low": low, "high": high, "seed": seed}

    def loss(self, episode: Episode, weight: float | None = None) -> Tensor:
        """(1 - λ) L(θ'; queries) + λ L(θ'; generated queries), with λ = `weight`, or the learner's own.

        Raises ValueError for an episode whose unlabelled pictures are not as many as its queries.
        """
        require_grad(self)
        if episode.unlabeled_x.shape != episode.query_x.shape:
            queries, redrawn = (x.shape[len(episode.batch_shape)] for x in (episode.query_x, episode.unlabeled_x))
            raise ValueError(f"DAML expects every query redrawn, in unlabeled_x, but there are {queries} queries and "
                             f"{redrawn} redrawn; draw the episodes with `with_redrawn`")
        weight = self.weight if weight is None else weight
        state, y = self.adapt(episode), episode.query_y
        real = task_loss(self.predict(state, episode.query_x), y)
        return (1 - weight) * real + weight * task_loss(self.predict(state, episode.unlabeled_x), y)

    def phases(self, sampler, steps: int, *, tasks: int = 4, lr: float = 1e-3,
               translation: TranslationSampler | None = None, generator_steps: int = 500) -> list[Phase]:
        """Phases 1 and 2. sampler: of episodes across sources (`DomainSampler`); translation: of batches for G. Without
        a translator phase 2 alone, on a sampler whose episodes bring every query redrawn in `unlabeled_x`.

        Raises ValueError where there is a generator to train and nothing to train it on.
        """
        if self.translator is None:
            return [self.joint(sampler, steps, None, tasks=tasks, lr=lr)]
        if translation is None:
            raise ValueError("the generator of DAML learns from source pictures and the target's, so `phases` needs a "
                             "`translation` sampler; for phase 2 alone call `joint`")
        return [*self.translator.phases(translation, generator_steps),
                self.joint(sampler, steps, by_generator(self.translator), tasks=tasks, lr=lr)]

    def joint(self, sampler, steps: int, redraw: Redraw | None, *, tasks: int = 4, lr: float = 1e-3) -> Phase:
        """Phase 2: Adam on θ and α while λ rises to `weight`, the rate annealed to 0 by a cosine.

        redraw: (pictures (M, 1, S, S), generator) → the same pictures redrawn, in their order; None where the episodes
        bring them.
        """
        check_counts(tasks=tasks)
        check_rate(lr, "outer learning rate")

        def sample(generator: torch.Generator) -> Episode:
            batch = sampler.sample(tasks, generator)
            return batch if redraw is None else with_redrawn(batch, redraw, generator)

        own = [(name, p) for name, p in self.named_parameters() if not name.startswith("translator.")]
        one = lambda episode, step: self.loss(episode, ramp(step / steps, self.weight))
        return over_episodes(self, "joint", sample, one, torch.optim.Adam(own, lr=lr), steps, cosine_decay)


def ramp(share: float, last: float = 0.5) -> float:
    """λ at a share of phase 2 in [0, 1]: from 0 along a line to `last` at RAMP, and so to the end."""
    return last * min(1.0, share / RAMP)


def with_redrawn(batch: Episode, redraw: Redraw, generator: torch.Generator) -> Episode:
    """A batch of episodes with every query redrawn in `unlabeled_x`. The queries come from another source than the
    support set, so no picture that θ' has seen is behind a generated one."""
    x = batch.query_x
    return batch._replace(unlabeled_x=redraw(x.flatten(0, 1), generator).view_as(x))


def by_generator(translator: Translator) -> Redraw:
    """Redraws pictures with the averaged generator and fresh noise."""
    return lambda x, generator: translator.translated(x, torch.randn(len(x), NOISE, generator=generator).to(x))


METHOD = Method("daml", DAML, "meta-learning on generated pictures", "headed", {},
                {"steps": 300, "tasks": 2, "lr": 1e-3}, across=True, of_pictures=True)
