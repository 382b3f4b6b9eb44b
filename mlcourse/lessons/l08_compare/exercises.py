"""The exercises of lesson 08 on code; those on numbers stand in `exercises_results`."""

from __future__ import annotations

from mlcourse.exercises.by_hand import BY_PACKAGE
from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l08_compare.checks import (NO_GRADIENT, NO_GRAPH, NO_LOSS_GRAPH, NO_SCORE_GRAPH, RAW, TRANSPOSED,
                                                 check_as_linear, check_relations, check_train_step)
from mlcourse.lessons.l08_compare.exercises_results import bound, verdicts

# ---------------------------------------------------------------- 08.1

LINEAR = '''\
def as_linear(z, y, way):
    """The nearest-prototype classifier as a linear layer.

    z (M, D): features of the support set, in any order; y (M,) int64: labels 0 to way - 1,
    not equally many of each
    Returns W (D, way) and b (way,): for f(x) (D,), the features of a query x, f(x) @ W + b are
    logits whose softmax is that of -|f(x) - c_n|² over the classes n. Gradients flow through
    both to z.
    """
'''
MEANS = "    c = torch.stack([z[y == n].mean(0) for n in range(way)])"
WEIGHTS = "    W = 2 * c.T"
BIAS = "    b = -c.square().sum(1)"
LINEAR_SOLUTION = LINEAR + "\n".join((MEANS, WEIGHTS, BIAS, "    return W, b"))


def linear_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 08.1: the solution with edits."""
    return edited(LINEAR_SOLUTION, *edits)


as_linear = Exercise(
    id="08.1", title="Prototypes are a linear layer", answer="as_linear", difficulty=2, minutes=6,
    stub=LINEAR + "    ...", solution_source=LINEAR_SOLUTION, check=check_as_linear,
    hints=(
        "Write -|f(x) - c|² as -(f(x) - c)·(f(x) - c) and multiply it out. Which of the three terms is the same for "
        "all classes?",
        "-|f(x) - c|² = -|f(x)|² + 2 f(x)·c - |c|². A softmax does not change when all its logits change by the same "
        "number.",
        "c = torch.stack([z[y == n].mean(0) for n in range(way)]); W = 2 * c.T; b is minus the squared length of "
        "each c.",
    ),
    wrong=(
        (linear_wrong(("2 * c.T", "c.T")), "half of W"),
        (linear_wrong((BIAS, "    b = torch.zeros(way)")), "no bias"),
        (linear_wrong(("b = -c", "b = c")), "the bias added"),
        (linear_wrong(("2 * c.T", "-2 * c.T"), ("b = -c", "b = c")), "the farthest class wins"),
        (linear_wrong((".square().sum(1)", ".norm(dim=1)")), "the length, not its square"),
        (linear_wrong((".mean(0)", ".sum(0)")), "the sum in place of the mean"),
        (linear_wrong(("z[y == n]", "z[y.sort().values == n]")), "labels taken for sorted"),
        (linear_wrong(("2 * c.T", "2 * c")), TRANSPOSED),
        (linear_wrong(("    c = torch", "    z = z.detach()\n    c = torch")), NO_GRAPH),
        (linear_wrong(("2 * c.T", "c.T"), (BIAS, BIAS + " / 2")), "all logits halved"),
        (linear_wrong(("2 * c.T", "c.T"), (".mean(0)", ".sum(0)")), "half of W, the sum in place of the mean"),
        (LINEAR + "    from mlcourse.lessons.l08_compare.checks import prototypes\n    return prototypes(z, y, way)",
         BY_PACKAGE),
    ),
    mutations=(
        (MEANS, "    c = torch.stack([z[y == n].median(0).values for n in range(way)])"),
        (WEIGHTS, "    W = 2 * c.T.abs()"),
        (BIAS, "    b = -c.square().mean(1)"),
    ))

# ---------------------------------------------------------------- 08.2

STEP = '''\
def train_step(f, classifier, optimiser, e):
    """One step of the optimiser, down the loss of an episode's queries.

    f: the network, features (M, D) of pictures; classifier(features, labels, way) -> W, b: your
    as_linear; e: an episode with support_x, support_y, query_x, query_y and way
    Returns the loss, a scalar with its graph: the mean of -log p(right class | x) over queries.
    """
'''
STEP_GIVEN = '''\
def train_step_broken(f, classifier, optimiser, e):
    """Stops with an error."""
    W, b = classifier(f(e.support_x), e.support_y, e.way)
    said = (f(e.query_x) @ W + b).argmax(1)
    loss = (said != e.query_y).float().mean()             # the share that is wrong
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss'''
CLASSIFIER = "    W, b = classifier(f(e.support_x), e.support_y, e.way)"
LOSS = "    loss = torch.nn.functional.cross_entropy(f(e.query_x) @ W + b, e.query_y)"
ZERO, BACK, MOVE = "    optimiser.zero_grad()", "    loss.backward()", "    optimiser.step()"
STEP_SOLUTION = STEP + "\n".join((CLASSIFIER, LOSS, ZERO, BACK, MOVE, "    return loss"))


def step_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 08.2: the solution with edits."""
    return edited(STEP_SOLUTION, *edits)


