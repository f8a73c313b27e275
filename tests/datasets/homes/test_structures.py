"""Entries from CIFs, against hand calculations and what pymatgen and gemmi say of the same text."""

import gzip
import json
import math

import gemmi
import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from paperlib.datasets.homes import structures
from paperlib.datasets.homes.structures import doped_superconductors, lattice_vectors, materials_project
from tests.datasets.homes.cifs import DOPED, p1

ROCK_SALT = p1(5.64, ["Na"] * 4 + ["Cl"] * 4, "face-centred")


def tables(tmp_path, monkeypatch, **rows):
    """CSV tables with one structure per id, and columns as the first source has them."""
    found = {}
    for source, ids in rows.items():
        lines = ["material_id,cif,energy_above_hull,theoretical,year"]
        lines += [f'{identifier},"{ROCK_SALT}",0.10,False,{2000 + n}' for n, identifier in enumerate(ids)]
        found[source] = tmp_path / f"{source}.csv"
        found[source].write_text("\n".join(lines) + "\n")
        monkeypatch.setitem(structures.COLUMNS, source, structures.COLUMNS["mpts_52_test"])
    return found


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "cifs"
    place.mkdir()
    for identifier in ("mp-3", "mp-8", "mp-9"):
        (place / f"{identifier}.cif").write_text(ROCK_SALT)
    return place


def order(tmp_path, *ids):
    path = tmp_path / "order.csv"
    path.write_text("\n".join(["source,id", *(f"folder,{identifier}" for identifier in ids)]) + "\n")
    return path


def test_an_entry_of_rock_salt(tmp_path, monkeypatch, folder):
    (entry, *_) = materials_project(
        tables(tmp_path, monkeypatch, first=["mp-1", "mp-3"], last=[]),
        {"folder": folder},
        order(tmp_path, "mp-9", "mp-8"),
    )
    assert entry.pop("frac")[1] == [0.0, 0.5, 0.5]
    assert entry == {
        **{"source": "first", "id": "mp-1", "mpid": "mp-1", "nat": 8, "formula": "ClNa"},
        **{"e_hull": "0.10", "theoretical": "False", "year": "2000", "sg_given": None},
        **{"sg_0.01": 225, "sg_0.1": 225, "nprim": 2, "vpa": round(5.64**3 / 8, 4)},
        **{"lattice": (np.eye(3) * 5.64).tolist(), "el": ["Na"] * 4 + ["Cl"] * 4},
    }


def test_the_first_source_keeps_an_id_and_the_folders_have_the_order_of_the_list(tmp_path, monkeypatch, folder):
    given = tables(tmp_path, monkeypatch, first=["mp-1", "mp-3"], second=["mp-2", "mp-1"], last=["mp-9", "mp-7"])
    entries = list(materials_project(given, {"folder": folder}, order(tmp_path, "mp-9", "mp-8")))
    assert [(entry["source"], entry["id"]) for entry in entries] == [
        *(("first", "mp-1"), ("first", "mp-3"), ("second", "mp-2")),
        *(("folder", "mp-9"), ("folder", "mp-8"), ("last", "mp-7")),
    ]
    assert "e_hull" not in entries[3], "a folder states no more than its CIFs"


def test_ids_that_the_list_lacks_or_has_too_many_are_named(tmp_path, monkeypatch, folder):
    with pytest.raises(ValueError, match=r"order\.csv .* differ in 2 entries: mp-5 of folder, mp-8 of folder"):
        materials_project(
            tables(tmp_path, monkeypatch, first=["mp-3"], last=[]), {"folder": folder}, order(tmp_path, "mp-9", "mp-5")
        )


def test_a_cif_that_cannot_be_read_is_named(tmp_path, monkeypatch, folder):
    (folder / "mp-8.cif").write_text(ROCK_SALT.replace("5.64000000", "?"))
    given = tables(tmp_path, monkeypatch, first=["mp-3"], last=[])
    with pytest.raises(ValueError, match="mp-8 of folder: the CIF cannot be read"):
        list(materials_project(given, {"folder": folder}, order(tmp_path, "mp-9", "mp-8")))


@pytest.mark.parametrize("cell", [(5, 6, 7, 80, 95, 110), (4, 4, 6, 90, 90, 120), (3, 4, 5, 90, 90, 90)])
def test_lattice_vectors_have_the_lengths_angles_and_volume_of_the_cell(cell):
    vectors = lattice_vectors(*cell)
    assert np.allclose(Lattice(vectors).parameters, cell, atol=1e-10)
    assert math.isclose(np.linalg.det(vectors), gemmi.UnitCell(*cell).volume, rel_tol=1e-12)
    assert np.allclose(np.triu(vectors, 1), 0) and vectors[2, 2] > 0


def test_a_doped_superconductor(tmp_path):
    name = "Ag0.02Ge2Pd1.98Sr1-MP-mp-978986-synth_doped"
    (tmp_path / f"{name}.cif").write_text(DOPED)
    (entry,) = doped_superconductors(tmp_path)
    assert (entry["id"], entry["formula"], entry["parent"], entry["doped"]) == (
        *(name, "Ag0.02Ge2Pd1.98Sr1"),
        *("mp-978986", True),
    )
    assert entry["sg_0.01"] == entry["sg_0.1"] == 139 and entry["nat"] == 5
    assert entry["occ"][-1] == {"Ag": 0.01, "Pd": 0.99} and entry["occ"][0] == {"Sr": 1.0}
    whole = Structure(entry["lattice"], entry["occ"], entry["frac"])
    assert whole.composition.as_dict() == pytest.approx({"Ag": 0.02, "Ge": 2, "Pd": 1.98, "Sr": 1})
    assert whole.volume == pytest.approx(101.45304754, abs=1e-3)


def test_the_doped_entry_is_the_one_of_the_set_at_hand(tmp_path, data_folder):
    (tmp_path / "Ag0.02Ge2Pd1.98Sr1-MP-mp-978986-synth_doped.cif").write_text(DOPED)
    (entry,) = doped_superconductors(tmp_path)
    with gzip.open(data_folder / "structures/3dsc_10904.jsonl.gz", "rt") as file:
        assert entry == json.loads(next(file))


def test_a_name_of_another_form_is_refused(tmp_path):
    (tmp_path / "YBCO.cif").write_text(DOPED)
    with pytest.raises(ValueError, match=r"YBCO\.cif: expected a name like"):
        list(doped_superconductors(tmp_path))
