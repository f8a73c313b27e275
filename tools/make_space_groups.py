"""Writes ``src/paperlib/symmetry/space_groups.npz``: the 230 space groups as flat arrays.

Run ``python tools/make_space_groups.py`` after a change here; a test regenerates the arrays and compares.
Operations and classes come from gemmi, symbols and Wyckoff positions from pyxtal; the two must agree on every
operation. Settings: unique axis b with cell choice 1, hexagonal axes for the R groups, origin choice 2.

All translations are integers over 24, the common denominator of every setting used here, so that systematic
absences and orbits are decided without rounding. The library itself reads only the file: it needs neither
gemmi nor pyxtal to know a space group.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import gemmi
import numpy as np
from pyxtal.symmetry import Group

from paperlib.lab.store import atomic_path

DESTINATION = Path(__file__).parents[1] / "src" / "paperlib" / "symmetry" / "space_groups.npz"
DENOMINATOR = 24
_PROBE_SCALE = 2741
_PROBE = np.array([7919, 15473, 27449])
"""A point in general position, in units of 1 / (24 * _PROBE_SCALE); that it is one shows in the orbit lengths,
which are compared with the multiplicities."""


def gemmi_operations(number: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3, 3) rotations and (n, 3) translations over 24 of one group, all centring vectors included.

    One operation of each coset of the lattice comes first, the identity at index 0; then the same again, in
    the same order, for every centring vector.
    """
    group = gemmi.get_spacegroup_reference_setting(number).operations()
    rotations, translations = [], []
    for centring in group.cen_ops:
        for operation in group.sym_ops:
            rotations.append(np.array(operation.rot) // gemmi.Op.DEN)
            translations.append((np.array(operation.tran) + np.array(centring)) % DENOMINATOR)
    return np.array(rotations, dtype=np.int8), np.array(translations, dtype=np.int8)


def exact_affine(matrix: np.ndarray, what: str) -> np.ndarray:
    """(3, 4) int16: the upper rows of an affine matrix over 24. Raises ValueError where they are not exact."""
    scaled = np.asarray(matrix, dtype=float)[:3] * DENOMINATOR
    rounded = np.rint(scaled)
    if np.abs(scaled - rounded).max() > 1e-6 * DENOMINATOR:
        raise ValueError(f"{what}: {np.asarray(matrix)[:3].tolist()} is not a multiple of 1/{DENOMINATOR}")
    return rounded.astype(np.int16)


def operation_keys(rotations: np.ndarray, translations: np.ndarray) -> list[tuple[int, ...]]:
    """One hashable key per operation, translations (over 24) modulo the lattice."""
    flat = np.concatenate([rotations.reshape(-1, 9), translations % DENOMINATOR], axis=1)
    return [tuple(row) for row in flat.tolist()]


def orbit_operations(rotations: np.ndarray, translations: np.ndarray, representative: np.ndarray) -> np.ndarray:
    """Indices of the operations that carry the representative to each point of its orbit, once per point.

    Integer arithmetic on a point in general position within the Wyckoff position; the first operation that
    reaches a point is kept, so index 0 (the identity) always stands first.
    """
    cell = DENOMINATOR * _PROBE_SCALE
    matrix, shift = representative[:, :3].astype(int), representative[:, 3].astype(int)
    point = matrix @ _PROBE // DENOMINATOR + shift * _PROBE_SCALE
    images = (rotations.astype(int) @ point + translations.astype(int) * _PROBE_SCALE) % cell
    _, first = np.unique(images, axis=0, return_index=True)
    return np.sort(first)


def tables() -> dict[str, np.ndarray]:
    """All arrays of the file. Raises ValueError where gemmi and pyxtal disagree."""
    per_group: dict[str, list] = {k: [] for k in ("symbol", "hall_number", "crystal_system", "laue_class")}
    per_group |= {k: [] for k in ("point_group", "centring", "rotations", "translations_24")}
    per_position: dict[str, list] = {k: [] for k in ("letter", "multiplicity", "site_symmetry", "freedom")}
    per_position |= {k: [] for k in ("representative_24", "orbit_operation")}
    n_positions = []
    for number in range(1, 231):
        group, wyckoff = gemmi.get_spacegroup_reference_setting(number), Group(number)
        rotations, translations = gemmi_operations(number)
        general = np.array([exact_affine(o.affine_matrix, f"group {number}") for o in wyckoff[0].ops])
        theirs = operation_keys(general[:, :, :3] // DENOMINATOR, general[:, :, 3])
        if set(theirs) != set(operation_keys(rotations, translations)):
            raise ValueError(f"gemmi {group.xhm()!r} and pyxtal disagree on the operations of group {number}")
        per_group["symbol"].append(wyckoff.symbol)
        per_group["hall_number"].append(wyckoff.hall_number)
        per_group["crystal_system"].append(group.crystal_system_str())
        per_group["laue_class"].append(group.laue_str())
        per_group["point_group"].append(group.point_group_hm())
        per_group["centring"].append(group.centring_type())
        per_group["rotations"].append(rotations)
        per_group["translations_24"].append(translations)
        n_positions.append(len(wyckoff.Wyckoff_positions))
        for position in wyckoff.Wyckoff_positions:
            name = f"group {number}, Wyckoff position {position.multiplicity}{position.letter}"
            representative = exact_affine(position.ops[0].affine_matrix, name)
            orbit = orbit_operations(rotations, translations, representative)
            if len(orbit) != position.multiplicity:
                raise ValueError(f"{name}: the orbit has {len(orbit)} points")
            position.get_site_symmetry()
            per_position["letter"].append(position.letter)
            per_position["multiplicity"].append(position.multiplicity)
            per_position["site_symmetry"].append(position.site_symm)
            per_position["freedom"].append(np.linalg.matrix_rank(representative[:, :3]))
            per_position["representative_24"].append(representative)
            per_position["orbit_operation"].append(orbit)
    integer = {"hall_number": np.int16, "multiplicity": np.int16, "freedom": np.int8}
    concatenated = {"rotations": np.int8, "translations_24": np.int8, "orbit_operation": np.uint8}
    arrays = {"operation_start": offsets([len(r) for r in per_group["rotations"]])}
    arrays |= {"position_start": offsets(n_positions), "orbit_start": offsets(per_position["multiplicity"])}
    for name, values in (per_group | per_position).items():
        if name in concatenated:
            arrays[name] = np.concatenate(values).astype(concatenated[name])
        else:
            arrays[name] = np.array(values, dtype=integer.get(name))
    return arrays


def offsets(counts: list[int]) -> np.ndarray:
    """(n + 1,) int32 row offsets of n ragged items."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


def npz_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """The content of an ``.npz`` file that depends on the arrays alone: fixed times, nothing compressed."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for name in sorted(arrays):
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, arrays[name], version=(1, 0), allow_pickle=False)
            file.writestr(zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0)), buffer.getvalue())
    return archive.getvalue()


def main() -> None:
    """Write the file."""
    with atomic_path(DESTINATION) as partial:
        partial.write_bytes(npz_bytes(tables()))
    print(f"{DESTINATION.name}: {DESTINATION.stat().st_size} bytes")


if __name__ == "__main__":
    main()
