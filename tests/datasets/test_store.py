"""The search order, downloads from a local server, and the cache of decoded arrays."""

import errno
import functools
import hashlib
import http.server
import threading
from pathlib import Path

import numpy as np
import pooch
import pytest

from mlcourse.datasets import omniglot, store

RELATIVE = omniglot.EVALUATION


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "user_cache", lambda: tmp_path / "cache")
    monkeypatch.delenv("MLCOURSE_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def server(tmp_path):
    """A folder served on 127.0.0.1, with its base URL and the digest of the one file in it."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "images_evaluation.zip").write_bytes(b"an archive" * 1000)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield {"base_url": f"http://127.0.0.1:{httpd.server_port}/",
               "digest": "sha256:" + hashlib.sha256(b"an archive" * 1000).hexdigest()}
        httpd.shutdown()
        thread.join()


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_search_goes_from_the_argument_to_the_environment_to_the_cache(tmp_path, monkeypatch):
    places = [tmp_path / name for name in ("argument", "environment", "cache")]
    for place in places:
        place.mkdir()
        (place / "x.bin").write_bytes(b"")
    monkeypatch.setenv("MLCOURSE_DATA", str(places[1]))
    assert store.find("x.bin", places[0]) == places[0] / "x.bin"
    assert store.find("x.bin") == places[1] / "x.bin"
    monkeypatch.delenv("MLCOURSE_DATA")
    assert store.find("x.bin") == places[2] / "x.bin"
    assert store.find("y.bin", places[0]) is None


def test_the_shipped_data_come_between_the_environment_and_the_cache(tmp_path):
    order = store.directories(tmp_path)
    assert order[0] == tmp_path and order[-1] == store.user_cache()
    assert Path(store.__file__).parents[2] / "data" in order


def test_a_data_directory_that_does_not_exist_is_named(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="the data directory '.*nowhere' is not a directory"):
        store.find("x", tmp_path / "nowhere")
    monkeypatch.setenv("MLCOURSE_DATA", str(tmp_path / "gone"))
    with pytest.raises(ValueError, match="MLCOURSE_DATA '.*gone' is not a directory"):
        store.find("x")


def test_a_download_is_verified_and_lands_in_the_chosen_directory(tmp_path, server):
    path = store.download(RELATIVE, tmp_path / "new", **server)
    assert path == tmp_path / "new" / RELATIVE
    assert path.read_bytes() == b"an archive" * 1000
    assert files_under(tmp_path / "new") == [path]
    assert store.find(RELATIVE, tmp_path / "new") == path


def test_without_a_choice_a_download_lands_in_the_users_cache(tmp_path, server, monkeypatch):
    assert store.download(RELATIVE, **server) == tmp_path / "cache" / RELATIVE
    monkeypatch.setenv("MLCOURSE_DATA", str(tmp_path / "mine"))
    assert store.download(RELATIVE, **server) == tmp_path / "mine" / RELATIVE


def test_a_file_that_is_there_and_verifies_is_not_fetched_again(tmp_path, server):
    path = store.download(RELATIVE, tmp_path, **server)
    again = store.download(RELATIVE, tmp_path, base_url="http://127.0.0.1:9/", digest=server["digest"])
    assert again == path


def test_another_digest_leaves_nothing_behind(tmp_path, server):
    with pytest.raises(store.DataError, match="another digest.*thrown away.*put it at"):
        store.download(RELATIVE, tmp_path / "new", base_url=server["base_url"])
    assert files_under(tmp_path / "new") == []


@pytest.mark.parametrize("missing", [True, False])
def test_offline_and_not_found_give_the_steps_by_hand(tmp_path, server, missing):
    base = server["base_url"] + "nothing-here/" if missing else "http://127.0.0.1:9/"
    with pytest.raises(store.DataError) as caught:
        store.download(RELATIVE, tmp_path / "new", base_url=base)
    sentence = str(caught.value)
    assert sentence.startswith(f"could not reach {base}")
    assert "https://github.com/brendenlake/omniglot" in sentence and "python/images_evaluation.zip" in sentence
    assert str(tmp_path / "new" / RELATIVE) in sentence and "\n" not in sentence
    assert files_under(tmp_path / "new") == []


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(tmp_path, monkeypatch):
    def half(self, url, output, pooch_object, **kwargs):
        Path(output).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", half)
    with pytest.raises(store.DataError, match=r"cannot write .*No space left on device\); make room"):
        store.download(RELATIVE, tmp_path / "new")
    assert files_under(tmp_path / "new") == []


@pytest.mark.parametrize("error", [PermissionError("no"), OSError(errno.EROFS, "Read-only file system")])
def test_a_read_only_directory_is_one_sentence(tmp_path, monkeypatch, error):
    def refuse(*args, **kwargs):
        raise error

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(store.DataError, match="cannot write .*(permission denied|Read-only).*MLCOURSE_DATA"):
        store.download(RELATIVE, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_only_known_files_are_downloaded():
    with pytest.raises(ValueError, match="'passwords' is not a file that can be downloaded"):
        store.download("passwords")


class Counted:
    """A `make` that counts its calls."""

    calls = 0

    def __call__(self):
        self.calls += 1
        return {"a": np.arange(6, dtype=np.uint8).reshape(2, 3), "names": np.array(["x", "yy"])}


def assert_made(arrays):
    assert arrays["a"].tolist() == [[0, 1, 2], [3, 4, 5]] and arrays["a"].dtype == np.uint8
    assert arrays["names"].tolist() == ["x", "yy"] and set(arrays) == {"a", "names"}


def test_the_cache_is_made_once_and_read_afterwards():
    make = Counted()
    for _ in range(3):
        assert_made(store.cached("key-1", make))
    assert make.calls == 1


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: data[:len(data) // 2], lambda data: b"garbage" * 100,
    lambda data: data.replace(bytes([0, 1, 2, 3, 4, 5]), bytes([9, 1, 2, 3, 4, 5]))])
def test_a_damaged_cache_is_made_again(damage):
    make = Counted()
    store.cached("key", make)
    (path,) = files_under(store.user_cache())
    path.write_bytes(damage(path.read_bytes()))
    assert_made(store.cached("key", make))
    assert_made(store.cached("key", make))
    assert make.calls == 2


def test_a_cache_with_other_content_than_its_digest_is_made_again():
    make = Counted()
    store.cached("key", make)
    (path,) = files_under(store.user_cache())
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **arrays | {"a": arrays["a"] + 1})
    assert_made(store.cached("key", make))
    assert make.calls == 2


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    make = Counted()
    for _ in range(2):
        assert_made(store.cached("key", make))
    assert make.calls == 2


def test_a_cache_key_cannot_leave_the_cache():
    with pytest.raises(ValueError, match="cache key"):
        store.cached("../key", dict)
