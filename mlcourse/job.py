"""What `mlcourse train` is asked to do, and what is made of it: a learner, its phases and the episodes of both
sides."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from mlcourse import datasets, held_out
from mlcourse.datasets import Form, one_shot_runs
from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.division import Division, Fold, check, divide
from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.episode.within import WithinGroups, turned_whole
from mlcourse.learner import Learner
from mlcourse.learners import Method, build, method, settings_on
from mlcourse.nets.chosen import PICTURES, SEQUENCES, check_name
from mlcourse.phases import Phase
from mlcourse.system.files import bounded, plain_name
from mlcourse.system.machine import device

SINUSOIDS, RUNS = "sinusoids", one_shot_runs.NAME
ROTATED = ("omniglot", "glyphs")
EPISODES = 600
TASK = {"way": 5, "query": 15, "episodes": EPISODES}
RUN = {"way": one_shot_runs.WAY, "query": 1, "episodes": one_shot_runs.COUNT}
OFFICIAL = "the official runs are of other alphabets, so all of the background set is trained on"
LONGEST = 200                       # bytes of the name of a run's folder
RUN_QUERY, RUN_VIEWS = 4, 0.7       # in training for the one-shot runs: queries of a class, the strength of views


@dataclass(frozen=True)
class Job:
    """What to train. domain: a spec of `datasets.load`, "omniglot-runs" or "sinusoids". steps: outer steps; None takes
    the method's.

    way, shot, query: of the test episodes (way is ignored for sinusoids). inner_rate, outer_rate: None takes the
    method's. episodes: fixed test episodes that the result is reported on. way, query, episodes: None is 5, 15 and 600,
    or what the one-shot runs are made of. net, norm, width: the network (`nets.network`); net None is conv4, or gru
    for sequences. side, colour: the form of the pictures. split_by: as in `division.divide`. device: where it computes.
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
    net: str | None = None
    width: int | None = None
    side: int = Form().side
    colour: bool = False
    split_by: str | None = None
    device: str = "cpu"

    def __post_init__(self):
        net = (SEQUENCES if self.sequence else PICTURES)[0]
        for name, usual in ((RUN if self.domain == RUNS else TASK) | {"net": net}).items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, usual)

    @property
    def form(self) -> Form:
        """The form of the pictures."""
        return Form(self.side, self.colour)

    @property
    def sequence(self) -> tuple[int, int] | None:
        """The shape (L, A) of a sample where the data set holds sequences; None for pictures."""
        return datasets.sequence_of(self.domain)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample that a network reads."""
        return self.sequence or (self.form.channels, self.side, self.side)

    @property
    def entry(self) -> Method:
        """The method's record. On sequences a test takes as many inner steps as the training: more of them, at rates
        that suit so few, end at chance."""
        entry = method(self.method)
        return entry._replace(test_steps=None) if self.sequence else entry

    @property
    def spec(self) -> str:
        """The data set that it trains on."""
        return "omniglot" if self.domain == RUNS else self.domain

    def command(self) -> str:
        """The command line that repeats this job."""
        words = ["mlcourse", "train", self.method, "--domain", self.domain]
        for name, default in asdict(Job("", self.domain)).items():
            value = getattr(self, name)
            if name not in ("method", "domain") and value != default:
                words += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
        return shlex.join(words)

    def name(self) -> str:
        """A folder name: method, domain, task, and what of the network and the pictures is not as usual; a long one
        ends in a number made from it, and so do the domain and the network that have further signs in their names."""
        task = f"{self.way}w{self.shot}s" if self.domain != SINUSOIDS else f"{self.shot}s"
        own = [plain_name(self.net)] * (self.net != Job("", self.domain).net)
        own += [f"width{self.width}"] * (self.width is not None)
        form = [f"side{self.side}"] * (self.side != Form().side) + ["colour"] * self.colour
        split = [f"by-{self.split_by}"] * (self.split_by is not None)
        domain = plain_name(datasets.parse(self.domain).tidy)
        parts = [self.method, domain, task, *own, self.norm, *form, *split, f"seed{self.seed}"]
        return bounded("-".join(parts), LONGEST)

    def label(self) -> str:
        """What a training is known by when it goes on: its command, wherever the data lie and whatever it computes
        on."""
        return replace(self, episodes=None, device="cpu", domain=datasets.parse(self.domain).unplaced).command()


def check_job(job: Job) -> None:
    """Raises ValueError, before any data are read, for a network, a division or a device that is none, and for runs
    that are to be made of something else."""
    check_name(job.net)
    check(job.split_by)
    device(job.device)
    if job.domain == RUNS:
        usual = Job(job.method, job.domain)
        check_run_options([name for name in ("way", "shot", "query", "episodes", "split_by")
                           if getattr(job, name) != getattr(usual, name)])


def check_run_options(given: list[str]) -> None:
    """Raises ValueError where any of these options is given."""
    if given:
        options = " and ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ValueError(f"{RUNS} fixes what a run is made of; leave {options} out")


def divided(job: Job, data_dir=None) -> tuple[Domain, Division] | tuple[None, None]:
    """The data set of a job and how its classes are divided, without copies of training pictures in the test; None for
    sinusoids. For the official one-shot runs, which are of other alphabets, the whole background set is trained on.
    Raises what `datasets.load`, `divide` and `held_out.without` raise."""
    if job.domain == SINUSOIDS:
        return None, None
    whole = datasets.load(job.spec, data_dir, job.form)
    if job.domain == RUNS and one_shot_runs.official(data_dir):
        return whole, Division("none", {"train": whole}, (Fold(whole, whole),), OFFICIAL)
    division = divide(whole, job.spec, job.way, job.split_by)
    folds = []
    for fold in division.folds:
        copied = held_out.Trained(fold.train.digests).among(fold.test)
        test, note = held_out.without(fold.test, copied, job.way, "remove the copies of pictures, or lower --way")
        folds.append(Fold(fold.train, test, note))
    return whole, division._replace(folds=tuple(folds))


def samplers(job: Job, entry: Method, fold: Fold | None, data_dir=None) -> tuple[object, object, int]:
    """The training sampler, the test sampler and the number of training classes of a job. fold: None for sinusoids.

    Training classes of drawn characters are also turned by 90, 180 and 270 degrees, each turn a class of its own;
    test characters never are. For the one-shot runs training episodes are like them, within one alphabet, and every
    drawing is shown in a small affine view.
    Raises what `EpisodeSampler` and `one_shot_runs.load` raise.
    """
    if fold is None:
        return SinusoidSampler(job.shot, 10), SinusoidSampler(job.shot, 100), 0
    if job.domain == RUNS:
        source = WithinGroups(turned_whole(fold.train), job.way, job.shot, RUN_QUERY, strength=RUN_VIEWS)
        return source, one_shot_runs.load(data_dir, job.form), len(source.domain.classes)
    source = fold.train.with_rotations() if datasets.parse(job.domain).name in ROTATED else fold.train
    classes = len(source.classes)
    test = EpisodeSampler(fold.test, job.way, job.shot, job.query,
                          unlabeled=pool(entry, fold.test, job.shot, job.query))
    way = min(entry.train_way, classes) if entry.train_way else job.way
    query = min(entry.train_query or job.query, job.query)
    training = EpisodeSampler(source, way, job.shot, query, unlabeled=pool(entry, source, job.shot, query))
    return training, test, classes


def pool(entry: Method, domain: Domain, shot: int, query: int) -> int:
    """How many unlabelled samples of each class an episode has: the method's number, or what the smallest class has
    left beside support and queries, but at least one where the method needs any."""
    left = int(domain.labels.bincount(minlength=len(domain.classes)).min()) - shot - query
    return min(entry.unlabeled, max(1, left))


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
    """What is to be trained: nothing, without a phase, where all is frozen. Raises ValueError for anything that does
    not fit."""
    source, test, classes = samplers(job, entry, fold, data_dir)
    training = dict(settings_on(entry, 0 if fold is None else job.way)[1])
    if job.domain == RUNS:
        training = dict(entry.one_shot_runs or training)
    if job.steps is not None:
        training["steps"] = job.steps
    if job.outer_rate is not None:
        training["lr"] = job.outer_rate
    learner = untrained(job, entry, classes)
    frozen = not any(p.requires_grad for p in learner.parameters())
    return Work(learner, [] if frozen else learner.phases(source, **training), test, getattr(source, "way", 0), classes,
                training)


def untrained(job: Job, entry: Method, classes: int) -> Learner:
    """The learner that a job starts from, on its device. classes: how many it trains on. Raises ValueError for settings
    that the method does not have."""
    way = 0 if job.domain == SINUSOIDS else job.way
    overrides = {} if job.inner_rate is None else {"lr": job.inner_rate}
    if overrides and "lr" not in settings_on(entry, way)[0]:
        raise ValueError(f"{entry.name} has no inner rate to set; leave --inner-rate out")
    is_usual = (job.net, job.width) == (Job("", job.domain).net, None)
    if not (is_usual and job.form == Form()) and way == 0:
        raise ValueError("sinusoids are fitted by a small network of their own; leave --net, --width, --side and "
                         "--colour out")
    if not is_usual and not entry.net:
        raise ValueError(f"{entry.name} has no network to choose; leave --net and --width out")
    return build(entry, way=way, train_classes=classes, norm=job.norm, seed=job.seed, net=job.net, side=job.side,
                 channels=job.form.channels, width=job.width, sequence=job.sequence, **overrides).to(device(job.device))
