"""What tests of several parts use."""

import sys

import pytest
import torch

from mlcourse import cli


@pytest.fixture
def mlcourse(monkeypatch, capsys):
    """Run the command in this process; returns (exit status, stdout, stderr)."""

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["mlcourse", *map(str, words)])
        status, threads = 0, torch.get_num_threads()
        try:
            cli.main()
        except SystemExit as exit:
            status = exit.code or 0
        torch.set_num_threads(threads)
        return status, *capsys.readouterr()

    return command
