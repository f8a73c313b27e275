"""Servers asked politely: at a steady rate, by name, again after what may pass, and never when they ask to be left."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests

AGENT = "paperlib (the paper 'Classifying Crystal Structure using Deep Learning'; python-requests)"
"""How servers are told who asks."""

LONGEST_WAIT = 600.0
"""Seconds: a server that asks to be left alone for longer is left alone, and the user is told."""

CHUNK = 2**16
"""Bytes that are taken at a time; of a line that breaks, at most so many are lost."""

_MISSING = (401, 403, 404, 410)
_MAY_PASS = (408, 425, 429, 500, 502, 503, 504)
_SAID = 5.0  # seconds: longer pauses are said
_ANSWER = 256 * 2**20
_T = TypeVar("_T")


class RefusedError(ConnectionError):
    """The server answered, but with an error that asking again did not cure."""


@dataclass
class Manners:
    """How a server is asked: at most ``rate`` requests a second (``math.inf``: as fast as it goes), and ``retries``
    more attempts after an error that may pass, the first after ``backoff`` seconds (or after the server's own
    Retry-After), each of the next after twice as long. ``timeout`` seconds without a byte are an error. One object is
    shared by all requests to a server. Raises ValueError for a rate that is not positive."""

    rate: float = 1.0
    retries: int = 4
    backoff: float = 1.0
    timeout: float = 60.0
    _last: float = field(default=-math.inf, repr=False)

    def __post_init__(self) -> None:
        if not self.rate > 0:
            raise ValueError(f"a rate is a positive number of requests a second; got {self.rate}")

    def wait(self) -> None:
        """Wait until the next request may be made."""
        time.sleep(max(0.0, self._last + 1 / self.rate - time.monotonic()))
        self._last = time.monotonic()


def answer(url: str, manners: Manners | None = None, remedy: str = "") -> bytes:
    """What a server says at ``url``, 256 MiB at most. Raises as :func:`download` does, with ``remedy`` in the message,
    and RefusedError for a longer answer."""
    manners = manners or Manners()
    if urlsplit(url).scheme == "file":
        path = Path(url2pathname(urlsplit(url).path))
        if not path.is_file():
            raise FileNotFoundError(f"there is no {url}")
        return path.read_bytes()

    def once() -> bytes:
        content = bytearray()
        with asked(url, manners) as response:
            response.raise_for_status()
            for chunk in response.iter_content(CHUNK):
                content += chunk
                if len(content) > _ANSWER:
                    raise RefusedError(f"{url} answers with more than {_ANSWER >> 20} MiB: not what was asked for")
        return bytes(content)

    return insist(url, manners, once, remedy)


@contextmanager
def asked(url: str, manners: Manners, **headers: str) -> Iterator[requests.Response]:
    """One request, made when its turn has come, whose content is still to be read. Raises what requests raises."""
    manners.wait()
    # identity: a part of a packed answer could not be gone on with
    headers = {"User-Agent": AGENT, "Accept-Encoding": "identity", **headers}
    with requests.get(url, stream=True, timeout=manners.timeout, headers=headers) as response:
        yield response


def insist(url: str, manners: Manners, once: Callable[[], _T], remedy: str, again: str = "run this again later") -> _T:
    """What ``once`` gives, tried as often as manners allow after errors of requests that may pass.

    Raises FileNotFoundError for what the server does not have, RefusedError after another of its errors, and
    ConnectionError where it does not answer; the message ends with ``remedy``, after ``again`` where that may help.
    """
    for attempt in range(1 + manners.retries):
        try:
            return once()
        except requests.exceptions.RequestException as error:
            last, status = error, None if error.response is None else error.response.status_code
        if status in _MISSING:
            raise FileNotFoundError(f"{url}: {why(last)}; the server no longer offers this file. {remedy}") from last
        asked_for = _retry_after(last.response)
        if asked_for > LONGEST_WAIT:
            again = f"it asks to wait {asked_for:,.0f} s; {again}"
        # an address that cannot be read is a ValueError too
        hopeless = isinstance(last, ValueError) or (status is not None and status not in _MAY_PASS)
        if hopeless or asked_for > LONGEST_WAIT or attempt == manners.retries:
            break
        pause = max(manners.backoff * 2**attempt, asked_for)
        if pause > _SAID:
            print(f"{urlsplit(url).netloc}: {why(last)}; trying again in {pause:.0f} s", file=sys.stderr, flush=True)
        time.sleep(pause)
    kind = ConnectionError if status is None else RefusedError
    raise kind(f"{url} does not answer ({why(last)}); {again}. {remedy}") from last


def _retry_after(response: requests.Response | None) -> float:
    """Seconds that the server asks to wait, by number or by date; 0 where it does not say."""
    text = "" if response is None else response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return 0.0


def why(error: requests.exceptions.RequestException) -> str:
    """What lies at the bottom of an error of the network, without the addresses and objects that wrap it."""
    if error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    return str(getattr(error.args[0] if error.args else None, "reason", error)).rpartition(": ")[2]
