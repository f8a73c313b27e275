"""Extinction classes: counts, members, ceilings and symbols, none of them read from the table that they test."""

import re
from collections import defaultdict
from itertools import permutations

import gemmi
import numpy as np
import pytest

from paperlib.symmetry import extinction
from paperlib.symmetry.groups import SPACE_GROUPS, crystal_system, is_absent, laue_rotations

SYSTEMS = ("orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic")


def box(n):
    indices = np.arange(-n, n + 1)
    return np.stack(np.meshgrid(indices, indices, indices, indexing="ij"), axis=-1)


@pytest.mark.parametrize(("scheme", "n"), [("absences", 97), ("published", 99), ("crystal_system", 101)])
def test_every_group_is_in_exactly_one_class(scheme, n):
    classes = extinction.extinction_classes(scheme)
    assert len(classes) == n
    assert sorted(number for members in classes for number in members) == list(SPACE_GROUPS)
    assert [members[0] for members in classes] == sorted(min(members) for members in classes)
    index = extinction.class_of_space_group(scheme)
    assert index.shape == (231,) and index[0] == -1
    assert all(number in classes[index[number]] for number in SPACE_GROUPS)


def test_classes_agree_with_the_absences_that_gemmi_finds_in_a_larger_box():
    hkl = box(12)[12:]  # h >= 0: Friedel mates share their absences
    flat = np.ascontiguousarray(hkl.reshape(-1, 3), dtype=np.int32)
    keep = np.all(flat >= 0, axis=1)
    classes = defaultdict(list)
    for number in SPACE_GROUPS:
        group = gemmi.get_spacegroup_reference_setting(number)
        system = group.crystal_system_str()
        if system == "orthorhombic":
            octant = group.operations().systematic_absences(flat[keep]).reshape(13, 13, 13)
            # Sorting the six descriptions of one group removes the names of the axes.
            key = tuple(sorted(octant.transpose(p).tobytes() for p in permutations(range(3))))
        else:
            key = group.operations().systematic_absences(flat).tobytes()
        classes[system.replace("trigonal", "hexagonal"), key].append(number)
    assert sorted(map(tuple, classes.values())) == sorted(extinction.extinction_classes("absences"))


@pytest.mark.parametrize(
    "members",
    [
        (1, 2),
        (14,),
        (3, 6, 10),
        (33, 62),
        (21, 35, 38, 65),
        (76, 78, 91, 95),
        (144, 145, 151, 152, 153, 154, 171, 172, 180, 181),
        (143, 147, 149, 150, 156, 157, 162, 164, 168, 174, 175, 177, 183, 187, 189, 191),
        (198, 208),
        (203, 227),
        (230,),
    ],
)
def test_classes_known_from_international_tables(members):
    assert members in extinction.extinction_classes("absences")
    assert extinction.class_members(members[-1]) == members


def test_the_published_scheme_splits_two_classes_and_nothing_else():
    absences, published = (set(extinction.extinction_classes(s)) for s in ("absences", "published"))
    assert absences - published == {(144, 145, 151, 152, 153, 154, 171, 172, 180, 181), (198, 208)}
    assert published - absences == {(144, 145, 151, 152, 153, 154), (171, 172, 180, 181), (198,), (208,)}


def test_the_crystal_system_scheme_splits_exactly_the_classes_that_span_two_systems():
    by_system = set()
    for members in extinction.extinction_classes("absences"):
        parts = defaultdict(list)
        for number in members:
            parts[crystal_system(number)].append(number)
        by_system |= {tuple(part) for part in parts.values()}
    assert set(extinction.extinction_classes("crystal_system")) == by_system


@pytest.mark.parametrize(("scheme", "ceilings"), [("published", (43.0, 80.9, 91.7)), ("absences", (42.2, 79.6, 90.0))])
def test_ceilings_of_a_space_group_model(scheme, ceilings):
    assert tuple(round(100 * extinction.top_k_ceiling(k, scheme), 1) for k in (1, 3, 5)) == ceilings
    assert extinction.top_k_ceiling(16, scheme) == 1.0


