"""524 CIFs of a public collection as crystallographers wrote them: every difference from pymatgen is explained."""

from __future__ import annotations

import csv
import io
import tarfile
import warnings
from pathlib import Path

import pytest
from pymatgen.io.cif import CifParser

from paperlib.crystals.reading.cif import read_cif
from paperlib.crystals.species import species_symbol
from paperlib.crystals.standardise import BadCrystalError, crystal_from_sites

TABLE = Path(__file__).with_name("openchemistry.csv")
REFUSED = {
    "arsenides/Co.87Fe.11Ni.13As3-Skutterudite.cif": "total occupancy above 1",
    "carbides/W2C.cif": "cell does not fit its symmetry",
}


@pytest.fixture(scope="module")
def files(data_folder) -> dict[str, bytes]:
    with tarfile.open(data_folder / "structures/openchemistry_cifs_524.tar.gz") as archive:
        names = sorted(name for name in archive.getnames() if name.endswith(".cif"))
        return {name.removeprefix("./"): archive.extractfile(name).read() for name in names}


def written(amounts: dict[str, float]) -> str:
    return " ".join(f"{symbol}{amount:g}" for symbol, amount in sorted(amounts.items()))


def here(name: str, content: bytes) -> tuple[str, dict[str, float]]:
    """The content of the cell as text and as numbers; ("refused", {}) where the file is refused."""
    (sites,) = read_cif(name, content)
    if isinstance(sites, BadCrystalError) or any(sum(site.values()) > 1.001 for site in sites.occupants):
        return "refused", {}
    amounts: dict[str, float] = {}
    for site in sites.occupants:
        for code, amount in site.items():
            amounts[species_symbol(code)] = amounts.get(species_symbol(code), 0.0) + amount
    return written({symbol: round(amount, 3) for symbol, amount in amounts.items()}), amounts


def by_pymatgen(content: bytes) -> tuple[str, dict[str, float]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parser = CifParser(io.StringIO(content.decode()), occupancy_tolerance=1.05)
            (structure,) = parser.parse_structures(primitive=False)
        except ValueError:
            return "refused", {}
    amounts = {symbol: round(amount, 3) for symbol, amount in structure.composition.get_el_amt_dict().items()}
    return written(amounts), amounts


def test_every_difference_from_pymatgen_is_in_the_table(files):
    with TABLE.open(newline="") as file:
        table = {row["file"]: row for row in csv.DictReader(file)}
    assert all(row["why"] for row in table.values()) and len(files) == 524
    agreeing = [name for name in files if name not in table]
    for name, row in table.items():
        assert here(name, files[name])[0] == row["read here"], name
        assert by_pymatgen(files[name])[0] == row["read by pymatgen"], name
    for name in agreeing[::8]:  # all of them take pymatgen half a minute
        mine, theirs = here(name, files[name])[1], by_pymatgen(files[name])[1]
        assert mine == pytest.approx(theirs, rel=0.02, abs=0.02), name


def test_all_but_two_are_read_and_these_are_refused_for_a_true_reason(files):
    refused = {}
    for name, content in files.items():
        for sites in read_cif(name, content):
            if isinstance(sites, BadCrystalError) or name in REFUSED:
                try:
                    crystal_from_sites(sites)
                except (BadCrystalError, AttributeError) as error:
                    refused[name] = sites.reason if isinstance(sites, BadCrystalError) else error.reason
    assert refused == REFUSED


def test_frameworks_of_silica_are_silica(files):
    # The type materials of zeolites with a pure silica framework: whatever the rounding, O = 2 Si.
    with TABLE.open(newline="") as file:
        names = [row["file"] for row in csv.DictReader(file) if row["why"].endswith("O = 2 Si")]
    assert len(names) >= 15
    for name in names:
        amounts = here(name, files[name])[1]
        assert amounts["O"] == 2 * amounts["Si"], name
