"""Crystals as JSON lines: one object a line."""

from __future__ import annotations

import gzip
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from paperlib.crystals.reading.archives import DAMAGED, Entry
from paperlib.crystals.reading.loading import Skipped
from paperlib.crystals.species import species_code
from paperlib.crystals.standardise import BadCrystalError, Sites

MAX_LINE = 8 * 2**20
"""Bytes of one line. The largest of the 41,491 lines at hand has 0.03 MiB; Python takes twenty times the size of the
text in memory where it is all brackets."""

_DIGITS = re.compile(r"\s*-?[0-9]{1,18}\s*", re.ASCII)


def lines(path: Path) -> Iterator[Entry]:
    """The lines of a file, named by their numbers; a line that is too long and a file that is cut come as
    :class:`Skipped`. Raises ValueError where it cannot be unpacked at all."""
    number = 0
    with gzip.open(path) if path.name.lower().endswith(".gz") else open(path, "rb") as file:
        try:
            while line := file.readline(MAX_LINE + 1):
                number += 1
                name = f"{path.name}:{number}"
                if len(line) > MAX_LINE:
                    while line and not line.endswith(b"\n"):
                        line = file.readline(MAX_LINE)
                    yield name, Skipped(name, "entry too large", f"more than {MAX_LINE / 2**20:.3g} MiB in one line")
                elif line.strip():
                    yield name, line
        except Exception as error:  # gzip, zlib and the disk
            if not number:
                detail = f"{path} is not a complete gzip file ({error}); download or pack it again"
                raise ValueError(detail) from error
            detail = f"{error} after {number} lines; what follows is not read. Download or pack it again"
            yield path.name, Skipped(path.name, DAMAGED, detail)


def json_line(name: str, line: bytes) -> Iterator[Sites | BadCrystalError]:
    """The crystal of one line, see :func:`paperlib.crystals.sources.read_jsonl`, or why there is none."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        yield BadCrystalError(name, "not valid JSON", str(error))
        return
    try:
        name = _identifier(entry["id"])
        lattice, frac = (_array(entry, field) for field in ("lattice", "frac"))
        listed = entry["occ"] if "occ" in entry else [{symbol: 1.0} for symbol in entry["el"]]
        mixtures = [dict(zip(site, map(float, _numbers("occ", site.values())), strict=True)) for site in listed]
        declared = _group(entry)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        detail = f"no field {error}" if isinstance(error, KeyError) else str(error)
        yield BadCrystalError(name, "field missing or of another kind", detail)
        return
    try:
        occupants = [{species_code(symbol): amount for symbol, amount in site.items()} for site in mixtures]
    except (ValueError, TypeError) as error:
        yield BadCrystalError(name, "unknown element", str(error))
        return
    yield Sites(name, lattice, frac, occupants, declared_space_group=declared)


def _identifier(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TypeError(f"id is {_short(value)}, not a text")
    return str(value)


def _numbers(field: str, values: Iterable[Any]) -> list[float]:
    """Numbers only: a text such as "50%" or "0,5" may mean anything, true and null are no numbers."""
    values = list(values)
    wrong = next((value for value in values if type(value) not in (int, float)), None)
    if wrong is not None or None in values:
        raise TypeError(f"{field} holds {_short(wrong)} where a number should be")
    return values


def _array(entry: dict[str, Any], field: str) -> np.ndarray:
    rows = entry[field]
    _numbers(field, itertools.chain.from_iterable(rows))
    return np.array(rows, dtype=np.float64)


def _group(entry: dict[str, Any]) -> int:
    """The declared number, as a number or its digits, 0 where there is none. Out of range it goes on as it is: loading
    says so."""
    for field in ("sg_given", "sg_0.01"):
        value = entry.get(field)
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            value = int(value)
        if value is not None and value != 0:
            if type(value) not in (int, float) or value != value // 1:
                raise TypeError(f"{field} is {_short(value)}, not a whole number")
            return int(value)
    return 0


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
