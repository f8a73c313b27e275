import gemmi
import numpy as np
import pytest
import torch
from scipy import stats

from paperlib.diffraction.absences import holohedry, present_codes
from paperlib.diffraction.ideal import ANGLES, BETA, EDGES, HEIGHTS, VOLUMES, ideal_patterns, random_cells
from paperlib.diffraction.instrument import Instrument
from paperlib.symmetry import groups
from paperlib.symmetry.extinction import extinction_classes

SHARP = Instrument(n_points=4251, resolution=(0.0, 0.0, 0.05**2))


def _volume(cells):
    return np.array([gemmi.UnitCell(*cell).volume for cell in cells])


def test_cells_have_the_metric_of_their_group():
    numbers = np.repeat(np.arange(1, 231), 3)
    cells = random_cells(numbers, 0)
    for number, cell in zip(numbers, cells, strict=True):
        assert groups.conforming_cell(int(number), cell)
        (beta,) = cell[4:5]
        if groups.crystal_system(int(number)) == "monoclinic":
            assert BETA[0] <= beta <= BETA[1]
    assert cells[:, :3].min() >= EDGES[0] and cells[:, :3].max() <= EDGES[1]
    volume = _volume(cells)
    assert volume.min() >= VOLUMES[0] and volume.max() <= VOLUMES[1]
    triclinic = random_cells([1] * 2000, 1)
    assert triclinic[:, 3:].min() >= ANGLES[0] and triclinic[:, 3:].max() <= ANGLES[1]
    assert np.ptp(triclinic[:, 3]) > 45


def test_edges_are_log_uniform_where_the_volume_does_not_cut():
    a = random_cells([221] * 4000, 3)[:, 0]
    lowest, highest = (v ** (1 / 3) for v in VOLUMES)
    assert stats.kstest(np.log(a / lowest) / np.log(highest / lowest), "uniform").pvalue > 0.01


def test_items_are_their_own():
    """Neither neighbours nor the size of a batch nor a memory budget change a cell or a pattern."""
    numbers = np.array([2, 62, 225, 14, 148, 195])
    together = ideal_patterns(numbers, Instrument(), 5)
    budget = ideal_patterns(numbers, Instrument(), 5, memory_budget=1)
    assert torch.equal(together, budget)
    for i in (3, 0, 5):
        assert np.array_equal(random_cells(numbers, 5)[i], random_cells(numbers[[i]], 5, np.array([i]))[0])
        assert torch.equal(ideal_patterns(numbers[[i]], Instrument(), 5, items=[i])[0], together[i])
    assert not torch.equal(ideal_patterns(numbers, Instrument(), 6), together)


@pytest.mark.parametrize("number", [1, 14, 62, 88, 148, 154, 167, 194, 205, 227])
def test_lines_stand_where_the_allowed_reflections_are(number):
    """Every reflection of a sphere from gemmi, which knows cell, d-spacing and absences by its own code."""
    pattern = ideal_patterns([number], SHARP, 2, normalise="none")[0].numpy()
    cell = gemmi.UnitCell(*random_cells([number], 2)[0])
    name = f"{gemmi.find_spacegroup_by_number(number).hm}"
    operations = gemmi.get_spacegroup_reference_setting(number).operations()
    reach = [int(edge / 1.0) + 1 for edge in (cell.a, cell.b, cell.c)]
    hkl = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), -1).reshape(-1, 3)
    hkl = hkl[np.any(hkl != 0, axis=1)].astype(np.int32)
    hkl = hkl[~operations.systematic_absences(hkl)]
    d = cell.calculate_d_array(hkl)
    d = d[d > SHARP.wavelength / 2 / np.sin(np.radians(SHARP.two_theta[1] / 2))]
    two_theta = np.degrees(2 * np.arcsin(SHARP.wavelength / 2 / d))
    two_theta = np.unique(two_theta[two_theta > SHARP.two_theta[0]].round(6))
    grid, step = SHARP.grid(), SHARP.step
    nearest = np.round((two_theta - grid[0]) / step).astype(int)
    assert np.all(pattern[nearest] > 1e-6 * pattern.max()), name
    distance = np.abs(grid[:, None] - two_theta).min(axis=1)
    assert np.all(pattern[distance > 0.15] < 1e-7 * pattern.max()), name


