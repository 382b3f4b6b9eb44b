"""Training and evaluating with any network, on pictures of any form, and where there are few classes."""

import functools
import json
import os
import signal
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import patterns

from mlcourse import checkpoint, runs
from mlcourse.assess import run_evaluation
from mlcourse.job import Job
from mlcourse.runs import run_training
from mlcourse.train import Interrupted


NETS = """
import torch
from torch import nn
from mlcourse.nets import wrap
class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.GroupNorm(2, 6), nn.ReLU(), nn.AdaptiveAvgPool2d(3),
                                  nn.Flatten())
    def forward(self, x):
        return self.body(x)
"""


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Colour photographs of mixed sizes of ten classes in a folder, and a module with a network for them, both here."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets_of_mine.py").write_text(NETS)
    rng = np.random.default_rng(0)
    for k in range(10):
        (tmp_path / "pics" / f"class {k}").mkdir(parents=True)
        for i in range(8):
            shade = np.array([25 * k, 255 - 25 * k, 100 * (k % 2)]) + rng.integers(-20, 20, (40 + k, 30 + i, 3))
            Image.fromarray(shade.clip(0, 255).astype(np.uint8)).save(tmp_path / "pics" / f"class {k}" / f"{i}.png")
    return "folder:pics"


@pytest.mark.parametrize("net", ["nets_of_mine:Encoder", "resnet12"])
def test_a_network_and_pictures_of_ones_own_from_training_to_evaluation(photos, tmp_path, mlcourse, net):
    words = ("--domain", photos, "--shot", 2, "--query", 3, "--side", 32, "--colour", "--net", net, "--episodes", 8)
    small = ("--width", 4) if net == "resnet12" else ()
    status, out, err = mlcourse("train", "protonet", *words, *small, "--steps", 3, "--folder", "run")
    assert status == 0 and "cross-validated" in out and "2 trainings, each tested on 5 classes that it never saw" in err
    path = tmp_path / "run" / "model.safetensors"
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["job"]["net"] == net and card["job"]["colour"] and card["split_by"] == "none"
    again = ("evaluate", path, "--domain", photos, "--episodes", 8)
    own = ("--net", net) if ":" in net else ()
    status, out, err = mlcourse(*again, *own)
    assert status == 2 and "10 of the 10 classes of folder:pics were trained on" in err and err.count("\n") == 1
    others = patterns(4, 15, 6, 28)
    np.savez(tmp_path / "others.npz", images=others.images.numpy(), labels=others.labels.numpy())
    status, out, err = mlcourse("evaluate", path, "--domain", f"array:{tmp_path / 'others.npz'}", "--query", 3, "--episodes", 8, *own)
    assert status == 0 and "protonet on array:others (all)" in out
    if own:
        status, out, err = mlcourse(*again)
        assert status == 2 and f"name it once more, as --net {net}" in err and err.count("\n") == 1
    else:
        status, out, err = mlcourse(*again, "--net", "nets_of_mine:Encoder")
        assert status == 2 and "was trained with the network resnet12, which the course makes; leave --net out" in err


def test_few_classes_are_cross_validated_and_go_on_after_an_interruption(photos, tmp_path, monkeypatch):
    settings = {"shot": 2, "query": 3, "steps": 2, "episodes": 8, "way": 5}
    whole, path = run_training(Job("protonet", photos, **settings), tmp_path / "whole", progress=False)
    assert whole.split == "cross-validated" and whole.episodes == 8
    assert {p.name for p in (tmp_path / "whole").iterdir()} == {"model.json", "model.safetensors", "training.safetensors",
                                                                "fold1.training.safetensors", "fold2.training.safetensors"}
    seen = []

    def stop(record):
        seen.append(record)
        if len(seen) == 3:                  # in the second fold
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(runs, "train", functools.partial(runs.train, on_step=stop))
        with pytest.raises(Interrupted):
            run_training(Job("protonet", photos, **settings), tmp_path / "parts", progress=False)
    result, other = run_training(Job("protonet", photos, **settings), tmp_path / "parts", progress=False)
    assert (result.mean, result.ci95) == (whole.mean, whole.ci95) and other.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("domain", ["digits", "glyphs-digits"])
def test_ten_digits_are_a_domain_to_train_on(domain, tmp_path):
    result, path = run_training(Job("protonet", domain, query=5, steps=1, episodes=4), tmp_path, progress=False)
    assert (result.domain, result.way, result.split) == (domain, 5, "cross-validated")
    assert run_evaluation(path, "glyphs", episodes=4).split == "test"


