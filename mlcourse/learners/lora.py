"""LoRA: leave every weight as it is and learn a difference of low rank.

Hu, Shen, Wallis, Allen-Zhu, Li, Wang, Wang, Chen: LoRA: Low-Rank Adaptation of Large Language Models, ICLR 2022,
equation 3, here also for convolutions.

    W' = W + (s / r) B A        W (O, I), B (O, r) from zero, A (r, I) random; r ≪ O, I
    descend L(θ + ΔW; support) in all A and B and in a new head

A convolution's weight (O, C, h, w) is taken as the matrix (O, C·h·w): A is then r filters of the same size, and B mixes
their answers at every position. Biases, gains and shifts stay.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learners.baselines import FineTune
from mlcourse.learners.pretrained import PRETRAINING
from mlcourse.method import Method
from mlcourse.nets import Params, params_of
from mlcourse.phases import check_counts


class LoRA(FineTune):
    """Pretrained as FineTune is; a task gets a new head and, for every weight matrix of the body, B and A of rank r.

    The state holds these alone: "B.NAME", "A.NAME" and the head. rank: r. scale: s. seed: also that of A, the same for
    every task. The body may be frozen. Raises ValueError as FineTune does, for a rank below 1, and for a scale that is
    not positive and finite.
    """

    def __init__(self, net: nn.Module, train_classes: int = 0, rank: int = 2, scale: float = 2.0, lr: float = 0.1,
                 steps: int = 10, seed: int = 0):
        super().__init__(net, train_classes, lr, steps, seed)
        check_counts(rank=rank)
        check_rate(scale, "scale")
        self.rank, self.scale = rank, scale
        self.config = {**self.config, "rank": rank, "scale": scale}
        generator, drawn = torch.Generator().manual_seed(seed), {}
        for name, p in params_of(net).items():
            if p.ndim > 1:
                fan_in = p[0].numel()
                a = (torch.randn(rank, fan_in, generator=generator) / fan_in**0.5).to(p)
                drawn[name.replace(".", "/")] = nn.Parameter(a, requires_grad=False)    # "." may not stand in a name
        self.down = nn.ParameterDict(drawn)

    def start(self, episode: Episode) -> Params:
        """A as it was drawn, B of zeros, and a new head of zeros."""
        head = {name: p for name, p in super().start(episode).items() if name.startswith("new.")}
        theta = params_of(self.net)
        down = {name.replace("/", "."): a for name, a in self.down.items()}
        return {**head, **{f"A.{name}": a for name, a in down.items()},
                **{f"B.{name}": a.new_zeros(len(theta[name]), self.rank) for name, a in down.items()}}

    def body(self, phi: Params) -> Params:
        """θ + (s / r) B A."""
        theta = params_of(self.net)
        names = [name.removeprefix("B.") for name in phi if name.startswith("B.")]
        return theta | {name: theta[name] + self.difference(phi[f"B.{name}"], phi[f"A.{name}"]).view_as(theta[name])
                        for name in names}

    def difference(self, b: Tensor, a: Tensor) -> Tensor:
        """ΔW = (s / r) B A, (O, I)."""
        return self.scale / self.rank * b @ a


METHOD = Method("lora", LoRA, "pretrain, learn differences of low rank", "headless", {}, PRETRAINING, train_way=32,
                train_query=1, baseline=True)
