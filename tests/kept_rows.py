"""The rows that the repository holds, for the tests of benchmarks and studies."""

from mlcourse.rows import read

FACTS = {"command", "commit", "seed", "threads"}


def kept(name):
    """The rows that the repository holds for a benchmark."""
    return read(name)
