"""Crystals from their public homes: the Crystallography Open Database and the Materials Project.

The functions go on where an earlier call stopped and name the ids that they could not get, so that a published list
of ids is enough to build the same set again.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from paperlib.crystals.reading.loading import Skipped
from paperlib.lab.asking import Manners, RefusedError, answer
from paperlib.lab.download import download
from paperlib.lab.fetch import mirrored
from paperlib.lab.progress import progress
from paperlib.lab.store import atomic_path, sha256_of

COD = "https://www.crystallography.net/cod"

RETRIES = 3
"""Further attempts after a time-out or an error of the server; a missing file is not asked for again."""

PATIENCE = 3
"""Ids that may be refused one after the other before the whole is given up."""

_MP_FIELDS = ["material_id", "formula_pretty", "structure", "symmetry", "energy_above_hull", "theoretical"]


@dataclass(frozen=True)
class Downloaded:
    """Where the crystals are and what became of each id."""

    path: Path
    fetched: tuple[str, ...]
    already_there: tuple[str, ...]
    failed: tuple[Skipped, ...]


def cod_ids(query: Mapping[str, str], base_url: str = "", manners: Manners | None = None) -> list[str]:
    """The ids of the COD entries that a query of its REST interface finds, in its order.

    ``query`` holds the parameters that the COD documents: ``el1`` … ``el8`` (elements that are there), ``nel1`` …
    (that are not), ``strictmin``, ``strictmax`` (numbers of elements), ``text``, ``formula``, ``vmin``, ``vmax`` (Å³),
    ``year`` and others. Raises ValueError for an empty query and for an answer that is no table of entries,
    FileNotFoundError and ConnectionError as :func:`paperlib.lab.asking.answer` does.
    """
    if not query:
        raise ValueError("say what to look for, as el1=Na strictmax=2: no query finds half a million entries")
    words = {name: value for name, value in query.items() if name != "format"}
    url = f"{base_url.rstrip('/') or mirrored(COD)}/result?{urlencode({'format': 'csv', **words})}"
    remedy = f"Without a network: make a list of COD ids at {COD} and give it as a file"
    text = answer(url, manners, remedy).decode("utf-8", errors="replace")
    rows = csv.DictReader(text.splitlines())
    if "file" not in (rows.fieldnames or ()):
        raise ValueError(f"{url} did not answer with a table of entries but with {text[:60]!r}")
    return [row["file"].strip() for row in rows if row["file"]]


def cod_cifs(
    ids: Iterable[int | str],
    folder: str | Path,
    base_url: str = "",
    manners: Manners | None = None,
) -> Downloaded:
    """One CIF per COD id (seven digits) into ``folder/<id>.cif``, for :func:`paperlib.crystals.sources.read_cifs`.

    Complete files that are already there, with the SHA-256 that ``SHA256SUMS`` beside them has, are kept. Ids that are
    not COD ids, that the server does not have or refuses, or whose answer is not a CIF are reported in ``failed`` and
    leave no file. ``base_url`` may be a mirror or a ``file://`` folder, ``manners`` another rate than one request a
    second. The COD is in the public domain (CC0; Gražulis et al. 2012, doi:10.1093/nar/gkr900). Raises ConnectionError
    where the server itself cannot be reached, or refuses several ids one after the other: run the same call again
    later.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    base_url, manners = base_url.rstrip("/") or mirrored(COD), manners or Manners(retries=RETRIES)
    wanted = list(dict.fromkeys(str(identifier).strip() for identifier in ids))
    valid = [identifier for identifier in wanted if re.fullmatch(r"[1-9]\d{6}", identifier)]
    failed = [Skipped(i, "not a COD id", "seven digits are expected") for i in wanted if i not in set(valid)]
    fetched, already_there, refused = [], [], 0
    sums = _Sums(folder / "SHA256SUMS")
    for identifier in progress(valid, unit="files", desc="COD"):
        file = folder / f"{identifier}.cif"
        if file.is_file() and _is_cif(file) and sums.agree(file):
            already_there.append(identifier)
            continue
        try:
            download(f"{base_url}/{file.name}", file, manners=manners)
        except FileNotFoundError as error:
            failed.append(Skipped(identifier, "not on the server", str(error)))
            file.unlink(missing_ok=True)
            continue
        except ConnectionError as error:
            refused = refused + 1 if isinstance(error, RefusedError) else PATIENCE
            if refused >= PATIENCE:
                raise ConnectionError(
                    f"{base_url} does not answer for {identifier} ({error}); the {len(fetched)} files fetched so far "
                    "are kept: run the same call again later"
                ) from error
            failed.append(Skipped(identifier, "refused by the server", str(error)))
            continue
        refused = 0
        if _is_cif(file):
            sums.add(file)
            fetched.append(identifier)
        else:
            failed.append(Skipped(identifier, "answer is not a CIF", file.read_text(errors="replace")[:60]))
            file.unlink()
    return Downloaded(folder, tuple(fetched), tuple(already_there), tuple(failed))


