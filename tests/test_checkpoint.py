"""Checkpoints: what comes back is what was saved, or one sentence says why not; nothing is unpickled."""

import hashlib
import json
import os
import pickle
import shutil

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import NAMES, PICTURES, REGRESSION, SINUSOIDS, learner
from torch import nn

from mlcourse import checkpoint
from mlcourse.learners import ACROSS_DOMAINS, MAML, ProtoNet, build
from mlcourse.nets import MLP, wrap


@pytest.fixture
def saved(tmp_path):
    """A MAML checkpoint and its card."""
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, learner("maml"), {"note": "a test"})
    return path, path.with_suffix(".json")


def edit(card, **changes):
    card.write_text(json.dumps({**json.loads(card.read_text()), **changes}))


class Own(MAML):
    """A learner of one's own."""

    def predict(self, state, x):
        return 2 * super().predict(state, x)


CASES = ([(name, 3, norm) for name in NAMES for norm in ("batch", "running")]
         + [(name, 0, "batch") for name in REGRESSION])


@pytest.mark.parametrize(("name", "way", "norm"), CASES)
def test_a_learner_comes_back_bit_for_bit(tmp_path, name, way, norm):
    original = learner(name, way, norm=norm)
    generator = torch.Generator().manual_seed(0)
    for tensor in original.state_dict().values():
        tensor.add_(0.1 * torch.rand(tensor.shape, generator=generator))
    checkpoint.save(tmp_path / "m.safetensors", original, {"note": name})
    again, card = checkpoint.load(tmp_path / "m.safetensors")
    assert type(again) is type(original) and again.config == original.config and not again.training
    assert (card["method"], card["note"]) == (name, name)
    episode = (PICTURES if way else SINUSOIDS).sample(1, generator).task(0)
    with torch.no_grad():
        for judged in (original.eval(), again):
            judged.answer = judged.predict(judged.adapt(episode), episode.query_x)
    assert torch.equal(original.answer, again.answer)
    assert sorted(os.listdir(tmp_path)) == ["m.json", "m.safetensors"]


@pytest.mark.parametrize("entry", ACROSS_DOMAINS, ids=lambda entry: entry.name)
def test_a_method_across_domains_comes_back_too(tmp_path, entry):
    original = build(entry, way=3, seed=2)
    checkpoint.save(tmp_path / "m.safetensors", original, {})
    again, card = checkpoint.load(tmp_path / "m.safetensors")
    assert card["method"] == entry.name and type(again) is type(original)
    assert all(torch.equal(again.state_dict()[name], t) for name, t in original.state_dict().items())


def test_the_name_and_the_settings_are_the_learners_whatever_the_card_says(tmp_path):
    wrong = {"method": "maml", "settings": {"lr": 7}, "net": None, "version": 9, "sha256": "", "rebuilds": False,
             "note": 1}
    checkpoint.save(tmp_path / "m.safetensors", learner("protonet"), wrong)
    again, card = checkpoint.load(tmp_path / "m.safetensors")
    assert isinstance(again, ProtoNet) and (card["method"], card["settings"], card["note"]) == ("protonet", {}, 1)


def test_float64_comes_back_as_float64(tmp_path):
    original = learner("meta-sgd").double()
    checkpoint.save(tmp_path / "m.safetensors", original, {})
    again, _ = checkpoint.load(tmp_path / "m.safetensors")
    assert all(torch.equal(again.state_dict()[name], t) and t.dtype == torch.float64
               for name, t in original.state_dict().items())
    with pytest.raises(ValueError, match=r"'alpha.* as torch.float64, the learner as torch.float32; convert the"):
        checkpoint.load(tmp_path / "m.safetensors", into=learner("meta-sgd"))


