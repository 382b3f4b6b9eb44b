"""What the frame is worth: handwritten digits with their ink in boxes of other sizes than the source's.

The sources stand in the frame, the ink in a box of 20 of 28 pixels. The same UCI digits come in boxes of 12 to 28 of
28, and as they are. Two classifiers of each source by the rules of `mlcourse study transfer`: one with layer norm, and
one with batch norm, under the statistics of the source and under those of the target (AdaBN). So the part of the frame
in a first comparison, and that of the norm, can be told apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace

import matplotlib
import numpy as np
import torch
from sklearn.datasets import load_digits

from mlcourse import datasets
from mlcourse.datasets import Form
from mlcourse.datasets.frame import UNFRAMED, framed
from mlcourse.domains import Domain
from mlcourse.episode.across import halves, pixels
from mlcourse.learner import Adapted
from mlcourse.nets import LeNet, call, statistics
from mlcourse.plots.static import Picture, blank, picture
from mlcourse.plots.style import BLUE, GREY, RC, VERMILION, look
from mlcourse.rows import facts
from mlcourse.small import SIDE
from mlcourse.statistics import columns, paired_difference, t_interval
from mlcourse.studies.study import Key, Study
from mlcourse.studies.transfer.arms import in_blocks
from mlcourse.studies.transfer.seed import Budget as Training, Seed
from mlcourse.studies.transfer.setting import setting

KEY = ("source", "arm", "box", "seed")
SOURCES = {"glyphs-digits": "typeset digits", "mnist": "MNIST"}
LAYER, SOURCE, TARGET = "layer norm", "batch norm, the source's statistics", "batch norm, the target's (AdaBN)"
STYLES = {LAYER: look(GREY, "o", "-"), SOURCE: look(VERMILION, "x", ":"), TARGET: look(BLUE, "s", "--")}
OF, HOME, COMES = 28, 20, 0     # what boxes are given in; the source's; the box that stands for digits as they come


@dataclass(frozen=True)
class Budget:
    """boxes: of the target's ink, in pixels of 28; 0 leaves the digits as they come. training: of the classifiers.
    pictures: at most of each class of a source."""

    boxes: tuple[int, ...] = (12, 16, 20, 24, 28, COMES)
    training: Training = Training()
    pictures: int | None = None


@cache
def target(box: int) -> Domain:
    """The UCI digits with their ink in a box."""
    if box == COMES:
        return datasets.load(f"digits{UNFRAMED}", None, Form(SIDE))
    scans = load_digits().images.astype(np.float32) * (255 / 16)
    images = np.stack([framed(scan, SIDE, box / OF) for scan in scans]).round().astype(np.uint8)
    return replace(datasets.load("digits", None, Form(SIDE)), images=torch.from_numpy(images)[:, None])


def networks(source: str, seed: int, budget: Budget) -> Seed:
    """The classifiers of a source, trained when first asked for."""
    labelled = datasets.load(source, None, Form(SIDE)).first(budget.pictures)
    return Seed(setting([labelled], target(HOME), (0,)).of_seed(seed), seed, {}, budget.training)


def logits(net: LeNet, known: torch.Tensor | None, x: torch.Tensor) -> torch.Tensor:
    """Of pictures x (M, 1, S, S), under the statistics of `known`; None for a network without any."""
    params = {name: p.detach()[None] for name, p in net.named_parameters()}
    with torch.no_grad():
        state = Adapted(params, () if known is None else statistics(net, params, known[None]))
        return in_blocks(lambda part: call(net, state.params, part[None], state.stats or None)[0], x)


def right_in(s: Seed, arm: str, box: int) -> float:
    """The accuracy of an arm on the test half of the target in a box, in per cent; the halves are those of study
    transfer."""
    train, test = halves(target(box), seed=s.seed)
    known = {LAYER: None, SOURCE: s.setting.source, TARGET: train}[arm]
    seen = None if known is None else pixels(s.setting.known(known, s.seed).images)
    net = s.plain if arm == LAYER else s.base.net
    return 100 * float((logits(net, seen, pixels(test.images)).argmax(1) == test.labels).double().mean())


def prepare(seeds: Sequence[int]) -> SimpleNamespace:
    """The seeds, and that the data are there."""
    for source in SOURCES:
        datasets.load(source, None, Form(SIDE))
    return SimpleNamespace(seeds=seeds)


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every source, seed, arm and box."""
    return [(source, arm, box, seed) for seed in asked.seeds for source in SOURCES for arm in STYLES
            for box in budget.boxes]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`."""
    for source, seed in dict.fromkeys((source, seed) for source, _, _, seed in todo):
        s = networks(source, seed, budget)
        for _, arm, box, _ in (key for key in todo if (key[0], key[3]) == (source, seed)):
            yield {"source": source, "arm": arm, "box": box, "accuracy": round(right_in(s, arm, box), 4),
                   **facts(f"mlcourse study frame --seed {seed}", seed)}


def line(row: dict) -> str:
    """One line of the table."""
    return (f"from {SOURCES[row['source']]}   {row['arm']:36s} {named(row['box']):14s} seed {row['seed']}   "
            f"{row['accuracy']:5.1f} %")


def named(box: int) -> str:
    """A box in words."""
    return "as they come" if box == COMES else f"box of {box}"


def at(found: Sequence[Mapping], source: str, arm: str, box: int) -> dict[int, float]:
    """Accuracy by seed."""
    return {row["seed"]: row["accuracy"] for row in found
            if (row["source"], row["arm"], row["box"]) == (source, arm, box)}


def in_order(found: Sequence[Mapping]) -> list[int]:
    """The boxes from small to large; the digits as they come are last."""
    return sorted({row["box"] for row in found}, key=lambda box: (box == COMES, box))


def share(found: Sequence[Mapping], source: str, parts: Sequence[tuple[str, int]]) -> str:
    """What the second of two (arm, box) is above the first, paired over the seeds."""
    first, second = (at(found, source, *part) for part in parts)
    return paired_difference(second, first).text(1, sign=True)


def table(found: Sequence[Mapping], source: str) -> str:
    """Markdown: accuracies of a source's classifiers in every box."""
    boxes = in_order(found)
    cells = lambda arm: (t_interval(at(found, source, arm, box).values()).text(1) for box in boxes)
    lines = [f"| {' | '.join([arm, *cells(arm)])} |" for arm in STYLES]
    head = [f"| from {SOURCES[source]} | {' | '.join(map(named, boxes))} |", "| --- |" + " --- |" * len(boxes)]
    return "\n".join(head + lines)


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """Accuracy against the target's box, for both sources; as they come at the right end."""
    *boxes, last = in_order(found)
    ahead = lambda box: " and ".join(share(found, source, ((SOURCE, box), (LAYER, box))) for source in SOURCES)
    title = f"Layer norm over batch norm: {ahead(last)} points as they come, {ahead(HOME)} in the frame"
    figure, said = blank(9.6, 3.7), []
    with matplotlib.rc_context(RC):
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        for axes, source in zip(figure.subplots(1, 2, sharey=True), SOURCES, strict=True):
            for i, (arm, style) in enumerate(STYLES.items()):
                for places, own in ((boxes, boxes), ([max(boxes) + 4], [last])):
                    values = [t_interval(at(found, source, arm, box).values()) for box in own]
                    mean, half = columns(values)
                    axes.errorbar([place + 0.3 * (i - 1) for place in places], mean, yerr=half, **style, ms=5, lw=1.3,
                                  elinewidth=1, capsize=2, label=arm if own is boxes else None)
                    said += [f"{SOURCES[source]}, {arm}, {named(box)}: {value.text()}"
                             for box, value in zip(own, values, strict=True)]
            axes.set_xticks([*boxes, max(boxes) + 4], [*map(str, boxes), "as they\ncome"])
            axes.set_xlabel("box of the target's ink, in pixels of 28; the source's is 20")
            axes.set_title(f"from {SOURCES[source]}", fontsize=9.5)
            axes.grid(True, axis="y")
        figure.axes[0].set_ylabel("accuracy (%)")
        figure.axes[0].legend(fontsize=8)
    return {"": picture(figure, f"{title}. Accuracy on handwritten digits, per cent. {'; '.join(said)}.")}


STUDY = Study(
    "frame",
    """Lesson 13: what the frame is worth. Classifiers of typeset digits and of MNIST, with layer norm and with batch
    norm under either domain's statistics, on UCI digits whose ink stands in boxes of other sizes, and as they come.

    About a minute and a half for each seed on one core; needs MNIST's test images.""",
    ("", "--seed 0"), KEY, Budget(), plan, rows, line, prepare=prepare, pictures=pictures)
