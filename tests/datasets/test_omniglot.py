"""Omniglot: small faithful archives made here, and the real background set where MLCOURSE_DATA has it."""

import io
import os
import re
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st
from PIL import Image

from mlcourse.datasets import load, load_splits, omniglot, one_shot_runs, store
from mlcourse.episode import EpisodeSampler, split_by_group

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "user_cache", lambda: tmp_path / "cache")


def png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "png")
    return buffer.getvalue()


def drawing(seed: int) -> np.ndarray:
    """105×105 booleans, ink False: a random rectangle outline."""
    rng = np.random.default_rng(seed)
    (top, left), (height, width) = rng.integers(5, 40, 2), rng.integers(20, 60, 2)
    ink = np.zeros((105, 105), dtype=bool)
    ink[top:top + height, left:left + width] = True
    ink[top + 3:top + height - 3, left + 3:left + width - 3] = False
    return ~ink


def members(alphabets=("Elvish", "Klingon", "N_Ko"), characters=2, root="images_evaluation/") -> dict[str, bytes]:
    """The members of a small archive in the official layout."""
    found = {root: b""} if root else {}
    for a, alphabet in enumerate(alphabets):
        for c in range(1, characters + 1):
            for d in range(1, 21):
                name = f"{root}{alphabet}/character{c:02}/{a * characters + c:04}_{d:02}.png"
                found[name] = png(drawing(1000 * a + 100 * c + d))
    return found


def write(path, contents: dict[str, bytes]):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return path


SMALL = members()
FIRST = "images_evaluation/Elvish/character01/0001_01.png"


def test_an_archive_of_unknown_alphabets_loads(tmp_path):
    domain = omniglot.load_zip(write(tmp_path / "mine.zip", SMALL))
    assert domain.name == "omniglot:mine"
    assert domain.images.shape == (120, 1, 28, 28) and domain.images.dtype == torch.uint8
    assert domain.classes[:3] == ("Elvish/character01", "Elvish/character02", "Klingon/character01")
    assert domain.groups == ("Elvish",) * 2 + ("Klingon",) * 2 + ("N_Ko",) * 2
    assert domain.labels.bincount().tolist() == [20] * 6
    assert "28×28" in domain.note


def test_ink_is_high_and_the_reduction_averages_areas(tmp_path):
    domain = omniglot.load_zip(write(tmp_path / "mine.zip", SMALL))
    full = ~drawing(100 + 1)  # Elvish/character01, drawer 01
    image = domain.images[0, 0].numpy() / 255
    assert abs(image.mean() - full.mean()) < 2e-3, "the amount of ink is kept"
    # the exact area average: row i of the result covers rows 3.75 i to 3.75 (i + 1) of the drawing
    edges = np.arange(29) * 105 / 28
    covered = np.minimum(edges[1:, None], np.arange(1, 106)) - np.maximum(edges[:-1, None], np.arange(105))
    weights = covered.clip(0) / 3.75
    assert np.abs(weights @ full @ weights.T - image).max() < 1 / 255


def test_the_second_load_comes_from_the_cache_and_another_archive_does_not(tmp_path, monkeypatch):
    path = write(tmp_path / "mine.zip", SMALL)
    first = omniglot.load_zip(path)
    with monkeypatch.context() as patched:
        patched.setattr(omniglot, "_read", None)
        assert torch.equal(omniglot.load_zip(path).images, first.images)
    changed = SMALL | {FIRST: png(drawing(7))}
    assert not torch.equal(omniglot.load_zip(write(path, changed)).images, first.images)


def test_order_root_folder_and_foreign_files_do_not_matter(tmp_path):
    expected = omniglot.load_zip(write(tmp_path / "a.zip", SMALL))
    shuffled = dict(reversed(members(root="").items())) | {"__MACOSX/x.png": b"", "README.txt": b"hello"}
    domain = omniglot.load_zip(write(tmp_path / "b.zip", shuffled))
    assert domain.classes == expected.classes and torch.equal(domain.images, expected.images)


