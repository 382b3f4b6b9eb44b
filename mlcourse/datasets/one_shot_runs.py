"""Omniglot's one-shot runs: twenty tasks, each to tell 20 characters of one alphabet apart by one drawing of each.

Lake, Salakhutdinov, Tenenbaum, "Human-level concept learning through probabilistic program induction", Science 2015. In
every run one person drew the 20 training images and another the 20 test images, one of each character. The official
runs are of the evaluation set and come in an archive of their own, all_runs.zip. Where it is in no data directory, as
many are built here on the same plan from the test alphabets of the background set.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from mlcourse.datasets import omniglot, store
from mlcourse.datasets.form import GREY, Form, resized
from mlcourse.datasets.omniglot import BACKGROUND, DRAWERS, RUNS, ink, member_of, open_archive
from mlcourse.domains import Domain
from mlcourse.domains.hausdorff import ink_points, modified_hausdorff
from mlcourse.episode import Episode

NAME = "omniglot-runs"
COUNT, WAY = 20, 20


class Run(NamedTuple):
    """One task of N characters. training, test: the ink of a drawing of each, bool (N, 105, 105). answer: the class of
    every test image, int64 (N,). classes: the characters' names."""

    training: np.ndarray
    test: np.ndarray
    answer: np.ndarray
    classes: tuple[str, ...]


@dataclass(frozen=True)
class OneShotRuns:
    """The runs as a sampler of fixed episodes. domain: their characters, by which a model that was trained on them is
    known. about: which runs they are, in words. form: of the episodes' pictures."""

    runs: tuple[Run, ...]
    domain: Domain
    about: str
    form: Form = GREY

    @property
    def way(self) -> int:
        """N, the characters of a run."""
        return len(self.runs[0].answer)

    shot = query = 1

    @cached_property
    def episodes(self) -> list[Episode]:
        """A run each, support and query (N, C, S, S). Label k is class k of the run, its global id in run r N·r + k;
        queries keep the order of the test images."""
        return [_episode(run, number, self.form) for number, run in enumerate(self.runs)]

    def sample(self, tasks: int, generator: torch.Generator) -> Episode:
        """The first `tasks` of the runs, or all that there are, as a batch; nothing is drawn."""
        return Episode(*map(torch.stack, zip(*self.episodes[:tasks], strict=True)))

    def baseline(self) -> np.ndarray:
        """The share of test images (runs,) whose nearest training image is of another character, by the modified
        Hausdorff distance of their ink at full size: 38.8 % on the official runs, says Lake. Computed once, then read
        from the user's cache."""
        parts = b"".join(np.ascontiguousarray(part).tobytes() for run in self.runs for part in run[:3])
        drawings = hashlib.blake2b(parts, digest_size=16).hexdigest()
        wrong = lambda run: (_distances(run).argmin(1) != run.answer).mean()
        errors = lambda: {"errors": np.array([wrong(run) for run in self.runs])}
        return store.cached(f"hausdorff-{drawings}", errors)["errors"]


def _distances(run: Run) -> np.ndarray:
    return modified_hausdorff(*([ink_points(drawing) for drawing in drawings] for drawings in (run.test, run.training)))


def _episode(run: Run, number: int, form: Form) -> Episode:
    way = len(run.answer)
    support, query = (_pictures(drawings, form).float() / 255 for drawings in (run.training, run.test))
    return Episode(support, torch.arange(way), query, torch.from_numpy(run.answer), support[:0],
                   torch.arange(way) + way * number, torch.tensor(0))


def _pictures(drawings: np.ndarray, form: Form) -> torch.Tensor:
    side = min(form.side, omniglot.FULL_SIDE)
    images = torch.from_numpy(np.stack([omniglot.small(drawing, side) for drawing in drawings]))[:, None]
    return resized(images, form.side).expand(-1, form.channels, -1, -1)


def load(data_dir=None, form: Form = GREY) -> OneShotRuns:
    """The official runs where omniglot/all_runs.zip lies in a data directory, else `COUNT` runs of the background set's
    test alphabets, always the same ones.

    Raises DataError where neither archive is in a data directory, and what `read` and `omniglot.load_background` raise.
    """
    path = official(data_dir)
    if path is not None:
        runs = tuple(read(path))
        return OneShotRuns(runs, drawings_of(runs, form), f"the {len(runs)} official runs", form)
    about = f"{COUNT} runs built from Omniglot's test alphabets, as the official ones are not here"
    return build(omniglot.load_background(data_dir, form), store.find(BACKGROUND, data_dir), omniglot.SPLITS["test"],
                 COUNT, about=about, form=form)


def official(data_dir=None) -> Path | None:
    """The archive of the official runs, None where it is in no data directory."""
    return store.find(RUNS, data_dir)


