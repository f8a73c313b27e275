"""Rules that contradict themselves or nature are refused at once, with the value and the remedy."""

import json

import numpy as np
import pytest

from paperlib.crystals.minimum_distances import minimum_distances, usable_elements
from paperlib.crystals.rules import rules_from


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"colour": 1}, "unknown rule colour; the rules are composition"),
        ({"composition": "icsd"}, "choose one of uniform, database"),
        ({"composition": "database"}, "statistics missing"),
        ({"n_species": (3, 2)}, r"n_species=\(3, 2\).*lower one first"),
        ({"n_species": (2, 3), "elements": ("Na", "Cl")}, "more elements than the 2"),
        ({"elements": ("Na", "Cl", "O", "Xx")}, "'Xx' is not the symbol"),
        ({"elements": ("Na", "Cl", "O", "Na")}, "name one twice"),
        ({"elements": ("Na", "Cl", "O", "Lr")}, "no radius for Lr"),
        ({"max_atoms": 0}, "max_atoms=0"),
        ({"max_atoms": 20.5}, "max_atoms=20.5"),
        ({"angles": (60, 190)}, "below 180"),
        ({"axial_ratio": 1.0}, "above 1"),
        ({"volume_factor": -1}, "volume_factor=-1"),
        ({"symmetry_margin": 0}, "symmetry_margin=0"),
        ({"distance_factor": 0}, "distance_factor must be positive"),
        ({"min_distances": {("O", "O"): -2.0}}, "positive distance in Å, got -2.0"),
        ({"distance_factor": 40.0}, r"no cell allows these rules.*lower distance_factor"),
        ({"volume_per_atom": (0.001, 0.002)}, "no cell allows these rules"),
    ],
)
def test_impossible_rules_are_refused_at_once(rules, message):
    with pytest.raises(ValueError, match=message):
        rules_from(**rules)


def test_default_elements_can_be_seen_by_both_kinds_of_radiation():
    elements = usable_elements()
    assert {"H", "O", "Fe", "U"} <= set(elements)
    assert not {"Po", "At", "Rn", "Fr", "Ac"} & set(elements), "no neutron scattering length"
    assert len(elements) == len(set(elements)) > 80


def test_minimum_distances_are_half_the_sum_of_the_covalent_radii():
    table = minimum_distances()
    assert table[6, 6] == pytest.approx(0.78) and table[11, 17] == pytest.approx(0.5 * (1.66 + 1.02))
    np.testing.assert_array_equal(table, table.T)
    np.testing.assert_allclose(minimum_distances(2.0), 2 * table)
    set_one = minimum_distances(1.0, {("Na", "Cl"): 2.5})
    assert set_one[11, 17] == set_one[17, 11] == 2.5 and set_one[11, 11] == table[11, 11]
    np.testing.assert_array_equal(table[119], table[1])


def test_rules_can_be_written_down():
    text = json.dumps(rules_from(min_distances={("O", "O"): 2.2}).described())
    assert '"O-O": 2.2' in text and '"max_atoms": 200' in text
