"""A big teacher that knows the source, a small student on the target's pictures without labels; a class that the
student never saw; the student's size; the temperature.

16×16 pictures (`mlcourse.small`). In a part every student takes the same number of steps on as many pictures each,
from the same weights within a seed. Part "domains": typeset digits → UCI handwritten digits. The teacher adapts by
AdaBN or not at all, whichever makes its predictions on the target's unlabelled pictures more informative; the
temperature was chosen on typeset digits under shifts of the dial. Part "left out": teacher and student see one set of
handwritten digits, the student without any 3 (Hinton, Vinyals and Dean 2015, section 3). Part "cost": parameters and
milliseconds.
"""

from __future__ import annotations

import statistics as numbers
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse import small
from mlcourse.datasets import load
from mlcourse.datasets.store import DataError
from mlcourse.domains import Domain
from mlcourse.episode.across import DomainSampler, halves, pixels
from mlcourse.learner import Adapted
from mlcourse.learners import AdaBN, Distillation, Teacher
from mlcourse.lessons.l15_distillation.figures import study_picture
from mlcourse.losses.alignment import information
from mlcourse.nets import Conv4, call, statistics
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Option, Study
from mlcourse.system.machine import in_parallel, one_core
from mlcourse.train import train

KEY = ("part", "data", "arm", "width", "temperature", "seed")
SHOT = 6                                            # 10 · SHOT pictures a step
TEMPERATURE, TEMPERATURES = 1.0, (1.0, 2.0, 4.0, 8.0, 20.0)
LEFT_OUT, LEFT_OUT_TEMPERATURES = 3, (1.0, 4.0, 20.0)
MOST = 5000                                         # pictures in either half of MNIST
BIASES = torch.arange(0, 20.05, 0.1)                # added to the logit of the class that was left out
SURE = 30.0                                         # a logit that turns a soft target into a label
BATCH = 100                                         # pictures at once, of a timing
PARTS = ("domains", "left out", "cost")
RATES = {"domains": 2e-3, "left out": 5e-3}         # of everyone


@dataclass(frozen=True)
class Budget:
    """teacher, widths: filters of each layer; width: of the students of the temperatures, left_out_width: of those that
    never saw a class. steps, left_out_steps: of everyone in a part. seeds: of a part on the digits, left_out_mnist: on
    MNIST. times: repetitions of a timing."""

    teacher: int = 64
    widths: tuple[int, ...] = (4, 8, 16, 32)
    width: int = 8
    left_out_width: int = 32
    steps: int = 300
    left_out_steps: int = 600
    seeds: int = 5
    left_out_mnist: int = 3
    times: int = 25

    def trained_for(self, part: str) -> int:
        """The steps of everyone in a part."""
        return {"domains": self.steps, "left out": self.left_out_steps, "cost": 0}[part]

    def data(self, part: str) -> dict[str, int]:
        """The data sets of a part, each with its number of seeds."""
        digits = {"digits": 1 if part == "cost" else self.seeds}
        return digits | ({"mnist": self.left_out_mnist} if part == "left out" else {})


class Student(NamedTuple):
    """Which student: its arm in the tables, the filters of its layers, and its temperature (0: no soft targets)."""

    arm: str
    width: int
    temperature: float = 0.0


class DistillationSeed(NamedTuple):
    """One seed of a part: where the teacher's labels come from, the pictures that students see, those they are judged
    on, the teachers by how they adapt, and their information on the students' pictures, in nats."""

    part: str
    seed: int
    budget: Budget
    labelled: Domain
    seen: Domain
    test: Domain
    teachers: dict[str, Teacher]
    information: dict[str, float]

    @property
    def chosen(self) -> str:
        """The teacher whose predictions on the students' pictures are more informative; no label enters."""
        return max(self.information, key=self.information.get)


def network(width: int, seed: int) -> Conv4:
    """A network of `width` filters for ten classes of 16×16 pictures."""
    return Conv4(10, width, "max", "batch", small.SIDE, seed)


