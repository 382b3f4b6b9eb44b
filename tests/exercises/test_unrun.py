"""A check whose stub was never run says so in one sentence; every other NameError looks as ever."""

import subprocess
import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from mlcourse.exercises import every_exercise
from mlcourse.exercises.unrun import sentence, watch


@pytest.fixture
def shell(capsys):
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell(config=config)
    shell.run_cell("from mlcourse.exercises import check")
    watch(shell)
    return shell


def test_a_skipped_stub_is_said_in_one_sentence(shell, capsys):
    result = shell.run_cell('_ = check("03.1", inner_step)')
    assert isinstance(result.error_in_exec, NameError)          # the notebook stops here, as it should
    assert " ".join(capsys.readouterr().out.split()) == (
        "03.1 inner_step: not attempted. The name inner_step is not there yet: run the cell above first, which defines "
        "it, then this one again.")


@pytest.mark.parametrize("cell", ["inner_step", "print(x)\n_ = check('03.1', inner_step)",
                                  "def f():\n    return q\nf()"])
def test_other_errors_are_shown_as_ever(shell, capsys, cell):
    shell.run_cell(cell)
    text = capsys.readouterr().out
    assert "NameError" in text and "Traceback" in text and "not attempted" not in text


def test_a_handler_of_the_learners_own_stays(shell):
    own = lambda *args, **kwargs: None
    shell.set_custom_exc((NameError, ZeroDivisionError), own)
    watch(shell)
    assert shell.custom_exceptions == (NameError, ZeroDivisionError)


@pytest.mark.parametrize("e", every_exercise(), ids=lambda e: e.id)
def test_every_check_cell_is_known(e):
    line = f'_ = check("{e.id}", {e.answer})'
    assert sentence(NameError(name=e.answer), line).startswith(f"{e.id} {e.answer}: not attempted.")
    assert sentence(NameError(name="other"), line) is None


def test_a_process_without_ipython_stays_without_it():
    code = "import sys, mlcourse.exercises.unrun as u; u.watch_notebook(); print('IPython' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
