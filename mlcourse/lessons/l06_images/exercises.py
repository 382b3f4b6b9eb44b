"""The exercises of lesson 06 on code; those that ask for a judgement stand in `exercises_results`."""

from __future__ import annotations

from mlcourse.exercises.framework import IN_PLACE, Exercise, edited
from mlcourse.exercises.gradients import CUT, FIRST_ORDER
from mlcourse.lessons.l06_images.checks import (BY_BOTH, BY_WAY, CLASS_TWICE, COPIES, COUNTED, FIVE, FIXED, IGNORED,
                                                IN_ORDER, LEFT_OUT, MEAN, MIXED, NO_FLATTEN, NO_LABELS, ONE_BATCH,
                                                ONE_PICTURE, ONE_QUERY, ONE_SHUFFLE, OTHER_NET, OVERLAP, PER_CENT,
                                                SAME_CLASSES, SAME_PICTURES, SIX, SOFTMAX, SUM, SWAPPED, TEN, TWICE,
                                                TWO_LABELLINGS, check_both_ways, check_draw_episode, check_inner_step,
                                                check_make_net)
from mlcourse.lessons.l06_images.exercises_results import leaks, verdicts

# ---------------------------------------------------------------- 06.1

DRAW = '''\
def draw_episode(images, labels, way, shot, query, generator):
    """One episode: `way` classes of a domain, `shot` labelled pictures and `query` others of each.

    images (M, 1, 28, 28); labels (M,) int64, 0 to C - 1; every class has enough pictures
    generator: a torch.Generator, for torch.randperm(n, generator=generator)
    Returns support_x, support_y, query_x, query_y, of way * shot and way * query pictures in any
    order; labels 0 to way - 1. Drawn each time: classes, drawings of each, and which class is 0.
    """
'''
CHOSEN = "    classes = torch.randperm(int(labels.max()) + 1, generator=generator)[:way]"
OWN = "        own = torch.nonzero(labels == c)[:, 0]"
MIX = "        own = own[torch.randperm(len(own), generator=generator)]"
PARTS = "        support, asked = support + [own[:shot]], asked + [own[shot:shot + query]]"
LABELS = "    support_y, query_y = (torch.arange(way).repeat_interleave(k) for k in (shot, query))"
RETURN = "    return images[torch.cat(support)], support_y, images[torch.cat(asked)], query_y"
DRAW_SOLUTION = DRAW + "\n".join((CHOSEN, "    support, asked = [], []", "    for c in classes:", OWN, MIX, PARTS,
                                  LABELS, RETURN))


def draw_wrong(*edits: tuple[str, str]) -> str:
    """A wrong sampler: the solution with edits."""
    return edited(DRAW_SOLUTION, *edits)


