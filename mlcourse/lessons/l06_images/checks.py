"""Checks of lesson 06 on code: an episode sampler, a network for N classes, an inner step, and two ways to predict."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mlcourse.exercises import oracles
from mlcourse.exercises.framework import (Crashed, LearnerFunction, Misconception, NotYet, all_of, explain, first_line,
                                          kind)
from mlcourse.exercises.gradients import OUTER, call_step, check_outer_gradient, graph_named_too, look_like_params
from mlcourse.exercises.oracles import Params
from mlcourse.exercises.values import numbers, tensor

# ---------------------------------------------------------------- 06.1

OVERLAP = "support and query overlap"
TWICE = "a picture stands twice"
NO_LABELS = "class ids for labels"
IN_ORDER = "labels that tell the class"
SAME_PICTURES = "the same drawings every time"
SAME_CLASSES = "the same classes every time"
ONE_SHUFFLE = "one shuffle for all classes"
LEFT_OUT = "a class that never comes"
FIXED = "a class with the same label every time"
IGNORED = "the generator is ignored"
TWO_LABELLINGS = "support and query labelled differently"
UNEVEN = "uneven classes"
MIXED = "a label with two classes"
CLASS_TWICE = "one class under two labels"
CLASSES, EACH = 9, 7        # of the domain that the check draws from
SAMPLERS = ((3, 1, 2), (4, 2, 3))       # way, shot, query
DRAWS = 40


def check_draw_episode(answer: object) -> str:
    """06.1: episodes from a domain whose pictures say which they are."""
    draw_episode = LearnerFunction(answer, "draw_episode")
    for way, shot, query in SAMPLERS:
        images, labels = numbered(way)
        drawn = [read(draw_episode(images.clone(), labels.clone(), way, shot, query, seeded(seed)), way, shot, query)
                 for seed in range(DRAWS)]
        found = [fault for episode in drawn for fault in faults_within(episode, labels, shot, query)]
        if any(fault.name == MIXED for fault in found):
            found = [fault for fault in found if fault.name != TWO_LABELLINGS]
        if not found:
            found = faults_between(drawn, labels)
        if found:
            raise all_of(found)
        again = read(draw_episode(images.clone(), labels.clone(), way, shot, query, seeded(0)), way, shot, query)
        if not all(torch.equal(a, b) for a, b in zip(again, drawn[0], strict=True)):
            raise Misconception(IGNORED, "the same generator state gave another episode, so that no test set could be "
                                "drawn a second time; hand generator=generator to every draw.")
    return f"{DRAWS} episodes of two kinds: no picture twice, each class under one label, and labels that say nothing."


def numbered(seed: int) -> tuple[Tensor, Tensor]:
    """Pictures (M, 1, 28, 28), each filled with its own index over M, and their labels, in mixed order."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(CLASSES).repeat_interleave(EACH)[torch.randperm(CLASSES * EACH, generator=generator)]
    index = torch.arange(len(labels), dtype=torch.float32) / len(labels)
    return index.view(-1, 1, 1, 1).expand(-1, 1, 28, 28).contiguous(), labels


def seeded(seed: int) -> torch.Generator:
    """A generator."""
    return torch.Generator().manual_seed(seed)


def read(episode: object, way: int, shot: int, query: int) -> tuple[Tensor, ...]:
    """The indices of the support pictures, their labels, those of the queries and theirs."""
    names = ("support_x", "support_y", "query_x", "query_y")
    try:
        parts = list(episode)
    except TypeError:
        parts = []
    if len(parts) != 4:
        raise NotYet(f"draw_episode must return four tensors, {', '.join(names)}, got {kind(episode)}.")
    found = []
    for name, part in zip(names, parts):
        count = way * (shot if name.startswith("support") else query)
        shape = (count, 1, 28, 28) if name.endswith("x") else (count,)
        value = tensor(part, shape, f"for way {way}, shot {shot} and query {query} {name} must have the shape {shape}")
        found.append((value[:, 0, 0, 0] * CLASSES * EACH).round().long() if name.endswith("x") else value.long())
        if name.endswith("x") and not bool(((found[-1] >= 0) & (found[-1] < CLASSES * EACH)).all()):
            raise NotYet(f"{name} holds pictures that are not in images; return rows of images as they are.")
    return tuple(found)


