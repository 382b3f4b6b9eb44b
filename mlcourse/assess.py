"""Evaluate a checkpoint on a domain: what `mlcourse evaluate` does."""

from __future__ import annotations

import shlex
from dataclasses import fields, replace
from pathlib import Path

from mlcourse import checkpoint, datasets, held_out
from mlcourse.datasets import one_shot_runs
from mlcourse.datasets.notes import say
from mlcourse.datasets.one_shot_runs import OneShotRuns
from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import EVALUATION_SEED, Result, evaluate
from mlcourse.job import EPISODES, RUNS, SINUSOIDS, Job, check_run_options, pool, untrained
from mlcourse.learner import Learner
from mlcourse.learners import Method
from mlcourse.nets.chosen import is_own
from mlcourse.statistics import Estimate, t_interval
from mlcourse.system.machine import device
from mlcourse.system.provenance import commit

KINDS = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,), "None": (type(None),)}


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
    card, where = checkpoint.card_of(path), device(on)
    job, classes, train_way = _job(card, path), *_result(card, path)
    entry = job.entry
    learner = _trained(path, card, job, entry, net).to(where)
    trained = held_out.Trained(checkpoint.trained_on(path), classes)
    words = ["mlcourse", "evaluate", str(path), "--domain", domain]
    if domain == RUNS:
        given = {"way": way, "shot": shot, "query": query, "split": split, "episodes": episodes,
                 "seed": seed if seed != EVALUATION_SEED else None}
        check_run_options([name for name, value in given.items() if value is not None])
        if job.domain == SINUSOIDS:
            raise ValueError(f"{path} was trained on {SINUSOIDS}, which is regression; evaluate it on {SINUSOIDS}")
        _check_samples(path, job, domain)
        words += _options(("steps", steps, None, entry.test_steps), ("net", net, None), ("device", on, "cpu"))
        return on_the_runs(learner, entry, one_shot_runs.load(data_dir, job.form), trained, steps=steps,
                           command=shlex.join(words), train_way=train_way)
    episodes = EPISODES if episodes is None else episodes
    regression = domain == SINUSOIDS
    if regression != (job.domain == SINUSOIDS):
        kind, fitting = ("classification", "images") if regression else ("regression", SINUSOIDS)
        raise ValueError(f"{path} was trained on {job.domain}, which is {kind}; evaluate it on {fitting}")
    _check_samples(path, job, domain)
    way, shot, query = (given if given is not None else trained for given, trained in
                        ((way, job.way), (shot, job.shot), (query, job.query)))
    asked, note = split, ""
    if regression:
        split, sampler = "test", SinusoidSampler(shot, 100)
    else:
        check_way(learner, entry, way)
        part, split, note = held_out.part_of(domain, split, trained, way, data_dir, job.form, card.get("split_by")
                                             or "group")
        sampler = EpisodeSampler(part, way, shot, query, unlabeled=pool(entry, part, shot, query))
        say([domain], [part])
    steps = entry.test_steps if steps is None else steps
    words += _options(("way", way, job.way), ("shot", shot, job.shot), ("query", query, job.query),
                      ("steps", steps, entry.test_steps), ("split", asked, None), ("episodes", episodes, EPISODES),
                      ("seed", seed, EVALUATION_SEED), ("net", net, None), ("device", on, "cpu"))
    return evaluate(learner, sampler, episodes, seed=seed, steps=steps, name=entry.name, split=split,
                    train_way=train_way, command=shlex.join(words), commit=commit(), note=note)


def _check_samples(path: Path, job: Job, domain: str) -> None:
    """Raises ValueError where the training and the domain are not both of pictures, or of sequences of one shape."""
    if datasets.sequence_of(domain) != job.sequence:
        kind = "sequences" if job.sequence else "pictures"
        raise ValueError(f"{path} was trained on {job.domain}, whose samples are {kind}; evaluate it on {kind}, too")


def _options(*given: tuple) -> list[str]:
    """The words of a command line for options (name, value, what it is without the option …)."""
    return [word for name, value, *usual in given if value not in usual for word in (f"--{name}", str(value))]


