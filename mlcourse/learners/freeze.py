"""Freeze: keep the first layers of a pretrained network and fine-tune the others.

Yosinski, Clune, Bengio, Lipson: How transferable are features in deep neural networks?, NIPS 2014: their "frozen"
layers, with the layers above going on from the source's weights instead of random ones.

    φ = (θ_1, …, θ_d, φ_{d+1}, …, φ_L, w)       θ_1 … θ_d as pretraining left them, w a new head of zeros
    descend L(φ; support) in φ_{d+1}, …, φ_L and w

d = 0 is FineTune. d = L moves the head alone: a linear probe by descent.
"""

from __future__ import annotations

from torch import nn

from mlcourse.learners.baselines import FineTune
from mlcourse.learners.pretrained import PRETRAINING
from mlcourse.method import Method
from mlcourse.nets import Params, norm_of


class Freeze(FineTune):
    """Pretrained and fine-tuned as FineTune is, but for the first `depth` layers of the body as `net.layers` has them.

    A frozen layer keeps its weights, its gains and shifts, and the running statistics of its norms where there are any:
    they are used, and not the batch's, in training mode, too.
    Raises ValueError for a network that does not say what its layers are, and for a depth outside 0..L.
    """

    needs = ("size", "layers")

    def __init__(self, net: nn.Module, train_classes: int = 0, depth: int = 1, lr: float = 0.1, steps: int = 10,
                 seed: int = 0):
        super().__init__(net, train_classes, lr, steps, seed)
        layers = net.layers
        if not 0 <= depth <= len(layers):
            raise ValueError(f"depth, the number of frozen layers, must lie in 0..{len(layers)} for this "
                             f"{type(net).__name__}, got {depth}")
        self.depth = depth
        self.frozen = tuple(prefix for layer in layers[:depth] for prefix in layer)
        self.config = {"train_classes": train_classes, "depth": depth, "lr": lr, "steps": steps, "seed": seed}

    def fixed_stats(self) -> tuple:
        """The running statistics, if the network keeps them and a layer is frozen, in training mode, too."""
        return self.net.running_stats() if self.depth and norm_of(self.net) == "running" else super().fixed_stats()

    def moving(self, phi: Params) -> list[str]:
        """The layers above the frozen ones, and the new head."""
        return [name for name in phi if not name.startswith(self.frozen)]


METHOD = Method("freeze", Freeze, "pretrain, keep the first layers, fine-tune the rest", "headless", {}, PRETRAINING,
                train_way=32, train_query=1, baseline=True)
