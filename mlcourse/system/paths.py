"""Where the course lies on disk: in a clone of the repository beside the package, in an installed copy inside it."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parent
IN_CLONE = (ROOT / "notebooks").is_dir() and (ROOT / "pyproject.toml").is_file()
NOTEBOOKS = ROOT / "notebooks" if IN_CLONE else PACKAGE / "notebooks"
RESULTS = ROOT / "benchmarks" / "results" if IN_CLONE else PACKAGE / "results"
DATA = ROOT / "data" if IN_CLONE else PACKAGE / "data"
WORK = ROOT / "work" if IN_CLONE else Path.cwd() / "mlcourse-work"
