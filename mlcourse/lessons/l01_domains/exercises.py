"""Exercises of lesson 01: situations told apart, PAD by hand, its two classic bugs, and which factor changed; those on
the remedy lie in `exercises_remedy`."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l01_domains import exercises_remedy
from mlcourse.lessons.l01_domains.checks import (ABSOLUTE, ACCURACY, ANOTHER, BARE, CLIPPED, COPIES, HALF,
                                                 IGNORED, INNER, MARGINAL, ONE_KIND, POOLED, RIGHT_COUNTED, SAME_SPLIT,
                                                 SITUATIONS, SUMMED, TRAINING_HALF, TURNED, UNEQUAL, UNSHUFFLED,
                                                 check_distance, check_name_shift, check_pad, check_situations)

# ---------------------------------------------------------------- 01.1

SITUATION = '''\
situations = {  # home → away: write "task", "domain", "modality" or "domain and task"
    "a": ...,   # typeset digits: which digit? → the same pictures: is the type slanted?
    "b": ...,   # typeset digits: which digit? → handwritten digits of that size: which digit?
    "c": ...,   # one office's e-mails: spam? → the same e-mails: which department answers?
    "d": ...,   # film reviews as text: does the writer like it? → as sound: does the speaker?
    "e": ...,   # X-rays of hospital A: pneumonia? → of hospital B, other scanner: pneumonia?
    "f": ...,   # typeset digits: which digit? → photographs of that size: cat or dog?
}'''


def answered(**answers: str) -> str:
    """The situations with these answers, the others right."""
    edits = [(f'"{key}": ...', f'"{key}": "{answers.get(key, right)}"') for key, (right, _, _) in SITUATIONS.items()]
    return edited(SITUATION, *edits)


situations = Exercise(
    id="01.1", title="Task, domain or modality?", answer="situations", difficulty=1, minutes=3,
    stub=SITUATION, solution_source=answered(), check=check_situations,
    hints=(
        "Ask three questions of each pair, in this order: is the input of another kind? Do the inputs come from "
        "somewhere else? Is something else asked of them?",
        "Another kind of input (a sound in place of a text) is another modality. The same kind from another source is "
        "another domain. Another set of answers is another task.",
        "a and c ask something new of the same inputs; b and e ask the same of inputs that are made otherwise; d has "
        "sound where there was text; f changes the pictures and the question.",
    ),
    wrong=(
        (answered(a="domain"), SITUATIONS["a"][1]), (answered(b="task"), SITUATIONS["b"][1]),
        (answered(c="domain and task"), SITUATIONS["c"][1]), (answered(d="domain"), SITUATIONS["d"][1]),
        (answered(e="task"), SITUATIONS["e"][1]), (answered(f="domain"), SITUATIONS["f"][1]),
        (answered(a="domain", c="domain", b="task", e="task"), "task and domain swapped"),
        (answered(a="domain", c="domain", b="task", e="task", f="task"),
         f"task and domain swapped, {SITUATIONS['f'][1]}"),
        (answered(a="domain", d="domain"), f"{SITUATIONS['a'][1]}, {SITUATIONS['d'][1]}"),
        (answered(e="modality"), "another scanner called another modality"),
        (answered(d="task"), "another kind of input called another task"),
        (answered(d="domain and task"), ANOTHER["d", "task"][0]),
        (answered(a="modality", b="modality", f="modality"), ONE_KIND[0]), (answered(c="modality"), ONE_KIND[0]),
    ),
    mutations=tuple(exercises_remedy.mutated(answered(), key, wrong) for key, wrong in (
        ("a", "modality"), ("b", "modality"), ("d", "task"), ("e", "domain and task"), ("f", "task"))))

# ---------------------------------------------------------------- 01.2

PAD = '''\
def pad(said_home, said_away):
    """The proxy A-distance, 2 (1 - 2 err), from what a discriminator said of held-out samples.

    said_home (n,), said_away (m,): bool tensors, True where it said "away"; n and m may differ
    err: the mean of two error rates, that on home and that on away samples
    Returns one number, not clipped.
    """
'''
PAD_SOLUTION = PAD + '''\
    home_error = said_home.double().mean()
    away_error = (~said_away).double().mean()
    error = (home_error + away_error) / 2
    return float(2 * (1 - 2 * error))'''
ERROR = "    error = (home_error + away_error) / 2"
RETURN = "    return float(2 * (1 - 2 * error))"


def pad_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 01.2: the solution with edits."""
    return edited(PAD_SOLUTION, *edits)