def test_heights_by_hand():
    """Cubic P: each line of one orbit holds a height in 5-1000 times 1 / (sin 2θ sin θ); overlaps hold several."""
    n = 300
    numbers = np.full(n, 221)
    patterns = ideal_patterns(numbers, SHARP, 4, normalise="none").double().numpy()
    a = random_cells(numbers, 4)[:, 0]
    heights = {}
    for squares in (1, 2, 3, 9):
        theta = np.arcsin(SHARP.wavelength * np.sqrt(squares) / 2 / a)
        inside = (2 * np.degrees(theta) > 6) & (2 * np.degrees(theta) < 89)
        centre = 2 * np.degrees(theta)
        area = (
            np.array([p[np.abs(SHARP.grid() - c) < 0.2].sum() for p, c in zip(patterns, centre, strict=True)])[inside]
            * SHARP.step
        )
        heights[squares] = area * (np.sin(2 * theta) * np.sin(theta))[inside]
    for squares in (1, 2, 3):
        low, high = HEIGHTS
        assert np.all((heights[squares] > 0.999 * low) & (heights[squares] < 1.001 * high))
        assert stats.kstest((heights[squares] - low) / (high - low), "uniform").pvalue > 0.005
    assert abs(np.corrcoef(heights[1][:200], heights[2][:200])[0, 1]) < 0.2
    # 300 and 221 fall together: the sum of two heights
    assert heights[9].max() > HEIGHTS[1]
    assert heights[9].mean() == pytest.approx(sum(HEIGHTS), rel=0.1)


def test_another_instrument_sees_the_same_specimen():
    wide = Instrument(two_theta=(5, 120), n_points=5751, resolution=(0, 0, 0.0025))
    narrow = Instrument(two_theta=(20, 60), n_points=2001, resolution=(0, 0, 0.0025))
    for family in ("line", "laue"):
        a = ideal_patterns([88, 14], wide, 0, family=family, normalise="none")[:, 750:2751]
        b = ideal_patterns([88, 14], narrow, 0, family=family, normalise="none")
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-3)


def test_one_class_one_pattern():
    """Groups that allow the same lines of the same lattice give the same bytes for the same item, all 97 classes; in
    the published variant the Laue class shows."""
    compared = 0
    for members in extinction_classes("absences"):
        tables = {}
        for number in members:
            laue = holohedry(number)
            tables.setdefault((laue, present_codes(number, laue).tobytes()), []).append(number)
        for alike in tables.values():
            patterns = ideal_patterns(alike, Instrument(), 1, items=[7] * len(alike))
            assert all(torch.equal(patterns[0], other) for other in patterns[1:]), alike
            compared += len(alike) - 1
    assert compared > 100
    published = ideal_patterns([75, 89], Instrument(), 1, family="laue", items=[7, 7])
    assert not torch.equal(published[0], published[1])


def test_published_heights_give_the_laue_class_away():
    """Lines of 4/m above the largest height; none in 4/mmm but where lines overlap by accident."""

    def share(number, family):
        patterns = ideal_patterns([number] * 200, SHARP, 9, family=family, normalise="none").double()
        theta = torch.from_numpy(np.radians(SHARP.grid() / 2))
        width = 0.05 * np.sqrt(np.pi / 4 / np.log(2))
        heights = patterns * torch.sin(2 * theta) * torch.sin(theta) * width
        return float((heights > 1.02 * HEIGHTS[1]).double().mean())

    assert share(83, "laue") > 1.3 * share(123, "laue")
    assert share(83, "line") == share(123, "line")


def test_strongest_point_is_one_and_nothing_is_negative():
    patterns = ideal_patterns(np.arange(1, 231), Instrument(n_points=4096), 0)
    assert patterns.dtype == torch.float32 and patterns.shape == (230, 4096)
    assert torch.all(patterns.amax(dim=1) == 1) and torch.all(patterns >= 0)


def test_no_patterns():
    assert ideal_patterns([], Instrument(), 0).shape == (0, 1000)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"family": "friedel"}, r"'friedel'; use 'line' or 'laue'"),
        ({"normalise": "sum"}, r"'sum'"),
        ({"space_groups": [1, 231]}, r"231.*1 to 230"),
        ({"items": [1]}, r"\(2,\) and items \(1,\)"),
        ({"items": [0, -3]}, r"-3"),
        ({"instrument": Instrument(two_theta=(5, 5.5), n_points=50)}, r"item 0 \(space group 225, cell .* no line"),
    ],
)
def test_nonsense_is_refused(change, message):
    arguments = {"space_groups": [225, 225], "instrument": Instrument(), "seed": 0} | change
    with pytest.raises(ValueError, match=message):
        ideal_patterns(**arguments)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_gpu_and_cpu_agree():
    numbers = np.arange(1, 231)
    ours, theirs = (ideal_patterns(numbers, Instrument(), 0, device) for device in ("cuda", "cpu"))
    torch.testing.assert_close(ours.cpu(), theirs, rtol=0, atol=1e-5)