def test_a_learner_of_ones_own_is_saved_on_request_and_loaded_into_an_object(tmp_path):
    path, own, again = tmp_path / "m.safetensors", Own(MLP(seed=1), 0.3), Own(MLP(seed=2), 0.3)
    with pytest.raises(ValueError, match="Own is no method of the course.*use rebuilds=False.*into=learner"):
        checkpoint.save(path, own, {})
    assert os.listdir(tmp_path) == []
    checkpoint.save(path, own, {"note": "mine"}, rebuilds=False)
    with pytest.raises(ValueError, match="holds the tensors of a Own, which the course cannot build; make one and "
                                         "load it with"):
        checkpoint.load(path)
    loaded, card = checkpoint.load(path, into=again)
    assert loaded is again and not again.training and (card["method"], card["note"]) == ("Own", "mine")
    assert all(torch.equal(again.state_dict()[name], t) for name, t in own.state_dict().items())


@pytest.mark.parametrize(("into", "match"), [
    (lambda: Own(MLP((1, 8, 1))), r"checkpoint of another (shape|method)"),
    (lambda: learner("protonet"), "checkpoint of another method or network"),
    (lambda: {}, "into= takes a learner or a network, a torch.nn.Module, got a dict"),
])
def test_an_object_that_does_not_fit_is_refused_and_stays_as_it_is(tmp_path, into, match):
    path, other = tmp_path / "m.safetensors", into()
    checkpoint.save(path, Own(MLP(seed=1)), {}, rebuilds=False)
    before = [t.clone() for t in other.state_dict().values()] if other else []
    with pytest.raises(ValueError, match=match):
        checkpoint.load(path, into=other)
    assert all(torch.equal(a, b) for a, b in zip(before, other.state_dict().values() if other else [], strict=True))


def test_files_of_two_runs_are_refused_before_the_object_is_filled(tmp_path):
    for name, seed in (("a", 1), ("b", 2)):
        checkpoint.save(tmp_path / f"{name}.safetensors", Own(MLP(seed=seed)), {}, rebuilds=False)
    shutil.copy(tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    into = Own(MLP(seed=3))
    before = into.net.head.weight.clone()
    with pytest.raises(ValueError, match="do not belong together"):
        checkpoint.load(tmp_path / "b.safetensors", into=into)
    assert torch.equal(into.net.head.weight, before)


@pytest.mark.parametrize(("name", "card", "match"), [
    ("m.safetensors", {"when": object()}, "the card cannot be written as JSON .*object.*; give it numbers, texts"),
    ("m.json", {}, r"a checkpoint's name ends in \.safetensors, .* got .*m\.json"),
    ("m", {}, r"a checkpoint's name ends in \.safetensors"),
])
def test_what_cannot_be_written_is_refused_before_anything_is(tmp_path, name, card, match):
    with pytest.raises(ValueError, match=match):
        checkpoint.save(tmp_path / name, learner("maml"), card)
    assert os.listdir(tmp_path) == []


def test_a_checkpoint_says_which_pictures_it_was_trained_on(saved, tmp_path):
    assert checkpoint.trained_on(saved[0]) is None
    pictures = torch.tensor([-2**63, 3, 2**62, 3])
    checkpoint.save(tmp_path / "other.safetensors", learner("maml"), {}, pictures=pictures)
    assert checkpoint.trained_on(tmp_path / "other.safetensors").tolist() == [-2**63, 3, 2**62]


def test_saving_twice_gives_the_same_bytes(saved, tmp_path):
    path, card = saved
    checkpoint.save(tmp_path / "again.safetensors", learner("maml"), {"note": "a test"})
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    assert (tmp_path / "again.json").read_text() == card.read_text()


def test_a_missing_file_or_card_is_named(saved):
    path, card = saved
    with pytest.raises(FileNotFoundError, match="there is no file .*other.safetensors; give the path of"):
        checkpoint.load(path.with_name("other.safetensors"))
    with pytest.raises(FileNotFoundError, match="there is no file"):
        checkpoint.load(path.parent)
    card.unlink()
    with pytest.raises(FileNotFoundError, match=r"the card .*model\.json is missing; a checkpoint is"):
        checkpoint.load(path)


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-1], lambda data: data[:50],
                                    lambda data: data[:-3] + bytes([data[-3] ^ 8]) + data[-2:],
                                    lambda data: b"PK" + data, lambda data: data + b"more"])
