"""Data sets by name: specs, splits, MNIST's idx files, the UCI digits, the Gaussian domains."""

import gzip
import math
import os
import struct

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st

from mlcourse import datasets
from mlcourse.datasets import mnist, omniglot, store
from mlcourse.datasets.gaussians import gaussians, means
from mlcourse.datasets.source import Source

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def own_places(tmp_path, monkeypatch):
    """No data directory but those that the test names."""
    monkeypatch.setattr(store, "user_cache", lambda: tmp_path / "cache")
    monkeypatch.delenv("MLCOURSE_DATA", raising=False)
    return tmp_path


# ---- specs


@pytest.mark.parametrize("spec", ["nonsense", "", "folder", "folder:", "folders:/tmp", "array:"])
def test_an_unknown_name_lists_the_names(spec):
    with pytest.raises(ValueError, match="unknown data set .* choose one of glyphs, glyphs-digits, digits, omniglot"):
        datasets.load(spec)


def test_the_uci_digits():
    domain = datasets.load("digits")
    assert domain.images.shape == (1797, 1, 28, 28) and domain.images.dtype == torch.uint8
    assert domain.classes == tuple("0123456789") and domain.labels.bincount().min() > 170
    zeros = domain.images[domain.labels == 0].float().mean((0, 1))
    assert zeros[:, [0, 27]].max() < 60, "the ground is low"
    assert zeros[14, 14] < 60 < 150 < zeros[14, 5:12].max(), "a zero is a ring of high ink around an empty middle"


def test_a_shift_follows_the_name():
    plain, turned = datasets.load("digits"), datasets.load("digits@rotation=0.5")
    assert turned.name == "digits@rotation=0.5" and turned.classes == plain.classes
    assert turned.images.shape == plain.images.shape and not torch.equal(turned.images, plain.images)
    assert torch.equal(datasets.load("digits@rotation=0").images, plain.images)


@pytest.mark.parametrize("spec, message", [
    ("digits@rotation=much", "severity of the shift 'rotation' must be a number .* got 'much'"),
    ("digits@rotation=", "must be a number"), ("digits@rotation=2", "severity"), ("digits@colour=0.5", "colour"),
    ("digits@rotation", "unknown data set 'digits@rotation'")])
def test_a_bad_shift_is_a_clear_error(spec, message):
    with pytest.raises(ValueError, match=message):
        datasets.load(spec)


def test_splits_of_a_shifted_domain_share_no_class():
    splits = datasets.load_splits("digits@noise=0.3")
    names = [set(part.classes) for part in splits]
    assert set.union(*names) == set("0123456789") and sum(map(len, names)) == 10
    assert splits.train.name == "digits@noise=0.3/train"
    assert names == [set(part.classes) for part in datasets.load_splits("digits")]


def test_named_splits_are_used_for_omniglot(monkeypatch):
    splits = {"train": ("A", "B"), "val": ("C",), "test": ("D",)}
    classes = tuple(f"{group}/character01" for group in "ABCD")
    domain = datasets.Domain("omniglot", torch.zeros(8, 1, 28, 28, dtype=torch.uint8), torch.arange(4).repeat(2),
                             classes, tuple("ABCD"))
    monkeypatch.setitem(datasets._BY_NAME, "omniglot", omniglot.SOURCE._replace(load=lambda *_: domain, splits=splits))
    assert [part.groups for part in datasets.load_splits("omniglot")] == [("A", "B"), ("C",), ("D",)]


def test_the_list_says_where_data_lie_and_how_to_get_them(own_places):
    rows = {row["name"]: row for row in datasets.available()}
    assert tuple(rows) == datasets.NAMES
    assert rows["digits"]["where"] == "scikit-learn" and rows["digits"]["present"]
    assert rows["glyphs"]["where"].endswith("glyphs.npz") and rows["glyphs"]["present"]
    assert (rows["omniglot"]["classes"], rows["omniglot"]["images"]) == (964, 19280)
    assert not rows["mnist"]["present"] and rows["mnist"]["where"] == "mlcourse data get mnist"
    write_mnist(own_places, "t10k", 10, packed=False)
    row = next(row for row in datasets.available(own_places) if row["name"] == "mnist")
    assert row["present"] and row["where"] == str(own_places / "mnist" / "t10k-images-idx3-ubyte")


