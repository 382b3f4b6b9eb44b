"""Exercises of lesson 00: read an episode, tell support from query, classify by the nearest neighbour."""

from __future__ import annotations

from mlcourse.exercises.by_hand import BY_LIBRARY
from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l00_start.checks import (NO_PAIRS, NOT_FLAT, check_nearest, check_read_episode,
                                               check_support_or_query)

READ_EPISODE = '''\
def read_episode(episode):
    """The numbers that describe one episode of N classes.

    episode: a single episode (no task dimension) with support_x (N·K, 1, 28, 28), support_y (N·K,),
             query_x (N·Q, 1, 28, 28), query_y (N·Q,) and unlabeled_x (U, 1, 28, 28)
    Returns a dict: "way" N, "shot" K (support samples of each class), "query" Q (query samples of
    each class), "unlabeled" U (unlabelled samples in all: without labels nobody can count per class).
    """
'''
READ_EPISODE_SOLUTION = READ_EPISODE + '''\
    way = len(episode.support_y.unique())
    shot = len(episode.support_x) // way
    query = len(episode.query_x) // way
    unlabeled = len(episode.unlabeled_x)
    return {"way": way, "shot": shot, "query": query, "unlabeled": unlabeled}'''

SUPPORT_OR_QUERY = '''\
answers = {  # write "support", "query" or "neither"
    # a: the learner sees the labels of these samples before it predicts
    "a": ...,
    # b: the accuracy of an episode is computed on these samples
    "b": ...,
    # c: MAML (lesson 03) trains its starting point by a loss after adaptation, the outer loss, on these samples
    "c": ...,
    # d: the inner loop, which adapts a model to the new task, computes its gradients on these samples
    "d": ...,
    # e: a user of the finished system brings five labelled pictures of each new class along: these are
    "e": ...,
    # f: a sample of this set may also stand in the other set of the same episode
    "f": ...,
}'''
SUPPORT_OR_QUERY_SOLUTION = edited(
    SUPPORT_OR_QUERY, ('"a": ...', '"a": "support"'), ('"b": ...', '"b": "query"'), ('"c": ...', '"c": "query"'),
    ('"d": ...', '"d": "support"'), ('"e": ...', '"e": "support"'), ('"f": ...', '"f": "neither"'))

NEAREST = '''\
def nearest(support_x, support_y, query_x):
    """The label of the nearest support sample, by Euclidean distance over the pixels.

    support_x (S, 1, 28, 28) and query_x (M, 1, 28, 28) float32 in [0, 1], support_y (S,) int64
    Returns int64 labels of shape (M,), one for each query sample.
    """
'''
NEAREST_SOLUTION = NEAREST + '''\
    difference = query_x[:, None] - support_x[None]
    distance = (difference ** 2).sum((2, 3, 4))
    nearest_index = distance.argmin(1)
    return support_y[nearest_index]'''


def read_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 00.1: the solution with edits."""
    return edited(READ_EPISODE_SOLUTION, *edits)


def sets_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 00.2: the solution with edits."""
    return edited(SUPPORT_OR_QUERY_SOLUTION, *edits)


