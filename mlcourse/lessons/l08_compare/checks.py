"""Checks of lesson 08 on code: prototypes as a linear layer, a training step, and scores of pairs."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.exercises import by_hand
from mlcourse.exercises.framework import (Crashed, LearnerFunction, Misconception, NotYet, all_of, explain,
                                          faults_behind, kind, named)
from mlcourse.exercises.values import number, tensor

# ---------------------------------------------------------------- 08.1

TRANSPOSED = "W transposed"
LINEAR_FAULTS = (
    ("all logits halved", {"factor": 1, "bias": -0.5}, "a softmax of half the logits is another one; only what is "
                                                       "added to all classes may be left out"),
    ("half of W", {"factor": 1}, "in -|f(x) - c|² the product of f(x) and c stands twice, so the weights are 2c"),
    ("no bias", {"bias": 0}, "|c|² differs between the classes, and so it cannot be left out"),
    ("the bias added", {"bias": 1}, "-|f(x) - c|² has -|c|² in it"),
    ("the farthest class wins", {"sign": -1}, "a small distance must give a large logit"),
    ("the length, not its square", {"squared": False}, "the bias is -|c|²: the square of the length"),
    ("the sum in place of the mean", {"mean": False}, "divide by how many samples each class has"),
    ("labels taken for sorted", {"sort": True}, "the samples come in any order; choose those of class n by y == n"),
)
COUNTS = ((3, 1, 4), (2, 4, 1, 1))          # support samples of each class
NO_GRAPH = "W without its graph"
FEATURES = 5


class Support(NamedTuple):
    """Features (M, D) with labels (M,) in mixed order, and the features (queries, D) of queries."""

    z: Tensor
    y: Tensor
    queries: Tensor


def check_as_linear(answer: object) -> str:
    """08.1: a linear layer that answers as the nearest prototypes do, for uneven classes in mixed order."""
    with by_hand.by_hand(answer, "as_linear") as as_linear:
        for counts in COUNTS:
            check_layer(as_linear, drawn_support(counts), len(counts))
    return (f"For uneven classes, {len(COUNTS[0])} and {len(COUNTS[1])} of them, it gives the probabilities of the "
            "squared distances.")


def check_layer(as_linear: LearnerFunction, data: Support, way: int) -> None:
    """The layer for one support set, and its graph."""
    found = as_linear(data.z.clone(), data.y.clone(), way)
    try:
        weight, bias = found
    except (TypeError, ValueError):
        raise NotYet(f"as_linear must return W and b, got {kind(found)}.") from None
    if tuple(getattr(weight, "shape", ())) == (way, FEATURES):
        raise Misconception(TRANSPOSED, "W has a row for each feature and a column for each class, so that "
                                        "features @ W are the logits.")
    weight = tensor(weight, (FEATURES, way), f"for {FEATURES} features and {way} classes W must have the shape "
                                             f"({FEATURES}, {way})")
    bias = tensor(bias, (way,), f"b must have the shape ({way},)")
    got = (data.queries.double() @ weight + bias).softmax(1)
    truth = lambda **options: logits(data, **options).double().softmax(1)
    same = lambda one, other: torch.allclose(one, other, atol=1e-4)
    if not same(got, truth()):
        explain(got, truth, LINEAR_FAULTS, same)
        raise NotYet("softmax(f(x) @ W + b) are not the probabilities softmax(-|f(x) - c|²); expand -|f(x) - c|² and "
                     "leave out what is the same for every class.")
    graph = as_linear(data.z.clone().requires_grad_(), data.y.clone(), way)[0]
    if not has_graph(graph):
        raise Misconception(NO_GRAPH, "W must be a torch tensor that gradients flow through to z: training the network "
                                      "needs them.")


def has_graph(value: object) -> bool:
    """Whether a value is a tensor that gradients flow through."""
    return isinstance(value, Tensor) and value.requires_grad


def drawn_support(counts: tuple[int, ...]) -> Support:
    """What the check of 08.1 asks about."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    y = y[torch.tensor([4, 0, 7, 3, 1, 6, 2, 5])]
    normal = lambda rows: torch.randn(rows, FEATURES, generator=generator)
    return Support(0.6 * normal(len(y)) + 0.5 * y[:, None], y, 0.8 * normal(12) + 0.5)


def logits(data: Support, *, factor: float = 2, bias: float = -1, sign: float = 1, squared: bool = True,
           mean: bool = True, sort: bool = False) -> Tensor:
    """f(x) @ W + b of the queries; the options are the known faults."""
    y = data.y.sort().values if sort else data.y
    one_hot = F.one_hot(y).to(data.z)
    c = one_hot.T @ data.z
    c = c / one_hot.sum(0)[:, None] if mean else c
    length = c.square().sum(1)
    return sign * (factor * data.queries @ c.T + bias * (length if squared else length.sqrt()))


