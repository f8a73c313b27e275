"""How papermill executes a notebook here: shown line by line in the terminal, and ended by an interrupt."""

from __future__ import annotations

import logging
from typing import Any

from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.log import logger

from paperlib.lab.screen import Screen

NAME = "paperlib"


def _not_of_a_dead_kernel(record: logging.LogRecord) -> bool:
    if record.exc_info and isinstance(record.exc_info[1], DeadKernelError):
        return False
    return not record.getMessage().startswith("Kernel died")


# What nbclient had under way when its kernel ended nobody asks for any more, be it a task of asyncio's or its own
# look whether the kernel lives; that a kernel died is told by who runs the notebook.
for _log in (logging.getLogger("asyncio"), logger):
    _log.addFilter(_not_of_a_dead_kernel)


class _Client(PapermillNotebookClient):
    """papermill's client, whose outputs go to a :class:`Screen`."""

    def __init__(self, nb_man: Any, **options: Any) -> None:
        super().__init__(nb_man, **options)
        self._screen = Screen()

    def log_output_message(self, output: Any) -> None:
        """Show one output."""
        self._screen.show(output)

    async def _async_cleanup_kernel(self) -> None:
        try:
            await super()._async_cleanup_kernel()
        finally:
            # nbclient may look whether the kernel lives only when it has let go of it, and then waits for ever for a
            # reply of the kernel that it ended
            waiting = getattr(self, "task_poll_for_reply", None)
            if waiting is not None and not waiting.done():
                waiting.cancel()

    def execute(self, **options: Any) -> Any:
        """Execute the notebook. Raises KeyboardInterrupt where the user or the system ends it."""
        try:
            return super().execute(**options)
        except BaseException as error:
            # nbclient answers the signal by ending the kernel, and then finds that its kernel died
            if getattr(self, "_async_cleanup_kernel_future", None) is not None:
                raise KeyboardInterrupt from error
            raise
        finally:
            self._screen.flush()


class Engine(NBClientEngine):
    """papermill's engine with this client."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, start_timeout: int = 60, **options: Any) -> Any:
        """Execute the notebook that ``nb_man`` manages in a kernel of its own."""
        options = {name: value for name, value in options.items() if name in ("log_output", "extra_arguments")}
        client = _Client(nb_man, kernel_name=kernel_name, startup_timeout=start_timeout, log=logger, **options)
        return client.execute()


papermill_engines.register(NAME, Engine)
