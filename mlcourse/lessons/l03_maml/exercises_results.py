"""The exercises of lesson 03 on results: a ratio with its interval, and what intervals allow to say."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l03_maml.checks_ratio import (BY_OTHER, BY_TASK, CLAIMS, NO_ROOT, NOT_DIVIDED, ONE_ALONE,
                                                    check_claims, check_paired_ratio)

# ---------------------------------------------------------------- 03.5

PAIRED_RATIO = '''\
def paired_ratio(pretrained_mse, maml_mse):
    """How many times larger is the pretrained baseline's error than MAML's, with a 95 % interval?

    pretrained_mse, maml_mse: tensors of shape (n,), the errors of both methods on the same n tasks
    Returns (ratio, low, high): one mean over the other, and the ends of its paired interval.
    """
'''
NAMED = "    a, b, n = pretrained_mse, maml_mse, len(maml_mse)       # the text's a_i, b_i and n\n"
RATIO = "    ratio = a.mean() / b.mean()"
RESIDUAL = "    d = (a - ratio * b) / b.mean()"
HALF = "    half = 1.96 * d.std() / n ** 0.5"
LAST = "    return float(ratio), float(ratio - half), float(ratio + half)"
PAIRED_RATIO_SOLUTION = PAIRED_RATIO + NAMED + "\n".join((RATIO, RESIDUAL, HALF, LAST))
BOOTSTRAP = PAIRED_RATIO + NAMED + '''\
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randint(n, (2000, n), generator=generator)
    ratios = a[drawn].mean(1) / b[drawn].mean(1)
    low, high = ratios.quantile(torch.tensor([0.025, 0.975], dtype=ratios.dtype))
    return a.mean() / b.mean(), low, high'''


def ratio_wrong(*edits: tuple[str, str]) -> str:
    """A wrong paired ratio: the solution with edits."""
    return edited(PAIRED_RATIO_SOLUTION, *edits)


paired_ratio = Exercise(
    id="03.5", title="Beats pretraining, by how much?", answer="paired_ratio", difficulty=2, minutes=3,
    stub=PAIRED_RATIO + NAMED + "    ...", solution_source=PAIRED_RATIO_SOLUTION, check=check_paired_ratio,
    hints=(
        "A hard task is hard for both methods. An interval that keeps the pairs together does not count that as "
        "uncertainty about the ratio.",
        "The delta method needs one number for each task: d = (a - ratio * b) / b.mean(). Its standard error is that "
        "of the ratio. In a bootstrap, index both tensors by the same drawn tasks.",
        "The half-width is 1.96 times the standard deviation of these n numbers divided by the square root of n; the "
        "interval is ratio - half to ratio + half.",
    ),
    wrong=(
        (ratio_wrong((RATIO, "    ratio = (a / b).mean()"), (RESIDUAL, "    d = a / b")), "mean of ratios"),
        (ratio_wrong((HALF, "    relative = a.var() / a.mean() ** 2 + b.var() / b.mean() ** 2\n"
                            "    half = 1.96 * ratio * (relative / n) ** 0.5")), "unpaired interval"),
        (edited(BOOTSTRAP, ("    ratios = a[drawn]", "    other = torch.randint(n, (2000, n), generator=generator)\n"
                                                     "    ratios = a[other]")), "unpaired interval"),
        (ratio_wrong((RESIDUAL, "    d = a / b")), BY_TASK),
        (ratio_wrong((RESIDUAL, "    d = (a - ratio * b) / b")), BY_TASK),
        (ratio_wrong((RESIDUAL, "    d = a / b.mean()")), ONE_ALONE),
        (ratio_wrong((RESIDUAL, "    d = ratio * b / b.mean()")), ONE_ALONE),
        (ratio_wrong((RESIDUAL, "    d = a - ratio * b")), NOT_DIVIDED),
        (ratio_wrong((RESIDUAL, "    d = (a - ratio * b) / a.mean()")), BY_OTHER),
        (ratio_wrong((HALF, "    half = 1.96 * d.std() / n")), NO_ROOT),
        (ratio_wrong((" / n ** 0.5", "")), "standard deviation instead of standard error"),
        (ratio_wrong(("1.96 * ", "")), "one standard error"),
        (ratio_wrong((RATIO, "    ratio = b.mean() / a.mean()")), "ratio upside down"),
        (ratio_wrong((RATIO, "    ratio = b.mean() / a.mean()"), (RESIDUAL, "    d = (b - ratio * a) / a.mean()"),
                     ("1.96 * ", "")), "ratio upside down, one standard error"),
    ),
    mutations=(
        (RATIO, "    ratio = a.median() / b.median()"),
        (HALF, "    half = 1.6 * d.std() / n ** 0.5"),
        (HALF, "    half = 2.3 * d.std() / n ** 0.5"),
        (LAST, "    return float(ratio), float(ratio + half), float(ratio - half)"),
    ))

# ---------------------------------------------------------------- 03.6

VERDICTS = '''\
verdicts = {  # the first error: "smaller", "larger" or "not told apart"? 600 tasks, 95 % intervals
    # a and c: ten steps, networks of another training than yours; b and d: any four methods
''' + "".join(f'    # {key}: {text}\n    "{key}": ...,\n' for key, (text, _) in CLAIMS.items()) + "}"


def judged(**verdicts: str) -> str:
    """The verdicts with these answers, the others right."""
    edits = [(f'"{key}": ...', f'"{key}": "{verdicts.get(key, right)}"') for key, (_, right) in CLAIMS.items()]
    return edited(VERDICTS, *edits)


verdicts = Exercise(
    id="03.6", title="What may you say?", answer="verdicts", difficulty=2, minutes=2,
    stub=VERDICTS, solution_source=judged(), check=check_claims,
    hints=(
        "Two intervals say how sure each mean is. Which interval says how sure their difference is?",
        "Where the tasks are the same, the paired interval decides: does it hold 0?",
        "Where the tasks differ, half-widths add as the sides of a right angle: the difference has √(h₁² + h₂²).",
    ),
    wrong=(
        (judged(a="not told apart"), "overlapping intervals read as no difference"),
        (judged(b="larger"), "a difference read off two means"),
        (judged(c="larger"), "the sign of the difference"),
        (judged(d="larger"), "a difference read off two means"),
        (judged(a="not told apart", c="not told apart"), "overlapping intervals read as no difference"),
        (judged(a="smaller", b="smaller"), "the sign of the difference, a difference read off two means"),
    ),
    mutations=tuple((f'    "{key}": "{right}",', f'    "{key}": "{wrong}",') for key, right, wrong in (
        ("a", "larger", "smaller"), ("b", "not told apart", "larger"), ("c", "smaller", "not told apart"),
        ("d", "not told apart", "smaller"))))
