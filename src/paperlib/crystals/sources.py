"""Real crystals: the embedded prototype library, CIFs, JSON lines, saved sets.

All readers return :class:`Loaded`: the crystals with the space group that they have, the space group that the source
declares, and what was skipped and why.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.reading.cif import read_cif
from paperlib.crystals.reading.loading import Loaded, Skipped, load_entries
from paperlib.crystals.species import species_code
from paperlib.crystals.standardise import BadCrystalError, Sites

__all__ = ["Loaded", "Skipped", "load_crystals", "prototype_structures", "read_cifs", "read_jsonl"]

_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile)
_ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar")
_CIFS = (".cif", ".cif.gz")
_JSON_LINES = (".jsonl", ".jsonl.gz")


def load_crystals(
    source: str | Path, symprec: float = 0.01, standardise: bool = True, workers: int | None = None
) -> Loaded:
    """Crystals from ``"prototypes"``, or from a path: a folder or an archive of CIFs, one CIF, ``.jsonl`` or
    ``.jsonl.gz``, or an ``.npz`` that :meth:`CrystalSet.save` wrote (taken as it is).

    Raises FileNotFoundError or ValueError, naming the path and the remedy, where it cannot be read at all.
    """
    if str(source) == "prototypes":
        return prototype_structures(symprec, standardise)
    path = Path(source)
    if path.suffix == ".npz":
        crystals = CrystalSet.load(_existing(path))
        return Loaded(crystals, np.zeros(len(crystals), dtype=np.int16))
    read = read_jsonl if path.name.endswith(_JSON_LINES) else read_cifs
    return read(path, symprec, standardise, workers)


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
    :func:`paperlib.crystals.reading.loading.load_entries` for ``workers``. Raises FileNotFoundError for a path that
    does not exist, ValueError for a damaged archive and where there is no CIF.
    """
    path = _existing(path)
    total = None
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file() and _is_cif(p.relative_to(path).as_posix()))
        entries: Iterable[tuple[str, bytes | Path]] = [(p.relative_to(path).as_posix(), p) for p in files]
        total = len(files)
    elif path.name.lower().endswith(_ARCHIVES):
        entries = _archived(path)
    elif _is_cif(path.name):
        entries = [(path.name, path)]
        total = 1
    else:
        raise ValueError(f"{path} is neither a folder, a CIF nor an archive ({', '.join(_ARCHIVES)}) of CIFs")
    loaded = load_entries(entries, _cif, symprec, standardise, workers, total)
    if not len(loaded.crystals) and not loaded.skipped:
        raise ValueError(f"{path} holds no file that ends in {' or '.join(_CIFS)}; put CIFs there or name another path")
    return loaded


def _is_cif(name: str) -> bool:
    """Whether a path inside a folder or archive is a CIF; macOS's shadow files (``._x.cif``) are not."""
    return name.lower().endswith(_CIFS) and not name.rsplit("/", 1)[-1].startswith("._")


def _cif(name: str, content: bytes | Path) -> Iterator[Sites | BadCrystalError]:
    stem = name[: name.lower().rindex(".cif")]
    try:
        data = content.read_bytes() if isinstance(content, Path) else content
        data = gzip.decompress(data) if name.lower().endswith(".gz") else data
    except (*_DAMAGE, OSError) as error:
        yield BadCrystalError(stem, "file cannot be read", str(error))
        return
    yield from read_cif(stem, data)


def _archived(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                for name in sorted(filter(_is_cif, archive.namelist())):
                    yield name, archive.read(name)
            return
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and _is_cif(member.name):
                    yield member.name.removeprefix("./"), archive.extractfile(member).read()
    except _DAMAGE as error:
        raise ValueError(f"{path} is not a complete archive ({error}); download or pack it again") from error


def read_jsonl(path: str | Path, symprec: float = 0.01, standardise: bool = True, workers: int | None = None) -> Loaded:
    """Crystals of a file of JSON lines (``.gz`` too).

    Each line is an object with ``id``, ``lattice`` (3×3, Å), ``frac`` (k×3) and either ``el`` (k element symbols) or
    ``occ`` (k objects from element symbol to occupancy). The declared space group is ``sg_given``, else ``sg_0.01``.
    Raises FileNotFoundError for a path that does not exist, ValueError for a damaged or empty file.
    """
    path = _existing(path)
    loaded = load_entries(_lines(path), _json_line, symprec, standardise, workers)
    if not len(loaded.crystals) and not loaded.skipped:
        raise ValueError(f"{path} holds no line; download or write it again")
    return loaded


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield f"{path.name}:{number}", line
    except _DAMAGE as error:
        raise ValueError(f"{path} is not a complete gzip file ({error}); download or pack it again") from error


def _json_line(name: str, line: bytes) -> Iterator[Sites | BadCrystalError]:
    try:
        entry = json.loads(line)
        name = str(entry["id"])
        listed = entry["occ"] if "occ" in entry else [{symbol: 1.0} for symbol in entry["el"]]
        mixtures = [{str(symbol): float(amount) for symbol, amount in site.items()} for site in listed]
        lattice, frac = np.array(entry["lattice"], dtype=float), np.array(entry["frac"], dtype=float)
        declared = int(entry.get("sg_given") or entry.get("sg_0.01") or 0)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        yield BadCrystalError(name, "not valid JSON", str(error))
        return
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield BadCrystalError(name, "field missing or of another kind", repr(error))
        return
    try:
        occupants = [{species_code(symbol): amount for symbol, amount in site.items()} for site in mixtures]
    except ValueError as error:
        yield BadCrystalError(name, "unknown element", str(error))
        return
    yield Sites(name, lattice, frac, occupants, declared_space_group=declared)


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; give a folder, an archive or a file of crystals")
    return path