def faults_within(episode: tuple[Tensor, ...], labels: Tensor, shot: int, query: int) -> list[Misconception]:
    """What is wrong with one episode."""
    support, support_y, asked, asked_y = episode
    way = len(support) // shot
    if class_stands_twice(episode, labels):
        return [Misconception(CLASS_TWICE, "a class was drawn twice and has two labels, so that no answer can be right "
                              "for both; torch.randperm draws different classes, torch.randint does not.")]
    if set(support.tolist()) & set(asked.tolist()):
        return [Misconception(OVERLAP, "a picture is both labelled and asked for, so a lookup would be right; draw "
                                       "shot + "
                              "query different pictures of a class at once, and divide them.")]
    if len(support.unique()) < len(support) or len(asked.unique()) < len(asked):
        return [Misconception(TWICE, "one picture stands twice in a set; torch.randperm draws without repetition, "
                              "torch.randint does not.")]
    if not set(support_y.tolist()) | set(asked_y.tolist()) <= set(range(way)):
        return [Misconception(NO_LABELS, f"labels must be 0 … {way - 1}, whatever classes were drawn, but they are the "
                              "numbers of the classes in the domain.")]
    if (support_y.bincount(minlength=way) != shot).any() or (asked_y.bincount(minlength=way) != query).any():
        return [Misconception(UNEVEN, f"each label must stand {shot} times in the support set and {query} times "
                                      f"among the "
                              "queries.")]
    class_of = {new: labels[support[support_y == new]].unique().tolist() for new in range(way)}
    asked_of = {new: labels[asked[asked_y == new]].unique().tolist() for new in range(way)}
    if any(len(own) != 1 for own in (*class_of.values(), *asked_of.values())):
        return [Misconception(MIXED, "pictures of two classes have the same label, or a label has none; pictures and "
                                     "labels "
                              "must stay in step, and the classes of an episode must differ.")]
    if class_of != asked_of:
        return [Misconception(TWO_LABELLINGS, "a class has one label in the support set and another among the "
                                              "queries.")]
    return []


def class_stands_twice(episode: tuple[Tensor, ...], labels: Tensor) -> bool:
    """Whether each label of an episode has one class, and two labels the same."""
    support, support_y, asked, asked_y = episode
    pictures, y = torch.cat([support, asked]), torch.cat([support_y, asked_y])
    classes = [labels[pictures[y == new]].unique().tolist() for new in y.unique()]
    return all(len(own) == 1 for own in classes) and len({own[0] for own in classes}) < len(classes)


def faults_between(drawn: list[tuple[Tensor, ...]], labels: Tensor) -> list[Misconception]:
    """What is wrong with many episodes together: what does not vary, and labels that tell which class it is."""
    classes = [[int(labels[e[0][e[1] == new][0]]) for new in range(int(e[1].max()) + 1)] for e in drawn]
    found = []
    if len({tuple(sorted(each)) for each in classes}) < 3:
        found.append(Misconception(SAME_CLASSES, f"{DRAWS} episodes from {DRAWS} generators have the same classes; "
                                   "draw them from all of the domain's."))
    else:
        found += faults_of_labels(classes)
    pictures: dict[int, set] = {}
    for support, *_ in drawn:
        for index in support.tolist():
            pictures.setdefault(int(labels[index]), set()).add(index)
    if all(len(own) <= 2 for own in pictures.values()):
        found.append(Misconception(SAME_PICTURES, "a class always brings the same labelled drawings; shuffle each "
                                   "class's pictures before you divide them."))
    elif all(len(set(places(episode, labels))) == 1 for episode in drawn):
        found.append(Misconception(ONE_SHUFFLE, "the labelled drawings stand at the same places in every class of an "
                                   "episode, so one writer may have drawn all of them; shuffle each class by itself."))
    return found


def places(episode: tuple[Tensor, ...], labels: Tensor) -> list[frozenset]:
    """Of each class of an episode, at which places among the class's pictures its support stands."""
    support, support_y, *_ = episode
    rank = {int(index): place for c in range(CLASSES) for place, index in enumerate(torch.nonzero(labels == c)[:, 0])}
    return [frozenset(rank[i] for i in support[support_y == new].tolist()) for new in support_y.unique()]


