"""What `mlcourse train` and `mlcourse evaluate` do, from the data on disk to the number."""

import functools
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from dataclasses import asdict

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import NAMES, patterns

from mlcourse import checkpoint, cli, runs
from mlcourse.assess import run_evaluation
from mlcourse.datasets import load_splits
from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.division import Fold
from mlcourse.evaluate import evaluate
from mlcourse.job import Job, samplers
from mlcourse.learners import MAML, METHODS, build, method
from mlcourse.nets import MLP
from mlcourse.runs import run_training
from mlcourse.train import Interrupted

GROUPS, EACH, SAMPLES = 5, 3, 6  # 9 training classes, 3 for validation, 3 for the test


def write_array(path, seed=0):
    """An array file of five alphabets of three classes."""
    domain = patterns(seed, GROUPS * EACH, SAMPLES, 28)
    np.savez(path, images=domain.images.numpy(), labels=domain.labels.numpy(), classes=np.array(domain.classes),
             groups=np.array([f"alphabet {i // EACH}" for i in range(GROUPS * EACH)]))
    return f"array:{path}"


@pytest.fixture(scope="module")
def array(tmp_path_factory):
    return write_array(tmp_path_factory.mktemp("data") / "letters.npz")


def fold(spec):
    splits = load_splits(spec)
    return Fold(splits.train, splits.test)


def job(domain, method="protonet", **settings):
    return Job(method, domain, **{"way": 3, "query": 3, "steps": 2, "episodes": 10, **settings})


def trained(domain, out, **settings):
    return run_training(job(domain, **settings), out, progress=False)


@pytest.fixture(scope="module")
def protonet(array, tmp_path_factory):
    """(result, checkpoint) of a ProtoNet on the array domain."""
    return trained(array, tmp_path_factory.mktemp("run"))


# ------------------------------------------------------------------- the job


def test_a_job_says_the_command_that_repeats_it():
    assert Job("maml", "omniglot").command() == "mlcourse train maml --domain omniglot"
    longer = Job("maml", "folder:my pictures", way=20, inner_rate=0.1, norm="none", episodes=100)
    assert longer.command() == ("mlcourse train maml --domain 'folder:my pictures' --way 20 --inner-rate 0.1 "
                                "--norm none --episodes 100")


def test_the_commands_words_are_options_of_the_command_line(monkeypatch):
    received = []
    monkeypatch.setattr(runs, "run_training", lambda job, *_, **options: received.append(job) or 1 / 0)
    full = Job("reptile", "array:some where.npz", 4, 2, 7, 11, 0.25, 0.5, "layer", 3, 40)
    monkeypatch.setattr(sys, "argv", shlex.split(full.command()))
    with pytest.raises(ZeroDivisionError):
        cli.main()
    assert received == [full]


def test_a_job_names_its_folder():
    assert Job("maml", "omniglot").name() == "maml-omniglot-5w1s-batch-seed0"
    assert Job("maml", "glyphs@rotation=0.5", way=20, shot=5, seed=3, norm="none").name() == (
        "maml-glyphs@rotation=0.5-20w5s-none-seed3")
    assert Job("maml", "sinusoids", shot=10).name() == "maml-sinusoids-10s-batch-seed0"
    assert "/" not in Job("maml", "folder:/home/me/pictures").name()


def test_jobs_on_folders_of_names_that_differ_have_folders_that_differ():
    name = lambda path, **more: Job("maml", f"folder:{path}", **more).name()
    assert name("my_pictures") == name("./my_pictures/") == "maml-folder-my_pictures-5w1s-batch-seed0"
    assert name("a-b") == "maml-folder-a-b-5w1s-batch-seed0"
    assert Job("maml", "array:a.npz").name() == "maml-array-a.npz-5w1s-batch-seed0"
    paths = ("a b", "a-b", "a/b", "a  b", "-a-b", "a-b-", "a:b", "a+b", "a@b", "/a/b", "../a-b", "a,b", "a\u0301", "á",
             "猫")
    assert len({name(path) for path in paths}) == len(paths)
    assert all(set(name(path)).isdisjoint('/\\:*?"<>| ') for path in paths)
    assert name("p", net="nets:a") != name("p", net="nets.a:b")


def test_the_folder_of_a_job_with_a_long_path_has_a_name_that_file_systems_take():
    one, other = (Job("maml", f"folder:/home/{'long/' * 60}{name}", net=f"{'nets.' * 60}a:b").name() for name in "ab")
    assert one != other and all(len(name.encode()) <= 220 and name.startswith("maml-folder") for name in (one, other))


# ------------------------------------------------------- training, evaluating


