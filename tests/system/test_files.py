"""A file is written whole or not at all."""

import errno

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