def faults_of_labels(classes: list[list[int]]) -> list[Misconception]:
    """What is wrong with the classes of many episodes, in the order of their labels: one that never comes, and labels
    that tell the class."""
    found, labels_of = [], {c: {each.index(c) for each in classes if c in each} for c in range(CLASSES)}
    if left := [c for c in labels_of if not labels_of[c]]:
        found.append(Misconception(LEFT_OUT, f"{DRAWS} episodes never have class {left[0]}; draw from all classes, 0 "
                                   "to labels.max()."))
    if all(len(own) <= 1 for own in labels_of.values()):
        found.append(Misconception(FIXED, "a class has the same label in all episodes, so that a network can learn it "
                                   "without the support set; deal the labels anew in each."))
    elif any(all(goes_around(each, down) for each in classes) for down in (False, True)):
        found.append(Misconception(IN_ORDER, "the labels follow the classes' numbers in the domain, so that a network "
                                   "learns from them, without the support set, which classes come early; leave the "
                                   "drawn order as it is."))
    return found


def goes_around(classes: list[int], down: bool) -> bool:
    """Whether the classes go up, or down, from some place on and around."""
    return any(each == sorted(each, reverse=down) for each in (classes[k:] + classes[:k] for k in range(len(classes))))


# ---------------------------------------------------------------- 06.3

NO_FLATTEN = "no flatten"
SIX = "6 × 6 in place of 13 × 13"
TEN = "ten outputs for N classes"
SOFTMAX = "a softmax in the network"
OTHER_NET = "another network"
FEATURES = 32 * 13 * 13


def check_make_net(answer: object) -> str:
    """06.3: networks for 5 and for 7 classes."""
    make_net = LearnerFunction(answer, "make_net")
    nets = [(way, make_net(way)) for way in (5, 7)]
    if others := [kind(net) for _, net in nets if not isinstance(net, nn.Module)]:
        raise NotYet(f"make_net must return a torch.nn.Module, got {others[0]}.")
    if found := [fault for way, net in nets for fault in faults_of(net, way)]:
        raise all_of(found)
    for way, net in nets:
        try:
            with torch.no_grad():
                out = net(x := torch.rand(3, 1, 28, 28))
        except RuntimeError as error:
            raise NotYet(f"three pictures of 28×28 do not pass through it: {first_line(error)}.") from None
        if tuple(getattr(out, "shape", ())) != (3, way):
            raise NotYet(f"for three pictures and {way} classes the logits must have the shape (3, {way}), got "
                         f"{tuple(getattr(out, 'shape', ()))}.")
        convs = [module for module in net.modules() if isinstance(module, nn.Conv2d)]
        linear = [module for module in net.modules() if isinstance(module, nn.Linear)]
        if len(convs) == len(linear) == 1 and any(isinstance(module, nn.Softmax) for module in net.modules()):
            raise Misconception(SOFTMAX, "the cross-entropy takes logits and has the softmax in it; leave yours out.")
        if (len(convs) != 1 or tuple(convs[0].weight.shape) != (32, 1, 3, 3) or len(linear) != 1
                or linear[0].in_features != FEATURES or tuple(convs[0].stride) != (1, 1)
                or not torch.allclose(out, logits_of(convs[0], linear[0], x), atol=1e-5)):
            raise Misconception(OTHER_NET, "keep the layers: one convolution of 32 filters, 3×3 and without padding, "
                                           "ReLU, "
                                "a 2×2 max pooling, and one linear layer on all that is left.")
    return f"28 → 26 → 13, so the linear layer sees 32 · 13 · 13 = {FEATURES} numbers, and there is an output a class."


@torch.no_grad()
def logits_of(conv: nn.Conv2d, linear: nn.Linear, x: Tensor) -> Tensor:
    """What the exercise's layers make of pictures, with these weights."""
    return linear(torch.max_pool2d(conv(x).relu(), 2).flatten(1))


def faults_of(net: nn.Module, way: int) -> list[Misconception]:
    """The bugs that the layers of a network show."""
    found, linear = [], [module for module in net.modules() if isinstance(module, nn.Linear)]
    if linear and linear[-1].in_features == 32 * 6 * 6:
        found.append(Misconception(SIX, "a 3×3 convolution without padding leaves 26 of 28 pixels, and the pooling "
                                   "halves them once."))
    if linear and linear[-1].out_features == 10 != way:
        found.append(Misconception(TEN, f"a {way}-way episode has {way} labels; with ten outputs half of the softmax "
                                   "belongs to labels that never come."))
    if linear and linear[-1].out_features == 5 != way:
        found.append(Misconception(FIVE, f"a {way}-way episode has {way} labels, and the network five outputs; take "
                                   "their number from `way`."))
    plain = isinstance(net, nn.Sequential) and not any(isinstance(module, nn.Flatten) for module in net)
    if linear and plain and all(type(module) in (nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Linear) for module in net):
        found.append(Misconception(NO_FLATTEN, "a linear layer acts on the last dimension, and here that is a row of "
                                   "pixels; make one vector of each picture's features first."))
    return found


