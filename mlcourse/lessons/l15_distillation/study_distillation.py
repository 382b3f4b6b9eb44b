"""A big teacher that knows the source, small students on the target's pictures without labels; a class that the student
never saw.

16×16 pictures in one frame. Part "domains": typeset digits → UCI handwritten digits, the target cut in two anew for
each seed. The teacher is the transfer study's network of the source. A student learns the source's labels by the same
rule; from there copies of it go on for as many steps each on the target's pictures, and differ in what they are given
for
labels: the teacher's answers, its first choices, or the student's own sure first choices. The temperature was chosen on
typeset digits under shifts of the dial. Part "left out": teacher and student see one set of handwritten digits, the
student without any 3 (Hinton, Vinyals and Dean 2015, section 3).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.datasets import load
from mlcourse.domains import Domain
from mlcourse.episode.across import halves, pixels
from mlcourse.lessons.l15_distillation.figures import study_picture
from mlcourse.lessons.l15_distillation.teaching import Given, always, answers, renewed, sure, taught
from mlcourse.losses.distillation import distillation
from mlcourse.nets import Conv4, LeNet, call, statistics
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.small import SIDE, shrunk
from mlcourse.studies.study import Key, Option, Study
from mlcourse.studies.transfer.source import trained
from mlcourse.system.machine import one_core

KEY = ("part", "arm", "width", "temperature", "seed")
TEMPERATURE, TEMPERATURES = 4.0, (1.0, 4.0, 20.0)
LEFT_OUT = 3
BIASES = torch.arange(0, 20.05, 0.1)                # added to the logit of the class that was left out
PARTS = ("domains", "left out")


@dataclass(frozen=True)
class Budget:
    """teacher: filters of its first layer; widths: of each layer of the students; width: of those that most arms have,
    left_out_width: of those that never saw a class. most: steps on labels, where nothing ends them before. steps,
    left_out_steps: of every student on the teacher's answers, or on what stands in their place."""

    teacher: int = 20
    widths: tuple[int, ...] = (4, 8, 16)
    width: int = 8
    left_out_width: int = 16
    most: int = 600
    steps: int = 400
    left_out_steps: int = 600


class Who(NamedTuple):
    """A row's arm, the filters of its network, and its temperature (0: no soft targets)."""

    arm: str
    width: int
    temperature: float = 0.0


class DistillationSeed(NamedTuple):
    """One seed of a part: where labels come from, the pictures that students see, those they are judged on, and the
    teachers by their names, functions of pictures to logits."""

    seed: int
    budget: Budget
    labelled: Domain
    seen: Domain
    test: Domain
    teachers: dict[str, Callable[[Tensor], Tensor]]


def student(width: int, seed: int, norm: str = "layer") -> Conv4:
    """An untrained student of `width` filters for ten classes of 16×16 pictures."""
    return Conv4(10, width, "max", norm, SIDE, seed)


def teacher(width: int, seed: int, norm: str = "layer") -> LeNet:
    """An untrained teacher, the transfer study's network."""
    return LeNet(10, width, norm, SIDE, 1, seed)


def normalised_by(net: nn.Module, x: Tensor) -> Callable[[Tensor], Tensor]:
    """A network with the norm statistics of pictures x: AdaBN."""
    theta = {name: p.detach() for name, p in net.named_parameters()}
    with torch.no_grad():
        stats = statistics(net, theta, x)
    return lambda pictures: call(net, theta, pictures, stats)


@lru_cache(maxsize=1)
def of_seed(part: str, seed: int, budget: Budget = Budget()) -> DistillationSeed:
    """What one seed of a part works on, its teachers trained."""
    seen, test = halves(shrunk(load("digits")), seed=seed)
    labelled = shrunk(load("glyphs-digits")) if part == "domains" else seen
    made = lambda norm: trained(teacher(budget.teacher, seed, norm), labelled, budget.most, seed)
    teachers = {"teacher": made("layer")}
    if part == "domains":
        teachers["teacher, AdaBN"] = normalised_by(made("batch"), pixels(seen.images))
    return DistillationSeed(seed, budget, labelled, seen, test, teachers)


# ------------------------------------------------------------ the arms

class Targets(NamedTuple):
    """What a student of the part "domains" learns from on the target's pictures.

    by: who gives the answers, a teacher, the student itself ("own"), or the labels ("target"). sure: only where it is
    sure, and its first choice. renewed: the student's own, given anew as it learns. beside: the source's labels come
    along.
    """

    by: str
    sure: bool = False
    renewed: bool = False
    beside: bool = False


