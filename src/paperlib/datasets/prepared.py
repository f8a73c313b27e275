"""Crystals read, patterns computed and duplicates found once, and kept for every notebook that wants the same.

Reading 30,000 structures and simulating them takes minutes. These are stages (:mod:`paperlib.lab.stages`): found by the
content of what goes in, under ``data/work/stages``. Nothing here is a result: delete the folder and it comes back.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.sources import Loaded, Remark, Skipped, load_crystals
from paperlib.datasets.duplicates import find_duplicates, named
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.simulate import powder_patterns, validate
from paperlib.lab import provenance
from paperlib.lab.display import counted, one_line
from paperlib.lab.progress import progress
from paperlib.lab.stages import Items, Stage, made
from paperlib.lab.store import atomic_path, read_json, write_arrays, write_json

CRYSTALS = Stage("crystals", 2, "paperlib.crystals.sources")
"""The crystals of a source, standardised."""
PATTERNS = Stage("patterns", 1, "paperlib.diffraction.simulate")
"""Ideal powder patterns of crystals."""
DUPLICATES = Stage("duplicates", 1, "paperlib.datasets.duplicates")
"""Groups of entries that a rule takes for one crystal."""

BATCH = 2048
"""Crystals simulated per call; each call bounds its own memory, this only paces the progress bar."""
TOLERANCE = 1e-5
"""Share of its maximum within which a pattern that is computed again is the same."""

_GRID = 982451.653
"""Numbers are compared after rounding to this many steps per unit (a millionth of an Å, say). An odd number of steps
keeps the edges of rounding away from the fractions that crystallographers write."""
_PHYSICS = ("cell", "frac", "occupancy", "b_iso")
_WHOLE = ("space_group", "standard", "species")


@dataclass(frozen=True)
class Prepared:
    """Crystals with their patterns, row by row."""

    crystals: CrystalSet
    patterns: np.ndarray
    """(n, n_points) float32, maximum 1; memory-mapped."""
    dropped: tuple[Skipped, ...]
    """Crystals without a pattern on this instrument, and why."""
    instrument: Instrument
    digests: np.ndarray
    """(n,) what each crystal is, see :func:`item_digests`."""
    path: Path
    """The file that the patterns are mapped from."""

    def __repr__(self) -> str:
        patterns = f"patterns of {counted(len(self.patterns), 'crystal')}, {self.instrument.n_points:,} points"
        return one_line("Prepared", patterns, f"{len(self.dropped):,} dropped")

    def _repr_html_(self) -> str:
        return f"<p>{repr(self)[1:-1]}</p>{self.crystals._repr_html_()}"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"patterns": None}  # another process maps the file

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state | {"patterns": np.load(state["path"], mmap_mode="r")})

    def recipe(self, rows: np.ndarray) -> dict[str, Any]:
        """What the patterns of ``rows`` are, in this order, in plain values: crystals, instrument and version of the
        simulation. The same on every machine, where the last digits of the patterns may differ."""
        items = hashlib.sha256("".join(self.digests[rows].tolist()).encode()).hexdigest()
        return {"crystals": items, "instrument": repr(self.instrument), "version": PATTERNS.version}


def item_digests(crystals: CrystalSet) -> np.ndarray:
    """(n,) text: a checksum of each crystal's cell, space group, sites and displacements, numbers within 1e-6."""
    start = crystals.site_start
    # unknown displacements are simulated as 0, and so the crystal with and without them is one item
    crystals = replace(crystals, b_iso=np.nan_to_num(crystals.b_iso, nan=0.0))
    steps = {name: np.floor(getattr(crystals, name) * _GRID + 0.318) for name in _PHYSICS}
    whole = {name: np.asarray(getattr(crystals, name), dtype=np.int64) for name in _WHOLE}
    digests = []
    for i in range(len(crystals)):
        sites, digest = slice(int(start[i]), int(start[i + 1])), hashlib.sha256()
        for name, values in (steps | whole).items():
            part = values[i] if name in ("cell", "space_group", "standard") else values[sites]
            digest.update((np.asarray(part, dtype=np.float64) + 0.0).tobytes())  # + 0.0: there is one zero
        digests.append(digest.hexdigest()[:16])
    return np.array(digests, dtype=np.str_)


