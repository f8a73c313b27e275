"""What nbclient does with a kernel that an interrupt ended: nobody waits for it, and nothing more is said of it."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace

import nbformat
import pytest
from nbclient.exceptions import DeadKernelError
from papermill.log import logger

from paperlib.lab import engine


@pytest.mark.parametrize(
    ("name", "message", "error", "is_shown"),
    [
        ("asyncio", "Task exception was never retrieved", DeadKernelError("Kernel died"), False),
        ("asyncio", "Task exception was never retrieved", ValueError("a fault"), True),
        (logger.name, "Kernel died while waiting for execute reply.", None, False),
        (logger.name, "Timeout waiting for IOPub output", None, True),
    ],
)
def test_only_a_dead_kernel_goes_unsaid(caplog, name, message, error, is_shown):
    assert engine.NAME == "paperlib"
    logging.getLogger(name).error(message, exc_info=error)
    assert (message in caplog.text) == is_shown


def test_nobody_waits_for_a_reply_of_a_kernel_that_was_ended():
    async def nothing(**_options):
        return False

    async def end():
        book = SimpleNamespace(nb=nbformat.v4.new_notebook(), log=logger)
        client = engine._Client(book, kernel_name="python3", log=logger)
        client.km = SimpleNamespace(is_alive=nothing, cleanup_resources=nothing)
        client.task_poll_for_reply = asyncio.ensure_future(asyncio.Event().wait())
        await client._async_cleanup_kernel()
        await asyncio.wait([client.task_poll_for_reply], timeout=10)
        return client.task_poll_for_reply.cancelled()

    assert asyncio.run(end())