# ---------------------------------------------------------------- 08.2

NO_GRADIENT = "an argmax has no gradient"
STEP_FAULTS = (
    ("gradients pile up", {"zero": False}, "backward adds to the gradients that are there; optimiser.zero_grad() "
                                           "belongs before it"),
    ("the classifier without its graph", {"detach": True}, "the prototypes come from the network too; leave W and b "
                                                           "their graph"),
    ("judged on the support set", {"on": "support"}, "the loss is that of the queries"),
    ("softmax twice", {"twice": True}, "cross_entropy takes logits, and works out the softmax itself"),
    ("the sum over the queries", {"reduction": "sum"}, "the loss is the mean over the queries"),
)
NO_LOSS_GRAPH = "the loss without its graph"
PLAIN_LOSS = (NO_LOSS_GRAPH, "return the loss as cross_entropy gave it; item, float and detach make a plain number of "
                             "it, by which nothing can be trained.")
RATE, STEPS, SHOT = 0.1, 3, 2


class Task(NamedTuple):
    """An episode as the exercise sees it."""

    support_x: Tensor
    support_y: Tensor
    query_x: Tensor
    query_y: Tensor
    way: int


def check_train_step(answer: object) -> str:
    """08.2: the losses, with their graph, and the weights of three steps on two networks."""
    train_step, graphs = LearnerFunction(answer, "train_step"), []

    def noted(*args):
        loss = train_step(*args)
        graphs.append(has_graph(loss))
        return loss

    for hidden in (3, 4):
        got = run(noted, hidden)
        plain = [] if all(graphs) else [Misconception(*PLAIN_LOSS)]
        truth = lambda hidden=hidden, **options: run(lambda *args: right_step(*args, **options), hidden)
        same = lambda one, other: torch.allclose(one, other, rtol=1e-3, atol=1e-4)
        if not same(got, truth()):
            if found := named(faults_behind(got, truth, STEP_FAULTS, same)):
                raise all_of(found + plain)
            if bool((got[STEPS:] == truth_before(hidden).double()).all()):
                raise NotYet("the network's weights have not moved; optimiser.step() moves them.")
            raise NotYet("after three steps of SGD the losses or the weights are not those of the cross-entropy of the "
                         "queries.")
        if plain:
            raise plain[0]
    return f"Losses and weights of {STEPS} steps are right for two networks."


def run(train_step, hidden: int) -> Tensor:
    """What train_step returned in each of STEPS, and the network's weights after them, in one vector."""
    f = network(hidden)
    optimiser = torch.optim.SGD(f.parameters(), lr=RATE)
    losses = [one_step(train_step, f, optimiser, episode(seed, hidden)) for seed in range(STEPS)]
    return torch.cat([torch.tensor(losses), nn.utils.parameters_to_vector(f.parameters()).detach().double()])


def one_step(train_step, f: nn.Module, optimiser, e: Task) -> float:
    """The loss that one call returned."""
    try:
        loss = train_step(f, prototypes, optimiser, e)
    except Crashed as crashed:
        if "does not require grad" in str(crashed.error):
            raise Misconception(NO_GRADIENT, "which class wins jumps, it never slides, so nothing flows back; a "
                                             "softmax over the logits moves with every weight.") from None
        raise
    return number(loss, "train_step must return the loss, one number")


def right_step(f: nn.Module, classifier, optimiser, e: Task, *, zero: bool = True, detach: bool = False,
               on: str = "query", twice: bool = False, reduction: str = "mean") -> Tensor:
    """The step of the text; the options are the known faults."""
    weight, bias = classifier(f(e.support_x), e.support_y, e.way)
    if detach:
        weight, bias = weight.detach(), bias.detach()
    x, y = (e.query_x, e.query_y) if on == "query" else (e.support_x, e.support_y)
    said = f(x) @ weight + bias
    loss = F.cross_entropy(said.softmax(1) if twice else said, y, reduction=reduction)
    if zero:
        optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss


def prototypes(z: Tensor, y: Tensor, way: int) -> tuple[Tensor, Tensor]:
    """W and b of the prototypes, with their graph: the classifier that the check hands over."""
    c = torch.stack([z[y == n].mean(0) for n in range(way)])
    return 2 * c.T, -c.square().sum(1)


def network(hidden: int) -> nn.Module:
    """A small network with weights of its own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(hidden)
        return nn.Sequential(nn.Flatten(), nn.Linear(9, hidden), nn.Tanh(), nn.Linear(hidden, 3))


def truth_before(hidden: int) -> Tensor:
    """The network's weights before any step."""
    return nn.utils.parameters_to_vector(network(hidden).parameters()).detach()