def learned(learner: AdaBN, labelled: Domain, seen: Domain, part: str, seed: int, budget: Budget) -> AdaBN:
    """The learner, trained on 10 · SHOT labelled pictures a step, or, if it distils, on as many without labels."""
    shots = (1, SHOT) if isinstance(learner, Distillation) else (SHOT, 1)
    sampler = DomainSampler([labelled], shots[0], 1, unlabeled=shots[1], target=seen)
    phases = learner.phases(sampler, budget.trained_for(part), tasks=1, lr=RATES[part])
    train(learner, phases, seed=seed, progress=False)
    return learner.eval()


@torch.no_grad()
def normalised_by(net: Conv4, x: Tensor) -> Adapted:
    """The network with the norm statistics of pictures x."""
    theta = dict(net.named_parameters())
    return Adapted(theta, statistics(net, theta, x))


@torch.no_grad()
def answers(net: Conv4, state: Adapted, x: Tensor) -> Tensor:
    """Logits of pictures x."""
    return call(net, state.params, x, state.stats)


@lru_cache(maxsize=1)
def of_seed(part: str, data: str, seed: int, budget: Budget = Budget()) -> DistillationSeed:
    """What one seed of a part works on, its teacher trained. Raises DataError where the data are not here."""
    seen, test = halves(small.shrunk(load(f"{data}@unframed")), MOST)
    labelled = small.shrunk(load("glyphs-digits@unframed")) if part == "domains" else seen
    with one_core():
        net = learned(AdaBN(network(budget.teacher, seed)), labelled, seen, part, seed, budget).net
    states = {"AdaBN": normalised_by(net, pixels(seen.images))}
    if part == "domains":
        states["no adaptation"] = normalised_by(net, small.known(labelled, seed))
    scores = {name: float(information(answers(net, state, pixels(seen.images)))) for name, state in states.items()}
    teachers = {name: Teacher(net, state) for name, state in states.items()}
    return DistillationSeed(part, seed, budget, labelled, seen, test, teachers, scores)


def remembered(teacher: Teacher, x: Tensor, first_choice: bool = False) -> Callable[[Tensor], Tensor]:
    """The teacher's answers to pictures x, given once and looked up from then on; as logits.

    first_choice: it tells its first choice and no more, hard pseudo-labels.
    """
    v = teacher(x)
    v = SURE * F.one_hot(v.argmax(1), v.shape[1]).to(v.dtype) if first_choice else v
    known = {picture.numpy().tobytes(): answer for picture, answer in zip(x, v, strict=True)}
    look_up = lambda pictures: torch.stack([known[picture.numpy().tobytes()] for picture in pictures])
    return lambda asked: look_up(asked.flatten(0, -4)).view(*asked.shape[:-3], -1)


# ------------------------------------------------------------ students

def students(part: str, budget: Budget = Budget()) -> list[Student]:
    """The students that a part trains for each seed."""
    if part == "domains":
        width = budget.width
        return [*(Student("source labels", each) for each in budget.widths), Student("target labels", width),
                *(Student("distilled", each, TEMPERATURE) for each in budget.widths),
                *(Student("distilled", width, t) for t in TEMPERATURES if t != TEMPERATURE),
                Student("other teacher", width, TEMPERATURE), Student("first choices", width, TEMPERATURE)]
    if part == "left out":
        width = budget.left_out_width
        return [Student("labels", width), Student("distilled", width, max(LEFT_OUT_TEMPERATURES)),
                *(Student("left out", width, t) for t in LEFT_OUT_TEMPERATURES)]
    return []


def teachers(part: str, budget: Budget = Budget()) -> dict[str, Student]:
    """The rows of a part's teachers, by how each adapts."""
    names = {"domains": ("AdaBN", "no adaptation"), "left out": ("AdaBN",)}.get(part, ())
    return {name: Student(f"teacher, {name}", budget.teacher) for name in names}


def judged_as(student: Student) -> tuple[Student, ...]:
    """The rows that a student gives; one of source labels counts twice, with the statistics of either domain."""
    return (student, student._replace(arm="source labels, AdaBN")) if student.arm == "source labels" else (student,)