# ---------------------------------------------------------------- 06.4

MEAN = "the mean: N times too small"
SUM = "the sum: K times too large"
BY_WAY = "divided by N"
BY_BOTH = "divided twice"
FIVE = "N is always 5"
ALPHA = 0.3
SIZES = ((5, 3), (7, 2), (6, 1))        # way, shot


def check_inner_step(answer: object) -> str:
    """06.4: the parameters after one step, and the gradient through it."""
    inner_step = LearnerFunction(answer, "inner_step", because=OUTER)
    for way, shot in SIZES:
        theta, x, y, query = support(way, shot)
        got = look_like_params(call_step(inner_step, theta, theta, logits, x.clone(), y.clone(), ALPHA, shot), theta)
        truth = lambda theta=theta, x=x, y=y, way=way, shot=shot, **faults: stepped(theta, x, y, way, shot, **faults)
        outer = loss_of(got, *query)
        first = oracles.gradient(lambda p, query=query: loss_of(p, *query), got)
        if not oracles.close(got, truth()):
            with graph_named_too(outer, theta, first):
                explain(got, truth, STEP_FAULTS, oracles.close)
            raise NotYet(f"with {way} classes and {shot} of each the step is not alpha times the gradient of the sum "
                         f"over the {way * shot} samples, divided by {shot}.")
        numeric = oracles.numeric_gradient(lambda p, x=x, y=y, way=way, shot=shot, query=query: loss_of(
            stepped(p, x, y, way, shot), *query), theta)
        check_outer_gradient(outer, theta, numeric, first)
    return "At three sizes of episode it takes the authors' step, and the outer loop can differentiate through it."


def support(way: int, shot: int) -> tuple[Params, Tensor, Tensor, tuple[Tensor, Tensor]]:
    """A linear classifier of three features, a support set in mixed order, and a query set, float64."""
    generator = torch.Generator().manual_seed(10 * way + shot)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)
    theta = {"weight": draw(3, way).requires_grad_(), "bias": draw(way).requires_grad_()}
    y = torch.arange(way).repeat(shot)[torch.randperm(way * shot, generator=generator)]
    return theta, draw(way * shot, 3), y, (draw(4, 3), torch.arange(4) % way)


def logits(params: Params, x: Tensor) -> Tensor:
    """The outputs (M, N) of the linear classifier."""
    return x @ params["weight"] + params["bias"]


def loss_of(params: Params, x: Tensor, y: Tensor) -> Tensor:
    """Its mean cross-entropy."""
    return nn.functional.cross_entropy(logits(params, x), y)


def stepped(theta: Params, x: Tensor, y: Tensor, way: int, shot: int, by: str = "shot", sign: int = -1) -> Params:
    """θ after the right step, from the formula of the cross-entropy's gradient; the options are the known faults."""
    over = {"shot": shot, "mean": way * shot, "sum": 1, "way": way, "both": way * shot * shot,
            "five": way * shot / 5}[by]
    p = logits(theta, x).softmax(1) - nn.functional.one_hot(y, way)
    g = {"weight": x.T @ p / over, "bias": p.sum(0) / over}
    return {name: (theta[name] + sign * ALPHA * g[name]).detach() for name in theta}


STEP_FAULTS = (
    (MEAN, {"by": "mean"}, "cross_entropy takes the mean over all N·K samples unless it is told otherwise, so alpha "
                           "is N times smaller than in the authors' code"),
    (SUM, {"by": "sum"}, "this is the sum over all N·K samples, K times the authors' loss"),
    (BY_WAY, {"by": "way"}, "the sum is divided by K, the samples of a class, not by N"),
    (BY_BOTH, {"by": "both"}, "the mean was divided by K once more; sum over the samples first"),
    (FIVE, {"by": "five"}, "five times the mean is the sum over K only where N is 5"),
    ("gradient ascent", {"sign": 1}, "the step goes up the loss; subtract alpha times the gradient"),
)

