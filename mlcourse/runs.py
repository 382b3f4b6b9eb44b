"""Train a method on a domain and evaluate a checkpoint on a domain: what `mlcourse train` and `evaluate` do."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch

from mlcourse import checkpoint, datasets, held_out
from mlcourse.datasets import Form, one_shot_runs
from mlcourse.datasets.notes import say
from mlcourse.datasets.one_shot_runs import OneShotRuns
from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.division import Division, Fold, check, divide
from mlcourse.domains import Domain
from mlcourse.domains.identity import contents
from mlcourse.episode import EpisodeSampler
from mlcourse.episode.within import WithinGroups, turned_whole
from mlcourse.evaluate import EVALUATION_SEED, Result, check_episodes, evaluate, scores, summed
from mlcourse.learner import Learner
from mlcourse.learners import METHODS, Method, build, method, settings_on
from mlcourse.nets.chosen import NAMES, check_name, is_own
from mlcourse.phases import Phase
from mlcourse.statistics import Estimate, t_interval
from mlcourse.system.machine import device
from mlcourse.system.provenance import commit, versions
from mlcourse.train import train

SINUSOIDS = "sinusoids"
ROTATED = ("omniglot", "glyphs")
STATE = "training.safetensors"
MODEL = "model.safetensors"
EPISODES = 600
TASK = {"way": 5, "query": 15, "episodes": EPISODES}
RUN = {"way": one_shot_runs.WAY, "query": 1, "episodes": one_shot_runs.COUNT}
RUN_QUERY, RUN_VIEWS = 4, 0.7       # in training for the one-shot runs: queries of a class, the strength of views


@dataclass(frozen=True)
class Job:
    """What to train. domain: a spec of `datasets.load`, "omniglot-runs" or "sinusoids". steps: outer steps; None takes
    the method's.

    way, shot, query: of the test episodes (way is ignored for sinusoids). inner_rate, outer_rate: None takes the
    method's. net, norm, width: the network (`nets.network`). side, colour: the form of the pictures. split_by: as in
    `division.divide`. device: where it computes. episodes: fixed test episodes that the result is reported on. way,
    query, episodes: None is 5, 15 and 600, or what the one-shot runs are made of.
    """

    method: str
    domain: str
    way: int | None = None
    shot: int = 1
    query: int | None = None
    steps: int | None = None
    inner_rate: float | None = None
    outer_rate: float | None = None
    norm: str = "batch"
    seed: int = 0
    episodes: int | None = None
    net: str = NAMES[0]
    width: int | None = None
    side: int = Form().side
    colour: bool = False
    split_by: str | None = None
    device: str = "cpu"

    def __post_init__(self):
        for name, usual in (RUN if self.domain == one_shot_runs.NAME else TASK).items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, usual)

    @property
    def form(self) -> Form:
        """The form of the pictures."""
        return Form(self.side, self.colour)

    def command(self) -> str:
        """The command line that repeats this job."""
        words = ["mlcourse", "train", self.method, "--domain", self.domain]
        for name, default in asdict(Job("", self.domain)).items():
            value = getattr(self, name)
            if name not in ("method", "domain") and value != default:
                words += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
        return shlex.join(words)

    def name(self) -> str:
        """A folder name: method, domain, task, and what of the network and the pictures is not as usual."""
        plain = lambda text: "".join(c if c.isalnum() or c in "@=._" else "-" for c in text).strip("-")
        task = f"{self.way}w{self.shot}s" if self.domain != SINUSOIDS else f"{self.shot}s"
        own = [plain(self.net)] * (self.net != NAMES[0]) + [f"width{self.width}"] * (self.width is not None)
        form = [f"side{self.side}"] * (self.side != Form().side) + ["colour"] * self.colour
        split = [f"by-{self.split_by}"] * (self.split_by is not None)
        return "-".join([self.method, plain(self.domain), task, *own, self.norm, *form, *split, f"seed{self.seed}"])


def samplers(job: Job, entry: Method, fold: Fold | None, data_dir=None) -> tuple[object, object, int]:
    """The training sampler, the test sampler and the number of training classes of a job. fold: None for sinusoids, of
    Omniglot for the one-shot runs.

    Training classes of drawn characters are also turned by 90, 180 and 270 degrees, each turn a class of its own;
    test characters never are. For the one-shot runs training episodes are like them, within one alphabet, and every
    drawing is shown in a small affine view.
    Raises what `EpisodeSampler` and `one_shot_runs.load` raise, and ValueError for runs of another shape.
    """
    if fold is None:
        return SinusoidSampler(job.shot, 10), SinusoidSampler(job.shot, 100), 0
    if job.domain == one_shot_runs.NAME:
        usual = Job(job.method, job.domain)
        _check_run_options([name for name in ("way", "shot", "query", "episodes", "split_by")
                            if getattr(job, name) != getattr(usual, name)])
        tests = one_shot_runs.load(data_dir, job.form)
        _check_unseen(tests, held_out.Trained(fold.train.digests, fold.train.classes))
        source = WithinGroups(turned_whole(fold.train), job.way, job.shot, RUN_QUERY, strength=RUN_VIEWS)
        return source, tests, len(source.domain.classes)
    source = fold.train.with_rotations() if datasets.parse(job.domain).name in ROTATED else fold.train
    classes = len(source.classes)
    test = EpisodeSampler(fold.test, job.way, job.shot, job.query)
    way = min(entry.train_way, classes) if entry.train_way else job.way
    query = min(entry.train_query or job.query, job.query)
    return EpisodeSampler(source, way, job.shot, query), test, classes


class Work(NamedTuple):
    """One training: the untrained learner, its phases, the sampler it is tested with, its training way and number of
    training classes, and the arguments of its phases."""

    learner: Learner
    phases: list[Phase]
    test: object
    train_way: int
    classes: int
    training: dict


def prepare(job: Job, entry: Method, fold: Fold | None, data_dir=None) -> Work:
    """What is to be trained. Raises ValueError for anything that does not fit."""
    source, test, classes = samplers(job, entry, fold, data_dir)
    way = 0 if fold is None else job.way
    training = dict(settings_on(entry, way)[1])
    if job.domain == one_shot_runs.NAME and entry.one_shot_runs:
        training = dict(entry.one_shot_runs)
    if job.steps is not None:
        training["steps"] = job.steps
    if job.outer_rate is not None:
        training["lr"] = job.outer_rate
    learner = untrained(job, entry, classes)
    return Work(learner, learner.phases(source, **training), test, getattr(source, "way", 0), classes, training)


def untrained(job: Job, entry: Method, classes: int) -> Learner:
    """The learner that a job starts from, on its device. classes: how many it trains on. Raises ValueError for settings
    that the method does not have."""
    way = 0 if job.domain == SINUSOIDS else job.way
    overrides = {} if job.inner_rate is None else {"lr": job.inner_rate}
    if overrides and "lr" not in settings_on(entry, way)[0]:
        raise ValueError(f"{entry.name} has no inner rate to set; leave --inner-rate out")
    if (job.net, job.width, job.form) != (NAMES[0], None, Form()) and way == 0:
        raise ValueError("sinusoids are fitted by a small network of their own; leave --net, --width, --side and --colour out")
    if (job.net, job.width) != (NAMES[0], None) and not entry.net:
        raise ValueError(f"{entry.name} has no network to choose; leave --net and --width out")
    return build(entry, way=way, train_classes=classes, norm=job.norm, seed=job.seed, net=job.net, side=job.side,
                 channels=job.form.channels, width=job.width, **overrides).to(device(job.device))


def run_training(job: Job, out: Path, data_dir=None, progress: bool = True,
                 check_engine: bool = False) -> tuple[Result, Path]:
    """Train, save a checkpoint with its card under `out`, and report the test result.

    If `out` holds a run of the same job (`episodes` and `device` may differ) on the same data, interrupted or complete,
    training goes on from there. Data are the same where their classes hold the same pictures, wherever they lie.
    Where no test split can be held out (`division.divide`) the result is that of a cross-validation, and the checkpoint
    is trained on all classes. check_engine: as in `train`.
    Raises ValueError for anything that does not fit, before anything is written.
    """
    entry, on_runs = method(job.method), job.domain == one_shot_runs.NAME
    check_episodes(job.episodes)
    check_name(job.net)
    check(job.split_by)
    device(job.device)
    if job.domain == SINUSOIDS:
        division, folds, notes, pictures = None, [None], [], None
    else:
        spec = "omniglot" if on_runs else job.domain
        whole = datasets.load(spec, data_dir, job.form)
        division = divide(whole, spec, job.way, job.split_by)
        folds, notes = _free_of_copies(division.folds, job.way)
        pictures = division.parts["train"].digests
    works = [prepare(job, entry, fold, data_dir) for fold in folds]
    final = works[0] if len(works) == 1 else prepare(job, entry, Fold(whole, whole), data_dir)
    if not is_own(job.net):
        checkpoint.describe(final.learner)
    if progress and division is not None:
        say([job.domain], [whole])
        say_of_division(job.domain, division)
    label = replace(job, episodes=None, device="cpu", domain=datasets.parse(job.domain).unplaced).command()
    data = None if division is None else contents(division.parts)

    def learn(work: Work, number: int | None, on: dict | None) -> list[dict]:
        path, its = (STATE, label) if number is None else (f"fold{number}.{STATE}", f"{label}, fold {number}")
        return train(work.learner, work.phases, seed=job.seed, path=out / path, label=its, data=on, progress=progress,
                     check_engine=check_engine)

    shared = {"name": entry.name, "command": job.command(), "commit": commit()}
    if len(works) == 1:
        records = learn(final, None, data)
        if on_runs:
            trained = held_out.Trained(pictures, folds[0].train.classes)
            result = on_the_runs(final.learner, entry, final.test, trained, steps=None, train_way=final.train_way,
                                 command=job.command())
        else:
            result = evaluate(final.learner, final.test, job.episodes, steps=entry.test_steps,
                              train_way=final.train_way, note="; ".join(notes), **shared)
    else:
        for number, (work, fold) in enumerate(zip(works, folds, strict=True), 1):
            learn(work, number, contents({"train": fold.train}))
        result = _crossed(works, job.episodes, entry.test_steps, whole, "; ".join([_folds_in_words(folds), *notes]), shared)
        records = learn(final, None, data)
    card = {"job": asdict(job), "training": final.training, "losses": [round(r["loss"], 5) for r in records[-200:]],
            "result": asdict(result), "versions": versions(), "data": data, "train_classes": final.classes,
            "split_by": division.by if division else None}
    checkpoint.save(out / MODEL, final.learner, card, rebuilds=not is_own(job.net), pictures=pictures)
    return result, out / MODEL


def _free_of_copies(folds: Sequence[Fold], way: int) -> tuple[list[Fold], list[str]]:
    """The folds without the test classes that hold a picture of the training classes, and what is to be said of them."""
    kept, notes = [], {}
    for fold in folds:
        copied = held_out.Trained(fold.train.digests).among(fold.test)
        test, note = held_out.without(fold.test, copied, way, "remove the copies of pictures, or lower --way")
        kept.append(fold._replace(test=test))
        notes |= {note: None} if note else {}
    return kept, list(notes)


def _crossed(works: Sequence[Work], episodes: int, steps: int | None, whole: Domain, note: str, shared: dict) -> Result:
    """The result of a cross-validation: the mean over the episodes of all folds, each with its share of them."""
    start, first = time.perf_counter(), works[0]
    each = max(1, -(-episodes // len(works)))
    values = torch.cat([scores(work.learner, work.test, each, steps=steps) for work in works])
    steps = getattr(first.learner, "steps", 0) if steps is None else steps
    result = summed(values, first.learner, first.test, seed=EVALUATION_SEED, seconds=time.perf_counter() - start, steps=steps,
                    split="cross-validated", train_way=first.train_way, note=note, **shared)
    return replace(result, domain=whole.name)


def _folds_in_words(folds: Sequence[Fold]) -> str:
    return f"{len(folds)} folds of {min(len(fold.test.classes) for fold in folds)} or more classes"


def say_of_division(spec: str, division: Division) -> None:
    """On stderr, why the classes are divided as they are, where that is not as asked or as the data set says."""
    if division.said:
        print(f"{spec}: {division.said}", file=sys.stderr)


def run_evaluation(path: Path, domain: str, *, way: int | None = None, shot: int | None = None,
                   query: int | None = None, steps: int | None = None, split: str | None = None,
                   episodes: int | None = None, seed: int = EVALUATION_SEED, data_dir=None, net: str | None = None,
                   on: str = "cpu") -> Result:
    """Evaluate a checkpoint on a domain. way, shot, query: None takes those it was trained for; steps: inner steps;
    episodes: None is 600.

    net: the module:attr of a network of your own, which is named again, because a card runs no code. on: the device.

    split: "train", "val", "test" or "all", as they are; the result's note says whether their classes were trained on.
    None takes "test" on glyphs, omniglot and whatever shares a picture with the training data, and "all" elsewhere;
    classes that were trained on, known by what they hold, are left out, and the note says so.
    domain "omniglot-runs" is Omniglot's one-shot runs (`datasets.one_shot_runs`), which fix the episodes.
    Raises ValueError when the checkpoint does not fit the domain, and as `held_out.part_of` does.
    """
    card = checkpoint.card_of(path)
    job = _job(card, path)
    entry, where = method(job.method), device(on)
    learner = _trained(path, card, job, entry, net).to(where)
    trained = held_out.Trained(checkpoint.trained_on(path), tuple((card.get("data") or {}).get("train", ())))
    if domain == one_shot_runs.NAME:
        given = {"way": way, "shot": shot, "query": query, "split": split, "episodes": episodes,
                 "seed": seed if seed != EVALUATION_SEED else None}
        _check_run_options([name for name, value in given.items() if value is not None])
        if job.domain == SINUSOIDS:
            raise ValueError(f"{path} was trained on {SINUSOIDS}, which is regression; evaluate it on {SINUSOIDS}")
        words = ["mlcourse", "evaluate", str(path), "--domain", domain]
        for name, value, default in (("steps", steps, entry.test_steps), ("net", net, None), ("device", on, "cpu")):
            words += [f"--{name}", str(value)] if value not in (None, default) else []
        return on_the_runs(learner, entry, one_shot_runs.load(data_dir, job.form), trained, steps=steps,
                           command=shlex.join(words), train_way=card["result"]["train_way"])
    episodes = EPISODES if episodes is None else episodes
    regression = domain == SINUSOIDS
    if regression != (job.domain == SINUSOIDS):
        kind, fitting = ("classification", "images") if regression else ("regression", SINUSOIDS)
        raise ValueError(f"{path} was trained on {job.domain}, which is {kind}; evaluate it on {fitting}")
    way, shot, query = (given if given is not None else trained for given, trained in
                        ((way, job.way), (shot, job.shot), (query, job.query)))
    asked, note = split, ""
    if regression:
        split, sampler = "test", SinusoidSampler(shot, 100)
    else:
        check_way(learner, entry, way)
        part, split, note = held_out.part_of(domain, split, trained, way, data_dir, job.form, card.get("split_by") or "group")
        sampler = EpisodeSampler(part, way, shot, query)
        say([domain], [part])
    steps = entry.test_steps if steps is None else steps
    words = ["mlcourse", "evaluate", str(path), "--domain", domain]
    for name, value, default in (("way", way, job.way), ("shot", shot, job.shot), ("query", query, job.query),
                                 ("steps", steps, entry.test_steps), ("split", asked, None),
                                 ("episodes", episodes, EPISODES), ("seed", seed, EVALUATION_SEED), ("net", net, None),
                                 ("device", on, "cpu")):
        words += [f"--{name}", str(value)] if value != default else []
    return evaluate(learner, sampler, episodes, seed=seed, steps=steps, name=entry.name, split=split,
                    train_way=card["result"]["train_way"], command=shlex.join(words), commit=commit(), note=note)


def _trained(path: Path, card: dict, job: Job, entry: Method, net: str | None) -> Learner:
    """The learner of a checkpoint. Raises ValueError unless `net` is named where the network is the user's own, and only
    there, and what `checkpoint.load` raises."""
    if not is_own(job.net):
        if net not in (None, job.net):
            raise ValueError(f"{path} was trained with the network {job.net}, which the course makes; leave --net out")
        return checkpoint.load(path)[0]
    if net is None:
        raise ValueError(f"{path} was trained with a network of your own, {job.net}; name it once more, as --net {job.net}, "
                         "since a checkpoint's card runs no code")
    return checkpoint.load(path, into=untrained(replace(job, net=net), entry, card.get("train_classes", 0)))[0]


def _check_unseen(tests: OneShotRuns, trained: held_out.Trained) -> None:
    if seen := trained.among(tests.domain):
        raise ValueError(f"{held_out.seen_in(tests.domain, seen)}; evaluate a model of other alphabets")


def _check_run_options(given: list[str]) -> None:
    if given:
        options = " and ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ValueError(f"{one_shot_runs.NAME} fixes what a run is made of; leave {options} out")


def on_the_runs(learner: Learner, entry: Method, tests: OneShotRuns, trained: held_out.Trained, *, steps: int | None,
                command: str, train_way: int) -> Result:
    """A learner on the one-shot runs. The note says which runs they are, the error as the literature gives it, and that
    of the modified Hausdorff distance on the same runs; the intervals are over runs.

    Raises ValueError for a head of another number of classes, and where a character of the runs was trained on.
    """
    outputs = _outputs(learner, entry, tests.way)
    if outputs != tests.way:
        raise ValueError(f"this {entry.name} checkpoint has a head for {outputs} classes, but a one-shot run has "
                         f"{tests.way}; train one with --way {tests.way}")
    _check_unseen(tests, trained)
    count = len(tests.episodes)
    result = evaluate(learner, tests, count, steps=entry.test_steps if steps is None else steps, name=entry.name,
                      train_way=train_way, command=command, commit=commit())
    error = Estimate(1 - result.mean, result.ci95, count, "runs")
    baseline = t_interval(tests.baseline(), "runs")
    note = (f"{tests.about}; error {error.times(100).text()} %, of the modified Hausdorff distance "
            f"{baseline.times(100).text()} %")
    return replace(result, note=note if trained.pictures is not None else f"{note}; {held_out.UNKNOWN}")


def _job(card: dict, path: Path) -> Job:
    try:
        return Job(**card["job"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"the card of {path} does not say how it was trained ({error}); evaluate checkpoints that "
                         "mlcourse train wrote") from error


def _outputs(learner: Learner, entry: Method, way: int) -> int:
    """The number of classes that a learner's head tells apart; `way` where it has none."""
    return getattr(getattr(learner.net, "head", None), "out_features", way) if entry.net == "headed" else way


def check_way(learner: Learner, entry: Method, way: int) -> None:
    """Raises ValueError when the learner's network has a head for another number of classes."""
    outputs = _outputs(learner, entry, way)
    if outputs != way:
        raise ValueError(f"this {entry.name} checkpoint has a head for {outputs} classes, not {way}; evaluate it with "
                         f"--way {outputs} or train one with --way {way}")


def method_names() -> list[str]:
    """The names that `mlcourse train` takes."""
    return [entry.name for entry in METHODS]