pad = Exercise(
    id="01.2", title="PAD by hand", answer="pad", difficulty=1, minutes=3,
    stub=PAD + "    ...", solution_source=PAD_SOLUTION, check=check_pad,
    hints=(
        "A mistake on a home sample is to call it away; a mistake on an away sample is not to.",
        "Take the share of mistakes on each side, then the mean of the two shares: a side with more samples must not "
        "count for more.",
        "home_error = said_home.double().mean(), away_error = (~said_away).double().mean(); the result is "
        "2 * (1 - (home_error + away_error)).",
    ),
    wrong=(
        (pad_wrong((ERROR, "    error = 1 - (home_error + away_error) / 2")), ACCURACY),
        (pad_wrong((ERROR, "    error = (said_home.sum() + (~said_away).sum()) / (len(said_home) + len(said_away))")),
         POOLED),
        (pad_wrong((ERROR, "    error = home_error + away_error")), SUMMED),
        (pad_wrong((RETURN, "    return float(2 * (1 - error))")), INNER),
        (pad_wrong((RETURN, "    return float(1 - 2 * error)")), HALF),
        (pad_wrong((RETURN, "    return max(0.0, float(2 * (1 - 2 * error)))")), CLIPPED),
        (pad_wrong((RETURN, "    return float(error)")), BARE),
        (pad_wrong(("(~said_away)", "said_away")), TURNED),
        (pad_wrong((RETURN, "    return abs(float(2 * (1 - 2 * error)))")), ABSOLUTE),
        (pad_wrong((ERROR, "    error = (said_home.sum() + (~said_away).sum()) / (len(said_home) + len(said_away))"),
                   (RETURN, "    return float(1 - 2 * error)")), f"{POOLED}, {HALF}"),
        (pad_wrong((RETURN, "    return max(0.0, float(1 - 2 * error))")), f"{HALF}, {CLIPPED}"),
    ),
    mutations=(
        ("    home_error = said_home.double().mean()", "    home_error = (~said_home).double().mean()"),
        ("    away_error = (~said_away).double().mean()", "    away_error = home_error"),
        (ERROR, "    error = home_error"),
        (RETURN, "    return float(2 * (1 - error**2))"),
    ))

# ---------------------------------------------------------------- 01.3

DISTANCE_GIVEN = '''\
def distance_broken(a, b, fit, generator):
    """Runs without an error, and says that a domain lies far from itself."""
    half = len(a) // 2
    rows_a = torch.randperm(len(a), generator=generator)[:half]
    rows_b = torch.randperm(len(b), generator=generator)[:half]
    x = torch.cat([a[rows_a], b[rows_b]])
    y = torch.arange(2).repeat_interleave(half)
    says = fit(x, y)
    error = (says(x) != y).double().mean()
    return float(2 * (1 - 2 * error))'''
DISTANCE = '''\
def distance(a, b, fit, generator):
    """The proxy A-distance between two domains, from one random split into halves.

    a, b: features (n, d); row i of b is the sample of row i of a, shifted
    fit(x, y): trains on rows x with labels y, 0 from a and 1 from b; it returns a function
        says, and says(rows) gives the labels, 0 or 1, that it would answer for other rows
    generator: deals the rows
    """
'''
DISTANCE_SOLUTION = DISTANCE + '''\
    half = len(a) // 2
    order = torch.randperm(len(a), generator=generator)
    train, test = order[:half], order[half:]
    says = fit(torch.cat([a[train], b[train]]), torch.arange(2).repeat_interleave(len(train)))
    x, y = torch.cat([a[test], b[test]]), torch.arange(2).repeat_interleave(len(test))
    error = (says(x) != y).double().mean()
    return float(2 * (1 - 2 * error))'''
ORDER = "    order = torch.randperm(len(a), generator=generator)"
SPLIT = "    train, test = order[:half], order[half:]"
FIT = "    says = fit(torch.cat([a[train], b[train]]), torch.arange(2).repeat_interleave(len(train)))"
MEASURED = "    x, y = torch.cat([a[test], b[test]]), torch.arange(2).repeat_interleave(len(test))"
LAST = "    return float(2 * (1 - 2 * error))"