draw_episode = Exercise(
    id="06.1", title="An episode that tells nothing", answer="draw_episode", difficulty=2, minutes=8,
    stub=DRAW + "    ...", solution_source=DRAW_SOLUTION, check=check_draw_episode,
    hints=(
        "Three draws: which classes, which drawings of each, and which class is called 0. The order in which randperm "
        "gives the classes can serve as the third.",
        "classes = torch.randperm(C, generator=generator)[:way]. For each of them own = torch.nonzero(labels == "
        "c)[:, 0], shuffled; the first shot of it are support, the next query of it are queries.",
        "Gather the parts in two lists and torch.cat them; the labels are torch.arange(way).repeat_interleave(shot), "
        "and likewise with query.",
    ),
    wrong=(
        (draw_wrong(("own[shot:shot + query]", "own[:query]")), OVERLAP),
        (draw_wrong((MIX, "        own = own[torch.randint(len(own), (shot + query,), generator=generator)]")),
         f"{TWICE}, {OVERLAP}"),
        (draw_wrong((MIX, "        own = own[torch.randperm(len(own), generator=generator)][[0] * shot + list(range(1, "
                          "query + 1))]")), TWICE),
        (draw_wrong((LABELS, "    support_y, query_y = (classes.repeat_interleave(k) for k in (shot, query))")),
         NO_LABELS),
        (draw_wrong(("[:way]", "[:way].sort().values")), IN_ORDER),
        (draw_wrong(("[:way]", "[:way].sort(descending=True).values")), IN_ORDER),
        (draw_wrong(("[:way]", "[:way].sort().values.roll(int(torch.randint(way, (1,), generator=generator)))")),
         IN_ORDER),
        (draw_wrong(("int(labels.max()) + 1", "int(labels.max())")), LEFT_OUT),
        (draw_wrong((CHOSEN, "    most = int(labels.max())\n    classes = [r + way * int(torch.randint((most - r) "
                             "// way + 1, (1,), generator=generator)) for r in range(way)]")), FIXED),
        (draw_wrong((MIX, "        own = own[:]")), SAME_PICTURES),
        (draw_wrong((CHOSEN, CHOSEN + "\n    mix = torch.randperm(int((labels == 0).sum()), generator=generator)"),
                    (MIX, "        own = own[mix]")), ONE_SHUFFLE),
        (draw_wrong((CHOSEN, "    classes = torch.randint(int(labels.max()) + 1, (way,), generator=generator)")),
         CLASS_TWICE),
        (draw_wrong((CHOSEN, "    classes = torch.randint(int(labels.max()) + 1, (way,), generator=generator)"),
                    ("own[shot:shot + query]", "own[:query]")), f"{OVERLAP}, {CLASS_TWICE}"),
        (draw_wrong((CHOSEN, "    classes = torch.arange(way)")), SAME_CLASSES),
        (draw_wrong((CHOSEN, "    classes = torch.arange(way)"), (MIX, "        own = own[:]")),
         f"{SAME_CLASSES}, {SAME_PICTURES}"),
        (draw_wrong((CHOSEN, "    classes = torch.randperm(int(labels.max()) + 1)[:way]")), IGNORED),
        (draw_wrong((RETURN, "    return images[torch.cat(support)], support_y, images[torch.cat(asked)], "
                             "query_y.flip(0)")), TWO_LABELLINGS),
        (draw_wrong((RETURN, "    mix = torch.randperm(way * query, generator=generator)\n"
                             "    return images[torch.cat(support)], support_y, images[torch.cat(asked)][mix], "
                             "query_y")),
         MIXED),
    ),
    mutations=(
        (CHOSEN, "    classes = torch.randint(int(labels.max()) + 1, (way,), generator=generator)"),
        (OWN, "        own = torch.nonzero(labels >= c)[:, 0]"),
        (PARTS, "        support, asked = support + [own[:shot]], asked + [own[-query - 1:-1].flip(0)[:query] * 0]"),
        (LABELS, "    support_y, query_y = (torch.arange(way).repeat(k) for k in (shot, query))"),
    ))

# ---------------------------------------------------------------- 06.3

NET = '''\
def make_net(way):
    """The same layers, mended: logits (M, way) for pictures (M, 1, 28, 28)."""
'''
GIVEN = '''\
def make_net_broken(way):
    """Convolution, ReLU, pooling and a linear layer, for episodes of `way` classes. Three bugs."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 32, 3),                  # 32 filters, 3×3, no padding
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Linear(32 * 6 * 6, 10))'''
LAYERS = "    layers = [torch.nn.Conv2d(1, 32, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]"
HEAD = "    head = [torch.nn.Flatten(), torch.nn.Linear(32 * 13 * 13, way)]"
NET_SOLUTION = NET + "\n".join((LAYERS, HEAD, "    return torch.nn.Sequential(*layers, *head)"))


def net_wrong(*edits: tuple[str, str]) -> str:
    """A wrong network: the solution with edits."""
    return edited(NET_SOLUTION, *edits)