def episode(seed: int, way: int) -> Task:
    """Pictures of 3 × 3 of so many classes."""
    generator = torch.Generator().manual_seed(seed)
    middle = torch.randn(way, 1, 3, 3, generator=generator)
    labels = lambda count: torch.arange(way).repeat(count)
    x = lambda y: middle[y] + 0.7 * torch.randn(len(y), 1, 3, 3, generator=generator)
    support_y, query_y = labels(SHOT), labels(3)
    return Task(x(support_y), support_y, x(query_y), query_y, way)


# ---------------------------------------------------------------- 08.4

NO_SCORE_GRAPH = "scores without their graph"
PLAIN_SCORES = (NO_SCORE_GRAPH, "f and compare are trained by these scores, through the maps of both: leave out "
                                "detach, item, no_grad and NumPy.")
RAW = "inputs in place of feature maps"
RELATION_FAULTS = (
    (RAW, {"raw": True}, "f must look at each picture by itself, and compare sees the maps; put f(x) side by side, "
                         "not x"),
    ("queries and classes transposed", {"transposed": True}, "the pairs come query by query, and in reshape the last "
                                                             "dimension runs fastest"),
    ("the same repetition twice", {"same": True}, "with both repeated alike, query i meets class i alone; one of "
                                                  "the two must be repeated element by element"),
    ("the query first", {"swapped": True}, "compare is not symmetric: the class's maps come first"),
    ("a sigmoid too many", {"sigmoid": True}, "compare ends in its sigmoid already"),
)
MAPS = 3


def f(x: Tensor) -> Tensor:
    """A stand-in for the network: maps (M, MAPS, 3, 3) of pictures (M, C, 5, 5) of any number of channels."""
    kernel = torch.randn(MAPS, 2, 3, 3, generator=torch.Generator().manual_seed(1))
    return F.conv2d(x, kernel[:, :1] if x.shape[1] == 1 else kernel).relu()


def compare(pairs: Tensor) -> Tensor:
    """A stand-in for the module that compares: scores (P, 1) in [0, 1] of the two halves of the channels, other
    ones when they are exchanged."""
    half = pairs.shape[1] // 2
    first, second = pairs.flatten(2).mean(2)[:, :half], pairs.flatten(2).mean(2)[:, -half:]
    return (first * second.roll(1, 1) + first.sum(1, keepdim=True) - 2 * second.square()).sum(1, keepdim=True).sigmoid()


def check_relations(answer: object) -> str:
    """08.4: scores of 4 queries for 3 classes, of 2 for 5, and of 3 for 3."""
    relations = LearnerFunction(answer, "relations")
    for way, count in ((3, 4), (5, 2), (3, 3)):
        generator = torch.Generator().manual_seed(way)
        support, query = (torch.rand(rows, 1, 5, 5, generator=generator) for rows in (way, count))
        pictures = support.requires_grad_(), query.requires_grad_()
        found = relations(f, compare, support.clone(), query.clone())
        got = tensor(found, (count, way),
                     f"for {count} queries and {way} classes the scores must have the shape ({count}, {way})")
        plain = [] if reaches(found, pictures) else [Misconception(*PLAIN_SCORES)]
        truth = lambda support=support, query=query, **options: scores(support, query, **options)
        same = lambda one, other: one.shape == other.shape and torch.allclose(one, other.double(), atol=1e-5)
        if not same(got, truth()):
            if faults := named(faults_behind(got, truth, RELATION_FAULTS, same)):
                raise all_of(faults + plain)
            raise NotYet("the score of query i for class n must be that of the maps of class n's drawing and query i.")
        if plain:
            raise plain[0]
    return "Scores of three sizes are right: maps side by side, query by query, and gradients flow to both pictures."


def reaches(found: object, leaves: tuple[Tensor, ...]) -> bool:
    """Whether gradients flow from a tensor to all leaves."""
    return has_graph(found) and all(
        each is not None for each in torch.autograd.grad(found.sum(), leaves, allow_unused=True))


def scores(support: Tensor, query: Tensor, *, raw: bool = False, transposed: bool = False, same: bool = False,
           swapped: bool = False, sigmoid: bool = False) -> Tensor:
    """Scores (queries, classes); the options are the known faults."""
    way, asked = len(support), len(query)
    of, joined = (lambda x: x, f) if raw else (f, lambda x: x)
    a = of(support).repeat(asked, 1, 1, 1)
    b = of(query).repeat(way, 1, 1, 1) if same else of(query).repeat_interleave(way, 0)
    found = compare(joined(torch.cat([b, a] if swapped else [a, b], 1)))
    found = found.sigmoid() if sigmoid else found
    return found.reshape(way, asked).T if transposed else found.reshape(asked, way)
