"""What was executed in a kernel beside the notebook that its result is said to be of."""

import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell

from paperlib.lab.session import Session

CELLS = ("run = 0\nimport math", "a = 1  # one", "", "# nothing", "b = a + 1", "run.finish()")


@pytest.fixture
def shell(monkeypatch):
    # a shell takes the place of __main__, which processes that later tests start are told to import
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    shell = InteractiveShell.instance()
    shell.reset(new_session=False)
    yield shell
    InteractiveShell.clear_instance()


@pytest.fixture
def after(shell):
    """after(cells) is the difference seen from the last cell, where the first one opened the run."""

    def after(*cells):
        shell.user_ns["run"], session = None, None
        for cell in ("scratch = 1", *cells):
            # what a kernel does with a cell before it executes it
            shell.history_manager.store_inputs(shell.execution_count, cell, cell)
            shell.execution_count += 1
            if cell == cells[0]:
                session = session or Session(CELLS, shell.user_ns)
        return session.difference()

    return after


def test_the_cells_of_the_notebook_in_order_are_no_difference(after):
    assert after(CELLS[0], "a = 1", "b = a+1", "run.finish()") == ""
    assert after(CELLS[0], "a = 1  # another comment", "# a note", "b = (a + 1)", "def broken(", "run.finish()") == ""


@pytest.mark.parametrize(
    "cells, says",
    [
        ((CELLS[0], "a = 2", "b = a + 1", "run.finish()"), "the cell `a = 2` is not in the notebook"),
        ((CELLS[0], "a = 1", "# look\na", "b = a + 1", "run.finish()"), "the cell `a` is not in the notebook"),
        ((CELLS[0], "a = 1", "a = 1", "b = a + 1", "run.finish()"), "the cell `a = 1` ran twice"),
        ((CELLS[0], "b = a + 1", "a = 1", "run.finish()"), "the cell `a = 1  # one` did not run in its turn"),
        ((CELLS[0], "a = 1", "run.finish()"), "the cell `b = a + 1` did not run in its turn"),
        (("run = 1", "a = 1", "b = a + 1", "run.finish()"), "the cell `run = 1` is not in the notebook"),
    ],
)
def test_what_differs_is_named(after, cells, says):
    assert after(*cells).startswith(says)


@pytest.mark.parametrize("later", [(), ("a = 1", "b = a + 1", "run.finish()")])
def test_a_history_that_was_cleared_is_a_difference(shell, later):
    history = shell.history_manager
    history.store_inputs(shell.execution_count, CELLS[0], CELLS[0])
    session = Session(CELLS, shell.user_ns)
    history.input_hist_parsed[:] = [""]
    for cell in later:
        history.store_inputs(1, cell, cell)
    assert session.difference() == "the history of the kernel was cleared"


def test_outside_a_kernel_there_is_nothing_to_say(shell):
    assert Session(CELLS, {}).difference() == ""