def nearest_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 00.3: the solution with edits."""
    return edited(NEAREST_SOLUTION, *edits)


EXERCISES = (
    Exercise(
        id="00.1", title="Read an episode", answer="read_episode", difficulty=1, minutes=5,
        stub=READ_EPISODE + "    ...", solution_source=READ_EPISODE_SOLUTION, check=check_read_episode,
        hints=(
            "The way is the number of different labels in the support set; the other numbers follow from lengths.",
            "support_x holds the support samples of all classes together, N·K of them; you know N and want K.",
            "way = len(episode.support_y.unique()), and the shot is len(episode.support_x) // way; query goes the same "
            "way, and unlabeled is the plain length of unlabeled_x.",
        ),
        wrong=(
            (read_wrong((" // way", "")), "total instead of per class"),
            (read_wrong(("len(episode.support_x)", "episode.support_x.shape[1]"),
                        ("len(episode.query_x)", "episode.query_x.shape[1]")), "a task dimension where there is none"),
            (read_wrong(('"shot": shot, "query": query', '"shot": query, "query": shot')), "shot and query swapped"),
            (read_wrong(("way = len(episode.support_y.unique())", "way = len(episode.support_y)")),
             "samples counted as classes"),
            (read_wrong(("len(episode.support_y.unique())", "int(episode.support_y.max())")), "labels start at 0"),
            (read_wrong(("len(episode.support_y.unique())", "int(episode.classes.max()) + 1")),
             "class ids counted as classes"),
            (read_wrong(("len(episode.support_y.unique())", "int(episode.support_y.max())"),
                        ("len(episode.query_x) // way", "len(episode.query_x)")),
             "labels start at 0, total instead of per class"),
            (read_wrong(("len(episode.support_x) // way", "len(episode.support_x)"),
                        ("len(episode.query_x)", "episode.query_x.shape[1]")),
             "a task dimension where there is none, total instead of per class"),
        ),
        mutations=(
            ("    way = len(episode.support_y.unique())", "    way = len(episode.support_y.unique()) + 1"),
            ("    shot = len(episode.support_x) // way", "    shot = len(episode.support_x)"),
            ("    query = len(episode.query_x) // way", "    query = len(episode.support_x) // way"),
            ("    unlabeled = len(episode.unlabeled_x)", "    unlabeled = len(episode.unlabeled_x) // way"),
        )),
    Exercise(
        id="00.2", title="Support or query?", answer="answers", difficulty=1, minutes=4,
        stub=SUPPORT_OR_QUERY, solution_source=SUPPORT_OR_QUERY_SOLUTION, check=check_support_or_query,
        hints=(
            "Ask of each statement: does the learner adapt on these samples, or is it judged on them?",
            "A learner may use the labels of what it adapts on; a fair judgement needs samples whose labels it has not "
            "used.",
            "a, d and e speak of what the learner is given with labels; b and c speak of how well it does afterwards; "
            "and f would let the learner be judged on a sample whose label it knows.",
        ),
        wrong=(
            (sets_wrong(('"d": "support"', '"d": "query"')), "adapted on the query set"),
            (sets_wrong(('"b": "query"', '"b": "support"')), "scored on the samples it adapted to"),
            (sets_wrong(('"c": "query"', '"c": "support"')), "outer loss on the support set"),
            (sets_wrong(('"a": "support"', '"a": "query"')), "query labels shown to the learner"),
            (sets_wrong(('"e": "support"', '"e": "query"')), "labelled examples of the user taken for a test"),
            (sets_wrong(('"f": "neither"', '"f": "query"')), "support and query overlap"),
            (sets_wrong(('"query"', '"QUERY"'), ('"support"', '"query"'), ('"QUERY"', '"support"')),
             "support and query swapped"),
            (sets_wrong(('"b": "query"', '"b": "support"'), ('"f": "neither"', '"f": "query"')),
             "scored on the samples it adapted to, support and query overlap"),
        ),
        mutations=tuple((f'    "{key}": "{right}",', f'    "{key}": "{wrong}",') for key, right, wrong in (
            ("a", "support", "neither"), ("b", "query", "support"), ("c", "query", "neither"),
            ("d", "support", "query"), ("e", "support", "neither"), ("f", "neither", "support")))),
    Exercise(
        id="00.3", title="The nearest neighbour, by hand", answer="nearest", difficulty=2, minutes=8,
        stub=NEAREST + "    ...", solution_source=NEAREST_SOLUTION, check=check_nearest,
        hints=(
            "For each query sample, measure its distance to every support sample and copy the label of the nearest.",
            "query_x[:, None] - support_x[None] has shape (M, S, 1, 28, 28): every query minus every support picture. "
            "Square it and sum over the last three dimensions.",
            "With distance of shape (M, S), distance.argmin(1) is the position of the nearest support sample of each "
            "query; index support_y with it.",
        ),
        wrong=(
            (nearest_wrong(("argmin(1)", "argmax(1)")), "farthest instead of nearest"),
            (nearest_wrong(("support_y[nearest_index]", "nearest_index")), "index instead of label"),
            (nearest_wrong(("argmin(1)", "argmin(0)")), "minimum over the wrong axis"),
            (nearest_wrong(("sum((2, 3, 4))", "sum(-1)")), "not one distance per pair"),
            (nearest_wrong(("(difference ** 2)", "difference")), "differences that cancel"),
            (nearest_wrong(("difference ** 2", "difference.abs()")), "another distance"),
            (nearest_wrong(("argmin(1)", "argmax(1)"), ("support_y[nearest_index]", "nearest_index")),
             "index instead of label, farthest instead of nearest"),
            (nearest_wrong(("support_y[nearest_index]", "support_y[nearest_index].float() + 0.4")),
             "a label that is no label"),
            (nearest_wrong(("argmin(1)", "argmin(1, keepdim=True)")), "a dimension too many"),
            (NEAREST + "    return support_y[torch.cdist(query_x, support_x).argmin(1)]", NOT_FLAT),
            (nearest_wrong(("query_x[:, None] - support_x[None]", "query_x - support_x")), NO_PAIRS),
            (NEAREST + '''\
    from sklearn.neighbors import KNeighborsClassifier
    one = KNeighborsClassifier(1).fit(support_x.flatten(1).numpy(), support_y.numpy())
    return one.predict(query_x.flatten(1).numpy())''', BY_LIBRARY),
        ),
        mutations=(
            ("    difference = query_x[:, None] - support_x[None]",
             "    difference = query_x[:, None] + support_x[None]"),
            ("    distance = (difference ** 2).sum((2, 3, 4))", "    distance = (difference ** 2).sum((2, 3))"),
            ("    nearest_index = distance.argmin(1)", "    nearest_index = distance.argmin()"),
            ("    return support_y[nearest_index]", "    return support_y[:len(query_x)]"),
        )),
)
