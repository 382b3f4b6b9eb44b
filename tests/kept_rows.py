"""The rows that the repository holds, for the tests of benchmarks and studies."""

from mlcourse import rows as results
from mlcourse.system import paths

FACTS = {"command", "commit", "seed", "threads"}


def kept(name):
    """The rows that the repository holds for a benchmark."""
    return results.read(paths.RESULTS / f"{name}.json")
