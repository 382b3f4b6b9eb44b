"""Checks of lesson 01: transfer situations, PAD, its split, and the factors of P(x, y)."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotAttempted, NotYet, kind

CHOICES = ("task", "domain", "modality", "domain and task")
SITUATIONS = {      # the right answer, the misconception behind another one, and what to look at
    "a": ("task", "a new question called a new domain", "the pictures are the very same, so their space and their "
          "distribution are too; only the question differs, and with it the set of answers"),
    "b": ("domain", "another rendering called another task", "the question and its ten answers are the same; the "
          "pictures are made otherwise, so P(X) differs"),
    "c": ("task", "new answers taken for new inputs", "every e-mail of the target is an e-mail of the source; what "
          "is asked of them differs"),
    "d": ("modality", "another kind of input called another domain", "a sound is no text: the input spaces differ, so "
          "the classifier cannot even be called; where the space is the same and P(X) differs we say domain"),
    "e": ("domain", "another site called another task", "the question is the same in both hospitals; the scanner "
          "changes how the pictures look, and that is P(X)"),
    "f": ("domain and task", "only half of the change named", "two things differ: the pictures come from somewhere "
          "else, and something else is asked of them"),
}


def check_situations(answer: object) -> str:
    """01.1: six pairs of source and target."""
    if answer is None or answer is ... or (isinstance(answer, dict) and answer
                                           and all(value is ... for value in answer.values())):
        raise NotAttempted
    if not isinstance(answer, dict):
        raise NotYet(f"the answers must be a dict with the keys a to f, got {kind(answer)}.")
    if left := [key for key in SITUATIONS if answer.get(key, ...) in (..., None)]:
        raise NotYet(f"still open: {', '.join(left)}.")
    given = {key: " ".join(str(answer[key]).lower().split()) for key in SITUATIONS}
    given = {key: "domain and task" if value == "task and domain" else value for key, value in given.items()}
    for key, value in given.items():
        if value not in CHOICES:
            raise NotYet(f'{key} is {answer[key]!r}; write "task", "domain", "modality" or "domain and task".')
    other = {"task": "domain", "domain": "task"}
    if all(given[key] == other[SITUATIONS[key][0]] for key in "abce"):
        raise Misconception("task and domain swapped", "a task is what is asked, a domain is where the inputs come "
                            "from; look at a, where not one picture changes.")
    wrong = [key for key, (right, _, _) in SITUATIONS.items() if given[key] != right]
    if wrong:
        _, name, why = SITUATIONS[wrong[0]]
        count = "one answer is wrong" if len(wrong) == 1 else f"{len(wrong)} answers are wrong"
        raise Misconception(name, f"look at {wrong[0]}: {why} ({count}).")
    return "Another question: another task. Another source of inputs: another domain. Another kind: another modality."


ACCURACY, POOLED, HALF, CLIPPED = ("accuracy in place of the error", "the larger side counts for more",
                                   "a distance of at most 1", "clipped at 0")
ANSWERS = ((40, 6, 40, 8), (200, 30, 20, 9), (30, 20, 50, 26), (25, 0, 60, 0))      # home, mistakes, away, mistakes


def number(value: object, name: str) -> float:
    """What an answer returned, as one number."""
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        raise NotYet(f"{name} must return one number, got {kind(value)}.") from None


def near(got: float, want: float) -> bool:
    """Whether two distances agree to a millionth."""
    return abs(got - want) <= 1e-6


def check_pad(answer: object) -> str:
    """01.2: PAD from answers, with sides of different sizes and with more mistakes than by chance."""
    pad = LearnerFunction(answer, "pad")
    for seed, (n, wrong_n, m, wrong_m) in enumerate(ANSWERS):
        mix = lambda size: torch.randperm(size, generator=torch.Generator().manual_seed(seed))
        home, away = mix(n) < wrong_n, mix(m) >= wrong_m
        got = number(pad(home.clone(), away.clone()), "pad")
        error = (wrong_n / n + wrong_m / m) / 2
        if not near(got, 2 * (1 - 2 * error)):
            diagnose_pad(got, error, (wrong_n + wrong_m) / (n + m), wrong_n / n, wrong_m / m)
    return f"It agrees in {len(ANSWERS)} cases, one with sides of 200 and 20 samples, one below 0."


def diagnose_pad(got: float, error: float, pooled: float, on_home: float, on_away: float) -> None:
    """Raise what is wrong with a PAD, by comparing it with the answers of known mistakes."""
    known = (
        (ACCURACY, 2 * (1 - 2 * (1 - error)), "the sign is the wrong way round: err is the share of mistakes, so a "
         "discriminator without a mistake has err = 0 and PAD = 2"),
        (POOLED, 2 * (1 - 2 * pooled), "all samples went into one error rate, so a discriminator that always names the "
         "larger side would seem to tell the domains apart; take the error of each side, then their mean"),
        (HALF, 1 - 2 * error, "the outer factor 2 is missing: PAD reaches from about 0 to 2"),
        ("an error and no distance", error, "this is the error; the distance is 2 (1 - 2 err)"),
        ("one side counted the wrong way round", 2 * (1 - on_home - (1 - on_away)), "True means that the discriminator "
         "said away: on an away sample that is right, not a mistake"),
        ("one side counted the wrong way round", 2 * (1 - (1 - on_home) - on_away), "True means that the discriminator "
         "said away: on a home sample that is the mistake"),
    )
    for name, value, why in known:
        if near(got, value):
            raise Misconception(name, why + ".")
    if got == 0 and error > 0.5:
        raise Misconception(CLIPPED, "a negative value became 0; by chance PAD falls below 0 as often as above, and "
                            "clipping would turn a floor of 0 into a positive one.")
    raise NotYet(f"with an error of {on_home:.3f} on home and {on_away:.3f} on away samples PAD is "
                 f"{2 * (1 - 2 * error):.3f}, but you returned {got:.3f}.")


TRAINING_HALF, COPIES, SAME_SPLIT = ("measured on the training half", "copies in both halves",
                                     "the same split every time")
AWAY = 1000          # what marks a row of b in a `Spy`: row i of a holds i, row i of b holds i + AWAY


class Spy:
    """A discriminator that notes which rows train it and which it is asked about, and answers by a fixed rule."""

    def __init__(self):
        self.trained, self.labels, self.asked = [], [], []

    def __call__(self, x: Tensor, y: Tensor):
        self.trained += x[:, 0].long().tolist()
        self.labels += torch.as_tensor(y).long().tolist()
        return self.says

    def says(self, x: Tensor) -> Tensor:
        """Wrong on every third sample of a and on every fifth of b."""
        rows = x[:, 0].long()
        self.asked += rows.tolist()
        number, is_b = rows % AWAY, rows >= AWAY
        return torch.where(is_b, number % 5 != 0, number % 3 == 0).long()


def check_distance(answer: object) -> str:
    """01.3: the split is watched, then a memorising discriminator meets a domain and its copy."""
    distance = LearnerFunction(answer, "distance")
    n, splits = 60, []
    for seed in (0, 1):
        spy = Spy()
        a = torch.stack([torch.arange(n), torch.ones(n, dtype=torch.int64)], 1).double()
        b = a + torch.tensor([AWAY, 0]).double()
        got = number(distance(a, b, spy, torch.Generator().manual_seed(seed)), "distance")
        watch_split(spy, n)
        splits.append(sorted(spy.trained))
        on_a, on_b = ([row for row in spy.asked if (row >= AWAY) == side] for side in (False, True))
        error = (sum(row % 3 == 0 for row in on_a) / len(on_a) + sum(row % 5 == 0 for row in on_b) / len(on_b)) / 2
        if not near(got, 2 * (1 - 2 * error)):
            diagnose_distance(got, error)
    if splits[0] == splits[1]:
        raise Misconception(SAME_SPLIT, "two generators gave the same halves; deal the rows with torch.randperm and "
                            "the generator that is handed in, because rows often lie sorted by class.")
    values = [number(distance(*twins(seed), memorise, torch.Generator().manual_seed(seed)), "distance")
              for seed in range(20)]
    mean = sum(values) / len(values)
    if not abs(mean) < 0.2:
        raise NotYet(f"a domain and its copy should lie about 0 apart, but over 20 splits with a discriminator that "
                     f"remembers its samples the mean is {mean:.2f}.")
    return f"A domain and its copy lie {abs(mean):.1f} apart, even for a discriminator that remembers every sample."


def watch_split(spy: Spy, n: int) -> None:
    """Raise what is wrong with the rows that trained the discriminator and those it was asked about."""
    if not spy.trained or not spy.asked:
        raise NotYet("train a discriminator with fit(x, y), and ask the function that it returns about the other half.")
    trained, asked = set(spy.trained), set(spy.asked)
    if trained & asked:
        raise Misconception(TRAINING_HALF, f"{len(trained & asked)} of the {len(asked)} rows that measured the error "
                            f"had trained the discriminator; one that remembers its rows then tells anything apart.")
    if {row % AWAY for row in trained} & {row % AWAY for row in asked}:
        raise Misconception(COPIES, "row i of a trained while row i of b was tested, or the other way round; they show "
                            "the same sample, so what was learned as one name is punished under the other, and the "
                            "distance falls below 0. Use the same halves for a and b.")
    if spy.labels != [int(row >= AWAY) for row in spy.trained]:
        raise NotYet("the labels of the training rows must be 0 for rows of a and 1 for rows of b.")
    sides = [sum((row >= AWAY) == side for row in rows) for rows in (trained, asked) for side in (False, True)]
    if sides != [n // 2] * 4:
        raise NotYet(f"with {n} rows in a and in b, {n // 2} of each train and {n // 2} of each measure; yours were "
                     f"{sides[0]} and {sides[1]}, then {sides[2]} and {sides[3]}.")


def diagnose_distance(got: float, error: float) -> None:
    """Raise what is wrong with the value where the split is right."""
    if near(got, 1 - 2 * error):
        raise Misconception(HALF, "the outer factor 2 is missing: PAD reaches from about 0 to 2.")
    if near(got, error):
        raise Misconception("an error and no distance", "this is the error on the held-out half; the distance is "
                            "2 (1 - 2 err).")
    raise NotYet(f"the split is right; with an error of {error:.3f} on the held-out half PAD is "
                 f"{2 * (1 - 2 * error):.3f}, but you returned {got:.3f}.")


def memorise(x: Tensor, y: Tensor):
    """A discriminator that answers with the label of the nearest training row."""
    return lambda rows: y[torch.cdist(rows, x).argmin(1)]


def twins(seed: int) -> tuple[Tensor, Tensor]:
    """A domain (200, 2) float64 and the same samples measured again, with a little noise."""
    noise = torch.randn(3, 200, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return noise[0] + 1e-3 * noise[1], noise[0] + 1e-3 * noise[2]


def joint(seed: int) -> Tensor:
    """A random joint distribution (4, 3) of x and y, float64, every entry at least a hundredth or so."""
    table = 0.2 + torch.rand(4, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return table / table.sum()


def worlds(seed: int) -> list[tuple[Tensor, Tensor, str]]:
    """Pairs of joint distributions, with the name of what differs."""
    p, q = joint(2 * seed), joint(2 * seed + 1)
    by_x = q.sum(1, keepdim=True) / p.sum(1, keepdim=True)
    by_y = q.sum(0, keepdim=True) / p.sum(0, keepdim=True)
    rule = p.sum(1, keepdim=True) * q / q.sum(1, keepdim=True)
    corner = torch.zeros_like(p)
    corner[:2, :2] = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]) * 0.4 * p[:2, :2].min()
    return [(p, p.clone(), "none"), (p, p * by_x, "covariate"), (p, p * by_y, "label"), (p, rule, "concept"),
            (p, p + corner, "concept"), (p, q, "several")]


def check_name_shift(answer: object) -> str:
    """01.4: random tables in which one factor changed, none, or all."""
    name_shift = LearnerFunction(answer, "name_shift")
    pairs, said = [pair for seed in range(3) for pair in worlds(seed)], []
    for source, target, _ in pairs:
        got = name_shift(source.clone(), target.clone())
        if not isinstance(got, str) or got not in ("none", "covariate", "label", "concept", "several"):
            raise NotYet(f'return "none", "covariate", "label", "concept" or "several", got '
                         f"{got if isinstance(got, str) else kind(got)!r}.")
        said.append(got)
    diagnose_names([(want, got, bool(torch.allclose(source.sum(0), target.sum(0))))
                    for (source, target, want), got in zip(pairs, said)])
    return f"All {len(pairs)} pairs of worlds are named right."


def diagnose_names(answers: list[tuple[str, str, bool]]) -> None:
    """Raise what is wrong with the names: (right, given, whether P(y) stayed) of each pair."""
    given = lambda want, got: any((right, said) == (want, got) for right, said, _ in answers)
    known = (
        ("only the marginals compared", any(right == "concept" and said == "none" for right, said, _ in answers),
         "two tables with equal P(x) and equal P(y) can still differ in P(y|x); compare the whole tables before you "
         "say none"),
        ("rows and columns swapped", given("covariate", "label") and given("label", "covariate"),
         "rows are x and columns y, so P(y|x) divides each row by its sum, over dimension 1, and P(x|y) each column"),
        ("every change of P(x) called a covariate shift", given("label", "covariate") or given("several", "covariate"),
         "a label shift changes P(x) as well; it is a covariate shift only where P(y|x) stays"),
        ("every change of P(y) called a label shift", given("concept", "label") or given("several", "label"),
         "P(y) can change in every one of these shifts; it is a label shift only where P(x|y) stays"),
        ("several changes named as one", given("several", "concept") and not given("label", "concept"),
         "where P(x), P(y|x) and P(x|y) all differ, no one name fits"),
        ("every change of P(y|x) called a concept shift", given("label", "concept") or given("several", "concept"),
         "a label shift changes P(y|x) as well; it is a concept shift only where P(x) stays"),
    )
    for name, found, why in known:
        if found:
            raise Misconception(name, why + ".")
    for right, said, _ in answers:
        if right != said:
            raise NotYet(f'a pair of worlds that differ in "{right}" was named "{said}".')
