"""Stricter classes that a pattern does not exclude: hand-known crystals, and invariance to what nobody can see."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets import shown_absences
from paperlib.datasets.shown_absences import stricter_classes
from paperlib.diffraction.instrument import Instrument
from paperlib.symmetry.extinction import extinction_classes
from paperlib.symmetry.groups import SPACE_GROUPS, crystal_family, is_absent


def caesium_chloride_type(a, b):
    made = Structure.from_spacegroup("Pm-3m", Lattice.cubic(4.1), [a, b], [[0, 0, 0], [0.5, 0.5, 0.5]])
    made.properties["source_id"] = f"{a}{b}"
    return made


def test_neighbours_in_the_periodic_table_hide_a_primitive_lattice():
    # lines with h + k + l odd have |f(A) - f(B)|²: 38 electrons in CsCl, one in BaCs
    shown = stricter_classes(
        CrystalSet.from_structures([caesium_chloride_type("Cs", "Cl"), caesium_chloride_type("Cs", "Ba")]), Instrument()
    )
    assert list(shown.space_group) == [221, 221]
    assert shown.unbroken[0] == 0 and shown.unbroken[1] >= 1
    assert (shown.stricter == 16).all(), "all other cubic classes have more conditions"


def test_the_body_centred_class_is_among_the_stricter_ones():
    assert 197 in {group for settings in shown_absences._stricter(221) for _, group in settings}


def test_nothing_is_hidden_once_every_line_counts():
    crystals = random_crystals(
        [47, 123, 195, 16, 10], 1, elements=("O", "Ti", "Sr", "Ba"), atoms_per_lattice_point=(20, 30)
    )
    assert (stricter_classes(crystals, Instrument(), visible=0.0).unbroken == 0).all()
    blind = stricter_classes(crystals, Instrument(), visible=0.999999)
    assert (blind.unbroken > 0).all()


def test_a_class_is_stricter_where_it_has_all_conditions_and_more():
    axis = np.arange(-6, 7)
    hkl = np.stack(np.meshgrid(axis, axis, axis), -1).reshape(-1, 3)
    for number in (5, 20, 62, 83, 150, 205):
        for settings in shown_absences._stricter(number):
            for matrix, group in settings:
                # all conditions of the own group hold for what the stricter one shows; cubic and hexagonal lines are
                # compared as lines, so only the lower families can be compared reflection by reflection
                if crystal_family(number) in ("monoclinic", "orthorhombic"):
                    assert not np.any(~is_absent(group, hkl @ matrix) & is_absent(number, hkl)), (number, group)


def test_only_the_strictest_and_the_triclinic_groups_have_none_above_them():
    alone = {number for number in SPACE_GROUPS if not shown_absences._stricter(number)}
    assert {1, 2} <= alone and 221 not in alone and 47 not in alone
    same = {frozenset(m) for m in extinction_classes("absences") if alone & set(m)}
    assert set().union(*same) == alone, "a property of the class"


def test_the_order_of_the_axes_does_not_matter():
    crystals = random_crystals([47] * 12, 4, elements=("Ti", "V", "Cr", "Mn"), atoms_per_lattice_point=(4, 8))
    turned = CrystalSet(
        **{**vars(crystals), "cell": crystals.cell[:, [2, 0, 1, 5, 3, 4]], "frac": crystals.frac[:, [2, 0, 1]]}
    )
    one, other = (stricter_classes(x, Instrument(), visible=0.02) for x in (crystals, turned))
    assert list(one.unbroken) == list(other.unbroken) and one.unbroken.any()


def test_a_crystal_in_another_setting_is_refused():
    crystals = random_crystals([14], 0)
    with pytest.raises(ValueError, match="random-0-0 is not in the standard setting"):
        stricter_classes(CrystalSet(**{**vars(crystals), "standard": np.array([False])}), Instrument())
