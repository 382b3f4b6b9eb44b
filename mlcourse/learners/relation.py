"""RelationNet: the comparison is learned, too.

Sung, Yang, Zhang, Xiang, Torr, Hospedales: Learning to Compare: Relation Network for Few-Shot Learning, CVPR 2018,
equations 1 and 2, and section 3.4.

    f_k = sum of f_φ(x_i) over the K support samples of class k: feature maps           (`adapt`)
    r_k = sigmoid(g([f_k, f_φ(x)]) - log(N-1))  the maps of both, one upon the other    (`predict`: g)
    loss = mean of (r_k - [y = k])²             over all pairs of a query and a class   (`loss`)

g is two 3×3 convolutions, each with norm, ReLU and 2×2 max-pooling, then two linear layers. Its first convolution of
the maps of a pair is the sum of one of the class's maps and one of the query's, so that each is computed once and the
pairs are never written down. Deviations: the norms of g are layer norms, so that no query depends on the others through
them (the authors' scripts normalise over the batch, at test, too); and log(N-1).

How g ends decides whether it learns at all. As in the authors' scripts the linear layers start with weights from
N(0, 0.01²) and hidden biases of 1: every hidden unit passes on the gradient of every pair. Their last bias is 1, too,
so that r starts near 0.73, though one pair in N is right. Here it is 0, and log(N-1) lets r start at that share, 1/N;
else the first steps do nothing but lower all r at once. Without either (weights of variance 1/size, biases of 0) these
steps switched every hidden unit off, for good, in one of ten seeds: what comes in is never negative, so that most units
start on for all pairs or for none.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.episode import Episode
from mlcourse.learner import check_classes, require_grad
from mlcourse.learners.protonet import ProtoNet
from mlcourse.method import Method
from mlcourse.nets import Norm
from mlcourse.nets.wrap import linear
from mlcourse.phases import check_counts

HIDDEN = 8               # units between the two linear layers
SPREAD = 0.01            # of the weights of both, at the start


class ClassMaps(NamedTuple):
    """The summed maps of each class (N, C, h, w), and the norm statistics to embed queries with."""

    maps: Tensor
    stats: tuple


class Relation(nn.Module):
    """g, for maps (C, h, w): `filters` of its convolutions; seed: of its weights."""

    def __init__(self, maps: tuple[int, int, int], filters: int, seed: int):
        super().__init__()
        channels, height, width = maps
        self.channels = channels
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.convs = nn.ModuleList(nn.Conv2d(inside, filters, 3, padding=1, bias=False)
                                       for inside in (2 * channels, filters))
            for conv in self.convs:
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        self.norms = nn.ModuleList(Norm("layer", filters) for _ in self.convs)
        left = halved(halved(height)) * halved(halved(width))
        self.hidden = started(filters * left, HIDDEN, 1.0, 2 * seed)
        self.out = started(HIDDEN, 1, 0.0, 2 * seed + 1)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """The score (M, N), before the sigmoid, of queries' maps b (M, C, h, w) with classes' maps a (N, C, h, w)."""
        of_class, of_query = self.convs[0].weight.split(self.channels, 1)
        z = F.conv2d(a, of_class, padding=1)[None] + F.conv2d(b, of_query, padding=1)[:, None]
        z = self._activate(z.flatten(0, 1), 0)
        z = self._activate(self.convs[1](z), 1).flatten(1)
        return self.out(F.relu(self.hidden(z))).view(len(b), len(a))

    def _activate(self, z: Tensor, layer: int) -> Tensor:
        z = F.relu(self.norms[layer](z, None))
        return F.max_pool2d(z, [min(2, side) for side in z.shape[-2:]])


def started(size: int, outputs: int, bias: float, seed: int) -> nn.Linear:
    """A linear layer (M, size) -> (M, outputs) with weights of standard deviation SPREAD and every bias at `bias`."""
    layer = linear(size, outputs, seed)
    with torch.no_grad():
        layer.weight.mul_(SPREAD * size**0.5)
        layer.bias.fill_(bias)
    return layer


def halved(side: int) -> int:
    """The side of a map after 2×2 max-pooling, which leaves a side of 1 as it is."""
    return max(1, side // 2)


class RelationNet(ProtoNet):
    """Learned comparison of the feature maps of `net`. There is no inner loop: `steps` is ignored.

    net: a network without a head. `net.maps`, (C, h, w), says what its features are the flattened maps of; features of
    a network that does not say so are C = `net.size` maps of one position. filters: of g's convolutions. seed: of g's
    weights.
    Raises ValueError for fewer than one filter, for maps that are not the features, and in regression.
    """

    needs = ("size",)

    def __init__(self, net: nn.Module, filters: int = 64, seed: int = 0):
        super().__init__(net)
        check_counts(filters=filters)
        self.maps = tuple(getattr(net, "maps", (net.size, 1, 1)))
        if torch.Size(self.maps).numel() != net.size:
            raise ValueError(f"the maps of this {type(net).__name__} are {self.maps}, which is not its {net.size} "
                             "features; let net.maps be (C, h, w) with C·h·w = net.size")
        self.relation = Relation(self.maps, filters, seed)
        self.config = {"filters": filters, "seed": seed}

    def embed(self, x: Tensor, stats: tuple = (), tasks: tuple = ()) -> Tensor:
        """f_φ(x) as maps: (M, C, h, w)."""
        return super().embed(x, stats, tasks).unflatten(-1, self.maps)

    def adapt(self, episode: Episode, steps: int | None = None) -> ClassMaps:
        """f_k: the sum over the shots, so that K shots at test are K times the maps of one."""
        check_classes(self, episode)
        stats = self.adapted(self.theta(), episode).stats
        one_hot = F.one_hot(episode.support_y, episode.way).to(episode.support_x.dtype)
        maps = self.embed(episode.support_x, stats)
        return ClassMaps((one_hot.T @ maps.flatten(1)).unflatten(1, self.maps), stats)

    def predict(self, state: ClassMaps, x: Tensor) -> Tensor:
        """The scores g: (M, N)."""
        return self.relation(state.maps, self.embed(x, state.stats))

    def loss(self, episode: Episode) -> Tensor:
        """The mean squared error of the relations to 1 for the right class and 0 for the others."""
        require_grad(self)
        scores = self.predict(self.adapt(episode), episode.query_x)
        relations = (scores - math.log(max(1, episode.way - 1))).sigmoid()
        return F.mse_loss(relations, F.one_hot(episode.query_y, episode.way).to(relations.dtype))


METHOD = Method("relation", RelationNet, "a learned comparison of feature maps", "maps", {},
                {"steps": 3000, "tasks": 1, "lr": 2e-3}, train_query=5)
