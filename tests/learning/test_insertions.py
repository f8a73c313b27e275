"""Lines put in and taken away: cubic crystals whose lines are known, and made-up networks that must react exactly."""

import numpy as np
import pytest
import torch
from torch import nn

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.lattice_lines import distance_to, lattice_lines, widths
from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT
from paperlib.diffraction.simulate import powder_patterns
from paperlib.learning.attribution import MIRRORED, attribute
from paperlib.learning.insertions import N_CLASSES, PLACES, TAKEN, deletion_trials, insertion_trials
from paperlib.learning.map_judgement import (
    BACKGROUND,
    PUT_IN,
    agreement,
    baselines,
    deletion_effects,
    insertion_effects,
    regions,
    survival,
)
from paperlib.learning.trial_answers import answers, class_probabilities, mean_answers, with_random_weights
from paperlib.learning.trial_study import deletion_values, insertion_values, pair_table
from paperlib.learning.trial_worlds import WHOLE_MINERALS, TrialWorld
from paperlib.symmetry.extinction import class_of_space_group

from .problems import tiny_model

INSTRUMENT = Instrument()
CLASS = class_of_space_group("absences")
F_CUBIC, I_CUBIC, P_CUBIC = CLASS[225], CLASS[229], CLASS[221]
A = 5.64


def cubes(*numbers):
    """One copper atom at the origin, and all its copies, of each cubic group, on cells that differ a little."""
    basis = {
        225: [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)],
        229: [(0, 0, 0), (0.5, 0.5, 0.5)],
        221: [(0, 0, 0)],
    }
    sites = [basis[n] for n in numbers]
    m = sum(map(len, sites))
    return CrystalSet(
        cell=np.array([[A + 0.1 * i] * 3 + [90.0] * 3 for i in range(len(numbers))]),
        space_group=np.array(numbers, dtype=np.int16),
        standard=np.ones(len(numbers), dtype=bool),
        site_start=np.cumsum([0, *map(len, sites)]),
        frac=np.array([site for own in sites for site in own], dtype=float),
        species=np.full(m, 29, dtype=np.int16),
        occupancy=np.ones(m),
        b_iso=np.zeros(m),
        formula=np.array(["Cu"] * len(numbers)),
        source_id=np.array([f"made-{i}" for i in range(len(numbers))]),
    )


def bragg(hkl, a):
    return 2 * np.degrees(np.arcsin(INSTRUMENT.wavelength * np.sqrt((np.array(hkl) ** 2).sum(-1)) / (2 * a)))


@pytest.fixture(scope="module")
def crystals():
    return cubes(225, 229, 221)


@pytest.fixture(scope="module")
def world(crystals):
    return TrialWorld(crystals, INSTRUMENT)


@pytest.fixture(scope="module")
def put_in(crystals):
    return insertion_trials(crystals, INSTRUMENT)


def rows_of(trials, **wanted):
    table = trials.table
    return np.flatnonzero(np.all([table[name] == value for name, value in wanted.items()], axis=0))


def test_fm3m_gets_100_at_braggs_angle_and_then_fits_p(put_in):
    (one,) = rows_of(put_in, crystal=0, other=P_CUBIC, count=1, place="lattice")
    lines = put_in.trial == one
    assert put_in.hkl[lines].tolist() == [[1, 0, 0]] and put_in.table["kind"][one] == "centring"
    np.testing.assert_allclose(put_in.two_theta[lines], bragg([1, 0, 0], A), atol=1e-9)
    assert put_in.fits[one, P_CUBIC] and not put_in.fits[one, F_CUBIC] and not put_in.fits[one, CLASS[198]]
    (four,) = rows_of(put_in, crystal=0, other=P_CUBIC, count=4, place="lattice")
    assert put_in.hkl[put_in.trial == four].tolist() == [[1, 0, 0], [1, 1, 0], [2, 1, 0], [2, 1, 1]]
    assert np.flatnonzero(put_in.fits[four]).tolist() == [P_CUBIC]


