"""The commit that a row carries is the course's own, or none; asking for it stops nothing."""

import os
import shutil
import subprocess

import pytest

from mlcourse.system import paths, provenance

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")


def repository(folder):
    """A git repository at `folder` with one commit; the commit."""
    git = lambda *words: subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, text=True)
    folder.mkdir(parents=True)
    git("init")
    git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--allow-empty", "-m", "one")
    return git("rev-parse", "--short", "HEAD").stdout.strip()


@needs_git
def test_the_commit_is_that_of_the_courses_own_repository(tmp_path, monkeypatch):
    own = repository(tmp_path / "mlcourse")
    monkeypatch.setattr(paths, "ROOT", tmp_path / "mlcourse")
    assert provenance.commit() == own
    repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert provenance.commit() == own


@needs_git
def test_a_course_inside_somebodys_own_repository_has_no_commit(tmp_path, monkeypatch):
    repository(tmp_path / "theirs")
    (tmp_path / "theirs" / "venv" / "site-packages").mkdir(parents=True)
    monkeypatch.setattr(paths, "ROOT", tmp_path / "theirs" / "venv" / "site-packages")
    assert provenance.commit() == ""


@pytest.mark.parametrize("git", [None, "exit 128", "echo unexpected", "printf '\\377\\n\\376\\n'", "kill -9 $$"])
@pytest.mark.skipif(os.name != "posix", reason="puts a shell script in git's place")
def test_no_git_or_one_that_fails_stops_nothing(tmp_path, monkeypatch, git):
    if git is not None:
        (tmp_path / "git").write_text(f"#!/bin/sh\n{git}\n")
        (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.commit() == ""
