"""The two large sets of structures, rebuilt entry by entry from the CIFs of their public homes.

Both are CIFs that pymatgen wrote. Space groups are spglib's, from the unrounded cell; coordinates are kept to six
decimals. Other versions of spglib or pymatgen than ``constraints.txt`` names can give other entries.
"""

from __future__ import annotations

import math
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import gemmi
import joblib
import numpy as np
import pandas as pd
import spglib

from paperlib.lab.progress import progress

Entry = dict[str, Any]
"""One line of a set: plain numbers, texts, lists."""

_NAME = re.compile(r"(?P<formula>.+)-MP-(?P<parent>(?:mp|mvc)-\d+)(?P<doped>-synth_doped)?\.cif")

COLUMNS: dict[str, dict[str, str | None]] = {
    "mpts_52_test": {
        "e_hull": "energy_above_hull",
        "theoretical": "theoretical",
        "year": "year",
        "sg_given": None,
    },
    "mp_20_biternary_test": {
        "e_hull": "e_above_hull",
        "theoretical": None,
        "year": None,
        "sg_given": "spacegroup.number",
    },
    "chemeleon_mp40_test": {"e_hull": "energy_above_hull", "sg_given": "space_group_number"},
}
"""Texts that are copied from a table: our name and the column, None where ours is null."""
COLUMNS["mpts_52_val"] = COLUMNS["mpts_52_test"]
COLUMNS["mp_20_biternary_val"] = COLUMNS["mp_20_biternary_test"]


def materials_project(tables: Mapping[str, Path], folders: Mapping[str, Path], tail_order: Path) -> Iterator[Entry]:
    """The union of ``tables`` (CSV with a column ``cif``) and ``folders`` (one CIF per id), by source.

    The first source that has an id keeps it. Order: the first four tables, then the folders in the order of
    ``tail_order`` (``source``, ``id``), then the last table. Raises ValueError where the ids of the folders are not
    those of ``tail_order``, which it names, and where a CIF cannot be read.
    """
    seen: set[str] = set()
    found: list[tuple[str, str, str, Entry]] = []

    def take(source: str, rows: Iterable[tuple[str, str, Entry]]) -> None:
        for identifier, cif, copied in rows:
            if identifier not in seen:
                seen.add(identifier)
                found.append((source, identifier, cif, copied))

    *first, last = tables
    for source in first:
        take(source, _rows(tables[source], COLUMNS[source]))
    start = len(found)
    for source, folder in folders.items():
        take(source, ((path.stem, path.read_text(encoding="utf-8"), {}) for path in sorted(folder.glob("*.cif"))))
    tail = {(source, identifier): (source, identifier, *rest) for source, identifier, *rest in found[start:]}
    order = list(pd.read_csv(tail_order).itertuples(index=False, name=None))
    if different := set(order) ^ tail.keys():
        some = ", ".join(f"{identifier} of {source}" for source, identifier in sorted(different)[:5])
        raise ValueError(f"{tail_order.name} and the folders differ in {len(different)} entries: {some}")
    found[start:] = [tail[key] for key in order]
    take(last, _rows(tables[last], COLUMNS[last]))
    return _in_parallel(_p1_entry, found, "structures")


def doped_superconductors(folder: Path) -> Iterator[Entry]:
    """The entries of 3DSC in the order of their file names. Raises ValueError for a name that cannot be read."""
    paths = sorted(folder.glob("*.cif"), key=lambda path: path.name.encode())
    return _in_parallel(_doped_entry, [(path,) for path in paths], "doped structures")


def _in_parallel(function: Any, calls: list[tuple], what: str) -> Iterator[Entry]:
    work = joblib.Parallel(n_jobs=-1, return_as="generator", batch_size=64)(
        joblib.delayed(function)(*call) for call in calls
    )
    return iter(progress(work, len(calls), what, "entries"))


def _rows(table: Path, columns: Mapping[str, str | None]) -> Iterator[tuple[str, str, Entry]]:
    names = ["material_id", "cif", *(column for column in columns.values() if column)]
    rows = pd.read_csv(table, usecols=names, dtype=str, keep_default_na=False)
    for row in rows.to_dict("records"):
        copied = {name: None if column is None else row[column] for name, column in columns.items()}
        yield row["material_id"], row["cif"], copied


