"""What nbclient says of a kernel that an interrupt ended stays unsaid; everything else that it says is shown."""

from __future__ import annotations

import logging

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
