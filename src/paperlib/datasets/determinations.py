"""Families of independent determinations of one crystal, made with physics: what databases of published crystals hold.

Different authors measure one compound at other temperatures and pressures, refine coordinates to within an error, and
write the result down in another setting or from another origin. Nothing of this makes another crystal, and which
entries belong together is known, since they are made from one. The kinds:

- ``temperature``: between :data:`TEMPERATURES`. Each free edge has an expansion coefficient of its own, each free angle
  a rate; displacement parameters are proportional to the temperature.
- ``pressure``: up to :data:`PRESSURES`. The volume follows Murnaghan's equation, the free edges share the compression
  unequally.
- ``refinement``: every coordinate and edge within an error, as symmetry allows.
- ``setting``: another basis of the lattice, atoms in another order, moved by lattice vectors.
- ``origin``: the origin anywhere in the cell.
- ``all``: one of the first two, then the other three.

A determination is read as a CIF is: spglib finds the group and brings it to the standard setting. Ranges are those of
inorganic crystals at large, not of the compound at hand, and free coordinates respond to a strain at random
(:data:`RESPONSE`): a crystal of a database may change less, or more where it has a phase transition, which is not
modelled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from paperlib.crystals.cell_geometry import lattice_of
from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.standardise import BadCrystalError, Sites, crystal_from_sites, sites_from_structure
from paperlib.lab.rng import permutation, uniform
from paperlib.symmetry.groups import cell_constraints, operations

KINDS = ("temperature", "pressure", "refinement", "setting", "origin", "all")

TEMPERATURES = (100.0, 900.0)
"""K; the crystal that all start from counts as determined at 300 K."""
EXPANSIONS = (5e-6, 4e-5)
"""Linear coefficients of thermal expansion in 1/K: from silicon carbide to alkali halides; logarithms are uniform."""
TURNS = 1e-5
"""Largest rate of a free angle, radians per K."""
B_300 = 0.5
"""Å², displacement parameter B at 300 K; proportional to the temperature (the classical limit)."""
PRESSURES = (0.0, 10.0)
"""GPa: what diamond anvil cells reach with ease."""
BULK_MODULI = (30.0, 200.0)
"""GPa, from salts to hard oxides; logarithms are uniform."""
BULK_SLOPE = 4.0
"""Derivative of the bulk modulus by the pressure."""
ESD_SITE = (0.001, 0.01)
"""Å: standard error of a coordinate, one for each determination; logarithms are uniform."""
ESD_EDGE = (1e-4, 1e-3)
"""Relative: standard error of an edge between laboratories, which is several times what refinements state."""
RESPONSE = 0.5
"""Å: standard deviation of what a free coordinate moves, for a strain of 1."""

_STREAM = "datasets.determinations"
_DRAWS = 64
_SAME = 1e-3
"""Fractional coordinates that differ by less are one place."""


class Determinations(NamedTuple):
    """n determinations in families."""

    crystals: CrystalSet
    """Source ids are those of the crystals they were made from with a number, ``mp-1234 2``."""
    family: np.ndarray
    """(n,) str: id of the crystal that they were made from."""
    kind: np.ndarray
    """(n,) str: one of :data:`KINDS`."""
    regrouped: np.ndarray
    """(n,) bool: spglib finds another space group than the first crystal has."""
    failed: tuple[str, ...]
    """Ids of crystals of which no family could be made, since spglib found no symmetry in a member."""


def murnaghan(pressure: float, modulus: float, slope: float = BULK_SLOPE) -> float:
    """V / V0 at ``pressure`` for a bulk ``modulus`` at pressure 0 (both GPa) and its derivative ``slope``:
    (1 + slope · pressure / modulus) ** (-1 / slope) (Murnaghan 1944, doi:10.1073/pnas.30.9.244)."""
    return float((1 + slope * pressure / modulus) ** (-1 / slope))


def determinations(bases: CrystalSet, seed: int, size: int = 3, kinds: Iterable[str] = KINDS) -> Determinations:
    """Families of ``size`` determinations each, of ``bases`` (crystals in the standard setting), whose kinds take
    turns. The first of a family is the crystal itself.

    What a determination is depends on ``seed``, the place of its base and its number alone.
    """
    kinds = tuple(kinds)
    if unknown := set(kinds) - set(KINDS):
        raise ValueError(f"kinds {sorted(unknown)} are unknown; choose among {', '.join(KINDS)}")
    made, family, kind, failed = [CrystalSet.empty()], [], [], []
    for i in range(len(bases)):
        base, of = bases[i], kinds[i % len(kinds)]
        name = str(base.source_id[0])
        try:
            others = [_determined(base, of, seed, i * size + k, f"{name} {k}") for k in range(1, size)]
        except BadCrystalError:
            failed.append(name)
            continue
        made += [replace(base, source_id=np.array([f"{name} 0"])), *others]
        family += [name] * size
        kind += [of] * size
    crystals, names = CrystalSet.concatenate(made), np.array(family, dtype=np.str_)
    group_of = dict(zip(bases.source_id.tolist(), bases.space_group.tolist(), strict=True))
    regrouped = np.array([group_of[n] for n in family], dtype=np.int64) != crystals.space_group
    return Determinations(crystals, names, np.array(kind, dtype=np.str_), regrouped, tuple(failed))


def chosen_bases(crystals: CrystalSet, labels: np.ndarray, n: int, seed: int, most_sites: int = 60) -> np.ndarray:
    """Numbers of up to ``n`` crystals to make families of, rising: half of them, as far as there are any, crystals that
    a rule puts together though they differ (``labels`` (n_crystals,), whole groups at a time), the others at random
    among those that stand alone. Crystals with more than ``most_sites`` rows of sites and those not in the standard
    setting are left out.

    The first half makes the families hard to keep apart: a sample at random holds no two crystals of one formula and
    group.
    """
    order = permutation(seed, _STREAM, 0, len(crystals))
    order = order[crystals.standard[order] & (crystals.n_sites[order] <= most_sites)]
    members: dict[int, list[int]] = {}
    for i in order.tolist():
        members.setdefault(int(labels[i]), []).append(i)
    chosen: list[int] = []
    for group in members.values():
        if len(group) > 1 and len(chosen) + len(group) <= n // 2:
            chosen += group
    chosen += [group[0] for group in members.values() if len(group) == 1][: n - len(chosen)]
    return np.sort(np.array(chosen, dtype=np.int64))


def displaced(crystal: CrystalSet, moves: np.ndarray) -> np.ndarray:
    """(m, 3): the coordinates of one crystal in the standard setting, moved as far as symmetry allows.

    ``moves`` (m, 3) are wished displacements in Å along orthogonal axes. Of each orbit the first site is moved by its
    wish, averaged over the operations that leave the site where it is; the others follow by symmetry. A site without
    freedom stays.
    """
    rotations, translations = operations(int(crystal.space_group[0]))
    to_fraction = np.linalg.inv(lattice_of(crystal.cell[0]))
    frac, shift = crystal.frac, np.zeros_like(crystal.frac)
    done = np.zeros(len(frac), dtype=bool)
    for i in range(len(frac)):
        if done[i]:
            continue
        difference = (rotations @ frac[i] + translations)[:, None] - frac
        here = np.all(np.abs(difference - np.rint(difference)) < _SAME, axis=2)
        free = np.mean(rotations[here[:, i]] @ (moves[i] @ to_fraction), axis=0)
        for operation, rows in zip(rotations, here, strict=True):
            shift[rows] = operation @ free
        done |= here.any(axis=0)
    return frac + shift


def _determined(base: CrystalSet, kind: str, seed: int, item: int, name: str) -> CrystalSet:
    """One determination, brought to the standard setting. Raises BadCrystalError where spglib finds no symmetry."""
    draws = iter(uniform(seed, _STREAM, [item], _DRAWS)[0].tolist())
    if kind == "all":
        steps = ("temperature" if next(draws) < 0.5 else "pressure", "refinement", "setting", "origin")
    else:
        steps = (kind,)
    normal = ndtri(uniform(seed, f"{_STREAM}.sites", [item], 6 * len(base.frac))[0].clip(1e-12, None))
    response, error = normal.reshape(2, -1, 3)
    crystal = base
    if "temperature" in steps:
        crystal = _heated(crystal, draws, response)
    if "pressure" in steps:
        crystal = _compressed(crystal, draws, response)
    if "refinement" in steps:
        edges = 1 + _log(draws, ESD_EDGE) * ndtri([next(draws) for _ in range(3)])
        crystal = _with_edges(crystal, edges, np.zeros(3))
        crystal = replace(crystal, frac=displaced(crystal, _log(draws, ESD_SITE) * error))
    sites = sites_from_structure(crystal.to_structures()[0], name)
    if "setting" in steps:
        sites = _rewritten(sites, draws)
    if "origin" in steps:
        sites = replace(sites, frac=sites.frac + [next(draws) for _ in range(3)])
    return crystal_from_sites(sites)


def _heated(crystal: CrystalSet, draws: Iterator[float], response: np.ndarray) -> CrystalSet:
    temperature = TEMPERATURES[0] + next(draws) * (TEMPERATURES[1] - TEMPERATURES[0])
    step = temperature - 300.0
    strain = step * np.array([_log(draws, EXPANSIONS) for _ in range(3)])
    turn = step * TURNS * np.array([2 * next(draws) - 1 for _ in range(3)])
    crystal = _with_edges(crystal, 1 + strain, turn)
    crystal = replace(crystal, frac=displaced(crystal, RESPONSE * float(np.abs(strain).max()) * response))
    return replace(crystal, b_iso=np.full(len(crystal.frac), B_300 * temperature / 300.0))


def _compressed(crystal: CrystalSet, draws: Iterator[float], response: np.ndarray) -> CrystalSet:
    pressure = PRESSURES[0] + next(draws) * (PRESSURES[1] - PRESSURES[0])
    shrunk = np.log(murnaghan(pressure, _log(draws, BULK_MODULI)))
    share = np.array([0.5 + next(draws) for _ in range(3)])[list(cell_constraints(int(crystal.space_group[0]))[0])]
    strain = shrunk * share / share.sum()
    crystal = _with_edges(crystal, np.exp(strain), np.zeros(3))
    return replace(crystal, frac=displaced(crystal, RESPONSE * float(np.abs(strain).max()) * response))


def _log(draws: Iterator[float], ends: tuple[float, float]) -> float:
    """A number between two ends whose logarithm is uniform."""
    return float(ends[0] * (ends[1] / ends[0]) ** next(draws))


def _with_edges(crystal: CrystalSet, factors: np.ndarray, turns: np.ndarray) -> CrystalSet:
    """One crystal with its edges multiplied by ``factors`` (3,) and its free angles turned by ``turns`` (3,) radians,
    as its crystal system allows."""
    equal, fixed = cell_constraints(int(crystal.space_group[0]))
    free = np.array([angle is None for angle in fixed])
    cell = np.concatenate([crystal.cell[0, :3] * factors[list(equal)], crystal.cell[0, 3:] + np.degrees(turns) * free])
    return replace(crystal, cell=cell[None])


def _rewritten(sites: Sites, draws: Iterator[float]) -> Sites:
    """The crystal in another basis of the same lattice: two shears and a cyclic exchange of the axes, which keep the
    hand; atoms in another order, moved by lattice vectors."""
    matrix = np.eye(3)
    for _ in range(2):
        i = int(3 * next(draws))
        shear = np.eye(3)
        shear[i, (i + 1 + int(2 * next(draws))) % 3] = (-1.0, 1.0)[int(2 * next(draws))]
        matrix = shear @ matrix
    matrix = np.roll(matrix, int(3 * next(draws)), axis=0)
    turn = int(next(draws) * len(sites.frac))
    order = np.roll(np.arange(len(sites.frac))[::-1], turn)
    moved = np.array([int(3 * next(draws)) - 1 for _ in range(3)])
    frac = (sites.frac @ np.linalg.inv(matrix) + moved)[order]
    b_iso = None if sites.b_iso is None else sites.b_iso[order]
    return replace(
        sites, lattice=matrix @ sites.lattice, frac=frac, occupants=[sites.occupants[i] for i in order], b_iso=b_iso
    )