@pytest.mark.parametrize("name", NAMES)
def test_every_method_trains_and_its_checkpoint_repeats_the_number(array, tmp_path, name):
    few = {"steps": 2, "episodes": 4} | ({"width": 8} if method(name).net else {})
    result, path = trained(array, tmp_path / "run", method=name, **few)
    again = run_evaluation(path, array, episodes=4)
    assert (again.mean, again.ci95, again.steps, again.split) == (result.mean, result.ci95, result.steps, "test")
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["job"] == asdict(job(array, name, **few)) and card["result"] == asdict(result)
    assert {"torch", "python", "threads"} <= card["versions"].keys()
    assert result.method == name and result.command == job(array, name, **few).command()


def test_running_statistics_are_saved_with_the_checkpoint(array, tmp_path):
    """After a training that took them from its own loss."""
    result, path = trained(array, tmp_path / "run", method="protonet", norm="running", steps=2, episodes=4)
    assert run_evaluation(path, array, episodes=4).mean == result.mean


def test_sinusoids_train_and_repeat(tmp_path):
    result, path = trained("sinusoids", tmp_path, method="maml", shot=5, steps=20)
    assert result.metric == "mse" and result.way == 0
    assert run_evaluation(path, "sinusoids", episodes=10).mean == result.mean
    more = run_evaluation(path, "sinusoids", shot=10, steps=0, episodes=10)
    assert (more.shot, more.steps) == (10, 0) and more.mean != result.mean
    assert more.command.endswith("--domain sinusoids --shot 10 --steps 0 --episodes 10")


def test_a_folder_of_pictures_trains(tmp_path):
    domain = patterns(classes=6, per_class=4, side=28)
    for image, label in zip(domain.images, domain.labels, strict=True):
        folder = tmp_path / "pictures" / domain.classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0].numpy()).save(folder / f"{len(os.listdir(folder))}.png")
    spec = f"folder:{tmp_path / 'pictures'}"
    crossed, _ = trained(spec, tmp_path / "crossed", query=1, way=3)
    assert (crossed.split, crossed.domain) == ("cross-validated", "folder:pictures")
    assert crossed.note == "2 folds of 3 or more classes"
    domain_of_groups = tmp_path / "alphabets"
    for i, name in enumerate(sorted(os.listdir(tmp_path / "pictures"))):
        (domain_of_groups / f"alphabet {i // 2}").mkdir(parents=True, exist_ok=True)
        os.rename(tmp_path / "pictures" / name, domain_of_groups / f"alphabet {i // 2}" / name)
    result, path = trained(f"folder:{domain_of_groups}", tmp_path / "run", way=2, query=2)
    assert (result.way, result.split) == (2, "test")
    assert run_evaluation(path, f"folder:{domain_of_groups}", episodes=10).mean == result.mean


def test_an_interrupted_run_goes_on_and_a_longer_evaluation_retrains_nothing(array, tmp_path, monkeypatch):
    whole, path = trained(array, tmp_path / "whole", steps=4)

    def stop_after_two(record):
        if record["step"] == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(runs, "train", functools.partial(runs.train, on_step=stop_after_two))
        with pytest.raises(Interrupted, match="interrupted after step 2 of 4"):
            trained(array, tmp_path / "parts", steps=4)
    assert os.listdir(tmp_path / "parts") == [runs.STATE]
    result, other_path = trained(array, tmp_path / "parts", steps=4)
    assert (result.mean, result.ci95) == (whole.mean, whole.ci95)
    assert other_path.read_bytes() == path.read_bytes()
    state = (tmp_path / "parts" / runs.STATE).read_bytes()
    assert trained(array, tmp_path / "parts", steps=4, episodes=12)[0].episodes == 12
    assert (tmp_path / "parts" / runs.STATE).read_bytes() == state


def test_a_checkpoint_is_evaluated_on_another_domain(protonet, tmp_path):
    _, path = protonet
    other = write_array(tmp_path / "numerals.npz", seed=3)
    result = run_evaluation(path, other, way=10, shot=2, episodes=12, seed=5)
    assert (result.domain, result.split, result.way, result.shot) == ("array:numerals", "all", 10, 2)
    assert (result.train_way, result.query, result.seed) == (9, 3, 5)
    assert shlex.split(result.command) == ["mlcourse", "evaluate", str(path), "--domain", other, "--way", "10",
                                           "--shot", "2", "--episodes", "12", "--seed", "5"]
    test_only = run_evaluation(path, other, split="test", episodes=10)
    assert test_only.split == "test" and "--split test" in test_only.command


# ----------------------------------------------------------------- bad input


