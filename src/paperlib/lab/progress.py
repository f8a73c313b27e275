"""Progress of long loops: a bar where somebody watches, a line every few seconds where a log is written."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable
from typing import Any

import tqdm.auto
import tqdm.std

from paperlib.lab import machine

SECONDS = 10.0
"""Time between two lines of a log."""

_LINE = re.compile(r"[^:]+: [\d,]+( of [\d,]+)? [^,]+, \d+ s")


def progress(
    iterable: Iterable[Any] | None = None, total: int | None = None, desc: str = "", unit: str = "items"
) -> tqdm.std.tqdm:
    """A loop over ``iterable`` (``total`` items, where that is known) that says how far it is.

    In a notebook that somebody runs by hand, and at a terminal, it is a bar of ``tqdm.auto``; under papermill and make,
    and wherever output goes to a file, a line such as "crystals: 12,288 of 30,587 entries, 41 s" every ten seconds,
    and none for what is done sooner. Without ``iterable`` it is a context manager, told by ``update(n)``.
    """
    bar = tqdm.auto.tqdm if _is_watched() else _Lines
    return bar(iterable, total=total, desc=desc, unit=f" {unit}")


def _kernel() -> Any:
    """The kernel of this process, None outside one."""
    return getattr(machine.shell(), "kernel", None)


def _is_watched() -> bool:
    if (kernel := _kernel()) is not None:
        # programs that execute notebooks say with each cell that nobody is there to answer a question
        return bool(getattr(kernel, "_allow_stdin", True))
    return sys.stderr.isatty()


def without_lines(text: str) -> str:
    """What a notebook printed, without the lines of this module and the blank ones they leave."""
    kept = [line for line in text.splitlines(keepends=True) if not _LINE.fullmatch(line.strip())]
    return "".join(kept) if any(line.strip() for line in kept) else ""


class _Lines(tqdm.std.tqdm):
    """Counts as tqdm does, and prints whole lines."""

    def __init__(self, iterable: Iterable[Any] | None = None, **options: Any) -> None:
        self._said = False
        # TQDM_DISABLE silences the bars of others, which would tear a log apart; these lines are what it has instead
        super().__init__(iterable, **options, disable=False, mininterval=SECONDS, maxinterval=math.inf, miniters=1)

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Print where the loop is; nothing at its start, nor at the end of one too short for a line."""
        seconds = self.format_dict["elapsed"]
        if self.n and (self._said or seconds >= SECONDS):
            of = f" of {self.total:,}" if self.total else ""
            line = f"{self.desc.rstrip(': ')}: {self.n:,}{of}{self.unit}, {seconds:.0f} s"
            # beside the answer of a command, which may go to a file, and not in red in a notebook
            print(line, file=sys.stdout if _kernel() else sys.stderr, flush=True)
            self._said = True
        return True

    def close(self) -> None:
        """The last line."""
        if not self.disable:
            self.disable = True
            self._instances.discard(self)
            self.display()