TARGETS = {
    "distilled": Targets("teacher"),
    "first choices": Targets("teacher"),
    "own labels": Targets("own", sure=True, renewed=True, beside=True),
    "sure first choices": Targets("teacher", sure=True),
    "own sure labels alone": Targets("own", sure=True, renewed=True),
    "distilled, source beside": Targets("teacher", beside=True),
    "of the AdaBN teacher": Targets("teacher, AdaBN"),
    "target labels": Targets("target"),
}
SOFT = ("distilled, source beside", "of the AdaBN teacher")
EVERY_WIDTH = ("source labels", "first choices", "own labels")


def arms(part: str, budget: Budget = Budget()) -> list[Who]:
    """All rows of a seed of a part."""
    if part == "left out":
        width = budget.left_out_width
        return [Who("teacher", budget.teacher), Who("labels", width), Who("distilled", width, max(TEMPERATURES)),
                *(Who("left out", width, t) for t in TEMPERATURES),
                Who("left out", budget.width, max(TEMPERATURES))]
    width, hard = budget.width, [arm for arm in TARGETS if arm not in (*SOFT, *EVERY_WIDTH, "distilled")]
    return [Who("teacher", budget.teacher), Who("teacher, AdaBN", budget.teacher), Who("source labels, AdaBN", width),
            *(Who(arm, each) for arm in EVERY_WIDTH for each in budget.widths),
            *(Who("distilled", each, TEMPERATURE) for each in budget.widths),
            *(Who("distilled", width, t) for t in TEMPERATURES if t != TEMPERATURE),
            *(Who(arm, width, TEMPERATURE) for arm in SOFT), *(Who(arm, width) for arm in hard)]


def without(domain: Domain, left_out: int) -> Domain:
    """The domain without the pictures of one class; the class stays among its classes."""
    return domain.take(torch.nonzero(domain.labels != left_out)[:, 0])


def softly(temperature: float) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of a student's logits and a teacher's at a temperature."""
    return lambda z, v: distillation(z, v, temperature)


def source_student(s: DistillationSeed, width: int, norm: str = "layer") -> nn.Module:
    """A student of the source's labels."""
    return trained(student(width, s.seed, norm), s.labelled, s.budget.most, s.seed)


def given(s: DistillationSeed, who: Who, start: nn.Module) -> tuple[Given, dict]:
    """What a student of the part "domains" is given, and of how many pictures its first targets are, and how many of
    those name the picture's class, in per cent."""
    x, y, targets = pixels(s.seen.images), s.seen.labels, TARGETS[who.arm]
    if targets.by == "target":
        return always(x, y), {}
    v = answers(start if targets.by == "own" else s.teachers[targets.by], x)
    counts = sure(v) if targets.sure else torch.ones(len(x), dtype=torch.bool)
    share = lambda which: 100 * float(which.double().mean())
    about = {"given": share(counts), "given_right": share((v.argmax(1) == y)[counts])}
    if targets.renewed:
        return renewed(x), about
    return always(x[counts], v[counts] if who.temperature else v.argmax(1)[counts]), about


def of_domains(s: DistillationSeed, who: Who, start: nn.Module) -> tuple[Callable[[Tensor], Tensor], dict]:
    """A trained student of the part "domains", and what else its row says. start: that of the source's labels."""
    if who.arm == "source labels":
        return start, {}
    if who.arm == "source labels, AdaBN":
        return normalised_by(source_student(s, who.width, "batch"), pixels(s.seen.images)), {}
    targets, about = given(s, who, start)
    beside = (pixels(s.labelled.images), s.labelled.labels) if TARGETS[who.arm].beside else None
    loss = softly(who.temperature) if who.temperature else F.cross_entropy
    return taught(start, targets, loss, s.budget.steps, s.seed, beside), about


def of_left_out(s: DistillationSeed, who: Who) -> nn.Module:
    """A trained student of the part "left out"."""
    seen = without(s.seen, LEFT_OUT) if who.arm == "left out" else s.seen
    x, net, steps = pixels(seen.images), student(who.width, s.seed), s.budget.left_out_steps
    if not who.temperature:
        return taught(net, always(x, seen.labels), F.cross_entropy, steps, s.seed)
    return taught(net, always(x, answers(s.teachers["teacher"], x)), softly(who.temperature), steps, s.seed)


# ------------------------------------------------------------ rows

def wrong(logits: Tensor, labels: Tensor) -> dict:
    """The number of errors, and of those on the class that was left out."""
    missed = logits.argmax(1) != labels
    return {"errors": int(missed.sum()), "errors_left_out": int((missed & (labels == LEFT_OUT)).sum())}