make_net = Exercise(
    id="06.3", title="Spot three bugs: a network for five classes", answer="make_net", difficulty=1, minutes=3,
    given=GIVEN,
    stub=NET + "    ...", solution_source=NET_SOLUTION, check=check_make_net,
    hints=(
        "Follow one picture through the layers: how many channels, and how many pixels a side, after each?",
        "A 3×3 convolution without padding takes a pixel from each side, the pooling halves. What shape does the "
        "linear layer get, and how many labels has an episode?",
        "28 → 26 → 13: torch.nn.Flatten() makes 32 · 13 · 13 numbers of a picture, and the outputs are `way`.",
    ),
    wrong=(
        (NET + "    return torch.nn.Sequential(torch.nn.Conv2d(1, 32, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), "
               "torch.nn.Linear(32 * 6 * 6, 10))", f"{SIX}, {TEN}, {NO_FLATTEN}"),
        (net_wrong(("32 * 13 * 13", "32 * 6 * 6")), SIX),
        (net_wrong((", way)", ", 10)")), TEN),
        (net_wrong((", way)", ", 5)")), FIVE),
        (net_wrong((", way)", ", 5)"), ("torch.nn.Flatten(), ", "")), f"{NO_FLATTEN}, {FIVE}"),
        (net_wrong(("torch.nn.Flatten(), ", "")), NO_FLATTEN),
        (net_wrong(("32 * 13 * 13, way", "32 * 6 * 6, 10")), f"{SIX}, {TEN}"),
        (net_wrong(("Conv2d(1, 32, 3)", "Conv2d(1, 32, 3, padding=1)"), ("32 * 13 * 13", "32 * 14 * 14")), OTHER_NET),
        (net_wrong((", torch.nn.ReLU()", "")), OTHER_NET),
        (net_wrong(("MaxPool2d", "AvgPool2d")), OTHER_NET),
        (net_wrong((", way)]", ", way), torch.nn.Softmax(1)]")), SOFTMAX),
    ),
    mutations=(
        (LAYERS, "    layers = [torch.nn.Conv2d(1, 32, 3, stride=2), torch.nn.ReLU()]"),
        (HEAD, "    head = [torch.nn.Flatten(), torch.nn.Linear(32 * 13 * 13, way + 1)]"),
        (HEAD, "    head = [torch.nn.Flatten(0), torch.nn.Linear(32 * 13 * 13, way)]"),
    ))

# ---------------------------------------------------------------- 06.4

STEP = '''\
def inner_step(theta, forward, x, y, alpha, shot):
    """One inner step in which alpha means what it means in the authors' code.

    theta: a dict of tensors that require gradients; forward(theta, x): logits (N·K, N)
    x, y: the support set, N·K samples; shot: K
    Returns a dict with the keys and shapes of theta; the outer loop differentiates through it.
    """
'''
STEP_GIVEN = '''\
def inner_step_broken(theta, forward, x, y, alpha, shot):
    """Runs and learns; alpha = 0.4, as published for 5-way. And yet ..."""
    loss = torch.nn.functional.cross_entropy(forward(theta, x), y)
    g = torch.autograd.grad(loss, list(theta.values()), create_graph=True)
    return {name: p - alpha * each for (name, p), each in zip(theta.items(), g)}'''
LOSS = '    loss = torch.nn.functional.cross_entropy(forward(theta, x), y, reduction="sum") / shot'
GRAD = "    g = torch.autograd.grad(loss, list(theta.values()), create_graph=True)"
MOVED = "    return {name: p - alpha * each for (name, p), each in zip(theta.items(), g)}"
STEP_SOLUTION = STEP + "\n".join((LOSS, GRAD, MOVED))


def step_wrong(*edits: tuple[str, str]) -> str:
    """A wrong step: the solution with edits."""
    return edited(STEP_SOLUTION, *edits)


