"""A file is written whole or not at all."""

import pytest

from mlcourse import files


def write(path, data):
    files.write_atomically(path, lambda file: file.write(data))


def test_writing_is_all_or_nothing(tmp_path, monkeypatch):
    target = tmp_path / "deep" / "file"
    write(target, b"first")
    monkeypatch.setattr(files.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space left"):
        write(target, b"second")
    assert target.read_bytes() == b"first" and [p.name for p in target.parent.iterdir()] == ["file"]


def test_an_interrupt_leaves_nothing_behind(tmp_path):
    def interrupted(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.write_atomically(tmp_path / "file", interrupted)
    assert list(tmp_path.iterdir()) == []