# ---------------------------------------------------------------- 06.5

SWAPPED = "company and alone swapped"
ONE_BATCH = "alone taken from the company's answers"
ONE_PICTURE = "a picture without its batch"
ONE_QUERY = "one query for all"
PER_CENT = "per cent in place of a share"
COUNTED = "a count in place of a share"
COPIES = "copies in the batch of one"
ASKED = 13          # queries


def check_both_ways(answer: object) -> str:
    """06.5: a predictor that looks at its batch and one that does not."""
    both_ways = LearnerFunction(answer, "both_ways")
    for batch, seed in ((True, 8), (True, 28), (False, 2)):
        queries, labels = asked(seed)
        predict = lambda x, batch=batch: predicted(x, batch)
        try:
            found = both_ways(predict, queries.clone(), labels.clone())
        except Crashed as crash:
            if isinstance(crash.error, BatchLost):
                raise Misconception(ONE_PICTURE, "predict was given one picture of shape (1, 28, 28), and wants a "
                                                 "batch of "
                                    "one, (1, 1, 28, 28): queries[i:i + 1] keeps the dimension.") from None
            raise
        got = numbers(found, 2, "both_ways must return two numbers, in company and alone")
        truth = lambda queries=queries, labels=labels, batch=batch, **faults: shares(queries, labels, batch, **faults)
        same = lambda a, b: all(abs(one - other) < 1e-4 for one, other in zip(a, b, strict=True))
        if not same(got, truth()):
            explain(got, truth, WAYS_FAULTS, same)
            raise NotYet(f"of {len(labels)} queries a share of {truth()[0]:.3f} is right in company and "
                         f"{truth()[1]:.3f} alone, but you returned {got[0]:.3f} and {got[1]:.3f}.")
    return "For a predictor that looks at its batch the two differ, for one that does not they agree."


class BatchLost(ValueError):
    """Pictures that are no batch."""


def predicted(x: Tensor, batch: bool) -> Tensor:
    """Logits (M, 3) of pictures (M, 1, 28, 28); with `batch` they depend on the mean of the
    others, and on their number, so that two copies of a picture are no lone picture."""
    if not isinstance(x, Tensor) or x.ndim != 4:
        raise BatchLost("predict wants pictures of shape (M, 1, 28, 28)")
    z = x[:, 0, 0, :3]
    return z - z.mean(0) + 0.3 * (z.roll(1, 1) if len(x) in (1, ASKED) else -z) if batch else z


def asked(seed: int) -> tuple[Tensor, Tensor]:
    """Pictures (ASKED, 1, 28, 28) and labels (ASKED,), 0 to 2."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(ASKED, 1, 28, 28, generator=generator), torch.randint(3, (ASKED,), generator=generator)


def shares(queries: Tensor, labels: Tensor, batch: bool, swapped: bool = False, alone: str = "alone",
           unit: str = "share") -> tuple[float, float]:
    """The right pair; the options are the known faults."""
    each = torch.cat([predicted(x[None], batch) for x in queries]).argmax(1)
    together = predicted(queries, batch).argmax(1)
    twice = torch.stack([predicted(torch.stack([x, x]), batch)[0] for x in queries]).argmax(1)
    said = {"alone": each, "company": together, "first": each[:1].expand(len(each)),
            "last": each[-1:].expand(len(each)), "copies": twice}
    times = {"share": 1.0, "per cent": 100.0, "count": float(len(labels))}[unit]
    pair = [times * float((says == labels).float().mean()) for says in (together, said[alone])]
    return tuple(reversed(pair)) if swapped else tuple(pair)


WAYS_FAULTS = (
    (SWAPPED, {"swapped": True}, "the first number is the one in company"),
    (ONE_BATCH, {"alone": "company"}, "every query was in the batch of all when it was predicted; call predict once "
                                      "for "
     "each query"),
    (ONE_QUERY, {"alone": "first"}, "the first query's answer was taken for all of them"),
    (ONE_QUERY, {"alone": "last"}, "the last query's answer was taken for all of them"),
    (COPIES, {"alone": "copies"}, "alone is a batch of one: queries[i:i + 1], with no copies beside it"),
    (PER_CENT, {"unit": "per cent"}, "asked are shares between 0 and 1"),
    (COUNTED, {"unit": "count"}, "divide the right answers by the number of queries"),
)