def without(domain: Domain, left_out: int) -> Domain:
    """The domain without the pictures of one class; the class stays among its classes."""
    return domain.take(torch.nonzero(domain.labels != left_out)[:, 0])


def untrained(s: DistillationSeed, student: Student) -> tuple[AdaBN, Domain, Domain]:
    """A student before training, the pictures whose labels it sees, and those that it sees without. Not to be called in
    threads: its weights come from torch's one generator."""
    net = network(student.width, s.seed)
    if not student.temperature:
        return AdaBN(net), s.labelled if student.arm == "source labels" else s.seen, s.seen
    other = min(s.information, key=s.information.get)
    teacher = s.teachers[other if student.arm == "other teacher" else s.chosen]
    seen = without(s.seen, LEFT_OUT) if student.arm == "left out" else s.seen
    answers_of = remembered(teacher, pixels(seen.images), student.arm == "first choices")
    return Distillation(net, answers_of, student.temperature), s.labelled, seen


def wrong(logits: Tensor, labels: Tensor) -> dict:
    """The number of errors, and of those on the class that was left out."""
    missed = logits.argmax(1) != labels
    return {"errors": int(missed.sum()), "errors_left_out": int((missed & (labels == LEFT_OUT)).sum())}


def best_bias(logits: Tensor, labels: Tensor) -> float:
    """The least of BIASES which, added to the logit of the class that was left out, leaves the fewest errors."""
    add = F.one_hot(torch.tensor(LEFT_OUT), logits.shape[1])
    counts = [wrong(logits + float(b) * add, labels)["errors"] for b in BIASES]
    return round(float(BIASES[counts.index(min(counts))]), 1)


def judged(s: DistillationSeed, student: Student, net: Conv4, state: Adapted) -> dict:
    """Accuracy (%) and errors on the test half; for a student that missed a class also the shift of its bias that
    leaves the fewest errors on the test half, as the paper chose it, and on the half that the teacher trained on, and
    the errors on the test half after each."""
    logits, labels = answers(net, state, pixels(s.test.images)), s.test.labels
    values = {"accuracy": 100 * float((logits.argmax(1) == labels).double().mean()), **wrong(logits, labels),
              "pictures": len(labels)}
    if student.arm == "left out":
        add = F.one_hot(torch.tensor(LEFT_OUT), 10)
        own = answers(net, state, pixels(s.seen.images)), s.seen.labels
        for name, bias in (("test", best_bias(logits, labels)), ("train", best_bias(*own))):
            after = wrong(logits + bias * add, labels)
            values |= {f"bias_{name}": bias, **{f"{key}_{name}": value for key, value in after.items()}}
    return values


def measured(s: DistillationSeed, student: Student, learner: AdaBN, seen: Domain) -> Iterator[tuple[Student, dict]]:
    """(who, values) of a trained student (`judged_as`)."""
    states = [normalised_by(learner.net, pixels(seen.images))]
    if student.arm == "source labels":
        states.insert(0, normalised_by(learner.net, small.known(s.labelled, s.seed)))
    for who, state in zip(judged_as(student), states, strict=True):
        yield who, judged(s, who, learner.net, state)


# ------------------------------------------------------------ rows

def cost(width: int, seed: int, times: int) -> dict:
    """Parameters of a network and milliseconds for each picture, in batches of BATCH on one core: the median of so many."""
    net, x = network(width, seed), torch.rand(BATCH, 1, small.SIDE, small.SIDE)
    state, spent = normalised_by(net, x), []
    with one_core():
        for _ in range(times):
            start = time.perf_counter()
            answers(net, state, x)
            spent.append(1000 * (time.perf_counter() - start) / BATCH)
    return {"parameters": sum(p.numel() for p in net.parameters()), "milliseconds": numbers.median(spent)}


