"""The command line: `mlcourse`."""

from mlcourse.cli.app import app, main

__all__ = ["app", "main"]