def test_the_list_says_what_to_do_for_a_source_without_a_download(monkeypatch):
    mine = Source("mine", "of my own", lambda data_dir: None, files=("mine/a.npz", "mine/b.npz"))
    monkeypatch.setattr(datasets, "SOURCES", (mine, mine._replace(made_by="make mine")))
    by_hand, made = datasets.available()
    assert not by_hand["present"] and by_hand["where"] == "put mine/a.npz and mine/b.npz into a data directory"
    assert made["where"] == "make mine"


def test_glyphs_come_from_the_data_directory_that_has_them(own_places):
    (own_places / "glyphs.npz").write_bytes(b"damaged")
    row = datasets.available(own_places)[0]
    assert row["where"] == str(own_places / "glyphs.npz") and row["images"] is None
    with pytest.raises(ValueError, match="glyphs.npz is damaged"):
        datasets.load("glyphs", own_places)
    assert datasets.load("glyphs").images.shape[1:] == (1, 28, 28)


def test_named_splits_are_used_for_glyphs():
    splits = datasets.load_splits("glyphs")
    assert "Latin" in splits.train.groups and splits.test.name == "glyphs/test"


def test_verify_says_what_it_read():
    assert datasets.verify("digits").startswith("digits: 1,797 images of 10 classes in 10 groups, all readable (8×8")


def test_only_data_sets_with_a_download_can_be_got():
    with pytest.raises(ValueError, match="'digits' has no download; omniglot, .*mnist, omniglot-runs have one; glyphs.*come with"):
        datasets.get("digits")


def test_get_fetches_what_is_missing_into_a_new_directory_and_checks_it(own_places, monkeypatch):
    made = []

    def download(relative, data_dir):
        assert data_dir == own_places / "new"
        part, kind = relative.split("/")[1].split("-")[:2]
        write_mnist(data_dir, part, 10, kinds=(kind,))
        made.append(relative)
        return data_dir / relative

    monkeypatch.setattr(store, "download", download)
    files = datasets.get("mnist", own_places / "new")
    assert len(files) == 4 and all(path.is_file() for path in files)
    assert datasets.get("mnist", own_places / "new") == files and len(made) == 4
    files[0].write_bytes(b"damaged")
    with pytest.raises(ValueError, match="is not an idx file .*delete it and download it again"):
        datasets.get("mnist", own_places / "new")


# ---- MNIST


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_mnist(folder, part, count, *, packed=True, kinds=("images", "labels")):
    (folder / "mnist").mkdir(parents=True, exist_ok=True)
    images = np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    labels = (np.arange(count) % 10).astype(np.uint8)
    for kind, array in (("images", images), ("labels", labels)):
        if kind in kinds:
            path = folder / "mnist" / f"{part}-{kind}-idx{array.ndim}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    return images, labels


@pytest.mark.parametrize("packed", [True, False])
def test_mnist_files_load_packed_or_not(own_places, packed):
    images, labels = write_mnist(own_places, "t10k", 30, packed=packed)
    domain = datasets.load("mnist", own_places)
    assert np.array_equal(domain.images[:, 0].numpy(), images) and domain.labels.tolist() == labels.tolist()
    assert domain.classes == tuple("0123456789") and domain.note.startswith("30 test images")


def test_mnist_training_images_come_before_the_test_images(own_places):
    train, _ = write_mnist(own_places, "train", 20)
    test, _ = write_mnist(own_places, "t10k", 10)
    domain = mnist.load(own_places)
    assert np.array_equal(domain.images[:, 0].numpy(), np.concatenate([train, test]))
    assert domain.note.startswith("20 training images and 10 test images")


def test_missing_mnist_files_are_named(own_places):
    with pytest.raises(store.DataError, match="t10k-images-idx3-ubyte.gz is not in any data directory; run `mlcourse"):
        mnist.load(own_places)
    write_mnist(own_places, "t10k", 10, kinds=("images",))
    with pytest.raises(store.DataError, match="t10k-labels-idx1-ubyte.gz is not in any data directory"):
        mnist.load(own_places)


PIXELS, LABELS = np.zeros((3, 28, 28), np.uint8), np.zeros(3, np.uint8)