def test_the_spec_with_a_path_loads_and_splits_by_alphabet(tmp_path):
    path = write(tmp_path / "mine.zip", SMALL)
    splits = load_splits(f"omniglot:{path}")
    assert [set(part.groups) for part in splits] == [set(part.groups) for part in load_splits(f"omniglot:{path}")]
    assert sum(len(part.classes) for part in splits) == 6
    episode = EpisodeSampler(load(f"omniglot:{path}"), 5, 1).sample(2, torch.Generator().manual_seed(0))
    assert episode.support_x.shape == (2, 5, 1, 28, 28)


BIG = "one million and more" * 60_000
BAD = {
    "damaged image": ({FIRST: SMALL[FIRST][:60]}, f"{re.escape(FIRST)} is not a readable image"),
    "no image": ({FIRST: b"not an image"}, f"{re.escape(FIRST)} is not a readable image"),
    "another size": ({FIRST: png(np.ones((28, 28), dtype=bool))}, "0001_01.png is 28×28 in mode 1, expected 105×105"),
    "grey": ({FIRST: png(np.zeros((105, 105), dtype=np.uint8))}, "0001_01.png is 105×105 in mode L"),
    "huge member": ({FIRST: BIG.encode()}, "0001_01.png cannot be unpacked .it unpacks to more than"),
    "missing drawer": ({FIRST: None}, "Elvish/character01 must have the 20 drawers.*has 19 .*: 01"),
    "another drawer": ({"images_evaluation/Elvish/character01/0001_21.png": SMALL[FIRST]}, "has 21 .*: 21"),
    "twice": ({"images_evaluation/Elvish/character01/0009_01.png": SMALL[FIRST]}, "same character by the same drawer"),
    "another layout": ({"images_evaluation/Elvish/0001_01.png": SMALL[FIRST]}, "does not fit Omniglot's layout"),
}


@pytest.mark.parametrize("change, message", BAD.values(), ids=BAD)
def test_a_bad_archive_is_one_sentence_that_names_the_member(tmp_path, change, message):
    contents = {name: data for name, data in (SMALL | change).items() if data is not None}
    path = write(tmp_path / "bad.zip", contents)
    with pytest.raises(ValueError, match=message) as caught:
        omniglot.load_zip(path)
    assert str(path) in str(caught.value)
    assert not (store.user_cache() / "decoded").exists(), "nothing of a bad archive is kept"


def test_missing_and_empty_archives(tmp_path):
    with pytest.raises(ValueError, match="nowhere.zip is not a file"):
        omniglot.load_zip(tmp_path / "nowhere.zip")
    with pytest.raises(ValueError, match="holds no drawings"):
        omniglot.load_zip(write(tmp_path / "empty.zip", {}))


def test_the_official_sets_are_checked_by_their_counts(tmp_path):
    (tmp_path / "omniglot").mkdir()
    write(tmp_path / omniglot.BACKGROUND, SMALL)
    with pytest.raises(ValueError, match="holds 3 alphabets with 6 characters, expected 30 with 964"):
        omniglot.load_background(tmp_path)
    with pytest.raises(store.DataError, match="images_evaluation.zip is not in any data directory; run `mlcourse data"):
        omniglot.load_evaluation(tmp_path)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write(tmp_path_factory.mktemp("tiny") / "tiny.zip", members(("One",), 1)).read_bytes()


@QUICK
@given(data=st.data())
def test_damaged_bytes_of_an_archive_never_give_anything_but_a_value_error(tiny, tmp_path, data):
    damaged = bytearray(tiny)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[:data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))]
    path = tmp_path / "damaged.zip"
    path.write_bytes(damaged)
    try:
        domain = omniglot.load_zip(path)
    except ValueError as error:
        assert str(path) in str(error) and "\n" not in str(error)
    else:
        assert domain.images.shape == (20, 1, 28, 28)


def archive_of_runs(runs=2, way=4) -> tuple[dict[str, bytes], list[list[int]]]:
    """A small archive of one-shot runs, and the right class (from 0) of every test item."""
    contents, answers = {}, []
    for r in range(1, runs + 1):
        answer = np.random.default_rng(r).permutation(way).tolist()
        for k in range(way):
            contents[f"run{r:02}/training/class{k + 1:02}.png"] = png(drawing(100 * r + k))
            contents[f"run{r:02}/test/item{k + 1:02}.png"] = png(drawing(100 * r + answer[k]))
        contents[f"run{r:02}/class_labels.txt"] = "".join(
            f"run{r:02}/test/item{i + 1:02}.png run{r:02}/training/class{k + 1:02}.png\n"
            for i, k in enumerate(answer)).encode()
        answers.append(answer)
    return contents, answers


