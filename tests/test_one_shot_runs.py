"""Omniglot's one-shot runs as what a checkpoint is evaluated on."""

import functools
import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import patterns

from mlcourse import checkpoint, datasets, runs
from mlcourse import job as jobs
from mlcourse.assess import run_evaluation
from mlcourse.datasets import one_shot_runs
from mlcourse.datasets.one_shot_runs import OneShotRuns, Run
from mlcourse.division import Fold
from mlcourse.domains import Domain
from mlcourse.job import Job, samplers
from mlcourse.learners import method
from mlcourse.runs import run_training
from mlcourse.statistics import t_interval
from mlcourse.train import Interrupted

WAY, COUNT = 3, 4


def drawing(rng):
    """A rectangle of ink, 105×105."""
    (top, left), (height, width) = rng.integers(5, 40, 2), rng.integers(20, 60, 2)
    ink = np.zeros((105, 105), dtype=bool)
    ink[top:top + height, left:left + width] = True
    return ink


def some_runs() -> OneShotRuns:
    """Four runs of three characters each; the test drawings have nothing in common with the training drawings."""
    rng = np.random.default_rng(0)
    made = tuple(Run(*(np.stack([drawing(rng) for _ in range(WAY)]) for _ in range(2)), rng.permutation(WAY),
                     tuple(f"run{r}/class{k}" for k in range(WAY))) for r in range(COUNT))
    return OneShotRuns(made, one_shot_runs.drawings_of(made), "four runs of squares")


@pytest.fixture
def the_runs(monkeypatch):
    """These runs in the place of Omniglot's."""
    found = some_runs()
    monkeypatch.setattr(one_shot_runs, "load", lambda data_dir=None, form=None: found)
    return found


def write(path, domain: Domain):
    np.savez(path, images=domain.images.numpy(), labels=domain.labels.numpy(), classes=np.array(domain.classes),
             groups=np.array(domain.groups))
    return f"array:{path}"


def trained(tmp_path, name="protonet", domain=None, way=WAY):
    domain = patterns(0, 15, 6, 28) if domain is None else domain
    spec = write(tmp_path / "letters.npz", domain)
    job = Job(name, spec, way=way, query=1, steps=2, episodes=4)
    return run_training(job, tmp_path / "run", progress=False)[1]


def test_a_checkpoint_is_judged_on_each_run_and_the_note_says_the_error_beside_a_baseline(the_runs, tmp_path):
    path = trained(tmp_path)
    result = run_evaluation(path, "omniglot-runs")
    learner, _ = checkpoint.load(path)
    with torch.no_grad():
        wrong = [float((learner.predict(learner.adapt(run), run.query_x).argmax(1) != run.query_y).float().mean())
                 for run in the_runs.episodes]
    error, baseline = (t_interval(values).times(100) for values in (wrong, the_runs.baseline()))
    assert result.mean == pytest.approx(1 - np.mean(wrong)) and result.ci95 == pytest.approx(error.half / 100)
    assert (result.domain, result.way, result.shot, result.query, result.episodes) == ("omniglot-runs", 3, 1, 1, 4)
    assert result.note == (f"four runs of squares; error {error.text()} %, of the modified Hausdorff distance "
                           f"{baseline.text()} %")
    assert result.command == f"mlcourse evaluate {path} --domain omniglot-runs"
    assert replace(run_evaluation(path, "omniglot-runs"), seconds=result.seconds) == result


def test_inner_steps_may_be_asked_for(the_runs, tmp_path):
    result = run_evaluation(trained(tmp_path, "maml"), "omniglot-runs", steps=0)
    assert result.steps == 0 and result.command.endswith("--domain omniglot-runs --steps 0")


def test_a_head_of_another_way_is_refused(the_runs, tmp_path):
    with pytest.raises(ValueError, match="this maml checkpoint has a head for 2 classes, but a one-shot run has 3; "
                                         "train one with --way 3"):
        run_evaluation(trained(tmp_path, "maml", way=2), "omniglot-runs")


def test_what_the_runs_fix_cannot_be_asked_for(the_runs, tmp_path):
    with pytest.raises(ValueError, match="omniglot-runs fixes what a run is made of; leave --way and --episodes out"):
        run_evaluation(trained(tmp_path), "omniglot-runs", way=3, episodes=10)


def test_characters_that_were_trained_on_are_refused(the_runs, tmp_path):
    own = the_runs.domain
    others = patterns(0, 10, 2, 28)
    both = Domain("both", torch.cat([own.images, others.images]),
                  torch.cat([own.labels, others.labels + len(own.classes)]), own.classes + others.classes,
                  ("train",) * len(own.classes) + ("test",) * 10)
    path = trained(tmp_path, domain=both)
    with pytest.raises(ValueError, match="12 of the 12 classes of omniglot-runs were trained on; evaluate a model of "
                                         "other alphabets"):
        run_evaluation(path, "omniglot-runs")


