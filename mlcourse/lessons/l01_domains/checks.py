"""Checks of lesson 01: transfer situations, PAD, its split, and the factors of P(x, y)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mlcourse.exercises.by_hand import by_hand
from mlcourse.exercises.entries import filled
from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, all_of, explain, kind, look_at
from mlcourse.exercises.values import is_regular, number

CHOICES = ("task", "domain", "modality", "domain and task")
SITUATIONS = {      # the right answer, the misconception behind another one, and what to look at
    "a": ("task", "a new question called a new domain", "the pictures are the very same, so their space and their "
          "distribution are too; only the question differs, and with it the set of answers"),
    "b": ("domain", "another rendering called another task", "the question and its ten answers are the same; the "
          "pictures are made otherwise, so P(X) differs"),
    "c": ("task", "new answers taken for new inputs", "the e-mails are the same at home and away; what is asked "
          "of them differs"),
    "d": ("modality", "another kind of input called another domain", "a sound is no text: the input spaces differ, so "
          "the classifier cannot even be called; strictly the domain is another too, but where the "
          "space differs we say modality"),
    "e": ("domain", "another site called another task", "the question is the same in both hospitals; the scanner "
          "changes how the pictures look, and that is P(X)"),
    "f": ("domain and task", "only half of the change named", "two things differ: the pictures come from somewhere "
          "else, and something else is asked of them"),
}
ONE_KIND = ("the same kind of input called another modality", "the inputs at home and away are of one kind, in one "
            "space, so the modality is the same; ask what else differs")
ANOTHER = {     # (key, answer) → the misconception behind this answer where it is not that of SITUATIONS
    **{(key, "modality"): ONE_KIND for key in "abcf"},
    ("e", "modality"): ("another scanner called another modality", "both are X-ray pictures, the same space; only P(X) "
                        "differs"),
    **{("d", called): ("another kind of input called another task", "the question and its answers are the same; "
                       "a sound is no text, and the input spaces differ") for called in ("task", "domain and task")},
}


def refuse(wrong: dict[str, tuple[str, str]]) -> None:
    """Raise the misconceptions behind the wrong entries of an answer, each once with all of its entries; nothing where
    there is none. wrong: entry → the name and what to look at."""
    if wrong:
        entries = {why: ", ".join(key for key, other in wrong.items() if other == why) for why in wrong.values()}
        raise all_of([Misconception(name, look_at(keys, why)) for (name, why), keys in entries.items()])


def check_situations(answer: object) -> str:
    """01.1: six pairs of home and away."""
    if isinstance(answer, dict):        # either order
        answer = {key: "domain and task" if " ".join(str(value).lower().split()) == "task and domain" else value
                  for key, value in answer.items()}
    given = filled(answer, dict.fromkeys(SITUATIONS, CHOICES))
    other = {"task": "domain", "domain": "task"}
    wrong = {key: ANOTHER.get((key, given[key]), (name, why)) for key, (right, name, why) in SITUATIONS.items()
             if given[key] != right}
    if all(given[key] == other[SITUATIONS[key][0]] for key in "abce"):
        wrong |= dict.fromkeys("abce", ("task and domain swapped", "a task is what is asked, a domain is where the "
                                        "inputs come from; in a not one picture changes"))
    refuse(wrong)
    return "Another question: another task. Another source of inputs: another domain. Another kind: another modality."


ACCURACY, POOLED, HALF, CLIPPED = ("accuracy in place of the error", "the larger side counts for more",
                                   "a distance of at most 1", "clipped at 0")
SUMMED, INNER = "the sum of both sides", "the inner factor 2 is missing"
RIGHT_COUNTED = "right answers counted as mistakes"
ABSOLUTE, BARE, TURNED = "the sign taken away", "an error and no distance", "one side counted the wrong way round"
ANSWERS = ((40, 6, 40, 8), (200, 30, 20, 9), (30, 20, 50, 26), (25, 0, 60, 0))      # home, mistakes, away, mistakes


def near(got: float, want: float) -> bool:
    """Whether two distances agree, to the digits of float32."""
    return abs(got - want) <= 1e-5


def check_pad(answer: object) -> str:
    """01.2: PAD from answers, with sides of different sizes and with more mistakes than by chance."""
    got = []
    with by_hand(answer, "pad") as pad:
        for seed, (n, wrong_n, m, wrong_m) in enumerate(ANSWERS):
            mix = lambda size: torch.randperm(size, generator=torch.Generator().manual_seed(seed))
            home, away = mix(n) < wrong_n, mix(m) >= wrong_m
            got.append(number(pad(home.clone(), away.clone()), "pad must return one number"))
        want = distances_of()
        if not all_near(got, want):
            explain(got, distances_of, PAD_FAULTS, all_near)
            i = next(i for i, (one, other) in enumerate(zip(got, want)) if not near(one, other))
            n, wrong_n, m, wrong_m = ANSWERS[i]
            raise NotYet(f"with an error of {wrong_n / n:.3f} on home and {wrong_m / m:.3f} on away samples PAD is "
                         f"{want[i]:.3f}, but you returned {got[i]:.3f}.")
    return f"It agrees in {len(ANSWERS)} cases, one with sides of 200 and 20 samples, one below 0."


def all_near(got: list[float], want: list[float]) -> bool:
    """Whether the distances of all cases agree."""
    return all(map(near, got, want))


def distances_of(sides: str = "mean", of: str = "error", scale: Callable[[float], float] = lambda e: 2 * (1 - 2 * e),
                 last: Callable[[float], float] = float) -> list[float]:
    """PAD in the cases of ANSWERS; the options are the known faults."""
    found = []
    for n, wrong_n, m, wrong_m in ANSWERS:
        on_home, on_away = wrong_n / n, wrong_m / m
        error = {"mean": (on_home + on_away) / 2, "summed": on_home + on_away, "pooled": (wrong_n + wrong_m) / (n + m),
                 "away turned": (on_home + 1 - on_away) / 2, "home turned": (1 - on_home + on_away) / 2}[sides]
        found.append(last(scale(error if of == "error" else 1 - error)))
    return found


PAD_FAULTS = (
    (ACCURACY, {"of": "accuracy"}, "the sign is the wrong way round: err is the share of mistakes, so a "
     "discriminator without a mistake has err = 0 and PAD = 2"),
    (POOLED, {"sides": "pooled"}, "all samples went into one error rate, so a discriminator that always names the "
     "larger side would seem to tell the domains apart; take the error of each side, then their mean"),
    (SUMMED, {"sides": "summed"}, "err is the mean of both error rates, so halve their sum"),
    (INNER, {"scale": lambda e: 2 * (1 - e)}, "the error is doubled within the brackets: guessing, err = 0.5, is a "
     "distance of 0"),
    (HALF, {"scale": lambda e: 1 - 2 * e}, "the outer factor 2 is missing: PAD reaches from about 0 to 2"),
    (BARE, {"scale": lambda e: e}, "this is the error; the distance is 2 (1 - 2 err)"),
    (TURNED, {"sides": "away turned"}, "True means that the discriminator said away: on an away sample that is "
     "right, not a mistake"),
    (TURNED, {"sides": "home turned"}, "True means that the discriminator said away: on a home sample that is the "
     "mistake"),
    (CLIPPED, {"last": lambda d: max(0.0, d)}, "a negative value became 0; by chance PAD falls below 0 as often as "
     "above, and clipping would turn a floor of 0 into a positive one"),
    (ABSOLUTE, {"last": abs}, "a negative value became positive; a discriminator with more mistakes than by chance "
     "has found nothing, and PAD falls below 0 as often as above by chance"),
)


TRAINING_HALF, COPIES, SAME_SPLIT = ("measured on the training half", "copies in both halves",
                                     "the same split every time")
IGNORED, UNSHUFFLED = "the generator is ignored", "a split that is not random"
AWAY = 1000          # what marks a row of b in a `Spy`: row i of a holds i, row i of b holds i + AWAY


class Spy:
    """A discriminator that notes which rows train it and which it is asked about, and answers by a fixed rule: with few
    mistakes, or contrary, with as few right answers."""

    def __init__(self, contrary: bool = False):
        self.trained, self.labels, self.asked, self.contrary = [], [], [], contrary

    def __call__(self, x: Tensor, y: Tensor):
        self.trained += x[:, 0].long().tolist()
        self.labels += torch.as_tensor(y).long().tolist()
        return self.says

    def says(self, x: Tensor) -> Tensor:
        """Wrong on every third sample of a and on every fifth of b; right on these alone where it is contrary."""
        rows = x[:, 0].long()
        self.asked += rows.tolist()
        number, is_b = rows % AWAY, rows >= AWAY
        return (torch.where(is_b, number % 5 != 0, number % 3 == 0) ^ self.contrary).long()

    def error(self) -> float:
        """The mean of the error rates on the rows of a and of b that it was asked about."""
        a, b = ([row % AWAY for row in self.asked if (row >= AWAY) == side] for side in (False, True))
        error = (sum(row % 3 == 0 for row in a) / len(a) + sum(row % 5 == 0 for row in b) / len(b)) / 2
        return 1 - error if self.contrary else error


def check_distance(answer: object) -> str:
    """01.3: the split is watched, then a memorising discriminator meets a domain and its copy."""
    distance = LearnerFunction(answer, "distance")
    n, found, spies, got = 60, [], [], []
    measure = lambda *args: number(distance(*args), "distance must return one number")
    for seed, contrary in ((0, False), (1, False), (1, True)):
        spies.append(Spy(contrary))
        a = torch.stack([torch.arange(n), torch.ones(n, dtype=torch.int64)], 1).double()
        got.append(measure(a, a + torch.tensor([AWAY, 0]).double(), spies[-1], torch.Generator().manual_seed(seed)))
        found += watch_split(spies[-1])
    found += watch_draws([sorted(spy.trained) for spy in spies], n)
    errors = [spy.error() for spy in spies]
    if not all_near(got, scaled(errors)):
        try:
            explain(got, lambda **faults: scaled(errors, **faults), DISTANCE_FAULTS, all_near)
        except Misconception as misconception:
            found.append(misconception)
    if found:
        raise all_of(found)
    for spy, value, want in zip(spies, got, scaled(errors)):
        see_labels(spy, n)
        if not near(value, want):
            raise NotYet(f"the split is right; with an error of {spy.error():.3f} on the held-out half PAD is "
                         f"{want:.3f}, but you returned {value:.3f}.")
    values = [measure(*twins(seed), memorise, torch.Generator().manual_seed(seed)) for seed in range(20)]
    mean = sum(values) / len(values)
    if not abs(mean) < 0.2:
        raise NotYet(f"a domain and its copy should lie about 0 apart, but over 20 splits with a discriminator that "
                     f"remembers its samples the mean is {mean:.2f}.")
    return f"A domain and its copy lie {abs(mean):.1f} apart, even for a discriminator that remembers every sample."


def scaled(errors: list[float], scale: Callable[[float], float] = lambda e: 2 * (1 - 2 * e),
           last: Callable[[float], float] = float) -> list[float]:
    """The distances of these errors; the options are the known faults."""
    return [last(scale(error)) for error in errors]


DISTANCE_FAULTS = (
    (RIGHT_COUNTED, {"scale": lambda e: 4 * e - 2}, "this is minus the distance: see that the labels of the rows that "
     "you ask about stand in their order, 0 for rows of a and 1 for rows of b, and that you count what differs from "
     "them"),
    *(fault for fault in PAD_FAULTS if fault[1].keys() <= {"scale", "last"}),
)


def watch_split(spy: Spy) -> list[Misconception]:
    """What is wrong with the rows that trained the discriminator and those it was asked about."""
    trained, asked, found = set(spy.trained), set(spy.asked), []
    if any({row >= AWAY for row in rows} != {False, True} for rows in (trained, asked)):
        raise NotYet("train a discriminator with fit(x, y) on rows of a and of b, and ask the function that it returns "
                     "about rows of both.")
    if trained & asked:
        found.append(Misconception(TRAINING_HALF, f"{len(trained & asked)} of the {len(asked)} rows that measured the "
                                   f"error had trained the discriminator; one that remembers its rows then tells "
                                   f"anything apart."))
    if {row for row in trained if row < AWAY} != {row - AWAY for row in trained if row >= AWAY}:
        found.append(Misconception(COPIES, "row i of a trained while row i of b did not, or the other way round; they "
                                   "show the same sample, so on held-out rows what was learned as one name is "
                                   "punished under the other, and where nothing is shifted the distance falls "
                                   "below 0. Use the same halves for a and b."))
    return found


def watch_draws(splits: list[list[int]], n: int) -> list[Misconception]:
    """What is wrong with the draws behind the splits of generator 0, of generator 1, and of generator 1 once more."""
    if splits[0] == splits[1]:
        return [Misconception(SAME_SPLIT, "two generators gave the same halves; deal the rows with torch.randperm and "
                              "the generator that is handed in, because rows often lie sorted by class.")]
    if splits[1] != splits[2]:
        return [Misconception(IGNORED, "the same generator gave other halves the second time; hand it to "
                              "torch.randperm, generator=generator, or nobody can repeat your distance.")]
    if all(is_regular([row for row in split if row < AWAY], n) for split in splits):
        return [Misconception(UNSHUFFLED, "the training half is a run of neighbouring rows, or every second one, and "
                              "rows often lie sorted by class; deal all of them with torch.randperm.")]
    return []


def see_labels(spy: Spy, n: int) -> None:
    """Raise what is wrong with the labels of the training rows and with the sizes of the halves."""
    if spy.labels != [int(row >= AWAY) for row in spy.trained]:
        raise NotYet("the labels of the training rows must be 0 for rows of a and 1 for rows of b.")
    sides = [sum((row >= AWAY) == side for row in set(rows))
             for rows in (spy.trained, spy.asked) for side in (False, True)]
    if sides != [n // 2] * 4:
        raise NotYet(f"with {n} rows in a and in b, {n // 2} of each train and {n // 2} of each measure; yours were "
                     f"{sides[0]} and {sides[1]}, then {sides[2]} and {sides[3]}.")


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
        said.append(str(got))
    if said != [want for _, _, want in pairs]:
        explain(said, lambda **faults: [named_shift(p, q, **faults) for p, q, _ in pairs], SHIFT_FAULTS, list.__eq__)
        diagnose_names([(want, got) for (*_, want), got in zip(pairs, said)])
    return f"All {len(pairs)} pairs of worlds are named right."


def named_shift(p: Tensor, q: Tensor, none: str = "table", covariate: str = "P(y|x) stays", label: str = "P(x|y) stays",
                concept: str = "P(x) stays", rows: int = 1) -> str:
    """The name of what differs between two worlds; the options are the known faults."""
    same = lambda one, other: torch.allclose(one, other, rtol=0, atol=1e-9)
    stays = {"table": same(p, q), "P(x) stays": same(p.sum(1), q.sum(1)), "P(y) stays": same(p.sum(0), q.sum(0))}
    for name, axis in (("P(y|x) stays", rows), ("P(x|y) stays", 1 - rows)):
        stays[name] = same(p / p.sum(axis, keepdim=True), q / q.sum(axis, keepdim=True))
    stays |= {"marginals": stays["P(x) stays"] and stays["P(y) stays"], "always": True, "never": False,
              "P(x) moves": not stays["P(x) stays"], "P(y) moves": not stays["P(y) stays"]}
    if stays[none]:
        return "none"
    if stays[covariate]:
        return "covariate"
    if label == "P(y|x) moves":
        return "concept"
    if stays[label]:
        return "label"
    return "concept" if stays[concept] else "several"


UNEQUAL, MARGINAL = "the equal worlds forgotten", "P(x) taken for P(y|x)"
OF_ROW = ("in a covariate shift P(y|x) stays: the table with every row divided by its sum; the sums alone are P(x), "
          "which stays in a concept shift")
SHIFT_FAULTS = (
    ("only the marginals compared", {"none": "marginals"}, "two tables with equal P(x) and equal P(y) can still differ "
     "in P(y|x); compare the whole tables before you say none"),
    ("rows and columns swapped", {"rows": 0}, "rows are x and columns y, so P(y|x) divides each row by its sum, over "
     "dimension 1, and P(x|y) each column"),
    ("every change of P(x) called a covariate shift", {"covariate": "P(x) moves"}, "a label shift changes P(x) as "
     "well; it is a covariate shift only where P(y|x) stays"),
    ("every change of P(y) called a label shift", {"label": "P(y) moves"}, "P(y) can change in every one of these "
     "shifts; it is a label shift only where P(x|y) stays"),
    ("several changes named as one", {"concept": "always"}, "where P(x), P(y|x) and P(x|y) all differ, no one name "
     "fits"),
    ("every change of P(y|x) called a concept shift", {"label": "P(y|x) moves"}, "a label shift changes P(y|x) as "
     "well; it is a concept shift only where P(x) stays"),
    ("P(y) compared in place of P(x)", {"concept": "P(y) stays"}, "in a concept shift P(x) stays; P(x) sums each row, "
     "over dimension 1"),
    (UNEQUAL, {"none": "never"}, "two equal worlds were given the name of a shift; compare the whole tables first"),
    (MARGINAL, {"covariate": "P(x) stays"}, OF_ROW),
    (MARGINAL, {"covariate": "P(x) stays", "concept": "P(y|x) stays"}, OF_ROW),
    ("P(y) taken for P(x|y)", {"label": "P(y) stays"}, "in a label shift P(x|y) stays: the table with every column "
     "divided by its sum; the sums alone are P(y)"),
)


def diagnose_names(answers: list[tuple[str, str]]) -> None:
    """Raise what is wrong with names that no known fault gives throughout: (right, given) of each pair of worlds."""
    known = {name: f"{why}." for name, _, why in SHIFT_FAULTS}
    for name, pairs in (
        (UNEQUAL, {("none", name) for name in ("covariate", "label", "concept", "several")}),
        ("only the marginals compared", {("concept", "none")}),
        ("every change of P(x) called a covariate shift", {("label", "covariate"), ("several", "covariate")}),
        ("every change of P(y) called a label shift", {("concept", "label"), ("several", "label")}),
        ("every change of P(y|x) called a concept shift", {("label", "concept"), ("several", "concept")}),
    ):
        if pairs & set(answers):
            raise Misconception(name, known[name])
    for right, said in answers:
        if right != said:
            raise NotYet(f'a pair of worlds was named "{said}", but "{right}" is right.')
