"""Where the course lies on disk."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
WORK = ROOT / "work"
RESULTS = ROOT / "benchmarks" / "results"