@pytest.mark.parametrize("root", ["", "all_runs/"])
def test_the_one_shot_runs_become_episodes(tmp_path, root):
    contents, answers = archive_of_runs()
    (tmp_path / "omniglot").mkdir()
    write(tmp_path / omniglot.RUNS, {root + name: data for name, data in contents.items()})
    found = one_shot_runs.load(tmp_path)
    episodes = found.episodes
    assert (found.way, found.shot, found.query, found.about) == (4, 1, 1, "the 2 official runs")
    assert len(episodes) == 2
    for number, (episode, answer) in enumerate(zip(episodes, answers)):
        assert episode.way == 4 and episode.support_x.shape == episode.query_x.shape == (4, 1, 28, 28)
        assert episode.support_y.tolist() == [0, 1, 2, 3] and episode.query_y.tolist() == answer
        # the archive's test items are the very drawings of their class, so the labels can be checked by the pixels
        assert torch.equal(episode.query_x, episode.support_x[episode.query_y])
        assert episode.classes.tolist() == [4 * number + k for k in range(4)]
        assert episode.support_x.dtype == torch.float32 and 0 <= episode.support_x.min() < episode.support_x.max() <= 1
        assert episode.unlabeled_x.shape == (0, 1, 28, 28) and episode.batch_shape == ()
    batch = found.sample(25, torch.Generator())
    assert batch.tasks == 2 and torch.equal(batch.task(1).query_x, episodes[1].query_x)
    assert found.sample(1, torch.Generator()).tasks == 1
    assert len(found.domain.images) == 2 * 2 * 4 and found.domain.classes[4:6] == ("run02/class01", "run02/class02")
    # the test items are the drawings of their class, so their nearest by any distance of ink is right
    assert found.baseline().tolist() == [0, 0]


def test_the_order_of_the_lines_that_pair_drawings_does_not_matter(tmp_path):
    """The official demonstration sorts the test images but not the answers, and is right because the file is sorted."""
    contents, answers = archive_of_runs()
    found = []
    for name in ("as it is", "shuffled"):
        (tmp_path / name / "omniglot").mkdir(parents=True)
        write(tmp_path / name / omniglot.RUNS, contents)
        found.append(one_shot_runs.load(tmp_path / name))
        for key in [key for key in contents if key.endswith("class_labels.txt")]:
            lines = contents[key].splitlines(keepends=True)
            contents[key] = b"".join(lines[i] for i in (2, 0, 3, 1))
    for before, after, answer in zip(found[0].episodes, found[1].episodes, answers, strict=True):
        right = lambda episode: sorted((bytes((255 * x).byte().numpy()), int(y)) for x, y in
                                       zip(episode.query_x, episode.query_y, strict=True))
        assert right(before) == right(after) and sorted(after.query_y.tolist()) == sorted(answer)
    assert found[1].baseline().tolist() == found[0].baseline().tolist() == [0, 0]


RUN_CHANGES = {
    "missing item": ({"run01/test/item02.png": None}, "run01/test/item02.png is missing"),
    "damaged image": ({"run02/training/class01.png": b"x"}, "run02/training/class01.png is not a readable image"),
    "labels with a class twice": ({"run01/class_labels.txt": b"".join(
        b"run01/test/item%02d.png run01/training/class01.png\n" % i for i in range(1, 5))}, "own training image"),
    "no label": ({"run01/class_labels.txt": b"\xff\x00"}, "run01/class_labels.txt must pair"),
}


@pytest.mark.parametrize("change, message", RUN_CHANGES.values(), ids=RUN_CHANGES)
def test_bad_one_shot_runs_name_the_member(tmp_path, change, message):
    contents = {name: data for name, data in (archive_of_runs()[0] | change).items() if data is not None}
    with pytest.raises(ValueError, match=message):
        one_shot_runs.read(write(tmp_path / "runs.zip", contents))


