"""What can be put on the bench: crystals of a set, patterns to be tested on, and files that somebody uploads."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from paperlib.answers.on_a_page import ASK
from paperlib.answers.recognised import holds_pattern
from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.sources import Loaded, load_crystals
from paperlib.datasets.measured import MeasuredPattern, PatternError, read_pattern
from paperlib.datasets.prepared import prepared_crystals
from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT, MINERALS
from paperlib.diffraction.simulate import powder_patterns
from paperlib.explore.catalogue import EXAMPLES
from paperlib.explore.subject import Subject
from paperlib.lab import fetch
from paperlib.symmetry.groups import symbol

MEASURED = "patterns/rruff_named_open.npz"
"""Measured patterns with their crystals' names, in the registry; shown where the file is here."""
SEEN = "the released network was trained on these minerals too: this is no test of it"
SIMULATED = "a simulated measurement with the imperfections of a laboratory drawn at random"
TESTS = 40
"""Simulated measurements that are offered."""
MOST = 50
"""Crystals of one upload that are offered."""

_ASK = "give it in the field beside the button (Å; Cu Kα1 alone has 1.5406), then choose the file again"

Offer = tuple[str, Callable[[], Subject]]
"""A text for a list to choose from, and what makes the subject when it is chosen."""


def crystals_of(source: str) -> CrystalSet:
    """The crystals of a set by its name: embedded, in the registry, or a path; see
    :func:`paperlib.datasets.prepared.prepared_crystals`. Raises FileNotFoundError, with the remedy."""
    if source in fetch.registry():
        source = str(fetch.fetch(source))
    return prepared_crystals(source).crystals


def crystal_subject(crystals: CrystalSet, row: int, note: str = "") -> Subject:
    """One crystal of a set as a subject."""
    one = crystals[int(row) : int(row) + 1]
    number = int(one.space_group[0])
    return Subject(f"{one.formula[0]}, {symbol(number)}", crystal=one, truth=number, note=note)


def random_examples(number: int, seed: int = 0) -> CrystalSet:
    """:data:`~paperlib.explore.catalogue.EXAMPLES` random crystals of a space group, for groups that a set has none of.
    The first call of a fresh clone compiles the generator, for half a minute."""
    from paperlib.crystals.synthesis import random_crystals

    return random_crystals([number] * EXAMPLES, seed=seed)


def test_offers(crystals: CrystalSet, seed: int = 0) -> list[Offer]:
    """Patterns to be tested on: measured ones of :data:`MEASURED` where they are here, and simulated measurements of
    ``crystals``, spread over their space groups."""
    try:
        path = fetch.fetch(MEASURED)
    except (FileNotFoundError, fetch.ChecksumError):
        return simulated_offers(crystals, seed)
    return measured_offers(path) + simulated_offers(crystals, seed)


def measured_offers(path: Path) -> list[Offer]:
    """The patterns of a file with names, by name: ``two_theta`` (m,) degrees, ``intensity`` (n, m), NaN where nothing
    was measured, ``name`` and ``space_group`` (n,). All are of the instrument that
    :data:`paperlib.diffraction.mineral_world.MINERAL_INSTRUMENT` describes."""
    with np.load(path, allow_pickle=False) as archive:
        angles, intensity = archive["two_theta"].astype(np.float64), archive["intensity"]
        names, groups = archive["name"].astype(np.str_), archive["space_group"].astype(np.int64)

    def offer(row: int) -> Offer:
        name, number = f"{names[row]}, {symbol(int(groups[row]))}", int(groups[row])
        seen = np.isfinite(intensity[row])

        def make() -> Subject:
            counts = np.maximum(intensity[row][seen], 0).astype(np.float64)
            pattern = MeasuredPattern(angles[seen], counts, *_beam(), Path(names[row]), "set", ())
            return Subject(name, measured=pattern, truth=number, note=SEEN)

        return f"measured · {name}", make

    return [offer(int(row)) for row in np.argsort(names, kind="stable")]


def _beam() -> tuple[float, float, float, str]:
    one = MINERAL_INSTRUMENT
    return one.wavelength, one.second_wavelength, one.second_ratio, "xray"


def simulated_offers(crystals: CrystalSet, seed: int = 0) -> list[Offer]:
    """Simulated measurements of ``crystals``, at most :data:`TESTS`, spread over their space groups; each is simulated
    when it is chosen."""

    def offer(row: int) -> Offer:
        one = crystals[row : row + 1]
        number = int(one.space_group[0])
        name = f"{one.formula[0]}, {symbol(number)}"

        def make() -> Subject:
            instrument = MINERAL_INSTRUMENT
            intensity = powder_patterns(one, instrument, seed=seed, imperfections=MINERALS, items=[row])[0].numpy()
            seen = intensity != 0  # the detector begins and ends elsewhere in each
            first, last = np.flatnonzero(seen)[[0, -1]]
            grid, counts = instrument.grid()[first : last + 1], np.maximum(intensity[first : last + 1], 0)
            pattern = MeasuredPattern(grid, counts.astype(np.float64), *_beam(), Path(name), "simulated", ())
            return Subject(f"{name}, simulated measurement", measured=pattern, truth=number, note=SIMULATED)

        return f"simulated · {name}", make

    _, first = np.unique(crystals.space_group, return_index=True)
    first = first[crystals.standard[first]]
    return [offer(int(row)) for row in first[np.linspace(0, len(first) - 1, min(TESTS, len(first))).astype(int)]]


def uploaded(name: str, content: bytes, wavelength: float | None = None) -> list[Subject]:
    """The subjects of a file that somebody uploads: a measured pattern, or crystals, at most :data:`MOST`. Raises
    ValueError with the reason and the remedy, as the readers give it, where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (Path(name.replace("\\", "/")).name or "file")
        path.write_bytes(content)
        try:
            if holds_pattern(path):
                pattern = read_pattern(path, wavelength)
                return [Subject(name, measured=pattern, note="; ".join(pattern.warnings))]
            loaded = load_crystals(path, workers=1)
        except PatternError as error:
            where = name if error.line is None else f"{name}, line {error.line}"
            raise ValueError(f"{where}: {error.problem.replace(ASK, _ASK)}") from error
        except (OSError, ValueError, RuntimeError) as error:
            raise ValueError(f"{name}: {str(error).replace(str(path), name)}") from error
    return _of_loaded(name, loaded)


def _of_loaded(name: str, loaded: Loaded) -> list[Subject]:
    if not len(loaded.crystals):
        said = "; ".join(f"{one.name}: {one.reason}, {one.detail}".removesuffix(", ") for one in loaded.skipped[:3])
        raise ValueError(f"{name}: no crystal could be read: {said}")
    remarks: dict[str, str] = {}
    for one in loaded.remarks:
        remarks[one.name] = "; ".join(filter(None, [remarks.get(one.name), f"{one.kind} {one.detail}".strip()]))
    ids = loaded.crystals.source_id
    return [
        crystal_subject(loaded.crystals, row, remarks.get(str(ids[row]), ""))
        for row in range(min(MOST, len(loaded.crystals)))
    ]
