"""Tables and positions for compiled code, against the tables that they come from."""

import numpy as np
import pytest

from paperlib.crystals.cell_geometry import new_frame, set_frame
from paperlib.crystals.generator import counter_draws
from paperlib.crystals.generator.least_occupation import least_multiplicity
from paperlib.crystals.generator.wyckoff_choice import add_to_cell, choose_position, point_on, settle
from paperlib.lab import rng
from paperlib.symmetry import groups
from paperlib.symmetry.wyckoff_tables import GRID, achievable_counts, wyckoff_tables

CELL = np.array([7.0, 7.0, 7.0, 90.0, 90.0, 90.0])


def fresh_state(item=0):
    state = counter_draws.new_state()
    counter_draws.restart(state, np.array(rng.stream_key(3, "test"), dtype=np.uint64), item)
    return state


def test_draws_are_those_of_lab_rng_bit_for_bit():
    for item in (0, 7, 2**33 + 5):
        state = fresh_state(item)
        np.testing.assert_array_equal(
            [counter_draws.uniform(state) for _ in range(9)], rng.uniform(3, "test", [item], 9)[0]
        )


def test_normal_draws_have_the_moments_of_the_normal_distribution():
    state = fresh_state()
    draws = np.array([counter_draws.normal(state) for _ in range(20_000)])
    assert abs(draws.mean()) < 0.03 and abs(draws.std() - 1) < 0.02 and abs((draws**4).mean() - 3) < 0.2


def test_orbits_are_those_of_the_tables_exactly():
    tables, point = wyckoff_tables(), np.zeros(3, dtype=np.int64)
    free = (np.array([0.1234, 0.2718, 0.0577]) * GRID).astype(np.int64)
    for number in (2, 15, 62, 88, 148, 166, 182, 206, 214, 227, 230):
        rotations, translations = groups.operations(number)
        for row, position in zip(
            range(*tables.position_start[number : number + 2]), groups.wyckoff_positions(number), strict=True
        ):
            point_on(tables, row, free, point)
            points = np.zeros((192, 3), dtype=np.int64)
            n = add_to_cell(tables, row, point, points, 0)
            site = position.representative[:, :3] @ (free / GRID) + position.representative[:, 3]
            expected = (rotations[position.orbit] @ site + translations[position.orbit]) % 1.0
            difference = points[:n] / GRID - expected
            assert np.abs(difference - np.round(difference)).max() < 1e-12
            assert len(np.unique(points[:n], axis=0)) == n == position.multiplicity
            primitive = tables.primitive_orbit_start[row + 1] - tables.primitive_orbit_start[row]
            assert primitive * tables.lattice_points[number] == n


def test_a_point_near_a_mirror_a_threefold_axis_and_a_centre_settles_on_them():
    tables, frame = wyckoff_tables(), new_frame()
    general = int(tables.position_start[221])
    letters = [p.letter for p in groups.wyckoff_positions(221)]
    assert set_frame(CELL, tables.primitive[221], frame)
    cases = {
        (0.02, 0.21, 0.37): "k",  # the mirror x = 0
        (0.20, 0.21, 0.37): "m",  # the mirror x = y
        (0.20, 0.21, 0.22): "g",  # the threefold axis
        (0.02, 0.01, 0.03): "a",  # m-3m
        (0.11, 0.25, 0.40): "n",  # nothing near
    }
    for place, letter in cases.items():
        point = np.array([round(x * GRID) for x in place])
        position = settle(tables, 221, general, point, 0.6, frame)
        assert letters[position - general] == letter, place
        assert letter != "n" or np.allclose(point / GRID, place, atol=1e-9)
        assert letter != "k" or 0 in point, "on the mirror exactly"


def test_a_point_near_its_image_by_a_glide_cannot_settle():
    tables, frame = wyckoff_tables(), new_frame()
    assert set_frame(np.array([1.0, 9.0, 9.0, 90, 90, 90]), tables.primitive[29], frame)
    point = np.array([0.3, 0.01, 0.4]) * GRID
    assert settle(tables, 29, int(tables.position_start[29]), point.astype(np.int64), 0.9, frame) == -1


def test_positions_that_fit_are_chosen_the_largest_half_of_the_time():
    tables, state = wyckoff_tables(), fresh_state()
    first = int(tables.position_start[225])
    chosen = np.array([choose_position(tables, 225, 32, state) for _ in range(4000)])
    multiplicities = tables.multiplicity[chosen]
    assert multiplicities.max() == 32
    fitting = [p for p in groups.wyckoff_positions(225) if p.multiplicity <= 32]
    assert np.mean(multiplicities == 32) == pytest.approx(0.5 + 0.5 / len(fitting), abs=0.03)
    assert set(chosen - first) == set(
        range(len(groups.wyckoff_positions(225)) - len(fitting), len(groups.wyckoff_positions(225)))
    )
    assert choose_position(tables, 225, 3, state) == -1


def test_achievable_numbers_of_atoms():
    assert achievable_counts(1, 5).tolist() == [1, 2, 3, 4, 5]
    assert achievable_counts(62, 20).tolist() == [4, 8, 12, 16, 20]
    assert achievable_counts(220, 40).tolist() == [12, 16, 24, 28, 32, 36, 40]  # 12a and 12b once each, 16c, 24d
    assert achievable_counts(225, 3).size == 0


def test_positions_that_a_group_cannot_do_without():
    assert least_multiplicity(222) == 48, "International Tables: all special positions of Pn-3n obey h + k + l = 2n"
    assert least_multiplicity(207) == 24, "every special position of P432 lies on a mirror of Pm-3m"
    assert least_multiplicity(221) == 1 and least_multiplicity(1) == 1
    assert least_multiplicity(227) == 8