def _p1_entry(source: str, identifier: str, cif: str, copied: Entry) -> Entry:
    """An entry from a CIF that lists every atom of the cell."""
    try:
        block = gemmi.cif.read_string(cif).sole_block()
        sites = block.find("_atom_site_", ["type_symbol", "fract_x", "fract_y", "fract_z"])
        elements = [row[0] for row in sites]
        fractions = np.array([[float(text) for text in (row[1], row[2], row[3])] for row in sites])
        lengths = [float(block.find_value(f"_cell_length_{axis}")) for axis in "abc"]
        angles = [float(block.find_value(f"_cell_angle_{angle}")) for angle in ("alpha", "beta", "gamma")]
    except (ValueError, RuntimeError, TypeError) as error:
        raise ValueError(f"{identifier} of {source}: the CIF cannot be read: {error}") from error
    lattice = lattice_vectors(*lengths, *angles)
    cell = (lattice, fractions, [gemmi.Element(element).atomic_number for element in elements])
    primitive = spglib.find_primitive(cell, symprec=0.01)
    return {
        **{"source": source, "id": identifier, "nat": len(elements), **copied, "formula": _formula(elements)},
        **_space_groups(cell),
        "vpa": round(abs(float(np.linalg.det(primitive[0]))) / len(primitive[2]), 4),
        "nprim": len(primitive[2]),
        "lattice": _rounded(lattice),
        "frac": _rounded(fractions),
        **{"el": elements, "mpid": identifier},
    }


def lattice_vectors(a: float, b: float, c: float, alpha: float, beta: float, gamma: float) -> np.ndarray:
    """The vectors of a cell (Å, degrees) as rows (3, 3): a along x, b in the xy plane, c with positive z."""
    cos_a, cos_b, cos_g = (math.cos(math.radians(angle)) for angle in (alpha, beta, gamma))
    sin_g = math.sin(math.radians(gamma))
    along_y = c * (cos_a - cos_b * cos_g) / sin_g
    along_z = math.sqrt(c**2 - (c * cos_b) ** 2 - along_y**2)
    return np.array([[a, 0.0, 0.0], [b * cos_g, b * sin_g, 0.0], [c * cos_b, along_y, along_z]])


def _doped_entry(path: Path) -> Entry:
    # imported here: pymatgen takes a second, and only this set wants it
    from pymatgen.core import Structure

    name = _NAME.fullmatch(path.name)
    if name is None:
        raise ValueError(f"{path}: expected a name like FORMULA-MP-mp-123[-synth_doped].cif")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        structure = Structure.from_file(path)
    amounts = [site.species.element_composition.get_el_amt_dict() for site in structure]
    occupancies = [{element: round(amount[element], 4) for element in sorted(amount)} for amount in amounts]
    kinds: dict[tuple, int] = {}
    types = [kinds.setdefault(tuple(occupancy.items()), len(kinds) + 1) for occupancy in occupancies]
    cell = (structure.lattice.matrix, structure.frac_coords, types)
    return {
        **{"source": "3dsc_sc", "id": path.stem, "formula": name["formula"], "parent": name["parent"]},
        **{"doped": name["doped"] is not None, "nat": len(structure), **_space_groups(cell)},
        **{"lattice": _rounded(cell[0]), "frac": _rounded(cell[1]), "occ": occupancies},
    }


def _space_groups(cell: tuple) -> Entry:
    found = {}
    for symprec in (0.01, 0.1):
        data = spglib.get_symmetry_dataset(cell, symprec=symprec)
        found[f"sg_{symprec}"] = None if data is None else int(data.number)
    return found


def _rounded(values: np.ndarray) -> list[list[float]]:
    return [[round(float(value), 6) for value in row] for row in values]


def _formula(elements: list[str]) -> str:
    counts = Counter(elements)
    divisor = reduce(math.gcd, counts.values())
    parts = ((element, counts[element] // divisor) for element in sorted(counts))
    return "".join(element + (str(count) if count > 1 else "") for element, count in parts)
