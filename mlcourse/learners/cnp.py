"""CNP: a conditional neural process, which learns from the mean of what it makes of each support sample.

Garnelo, Rosenbaum, Maddison, Ramalho, Saxton, Shanahan, Teh, Rezende, Eslami: Conditional Neural Processes, ICML 2018,
equations 2 to 4.

    r_i = h(x_i, y_i),   r = mean of r_i            (`adapt`)
    p(y | x, r) = g([f_θ(x), r])                    (`predict`)

In regression h is a network of [f_θ(x_i), y_i]. With N classes it is N times the outer product of a network of f_θ(x_i)
and the one-hot label: r then holds, side by side, the mean over each class, where classes are equally large. A network
of [f_θ(x_i), one-hot label] is more general, and learned far more slowly here. Both networks have one hidden layer of
ReLU units. In regression g gives the mean alone, where the paper's gives the variance, too.

All that a query learns of the task is the one vector r; CAML lets it attend to the support samples themselves.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.episode import Episode
from mlcourse.learner import check_classes
from mlcourse.learners.protonet import ProtoNet
from mlcourse.method import Method
from mlcourse.nets.wrap import linear
from mlcourse.phases import check_counts


class Representation(NamedTuple):
    """r (R,), with R = `width` for each class or in all, and the norm statistics to embed queries with."""

    r: Tensor
    stats: tuple


class CNP(ProtoNet):
    """A conditional neural process on `net.features`. There is no inner loop: `steps` is ignored.

    net: a network without a head; of a frozen one (`nets.wrap(…, frozen=True)`) h and g are all that is trained.
    way: the number of classes, fixed; 0 in regression. width: of h's output and the hidden layers. seed: of h and g.
    Raises ValueError for a width below 1 or a negative way, and for an episode of another way.
    """

    needs = ("size",)

    def __init__(self, net: nn.Module, way: int = 5, width: int = 64, seed: int = 0):
        super().__init__(net)
        check_counts(width=width)
        check_way(way, 0)
        self.way = way
        self.h = two_layers(net.size if way else net.size + 1, width, width, 4 * seed)
        self.g = two_layers(net.size + width * (way or 1), width, way or 1, 4 * seed + 2)
        self.config = {"way": way, "width": width, "seed": seed}

    def adapt(self, episode: Episode, steps: int | None = None) -> Representation:
        """r, the mean over the support samples: their order says nothing."""
        check_same_way(self, episode)
        stats = self.adapted(self.theta(), episode).stats
        z, y = self.embed(episode.support_x, stats), episode.support_y
        if self.way:
            labels = self.way * F.one_hot(y, self.way).to(z.dtype)
            r = (labels.unsqueeze(-1) * self.h(z).unsqueeze(-2)).flatten(1)
        else:
            r = self.h(torch.cat([z, y], -1))
        return Representation(r.mean(0), stats)

    def predict(self, state: Representation, x: Tensor) -> Tensor:
        """g([f_θ(x), r]): logits (M, N), or values (M, 1)."""
        z = self.embed(x, state.stats)
        return self.g(torch.cat([z, state.r.expand(len(z), -1)], -1))


def two_layers(inputs: int, width: int, outputs: int, seed: int) -> nn.Sequential:
    """A linear layer, ReLU, and another; their weights from `seed` and the next."""
    return nn.Sequential(linear(inputs, width, seed), nn.ReLU(), linear(width, outputs, seed + 1))


def check_way(way: int, least: int) -> None:
    """Raises ValueError for a way that is neither `least` nor at least 2."""
    if way < 2 and way != least:
        raise ValueError(f"a classifier needs at least 2 classes, got way {way}")


def check_same_way(learner: ProtoNet, episode: Episode) -> None:
    """Raises ValueError where the episode has not the number of classes that the learner was made for."""
    if learner.way:
        check_classes(learner, episode)
    if episode.way != learner.way:
        raise ValueError(f"this {type(learner).__name__} has {learner.way} outputs, but the episode has {episode.way} "
                         f"classes; make it with way={episode.way}, or sample with way {learner.way}")


METHOD = Method("cnp", CNP, "the mean of what a network makes of each sample", "headless", {},
                {"steps": 3000, "tasks": 4, "lr": 1e-3}, train_query=5)
