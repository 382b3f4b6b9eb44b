"""Settings of every test, the notebooks' own included."""

import os
import tempfile

from mlcourse import machine

os.environ.update(machine.environment())    # before torch is imported, here and in every kernel that a test starts
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"

_progress = tempfile.TemporaryDirectory(prefix="mlcourse-progress-")
os.environ["MLCOURSE_PROGRESS"] = _progress.name


def pytest_runtest_setup(item):
    """Give every notebook that nbval runs an empty progress folder of its own, before its kernel starts."""
    if item.path.suffix == ".ipynb" and item.parent.kernel is None:
        os.environ["MLCOURSE_PROGRESS"] = tempfile.mkdtemp(prefix=item.path.stem, dir=_progress.name)