def _trained(path: Path, card: dict, job: Job, entry: Method, net: str | None) -> Learner:
    """The learner of a checkpoint. Raises ValueError unless `net` is named where the network is the user's own, and
    only there, and what `checkpoint.load` raises."""
    if not is_own(job.net):
        if net not in (None, job.net):
            raise ValueError(f"{path} was trained with the network {job.net}, which the course makes; leave --net out")
        return checkpoint.load(path)[0]
    if net is None:
        raise ValueError(f"{path} was trained with a network of your own, {job.net}; name it once more, as --net "
                         f"{job.net}, since a checkpoint's card runs no code")
    own = untrained(replace(job, net=net, device="cpu"), entry, card.get("train_classes", 0))
    return checkpoint.load(path, into=own)[0]


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
    check_unseen(tests, trained)
    count = len(tests.episodes)
    result = evaluate(learner, tests, count, steps=entry.test_steps if steps is None else steps, name=entry.name,
                      train_way=train_way, command=command, commit=commit())
    error = Estimate(1 - result.mean, result.ci95, count, "runs")
    baseline = t_interval(tests.baseline(), "runs")
    note = (f"{tests.about}; error {error.times(100).text()} %, of the modified Hausdorff distance "
            f"{baseline.times(100).text()} %")
    return replace(result, note=note if trained.pictures is not None else f"{note}; {held_out.UNKNOWN}")


def check_unseen(tests: OneShotRuns, trained: held_out.Trained) -> None:
    """Raises ValueError where a character of the runs was trained on."""
    if seen := trained.among(tests.domain):
        raise ValueError(f"{held_out.seen_in(tests.domain, seen)}; evaluate a model of other alphabets")


def _job(card: dict, path: Path) -> Job:
    """The job on a card. Raises ValueError where there is none, one with a value of another kind than
    its field, or of another method than the learner."""
    try:
        given = dict(card["job"])
        for field in fields(Job):
            kinds = [KINDS[kind] for kind in field.type.split(" | ")]
            if field.name in given and not any(type(given[field.name]) in kind for kind in kinds):
                raise TypeError(f"its {field.name} is {given[field.name]!r}")
        job = Job(**given)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the card of {path} does not say how it was trained ({error}); evaluate checkpoints that "
                         "mlcourse train wrote") from error
    if card.get("rebuilds", True) and card.get("method") != job.entry.name:
        raise ValueError(f"the card of {path} is of a {card.get('method')}, but says that {job.method} was trained; "
                         "restore the card, or train again")
    return job


def _result(card: dict, path: Path) -> tuple[tuple[str, ...], int]:
    """The names of the training classes on a card, none where it does not say, and its training way. Raises ValueError
    where they are none, since they were edited."""
    data, result = card.get("data"), card.get("result")
    train = data.get("train", {}) if isinstance(data, dict) else {} if data is None else None
    way = result.get("train_way") if isinstance(result, dict) else None
    count = card.get("train_classes", 0)
    for name, fits in (("data", isinstance(train, dict)), ("result", type(way) is int and way >= 0),
                       ("train_classes", type(count) is int and count >= 0)):
        if not fits:
            was = f"holds no {name!r} as a training writes it" if name in card else f"has no {name!r}"
            raise ValueError(f"the card of {path} {was}; restore the card, or train again")
    return tuple(train), way


def check_way(learner: Learner, entry: Method, way: int) -> None:
    """Raises ValueError when the learner's network has a head for another number of classes."""
    outputs = _outputs(learner, entry, way)
    if outputs != way:
        raise ValueError(f"this {entry.name} checkpoint has a head for {outputs} classes, not {way}; evaluate it with "
                         f"--way {outputs} or train one with --way {way}")


def _outputs(learner: Learner, entry: Method, way: int) -> int:
    """The number of classes that a learner's head tells apart; `way` where it has none."""
    return getattr(getattr(learner.net, "head", None), "out_features", way) if entry.net == "headed" else way