def prepare(seeds: Sequence[int], part: Sequence[str]) -> SimpleNamespace:
    """The parts, all where none is named. Raises ValueError for an unknown one."""
    if unknown := set(part) - set(PARTS):
        raise ValueError(f"there is no part {sorted(unknown)[0]!r}; the parts are {', '.join(PARTS)}")
    return SimpleNamespace(seeds=seeds, parts=part or PARTS)


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every part, data set, arm, width, temperature and seed."""
    keys = []
    for part in asked.parts:
        who = [*teachers(part, budget).values(), *(each for student in students(part, budget) for each in judged_as(student)),
               *(Student("cost", width) for width in (*budget.widths, budget.teacher) if part == "cost")]
        keys += [(part, data, *each, seed) for data, count in budget.data(part).items() for seed in range(count)
                 if not asked.seeds or seed in asked.seeds for each in who]
    return keys


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`, the students trained two at a time. Data that are not here are passed over, by name."""
    for part, data, seed in dict.fromkeys((part, data, seed) for part, data, *_, seed in todo):
        wanted = [Student(*who) for each, where, *who, of in todo if (each, where, of) == (part, data, seed)]
        try:
            for who, values in _of_seed_rows(part, data, seed, budget, wanted):
                yield {"part": part, "data": data, **who._asdict(), "steps": budget.trained_for(part),
                       **{key: round(v, 4) if isinstance(v, float) else v for key, v in values.items()},
                       **facts(f'mlcourse study distillation --part "{part}" --seed {seed}', seed)}
        except DataError as error:
            print(f"{part}, {data}: passed over ({error})")


def _of_seed_rows(part: str, data: str, seed: int, budget: Budget,
                  wanted: Sequence[Student]) -> Iterator[tuple[Student, dict]]:
    """(who, values) of the teachers and students that are wanted of one seed."""
    if part == "cost":
        yield from ((who, cost(who.width, seed, budget.times)) for who in wanted)
        return
    s = of_seed(part, data, seed, budget)
    for name, who in teachers(part, budget).items():
        if who in wanted:
            teacher = s.teachers[name]
            state = Adapted(dict(teacher.net.named_parameters()), teacher.stats)
            yield who, {**judged(s, who, teacher.net, state), "information": s.information[name],
                        "chosen": name == s.chosen}
    missing = [student for student in students(part, budget) if {*judged_as(student)} & {*wanted}]
    for pair in (missing[i:i + 2] for i in range(0, len(missing), 2)):
        start, made = time.perf_counter(), [untrained(s, student) for student in pair]
        in_parallel(lambda each: learned(*each, part, seed, budget), made)
        seconds = {"seconds": round(time.perf_counter() - start, 1)}
        for student, (learner, _, seen) in zip(pair, made, strict=True):
            yield from ((who, {**values, **seconds}) for who, values in measured(s, student, learner, seen)
                        if who in wanted)


def line(row: dict) -> str:
    """One line of the table."""
    if row["part"] == "cost":
        return (f"cost   {row['width']:3d} filters   {row['parameters']:7,d} parameters   "
                f"{row['milliseconds']:.3f} ms a picture")
    name = f"{row['arm']}, {row['width']} filters" + (f", T = {row['temperature']:g}" if row["temperature"] else "")
    after = (f"   after a shift of {row['bias_test']:g}: {row['errors_test']}, of {row['bias_train']:g}: "
             f"{row['errors_train']}" if "bias_test" in row else "")
    return (f"{row['part']:9s} {row['data']:7s} {name:36s} seed {row['seed']}   {row['accuracy']:5.1f} %   "
            f"{row['errors']} errors of {row['pictures']}, {row['errors_left_out']} on {LEFT_OUT}{after}")


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """Size, temperature and the class that was left out, where all parts were asked for."""
    return {"": study_picture(found)} if {*asked.parts} == {*PARTS} else {}


STUDY = Study(
    "distillation",
    """Lesson 15: from a big teacher of typeset digits to a small student of handwritten ones, without labels there, against
    the same student on the source's labels; its size and its temperature; a student that never saw a 3.

    16×16 pictures; MNIST, with three seeds, is passed over where it is not at hand. About 15 minutes on two cores in
    all.""",
    ("", "--part domains --seed 0"), KEY, Budget(), plan, rows, line, seeds=0, prepare=prepare, pictures=pictures,
    options=(Option("part", str, rf"{', '.join(PARTS)}; repeat it for several.  \[default: all]", several=True),))