def drawings_of(runs: tuple[Run, ...], form: Form = GREY) -> Domain:
    """The drawings of all runs, each character of a run a class."""
    images = torch.cat([_pictures(drawings, form) for run in runs for drawings in (run.training, run.test)])
    way = len(runs[0].answer)
    labels = np.concatenate([number * way + np.concatenate([np.arange(way), run.answer])
                             for number, run in enumerate(runs)])
    return Domain(NAME, images, torch.from_numpy(labels),
                  tuple(name for run in runs for name in run.classes),
                  tuple(name.split("/")[0] for run in runs for name in run.classes))


def read(path) -> list[Run]:
    """The runs of an archive in the layout of the official one: runNN/training/classXX.png, runNN/test/itemXX.png, and
    runNN/class_labels.txt whose lines pair a test image with its training image.

    Raises ValueError, naming the member, when anything is missing, damaged or inconsistent.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} is not a file; give the path of Omniglot's all_runs.zip")
    with open_archive(path) as archive:
        names = set(archive.namelist())
        labels = sorted(m for m in names if re.fullmatch(r"(?:[^/]+/)?run\d\d/class_labels\.txt", m)
                        and not m.startswith("__MACOSX"))
        if not labels:
            raise ValueError(f"{path} holds no runNN/class_labels.txt; give the path of Omniglot's all_runs.zip")
        runs = [_run(archive, names, member, path) for member in labels]
    if len({len(run.answer) for run in runs}) > 1:
        raise ValueError(f"{path} holds runs of different numbers of characters; download it again")
    return runs


def _run(archive: zipfile.ZipFile, names: set[str], labels: str, path: Path) -> Run:
    root = labels.removesuffix("class_labels.txt")
    way = sum(bool(re.fullmatch(r"training/class\d\d\.png", name.removeprefix(root))) for name in names)
    items = [f"{root}test/item{i:02}.png" for i in range(1, way + 1)]
    classes = [f"{root}training/class{k:02}.png" for k in range(1, way + 1)]
    for member in classes + items:
        if member not in names:
            raise ValueError(f"{path}: {member} is missing; delete the archive and download it again")
    pairs = re.findall(r"^\S*test/item(\d\d)\.png\s+\S*training/class(\d\d)\.png\s*$",
                       member_of(archive, labels, path).decode("ascii", "replace"), re.MULTILINE)
    answer = {int(item): int(label) for item, label in pairs}
    everyone = set(range(1, way + 1))
    if way < 2 or len(pairs) != way or set(answer) != everyone or set(answer.values()) != everyone:
        raise ValueError(f"{path}: {labels} must pair each of {way} test items with its own training image, "
                         f"but holds {len(pairs)} pairs that do not; delete the archive and download it again")
    training, test = (np.stack([ink(archive, member, path) for member in members]) for members in (classes, items))
    run = root.rstrip("/").split("/")[-1]
    return Run(training, test, np.array([answer[i] - 1 for i in sorted(answer)]),
               tuple(f"{run}/class{k:02}" for k in range(1, way + 1)))


def build(background: Domain, path: Path, alphabets: Collection[str], count: int, seed: int = 0,
          about: str = "", form: Form = GREY) -> OneShotRuns:
    """Runs of 20 characters each from those of these alphabets that have so many, taking turns.

    path: the archive that `background` was loaded from, in this form. Characters, the two drawers and the order of the
    test images are drawn with `seed`. Raises ValueError where no alphabet has 20 characters.
    """
    domain = background.subset([i for i, group in enumerate(background.groups) if group in alphabets], name=NAME)
    large = [group for group in sorted(alphabets) if domain.groups.count(group) >= WAY]
    if not large:
        raise ValueError(f"a run needs an alphabet of {WAY} characters, and {', '.join(sorted(alphabets))} have fewer")
    rng = np.random.default_rng(seed)
    with open_archive(path) as archive:
        members = omniglot.index(archive, path)
        runs = tuple(_drawn(archive, members, path, domain, large[number % len(large)], rng) for number in range(count))
    return OneShotRuns(runs, domain, about, form)


def _drawn(archive: zipfile.ZipFile, members: dict[tuple[str, str], str], path: Path, domain: Domain, alphabet: str,
           rng: np.random.Generator) -> Run:
    own = [name for name, group in zip(domain.classes, domain.groups, strict=True) if group == alphabet]
    classes = tuple(own[i] for i in rng.permutation(len(own))[:WAY])
    first, second = (f"{drawer + 1:02}" for drawer in rng.permutation(DRAWERS)[:2])
    answer = rng.permutation(WAY)
    of = lambda names, drawer: np.stack([ink(archive, members[name, drawer], path) for name in names])
    return Run(of(classes, first), of([classes[i] for i in answer], second), answer, classes)