@pytest.mark.parametrize(("settings", "match"), [
    ({"method": "mamal"}, "unknown method 'mamal'; known are maml, fomaml"),
    ({"way": 8}, "array:letters has 15 classes, but training and test need 8 each; .* lower --way to at most 7"),
    ({"way": 4, "split_by": "group"}, "way 4 needs 4 classes .*, but array:letters/test has 3; ask for a smaller --way"),
    ({"split_by": "script"}, "split-by must be one of group, class, none, got 'script'"),
    ({"way": 0}, "way must be at least 2, got 0"),
    ({"net": "vgg"}, "net must be one of conv4, resnet12, gru, transformer, or module:attr .* got 'vgg'"),
    ({"net": "no_such:net"}, "the module 'no_such' of --net no_such:net cannot be imported"),
    ({"net": "torch.nn:Flatten", "norm": "layer"}, "leave --norm and --width out"),
    ({"method": "neighbour", "net": "resnet12"}, "neighbour has no network to choose; leave --net and --width out"),
    ({"side": 0}, "side must lie between 1 and 512 pixels, got 0"),
    ({"side": 12}, "needs pictures of at least 16×16 pixels, got side 12"),
    ({"device": "cuda:9"}, "there is no device cuda:9 here; this torch finds .*cpu"),
    ({"device": "tpu"}, "device must be cpu, cuda or mps, got 'tpu'"),
    ({"method": "maml", "net": "torch.nn:BatchNorm2d"}, "torch.nn:BatchNorm2d cannot be called without arguments"),
    ({"shot": 4}, "shot 4 . query 3 .*needs 7 samples of every class, but class .* has 6; ask for fewer"),
    ({"shot": 0}, "shot must be at least 1, got 0"),
    ({"steps": 0}, "steps must be at least 1, got 0"),
    ({"episodes": 1}, "episodes must be at least 2, for an interval, got 1"),
    ({"norm": "instance"}, "norm must be one of batch, support, running, layer, none, got 'instance'"),
    ({"inner_rate": 0.1}, "protonet has no inner rate to set; leave --inner-rate out"),
    *[({"method": name, "outer_rate": rate}, f"outer learning rate must be a positive, finite number, got {rate}")
      for name in ("protonet", "reptile") for rate in (0.0, -1.0, float("inf"))],
    *[({"method": "maml", "inner_rate": rate}, f"inner learning rate must be a positive, finite number, got {rate}")
      for rate in (0.0, -1.0, float("inf"))],
])
def test_a_job_that_cannot_work_is_refused_before_anything_is_written(array, tmp_path, settings, match):
    with pytest.raises(ValueError, match=match):
        trained(array, tmp_path / "run", **settings)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("domain", "match"), [
    ("omnigloat", "unknown data set 'omnigloat'; choose one of glyphs"),
    ("array:nowhere.npz", "nowhere.npz is not a file"),
    ("folder:nowhere", "nowhere"),
])
def test_a_domain_that_is_not_there_is_refused_before_anything_is_written(tmp_path, domain, match):
    with pytest.raises(ValueError, match=match):
        trained(domain, tmp_path / "run")
    assert os.listdir(tmp_path) == []


def test_a_method_that_needs_classes_is_refused_on_sinusoids(tmp_path):
    with pytest.raises(ValueError, match="probe needs classes, so it cannot fit sinusoids; choose one of maml"):
        trained("sinusoids", tmp_path / "run", method="probe")
    assert os.listdir(tmp_path) == []


def test_another_run_in_the_folder_is_not_touched(protonet, array):
    _, path = protonet
    before = {name: (path.parent / name).read_bytes() for name in os.listdir(path.parent)}
    for change in ({"steps": 3}, {"seed": 1}, {"outer_rate": 0.1}, {"method": "maml"}):
        with pytest.raises(ValueError, match="training.safetensors holds another training"):
            trained(array, path.parent, **change)
    assert {name: (path.parent / name).read_bytes() for name in os.listdir(path.parent)} == before