def test_an_evaluation_is_in_the_form_of_the_training(tmp_path):
    result, path = run_training(Job("protonet", "glyphs", query=3, steps=2, episodes=10, side=20), tmp_path, progress=False)
    assert run_evaluation(path, "glyphs", episodes=10).mean == result.mean
    assert checkpoint.load(path)[0].net.config["side"] == 20


FROZEN = """
import torch
from torch import nn
from mlcourse.nets import wrap
def features():
    return nn.Sequential(nn.Conv2d(1, 4, 5, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
def frozen():
    return wrap(features(), frozen=True)
"""


@pytest.mark.parametrize("name", ["protonet", "rfs", "probe", "baseline++"])
def test_a_frozen_backbone_with_nothing_to_train_is_measured_as_it_is(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "frozen_nets_of_mine.py").write_text(FROZEN)
    job = Job(name, "glyphs", query=5, steps=4, episodes=30, net="frozen_nets_of_mine:frozen")
    result, path = run_training(job, tmp_path / "run", progress=False)
    assert result.mean > 0.3 and (result.norm, result.transductive) == ("own", False)
    assert json.loads(path.with_suffix(".json").read_text())["losses"] == []
    assert run_evaluation(path, "glyphs", episodes=30, net=job.net).mean == result.mean


def test_a_batch_norm_of_torchs_is_measured_and_described_in_eval_mode(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "frozen_nets_of_mine.py").write_text(FROZEN)
    job = Job("protonet", "glyphs", query=5, steps=2, episodes=10, net="frozen_nets_of_mine:features")
    result, path = run_training(job, tmp_path / "run", progress=False)
    again = run_evaluation(path, "glyphs", episodes=10, net=job.net)
    assert (result.norm, result.transductive, result.mean) == (again.norm, again.transductive, again.mean) == (
        "own", False, result.mean)


def test_a_split_by_class_is_made_again_for_the_same_data_alone(tmp_path):
    result, path = run_training(Job("protonet", "glyphs", query=5, steps=1, episodes=6, split_by="class"), tmp_path,
                                progress=False)
    assert run_evaluation(path, "glyphs", episodes=6).mean == result.mean
    card = json.loads(path.with_suffix(".json").read_text())
    scripts = lambda part: {name.split(" ")[0] for name in card["data"][part]}
    assert len(card["data"]["test"]) == len(card["data"]["val"]) and scripts("train") & scripts("test")


EDITED = """
import torch
from torch import nn
FORM = torch.relu
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(784, 8)
        self.register_buffer("mask", torch.tensor([0.0, float("-inf")]))
    def forward(self, x):
        return FORM(self.layer(x.flatten(1)))
"""


@pytest.mark.parametrize("done", ["interrupted", "finished"])
def test_an_edited_network_is_neither_gone_on_with_nor_evaluated(done, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edited_net_of_mine.py").write_text(EDITED)
    job = Job("protonet", "glyphs", query=3, steps=2, episodes=4, net="edited_net_of_mine:Net")
    if done == "interrupted":
        with monkeypatch.context() as patch, pytest.raises(Interrupted):
            patch.setattr(runs, "train", functools.partial(
                runs.train, on_step=lambda record: os.kill(os.getpid(), signal.SIGINT)))
            run_training(job, tmp_path, progress=False)
    result, path = run_training(job, tmp_path / "whole", progress=False) if done == "finished" else (None, None)
    folder = tmp_path / "whole" if path else tmp_path
    before = {p.name: p.read_bytes() for p in folder.glob("*.*s*")}
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["edited_net_of_mine"], "FORM", lambda x: torch.sin(30 * x))
        match = "the network is not the one that .* was trained with: .* % off; restore its code, or train the changed"
        with pytest.raises(ValueError, match=match):
            run_training(job, folder, progress=False)
        if path:
            with pytest.raises(ValueError, match=match):
                run_evaluation(path, "glyphs", episodes=4, net=job.net)
    assert {p.name: p.read_bytes() for p in folder.glob("*.*s*")} == before and before
    again, path = run_training(job, folder, progress=False)
    assert result is None or again.mean == result.mean
    assert run_evaluation(path, "glyphs", episodes=4, net=job.net).mean == again.mean


def test_a_file_without_the_networks_answers_is_still_loaded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edited_net_of_mine.py").write_text(EDITED)
    job = Job("protonet", "glyphs", query=3, steps=1, episodes=4, net="edited_net_of_mine:Net")
    with monkeypatch.context() as patch:
        patch.setattr(Job, "shape", None)
        _, path = run_training(job, tmp_path, progress=False)
    assert "answers" not in checkpoint.read_tensors(path)[1]
    assert run_evaluation(path, "glyphs", episodes=4, net=job.net).mean == run_training(job, tmp_path,
                                                                                       progress=False)[0].mean