train_step = Exercise(
    id="08.2", title="Spot the bug: a step of training", answer="train_step", difficulty=2, minutes=5,
    given=STEP_GIVEN, stub=STEP + "    ...", solution_source=STEP_SOLUTION, check=check_train_step,
    hints=(
        "By how much does argmax change when a weight changes a little?",
        "torch.nn.functional.cross_entropy takes logits and labels; it is minus the logarithm of the right class's "
        "softmax, averaged.",
        "loss = torch.nn.functional.cross_entropy(f(e.query_x) @ W + b, e.query_y); the other lines stay.",
    ),
    wrong=(
        (STEP + STEP_GIVEN.split("\n", 2)[2], NO_GRADIENT),
        (step_wrong((ZERO + "\n", "")), "gradients pile up"),
        *((step_wrong(("return loss", f"return {loss}")), NO_LOSS_GRAPH)
          for loss in ("loss.item()", "loss.detach()")),
        (step_wrong((CLASSIFIER, CLASSIFIER + "\n    W, b = W.detach(), b.detach()")),
         "the classifier without its graph"),
        (step_wrong(("f(e.query_x) @ W + b, e.query_y", "f(e.support_x) @ W + b, e.support_y")),
         "judged on the support set"),
        (step_wrong(("f(e.query_x) @ W + b,", "(f(e.query_x) @ W + b).softmax(1),")), "softmax twice"),
        (step_wrong(("e.query_y)", 'e.query_y, reduction="sum")')), "the sum over the queries"),
        (step_wrong((ZERO + "\n", ""), ("e.query_y)", 'e.query_y, reduction="sum")')),
         "gradients pile up, the sum over the queries"),
        (step_wrong((ZERO + "\n", ""), ("return loss", "return loss.item()")), f"gradients pile up, {NO_LOSS_GRAPH}"),
    ),
    mutations=(
        (LOSS, "    loss = torch.nn.functional.cross_entropy(f(e.query_x) @ W - b, e.query_y)"),
        (CLASSIFIER, "    W, b = classifier(f(e.query_x), e.query_y, e.way)"),
        (MOVE, "    f(e.query_x)"),
    ))

# ---------------------------------------------------------------- 08.4