class _Sums:
    """Checksums of the files of a folder, in the format of sha256sum: a line for each, the last one counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        self._known = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}

    def agree(self, file: Path) -> bool:
        """Whether a file is as it was recorded; one that is not recorded, put there by hand, is recorded now."""
        if file.name not in self._known:
            self.add(file)
        return self._known[file.name] == sha256_of(file)

    def add(self, file: Path) -> None:
        """Record a file."""
        self._known[file.name] = sha256_of(file)
        with open(self._path, "a", encoding="utf-8") as sums:
            sums.write(f"{self._known[file.name]}  {file.name}\n")


def _is_cif(file: Path) -> bool:
    return re.search(rb"^\s*data_", file.read_bytes(), flags=re.MULTILINE | re.IGNORECASE) is not None


def materials_project(
    ids: Iterable[str],
    api_key: str,
    out_path: str | Path,
    client: Any = None,
    batch: int = 1000,
) -> Downloaded:
    """Materials Project structures by id, as the JSON lines that :func:`paperlib.crystals.sources.read_jsonl` reads.

    ``out_path`` ends in ``.jsonl`` or ``.jsonl.gz``. Ids that it holds already are not asked for again; the file is
    written whole after each batch, in the order of ``ids`` (entries of other ids are dropped). ``api_key`` is the
    user's own (https://materialsproject.org/api); ``client`` replaces ``mp_api.client.MPRester(api_key)``. The
    declared space group, ``sg_given``, is the one of the Materials Project (symprec 0.1). Data: CC BY 4.0 (Jain et al.
    2013, doi:10.1063/1.4812323). Raises ImportError where mp-api is needed and missing, ValueError for an empty key
    or another suffix.
    """
    out_path = Path(out_path)
    if not out_path.name.endswith((".jsonl", ".jsonl.gz")):
        raise ValueError(f"the file name must end in .jsonl or .jsonl.gz; got {out_path}")
    wanted = list(dict.fromkeys(str(identifier).strip() for identifier in ids))
    known = {entry["id"]: entry for entry in _entries(out_path)}
    already_there = tuple(identifier for identifier in wanted if identifier in known)
    missing = [identifier for identifier in wanted if identifier not in known]
    if missing and client is None:
        client = _mp_client(api_key)
    fetched: list[str] = []
    for start in progress(range(0, len(missing), batch), unit="batches", desc="Materials Project"):
        chunk = missing[start : start + batch]
        for document in client.materials.summary.search(material_ids=chunk, fields=_MP_FIELDS):
            entry = _mp_entry(document)
            known[entry["id"]] = entry
            fetched.append(entry["id"])
        _write_entries(out_path, [known[identifier] for identifier in wanted if identifier in known])
    failed = tuple(
        Skipped(i, "not in the Materials Project", "unknown or retired id") for i in missing if i not in known
    )
    return Downloaded(out_path, tuple(fetched), already_there, failed)


def _mp_client(api_key: str) -> Any:
    if not api_key:
        raise ValueError("no key; get one at https://materialsproject.org/api and pass it, or set MP_API_KEY")
    try:
        from mp_api.client import MPRester
    except ImportError as error:
        raise ImportError(
            "downloading from the Materials Project needs mp-api: pip install mp-api (the extra `mp` of this project)"
        ) from error
    return MPRester(api_key)


def _mp_entry(document: Any) -> dict[str, Any]:
    structure = document.structure
    entry = {
        "source": "materials_project",
        "id": str(document.material_id),
        "formula": document.formula_pretty,
        "lattice": structure.lattice.matrix.round(6).tolist(),
        "frac": structure.frac_coords.round(6).tolist(),
        "nat": len(structure),
        "sg_given": int(document.symmetry.number),
        "e_hull": document.energy_above_hull,
        "theoretical": document.theoretical,
    }
    if structure.is_ordered:
        return entry | {"el": [site.specie.symbol for site in structure]}
    return entry | {"occ": [dict(site.species.element_composition.get_el_amt_dict()) for site in structure]}


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
        yield from map(json.loads, text.splitlines())
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}); delete it and run the same call again") from error


def _write_entries(path: Path, entries: Sequence[dict[str, Any]]) -> None:
    content = "".join(json.dumps(entry) + "\n" for entry in entries).encode("utf-8")
    with atomic_path(path) as partial:
        # mtime 0: the same entries give the same bytes.
        partial.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
