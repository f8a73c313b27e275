"""Work that waits until the hand rests: of many calls in a row only the last is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

WAIT = 0.3
"""Seconds without another call."""


class Later:
    """Does the work that it was last given, :data:`WAIT` seconds later; at once where no event loop runs."""

    def __init__(self) -> None:
        self._waiting: asyncio.TimerHandle | None = None

    def __call__(self, work: Callable[[], None]) -> None:
        """Do ``work`` later, in place of what was to be done."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            work()
            return
        self._waiting = loop.call_later(WAIT, work)
