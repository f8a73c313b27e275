"""Our powder profiles against those of CrysFML and FullProf, point by point."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import gemmi
import numpy as np
import pandas as pd
import torch

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.species import reduced_formula, species_code
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.simulate import powder_patterns
from paperlib.symmetry import groups

_SAME_PLACE = 1e-4
"""Fraction of a cell edge; atoms that lie closer are one atom on a special position, given with rounded decimals."""

_CRYSFML_RADIATIONS = {"Neutrons": ("neutron", 1.5403), "X-rays": ("xray", 1.54056)}
_CRYSFML_RESOLUTION = (0.02, -0.02, 0.04)
_ZERO_TOLERANCE = 1e-3
"""Degrees by which the first angle of a FullProf file may miss what its input says."""


class _Atom(NamedTuple):
    """One atom of an asymmetric unit."""

    symbol: str
    position: Sequence[float]
    b_iso: float = 0.0
    multiplicity: int = 0
    """How many equivalents the source counts; 0 where it does not say."""


class _Profile(NamedTuple):
    """A profile of another program and what it was computed from."""

    name: str
    crystal: CrystalSet
    instrument: Instrument
    intensity: np.ndarray
    """(n_points,) on any scale, on the grid of the instrument."""


def crysfml_profiles(profiles: str | Path, structures: str | Path) -> pd.DataFrame:
    """Agreement with ``reference/crysfml_cw_profiles.npz``, whose structures stand in ``_structures.json``: one row
    per structure and radiation, with the columns of :func:`profile_agreement`.

    CrysFML's X-ray profiles hold f' and f'' and no polarisation factor; ours are computed likewise. Two things remain
    different. It takes f' and f'' from International Tables IV (1974), we from gemmi's Cromer and Liberman:
    f' of Pb at 1.54 Å is -4.82 there and -3.95 here, that of O 0.05 in both. And for crystals without a centre
    (quartz, wurtzite) it takes |F|² of one of two Friedel opposites, we the mean of both, which is what a powder shows.
    Raises ValueError, naming file and structure, where the two files do not fit together.
    """
    return pd.DataFrame([profile_agreement(*profile) for profile in _read_crysfml(Path(profiles), Path(structures))])


def fullprof_profiles(folder: str | Path) -> pd.DataFrame:
    """Agreement with the FullProf neutron patterns of ``reference/fullprof_neutron_cw``: one row per pattern, with the
    columns of :func:`profile_agreement` and ``asymmetric``, whether FullProf made its peaks asymmetric.

    Each ``<name>.json`` with a pattern ``<name>.sub`` or ``<name>.sim`` beside it counts. The widths are FullProf's
    U, V, W and Lorentzian X tan θ + Y / cos θ; the angles of the file have the zero shift already taken off. Not
    repeated here: its peaks end a few FWHM from their centre (6 for PbSO4, 8 for Al2O3), those of ``pbso4_cw`` are
    asymmetric by axial divergence, its counts are whole numbers, and in the ``.sim`` file they carry Poisson noise.
    Raises ValueError, naming the file, where input and pattern do not fit together, and where there is none.
    """
    folder = Path(folder)
    rows = []
    for path in sorted(folder.glob("*.json")):
        if _pattern_of(path) is not None:
            rows.append(profile_agreement(*_read_fullprof(path)) | {"asymmetric": _is_asymmetric(path)})
    if not rows:
        raise ValueError(f"{folder} holds no FullProf input (.json) with a pattern (.sub or .sim) of the same name")
    return pd.DataFrame(rows)


def fullprof_example(folder: str | Path, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Angles in degrees 2θ, FullProf's counts and ours on its scale, each (n_points,), of one pattern of ``folder``,
    e.g. ``pbso4_uvwy_no-assym``. Raises ValueError where there is no such pattern."""
    path = Path(folder) / f"{name}.json"
    if not path.is_file() or _pattern_of(path) is None:
        known = [other.stem for other in sorted(Path(folder).glob("*.json")) if _pattern_of(other) is not None]
        raise ValueError(f"{folder} holds no FullProf pattern {name!r}; it has {known}")
    profile = _read_fullprof(path)
    return profile.instrument.grid(), profile.intensity, _ours(profile)


