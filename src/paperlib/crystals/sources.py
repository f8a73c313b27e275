"""Real crystals: the embedded prototype library, CIFs, JSON lines, saved sets.

All readers return :class:`Loaded`: the crystals with the space group that they have, the space group that the source
declares, what was skipped and why, and remarks on what was read.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.reading.files import JSON_LINES
from paperlib.crystals.reading.loading import Loaded, Remark, Skipped, load_entries, repeated_ids
from paperlib.crystals.reading.opened import existing, open_source
from paperlib.crystals.species import species_code
from paperlib.crystals.standardise import Sites

__all__ = ["Loaded", "Remark", "Skipped", "load_crystals", "prototype_structures", "read_cifs", "read_jsonl"]


def load_crystals(
    source: str | Path, symprec: float = 0.01, standardise: bool = True, workers: int | None = None
) -> Loaded:
    """Crystals from ``"prototypes"``, or from a path: a folder or an archive of CIFs, one CIF, ``.jsonl`` or
    ``.jsonl.gz``, or an ``.npz`` that :meth:`CrystalSet.save` wrote (taken as it is).

    Raises FileNotFoundError or ValueError, naming the path and the remedy, where it cannot be read at all. One entry
    never ends the reading of the others.
    """
    if str(source) == "prototypes":
        return prototype_structures(symprec, standardise)
    path = existing(source)
    if path.suffix == ".npz":
        crystals = CrystalSet.load(path)
        remarks = repeated_ids(crystals.source_id.tolist())
        return Loaded(crystals, np.zeros(len(crystals), dtype=np.int16), remarks=tuple(remarks))
    return _read(path, symprec, standardise, workers)


def prototype_structures(symprec: float = 0.01, standardise: bool = True) -> Loaded:
    """The 288 real structures that pymatgen carries: the AFLOW library of crystallographic prototypes, part 1 (Mehl
    et al. 2017, doi:10.1016/j.commatsci.2017.01.017), with no file and no network.

    The declared space group is that of the AFLOW label, the source id the label (``AB_cF8_216_c_a``), numbered where
    several structures share it.
    """
    folders = importlib.util.find_spec("pymatgen.analysis").submodule_search_locations
    found = sorted(path for folder in folders for path in Path(folder).rglob("aflow_prototypes.json*"))
    if not found:
        raise FileNotFoundError("pymatgen has no aflow_prototypes.json here; install pymatgen >= 2025.1")
    content = found[0].read_bytes()
    entries = json.loads(gzip.decompress(content) if found[0].suffix == ".gz" else content)
    seen: Counter[str] = Counter()
    named = []
    for entry in entries:
        label = entry["tags"]["aflow"]
        seen[label] += 1
        named.append((label if seen[label] == 1 else f"{label}#{seen[label]}", entry))
    return load_entries(named, _prototype, symprec, standardise, workers=1, total=len(named))


def _prototype(name: str, entry: dict[str, Any]) -> Iterator[Sites]:
    sites = entry["snl"]["sites"]
    yield Sites(
        name=name,
        lattice=np.array(entry["snl"]["lattice"]["matrix"]),
        frac=np.array([site["abc"] for site in sites]),
        occupants=[{species_code(s["element"]): s["occu"] for s in site["species"]} for site in sites],
        declared_space_group=int(entry["tags"]["aflow"].split("_")[2]),
    )


def read_cifs(path: str | Path, symprec: float = 0.01, standardise: bool = True, workers: int | None = None) -> Loaded:
    """Crystals of all CIFs of a folder (with its subfolders), of a .zip, .tar, .tar.gz or .tgz archive, or of one file.

    Source ids are the paths within the folder or archive, without suffix; see
    :func:`paperlib.crystals.reading.cif.read_cif` for what is read of a file and
    :func:`paperlib.crystals.reading.loading.load_entries` for ``workers``. What is not read is among the skipped
    entries (a broken link, an archive in an archive, what is missing of a damaged one) or the remarks (the number of
    files that are no CIFs). Raises FileNotFoundError for a path that does not exist, ValueError for an archive of which
    nothing can be read and where there is no CIF.
    """
    path = existing(path)
    if path.name.lower().endswith(JSON_LINES) and not path.is_dir():
        raise ValueError(f"{path} holds JSON lines, not CIFs; read it with read_jsonl")
    return _read(path, symprec, standardise, workers)


def read_jsonl(path: str | Path, symprec: float = 0.01, standardise: bool = True, workers: int | None = None) -> Loaded:
    """Crystals of a file of JSON lines (``.gz`` too).

    Each line is an object with ``id``, ``lattice`` (3×3, Å), ``frac`` (k×3) and either ``el`` (k element symbols) or
    ``occ`` (k objects from element symbol to occupancy). The declared space group is ``sg_given``, else ``sg_0.01``.
    Raises FileNotFoundError for a path that does not exist, ValueError for another kind of file, an empty one and one
    of which nothing can be unpacked.
    """
    path = existing(path)
    if not path.name.lower().endswith(JSON_LINES) or path.is_dir():
        raise ValueError(f"{path} does not end in {' or '.join(JSON_LINES)}; rename it, or read it with load_crystals")
    return _read(path, symprec, standardise, workers)


def _read(path: Path, symprec: float, standardise: bool, workers: int | None) -> Loaded:
    opened = open_source(path)
    loaded = load_entries(opened.entries, opened.parse, symprec, standardise, workers, opened.total)
    if not len(loaded.crystals) and not loaded.skipped:
        raise ValueError(f"{path} holds {opened.nothing}")
    return loaded
