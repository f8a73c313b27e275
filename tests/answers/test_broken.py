"""A reflection that is absent breaks a condition, and the one that is named is the one of its zone."""

import numpy as np
import pytest

from paperlib.answers.broken import broken_condition
from paperlib.symmetry.conditions import reflection_conditions
from paperlib.symmetry.groups import SPACE_GROUPS, is_absent


@pytest.mark.parametrize("number", SPACE_GROUPS)
def test_a_reflection_breaks_a_condition_exactly_where_it_is_absent(number):
    rng = np.random.default_rng(number)
    hkl = rng.integers(-5, 6, (60, 3)) * rng.integers(0, 2, (60, 3))
    hkl = np.concatenate([hkl, hkl[:20, [0, 0, 2]]])
    hkl = hkl[hkl.any(axis=1)]
    said = [broken_condition(number, tuple(row)) for row in hkl.tolist()]
    np.testing.assert_array_equal([text != "" for text in said], is_absent(number, hkl))
    assert {text for text in said if text} <= set(reflection_conditions(number))


def test_the_condition_that_is_named_is_the_one_of_the_zone():
    assert broken_condition(14, (0, 3, 0)) == "0k0: k = 2n"
    assert broken_condition(14, (1, 0, 1)) == "h0l: l = 2n"
    assert broken_condition(225, (1, 0, 0)) == "hkl: h + k, h + l, k + l = 2n"
    assert broken_condition(225, (1, 1, 1)) == ""
    # on equivalents too: 0 -1 2 is k, l, h of 2 0 -1 in a cubic class
    assert broken_condition(205, (2, 0, -1)) == broken_condition(205, (0, -1, 2)) == "0kl: k = 2n"


def test_an_unknown_group_is_named():
    with pytest.raises(ValueError, match="231 does not exist"):
        broken_condition(231, (1, 0, 0))