RELATIONS = '''\
def relations(f, compare, support_x, query_x):
    """The same scores, mended.

    f: feature maps (M, C, h, w) of M pictures; compare: scores (P, 1) in [0, 1] of P pairs
    (P, 2C, h, w), the class's maps before the query's
    support_x: a picture (1, side, side) of each class, in order; query_x: those of the queries
    Returns (queries, classes): the score of each query for each class, with its graph.
    """
'''
RELATIONS_GIVEN = '''\
def relations_broken(f, compare, support_x, query_x):
    """Scores of all pairs of query and class, in one call. Two bugs."""
    way, asked = len(support_x), len(query_x)
    first = support_x.repeat(asked, 1, 1, 1)                 # 0 1 2 0 1 2 ...
    second = query_x.repeat_interleave(way, 0)               # 0 0 0 1 1 1 ...
    return compare(f(torch.cat([first, second], 1))).reshape(way, asked).T'''
SIZES = "    way, asked = len(support_x), len(query_x)"
FIRST = "    first = f(support_x).repeat(asked, 1, 1, 1)"
SECOND = "    second = f(query_x).repeat_interleave(way, 0)"
PAIRS = "    return compare(torch.cat([first, second], 1)).reshape(asked, way)"
RELATIONS_SOLUTION = RELATIONS + "\n".join((SIZES, FIRST, SECOND, PAIRS))


def relations_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 08.4: the solution with edits."""
    return edited(RELATIONS_SOLUTION, *edits)


INPUTS = ("f(support_x)", "support_x"), ("f(query_x)", "query_x"), ("compare(torch.cat([first, second], 1))",
                                                                     "compare(f(torch.cat([first, second], 1)))")
TRANSPOSE = ("reshape(asked, way)", "reshape(way, asked).T")
relations = Exercise(
    id="08.4", title="Spot two bugs: scores of pairs", answer="relations", difficulty=2, minutes=5,
    given=RELATIONS_GIVEN, stub=RELATIONS + "    ...", solution_source=RELATIONS_SOLUTION, check=check_relations,
    hints=(
        "What does f see in the broken version: one picture, or two? And which pair is the second one "
        "that compare scores?",
        "The pairs come query by query: class 0, 1, ... with query 0, then with query 1. In reshape the last dimension "
        "runs fastest.",
        "first = f(support_x).repeat(asked, 1, 1, 1), second = f(query_x).repeat_interleave(way, 0), and "
        "compare(...).reshape(asked, way).",
    ),
    wrong=(
        (relations_wrong(*INPUTS), RAW),
        (RELATIONS + RELATIONS_GIVEN.split("\n", 2)[2], f"{RAW}, queries and classes transposed"),
        (relations_wrong(TRANSPOSE), "queries and classes transposed"),
        (relations_wrong(("repeat_interleave(way, 0)", "repeat(way, 1, 1, 1)")), "the same repetition twice"),
        (relations_wrong(("[first, second]", "[second, first]")), "the query first"),
        (relations_wrong(("1)).reshape", "1)).sigmoid().reshape")), "a sigmoid too many"),
        *((relations_wrong((of, f"{of}.detach()")), NO_SCORE_GRAPH) for of in ("f(support_x)", "f(query_x)")),
        (relations_wrong((".reshape(", ".detach().reshape(")), NO_SCORE_GRAPH),
        (relations_wrong((PAIRS, "    with torch.no_grad():\n    " + PAIRS)), NO_SCORE_GRAPH),
        (relations_wrong((PAIRS, PAIRS + ".tolist()")), NO_SCORE_GRAPH),
        (relations_wrong(("1)).reshape", "1)).sigmoid().detach().reshape")), f"a sigmoid too many, {NO_SCORE_GRAPH}"),
        (relations_wrong(TRANSPOSE, ("[first, second]", "[second, first]")),
         "queries and classes transposed, the query first"),
    ),
    mutations=(
        (FIRST, "    first = f(support_x).repeat_interleave(asked, 0)"),
        (SECOND, "    second = f(query_x.flip(0)).repeat_interleave(way, 0)"),
        (PAIRS, "    return compare(first + second).reshape(asked, way)"),
    ))

EXERCISES = (as_linear, train_step, bound, relations, verdicts)
