"""Where things lie, seen from the root of the repository."""

from __future__ import annotations

import os
from pathlib import Path

PROFILES = ("smoke", "laptop", "paper")
PACKAGE = Path(__file__).resolve().parents[1]
"""The folder of the library that is running. What is hashed is what was imported, never what stands elsewhere."""

CUSTOM = "custom"
"""Folder of runs whose parameters are not those of a profile; they are never published."""


def or_bigger(profile: str) -> tuple[str, ...]:
    """Profiles whose published results stand in for missing ones of ``profile``: its own and bigger ones. The smoke
    profile checks the wiring and takes nothing from elsewhere, and neither do runs that are called :data:`CUSTOM`."""
    return PROFILES[PROFILES.index(profile) :] if profile in PROFILES[1:] else (profile,)


def root() -> Path:
    """The root of the repository: ``PAPERLIB_ROOT``, or the nearest folder upwards from the working
    directory, or from this file, that holds ``pyproject.toml`` and ``notebooks``.

    Raises FileNotFoundError, with the remedy, where there is none.
    """
    if chosen := os.environ.get("PAPERLIB_ROOT"):
        return Path(chosen).resolve()
    for start in (Path.cwd(), Path(__file__).resolve()):
        for folder in (start, *start.parents):
            if (folder / "pyproject.toml").is_file() and (folder / "notebooks").is_dir():
                return folder
    raise FileNotFoundError(
        f"{Path.cwd()} is not inside a clone of the repository; go there, or set PAPERLIB_ROOT to it"
    )


VERIFY = "verify"
"""Folder of runs that only check published results."""
INTO = "PAPERLIB_INTO"
"""Environment variable: the folder under ``data/work`` that a run writes to, in place of its profile's."""


class MisplacedError(RuntimeError):
    """The library that is running is not the one of the repository that it works in."""


def check_installation() -> None:
    """Raise MisplacedError, with the remedy, where the imported library does not lie under the root.

    A copied or moved clone takes its environment along, whose library still is that of the first folder: it would
    run the code of one and say that it was the other's.
    """
    expected = root() / "src" / "paperlib"
    if expected.resolve() != PACKAGE:
        raise MisplacedError(
            f"this Python runs the library at {PACKAGE}, but the repository here is {root()}. Run `make install` there "
            "(a copied clone needs its own environment), or go to the clone that the library belongs to"
        )


def work(profile: str) -> Path:
    """``data/work/<profile>``: everything that runs of the profile write."""
    return root() / "data" / "work" / profile


def stages() -> Path:
    """``data/work/stages``: expensive work that all profiles share, found by what went in."""
    return root() / "data" / "work" / "stages"


def trainings() -> Path:
    """``data/work/trainings``: one folder per training, found by its identity."""
    return root() / "data" / "work" / "trainings"


def work_results(profile: str) -> Path:
    """Results of the runs of a profile, one folder per notebook stem."""
    return work(profile) / "results"


def work_executed(profile: str) -> Path:
    """Executed notebooks of a profile."""
    return work(profile) / "executed"


def published_results() -> Path:
    """``data/results``: the published results, one folder per notebook stem."""
    return root() / "data" / "results"


def notebook(stem: str) -> Path:
    """The notebook with this stem."""
    return root() / "notebooks" / f"{stem}.ipynb"


INTERACTIVE = frozenset({"21_explore"})
"""Stems of notebooks for the hand. They write no results, have no profiles, and nothing runs them but their reader."""


def stems() -> list[str]:
    """Stems of all notebooks with results in the order in which they run: by number, ``00_overview`` last."""
    found = sorted(path.stem for path in (root() / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    found = [stem for stem in found if stem not in INTERACTIVE]
    return sorted(found, key=lambda stem: (stem.startswith("00_"), stem))