inner_step = Exercise(
    id="06.4", title="Spot the bug: the published rate", answer="inner_step", difficulty=2, minutes=4, given=STEP_GIVEN,
    stub=STEP + "    ...", solution_source=STEP_SOLUTION, check=check_inner_step,
    hints=(
        "The authors' code adds up N·K losses, each divided by K. Which number does cross_entropy make of them, if it "
        "is not told?",
        'reduction="sum" adds them up. What remains is to divide by K.',
        'loss = torch.nn.functional.cross_entropy(forward(theta, x), y, reduction="sum") / shot; the other two '
        "lines stay.",
    ),
    wrong=(
        (step_wrong((', reduction="sum") / shot', ")")), MEAN),
        (step_wrong((" / shot", "")), SUM),
        (step_wrong((" / shot", " / (len(y) / shot)")), BY_WAY),
        (step_wrong((', reduction="sum") / shot', ") / shot")), BY_BOTH),
        (step_wrong((', reduction="sum") / shot', ") * 5")), FIVE),
        (step_wrong(("p - alpha", "p + alpha")), "gradient ascent"),
        (step_wrong((', reduction="sum") / shot', ")"), ("p - alpha", "p + alpha")), f"{MEAN}, gradient ascent"),
        (step_wrong((", create_graph=True", "")), FIRST_ORDER),
        (step_wrong((', reduction="sum") / shot', ")"), (", create_graph=True", "")), f"{MEAN}, {FIRST_ORDER}"),
        (step_wrong((MOVED, MOVED.replace("p - alpha * each", "(p - alpha * each).detach()"))), CUT),
        (step_wrong((MOVED, "    for p, each in zip(theta.values(), g):\n        p.data -= alpha * each\n"
                            "    return dict(theta)")), IN_PLACE),
    ),
    mutations=(
        (LOSS, '    loss = torch.nn.functional.cross_entropy(forward(theta, x), y, reduction="sum") / shot ** 2'),
        (GRAD, "    g = torch.autograd.grad(loss, list(theta.values()), retain_graph=True)"),
        (MOVED, "    return {name: p - alpha**2 * each for (name, p), each in zip(theta.items(), g)}"),
    ))

# ---------------------------------------------------------------- 06.5

WAYS = '''\
def both_ways(predict, queries, labels):
    """The share of queries that are right, predicted in one batch and one at a time.

    predict: pictures (M, 1, 28, 28) to logits (M, N), for any M >= 1
    queries (M, 1, 28, 28); labels (M,)
    Returns two numbers in [0, 1]: in company, alone.
    """
'''
COMPANY = "    company = predict(queries).argmax(1)"
ALONE = "    alone = torch.cat([predict(queries[i:i + 1]) for i in range(len(queries))]).argmax(1)"
SHARES = "    return tuple(float((said == labels).float().mean()) for said in (company, alone))"
WAYS_SOLUTION = WAYS + "\n".join((COMPANY, ALONE, SHARES))


def ways_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 06.5: the solution with edits."""
    return edited(WAYS_SOLUTION, *edits)


both_ways = Exercise(
    id="06.5", title="Alone and in company", answer="both_ways", difficulty=1, minutes=4,
    stub=WAYS + "    ...", solution_source=WAYS_SOLUTION, check=check_both_ways,
    hints=(
        "In company is one call of predict; alone is one call for each query.",
        "queries[i:i + 1] is a batch of one. torch.cat puts the logits of all such batches together.",
        "company = predict(queries).argmax(1); alone = torch.cat([predict(queries[i:i + 1]) for i in "
        "range(len(queries))]).argmax(1); return the two means of (said == labels).",
    ),
    wrong=(
        (ways_wrong(("(company, alone)", "(alone, company)")), SWAPPED),
        (ways_wrong((ALONE, "    alone = torch.stack([predict(queries)[i] for i in range(len(queries))]).argmax(1)")),
         ONE_BATCH),
        (ways_wrong(("queries[i:i + 1])", "queries[[i, i]])[:1]")), COPIES),
        (ways_wrong(("queries[i:i + 1]", "queries[i]")), ONE_PICTURE),
        (ways_wrong((ALONE, "    for i in range(len(queries)):\n        alone = predict(queries[i:i + 1]).argmax(1)")),
         ONE_QUERY),
        (ways_wrong(("float((said", "100 * float((said")), PER_CENT),
        (ways_wrong((".float().mean()", ".float().sum()")), COUNTED),
        (ways_wrong(("float((said", "100 * float((said"), ("(company, alone)", "(alone, company)")),
         f"{SWAPPED}, {PER_CENT}"),
    ),
    mutations=(
        (COMPANY, "    company = predict(queries).argmin(1)"),
        (ALONE, "    alone = torch.cat([predict(queries[:i + 1])[-1:] for i in range(len(queries))]).argmax(1)"),
        (SHARES, "    return tuple(float((said != labels).float().mean()) for said in (company, alone))"),
    ))

EXERCISES = (draw_episode, leaks, make_net, inner_step, both_ways, verdicts)
