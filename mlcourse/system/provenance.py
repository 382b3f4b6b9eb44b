"""What made a number: the course's commit, versions, processor architecture, threads. Asking never stops the work."""

from __future__ import annotations

import os
import platform
import subprocess

import torch

import mlcourse
from mlcourse.system import paths


def commit() -> str:
    """The commit of the course's own repository; "" where that cannot be known, whatever the reason.

    There may be no git, a git that fails or does not answer, no repository, an installed wheel, or a course inside
    somebody's own repository, whose commit says nothing about the course.
    """
    elsewhere = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        asked = subprocess.run(["git", "-C", str(paths.ROOT), "rev-parse", "--show-toplevel", "--short", "HEAD"],
                               capture_output=True, encoding="utf-8", errors="replace", env=elsewhere, timeout=20)
        top, short = asked.stdout.splitlines() if asked.returncode == 0 else ("", "")
        return short if os.path.samefile(top, paths.ROOT) else ""
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""


def versions() -> dict:
    """What a number may depend on besides its seed: versions, processor architecture, threads."""
    return {"mlcourse": mlcourse.__version__, "torch": torch.__version__, "python": platform.python_version(),
            "machine": platform.machine(), "system": platform.system(), "threads": torch.get_num_threads()}