def best_bias(logits: Tensor, labels: Tensor) -> float:
    """The least of BIASES which, added to the logit of the class that was left out, leaves the fewest errors."""
    add = F.one_hot(torch.tensor(LEFT_OUT), logits.shape[1])
    counts = [wrong(logits + float(b) * add, labels)["errors"] for b in BIASES]
    return round(float(BIASES[counts.index(min(counts))]), 1)


def judged(s: DistillationSeed, who: Who, net: Callable[[Tensor], Tensor]) -> dict:
    """Accuracy (%) and errors on the test half; for a student that missed a class also the shift of its bias that
    leaves the fewest errors on the test half, as the paper chose it, and on the half that the teacher trained on, and
    the errors on the test half after each."""
    logits, labels = answers(net, pixels(s.test.images)), s.test.labels
    values = {"accuracy": 100 * float((logits.argmax(1) == labels).double().mean()), **wrong(logits, labels),
              "pictures": len(labels)}
    if who.arm == "left out":
        add = F.one_hot(torch.tensor(LEFT_OUT), 10)
        own = answers(net, pixels(s.seen.images)), s.seen.labels
        for name, bias in (("test", best_bias(logits, labels)), ("train", best_bias(*own))):
            after = wrong(logits + bias * add, labels)
            values |= {f"bias_{name}": bias, **{f"{key}_{name}": value for key, value in after.items()}}
    return values


def parameters(who: Who) -> int:
    """How many numbers the network of a row learns."""
    net = teacher(who.width, 0) if who.arm.startswith("teacher") else student(who.width, 0)
    return sum(p.numel() for p in net.parameters())


def prepare(seeds: Sequence[int], part: Sequence[str]) -> SimpleNamespace:
    """The parts, all where none is named. Raises ValueError for an unknown one."""
    if unknown := set(part) - set(PARTS):
        raise ValueError(f"there is no part {sorted(unknown)[0]!r}; the parts are {', '.join(PARTS)}")
    return SimpleNamespace(seeds=seeds, parts=part or PARTS)


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every part, arm, width, temperature and seed."""
    return [(part, *each, seed) for part in asked.parts for seed in asked.seeds for each in arms(part, budget)]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`."""
    for part, seed in dict.fromkeys((part, seed) for part, *_, seed in todo):
        wanted = [Who(*who) for each, *who, of in todo if (each, of) == (part, seed)]
        with one_core():
            s = of_seed(part, seed, budget)
        for who, values in measured(s, part, wanted):
            yield {"part": part, **who._asdict(), "parameters": parameters(who),
                   **{key: round(v, 4) if isinstance(v, float) else v for key, v in values.items()},
                   **facts(f'mlcourse study distillation --part "{part}" --seed {seed}', seed)}


def measured(s: DistillationSeed, part: str, wanted: Sequence[Who]) -> Iterator[tuple[Who, dict]]:
    """(who, values) of one seed of a part; the student of the source's labels is trained once for each width."""
    starts: dict[int, nn.Module] = {}
    for who in wanted:
        start, also = time.perf_counter(), {}
        with one_core():
            if who.arm in s.teachers:
                net = s.teachers[who.arm]
            elif part == "left out":
                net = of_left_out(s, who)
            else:
                if who.width not in starts:
                    starts[who.width] = source_student(s, who.width)
                net, also = of_domains(s, who, starts[who.width])
            values = judged(s, who, net)
        yield who, {**values, **also, "seconds": round(time.perf_counter() - start, 1)}


def line(row: dict) -> str:
    """One line of the table."""
    name = f"{row['arm']}, {row['width']} filters" + (f", τ = {row['temperature']:g}" if row["temperature"] else "")
    after = (f"   after a shift of {row['bias_test']:g}: {row['errors_test']}, of {row['bias_train']:g}: "
             f"{row['errors_train']}" if "bias_test" in row else "")
    return (f"{row['part']:9s} {name:36s} seed {row['seed']}   {row['accuracy']:5.1f} %   "
            f"{row['errors']} errors of {row['pictures']}, {row['errors_left_out']} on {LEFT_OUT}{after}")


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """Size, temperature and the class that was left out, where all parts were asked for."""
    return {"": study_picture(found)} if {*asked.parts} == {*PARTS} else {}


STUDY = Study(
    "distillation",
    """Lesson 15: from a big teacher of typeset digits to a small student of handwritten ones, without labels there,
    beside the same student on the source's labels and on its own sure predictions; its size, its temperature; a
    student that never saw a 3.

    16×16 pictures. About 15 minutes on one core in all.""",
    ("", "--part domains --seed 0"), KEY, Budget(), plan, rows, line, prepare=prepare, pictures=pictures,
    options=(Option("part", str, rf"{', '.join(PARTS)}; repeat it for several.  \[default: all]", several=True),))