def test_im3m_gets_100_and_111_and_pm3m_nothing(put_in):
    (four,) = rows_of(put_in, crystal=1, other=P_CUBIC, count=4, place="lattice")
    assert put_in.hkl[put_in.trial == four].tolist() == [[1, 0, 0], [1, 1, 1], [2, 1, 0], [3, 0, 0]] or put_in.hkl[
        put_in.trial == four
    ][:3].tolist() == [[1, 0, 0], [1, 1, 1], [2, 1, 0]]
    assert not len(rows_of(put_in, crystal=2))


def test_the_control_is_the_same_lines_off_the_lattice(crystals, put_in):
    lattice = lattice_lines(crystals, INSTRUMENT)
    pairs = put_in.table.groupby(["crystal", "other", "count"])
    assert (pairs["place"].agg(list).map(tuple) == PLACES).all()
    for (crystal, _, _), rows in pairs.groups.items():
        there, moved = (put_in.trial == row for row in rows)
        np.testing.assert_array_equal(put_in.hkl[there], put_in.hkl[moved])
        places = put_in.two_theta[moved]
        assert np.all(distance_to(places, lattice.two_theta[lattice.of(crystal)]) > 1.5 * widths(INSTRUMENT, places))
        away = np.abs(places - put_in.two_theta[there])
        assert away.min() > 0.499 and away.max() < 2.501


def test_an_untouched_pattern_is_the_simulators(crystals, world, put_in):
    expected = powder_patterns(crystals, INSTRUMENT)
    torch.testing.assert_close(world.patterns(), expected, atol=2e-6, rtol=0)
    fixed, changed = world.parts(put_in, np.array([0, 1]))
    torch.testing.assert_close(world.made(fixed, changed, 0.0, np.array([0, 0])), expected[[0, 0]], atol=2e-6, rtol=0)


def test_a_line_that_is_put_in_stands_there_as_high_as_asked(world, put_in):
    (one,) = rows_of(put_in, crystal=0, other=P_CUBIC, count=1, place="lattice")
    fixed, changed = world.parts(put_in, np.array([one]))
    made = world.made(fixed, changed, 0.01, np.array([0]))
    added = (made - world.patterns(np.array([0])))[0].numpy()
    assert abs(INSTRUMENT.grid()[added.argmax()] - bragg([1, 0, 0], A)) <= INSTRUMENT.step
    assert 0.6 * 0.01 < added.max() <= 0.01 * (1 + 1e-4), "points may miss the top of the line"
    assert np.all(added[np.abs(INSTRUMENT.grid() - bragg([1, 0, 0], A)) > 0.5] == 0)


def test_lines_that_f_forbids_are_taken_out_of_a_primitive_cube(crystals, world):
    trials = deletion_trials(crystals, INSTRUMENT)
    assert set(trials.table["place"]) == set(TAKEN)
    (row,) = rows_of(trials, crystal=2, other=I_CUBIC, place="deciding")
    gone = trials.hkl[trials.trial == row]
    assert np.all(gone.sum(1) % 2 == 1), "I forbids odd sums"
    fixed, changed = world.parts(trials, np.array([row]))
    left = world.made(fixed, changed, 0.0, np.array([2]))[0].numpy()
    grid, a = INSTRUMENT.grid(), A + 0.2
    assert left[np.abs(grid - bragg([1, 0, 0], a)) < 0.1].max() < 1e-9
    assert left[np.abs(grid - bragg([1, 1, 0], a)) < 0.1].max() > 0.5
    whole = world.made(fixed, changed, 1.0, np.array([2]))
    torch.testing.assert_close(whole, world.patterns(np.array([2])), atol=1e-6, rtol=0)
    (control,) = rows_of(trials, crystal=2, other=I_CUBIC, place="others")
    kept = trials.hkl[trials.trial == control]
    assert len(kept) == trials.table["count"][control] and np.all(kept.sum(1) % 2 == 0)


