"""The arms of `mlcourse study first-order`: how each is made, and what of a network may move at test."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.episode import Episode
from mlcourse.learner import Learner
from mlcourse.learners import ANIL, FOMAML, IMAML, MAML, FineTune, JointTraining, Reptile
from mlcourse.learners.protonet import ProtoNet
from mlcourse.nets import MLP, Conv4, features, params_of
from mlcourse.small import SIDE

WAY = 5
FINE, SECOND, FIRST, REPTILES, HEAD, IMPLICIT, BODY = (
    "fine-tuning", "MAML", "FOMAML", "Reptile", "ANIL", "iMAML", "BOIL")
OWN, HEAD_ONLY, BODY_ONLY, NOTHING = "own", "head", "body", "none"       # what moves at test
PARTS_OF_NET = {HEAD_ONLY: ("head.",), BODY_ONLY: ("convs.", "norms.")}


class BOIL(MAML):
    """MAML whose inner loop moves the body alone (Oh, Yoo, Kim, Yun: BOIL, ICLR 2021)."""

    only = PARTS_OF_NET[BODY_ONLY]


class NIL(ProtoNet):
    """No inner loop and no head: the class whose support features have the largest cosine with the query's (Raghu et
    al. 2020, section 5)."""

    def embed(self, x: Tensor, stats: tuple = (), tasks: tuple = ()) -> Tensor:
        """The features f_θ(x), each of length 1: (M, D)."""
        return F.normalize(features(self.net, self.theta(tasks), x, stats or None), dim=-1)


KINDS: dict[str, type[MAML]] = {SECOND: MAML, FIRST: FOMAML, HEAD: ANIL, BODY: BOIL, REPTILES: Reptile, IMPLICIT: IMAML}


def network(seed: int, width: int, way: int = WAY) -> Conv4:
    """The network of every arm on pictures of 16×16, with a layer norm; way=0: without its head."""
    return Conv4(way, width, norm="layer", side=SIDE, seed=seed)


def on_glyphs(arm: str, setting: dict, seed: int, width: int, classes: int) -> Learner:
    """An arm on pictures, untrained. classes: those that fine-tuning is first taught to tell apart."""
    if arm == FINE:
        return FineTune(network(seed, width, 0), classes, **setting, seed=seed)
    return KINDS[arm](network(seed, width), **setting)


def on_sinusoids(arm: str, setting: dict, seed: int) -> Learner:
    """An arm on sinusoids, untrained; fine-tuning is that of one network fitted to all tasks."""
    return (JointTraining if arm == FINE else KINDS[arm])(MLP(seed=seed), **setting)


def moving(learner: MAML, what: str) -> Learner:
    """The trained network of an arm, of which at test only this part moves."""
    if what == OWN:
        return learner
    if what == NOTHING:
        config = learner.net.config
        body = network(config["seed"], config["width"], 0)
        body.load_state_dict({name: p for name, p in learner.net.state_dict().items() if not name.startswith("head.")})
        return NIL(body)
    other = MAML(learner.net, learner.lr, learner.steps)
    other.only = PARTS_OF_NET[what]
    return other


def layer_of(name: str) -> str:
    """The layer of a parameter of `network`: "conv 1" to "conv 4" with their norms, "head"."""
    kind, _, place = name.partition(".")
    return kind if kind == "head" else f"conv {int(place[0]) + 1}"


@torch.no_grad()
def moved(learner: MAML, episodes: Episode, steps: int) -> dict[str, float]:
    """|φ - θ| / |θ| of each layer, the mean over a batch of episodes."""
    theta, phi = params_of(learner.net), learner.adapt(episodes, steps).params
    squares: dict[str, list[Tensor]] = {}
    for name, p in theta.items():
        off = (phi[name] - p).flatten(1).square().sum(1)
        pair = squares.setdefault(layer_of(name), [torch.zeros(()), torch.zeros(())])
        pair[0], pair[1] = pair[0] + off, pair[1] + p.square().sum()
    return {layer: float((off / size).sqrt().mean()) for layer, (off, size) in squares.items()}
