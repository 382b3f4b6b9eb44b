"""A file is written whole or not at all."""

import errno
import os

import pytest

from mlcourse.system import files


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_writing_is_all_or_nothing(tmp_path, monkeypatch, error):
    target = tmp_path / "deep" / "file"
    files.write_atomically(target, b"first")

    def fail(*_):
        raise error

    for step in ("replace", "fsync"):
        with monkeypatch.context() as patched:
            patched.setattr(files.os, step, fail)
            with pytest.raises(type(error)) as raised:
                files.write_atomically(target, b"second")
        assert target.read_bytes() == b"first" and [p.name for p in target.parent.iterdir()] == ["file"]
        if isinstance(error, OSError):
            assert str(raised.value) == (f"cannot write {target}: No space left on device; free space or choose another "
                                         "folder")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_new_file_has_the_permissions_of_the_umask_and_an_old_one_keeps_its_own(tmp_path):
    mask = os.umask(0o027)
    try:
        files.write_atomically(tmp_path / "new", b"1")
        (tmp_path / "old").write_bytes(b"1")
        (tmp_path / "old").chmod(0o604)
        files.write_atomically(tmp_path / "old", b"2")
    finally:
        os.umask(mask)
    mode = lambda name: (tmp_path / name).stat().st_mode & 0o777
    assert (mode("new"), mode("old")) == (0o640, 0o604) and (tmp_path / "old").read_bytes() == b"2"


def test_a_link_stays_a_link_and_the_file_behind_it_is_written(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    behind, link = tmp_path / "elsewhere" / "file", tmp_path / "link"
    behind.write_bytes(b"1")
    link.symlink_to(behind)
    files.write_atomically(link, b"2")
    assert link.is_symlink() and behind.read_bytes() == b"2"


def test_a_long_name_ends_in_a_number_that_tells_it_apart():
    assert files.bounded("short", 5) == "short"
    one, other = (files.bounded("猫" * 50 + end, 100) for end in "ab")
    assert one != other and len(one.encode()) <= 109 and one.startswith("猫" * 33 + "-")
    assert files.bounded("x" * 9, 4, "other") == files.bounded("x" * 8, 4, "other")


def test_the_longest_name_that_the_file_system_takes_can_be_written(tmp_path):
    path = tmp_path / ("x" * 255)
    files.write_atomically(path, b"1")
    assert path.read_bytes() == b"1" and len(list(tmp_path.iterdir())) == 1