def test_a_file_in_the_place_of_the_folder_is_told(array, tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(OSError, match="cannot write .*run.*; free space or choose another folder"):
        trained(array, tmp_path / "run")


@pytest.mark.parametrize(("options", "match"), [
    ({"way": 4}, "way 4 .*needs 4 classes, but array:letters/test has 3"),
    ({"way": 0}, "way must be at least 2, got 0"),
    ({"shot": 0}, "shot must be at least 1, got 0"),
    ({"query": 9}, "needs 10 samples of every class"),
    ({"split": "tset"}, "split must be one of train, val, test or all, got 'tset'"),
    ({"episodes": 1}, "episodes must be at least 2"),
])
def test_an_evaluation_that_does_not_fit_is_refused(protonet, array, options, match):
    with pytest.raises(ValueError, match=match):
        run_evaluation(protonet[1], array, **options)


def test_a_head_for_another_number_of_classes_is_refused(array, tmp_path):
    _, path = trained(array, tmp_path, method="maml", steps=1)
    with pytest.raises(ValueError, match="has a head for 3 classes, not 2; evaluate it with --way 3 or train one with "
                                         "--way 2"):
        run_evaluation(path, array, way=2)
    with pytest.raises(ValueError, match="was trained on array.*, which is classification; evaluate it on images"):
        run_evaluation(path, "sinusoids")


def test_a_checkpoint_of_sinusoids_is_refused_on_images(array, tmp_path):
    _, path = trained("sinusoids", tmp_path, method="maml", steps=1)
    with pytest.raises(ValueError, match="which is regression; evaluate it on sinusoids"):
        run_evaluation(path, array)


def test_a_card_without_a_job_is_refused(array, tmp_path):
    checkpoint.save(tmp_path / "m.safetensors", MAML(MLP()), {})
    with pytest.raises(ValueError, match="the card of .*m.safetensors does not say how it was trained .'job'."):
        run_evaluation(tmp_path / "m.safetensors", "sinusoids")


# ------------------------------------------------------------ the table of methods


def test_the_settings_of_every_method_are_its_constructors_and_its_phases():
    sampler = SinusoidSampler(5)
    for entry in METHODS:
        if entry.sinusoids:
            settings, training = entry.sinusoids
            build(entry, way=0, **settings).phases(sampler, **training)
    assert len({entry.name for entry in METHODS}) == len(METHODS)
    assert method("maml").kind is MAML


def test_images_of_drawn_characters_are_turned_for_training_only():
    train, test, classes = samplers(Job("maml", "glyphs", query=5), method("maml"), fold("glyphs"))
    assert classes == len(train.domain.classes) and classes % 4 == 0
    assert sum("turned" in name for name in train.domain.classes) == 3 * classes // 4
    assert not any("turned" in name for name in test.domain.classes)
    assert not set(test.domain.classes) & set(train.domain.classes)


# --------------------------------------------------------------- the command line


def start(*words):
    return subprocess.Popen([sys.executable, "-m", "mlcourse", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(monkeypatch, capsys, *words):
    """The command, in this process: its exit status, what it printed and what it said."""
    monkeypatch.setattr(sys, "argv", ["mlcourse", *words])
    threads = torch.get_num_threads()
    with pytest.raises(SystemExit) as end:
        cli.main()
    torch.set_num_threads(threads)
    return end.value.code or 0, *capsys.readouterr()


def test_the_command_line_trains_resumes_and_says_no(tmp_path, monkeypatch, capsys):
    words = ["train", "maml", "--domain", "sinusoids", "--shot", "5", "--steps", "300", "--episodes", "30", "--json",
             "--folder", str(tmp_path / "parts")]
    process = start(*words)
    unknown = ["train", "mamal", "--domain", "sinusoids", "--folder", str(tmp_path / "none")]
    status, out, err = run(monkeypatch, capsys, *unknown)
    assert status == 2 and out == "" and not (tmp_path / "none").exists()
    assert err.startswith("mlcourse: unknown method 'mamal'; known are") and err.count("\n") == 1
    seen = b""
    while b"loss" not in seen:  # the first sign of progress
        seen += process.stderr.read(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130 and out == b""
    assert b"mlcourse: interrupted after step" in err and b"the same command goes on from there" in err
    assert os.listdir(tmp_path / "parts") == [runs.STATE]

    whole, path = run_training(Job("maml", "sinusoids", shot=5, steps=300, episodes=30), tmp_path / "whole",
                               progress=False)
    status, out, _ = run(monkeypatch, capsys, *words)
    said = json.loads(out)
    assert Path(said.pop("checkpoint")) == tmp_path / "parts" / runs.MODEL
    assert status == 0 and {**said, "seconds": 0} == {**asdict(whole), "seconds": 0}
    assert (tmp_path / "parts" / runs.MODEL).read_bytes() == path.read_bytes()


def test_the_library_and_the_command_measure_the_same(protonet):
    """`evaluate` on the test sampler is the number on the card."""
    result, path = protonet
    learner, card = checkpoint.load(path)
    trained_on = Job(**card["job"])
    _, test, _ = samplers(trained_on, method("protonet"), fold(trained_on.domain))
    assert evaluate(learner, test, 10).mean == result.mean
