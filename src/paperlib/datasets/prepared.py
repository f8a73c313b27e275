"""Crystals read and patterns computed once, and kept for every notebook that wants the same.

Reading 30,000 structures and simulating them takes minutes, and is a function of the data file, the
arguments and the code. Its checksum names a file under ``data/work/cache``; change any of the three and
another file is made. Nothing here is a result: delete the folder and it comes back.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.reading.loading import Loaded, Skipped
from paperlib.crystals.sources import load_crystals
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.simulate import powder_patterns, validate
from paperlib.lab import paths, provenance
from paperlib.lab.store import atomic_path, read_json, sha256_of_text, write_json

BATCH = 2048
"""Crystals simulated per call; each call bounds its own memory, this only paces the progress bar."""


@dataclass(frozen=True)
class Prepared:
    """Crystals with their patterns, row by row."""

    crystals: CrystalSet
    patterns: np.ndarray
    """(n, n_points) float32, maximum 1; memory-mapped."""
    dropped: tuple[Skipped, ...]
    """Crystals without a pattern on this instrument, and why."""


def room_hash(*rooms: str) -> str:
    """Checksum of all modules of some rooms, docstrings left out."""
    folder = paths.root() / "src" / "paperlib"
    names = [f"paperlib.{room}.{p.stem}" for room in rooms for p in sorted((folder / room).glob("*.py"))]
    return sha256_of_text(*(part for name in names for part in (name, provenance.module_hash(name))))


def _cache(kind: str, *parts: str) -> Path:
    return paths.root() / "data" / "work" / "cache" / f"{kind}-{sha256_of_text(*parts)[:20]}"


def prepared_crystals(source: str, symprec: float = 0.01) -> Loaded:
    """The crystals of ``source`` (see :func:`paperlib.crystals.sources.load_crystals`), standardised, read
    from the cache where they have been read before. ``symprec`` is spglib's tolerance in Å."""
    path = Path(source)
    content = provenance.data_hash(path) if path.exists() else source
    folder = _cache("crystals", content, repr(symprec), room_hash("symmetry", "crystals"))
    if (folder / "about.json").is_file():
        about = read_json(folder / "about.json")
        skipped = tuple(Skipped(**entry) for entry in about["skipped"])
        declared = np.array(about["declared"], dtype=np.int64)
        return Loaded(CrystalSet.load(folder / "crystals.npz"), declared, skipped)
    loaded = load_crystals(source, symprec=symprec)
    loaded.crystals.save(folder / "crystals.npz")
    about = {"declared": [int(d) for d in loaded.declared_space_group]}
    about["skipped"] = [asdict(s) for s in loaded.skipped]
    write_json(folder / "about.json", about)  # last: its presence says that the folder is whole
    return loaded


def prepared_patterns(crystals: CrystalSet, instrument: Instrument, device: str = "cpu") -> Prepared:
    """The powder patterns of ``crystals`` on ``instrument``, from the cache where they have been computed.

    Crystals that have no pattern there are dropped and named, the rest goes on.
    """
    bad = dict(validate(crystals, instrument))
    dropped = tuple(Skipped(str(crystals.source_id[i]), reason) for i, reason in bad.items())
    if bad:
        crystals = crystals[np.array([i for i in range(len(crystals)) if i not in bad], dtype=np.int64)]
    physics = ("cell", "space_group", "standard", "site_start", "frac", "species", "occupancy", "b_iso")
    content = [_array_hash(getattr(crystals, name)) for name in physics]
    path = _cache("patterns", *content, repr(instrument), room_hash("symmetry", "diffraction")).with_suffix(".npy")
    if not path.is_file():
        with atomic_path(path) as partial:
            shape = (len(crystals), instrument.n_points)
            out = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float32, shape=shape)
            _take_space(partial)
            for start in tqdm(range(0, len(crystals), BATCH), desc="patterns"):
                part = powder_patterns(crystals[start : start + BATCH], instrument, device=device)
                out[start : start + len(part)] = part.cpu().numpy()
            out.flush()
            del out
    return Prepared(crystals, np.load(path, mmap_mode="r"), dropped)


def _take_space(path: Path) -> None:
    """Make the disk set aside all of a file with holes, or raise OSError: a disk that fills up while a memory-mapped
    file is written to kills the process instead."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _array_hash(array: np.ndarray) -> str:
    digest = hashlib.sha256(repr((array.shape, array.dtype.str)).encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
