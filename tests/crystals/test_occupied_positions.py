"""Wyckoff positions read off from atoms."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from paperlib.crystals.occupied_positions import occupied_positions
from paperlib.crystals.sources import prototype_structures
from paperlib.crystals.standardise import from_structures
from paperlib.crystals.synthesis import balanced_space_groups, rules_from, synthesise
from paperlib.symmetry.groups import wyckoff_positions

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")


def letters(crystals):
    found = occupied_positions(crystals)
    return [
        "".join(sorted(wyckoff_positions(int(crystals.space_group[i]))[k].letter for k in found.position[a:b]))
        for i, (a, b) in enumerate(zip(found.start, found.start[1:], strict=False))
    ]


def test_textbook_structures(rock_salt_and_diamond):
    assert letters(rock_salt_and_diamond) == ["ab", "a"]
    spinel = Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(8.08), ["Mg", "Al", "O"], [[1 / 8] * 3, [0.5] * 3, [0.2624] * 3]
    )
    rutile = Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.59, 2.96), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
    )
    assert letters(from_structures([spinel, rutile])) in (["ade", "af"], ["bce", "af"])


def test_random_crystals_occupy_what_they_were_made_with():
    made = synthesise(balanced_space_groups(460), 2, rules_from())
    found = occupied_positions(made.crystals)
    np.testing.assert_array_equal(found.start, made.site_start)
    for a, b in zip(found.start, found.start[1:], strict=False):
        assert sorted(found.position[a:b]) == sorted(made.position[a:b])


def test_all_embedded_crystals_are_assigned():
    crystals = prototype_structures().crystals
    found = occupied_positions(crystals)
    for i in range(len(crystals)):
        positions = wyckoff_positions(int(crystals.space_group[i]))
        rows = found.position[found.start[i] : found.start[i + 1]]
        assert sum(positions[k].multiplicity for k in rows) == crystals.n_sites[i], crystals.source_id[i]


@pytest.mark.parametrize("fault", ["disordered", "not standard", "an atom missing"])
def test_crystals_that_cannot_be_assigned_get_no_rows(fault):
    structure = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    if fault == "disordered":
        structure.replace_species({"Na": {"Na": 0.5, "K": 0.5}})
    crystals = from_structures([structure], standardise=fault != "not standard")
    if fault == "an atom missing":
        crystals.species[0] = 3
    assert len(occupied_positions(crystals).position) == 0