def test_a_damaged_file_is_refused(saved, damage):
    path, _ = saved
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="model.safetensors is damaged or not a file of mlcourse"):
        checkpoint.load(path)


@given(position=st.floats(0, 1, exclude_max=True), value=st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_one_wrong_byte_is_noticed_or_harmless(tmp_path_factory, position, value):
    folder = tmp_path_factory.mktemp("damage")
    tensors = {"w": torch.arange(6.0).view(2, 3), "n": torch.tensor(3)}
    checkpoint.write_tensors(folder / "good.safetensors", tensors, {"seed": 1})
    data = bytearray((folder / "good.safetensors").read_bytes())
    data[int(position * len(data))] ^= value
    (folder / "bad.safetensors").write_bytes(data)
    try:
        read, meta = checkpoint.read_tensors(folder / "bad.safetensors")
    except ValueError as error:
        assert "bad.safetensors is damaged or not a file of mlcourse" in str(error)
    else:  # white space in the header
        assert meta == {"seed": 1} and all(torch.equal(read[name], t) for name, t in tensors.items())


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"card"', "{}", '{"note": 1}', "\x00"])
def test_a_damaged_card_is_refused(saved, text):
    path, card = saved
    card.write_text(text)
    with pytest.raises(ValueError, match=r"the card .*model\.json is damaged; train again or restore a copy"):
        checkpoint.load(path)


def test_a_card_that_is_no_text_is_refused(saved):
    path, card = saved
    card.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"model\.json is damaged"):
        checkpoint.load(path)


def test_a_card_of_another_version_is_refused(saved):
    path, card = saved
    edit(card, version=2)
    with pytest.raises(ValueError, match="has version 2, this program reads version 1; update mlcourse"):
        checkpoint.load(path)


@pytest.mark.parametrize(("changes", "match"), [
    ({"method": "mamal"}, "unknown method 'mamal'; known are maml"),
    ({"settings": {"speed": 3}}, "the card does not describe a learner .*speed.*; was it made by another version"),
    ({"net": {"net": "MLP", "sizes": 3}}, "the card does not describe a learner"),
    ({"settings": {"lr": -1}}, "inner learning rate must be a positive, finite number, got -1"),
    ({"settings": 5}, "the card does not describe a learner"),
    ({"net": {"net": "ResNet"}}, "unknown network 'ResNet'; known are MLP, Conv4"),
    ({"net": {"net": "Conv4", "depth": 9}}, "the card does not describe a learner"),
    ({"net": None}, "the card does not describe a learner"),
])
def test_a_card_that_describes_no_learner_is_refused(saved, changes, match):
    path, card = saved
    edit(card, **changes)
    with pytest.raises(ValueError, match=match):
        checkpoint.load(path)


def test_tensors_and_card_of_different_runs_are_refused(saved, tmp_path):
    path, _ = saved
    other = learner("maml")
    with torch.no_grad():
        other.net.head.bias.add_(1)
    (tmp_path / "other").mkdir()
    checkpoint.save(tmp_path / "other" / "model.safetensors", other, {})
    shutil.copy(tmp_path / "other" / "model.safetensors", path)
    with pytest.raises(ValueError, match="do not belong together .the digests differ.; restore both from one run"):
        checkpoint.load(path)


@pytest.mark.parametrize(("name", "settings", "match"), [
    ("meta-sgd", {}, "checkpoint of another method or network: 'alpha.* is missing in the file"),
    ("maml", {"width": 7}, r"checkpoint of another shape: 'net\.convs\.0\.weight' is \(6, 1, 3, 3\) in the file, "
                           r"\(7, 1, 3, 3\) in the learner"),
    ("maml", {"way": 4}, r"another shape: 'net\.head\.bias' is \(3,\) in the file, \(4,\) in the learner"),
])
def test_a_checkpoint_of_another_method_or_shape_is_refused_and_changes_nothing(saved, name, settings, match):
    path, _ = saved
    other = learner(name, **settings)
    before = {key: t.clone() for key, t in other.state_dict().items()}
    with pytest.raises(ValueError, match=match):
        checkpoint.fill(other, checkpoint.read_tensors(path)[0], path)
    assert all(torch.equal(t, before[key]) for key, t in other.state_dict().items())


