"""Sections of reciprocal space: what is drawn where, from made-up maps whose reflections are real."""

import numpy as np
import pytest
from matplotlib import colormaps

from paperlib.lab.results import MissingResultError
from paperlib.reporting import style
from paperlib.reporting.figures import fig_maps
from paperlib.symmetry.groups import is_absent
from paperlib.symmetry.reflection_families import representatives

STEM = "16_maps"


def places(ax):
    """What is drawn in a section: places of circles, rings, grey dots and grey rings, as sets of whole indices."""
    circles, _rims, *others = ax.collections
    offsets = [np.rint(c.get_offsets().data).astype(int) for c in (circles, *others)]
    return [set(map(tuple, points.tolist())) for points in offsets]


def sections(fig):
    return [ax for ax in fig.axes if ax.lines]


def test_an_f_lattice_has_rings_at_mixed_indices_and_circles_at_unmixed_ones(results):
    hk0, _, _, hhl = sections(fig_maps.draw_class(results, "F - - - (cubic)"))
    circles, rings, dots, thin = places(hk0)
    assert all(h % 2 == k % 2 == 0 for h, k in circles | dots) and {(0, 2), (-2, 0), (2, 0)} <= circles | dots
    assert all(h % 2 or k % 2 for h, k in rings | thin) and (1, 0) in rings | thin
    assert len(circles | rings | dots | thin) == 80, "every place but the middle, once"
    circles, rings, dots, thin = places(hhl)
    assert (1, 1) in circles | dots and (1, 2) in rings | thin


def test_the_d_glide_turns_200_into_a_ring_and_leaves_220_a_circle(results):
    for symbol in ("F d - -", 227):
        circles, rings, dots, thin = places(sections(fig_maps.draw_class(results, symbol))[0])
        assert {(2, 0), (0, -2), (4, 2)} <= rings | thin and {(2, 2), (4, 0)} <= circles | dots


def test_equivalents_have_one_colour_which_is_what_the_table_says(results):
    arrays = results.arrays(STEM, "class_maps")
    labels = results.table(STEM, "class_labels").set_index("symbol")["label"]
    own = arrays["label"] == labels["F - - - (cubic)"]
    row = own & (arrays["hkl"] == (1, 1, 0)).all(axis=1)
    value = float(arrays["insertion"][row][0])
    assert arrays["n"][row][0] >= 4 and value < 0
    ring = sections(fig_maps.draw_class(results, "F - - - (cubic)"))[0].collections[2]
    found = {
        tuple(place): tuple(colour)
        for place, colour in zip(
            np.rint(ring.get_offsets().data).astype(int).tolist(), ring.get_edgecolors(), strict=True
        )
    }
    expected = colormaps[style.SIGNED](fig_maps._NORM(value))
    assert all(found[place] == pytest.approx(expected, abs=1e-6) for place in ((1, 1), (-1, 1), (1, -1), (-1, -1)))


def test_a_mean_that_may_as_well_be_nothing_is_white(results):
    arrays, labels = results.arrays(STEM, "class_maps"), results.table(STEM, "class_labels")
    own = arrays["label"] == labels.set_index("symbol").loc["P - - - (cubic)", "label"]
    columns = [arrays[name][own].astype(float) for name in ("deletion", "error", "n")]
    unsure = {
        tuple(hkl)
        for hkl, value, error, n in zip(arrays["hkl"][own].tolist(), *columns, strict=True)
        if abs(value) < 2 * error and n >= 4
    }
    circles = sections(fig_maps.draw_class(results, "P - - - (cubic)"))[0].collections[0]
    values = np.asarray(circles.get_array())
    called = representatives(221, np.c_[np.rint(circles.get_offsets().data).astype(int), np.zeros(len(values), int)])
    white = {tuple(hkl) for hkl, value in zip(called.tolist(), values, strict=True) if value == 0}
    assert white and white == {hkl for hkl in unsure if hkl in set(map(tuple, called.tolist()))}


def test_families_of_too_few_crystals_are_grey(results):
    arrays, labels = results.arrays(STEM, "class_maps"), results.table(STEM, "class_labels")
    label = int(labels.set_index("symbol").loc["P - - - (cubic)", "label"])
    own = arrays["label"] == label
    few = {tuple(hkl) for hkl, n in zip(arrays["hkl"][own].tolist(), arrays["n"][own], strict=True) if n < 4}
    circles, _, dots, _ = places(sections(fig_maps.draw_class(results, "P - - - (cubic)"))[0])
    called = {place: tuple(representatives(221, np.array([(*place, 0)]))[0].tolist()) for place in circles | dots}
    assert few and all(called[place] not in few for place in circles)
    assert any(called[place] in few for place in dots)


def test_the_hexagonal_plane_has_six_neighbours_around_the_middle(results):
    plane = sections(fig_maps.draw_class(results, "R - -"))[0]
    circles, _rims, *others = plane.collections
    points = np.concatenate([c.get_offsets().data for c in (circles, *others)])
    radius = np.sort(np.linalg.norm(points, axis=1))
    np.testing.assert_allclose(radius[:6], 1.0)
    assert radius[6] == pytest.approx(np.sqrt(3))


def test_other_effects_and_random_weights_are_drawn_on_request(results):
    def colours(**how):
        return sections(fig_maps.draw_class(results, "P n a -", **how))[2].collections[2].get_edgecolors()

    assert not np.allclose(colours(), colours(random=True))
    assert any(
        "random weights" in text.get_text() for text in fig_maps.draw_class(results, "P n a -", random=True).texts
    )
    assert colours(shown="gradients").shape[0] > 0
    with pytest.raises(KeyError):
        fig_maps.draw_class(results, "P n a -", shown="nothing")


def test_a_class_without_a_map_is_said_to_have_none(smoke_results):
    with pytest.raises(MissingResultError, match=r"no map of 'F d - -'"):
        fig_maps.draw_class(smoke_results, "F d - -")


def test_the_page_shows_eight_classes_and_what_each_tells_is_so(results):
    fig = fig_maps.draw(results)
    assert len(sections(fig)) == 8 * 4
    labels = results.table(STEM, "class_labels").set_index("symbol")
    absent = [
        int(is_absent(int(labels.loc[s, "space_group"]), np.array([[1, 0, 0], [0, 1, 0]])).sum())
        for s in fig_maps.STORY
    ]
    assert len(absent) == 8 and absent[0] == 0 and absent[2] == 2, "every class of the story is one"
