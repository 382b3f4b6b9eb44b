"""Exercises of lesson 00: read an episode, tell support from query, classify by the nearest neighbour, put an interval
around a score and say what it allows."""

from __future__ import annotations

from mlcourse.exercises.by_hand import BY_LIBRARY, BY_PACKAGE
from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l00_start.checks import (DISTANCES, LOOKED, NEITHER, NO_PAIRS, NOT_FLAT, check_nearest,
                                               check_read_episode, check_support_or_query)
from mlcourse.lessons.l00_start.checks_interval import check_claims, check_interval

READ_EPISODE = '''\
def read_episode(episode):
    """The numbers that describe one episode.

    episode: a single episode (no task dimension) with support_x (way·shot, 1, 28, 28), support_y,
             query_x (way·query, 1, 28, 28), query_y and unlabeled_x (unlabeled, 1, 28, 28)
    Returns a dict: "way", the number of classes; "shot" and "query", the support and the query
    samples of each class; "unlabeled", the unlabelled samples in all.
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
    # c: training over many episodes lowers the loss after adaptation, taken on these samples
    "c": ...,
    # d: a model is adapted to the new characters by gradients of its loss on these samples
    "d": ...,
    # e: a user of the finished system brings five labelled pictures of each new class: these are
    "e": ...,
    # f: a sample of this set may also stand in the other set of the same episode
    "f": ...,
}'''
SUPPORT_OR_QUERY_SOLUTION = edited(
    SUPPORT_OR_QUERY, ('"a": ...', '"a": "support"'), ('"b": ...', '"b": "query"'), ('"c": ...', '"c": "query"'),
    ('"d": ...', '"d": "support"'), ('"e": ...', '"e": "support"'), ('"f": ...', '"f": "neither"'))

INTERVAL = '''\
def interval(scores):
    """The mean of n scores and the half-width of its 95 % interval, 1.96 sd / √n.

    scores: float32 tensor (n,), such as the accuracy in each of n episodes; sd is scores.std()
    Returns (mean, half): two numbers.
    """
'''
INTERVAL_SOLUTION = INTERVAL + '''\
    mean, sd = scores.mean(), scores.std()
    half = 1.96 * sd / len(scores) ** 0.5
    return float(mean), float(half)'''

CLAIMS = '''\
says = {  # write "yes" where the numbers allow the sentence, else "no"
    # a: you have 8 of 10 right, a machine has 9 of 10: the machine is better than you
    "a": ...,
    # b: the intervals of these two scores overlap: you and the machine are equally good
    "b": ...,
    # c: on the same 200 episodes A is 12 ± 3 points ahead of B: A is better on such episodes
    "c": ...,
    # d: a network has 97 ± 1 % over 200 episodes: on inverted drawings it will have 96 to 98 %
    "d": ...,
    # e: with 800 episodes in place of 200 the interval will be about half as wide
    "e": ...,
}'''
CLAIMS_SOLUTION = edited(
    CLAIMS, ('"a": ...', '"a": "no"'), ('"b": ...', '"b": "no"'), ('"c": ...', '"c": "yes"'),
    ('"d": ...', '"d": "no"'), ('"e": ...', '"e": "yes"'))

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


