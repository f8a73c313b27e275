"""What somebody at a notebook did while it ran: cells changed, left out, run twice or in another order.

A result belongs to the notebook and the parameters that its run took when it began. In a kernel the history tells
whether these, and nothing else, were executed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from paperlib.lab import closure, machine


class Session:
    """The cells that a kernel executes from now on. ``cells`` are those of the notebook, and the one that is running
    now opens the run; ``namespace`` is what they run in. Outside a kernel there is no history, and nothing to say."""

    def __init__(self, cells: Iterable[str], namespace: dict[str, Any]) -> None:
        self._cells = [cell for cell in cells if not _does_nothing(cell)]
        self._history = _history(namespace)
        self._begin = len(self._history) - 1 if self._history is not None else 0
        self._opening = self._history[self._begin] if self._history is not None else ""

    def difference(self) -> str:
        """In what the cells executed since differ from those of the notebook, in words; nothing where they do not."""
        if self._history is None:
            return ""
        executed = self._history[self._begin :]
        if not executed or executed[0] != self._opening:
            return "the history of the kernel was cleared"
        executed = [cell for cell in executed if _parses(cell) and not _does_nothing(cell)]
        codes = [closure.code_hash([cell]) for cell in executed]
        known = [closure.code_hash([cell]) for cell in self._cells]
        for cell, code in zip(executed, codes, strict=True):
            if code not in known:
                return f"the cell {_shown(cell)} is not in the notebook as the run took it"
        expected = known[known.index(codes[0]) :] if codes else []
        for i, (cell, code) in enumerate(zip(executed, codes, strict=True)):
            if i >= len(expected) or code != expected[i]:
                if code in codes[:i]:
                    return f"the cell {_shown(cell)} ran twice"
                return f"the cell {_shown(self._cells[known.index(expected[i])])} did not run in its turn"
        return ""


def _history(namespace: dict[str, Any]) -> list[str] | None:
    """The sources of the cells that the kernel of this process has executed in ``namespace``, the one that is running
    included; a list that grows. None outside a kernel."""
    shell = machine.shell()
    if shell is None or shell.user_ns is not namespace:
        return None
    history = shell.history_manager.input_hist_parsed
    return history if len(history) > 1 else None


def _parses(cell: str) -> bool:
    try:
        closure.code_hash([cell])
    except (SyntaxError, ValueError):
        return False
    return True


def _does_nothing(cell: str) -> bool:
    """Whether a cell holds comments and texts only."""
    return _parses(cell) and closure.code_hash([cell]) == closure.code_hash([""])


def _shown(cell: str) -> str:
    """The first line of code of a cell."""
    lines = [line.strip() for line in cell.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    line = lines[0] if lines else cell.strip()
    return f"`{line if len(line) <= 60 else line[:59] + '…'}`"