def prepared_crystals(source: str, symprec: float = 0.01) -> Loaded:
    """The crystals of ``source`` (see :func:`paperlib.crystals.sources.load_crystals`), standardised, as they were
    read before where the content of the source is the same. ``symprec`` is spglib's tolerance in Å."""
    path = Path(source)
    if path.exists():
        inputs = {"source": provenance.data_hash(path)}
    else:
        inputs = {"source": source, "pymatgen": importlib.metadata.version("pymatgen")}

    def make(folder: Path) -> Items:
        loaded = load_crystals(source, symprec=symprec)
        loaded.crystals.save(folder / "crystals.npz")
        about: dict[str, Any] = {"declared": [int(d) for d in loaded.declared_space_group]}
        about |= {name: [asdict(entry) for entry in getattr(loaded, name)] for name in ("skipped", "remarks")}
        write_json(folder / "about.json", about)
        return Items(loaded.crystals.source_id.astype(np.str_), item_digests(loaded.crystals))

    folder = made(CRYSTALS, {"symprec": symprec}, inputs, make, same=_same_reading).folder
    about = read_json(folder / "about.json")
    skipped = tuple(Skipped(**entry) for entry in about["skipped"])
    remarks = tuple(Remark(**entry) for entry in about.get("remarks", []))
    declared = np.array(about["declared"], dtype=np.int64)
    return Loaded(CrystalSet.load(folder / "crystals.npz"), declared, skipped, remarks)


def prepared_patterns(crystals: CrystalSet, instrument: Instrument, device: str = "cpu") -> Prepared:
    """The powder patterns of ``crystals`` on ``instrument``, as they were computed before where both are the same.

    Crystals that have no pattern there are dropped and named, the rest goes on.
    """
    bad = dict(validate(crystals, instrument))
    dropped = tuple(Skipped(str(crystals.source_id[i]), reason) for i, reason in bad.items())
    if bad:
        crystals = crystals[np.array([i for i in range(len(crystals)) if i not in bad], dtype=np.int64)]
    digests = item_digests(crystals)

    def make(folder: Path) -> Items:
        with atomic_path(folder / "patterns.npy") as partial:
            shape = (len(crystals), instrument.n_points)
            out = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float32, shape=shape)
            _take_space(partial)
            for start in progress(range(0, len(crystals), BATCH), desc="patterns", unit="batches"):
                part = powder_patterns(crystals[start : start + BATCH], instrument, device=device)
                out[start : start + len(part)] = part.cpu().numpy()
            out.flush()
            del out
        return Items(crystals.source_id.astype(np.str_), digests)

    inputs = {"crystals": hashlib.sha256("".join(digests.tolist()).encode()).hexdigest()}
    folder = made(PATTERNS, {"instrument": repr(instrument)}, inputs, make, same=_same_patterns).folder
    path = folder / "patterns.npy"
    return Prepared(crystals, np.load(path, mmap_mode="r"), dropped, instrument, digests, path)


def prepared_groups(
    crystals: CrystalSet, rule: str, client: Any = None, **tolerances: float
) -> tuple[np.ndarray, float]:
    """The groups (n,) of :func:`paperlib.datasets.duplicates.find_duplicates`, as they were found before for the same
    crystals, rule and tolerances; and how many seconds that took."""

    def make(folder: Path) -> Items:
        groups = find_duplicates(crystals, rule, client=client, **tolerances)
        write_arrays(folder / "groups.npz", {"groups": groups})
        ids = crystals.source_id.astype(np.str_)
        return Items(ids, named(groups, ids))

    what = [*item_digests(crystals).tolist(), *crystals.source_id.tolist(), *crystals.formula.tolist()]
    inputs = {"crystals": hashlib.sha256("\n".join(map(str, what)).encode()).hexdigest()}
    artefact = made(DUPLICATES, {"rule": rule, **tolerances}, inputs, make)
    with np.load(artefact.folder / "groups.npz") as archive:
        return archive["groups"], artefact.seconds


def _same_reading(old: Path, new: Path) -> np.ndarray:
    """(n,) bool: which crystals of two folders are the same and have the same remarks. What is kept is replaced where
    a reader has more to say; the digests, by which all else is found, stay."""
    digests, remarks = [], []
    for folder in (old, new):
        with np.load(folder / "items.npz") as archive:
            names, folder_digests = archive["names"], archive["digests"]
        digests.append(folder_digests)
        said = read_json(folder / "about.json").get("remarks", [])
        remarks.append({(entry["name"], entry["kind"], entry["detail"]) for entry in said})
    changed = {name for name, _, _ in remarks[0] ^ remarks[1]}
    return (digests[0] == digests[1]) & np.array([name not in changed for name in names.tolist()], dtype=bool)


def _same_patterns(old: Path, new: Path) -> np.ndarray:
    """(n,) bool: which patterns of two folders agree within :data:`TOLERANCE`; their maximum is 1."""
    before, now = (np.load(folder / "patterns.npy", mmap_mode="r") for folder in (old, new))
    parts = [slice(start, start + BATCH) for start in range(0, len(now), BATCH)]
    return np.concatenate([np.abs(before[part] - now[part]).max(axis=1) <= TOLERANCE for part in parts])


def _take_space(path: Path) -> None:
    """Make the disk set aside all of a file with holes, or raise OSError: a disk that fills up while a memory-mapped
    file is written to kills the process instead."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
