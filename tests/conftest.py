"""Every test runs with the threads and the waiting policy of the lessons, and with a progress file of its own."""

import os
import tempfile

from mlcourse import machine

machine.prepare()
os.environ["MLCOURSE_PROGRESS"] = tempfile.mkdtemp(prefix="mlcourse-progress-")