# ------------------------------------------------------------------ training


@pytest.fixture
def omniglot_of_three(the_runs, monkeypatch):
    """Drawings in the place of Omniglot's, in alphabets of four characters; the runs are of three."""
    made = patterns(1, 20, 6, 28)
    whole = Domain("omniglot", made.images, made.labels, made.classes, tuple(f"alphabet {i // 4}" for i in range(20)))
    alphabets = [f"alphabet {i}" for i in range(5)]
    monkeypatch.setattr(datasets, "load", lambda spec, data_dir=None, form=None: whole)
    monkeypatch.setattr(datasets, "named_splits",
                        lambda spec: {"train": alphabets[:3], "val": alphabets[3:4], "test": alphabets[4:]})
    monkeypatch.setattr(jobs, "RUN", {"way": WAY, "query": 1, "episodes": COUNT})
    return datasets.split(whole, "omniglot")


def test_training_for_the_runs_reports_on_them_and_may_be_interrupted(omniglot_of_three, tmp_path, monkeypatch):
    job = Job("protonet", "omniglot-runs", steps=4)
    result, path = run_training(job, tmp_path / "whole", progress=False)
    assert job.name() == "protonet-omniglot-runs-3w1s-batch-seed0"
    assert result.command == "mlcourse train protonet --domain omniglot-runs --steps 4"
    assert (result.domain, result.train_way, result.way, result.episodes) == ("omniglot-runs", 3, 3, COUNT)
    assert "of the modified Hausdorff distance" in result.note
    again = run_evaluation(path, "omniglot-runs")
    assert (again.mean, again.ci95, again.note) == (result.mean, result.ci95, result.note)

    def stop_after_two(record):
        if record["step"] == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(runs, "train", functools.partial(runs.train, on_step=stop_after_two))
        with pytest.raises(Interrupted):
            run_training(job, tmp_path / "parts", progress=False)
    assert run_training(job, tmp_path / "parts", progress=False)[1].read_bytes() == path.read_bytes()


def test_for_the_official_runs_the_whole_background_set_is_trained_on(omniglot_of_three, tmp_path, monkeypatch, capsys):
    count = lambda path: len(json.loads(path.with_suffix(".json").read_text())["data"]["train"])
    job = Job("protonet", "omniglot-runs", steps=1)
    assert count(run_training(job, tmp_path / "built", progress=False)[1]) == 12
    monkeypatch.setattr(one_shot_runs, "official", lambda data_dir=None: tmp_path)
    assert count(run_training(job, tmp_path / "official")[1]) == 20
    assert "omniglot-runs: the official runs are of other alphabets, so all of the background" in capsys.readouterr().err


def test_training_episodes_are_like_the_runs(omniglot_of_three):
    job = Job("protonet", "omniglot-runs")
    source, test, classes = samplers(job, method("protonet"), Fold(omniglot_of_three.train, omniglot_of_three.test))
    batch = source.sample(50, torch.Generator().manual_seed(0))
    assert (source.way, source.shot, source.query, classes) == (WAY, 1, 4, 4 * 12) and test.way == WAY
    assert all(len({source.domain.groups[c] for c in episode}) == 1 for episode in batch.classes.tolist())
    assert source.strength > 0 and not set(source.domain.classes) & set(omniglot_of_three.test.classes)


def test_the_schedule_is_that_of_the_record(omniglot_of_three, tmp_path):
    _, path = run_training(Job("protonet", "omniglot-runs", steps=2), tmp_path, progress=False)
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["training"] == method("protonet").one_shot_runs | {"steps": 2}


def test_a_method_with_a_head_trains_for_the_runs_too(omniglot_of_three, tmp_path):
    result, _ = run_training(Job("maml", "omniglot-runs", steps=1), tmp_path, progress=False)
    assert (result.method, result.way, result.episodes) == ("maml", WAY, COUNT)


def test_a_job_for_the_runs_of_another_shape_is_refused(omniglot_of_three, tmp_path):
    with pytest.raises(ValueError, match="omniglot-runs fixes what a run is made of; leave --way and --shot out"):
        run_training(Job("protonet", "omniglot-runs", way=5, shot=2), tmp_path, progress=False)
    assert not list(tmp_path.iterdir())


def test_training_on_characters_of_the_runs_is_refused_at_once(omniglot_of_three, the_runs, tmp_path, monkeypatch):
    own = replace(the_runs, domain=omniglot_of_three.train)
    monkeypatch.setattr(one_shot_runs, "load", lambda data_dir=None, form=None: own)
    with pytest.raises(ValueError, match="12 of the 12 classes of .* were trained on; evaluate a model of other"):
        run_training(Job("protonet", "omniglot-runs", steps=1), tmp_path, progress=False)
    assert not list(tmp_path.iterdir())