class Window(nn.Module):
    """Class P by what stands in one window of a pattern: its logit is scale × sum - 3, that of class F is 0."""

    def __init__(self, begin, end, scale=100.0):
        super().__init__()
        self.begin, self.end, self.scale = begin, end, scale
        self.n_classes, self.n_points = N_CLASSES, 1000
        self.nothing = nn.Parameter(torch.zeros(()))

    def forward(self, patterns):
        logits = torch.full((len(patterns), N_CLASSES), -50.0)
        logits = logits.index_fill(1, torch.tensor([int(F_CUBIC)]), 0.0)
        seen = self.scale * patterns[:, self.begin : self.end].sum(1)
        return logits.index_copy(1, torch.tensor([int(P_CUBIC)]), seen[:, None] - 3.0) + self.nothing


def window_around(angle, half=0.4):
    return tuple(int(i) for i in np.searchsorted(INSTRUMENT.grid(), [angle - half, angle + half]))


def test_a_network_that_sums_a_window_reacts_exactly(world, put_in):
    model = Window(*window_around(bragg([1, 0, 0], A)))
    table = answers({"trained": class_probabilities(model, "absences")}, world, put_in, (0.0, 0.01, 0.1))
    one = table[(table["crystal"] == 0) & (table["count"] == 1) & (table["other_class"] == P_CUBIC)]
    area = (
        np.sqrt(np.pi / (4 * np.log(2))) * float(INSTRUMENT.fwhm(torch.tensor(bragg([1, 0, 0], A)))) / INSTRUMENT.step
    )
    for row in one.itertuples():
        seen = row.height * area * model.scale if row.place == "lattice" else 0.0
        assert row.other == pytest.approx(1 / (1 + np.exp(3 - seen)), abs=2e-3), row
        assert row.own == pytest.approx(1 - row.other, abs=1e-4)
        assert row.first == (P_CUBIC if seen > 3 else F_CUBIC)


def test_probabilities_add_up(world, put_in):
    model = tiny_model(n_classes=230, n_points=1000)
    table = answers({"random": class_probabilities(model, "space_group")}, world, put_in, (0.0, 1e-3))
    np.testing.assert_allclose(table["own"] + table["fits"] + table["neither"], 1, atol=1e-5)
    assert np.all(table["other"] <= table["fits"] + 1e-6) and len(table) == 2 * len(put_in)
    patterns = world.patterns()
    np.testing.assert_allclose(class_probabilities(model, "space_group")(patterns).sum(1), 1, atol=1e-6)


def test_means_count_each_crystal_once_and_differences_are_paired(world, put_in):
    model = Window(*window_around(bragg([1, 0, 0], A)))
    ask = class_probabilities(model, "absences")
    other = class_probabilities(Window(0, 1, 0.0), "absences")
    table = answers({"trained": ask, "random": other}, world, put_in, (0.0, 0.1))
    table = table[table["crystal"] == 0]
    means = mean_answers(table, ["network", "kind", "count", "place", "height"])
    own = means.query(
        "network == 'trained' and count == 4 and place == 'lattice' and height == 0.1 and answer == 'own'"
    )
    each = table.query("network == 'trained' and count == 4 and place == 'lattice' and height == 0.1")["own"]
    assert own["value"].item() == pytest.approx(each.mean()) and own["n"].item() == 1
    values = insertion_values(table, 0.1)
    assert values["difference_all"].value > 0.2 and values["random_difference_all"].value == pytest.approx(0, abs=1e-6)
    assert values["withdrawn_centring"].value == pytest.approx(
        values["own_moved_centring"].value - values["own_lattice_centring"].value
    )
    pairs = pair_table(table, 0.1).set_index("other")
    assert pairs.loc["P - - - (cubic)", "first_lattice"] == 1 and pairs.loc["P - - - (cubic)", "first_moved"] == 0


def test_what_deletion_says_of_a_network_that_waits_for_a_gap(crystals, world):
    trials = deletion_trials(crystals, INSTRUMENT)
    model = Window(*window_around(bragg([1, 0, 0], A + 0.2)), scale=1e4)
    table = answers({"trained": class_probabilities(model, "absences")}, world, trials, (0.0, 1.0))
    primitive = table[(table["crystal"] == 2) & (table["other_class"] == I_CUBIC)]
    own = primitive.set_index(["place", "height"])["own"]
    assert own["deciding", 0.0] < 0.1 and own["others", 0.0] > 0.9 and own["deciding", 1.0] > 0.9
    assert deletion_values(primitive)["deleted_own_deciding"].value == pytest.approx(own["deciding", 0.0])


