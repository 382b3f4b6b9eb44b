"""CAML: a Transformer classifies a query in the context of the support set. Nothing is adapted.

Fifty, Duan, Junkins, Amid, Leskovec, Ré, Thrun: Context-Aware Meta-Learning, ICLR 2024, section 3.

    support tokens   [f(x_i), e(y_i)]      e(1), …, e(N): the corners of a simplex, equally far from each other
    query token      [f(x), u]             u is learned: the label is unknown
    logits           a linear map of the query's token after a Transformer over it and all support tokens

No token has a position, so that the order of the support set says nothing, and every query goes with a copy of the
support set of its own. In the paper f is frozen, and large; here it is whatever network is given, and
`nets.wrap(…, frozen=True)` freezes it. The authors turn the simplex into 256 numbers, scale it by a learned factor, and
let [f(x), e] be the Transformer's width; here a linear map takes it to a smaller one.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mlcourse.context import ContextTransformer
from mlcourse.episode import Episode
from mlcourse.learners.cnp import check_same_way, check_way
from mlcourse.learners.protonet import ProtoNet
from mlcourse.method import Method


class Context(NamedTuple):
    """The support tokens (M, D + N), and the norm statistics to embed queries with."""

    tokens: Tensor
    stats: tuple


class CAML(ProtoNet):
    """A Transformer over support set and query, on `net.features`. There is no inner loop: `steps` is ignored.

    net: a network without a head. way: the number of classes, fixed. layers, width, heads, seed: of the Transformer.
    Raises ValueError for fewer than 2 classes, and for an episode of another way, or in regression.
    """

    needs = ("size",)

    def __init__(self, net: nn.Module, way: int = 5, layers: int = 2, width: int = 64, heads: int = 4, seed: int = 0):
        super().__init__(net)
        check_way(way, 2)
        self.way = way
        self.transformer = ContextTransformer(net.size + way, way, layers, width, heads, seed)
        self.unknown = nn.Parameter(torch.zeros(way))
        self.config = {"way": way, "layers": layers, "width": width, "heads": heads, "seed": seed}

    def adapt(self, episode: Episode, steps: int | None = None) -> Context:
        """The support tokens."""
        check_same_way(self, episode)
        stats = self.adapted(self.theta(), episode).stats
        z = self.embed(episode.support_x, stats)
        return Context(torch.cat([z, simplex(self.way).to(z)[episode.support_y]], -1), stats)

    def predict(self, state: Context, x: Tensor) -> Tensor:
        """Logits (M, N), of each query by itself."""
        z = self.embed(x, state.stats)
        queries = torch.cat([z, self.unknown.expand(len(z), -1)], -1)
        sequences = torch.cat([queries.unsqueeze(1), state.tokens.expand(len(z), -1, -1)], 1)
        return self.transformer(sequences)[:, 0]


def simplex(way: int) -> Tensor:
    """The rows of √(N/(N - 1)) (I - 11ᵀ/N): N vectors (N, N) of length 1 whose inner products are all -1/(N - 1)."""
    return (way / (way - 1)) ** 0.5 * (torch.eye(way) - 1 / way)


METHOD = Method("caml", CAML, "a Transformer over support set and query", "headless", {},
                {"steps": 3000, "tasks": 4, "lr": 1e-3}, train_query=5)