def distance_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 01.3: the solution with edits."""
    return edited(DISTANCE_SOLUTION, *edits)


OTHER_ORDER = "    other = torch.randperm(len(b), generator=generator)\n"
distance = Exercise(
    id="01.3", title="A domain far from itself", answer="distance", difficulty=3, minutes=8,
    given=DISTANCE_GIVEN, stub=DISTANCE + "    ...", solution_source=DISTANCE_SOLUTION, check=check_distance,
    hints=(
        "Which rows is the error measured on, and had the discriminator seen them? And when row i of a trains, where "
        "is row i of b?",
        "Measure on the half that did not train. Deal the row numbers once and use the same halves for a and b: or a "
        "sample trains under one name and its copy is tested under the other.",
        "order = torch.randperm(len(a), generator=generator); the first half of it trains with a[train] and b[train], "
        "the rest measures with a[test] and b[test].",
    ),
    wrong=(
        (edited(DISTANCE_GIVEN, ("distance_broken", "distance")), f"{TRAINING_HALF}, {COPIES}"),
        (distance_wrong((MEASURED, MEASURED.replace("test", "train"))), TRAINING_HALF),
        (distance_wrong((MEASURED, "    x, y = torch.cat([a, b]), torch.arange(2).repeat_interleave(len(a))")),
         TRAINING_HALF),
        (distance_wrong((FIT, OTHER_ORDER + FIT.replace("b[train]", "b[other[:half]]")),
                        (MEASURED, MEASURED.replace("b[test]", "b[other[half:]]"))), COPIES),
        (distance_wrong((ORDER, "    order = torch.arange(len(a))")), SAME_SPLIT),
        (distance_wrong((ORDER, "    order = torch.randperm(len(a), generator=torch.Generator().manual_seed(0))")),
         SAME_SPLIT),
        (distance_wrong((", generator=generator", "")), IGNORED),
        (distance_wrong((ORDER, "    start = int(torch.randint(len(a), (1,), generator=generator))\n"
                                "    order = torch.arange(len(a)).roll(start)")), UNSHUFFLED),
        (distance_wrong((LAST, "    return max(0.0, float(2 * (1 - 2 * error)))")), CLIPPED),
        (distance_wrong((MEASURED, MEASURED.replace("test", "train")), (LAST, "    return float(1 - 2 * error)")),
         f"{TRAINING_HALF}, {HALF}"),
        (distance_wrong((LAST, "    return float(1 - 2 * error)")), HALF),
        (distance_wrong((MEASURED, MEASURED.replace("torch.arange(2)", "torch.tensor([1, 0])"))), RIGHT_COUNTED),
        (distance_wrong((LAST, "    return float(error)")), BARE),
    ),
    mutations=(
        (SPLIT, "    train, test = order[:half], order[:half]"),
        (FIT, FIT.replace("b[train]", "a[train]")),
        (MEASURED, MEASURED.replace("b[test]", "b[train]")),
        (LAST, "    return float(2 * (1 - error))"),
    ))

# ---------------------------------------------------------------- 01.4

NAME_SHIFT = '''\
def name_shift(home, away):
    """Which shift is it? Compare with torch.allclose(one, other, rtol=0, atol=1e-9).

    home, away: tables (X, Y) of joint probabilities, float64, above 0; rows are x, columns y
    Returns "none" if the tables are equal; else the shift's name by what stays, here at most one:
    "covariate" if P(y|x) does, "label" if P(x|y) does, "concept" if P(x) does, else "several".
    """
'''
NAME_SHIFT_SOLUTION = NAME_SHIFT + '''\
    same = lambda one, other: torch.allclose(one, other, rtol=0, atol=1e-9)
    y_given_x = lambda joint: joint / joint.sum(1, keepdim=True)
    x_given_y = lambda joint: joint / joint.sum(0, keepdim=True)
    if same(home, away):
        return "none"
    if same(y_given_x(home), y_given_x(away)):
        return "covariate"
    if same(x_given_y(home), x_given_y(away)):
        return "label"
    return "concept" if same(home.sum(1), away.sum(1)) else "several"'''
BY_X = "    y_given_x = lambda joint: joint / joint.sum(1, keepdim=True)"
BY_Y = "    x_given_y = lambda joint: joint / joint.sum(0, keepdim=True)"
CONCEPT = '    return "concept" if same(home.sum(1), away.sum(1)) else "several"'
NONE_IF = '    if same(home, away):\n        return "none"\n'
COVARIATE_IF = "    if same(y_given_x(home), y_given_x(away)):"
LABEL_IF = "    if same(x_given_y(home), x_given_y(away)):"


def shift_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 01.4: the solution with edits."""
    return edited(NAME_SHIFT_SOLUTION, *edits)


