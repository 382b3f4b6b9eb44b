"""What crosses from the digit classifier to another task, another domain and another modality; lesson 01, over seeds.

Task: the same typeset pictures, asked for slanted or upright type. Domain: the same question of handwritten digits.
Modality: the same digits as a sweep of a light sensor, 56 numbers in place of a picture, named by a second classifier
that has only the first one's answers to learn from. All digits stand in the frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace

import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from mlcourse.datasets import load
from mlcourse.datasets.glyphs import load_digits_named_by_face
from mlcourse.domains import Domain, deal
from mlcourse.lessons.l01_domains.figures import crossings
from mlcourse.lessons.l01_domains.study_shift import SHARES, Budget, of_seed
from mlcourse.nets import Conv4
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Study
from mlcourse.supervised import accuracy

KEY = ("crossing", "arm", "seed")
LABELS = 500                 # labelled pictures of the new task
ARMS = {
    "task": ("pixels", "features of the digit classifier", "features of an untrained network"),
    "domain": ("typeset digits", "UCI digits"),
    "modality": ("taught by true labels", "taught by the picture classifier",
                 "UCI digits, taught by true labels", "UCI digits, taught by the picture classifier"),
}


def probe(x: Tensor, y: Tensor, test_x: Tensor, test_y: Tensor) -> float:
    """The accuracy on (test_x, test_y) of a logistic regression fitted to rows x (M, d) and labels y (M,)."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000)).fit(x.numpy(), y.numpy())
    return float(model.score(test_x.numpy(), test_y.numpy()))


def slanted(domain: Domain) -> Tensor:
    """1 where the picture's typeface is slanted, else 0, (M,) int64, of a domain labelled by typeface."""
    is_slanted = ["Italic" in name or "Oblique" in name for name in domain.classes]
    return torch.tensor(is_slanted).long()[domain.labels]


def sweep(domain: Domain) -> Tensor:
    """How much ink a light sensor sees in each column, from left to right, then in each row, from top to bottom:
    (M, 56) float32, 0 for none and 1 for a line full of ink."""
    x = domain.images[:, 0].float() / 255
    return torch.cat([x.mean(1), x.mean(2)], 1)


@lru_cache(maxsize=1)
def by_face(seed: int) -> tuple[Domain, Domain]:
    """The home and away pictures of `of_seed(seed)`, labelled by their typeface."""
    named = replace(load_digits_named_by_face(), images=load("glyphs-digits").images)     # the same, in the frame
    _, home, away = deal(named, SHARES, seed)
    return home, away


def task(arm: str, seed: int, budget: Budget) -> float:
    """Slanted or upright, from LABELS labelled home pictures, in one of three representations."""
    home, away = by_face(seed)
    x = lambda domain: domain.images.float() / 255
    if arm == "pixels":
        see = lambda domain: x(domain).flatten(1)
    else:
        net = (of_seed(seed, budget).learner.net if "classifier" in arm
               else Conv4(10, width=32, norm="none", seed=100 + seed))
        see = lambda domain: net.features(x(domain)).detach()
    return probe(see(home)[:LABELS], slanted(home)[:LABELS], see(away), slanted(away))


def modality(arm: str, seed: int, budget: Budget) -> float:
    """Sweeps named by a classifier of sweeps, which learned from the true labels or from the picture classifier's."""
    s = of_seed(seed, budget)
    home, away = (deal(load("digits"), (0.5, 0.5), seed) if arm.startswith("UCI") else (s.home, s.away))
    taught = home.labels if "true" in arm else s.learner.net(home.images.float() / 255).argmax(1)
    return probe(sweep(home), taught, sweep(away), away.labels)


def measure(crossing: str, arm: str, seed: int, budget: Budget = Budget()) -> dict:
    """The row of one arm and seed. Raises ValueError for an unknown crossing or arm."""
    if arm not in ARMS.get(crossing, ()):
        raise ValueError(f"unknown arm {arm!r} of the crossing {crossing!r}; the crossings are {', '.join(ARMS)}")
    if crossing == "domain":
        s = of_seed(seed, budget)
        value = accuracy(s.learner.net, s.away if arm == "typeset digits" else load("digits"))
    else:
        value = (task if crossing == "task" else modality)(arm, seed, budget)
    return {"crossing": crossing, "arm": arm, "accuracy": round(value, 4),
            **facts(f"mlcourse study crossing --seed {seed}", seed)}


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every crossing, arm and seed."""
    return [(crossing, arm, seed) for seed in asked.seeds for crossing, arms in ARMS.items() for arm in arms]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`."""
    for crossing, arm, seed in todo:
        yield measure(crossing, arm, seed, budget)


def line(row: dict) -> str:
    """One line of the table."""
    return f"cross-{row['crossing']:9s} {row['arm']:46s} seed {row['seed']}   {100 * row['accuracy']:5.1f} %"


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """Every arm's accuracy."""
    return {"": crossings(found)}


STUDY = Study(
    "crossing",
    """Lesson 01: what crosses from a digit classifier to another task, another domain and another modality.""",
    ("", "--seed 0"), KEY, Budget(), plan, rows, line, pictures=pictures)
