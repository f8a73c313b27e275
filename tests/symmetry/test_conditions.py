"""Reflection conditions in words: they must say exactly what the operations extinguish."""

import re

import numpy as np
import pytest

from paperlib.symmetry.conditions import reflection_conditions
from paperlib.symmetry.groups import SPACE_GROUPS, is_absent, laue_rotations


def broken(condition, hkl):
    """Which hkl (..., 3) a printed condition forbids; reads the text, knows nothing of how it was made."""
    zone, text = condition.split(": ")
    h, k, l = np.moveaxis(hkl, -1, 0)  # noqa: E741
    inside = np.ones(h.shape, dtype=bool)
    for index, letter in zip((h, k, l), zone, strict=True):
        inside &= index == {"0": 0, "h": h, "k": k, "l": l}[letter]
    forbidden = np.zeros(h.shape, dtype=bool)
    for congruence in text.split(" and "):
        forms, modulus = re.fullmatch(r"(.+) = (\d)n", congruence).groups()
        for form in forms.split(", "):
            value = eval(re.sub(r"(\d)([hkl])", r"\1*\2", form), {}, {"h": h, "k": k, "l": l})
            forbidden |= value % int(modulus) != 0
    return inside & forbidden


def test_the_printed_conditions_hold_exactly_the_absences_of_every_group():
    rng = np.random.default_rng(3)
    indices = np.arange(-8, 9)
    hkl = np.stack(np.meshgrid(indices, indices, indices, indexing="ij"), axis=-1).reshape(-1, 3)
    hkl = np.concatenate([hkl, rng.integers(-60, 61, (500, 3)) * rng.integers(0, 2, (500, 3))])
    for number in SPACE_GROUPS:
        equivalents = hkl @ laue_rotations(number).astype(int)
        forbidden = np.zeros(len(hkl), dtype=bool)
        for condition in reflection_conditions(number):
            forbidden |= broken(condition, equivalents).any(axis=0)
        np.testing.assert_array_equal(forbidden, is_absent(number, hkl), err_msg=str(number))


@pytest.mark.parametrize(
    ("number", "conditions"),
    [
        (2, ()),
        (14, ("h0l: l = 2n", "0k0: k = 2n")),
        (15, ("hkl: h + k = 2n", "h0l: h, l = 2n")),
        (19, ("h00: h = 2n", "0k0: k = 2n", "00l: l = 2n")),
        (62, ("0kl: k + l = 2n", "hk0: h = 2n")),
        (76, ("00l: l = 4n",)),
        (88, ("hkl: h + k + l = 2n", "hk0: h, k = 2n", "00l: l = 4n")),
        (167, ("hkl: -h + k + l = 3n", "h0l: -h + l = 3n and l = 2n")),
        (169, ("00l: l = 6n",)),
        (186, ("hhl: l = 2n",)),
        (205, ("0kl: k = 2n",)),
        (220, ("hkl: h + k + l = 2n", "hhl: 2h + l = 4n")),
        (225, ("hkl: h + k, h + l, k + l = 2n",)),
        (227, ("hkl: h + k, h + l, k + l = 2n", "0kl: k + l = 4n and k, l = 2n")),
    ],
)
def test_conditions_as_international_tables_give_them(number, conditions):
    assert reflection_conditions(number) == conditions


def test_no_condition_follows_from_the_others():
    indices = np.arange(-6, 7)
    hkl = np.stack(np.meshgrid(indices, indices, indices, indexing="ij"), axis=-1).reshape(-1, 3)
    for number in (15, 43, 68, 92, 110, 142, 167, 184, 206, 228, 230):
        equivalents = hkl @ laue_rotations(number).astype(int)
        conditions = reflection_conditions(number)
        for left_out in conditions:
            rest = [broken(c, equivalents).any(axis=0) for c in conditions if c != left_out]
            assert not np.array_equal(np.any([np.zeros(len(hkl), bool), *rest], axis=0), is_absent(number, hkl))


def test_an_unknown_group_is_named():
    with pytest.raises(ValueError, match="231 does not exist"):
        reflection_conditions(231)
