"""Measured patterns from their public homes, for a user's own work: RRUFF, opXRD, InformedXRD.

**RRUFF and InformedXRD hold patterns of this project's examination.** Part of RRUFF is kept for an examination that
nothing is tuned to (`paperlib.datasets.homes.patterns`); the archives of RRUFF, and the frozen sets of InformedXRD that
were chosen from it, hold that part too. They are brought for a user's own work: no notebook of the project reads them,
and what is tuned on them can no longer be examined with it. `patterns/rruff_open.npz` holds what is open.

Every download goes on where it broke off; what is there is checked and not asked for again. ``home`` is another address
in place of the public one (a mirror or a ``file://`` folder), ``manners`` another rate than one request a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from paperlib.datasets.homes import informedxrd, opxrd, rruff
from paperlib.datasets.homes.zips import LeftOut
from paperlib.datasets.measured_sets import LabelledPattern, collect
from paperlib.lab.asking import Manners
from paperlib.lab.download import kept
from paperlib.lab.fetch import mirrored
from paperlib.lab.progress import progress
from paperlib.lab.store import write_table

__all__ = ["Brought", "LeftOut", "bring_informedxrd", "bring_opxrd", "bring_rruff"]

RRUFF_PROFILES = ("XY_RAW", "XY_Processed")
"""Archives of RRUFF that hold whole patterns."""

RRUFF_OTHERS = ("DIF", "Refinement_Data", "Refinement_Output_Data", "Reference_PDF")
"""Archives of RRUFF that hold something else, of which the first is always brought: it states the space groups."""


@dataclass(frozen=True)
class Brought:
    """What came: files, or the set that was made of them, with the number of its patterns; and what was left out."""

    paths: tuple[Path, ...]
    patterns: int = 0
    left_out: tuple[LeftOut, ...] = ()


def bring_rruff(
    folder: str | Path,
    profile: str = "XY_RAW",
    more: Sequence[str] = (),
    home: str = "",
    manners: Manners | None = None,
) -> Brought:
    """The measured powder patterns of RRUFF as ``folder/XY_RAW.npz``, for
    :func:`paperlib.datasets.measured_sets.load_measured`; see the module's first lines on the examination.

    ``profile`` is XY_RAW or XY_Processed; ``more`` names other archives to bring as they are. Patterns that were
    calculated, and files that do not say, are left out and listed in ``XY_RAW.left_out.csv``. Space groups are those of
    the calculated lines that RRUFF gives for the same sample, 0 where there are none: a label of the mineral, not
    compared with the pattern. Wavelengths are those of the files, or the mean of Cu Kα. RRUFF states no checksums: the
    SHA-256 of what came is recorded. Cite Lafuente et al. (2015). Raises as :func:`paperlib.lab.download.kept` does,
    and ValueError for an unknown name or a damaged archive.
    """
    if profile not in RRUFF_PROFILES or (unknown := set(more) - {*RRUFF_PROFILES, *RRUFF_OTHERS}):
        wrong = profile if profile not in RRUFF_PROFILES else ", ".join(sorted(unknown))
        raise ValueError(f"RRUFF has no {wrong}; patterns are in {RRUFF_PROFILES}, the rest is {RRUFF_OTHERS}")
    folder, home, manners = Path(folder), home.rstrip("/") or mirrored(rruff.HOME), manners or Manners()
    archives = {
        name: kept(f"{home}/{name}.zip", folder / f"{name}.zip", manners=manners, what=f"{name}.zip")
        for name in dict.fromkeys([profile, "DIF", *more])
    }
    groups = rruff.space_groups_of(archives["DIF"])
    found = _made(rruff.measured(archives[profile], groups), folder / f"{profile}.npz")
    return Brought((*found.paths, *archives.values()), found.patterns, found.left_out)


def bring_opxrd(
    folder: str | Path,
    in_situ: bool = False,
    record: str = opxrd.RECORD,
    home: str = "",
    manners: Manners | None = None,
) -> Brought:
    """The patterns of opXRD as ``folder/opxrd.npz``, for :func:`paperlib.datasets.measured_sets.load_measured`.

    ``in_situ`` brings the series that were measured while a sample changed as well, as ``opxrd_in_situ.npz`` (most of
    the 92,552 patterns; some gigabytes of memory). ``record`` is a version at Zenodo, the newest by default; its answer
    is kept in ``record.json``, its MD5 is compared. Space groups are those of patterns with one phase, 0 otherwise;
    wavelengths are NaN where none is stated. CC BY 4.0; cite Hollarek et al. (2025). Raises as
    :func:`paperlib.lab.download.kept` does, FileNotFoundError where the record has no such file, and ValueError for a
    damaged archive.
    """
    folder, manners = Path(folder), manners or Manners()
    found = []
    for name in ("opxrd", "opxrd_in_situ")[: 1 + in_situ]:
        path = opxrd.archive(folder, f"{name}.zip", record, home, manners)
        found.append(_made(opxrd.measured(path), folder / f"{name}.npz"))
    paths = tuple(path for one in found for path in one.paths)
    return Brought(paths, sum(one.patterns for one in found), tuple(left for one in found for left in one.left_out))


def bring_informedxrd(
    folder: str | Path,
    revision: str = "main",
    only: str = "*",
    home: str = "",
    manners: Manners | None = None,
) -> Brought:
    """The files of InformedXRD's frozen sets RRUFF-325 and RRUFF-473, as they are; see the module's first lines on the
    examination, whose patterns they hold.

    ``revision`` is a branch or commit at Hugging Face, ``only`` a pattern of the paths that are wanted. Each file is
    compared with the checksum that is stated for it; one that is missing or wrong is reported, and the next is brought.
    Nothing is unpacked or read. Raises ConnectionError where the server does not answer (the next call goes on), and
    ValueError for an answer that is no listing.
    """
    came = list(informedxrd.files(Path(folder), revision, only, home, manners or Manners()))
    paths = tuple(item for item in came if isinstance(item, Path))
    return Brought(paths, 0, tuple(item for item in came if isinstance(item, LeftOut)))


def _made(items: Iterator[LabelledPattern | LeftOut], target: Path) -> Brought:
    """The set of the patterns, and beside it the table of what was left out."""
    left_out: list[LeftOut] = []

    def patterns() -> Iterable[LabelledPattern]:
        for item in progress(items, desc=target.stem, unit="files"):
            if isinstance(item, LeftOut):
                left_out.append(item)
            else:
                yield item

    made = collect(patterns())
    if not len(made):
        raise ValueError(
            f"no measured pattern for {target.name}: all {len(left_out)} files are left out, {left_out[:1]}"
        )
    made.save(target)
    write_table(target.with_name(f"{target.stem}.left_out.csv"), pd.DataFrame(left_out, columns=LeftOut._fields))
    return Brought((target,), len(made), tuple(left_out))