def test_one_shot_runs_that_are_not_there(tmp_path, monkeypatch):
    monkeypatch.delenv("MLCOURSE_DATA", raising=False)
    with pytest.raises(store.DataError, match="images_background.zip is not in any data directory"):
        one_shot_runs.load(tmp_path)
    with pytest.raises(ValueError, match="is not a file"):
        one_shot_runs.read(tmp_path / "all_runs.zip")
    with pytest.raises(ValueError, match="holds no runNN/class_labels.txt"):
        one_shot_runs.read(write(tmp_path / "x.zip", SMALL))


@pytest.fixture(scope="module")
def large_alphabet(tmp_path_factory):
    """An archive of an alphabet with 22 characters and of one with 19, every drawing another."""
    contents = {f"images_background/{alphabet}/character{c:02}/{c:04}_{d:02}.png": png(drawing(9000 * i + 100 * c + d))
                for i, (alphabet, characters) in enumerate((("Large", 22), ("Small", 19)))
                for c in range(1, characters + 1) for d in range(1, 21)}
    return write(tmp_path_factory.mktemp("data") / "background.zip", contents)


def test_runs_are_built_of_one_alphabet_with_a_drawer_for_training_and_another_for_the_test(large_alphabet):
    background = omniglot.load_zip(large_alphabet)
    built = one_shot_runs.build(background, large_alphabet, ("Large", "Small"), 3)
    again, other = (one_shot_runs.build(background, large_alphabet, ("Large", "Small"), 3, seed) for seed in (0, 1))
    assert len(built.episodes) == 3 and built.way == 20 and set(built.domain.groups) == {"Large", "Small"}
    for run, same, different, episode in zip(built.runs, again.runs, other.runs, built.episodes, strict=True):
        assert len(set(run.classes)) == 20 and all(name.startswith("Large/") for name in run.classes)
        assert np.array_equal(run.test, same.test) and not np.array_equal(run.training, different.training)
        drawers = []
        asked = [run.classes[i] for i in run.answer]
        for images, names in ((episode.support_x, run.classes), (episode.query_x, asked)):
            pixels = (255 * images).round().byte()
            positions = [20 * background.classes.index(name) for name in names]
            drawers.append({d for d in range(20)
                            if all(torch.equal(pixels[i], background.images[p + d]) for i, p in enumerate(positions))})
        assert [len(found) for found in drawers] == [1, 1] and drawers[0] != drawers[1]
    with pytest.raises(ValueError, match="a run needs an alphabet of 20 characters, and Small have fewer"):
        one_shot_runs.build(background, large_alphabet, ("Small",), 3)


def test_the_committed_splits_are_disjoint_and_name_30_alphabets():
    named = [alphabet for part in ("train", "val", "test") for alphabet in omniglot.SPLITS[part]]
    assert [len(omniglot.SPLITS[part]) for part in ("train", "val", "test")] == [20, 5, 5]
    assert len(set(named)) == 30


needs_omniglot = pytest.mark.skipif(
    not os.environ.get("MLCOURSE_DATA") or not store.find(omniglot.BACKGROUND),
    reason="Omniglot's background set: MLCOURSE_DATA does not lead to omniglot/images_background.zip")


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store, "user_cache", lambda: cache)
        yield omniglot.load_background()


@needs_omniglot
def test_the_real_background_set(real):
    assert real.name == "omniglot" and real.images.shape == (19280, 1, 28, 28)
    assert (len(real.classes), len(set(real.groups))) == (964, 30)
    assert torch.equal(real.labels.bincount(), torch.full((964,), 20))
    darkness = real.images.float().mean().item() / 255
    assert 0.03 < darkness < 0.15, "thin strokes on an empty ground, ink high"
    assert real.images.flatten(1).amax(1).min() > 100, "every drawing has ink"


@needs_omniglot
def test_the_real_splits_are_alphabet_disjoint(real):
    splits = split_by_group(real, **omniglot.SPLITS)
    assert [len(part.classes) for part in splits] == [679, 118, 167]
    assert not set(splits.train.groups) & set(splits.test.groups)
    assert splits.test.name == "omniglot/test"
