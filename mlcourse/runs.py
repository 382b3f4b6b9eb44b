"""Train a method on a domain and evaluate a checkpoint on a domain: what `mlcourse train` and `evaluate` do."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path


from mlcourse import checkpoint, datasets
from mlcourse.datasets.notes import say
from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.episode import EpisodeSampler
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


def samplers(job: Job, entry: Method, data_dir=None) -> tuple[object, object, int]:
    """The training sampler, the test sampler and the number of training classes of a job.

    Training classes of drawn characters are also turned by 90, 180 and 270 degrees, each turn a class of its own;
    test characters never are.
    Raises what `datasets.load_splits` and `EpisodeSampler` raise.
    """
    if job.domain == SINUSOIDS:
        return SinusoidSampler(job.shot, 10), SinusoidSampler(job.shot, 100), 0
    splits = datasets.load_splits(job.domain, data_dir)
    rotated = job.domain.partition("@")[0].partition(":")[0] in ROTATED
    source = splits.train.with_rotations() if rotated else splits.train
    classes = len(source.classes)
    test = EpisodeSampler(splits.test, job.way, job.shot, job.query)
    way = min(entry.train_way, classes) if entry.train_way else job.way
    query = min(entry.train_query or job.query, job.query)
    return EpisodeSampler(source, way, job.shot, query), test, classes


def run_training(job: Job, out: Path, data_dir=None, progress: bool = True,
                 check_engine: bool = False) -> tuple[Result, Path]:
    """Train, save a checkpoint with its card under `out`, and report the test result.

    If `out` holds a run of the same job (`episodes` may differ), interrupted or complete, training goes on from there.
    check_engine: as in `train`.
    Raises ValueError for anything that does not fit, before anything is written.
    """
    entry = method(job.method)
    check_episodes(job.episodes)
    source, test, classes = samplers(job, entry, data_dir)
    overrides = {} if job.inner_rate is None else {"lr": job.inner_rate}
    way = 0 if job.domain == SINUSOIDS else job.way
    settings, training = settings_on(entry, way)
    if overrides and "lr" not in settings:
        raise ValueError(f"{entry.name} has no inner rate to set; leave --inner-rate out")
    learner = build(entry, way=way, train_classes=classes, norm=job.norm, seed=job.seed, **overrides)
    training = dict(training)
    if job.steps is not None:
        training["steps"] = job.steps
    if job.outer_rate is not None:
        training["lr"] = job.outer_rate
    phases = learner.phases(source, **training)
    if progress and classes:
        say([job.domain], [source.domain])
    records = train(learner, phases, seed=job.seed, path=out / STATE, label=replace(job, episodes=600).command(),
                    progress=progress, check_engine=check_engine)
    result = evaluate(learner, test, job.episodes, steps=entry.test_steps, name=entry.name,
                      train_way=getattr(source, "way", 0), command=job.command(), commit=commit())
    card = {"job": asdict(job), "training": training, "losses": [round(r["loss"], 5) for r in records[-200:]],
            "result": asdict(result), "versions": versions()}
    checkpoint.save(out / MODEL, entry.name, learner, card)
    return result, out / MODEL


def run_evaluation(path: Path, domain: str, *, way: int | None = None, shot: int | None = None,
                   query: int | None = None, steps: int | None = None, split: str | None = None, episodes: int = 600,
                   seed: int = EVALUATION_SEED, data_dir=None) -> Result:
    """Evaluate a checkpoint on a domain. way, shot, query: None takes those it was trained for; steps: inner steps.

    split: "train", "val", "test" or "all"; None takes "test" on the data set it was trained on (so that no class was
    seen in training) and on glyphs and omniglot, and "all" elsewhere.
    Raises ValueError when the checkpoint does not fit the domain.
    """
    learner, card = checkpoint.load(path)
    job, entry = _job(card, path), method(card["method"])
    regression = domain == SINUSOIDS
    if regression != (job.domain == SINUSOIDS):
        kind, fitting = ("classification", "images") if regression else ("regression", SINUSOIDS)
        raise ValueError(f"{path} was trained on {job.domain}, which is {kind}; evaluate it on {fitting}")
    way, shot, query = (given if given is not None else trained for given, trained in
                        ((way, job.way), (shot, job.shot), (query, job.query)))
    if regression:
        usual, sampler = "test", SinusoidSampler(shot, 100)
        split = usual
    else:
        check_way(learner, entry, way)
        usual = default_split(domain, job)
        split = split or usual
        sampler = EpisodeSampler(choose_split(domain, split, data_dir), way, shot, query)
        say([domain], [sampler.domain])
    steps = entry.test_steps if steps is None else steps
    words = ["mlcourse", "evaluate", str(path), "--domain", domain]
    for name, value, default in (("way", way, job.way), ("shot", shot, job.shot), ("query", query, job.query),
                                 ("steps", steps, entry.test_steps), ("split", split, usual),
                                 ("episodes", episodes, 600), ("seed", seed, EVALUATION_SEED)):
        words += [f"--{name}", str(value)] if value != default else []
    return evaluate(learner, sampler, episodes, seed=seed, steps=steps, name=entry.name, split=split,
                    train_way=card["result"]["train_way"], command=shlex.join(words), commit=commit())


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


def default_split(domain: str, job: Job) -> str:
    """The split that holds no training class: see `run_evaluation`."""
    return "test" if _source(domain) in (_source(job.domain), "glyphs", "omniglot") else "all"


def _source(spec: str) -> str:
    """The data of a spec, without its shift; a path in full, so that two ways to write it are the same."""
    data, at, shift = spec.rpartition("@")
    kind, colon, path = (data if at and "=" in shift else spec).partition(":")
    return f"{kind}:{Path(path).resolve()}" if colon else kind


def choose_split(domain: str, split: str, data_dir=None):
    """The domain of this spec, or one of its splits. Raises ValueError for an unknown split."""
    if split == "all":
        return datasets.load(domain, data_dir)
    splits = datasets.load_splits(domain, data_dir)
    if split not in splits._fields:
        raise ValueError(f"split must be one of train, val, test or all, got {split!r}")
    return getattr(splits, split)


def method_names() -> list[str]:
    """The names that `mlcourse train` takes."""
    return [entry.name for entry in METHODS]