name_shift = Exercise(
    id="01.4", title="Name the shift", answer="name_shift", difficulty=2, minutes=5,
    stub=NAME_SHIFT + "    ...", solution_source=NAME_SHIFT_SOLUTION, check=check_name_shift,
    hints=(
        "Tell the kinds by what stays the same. What changes is often more than one thing: a label shift changes P(y), "
        "P(x) and P(y|x).",
        "P(y|x) is the joint table with every row divided by its sum, joint.sum(1, keepdim=True); P(x|y) is the table "
        "with every column divided by its sum, joint.sum(0, keepdim=True).",
        "Equal tables first: none. Then equal P(y|x), covariate; equal P(x|y), label; equal P(x), which is "
        "joint.sum(1), concept; else several. Compare with torch.allclose.",
    ),
    wrong=(
        (shift_wrong((COVARIATE_IF, "    if not same(home.sum(1), away.sum(1)):")),
         "every change of P(x) called a covariate shift"),
        (shift_wrong((LABEL_IF, "    if not same(y_given_x(home), y_given_x(away)):"), ('"label"', '"concept"')),
         "every change of P(y|x) called a concept shift"),
        (shift_wrong((LABEL_IF, "    if not same(home.sum(0), away.sum(0)):")),
         "every change of P(y) called a label shift"),
        (shift_wrong((BY_X, BY_X.replace("sum(1", "sum(0")), (BY_Y, BY_Y.replace("sum(0", "sum(1"))),
         "rows and columns swapped"),
        (shift_wrong(("    if same(home, away):",
                      "    if same(home.sum(1), away.sum(1)) and same(home.sum(0), away.sum(0)):")),
         "only the marginals compared"),
        (shift_wrong((CONCEPT, '    return "concept"')), "several changes named as one"),
        (shift_wrong((CONCEPT, '    return "concept"'), ("    if same(home, away):",
                      "    if same(home.sum(1), away.sum(1)) and same(home.sum(0), away.sum(0)):")),
         "only the marginals compared, several changes named as one"),
        (shift_wrong((CONCEPT, CONCEPT.replace("sum(1)", "sum(0)"))), "P(y) compared in place of P(x)"),
        (shift_wrong((NONE_IF, "")), UNEQUAL),
        (shift_wrong((NONE_IF, ""), (CONCEPT, CONCEPT.replace("sum(1)", "sum(0)"))),
         f"P(y) compared in place of P(x), {UNEQUAL}"),
        (shift_wrong((NONE_IF, ""), (COVARIATE_IF, "    if same(home.sum(1), away.sum(1)):"),
                     ('return "covariate"', 'return "concept"'),
                     (CONCEPT, '    return "covariate" if same(y_given_x(home), y_given_x(away)) else "several"')),
         UNEQUAL),
        (shift_wrong((COVARIATE_IF, "    if same(home.sum(1), away.sum(1)):")), MARGINAL),
        (shift_wrong((COVARIATE_IF, "    if same(home.sum(1), away.sum(1)):"),
                     (CONCEPT, CONCEPT.replace("home.sum(1), away.sum(1)", "y_given_x(home), y_given_x(away)"))),
         MARGINAL),
        (shift_wrong((LABEL_IF, "    if same(home.sum(0), away.sum(0)):")), "P(y) taken for P(x|y)"),
        (shift_wrong((COVARIATE_IF, "    if same(home.sum(1), away.sum(1)):"),
                     (LABEL_IF, "    if same(home.sum(0), away.sum(0)):")), f"{MARGINAL}, P(y) taken for P(x|y)"),
    ),
    mutations=(
        (BY_X, "    y_given_x = lambda joint: joint / joint.sum()"),
        (BY_Y, "    x_given_y = lambda joint: joint / joint.sum()"),
        (LABEL_IF, "    if same(home.sum(0), away.sum(0)):"),
        (CONCEPT, '    return "several"'),
    ))

EXERCISES = (situations, pad, distance, name_shift, *exercises_remedy.EXERCISES)