def forbidden_by_symbol(symbol, system, hkl):
    """The reflections (..., 3) that an extinction symbol forbids in the zones it names (Looijenga-Vos and Buerger,
    International Tables A, section 3.1.3), before Laue-equivalent zones are added."""
    h, k, l = np.moveaxis(hkl, -1, 0)  # noqa: E741
    lattice, *elements = symbol.split(" ")
    centring = {
        "P": h * 0,
        "A": (k + l) % 2,
        "C": (h + k) % 2,
        "I": (h + k + l) % 2,
        "F": (h + k) % 2 + (h + l) % 2,
        "R": (-h + k + l) % 3,
    }
    forbidden = centring[lattice] != 0
    # For every symmetry direction: the plane normal to it, its two indices, and the row along it.
    a_plane, b_plane, c_plane = (h == 0, "kl"), (k == 0, "hl"), (l == 0, "hk")
    diagonal = (h == k, "hl")
    a_row, b_row, c_row = ((k == 0) & (l == 0), h), ((h == 0) & (l == 0), k), ((h == 0) & (k == 0), l)
    nothing = (h != h, "hl"), (h != h, h)
    directions = {
        "triclinic": [nothing],
        "monoclinic": [nothing, (b_plane, b_row), nothing],
        "orthorhombic": [(a_plane, a_row), (b_plane, b_row), (c_plane, c_row)],
        "tetragonal": [(c_plane, c_row), (a_plane, a_row), (diagonal, nothing[1])],
        "trigonal": [(c_plane, c_row), (b_plane, nothing[1]), (diagonal, nothing[1])],
        "hexagonal": [(c_plane, c_row), (b_plane, nothing[1]), (diagonal, nothing[1])],
        "cubic": [(a_plane, c_row), nothing, (diagonal, nothing[1])],
    }[system]
    axes = {"h": h, "k": k, "l": l}
    for element, ((plane, free), (row, along)) in zip(elements, directions, strict=False):
        p, q = (axes[name] for name in free)
        is_diagonal = plane is diagonal[0]
        for part in element.split("/"):
            if re.fullmatch(r"[2346][1-5]", part):
                order, step = int(part[0]), int(part[1])
                forbidden |= row & (along * step % order != 0)
            elif part == "n":
                forbidden |= plane & ((q if is_diagonal else p + q) % 2 != 0)
            elif part == "d":
                forbidden |= plane & ((2 * p + q if is_diagonal else p + q) % 4 != 0)
            elif re.fullmatch(r"[abc]|\([abc]{2}\)", part):
                names = {"a": "h", "b": "k", "c": "l"}
                if system == "cubic" and part == "a":
                    names["a"] = "k"  # the plane normal to [100] glides along b: 0kl: k = 2n
                for letter in part.strip("()"):
                    forbidden |= plane & (axes[names[letter]] % 2 != 0)
            else:
                assert part in ("-", "1"), part
    return forbidden


@pytest.mark.parametrize("scheme", extinction.SCHEMES)
def test_symbols_are_unique_and_say_what_is_absent_in_the_lowest_group(scheme):
    symbols = extinction.class_symbols(scheme)
    classes = extinction.extinction_classes(scheme)
    assert len(set(symbols)) == len(symbols) == len(classes)
    hkl = box(6).reshape(-1, 3)
    for label, members in zip(symbols, classes, strict=True):
        number = members[0]
        equivalents = hkl @ laue_rotations(number).astype(int)
        bare = re.sub(rf" \(({'|'.join(SYSTEMS)})\)$", "", label)
        for symbol in bare.split(" / "):
            forbidden = forbidden_by_symbol(symbol, crystal_system(number), equivalents).any(axis=0)
            np.testing.assert_array_equal(forbidden, is_absent(number, hkl), err_msg=f"{label} {number}")


def test_symbols_that_the_reader_knows():
    symbols = dict(zip(extinction.extinction_classes("published"), extinction.class_symbols("published"), strict=True))
    assert symbols[(14,)] == "P 1 21/c 1"
    assert symbols[(203, 227)] == "F d - -"
    assert symbols[(33, 62)] == "P n a -"
    assert symbols[(144, 145, 151, 152, 153, 154)] == "P 31 - -"
    assert symbols[(171, 172, 180, 181)] == "P 62 - -"
    assert symbols[(195, 200, 207, 215, 221)] == "P - - - (cubic)"
    assert "P 31 - - / P 62 - -" in extinction.class_symbols("absences")


def test_unknown_choices_are_named():
    with pytest.raises(ValueError, match=r"unknown scheme 'laue'.*absences, published, crystal_system"):
        extinction.extinction_classes("laue")
    with pytest.raises(ValueError, match="unknown scheme"):
        extinction.class_symbols("laue")
    with pytest.raises(ValueError, match="231 does not exist"):
        extinction.class_members(231)
    with pytest.raises(ValueError, match="k of at least 1, got 0"):
        extinction.top_k_ceiling(0)


def test_the_ceiling_over_classes_counts_what_shares_its_absences():
    assert extinction.class_top_k_ceiling(1, "absences") == 1
    assert round(100 * extinction.class_top_k_ceiling(1, "published"), 2) == 97.98  # two pairs of 99
    assert round(100 * extinction.class_top_k_ceiling(1, "crystal_system"), 2) == 96.04  # four pairs of 101
    assert extinction.class_top_k_ceiling(2, "published") == 1
    with pytest.raises(ValueError, match="got 0"):
        extinction.class_top_k_ceiling(0)