def fullprof_ticks(folder: str | Path, name: str) -> np.ndarray:
    """Angles in degrees 2θ, ascending, of the reflections that gemmi lists for the cell and space group of a pattern's
    input, up to the end of the pattern of :func:`fullprof_example`."""
    two_theta, _, _ = fullprof_example(folder, name)
    phase, experiment = _fullprof_input(Path(folder) / f"{name}.json")
    cell = gemmi.UnitCell(*(number for key, number in phase.items() if key.startswith("_cell_")))
    group = gemmi.SpaceGroup(phase["_space_group_name_H-M_alt"])
    half = experiment["_diffrn_radiation_wavelength"] / 2
    allowed = gemmi.make_miller_array(cell, group, half / np.sin(np.radians(two_theta[-1] / 2)))
    return np.sort(2 * np.degrees(np.arcsin(half / cell.calculate_d_array(allowed))))


def profile_agreement(name: str, crystal: CrystalSet, instrument: Instrument, intensity: np.ndarray) -> dict:
    """How well our pattern of the one crystal in ``crystal`` fits ``intensity`` (n_points,), its only free parameter
    the scale, found by least squares.

    Keys: id, formula, space_group, radiation, points, correlation (Pearson), r (Σ |ours - theirs| / Σ theirs) and
    max_difference (largest |ours - theirs| in units of their maximum).
    """
    theirs = np.asarray(intensity, dtype=float)
    ours = _ours(_Profile(name, crystal, instrument, theirs))
    difference = np.abs(ours - theirs)
    return {
        "id": name,
        "formula": str(crystal.formula[0]),
        "space_group": int(crystal.space_group[0]),
        "radiation": instrument.radiation,
        "points": len(theirs),
        "correlation": float(np.corrcoef(ours, theirs)[0, 1]),
        "r": float(difference.sum() / theirs.sum()),
        "max_difference": float(difference.max() / theirs.max()),
    }


def _ours(profile: _Profile) -> np.ndarray:
    """(n_points,) our pattern on the scale of theirs."""
    ours = powder_patterns(profile.crystal, profile.instrument, dtype=torch.float64)[0].numpy().astype(float)
    return ours * (ours @ profile.intensity) / (ours @ ours)


@functools.cache
def _number_of_symbol() -> dict[str, int]:
    return {groups.symbol(number): number for number in groups.SPACE_GROUPS}


def _crystal(name: str, symbol: str, cell: Sequence[float], atoms: Sequence[_Atom]) -> CrystalSet:
    """The whole cell of an asymmetric unit in the standard setting of the group ``symbol`` (spaces do not count).

    Raises ValueError, naming the crystal, for an unknown symbol and where an atom has not as many equivalents as its
    source counts.
    """
    number = _number_of_symbol().get(symbol.replace(" ", ""))
    if number is None:
        raise ValueError(f"{name}: space group {symbol!r} is not a short symbol of a standard setting, such as P21/c")
    rotations, translations = groups.operations(number)
    frac, species, b_iso = [], [], []
    for atom in atoms:
        images = rotations @ np.array(atom.position, dtype=float) + translations
        apart = images[:, None] - images
        same = np.all(np.abs(apart - np.round(apart)) < _SAME_PLACE, axis=2)
        points = images[same.argmax(axis=1) == np.arange(len(images))] % 1.0
        if atom.multiplicity not in (0, len(points)):
            raise ValueError(
                f"{name}: {atom.symbol} at {list(atom.position)} has {len(points)} equivalents in {symbol}, but its "
                f"source counts {atom.multiplicity}; the setting or the coordinates are not those of the source"
            )
        frac.append(points)
        species += [species_code(atom.symbol.capitalize())] * len(points)
        b_iso += [atom.b_iso] * len(points)
    return CrystalSet(
        cell=np.array([cell], dtype=float),
        space_group=np.array([number], dtype=np.int16),
        standard=np.array([True]),
        site_start=np.array([0, len(species)], dtype=np.int64),
        frac=np.concatenate(frac),
        species=np.array(species, dtype=np.int16),
        occupancy=np.ones(len(species)),
        b_iso=np.array(b_iso, dtype=float),
        formula=np.array([reduced_formula({code: 1.0} for code in species)]),
        source_id=np.array([name]),
    )