def test_a_card_of_another_method_is_refused(saved):
    path, card = saved
    edit(card, **checkpoint.describe(learner("meta-sgd")))
    with pytest.raises(ValueError, match="checkpoint of another method or network"):
        checkpoint.load(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_tensors_that_are_not_finite_are_neither_saved_nor_loaded(tmp_path, value):
    path, broken = tmp_path / "broken.safetensors", MAML(MLP((1, 4, 1)))
    checkpoint.save(path, broken, {})
    with torch.no_grad():
        broken.net.head.bias[0] = value
    with pytest.raises(ValueError, match=r"this MAML holds a value that is not finite in 'net\.head\.bias'; train it"):
        checkpoint.save(tmp_path / "other.safetensors", broken, {})
    assert sorted(os.listdir(tmp_path)) == ["broken.json", "broken.safetensors"]
    checkpoint.write_tensors(path, broken.state_dict(), {"version": 1})
    edit(path.with_suffix(".json"), sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(ValueError, match=r"holds a value that is not finite in 'net\.head\.bias'; train it again"):
        checkpoint.load(path)


class Masked(nn.Sequential):
    """A network whose buffer holds infinities, as a causal mask does."""

    def __init__(self, value=float("-inf")):
        super().__init__(nn.Flatten(), nn.Linear(4, 2))
        self.register_buffer("mask", torch.tensor([0.0, value]))


def test_infinities_in_a_buffer_are_saved_and_loaded_and_a_nan_is_not(tmp_path):
    path = tmp_path / "m.safetensors"
    own = [ProtoNet(wrap(Masked(value), example=torch.zeros(2, 4))) for value in (float("-inf"), 0.0, float("nan"))]
    checkpoint.save(path, own[0], {}, rebuilds=False)
    again, _ = checkpoint.load(path, into=own[1])
    assert again.net.body.mask.tolist() == [0.0, float("-inf")]
    with pytest.raises(ValueError, match=r"holds a value that is not finite in 'net\.body\.mask'; train it again"):
        checkpoint.save(tmp_path / "nan.safetensors", own[2], {}, rebuilds=False)
    own[0].net.body[1].bias.data[0] = float("inf")
    with pytest.raises(ValueError, match=r"not finite in 'net\.body\.1\.bias'"):
        checkpoint.save(path, own[0], {}, rebuilds=False)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_is_refused_and_not_opened(saved, tmp_path):
    path, _ = saved
    for dump in (lambda: path.write_bytes(pickle.dumps(Bomb(tmp_path / "exploded"))),
                 lambda: torch.save({"w": Bomb(tmp_path / "exploded")}, path)):
        dump()
        with pytest.raises(ValueError, match="is damaged or not a file of mlcourse"):
            checkpoint.load(path)
        assert not (tmp_path / "exploded").exists()
    os.mkdir(tmp_path / "control")
    with pytest.raises(FileExistsError):
        pickle.loads(pickle.dumps(Bomb(tmp_path / "control")))


def test_a_file_is_replaced_whole_or_not_at_all(saved, monkeypatch):
    path, card = saved
    before = path.read_bytes(), card.read_bytes()
    other = learner("maml", lr=0.2)

    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="cannot write .*model.safetensors: No space left on device; free space"):
        checkpoint.save(path, other, {})
    assert (path.read_bytes(), card.read_bytes()) == before
    assert sorted(os.listdir(path.parent)) == ["model.json", "model.safetensors"]


def test_a_folder_is_made_where_it_is_missing_and_a_file_in_its_place_is_told(tmp_path):
    checkpoint.save(tmp_path / "a" / "b" / "m.safetensors", learner("maml"), {})
    assert checkpoint.load(tmp_path / "a" / "b" / "m.safetensors")[1]["method"] == "maml"
    with pytest.raises(OSError, match="cannot write .*; free space or choose another folder"):
        checkpoint.save(tmp_path / "a" / "b" / "m.json" / "m.safetensors", learner("maml"), {})
