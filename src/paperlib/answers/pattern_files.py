"""Files of measured patterns in, answers out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from paperlib.answers.answer import Answer, Asker, ask
from paperlib.datasets.measured import read_pattern


@dataclass(frozen=True)
class Failed:
    """A file that there is no answer about."""

    file: str
    error: str
    """The reason and the remedy; it names the file."""


def ask_files(
    asker: Asker,
    files: Sequence[str | Path],
    wavelength: float | None = None,
    radiation: str | None = None,
    cell: np.ndarray | None = None,
    failed: Callable[[Failed], None] = lambda _failed: None,
    name_of: Callable[[str | Path], str] = str,
) -> list[Answer | Failed]:
    """The answer about each of ``files``, in order, or why there is none: one bad file does not end the others.

    ``wavelength`` in Å and ``radiation`` ("xray" or "neutron") hold for all of them, see
    :func:`paperlib.datasets.measured.read_pattern`; ``cell`` (6,) as for :func:`paperlib.answers.answer.ask`. A file
    that failed is told to ``failed`` at once. ``name_of`` gives the name of a file in its answer.
    """
    from paperlib.lab.progress import progress  # here, since a web page has no tqdm

    def answers() -> Iterator[Answer | Failed]:
        for file in progress(files, total=len(files), desc="patterns", unit="files"):
            path = Path(file).expanduser()
            try:
                yield ask(asker, read_pattern(path, wavelength, radiation), name_of(file), cell)
            except (OSError, ValueError) as error:
                says = str(error)
                bad = Failed(name_of(file), says if path.name in says else f"{file}: {says}")
                failed(bad)
                yield bad

    return list(answers())
