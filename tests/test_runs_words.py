"""`mlcourse train` and `mlcourse evaluate` on words: any method around a network that reads sequences, and what is no
picture said in one sentence."""

import json
import shlex
import sys

import pytest

from mlcourse import cli, datasets, runs
from mlcourse.assess import run_evaluation
from mlcourse.job import Job
from mlcourse.runs import run_training


def trained(out, method="protonet", **settings):
    settings = {"way": 3, "query": 3, "steps": 1, "episodes": 4, "width": 8, **settings}
    return run_training(Job(method, "words", **settings), out, progress=False)


@pytest.mark.parametrize(("method", "net"), [("protonet", "gru"), ("maml", "transformer"), ("reptile", "gru"),
                                             ("finetune", "transformer")])
def test_a_method_trains_on_words_and_its_checkpoint_repeats_the_number(tmp_path, method, net):
    result, path = trained(tmp_path / "run", method, net=net)
    assert (result.domain, result.split, result.norm, result.transductive) == ("words/test", "test", "none", False)
    again = run_evaluation(path, "words", episodes=4)
    assert (again.mean, again.ci95, again.split) == (result.mean, result.ci95, "test")
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["job"]["net"] == net and len(card["data"]["train"]) == 54


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
