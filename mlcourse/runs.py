"""Train a method on a domain and evaluate a checkpoint on a domain: what `mlcourse train` and `evaluate` do."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mlcourse import checkpoint, datasets, held_out
from mlcourse.datasets.notes import say
from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.domains.identity import contents
from mlcourse.episode import EpisodeSampler, Splits
from mlcourse.evaluate import EVALUATION_SEED, Result, check_episodes, evaluate
from mlcourse.learner import Learner
from mlcourse.learners import METHODS, Method, build, method, settings_on
from mlcourse.system.provenance import commit, versions
from mlcourse.train import train

SINUSOIDS = "sinusoids"
ROTATED = ("omniglot", "glyphs")
STATE = "training.safetensors"
MODEL = "model.safetensors"


@dataclass(frozen=True)
class Job:
    """What to train. domain: a spec of `datasets.load`, or "sinusoids". steps: outer steps; None takes the method's.

    way, shot, query: of the test episodes (way is ignored for sinusoids). inner_rate, outer_rate: None takes the
    method's. norm: of the convolutional network. episodes: fixed test episodes that the result is reported on.
    """

    method: str
    domain: str
    way: int = 5
    shot: int = 1
    query: int = 15
    steps: int | None = None
    inner_rate: float | None = None
    outer_rate: float | None = None
    norm: str = "batch"
    seed: int = 0
    episodes: int = 600

    def command(self) -> str:
        """The command line that repeats this job."""
        words = ["mlcourse", "train", self.method, "--domain", self.domain]
        for name, default in asdict(Job("", "")).items():
            value = getattr(self, name)
            if name not in ("method", "domain") and value != default:
                words += [f"--{name.replace('_', '-')}", str(value)]
        return shlex.join(words)

    def name(self) -> str:
        """A folder name: method, domain and task."""
        domain = "".join(c if c.isalnum() or c in "@=." else "-" for c in self.domain).strip("-")
        task = f"{self.way}w{self.shot}s" if self.domain != SINUSOIDS else f"{self.shot}s"
        return f"{self.method}-{domain}-{task}-{self.norm}-seed{self.seed}"


def samplers(job: Job, entry: Method, splits: Splits | None) -> tuple[object, object, int]:
    """The training sampler, the test sampler and the number of training classes of a job. splits: None for sinusoids.

    Training classes of drawn characters are also turned by 90, 180 and 270 degrees, each turn a class of its own;
    test characters never are.
    Raises what `EpisodeSampler` raises.
    """
    if splits is None:
        return SinusoidSampler(job.shot, 10), SinusoidSampler(job.shot, 100), 0
    source = splits.train.with_rotations() if datasets.parse(job.domain).name in ROTATED else splits.train
    classes = len(source.classes)
    test = EpisodeSampler(splits.test, job.way, job.shot, job.query)
    way = min(entry.train_way, classes) if entry.train_way else job.way
    query = min(entry.train_query or job.query, job.query)
    return EpisodeSampler(source, way, job.shot, query), test, classes


def run_training(job: Job, out: Path, data_dir=None, progress: bool = True,
                 check_engine: bool = False, compile: bool = False) -> tuple[Result, Path]:
    """Train, save a checkpoint with its card under `out`, and report the test result.

    If `out` holds a run of the same job (`episodes` may differ) on the same data, interrupted or complete, training
    goes on from there. Data are the same where their classes hold the same pictures, wherever they lie.
    check_engine, compile: as in `train`.
    Raises ValueError for anything that does not fit, before anything is written.
    """
    entry = method(job.method)
    check_episodes(job.episodes)
    splits, pictures, note = None, None, ""
    if job.domain != SINUSOIDS:
        splits = datasets.load_splits(job.domain, data_dir)
        pictures = splits.train.digests
        copied = held_out.Trained(pictures).among(splits.test)
        part, note = held_out.without(splits.test, copied, job.way, "remove the copies of pictures, or lower --way")
        splits = splits._replace(test=part)
    source, test, classes = samplers(job, entry, splits)
    overrides = {} if job.inner_rate is None else {"lr": job.inner_rate}
    way = 0 if splits is None else job.way
    settings, training = settings_on(entry, way)
    if overrides and "lr" not in settings:
        raise ValueError(f"{entry.name} has no inner rate to set; leave --inner-rate out")
    learner = build(entry, way=way, train_classes=classes, norm=job.norm, seed=job.seed, **overrides)
    checkpoint.describe(learner)
    training = dict(training)
    if job.steps is not None:
        training["steps"] = job.steps
    if job.outer_rate is not None:
        training["lr"] = job.outer_rate
    phases = learner.phases(source, **training)
    if progress and classes:
        say([job.domain], [source.domain])
    data = None if splits is None else contents(splits._asdict())
    label = replace(job, episodes=600, domain=datasets.parse(job.domain).unplaced).command()
    records = train(learner, phases, seed=job.seed, path=out / STATE, label=label, data=data, progress=progress,
                    check_engine=check_engine, compile=compile)
    result = evaluate(learner, test, job.episodes, steps=entry.test_steps, name=entry.name,
                      train_way=getattr(source, "way", 0), command=job.command(), commit=commit(), note=note)
    card = {"job": asdict(job), "training": training, "losses": [round(r["loss"], 5) for r in records[-200:]],
            "result": asdict(result), "versions": versions(), "data": data}
    checkpoint.save(out / MODEL, learner, card, pictures=pictures)
    return result, out / MODEL


def run_evaluation(path: Path, domain: str, *, way: int | None = None, shot: int | None = None,
                   query: int | None = None, steps: int | None = None, split: str | None = None, episodes: int = 600,
                   seed: int = EVALUATION_SEED, data_dir=None) -> Result:
    """Evaluate a checkpoint on a domain. way, shot, query: None takes those it was trained for; steps: inner steps.

    split: "train", "val", "test" or "all", as they are; the result's note says whether their classes were trained on.
    None takes "test" on glyphs, omniglot and whatever shares a picture with the training data, and "all" elsewhere;
    classes that were trained on, known by what they hold, are left out, and the note says so.
    Raises ValueError when the checkpoint does not fit the domain, and as `held_out.part_of` does.
    """
    learner, card = checkpoint.load(path)
    job, entry = _job(card, path), method(card["method"])
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
        trained = held_out.Trained(checkpoint.trained_on(path), tuple((card.get("data") or {}).get("train", ())))
        part, split, note = held_out.part_of(domain, split, trained, way, data_dir)
        sampler = EpisodeSampler(part, way, shot, query)
        say([domain], [part])
    steps = entry.test_steps if steps is None else steps
    words = ["mlcourse", "evaluate", str(path), "--domain", domain]
    for name, value, default in (("way", way, job.way), ("shot", shot, job.shot), ("query", query, job.query),
                                 ("steps", steps, entry.test_steps), ("split", asked, None),
                                 ("episodes", episodes, 600), ("seed", seed, EVALUATION_SEED)):
        words += [f"--{name}", str(value)] if value != default else []
    return evaluate(learner, sampler, episodes, seed=seed, steps=steps, name=entry.name, split=split,
                    train_way=card["result"]["train_way"], command=shlex.join(words), commit=commit(), note=note)


def _job(card: dict, path: Path) -> Job:
    try:
        return Job(**card["job"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"the card of {path} does not say how it was trained ({error}); evaluate checkpoints that "
                         "mlcourse train wrote") from error


def check_way(learner: Learner, entry: Method, way: int) -> None:
    """Raises ValueError when the learner's network has a head for another number of classes."""
    outputs = learner.net.config["way"] if entry.net == "headed" else way
    if outputs != way:
        raise ValueError(f"this {entry.name} checkpoint has a head for {outputs} classes, not {way}; evaluate it with "
                         f"--way {outputs} or train one with --way {way}")


def method_names() -> list[str]:
    """The names that `mlcourse train` takes."""
    return [entry.name for entry in METHODS]
