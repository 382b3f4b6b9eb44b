"""DANN: features on which a classifier succeeds and a discriminator of domains fails.

Ganin, Ustinova, Ajakan, Germain, Larochelle, Laviolette, Marchand, Lempitsky: Domain-Adversarial Training of Neural
Networks, JMLR 2016, equations 9, 13 and 14.

    min over θ_f, θ_y; max over θ_d:   L_y(θ_f, θ_y) - λ_p L_d(θ_f, θ_d)
    λ_p = λ (2 / (1 + exp(-10 p)) - 1),   p the share of training that is done
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learners.adabn import AdaBN
from mlcourse.losses.alignment import domain_loss, reversed_gradient
from mlcourse.method import Method
from mlcourse.phases import Phase, check_counts, over_episodes, trained_by

HIDDEN = 64


class DANN(AdaBN):
    """DANN with λ = `weight`, and a discriminator with one hidden layer (θ_d) drawn from `seed`: source in the support
    set, target in the unlabelled pictures.

    Deviations from the paper: each domain is normalised by its own statistics, in training and at test; Adam with
    β₁ = 0.5 takes the place of SGD with momentum; λ is a setting, where the paper has 1.
    """

    needs = ("features", "size", "head")
    stacks = True
    exact_gradient = False      # that of the domain loss is reversed where it enters the features

    def __init__(self, net: nn.Module, weight: float = 0.1, seed: int = 0):
        super().__init__(net)
        check_rate(weight, "weight of the alignment")
        self.weight = weight
        self.config = {"weight": weight, "seed": seed}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.discriminator = nn.Sequential(nn.Linear(net.size, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))

    def loss(self, episode: Episode, progress: float = 1.0) -> Tensor:
        """L_y + L_d, the gradient of L_d times -λ_p where it enters the features: one step down this loss is the
        paper's step towards the saddle point. progress: p, in [0, 1]."""
        source, target = self.pair(episode)
        says = [self.discriminator(reversed_gradient(z, self.weight * strength(progress))).squeeze(-1)
                for z in (source, target)]
        return self.label_loss(source, episode) + domain_loss(*says)

    def phases(self, sampler, steps: int, *, tasks: int = 2, lr: float = 1e-3) -> list[Phase]:
        """One phase of Adam while λ_p rises. Its rate stays: an annealed one would leave the full strength, at the end,
        nothing to do. Raises what `episodic_phase` raises."""
        check_counts(tasks=tasks)
        check_rate(lr, "outer learning rate")
        optimiser = torch.optim.Adam(trained_by(self), lr=lr, betas=(0.5, 0.999))
        return [over_episodes(self, "adversarial", lambda generator: sampler.sample(tasks, generator),
                              lambda episode, step: self.loss(episode, step / steps), optimiser, steps)]


def strength(p: float) -> float:
    """λ_p / λ, from 0 at p = 0 to nearly 1 at p = 1 (equation 14)."""
    return 2 / (1 + math.exp(-10 * p)) - 1


METHOD = Method("dann", DANN, "features that no discriminator tells apart", "headed", {},
                {"steps": 300, "tasks": 2, "lr": 1e-3}, across=True)
