"""Data are known by what they hold: what was trained on is found under every name, a run goes on with its own data."""

import functools
import os
import shlex
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import patterns

from mlcourse import checkpoint, runs
from mlcourse import job as jobs
from mlcourse.assess import run_evaluation
from mlcourse.datasets import load, load_splits
from mlcourse.job import Job
from mlcourse.learners import MAML
from mlcourse.nets import Conv4
from mlcourse.runs import run_training
from mlcourse.train import Interrupted

CLASSES, EACH = 15, 6
JOB = {"method": "protonet", "way": 3, "query": 3, "steps": 2, "episodes": 4}


def write(root, seed=0, classes=range(CLASSES), each=EACH, name="class {}".format):
    """A folder of class folders, six pictures each."""
    domain = patterns(seed, CLASSES + 5, EACH, 28)
    for label in classes:
        (root / name(label)).mkdir(parents=True, exist_ok=True)
        for i, image in enumerate(domain.images[domain.labels == label][:each]):
            Image.fromarray(image[0].numpy()).save(root / name(label) / f"{i}.png")
    return root


def trained(spec, out, **settings):
    return run_training(Job(domain=spec, **{**JOB, **settings}), out, progress=False)


def evaluated(path, spec, **settings):
    return run_evaluation(path, spec, **{"episodes": 4, **settings})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder of pictures, the result of a training on it, and its checkpoint."""
    root = write(tmp_path_factory.mktemp("home") / "pics")
    return root, *trained(f"folder:{root}", tmp_path_factory.mktemp("run"))


@pytest.fixture
def pics(home, tmp_path):
    """A copy of the folder, which may be changed."""
    return Path(shutil.copytree(home[0], tmp_path / "pics"))


def train_classes(root):
    return set(load_splits(f"folder:{root}").train.classes)


# ------------------------------------------------------------------- what was trained on


def spelled(how, root, tmp_path, monkeypatch):
    """A spec of the same pictures, written or laid out otherwise."""
    monkeypatch.chdir(tmp_path)
    if how == "relative":
        return f"folder:{os.path.relpath(root)}"
    if how == "within":
        monkeypatch.chdir(root)
        return "folder:."
    if how == "home":
        monkeypatch.setenv("HOME", str(root.parent))
        return f"folder:~/{root.name}"
    if how == "dots":
        return f"folder:{root.parent}/../{root.parent.name}/{root.name}"
    if how == "link":
        (tmp_path / "link").symlink_to(root)
        return "folder:link"
    if how == "moved":
        return f"folder:{shutil.copytree(root, tmp_path / 'elsewhere')}"
    if how == "array":
        domain = load(f"folder:{root}")
        np.savez(tmp_path / "all.npz", images=domain.images.numpy(), labels=domain.labels.numpy(),
                 classes=np.array(domain.classes))
        return "array:all.npz"
    return f"folder:{root}{how}"


@pytest.mark.parametrize("how", ["relative", "within", "home", "dots", "link", "moved", "array", "@rotation=0.2",
                                 "@blur=0.0@noise=0", "@rotation=0.2@noise=0.1@contrast=0.3"])
def test_the_pictures_of_the_training_are_known_under_every_name(home, tmp_path, monkeypatch, how):
    root, result, path = home
    again = evaluated(path, spelled(how, root, tmp_path, monkeypatch))
    assert (again.split, again.note) == ("test", "")
    if "=0." not in how or "0.0" in how:
        assert again.mean == result.mean


def test_renamed_classes_and_files_are_known(home, tmp_path):
    root, _, path = home
    other = tmp_path / "other"
    for folder in root.iterdir():
        shutil.copytree(folder, other / f"x {folder.name}")
        for file in (other / f"x {folder.name}").iterdir():
            file.rename(file.with_name(f"renamed {9 - int(file.stem)}.png"))
    result = evaluated(path, f"folder:{other}", split="all")
    assert result.note == "9 of the 15 classes of folder:other were trained on"


@pytest.mark.parametrize(("split", "note"), [("all", "9 of the 15 classes of folder:pics were trained on"),
                                             ("train", "9 of the 9 classes of folder:pics/train were trained on"),
                                             ("val", ""), ("test", "")])
def test_a_split_that_is_asked_for_is_taken_and_what_was_trained_on_is_said(home, split, note):
    result = evaluated(home[2], f"folder:{home[0]}", split=split)
    assert (result.split, result.note) == (split, note)
    assert str(result).endswith(f"; {note}") == bool(note) and f"--split {split}" in result.command


def test_no_class_that_was_trained_on_takes_part_where_data_were_added(home, pics):
    """Splits of the larger folder are others; training classes that now stand in the test split are left out."""
    write(pics, classes=range(CLASSES, CLASSES + 5))
    known = train_classes(home[0])
    test = set(load_splits(f"folder:{pics}").test.classes)
    assert sorted(test) == ["class 11", "class 14", "class 15", "class 4"]
    assert sorted(test & known) == ["class 14", "class 4"]
    result = evaluated(home[2], f"folder:{pics}", way=2)
    assert (result.split, result.note) == ("test", "without classes 'class 14' and 'class 4', trained on")
    assert evaluated(home[2], f"folder:{pics}", way=2, split="test").note == (
        "2 of the 4 classes of folder:pics/test were trained on")
    with pytest.raises(ValueError, match="2 of the 4 classes of folder:pics/test were trained on, and an episode needs "
                                         "4 others; evaluate on other data, lower --way, or name a split, as --split "
                                         "all"):
        evaluated(home[2], f"folder:{pics}", way=4)


def test_a_few_pictures_of_the_training_are_enough_to_know_it(home, tmp_path):
    known = sorted(train_classes(home[0]))
    for folder in home[0].iterdir():
        (tmp_path / "some" / folder.name).mkdir(parents=True)
        for i in ("1", "4") if folder.name not in known[1:] else ():
            shutil.copy(folder / f"{i}.png", tmp_path / "some" / folder.name)
    write(tmp_path / "some", seed=1, classes=[int(name.split()[1]) for name in known[1:]])
    result = evaluated(home[2], f"folder:{tmp_path / 'some'}", split="all", shot=1, query=1)
    assert result.note == "9 of the 15 classes of folder:some were trained on"


def test_other_pictures_are_other_data_whatever_their_names(home, tmp_path):
    write(tmp_path / "pics", seed=7)
    result = evaluated(home[2], f"folder:{tmp_path / 'pics'}")
    assert (result.split, result.note) == ("all", "")


def test_the_held_out_classes_alone_are_taken_whole(home, tmp_path):
    for part in load_splits(f"folder:{home[0]}")[1:]:
        for name in part.classes:
            shutil.copytree(home[0] / name, tmp_path / "new" / name)
    result = evaluated(home[2], f"folder:{tmp_path / 'new'}")
    assert (result.split, result.note) == ("all", "")


def test_what_is_too_small_to_be_split_is_refused_with_a_way_out(home, tmp_path):
    for name in sorted(train_classes(home[0]))[:2]:
        shutil.copytree(home[0] / name, tmp_path / "two" / name)
    with pytest.raises(ValueError, match="2 of the 2 classes of folder:two were trained on, and its 2 groups are too "
                                         "few to split off a test set; name a split, as --split all"):
        evaluated(home[2], f"folder:{tmp_path / 'two'}", way=2)
    assert evaluated(home[2], f"folder:{tmp_path / 'two'}", way=2, split="all").note.startswith("2 of the 2 classes")


def test_a_card_that_does_not_say_what_was_trained_on(home, tmp_path):
    learner, card = checkpoint.load(home[2])
    path, spec = tmp_path / "old.safetensors", f"folder:{home[0]}"
    checkpoint.save(path, learner, {key: value for key, value in card.items() if key != "data"})
    with pytest.raises(ValueError, match="the card does not say which pictures were trained on, so those of folder:pics "
                                         "may be among them; name a split, as --split test, or train again"):
        evaluated(path, spec)
    for split in ("test", "all"):
        result = evaluated(path, spec, split=split)
        assert (result.split, result.note) == (split, "which classes were trained on is not recorded")
    for spec in ("glyphs", "glyphs@rotation=0.5@noise=0.3"):
        assert evaluated(path, spec, shot=1, query=1).split == "test"


def test_a_copy_of_a_training_class_is_no_test_class(pics, tmp_path):
    splits = load_splits(f"folder:{pics}")
    shutil.rmtree(pics / splits.test.classes[0])
    shutil.copytree(pics / splits.train.classes[0], pics / splits.test.classes[0])
    result, _ = trained(f"folder:{pics}", tmp_path / "run", way=2)
    assert result.note == f"without class {splits.test.classes[0]!r}, trained on"
    with pytest.raises(ValueError, match="1 of the 3 classes of folder:pics/test was trained on, and an episode needs "
                                         "3 others; remove the copies of pictures, or lower --way"):
        trained(f"folder:{pics}", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_the_card_holds_the_classes_that_were_trained_on(home):
    card = checkpoint.load(home[2])[1]
    assert set(card["data"]["train"]) == train_classes(home[0])
    assert set(card["data"]) == {"fingerprint", "train", "val", "test"}


# ------------------------------------------------------------------- going on


def interrupted(spec, out, monkeypatch, **settings):
    """A run that was stopped after its first step."""
    stop = lambda record: os.kill(os.getpid(), signal.SIGINT) if record["step"] == 0 else None
    with monkeypatch.context() as patch:
        patch.setattr(runs, "train", functools.partial(runs.train, on_step=stop))
        with pytest.raises(Interrupted):
            trained(spec, out, **settings)


CHANGES = {
    "classes added": (lambda pics: write(pics, classes=[15, 16]), "classes 'class 15' and 'class 16' are added"),
    "a class gone": (lambda pics: shutil.rmtree(pics / "class 4"), "class 'class 4' is gone"),
    "a class renamed": (lambda pics: (pics / "class 4").rename(pics / "class x"),
                        "class 'class x' is added and class 'class 4' is gone"),
    "pictures replaced": (lambda pics: write(pics, seed=5, classes=[3, 7]),
                          "classes 'class 3' and 'class 7' are of other pictures"),
    "a picture gone": (lambda pics: (pics / "class 4" / "2.png").unlink(), "class 'class 4' is of other pictures"),
}


@pytest.mark.parametrize("complete", [True, False], ids=["complete", "interrupted"])
@pytest.mark.parametrize("case", CHANGES)
def test_a_run_does_not_go_on_with_other_data(pics, tmp_path, monkeypatch, case, complete):
    out, (change, became) = tmp_path / "run", CHANGES[case]
    if complete:
        trained(f"folder:{pics}", out, way=2)
    else:
        interrupted(f"folder:{pics}", out, monkeypatch, way=2)
    before = {name: (out / name).read_bytes() for name in os.listdir(out)}
    change(pics)
    with pytest.raises(ValueError, match=rf"training.safetensors holds a training on other data \({became}\); restore "
                                         "them, choose another --folder, or remove it"):
        trained(f"folder:{pics}", out, way=2)
    assert {name: (out / name).read_bytes() for name in os.listdir(out)} == before


def test_a_run_goes_on_when_its_data_were_moved_or_are_spelled_otherwise(pics, tmp_path, monkeypatch):
    whole, path = trained(f"folder:{pics}@rotation=0.5", tmp_path / "whole")
    interrupted(f"folder:{pics}@rotation=0.5", tmp_path / "parts", monkeypatch)
    pics.rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    result, again = trained("folder:moved@rotation=0.50", tmp_path / "parts")
    assert result.mean == whole.mean
    assert all(a.equal(b) for a, b in zip(*(checkpoint.load(p)[0].parameters() for p in (path, again)), strict=True))


def test_a_run_does_not_go_on_under_another_shift(pics, tmp_path):
    trained(f"folder:{pics}@rotation=0.5", tmp_path / "run")
    for shift in ("@rotation=0.6", "", "@rotation=0.5@noise=0.1"):
        with pytest.raises(ValueError, match="training.safetensors holds another training .* remove it"):
            trained(f"folder:{pics}{shift}", tmp_path / "run")


def test_a_run_that_did_not_record_its_data_does_not_go_on(pics, tmp_path):
    trained(f"folder:{pics}", tmp_path / "run")
    state = tmp_path / "run" / runs.STATE
    tensors, meta = checkpoint.read_tensors(state)
    checkpoint.write_tensors(state, tensors, {key: value for key, value in meta.items() if key != "data"})
    with pytest.raises(ValueError, match="on other data .what it was started on was not recorded."):
        trained(f"folder:{pics}", tmp_path / "run")


def test_a_method_that_cannot_be_saved_is_refused_before_it_is_trained(pics, tmp_path, monkeypatch):
    class Own(MAML):
        """A subclass."""

    monkeypatch.setattr(jobs, "build", lambda *_, **__: Own(Conv4(3, width=4)))
    with pytest.raises(ValueError, match="Own is no method of the course"):
        trained(f"folder:{pics}", tmp_path / "run", method="maml")
    assert not (tmp_path / "run").exists()


def test_a_repeated_command_repeats_the_note(home):
    result = evaluated(home[2], f"folder:{home[0]}", split="all")
    words = shlex.split(result.command)
    again = evaluated(Path(words[2]), words[4], split=words[words.index("--split") + 1])
    assert (again.mean, again.note) == (result.mean, result.note)