def interval_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 00.4: the solution with edits."""
    return edited(INTERVAL_SOLUTION, *edits)


def claims_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 00.5: the solution with edits."""
    return edited(CLAIMS_SOLUTION, *edits)


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
            (read_wrong(("episode.support_y.unique()", "episode.classes")), LOOKED),
            (read_wrong(("len(episode.support_y.unique())", "episode.way")), LOOKED),
            (read_wrong(("len(episode.support_x) // way", "len(episode.support_x) // len(episode.classes)")), LOOKED),
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
            (sets_wrong(('"c": "query"', '"c": "support"')), "loss after adaptation on the support set"),
            (sets_wrong(('"a": "support"', '"a": "query"')), "query labels shown to the learner"),
            (sets_wrong(('"e": "support"', '"e": "query"')), "labelled examples of the user taken for a test"),
            (sets_wrong(('"f": "neither"', '"f": "query"')), "support and query overlap"),
            (sets_wrong(('"query"', '"QUERY"'), ('"support"', '"query"'), ('"QUERY"', '"support"')),
             "support and query swapped"),
            (sets_wrong(('"query"', '"QUERY"'), ('"support"', '"query"'), ('"QUERY"', '"support"'),
                        ('"neither"', '"support"')), "support and query swapped, support and query overlap"),
            (sets_wrong(('"a": "support"', '"a": "neither"')), NEITHER),
            (sets_wrong(('"b": "query"', '"b": "neither"'), ('"d": "support"', '"d": "query"'),
                        ('"e": "support"', '"e": "neither"')), f"{NEITHER}, adapted on the query set"),
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
            (nearest_wrong(("support_y[nearest_index]", "distance")), DISTANCES),
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
    Exercise(
        id="00.4", title="An interval, by hand", answer="interval", difficulty=1, minutes=4,
        stub=INTERVAL + "    ...", solution_source=INTERVAL_SOLUTION, check=check_interval,
        hints=(
            "A tensor has the methods mean() and std(); n is its length.",
            "The standard deviation says how far single episodes lie from the mean. The mean of n of them is surer by "
            "√n.",
            "half = 1.96 * scores.std() / len(scores) ** 0.5, and return it after the mean.",
        ),
        wrong=(
            (interval_wrong((" / len(scores) ** 0.5", "")), "the spread of single scores"),
            (interval_wrong((" ** 0.5", "")), "n in place of its root"),
            (interval_wrong(("scores.std()", "scores.var()")), "variance in place of the standard deviation"),
            (interval_wrong(("1.96 * ", "")), "one standard error"),
            (interval_wrong(("1.96 * ", "2 * ")), "2 in place of 1.96"),
            (interval_wrong(("1.96 * ", "2 * 1.96 * ")), "the whole width"),
            (interval_wrong(("float(mean), float(half)", "float(mean - half), float(mean + half)")),
             "the ends in place of mean and half-width"),
            (interval_wrong(("float(mean), float(half)", "float(half), float(mean)")), "mean and half-width swapped"),
            (interval_wrong((" / len(scores) ** 0.5", ""), ("scores.std()", "scores.var()")),
             "the spread of single scores, variance in place of the standard deviation"),
            (INTERVAL + "    from mlcourse.statistics import interval\n    return tuple(interval(scores))", BY_PACKAGE),
        ),
        mutations=(
            ("    mean, sd = scores.mean(), scores.std()", "    mean, sd = scores.median(), scores.std()"),
            ("    half = 1.96 * sd / len(scores) ** 0.5", "    half = 1.96 * sd / len(scores) ** 0.4"),
            ("    half = 1.96 * sd / len(scores) ** 0.5", "    half = 1.64 * sd / len(scores) ** 0.5"),
            ("    return float(mean), float(half)", "    return float(mean), float(mean + half)"),
        )),
    Exercise(
        id="00.5", title="What may you say?", answer="says", difficulty=2, minutes=4,
        stub=CLAIMS, solution_source=CLAIMS_SOLUTION, check=check_claims,
        hints=(
            "Ask of each sentence: what was drawn anew, and does the interval of what is claimed leave out 0?",
            "A claim about two scores needs the interval of their difference. An interval over episodes knows other "
            "episodes of the same kind, and nothing else.",
            "Only c has the interval of a difference, and it leaves out 0; e follows from 1.96 sd/√n; the others "
            "claim what no interval here covers.",
        ),
        wrong=(
            (claims_wrong(('"a": "no"', '"a": "yes"')), "one more right answer taken for a better player"),
            (claims_wrong(('"b": "no"', '"b": "yes"')), "no difference seen taken for no difference"),
            (claims_wrong(('"c": "yes"', '"c": "no"')), "a paired difference not trusted"),
            (claims_wrong(('"d": "no"', '"d": "yes"')), "an interval taken beyond what was drawn"),
            (claims_wrong(('"e": "yes"', '"e": "no"')), "the width not tied to the number of episodes"),
            (claims_wrong(('"b": "no"', '"b": "yes"'), ('"d": "no"', '"d": "yes"')),
             "no difference seen taken for no difference, an interval taken beyond what was drawn"),
        ),
        mutations=tuple((f'    "{key}": "{right}",', f'    "{key}": "{wrong}",') for key, right, wrong in (
            ("a", "no", "yes"), ("b", "no", "yes"), ("c", "yes", "no"), ("d", "no", "yes"), ("e", "yes", "no")))),
)
