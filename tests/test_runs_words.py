"""`mlcourse train` and `mlcourse evaluate` on words: any method around a network that reads sequences, and what is no
picture said in one sentence."""

import json
import shlex
import sys

import pytest
from tiny import NAMES

from mlcourse import cli, datasets, runs
from mlcourse.assess import run_evaluation
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import scores
from mlcourse.job import Job
from mlcourse.learners import build, method
from mlcourse.runs import run_training
from mlcourse.train import train


def trained(out, method="protonet", **settings):
    settings = {"way": 3, "query": 3, "steps": 1, "episodes": 4, "width": 8, **settings}
    return run_training(Job(method, "words", **settings), out, progress=False)


@pytest.mark.parametrize("name", NAMES)
def test_every_method_learns_from_words_or_says_why_not(name):
    entry, splits = method(name), datasets.load_splits("words")
    sampler = EpisodeSampler(splits.train, 3, 1, 2, unlabeled=2 if entry.unlabeled else 0)
    settings = {"net": "gru", "width": 8} if entry.net else {}
    try:
        learner = build(entry, way=3, train_classes=160, sequence=(12, 26), **settings)
    except ValueError as error:
        assert entry.of_pictures or entry.net == "maps" or name == "freeze"
        assert "sequence" in str(error) or "(net.layers)" in str(error)
        return
    phases = learner.phases(sampler, 2, tasks=2)
    train(learner, phases, progress=False)
    assert scores(learner, EpisodeSampler(splits.test, 3, 1, 2, unlabeled=sampler.unlabeled), 2).shape == (2,)


@pytest.mark.parametrize(("name", "net", "norm"), [("protonet", "gru", "none"), ("maml", "transformer", "layer")])
def test_a_job_on_words_trains_and_its_checkpoint_repeats_the_number(tmp_path, name, net, norm):
    result, path = trained(tmp_path / "run", name, net=net)
    assert (result.domain, result.split, result.norm, result.transductive) == ("words/test", "test", norm, False)
    again = run_evaluation(path, "words", episodes=4)
    assert (again.mean, again.ci95, again.split) == (result.mean, result.ci95, "test")
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["job"]["net"] == net and len(card["data"]["train"]) == 160


def test_the_usual_network_is_that_of_the_samples(monkeypatch):
    assert [Job("maml", domain).net for domain in ("words", "glyphs", "sinusoids")] == ["gru", "conv4", "conv4"]
    assert Job("maml", "words").command() == "mlcourse train maml --domain words"
    other = Job("maml", "words", net="transformer")
    assert other.command() == "mlcourse train maml --domain words --net transformer"
    assert Job("maml", "words").name() == "maml-words-5w1s-batch-seed0"
    assert other.name() == "maml-words-5w1s-transformer-batch-seed0"
    received = []
    monkeypatch.setattr(runs, "run_training", lambda job, *_, **options: received.append(job) or 1 / 0)
    for job in (other, Job("maml", "words")):
        monkeypatch.setattr(sys, "argv", shlex.split(job.command()))
        with pytest.raises(ZeroDivisionError):
            cli.main()
    assert received == [other, Job("maml", "words")]


@pytest.mark.parametrize(("settings", "says"), [
    ({"net": "conv4"}, "the samples are sequences, which conv4 does not read; choose --net gru or transformer"),
    ({"side": 84}, "words holds sequences, and a side and colours are for pictures; leave it out"),
    ({"norm": "layer"}, "gru has no norm of a batch to choose; leave --norm out"),
    ({"method": "relation"}, "gru makes one feature vector of a sequence, but this method compares maps"),
    ({"method": "simclr"}, "simclr makes or changes pictures, so it cannot learn from sequences; choose another"),
])
def test_what_is_for_pictures_is_refused_before_anything_is_written(tmp_path, settings, says):
    with pytest.raises(ValueError, match=says):
        trained(tmp_path / "run", **settings)
    assert not (tmp_path / "run").exists()


def test_a_model_of_words_is_not_evaluated_on_pictures_nor_one_of_pictures_on_words(tmp_path):
    _, path = trained(tmp_path / "words")
    for domain in ("digits", "omniglot-runs"):
        with pytest.raises(ValueError, match="was trained on words, whose samples are sequences; evaluate it on"):
            run_evaluation(path, domain)
    _, path = run_training(Job("protonet", "digits", way=2, query=3, steps=1, episodes=2, width=4), tmp_path / "digits",
                           progress=False)
    with pytest.raises(ValueError, match="was trained on digits, whose samples are pictures; evaluate it on pictures"):
        run_evaluation(path, "words")


def test_the_record_says_what_a_sample_is():
    assert [source.name for source in datasets.SOURCES if source.sequence] == ["words"]


@pytest.mark.parametrize("name", ["maml", "anil", "reptile"])
def test_on_words_a_test_takes_as_many_inner_steps_as_the_training(tmp_path, name):
    assert method(name).test_steps not in (None, method(name).settings["steps"] if "steps" in method(name).settings else 1)
    result, path = trained(tmp_path, name)
    inner = json.loads(path.with_suffix(".json").read_text())["settings"].get("steps", 1)
    assert result.steps == inner
