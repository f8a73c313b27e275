"""Each imperfection can be left out, and the others stay as they are."""

import pytest

from paperlib.crystals.synthesis import random_crystals
from paperlib.diffraction.mineral_world import CHANGES, MINERALS, SECOND_PHASE, minerals

POOL = random_crystals([225, 62], 0)


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_left_out_cannot_occur_and_nothing_else_changes(name):
    whole, without = minerals(POOL), minerals(POOL, name)
    differing = {key for key in vars(whole) if getattr(whole, key) is not getattr(without, key)}
    differing = {key for key in differing if key == "impurities" or getattr(whole, key) != getattr(without, key)}
    assert differing == set(CHANGES[name])
    assert not any(without.has(key) for key in CHANGES[name] if key != "impurities")


def test_second_phases_come_from_a_pool():
    assert minerals() == MINERALS and minerals(POOL).second_phase == SECOND_PHASE
    with pytest.raises(ValueError, match="choose one of shift"):
        minerals(POOL, "colour")