def test_a_measured_world_changes_nothing_but_the_line(crystals):
    some = TrialWorld(crystals, MINERAL_INSTRUMENT, WHOLE_MINERALS, seed=4)
    trials = insertion_trials(crystals, MINERAL_INSTRUMENT, (1,))
    chosen = rows_of(trials, place="lattice")[:2]
    crystal = trials.table["crystal"].to_numpy()[chosen]
    fixed, changed = some.parts(trials, chosen)
    before = some.made(fixed, changed, 0.0, crystal)
    torch.testing.assert_close(before, some.patterns(crystal))
    # the first line of the doublet has the height 1, the other adds at most half
    assert 0.9 < changed.amax(1).min() and changed.amax(1).max() < 1.5
    assert np.all(some.noise() > 0) and np.all(TrialWorld(crystals, INSTRUMENT).noise() == 0)
    part = some.part(np.array([1, 2]))
    torch.testing.assert_close(part.patterns(), some.patterns(np.array([1, 2])), msg="the same draws")


def test_random_weights_are_another_network_of_the_same_kind():
    model = tiny_model(n_classes=99, n_points=1000)
    other = with_random_weights(model, 5)
    assert not torch.equal(next(model.parameters()), next(other.parameters())) and not other.training


def test_regions_part_the_points(crystals):
    lattice = lattice_lines(crystals, INSTRUMENT)
    where = regions(lattice, 3, INSTRUMENT.grid(), widths(INSTRUMENT, lattice.two_theta))
    assert np.all(where.sum(0) == 1)
    at = np.abs(INSTRUMENT.grid() - bragg([1, 0, 0], A)).argmin()
    assert where[1, 0, at] and not where[1, 2].any(), "a primitive cube forbids nothing"


def test_baselines_hold_what_they_say(crystals, world):
    starts = baselines(world)
    assert not starts["zero"].any() and torch.all(starts["background"] == BACKGROUND)
    added = (starts["filled"] - world.patterns()).numpy()
    at = np.abs(INSTRUMENT.grid() - bragg([1, 0, 0], A)).argmin()
    assert 0.5 * PUT_IN < added[0, at] <= PUT_IN * 1.001 and np.abs(added[2]).max() < 1e-6


def test_effects_and_maps_of_a_network_that_sums_a_window_agree(crystals):
    single = TrialWorld(crystals[np.array([0])], INSTRUMENT)
    model, targets = Window(*window_around(bragg([1, 0, 0], A)), scale=1.0), np.array([P_CUBIC])
    effects = insertion_effects(model, single, targets)
    inside = np.abs(effects.two_theta - bragg([1, 0, 0], A)) < 0.01
    assert inside.sum() == 1 and np.all(effects.change[inside] < -1e-4)
    np.testing.assert_allclose(effects.change[np.abs(effects.two_theta - bragg([1, 0, 0], A)) > 1], 0, atol=1e-6)
    gone = deletion_effects(model, single, targets)
    np.testing.assert_allclose(gone.change, 0, atol=1e-6)
    saliency = attribute(model, single.patterns(), targets, "saliency")
    assert agreement(saliency, effects, single)[0] > 0.3 and np.isnan(agreement(saliency, gone, single)[0])
    assert survival(saliency, saliency)[0] == pytest.approx(1)


def test_a_path_from_the_filled_pattern_adds_up(crystals, world):
    model = with_random_weights(tiny_model(n_classes=99, n_points=1000), 2)
    start = baselines(world)["filled"][:2]
    made = attribute(model, world.patterns()[:2], [3, 4], baseline=start, cuts=MIRRORED, max_steps=256)
    assert np.all(np.abs(made.maps.sum(1) - made.score_difference) <= made.delta + 1e-5)
    assert np.all(made.delta <= 0.05 * np.abs(made.score_difference) + 1e-3)
