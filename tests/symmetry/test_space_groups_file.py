"""The generated file, against a fresh generation and against three programs that know the 230 groups."""

import importlib.util

import gemmi
import numpy as np
import pytest
import spglib
from pyxtal.symmetry import Group

from paperlib.symmetry import groups

# spglib announces a change of its error handling on every call.
pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")


@pytest.fixture(scope="module")
def generator(root):
    spec = importlib.util.spec_from_file_location("make_space_groups", root / "tools" / "make_space_groups.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def as_set(rotations, translations):
    """Operations as a set of integer rows, translations over 24 modulo the lattice."""
    in_units = np.asarray(translations, dtype=float) * 24
    shifts = np.rint(in_units).astype(int)
    assert np.allclose(in_units, shifts, atol=1e-3)
    rows = np.concatenate([np.rint(rotations).astype(int).reshape(-1, 9), shifts % 24], axis=1)
    return {tuple(row) for row in rows.tolist()}


def test_the_generator_gives_the_file_byte_for_byte(generator):
    assert generator.npz_bytes(generator.tables()) == generator.DESTINATION.read_bytes()


def test_pyxtal_gemmi_and_spglib_agree_with_us_on_every_operation():
    different = []
    for number in groups.SPACE_GROUPS:
        ours = groups.operations(number)
        general = Group(number)[0].ops
        reference = list(gemmi.get_spacegroup_reference_setting(number).operations())
        database = spglib.get_symmetry_from_database(groups.hall_number(number))
        sets = {
            "ours": as_set(ours.rotations, ours.translations),
            "pyxtal": as_set([op.rotation_matrix for op in general], [op.translation_vector for op in general]),
            "gemmi": as_set([np.array(op.rot) / 24 for op in reference], [np.array(op.tran) / 24 for op in reference]),
            "spglib": as_set(database["rotations"], database["translations"]),
        }
        different += [(number, program) for program, theirs in sets.items() if theirs != sets["ours"]]
        assert len(sets["ours"]) == len(ours.rotations)
    assert different == []


def test_names_and_classes_agree_with_spglib():
    for number in groups.SPACE_GROUPS:
        entry = spglib.get_spacegroup_type(groups.hall_number(number))
        assert entry.number == number
        assert groups.symbol(number) == entry.international_short.replace("_", "")
        assert groups.centring(number) == entry.international_short[0]
        pure_rotations = {tuple(r.ravel()) for r in groups.operations(number).rotations}
        # Both orientations of this point group bear one of two equivalent symbols.
        theirs = entry.pointgroup_international.replace("-6m2", "-62m")
        assert groups.point_group(number) == theirs.replace("-4m2", "-42m")
        assert groups.laue_class(number) == gemmi.get_spacegroup_reference_setting(number).laue_str()
        assert len(groups.laue_rotations(number)) in (len(pure_rotations), 2 * len(pure_rotations))


def test_a_group_outside_the_24ths_is_refused(generator):
    shifted = np.eye(4)
    shifted[0, 3] = 0.1
    with pytest.raises(ValueError, match=r"group 7.*1/24"):
        generator.exact_affine(shifted, "group 7")