@pytest.mark.parametrize("images, labels, message", [
    (idx(PIXELS[:2]), idx(LABELS), "holds 2 images but .* 3 labels"),
    (idx(np.zeros((3, 14, 14), np.uint8)), idx(LABELS), "14×14 pixels, expected 28×28"),
    (idx(PIXELS), idx(LABELS + 10), "holds the label 10, expected 0 to 9"),
    (idx(PIXELS[:0]), idx(LABELS[:0]), "holds 0 images"),
    (idx(LABELS), idx(LABELS), "begins with 00 00 08 01, expected 00 00 08 03"),
    (b"", idx(LABELS), "begins with nothing"),
    (idx(PIXELS)[:10], idx(LABELS), "ends inside its header"),
    (idx(PIXELS)[:-1], idx(LABELS), "announces 2,352 bytes and holds only 2,351"),
    (idx(PIXELS) + b"x", idx(LABELS), "announces 2,352 bytes and holds more"),
    (bytes([0, 0, 8, 3]) + b"\xff" * 12, idx(LABELS), "header announces .* bytes"),
    (gzip.compress(idx(PIXELS), mtime=0)[:-9], idx(LABELS), "is not an idx file"),
    (b"\x1f\x8bnot gzip", idx(LABELS), "is not an idx file"),
])
def test_damaged_idx_files_are_one_sentence(tmp_path, images, labels, message):
    (tmp_path / "images").write_bytes(images)
    (tmp_path / "labels").write_bytes(labels)
    with pytest.raises(ValueError, match=message) as caught:
        mnist.read_pair(tmp_path / "images", tmp_path / "labels")
    assert str(tmp_path) in str(caught.value)


@QUICK
@given(data=st.data(), packed=st.booleans())
def test_damaged_bytes_of_an_idx_file_never_give_anything_but_a_value_error(tmp_path, data, packed):
    good = idx(np.arange(2 * 28 * 28, dtype=np.uint64).astype(np.uint8).reshape(2, 28, 28))
    damaged = bytearray(gzip.compress(good) if packed else good)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, min(40, len(damaged) - 1)))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged"
    path.write_bytes(damaged[:data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))])
    try:
        array = mnist.read_idx(path, 3)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert array.dtype == np.uint8 and array.ndim == 3


@pytest.mark.skipif(not os.environ.get("MLCOURSE_DATA") or not mnist.find("t10k-images-idx3-ubyte"),
                    reason="MNIST's test images: MLCOURSE_DATA does not lead to mnist/t10k-images-idx3-ubyte.gz")
def test_the_real_mnist_test_images():
    images, labels = mnist.read_pair(mnist.find("t10k-images-idx3-ubyte"), mnist.find("t10k-labels-idx1-ubyte"))
    assert images.shape == (10000, 28, 28)
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.median(images[:, [0, -1]]) == 0 and images.mean() < 50, "ink high on an empty ground"


# ---- Gaussians


def test_gaussians_have_their_means_and_spread():
    points, labels = gaussians(4000, classes=3, seed=1)
    assert points.shape == (12000, 2) and points.dtype == torch.float32 and labels.dtype == torch.int64
    assert labels.bincount().tolist() == [4000] * 3
    for c in range(3):
        own = points[labels == c]
        assert torch.allclose(own.mean(0), means(3)[c], atol=0.04)
        assert torch.allclose(own.T.cov(), 0.25 * torch.eye(2), atol=0.03)


def test_the_shift_acts_on_the_same_points():
    plain, labels = gaussians(50, seed=3)
    moved, same = gaussians(50, seed=3, offset=(1.0, -2.0), rotation=math.pi / 2, scale=2.0)
    by_hand = torch.stack([-2 * plain[:, 1] + 1, 2 * plain[:, 0] - 2], 1)
    assert torch.equal(labels, same) and torch.allclose(moved, by_hand, atol=1e-5)
    assert torch.equal(gaussians(50, seed=3)[0], plain) and not torch.equal(gaussians(50, seed=4)[0], plain)


@pytest.mark.parametrize("wrong, message", [
    ({"samples": 0}, "at least 1 sample and 2 classes, got 0"), ({"classes": 1}, "2 classes"),
    ({"scale": 0.0}, "scale positive"), ({"scale": -1.0}, "scale positive"), ({"rotation": math.nan}, "finite"),
    ({"offset": (math.inf, 0.0)}, "finite")])
def test_bad_gaussians(wrong, message):
    with pytest.raises(ValueError, match=message):
        gaussians(**wrong)


def test_the_typeset_digits_of_one_face_have_a_name_of_their_own():
    one = datasets.load("glyphs-digits/STIX Bold")
    assert one.name == "glyphs-digits/STIX Bold" and len(one.images) == 200
    assert datasets.load("glyphs-digits/STIX Bold@blur=0.5").name == "glyphs-digits/STIX Bold@blur=0.5"
    with pytest.raises(ValueError, match="unknown typeface 'Comic'; the typeset digits come in DejaVu Sans, "):
        datasets.load("glyphs-digits/Comic")
