"""Settings of every test, the notebooks' own included."""

import os
import tempfile

from mlcourse.system import machine

pytest_plugins = ["mlcourse.course.nbval_lessons"]

os.environ.update(machine.environment())    # before torch is imported, here and in every kernel that a test starts
if "PYTEST_XDIST_WORKER" in os.environ:     # the workers share the cores
    os.environ.update({name: "1" for name in os.environ if name.endswith("_NUM_THREADS")})
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"

_progress = tempfile.TemporaryDirectory(prefix="mlcourse-progress-")
os.environ["MLCOURSE_PROGRESS"] = _progress.name
