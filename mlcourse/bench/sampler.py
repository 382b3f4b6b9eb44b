"""Episodes per second: `EpisodeSampler` against torch's DataLoader with a batch sampler over the same arrays.

Both sides deliver blocks of 5-way 1-shot episodes with 15 queries, float pictures in support and query sets with
labels 0..4, ready for the same meta-step.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from mlcourse.domains import Domain
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.rows import facts

KEY = ("alternative",)
CLASSES, PER_CLASS, SIDE = 964 * 4, 20, 28      # the training classes of Omniglot, each in four rotations
WAY, SHOT, QUERY = 5, 1, 15
BLOCK = 32                                      # episodes of one meta-step
ROUNDS = 9
REST = 0.4                                      # seconds in which workers finish what they prepare
PREPARED = 4                                    # blocks that two workers prepare ahead
SEED = 0


def arrays(classes: int = CLASSES) -> Domain:
    """Random pictures in the shape of Omniglot's training set: time does not depend on what they show."""
    generator = torch.Generator().manual_seed(SEED)
    images = torch.randint(0, 256, (classes * PER_CLASS, 1, SIDE, SIDE), dtype=torch.uint8, generator=generator)
    names = tuple(map(str, range(classes)))
    return Domain("noise", images, torch.arange(classes).repeat_interleave(PER_CLASS), names, names)


class Pictures(Dataset):
    """One picture, float (1, 28, 28), and its class at a time."""

    def __init__(self, domain: Domain):
        self.images, self.labels = domain.images, domain.labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.images[i].float() / 255, self.labels[i]


class PictureLists(Pictures):
    """The same with `__getitems__`, which lets the loader ask for all pictures of a batch at once."""

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        chosen = torch.tensor(indices)
        return self.images.index_select(0, chosen).float().mul_(1 / 255), self.labels[chosen]


class EpisodeBatches(Sampler):
    """The indices of `blocks` batches of `tasks` episodes each: WAY random classes, SHOT + QUERY random pictures of
    each, class by class."""

    def __init__(self, labels: Tensor, blocks: int, tasks: int):
        self.members = [torch.nonzero(labels == c).flatten() for c in range(int(labels.max()) + 1)]
        self.blocks, self.tasks = blocks, tasks

    def __len__(self) -> int:
        return self.blocks

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator().manual_seed(SEED)
        for _ in range(self.blocks):
            chosen = []
            for _ in range(self.tasks):
                for c in torch.randperm(len(self.members), generator=generator)[:WAY].tolist():
                    members = self.members[c]
                    chosen.append(members[torch.randperm(len(members), generator=generator)[:SHOT + QUERY]])
            yield torch.cat(chosen).tolist()


def as_episodes(x: Tensor, y: Tensor) -> Episode:
    """A batch of the loader, class by class, as a block of episodes."""
    x, y = x.view(-1, WAY, SHOT + QUERY, *x.shape[1:]), y.view(-1, WAY, SHOT + QUERY)
    tasks = len(y)
    labels = torch.arange(WAY).view(1, WAY, 1).expand_as(y)
    part = lambda t, at: t[:, :, at].flatten(1, 2).contiguous()
    support, query = slice(SHOT), slice(SHOT, None)
    return Episode(part(x, support), part(labels, support), part(x, query), part(labels, query),
                   x.new_empty(tasks, 0, *x.shape[3:]), y[:, :, 0], torch.zeros(tasks, dtype=torch.int64))


# ------------------------------------------------------------------- sides


def ours(domain: Domain) -> Iterator[Episode]:
    """Blocks of the course's sampler, without end."""
    sampler, generator = EpisodeSampler(domain, WAY, SHOT, QUERY), torch.Generator().manual_seed(SEED)
    while True:
        yield sampler.sample(BLOCK, generator)


def loaded(pictures: Pictures, workers: int, together: Callable | None = None) -> Iterator[Episode]:
    """Blocks of a DataLoader, without end. together: its collate_fn, None for the default one."""
    batches = EpisodeBatches(pictures.labels, 10**6, BLOCK)
    for x, y in DataLoader(pictures, batch_sampler=batches, num_workers=workers, collate_fn=together):
        yield as_episodes(x, y)


ALTERNATIVES = {
    "DataLoader, one picture at a time": lambda domain: loaded(Pictures(domain), 0),
    "DataLoader, one picture at a time, 2 workers": lambda domain: loaded(Pictures(domain), 2),
    "DataLoader, __getitems__ without collation": lambda domain: loaded(PictureLists(domain), 0, lambda batch: batch),
}


def rate(blocks: Iterator[Episode], count: int) -> float:
    """Episodes per second over the next `count` blocks."""
    start = time.perf_counter()
    for _ in range(count):
        next(blocks)
    return count * BLOCK / (time.perf_counter() - start)


def turn(left: Iterator[Episode], right: Iterator[Episode]) -> tuple[float, float]:
    """The two sides' episodes per second, one after the other, each over a good part of a second.

    Blocks that workers prepared while they were not timed are not counted, nor do workers prepare any while ours runs.
    """
    time.sleep(REST)
    first = rate(left, 200)
    for _ in range(PREPARED):
        next(right)
    return first, rate(right, 12)


def measure(name: str, domain: Domain, rounds: int = ROUNDS) -> dict:
    """The row of one alternative: the two sides take turns, after a turn of each that does not count."""
    left, right = ours(domain), ALTERNATIVES[name](domain)
    turns = [turn(left, right) for _ in range(rounds + 1)][1:]
    right.close()
    ratios = sorted(a / b for a, b in turns)
    return {"alternative": name, "ours_per_s": round(statistics.median(a for a, _ in turns)),
            "alternative_per_s": round(statistics.median(b for _, b in turns)),
            "ratio": round(statistics.median(ratios), 1), "ratio_range": [round(ratios[0], 1), round(ratios[-1], 1)],
            "way": WAY, "shot": SHOT, "query": QUERY, "classes": len(domain.classes), "side": SIDE, "block": BLOCK,
            "rounds": rounds, **facts("mlcourse bench sampler", SEED)}


def rows() -> Iterator[dict]:
    """A row for each alternative."""
    domain = arrays()
    for name in ALTERNATIVES:
        yield measure(name, domain)


def line(row: dict) -> str:
    """One line of the table."""
    low, high = row["ratio_range"]
    return (f"{row['alternative']:46s} {row['alternative_per_s']:6d}/s   ours {row['ours_per_s']:6d}/s   "
            f"ratio {row['ratio']:5.1f} ({low:.1f} to {high:.1f})")