def _read_crysfml(profiles: Path, structures: Path) -> Iterator[_Profile]:
    entries = json.loads(structures.read_text(encoding="utf-8"))
    with np.load(profiles, allow_pickle=False) as archive:
        missing = [f"{n}|{kind}|y" for n in entries for kind in _CRYSFML_RADIATIONS if f"{n}|{kind}|y" not in archive]
        if missing or not entries:
            raise ValueError(f"{profiles} lacks {missing or 'every structure'} of {structures}; fetch both again")
        for name, entry in entries.items():
            atoms = [_Atom(symbol, position, 0.0, count) for _, symbol, position, count in entry["atoms"]]
            crystal = _crystal(name, entry["sg"], [float(x) for x in entry["cell"].split()], atoms)
            for kind, (radiation, wavelength) in _CRYSFML_RADIATIONS.items():
                angles, intensity = (archive[f"{name}|{kind}|{axis}"].astype(float) for axis in "xy")
                instrument = Instrument(
                    radiation=radiation,
                    wavelength=wavelength,
                    two_theta=(angles[0], angles[-1]),
                    n_points=len(angles),
                    resolution=_CRYSFML_RESOLUTION,
                    polarisation=False,
                    anomalous=radiation == "xray",
                )
                yield _Profile(name, crystal, instrument, intensity)


def _pattern_of(path: Path) -> Path | None:
    """The pattern that belongs to an input file, None where there is none."""
    return next((p for p in (path.with_suffix(".sub"), path.with_suffix(".sim")) if p.is_file()), None)


def _fullprof_input(path: Path) -> tuple[dict, dict]:
    """The only phase and the only experiment of an input file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    (phase,) = content["phases"][0].values()
    (experiment,) = content["experiments"][0].values()
    return phase, experiment


def _is_asymmetric(path: Path) -> bool:
    keys = ("reflex_s_l", "reflex_d_l", *(f"reflex_asymmetry_p{i}" for i in range(1, 5)))
    return any(_fullprof_input(path)[1].get(f"_pd_instr_{key}", 0) for key in keys)


def _read_fullprof(path: Path) -> _Profile:
    phase, experiment = _fullprof_input(path)
    pattern = _pattern_of(path)
    first_line, *lines = pattern.read_text(encoding="latin-1").splitlines()
    first, step, last = (float(x) for x in first_line.split()[:3])
    counts = np.array([float(x) for line in lines for x in line.split()])
    expected = experiment["_pd_meas_2theta_range_min"] - experiment["_pd_meas_2theta_offset"]
    if len(counts) != round((last - first) / step) + 1 or abs(first - expected) > _ZERO_TOLERANCE:
        raise ValueError(
            f"{pattern}: {len(counts)} counts from {first}° to {last}° in steps of {step}° do not fit {path.name}, by "
            f"which it starts at {expected:.5f}° (first angle less zero shift)"
        )
    if pattern.suffix == ".sub":
        counts = counts[:-1]  # FullProf leaves the last point of the contribution of a phase at zero
    atoms = [
        _Atom(
            site["_type_symbol"],
            [site[f"_fract_{axis}"] for axis in "xyz"],
            site["_B_iso_or_equiv"],
        )
        for site in phase["_atom_site"]
    ]
    cell = [phase[f"_cell_length_{x}"] for x in "abc"] + [phase[f"_cell_angle_{x}"] for x in ("alpha", "beta", "gamma")]
    width = {x: experiment[f"_pd_instr_resolution_{x}"] for x in "uvwxy"}
    instrument = Instrument(
        radiation="neutron",
        wavelength=experiment["_diffrn_radiation_wavelength"],
        two_theta=(first, first + step * (len(counts) - 1)),
        n_points=len(counts),
        resolution=(width["u"], width["v"], width["w"]),
        lorentzian=(width["x"], width["y"]),
    )
    return _Profile(path.stem, _crystal(path.stem, phase["_space_group_name_H-M_alt"], cell, atoms), instrument, counts)
