"""Questions of the web page, answered by this library in the browser: bytes of a file in, one JSON text out.

Nothing here is computed otherwise than by ``paperlib classify``: the page calls what the command calls. Of what the
command needs, a browser lacks two compiled packages: geddes, without which the page reads fewer formats, and gemmi,
without which it reads no powder CIF (``page/python`` has what stands in for them).
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from paperlib.answers import written
from paperlib.answers.answer import INSTRUMENT, Answer, Asker, ask
from paperlib.answers.indexing import parse_cell
from paperlib.answers.network_input import is_measured
from paperlib.datasets.measured import MeasuredPattern, PatternError, read_pattern
from paperlib.datasets.patterns_read.beam import ASK
from paperlib.symmetry.groups import SPACE_GROUPS, symbol

ASK_ON_PAGE = "give it in the field above (Å; Cu Kα1 alone has 1.5406, Cu Kα1 and Kα2 together 1.5418)"
_DIGITS = 4


def facts(asker: Asker) -> str:
    """What the page says before any question, as JSON: what ``about`` says of the network, its limits, and the symbols
    of the space groups."""
    return _json(
        {
            "about": written.about(asker).split("\n"),
            "network": asker.network.name,
            "limits": list(asker.card.limits),
            "scores": dict(asker.card.scores),
            "symbols": {str(number): symbol(number) for number in SPACE_GROUPS},
        }
    )


def answered(
    asker: Asker, content: bytes, name: str, wavelength: float | None = None, radiation: str = "", cell: str = ""
) -> str:
    """What the network says about the ``content`` of a file called ``name``, as JSON: what
    :func:`paperlib.answers.written.as_object` has, with "shown", what is drawn; or "error", the reason and the remedy.

    ``wavelength`` in Å, ``radiation`` and ``cell``, six numbers in a text, are as for ``paperlib classify``; "" where
    nothing was given.
    """
    try:
        lengths = parse_cell(cell) if cell.strip() else None
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / (Path(name.replace("\\", "/")).name or "file")
            path.write_bytes(content)
            pattern = read_pattern(path, wavelength, radiation or None)
            answer = ask(asker, pattern, name, lengths)
    except PatternError as error:
        where = name if error.line is None else f"{name}, line {error.line}"
        return _json({"file": name, "error": f"{where}: {error.problem.replace(ASK, ASK_ON_PAGE)}"})
    except (OSError, ValueError, ImportError) as error:
        return _json({"file": name, "error": f"{name}: {error}"})
    return _json(written.as_object(answer) | {"shown": _shown(answer, pattern)})


def _shown(answer: Answer, pattern: MeasuredPattern) -> dict[str, Any]:
    """The pattern on the points of the instrument, None where nothing was measured, and what is said above it."""
    measured = is_measured(answer.pattern)
    return {
        "refuse_below": answer.refuse_below,
        "format": pattern.format,
        "radiation": pattern.radiation,
        "wavelength": pattern.wavelength,
        "second_wavelength": pattern.second_wavelength,
        "first": INSTRUMENT.two_theta[0],
        "step": INSTRUMENT.step,
        "drawn_at": INSTRUMENT.wavelength,
        "pattern": [
            round(float(y), _DIGITS) if seen else None for y, seen in zip(answer.pattern, measured, strict=True)
        ],
        "line_places": [one.line.two_theta for one in answer.lines],
    }


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)
