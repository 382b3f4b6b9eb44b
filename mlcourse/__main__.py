"""`python -m mlcourse` is the `mlcourse` command."""

from mlcourse.cli import main

main()
