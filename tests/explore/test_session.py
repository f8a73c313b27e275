"""What a click and a slider do to the answer, without any widget."""

import numpy as np
import pytest

from paperlib.explore.loading import simulated_offers
from paperlib.explore.maps import METHODS, attribution_map, methods_for
from paperlib.explore.networks import clean, robust
from paperlib.explore.pattern_plot import ALLOWED, CURVE, FORBIDDEN, PUT
from paperlib.explore.session import DELETE, INSERT, LOOK, Session
from paperlib.symmetry.extinction import class_of_space_group


@pytest.fixture
def session(salt):
    return Session(salt)


@pytest.fixture
def measured(crystals):
    return Session(next(make for text, make in simulated_offers(crystals) if "Fm-3m" in text or "Pnma" in text)())


def test_it_answers_as_the_command_would(session, salt):
    own = int(class_of_space_group("published")[225])
    assert session.opinion.classes[0] == own and session.opinion.class_p.sum() == pytest.approx(1)
    assert session.opinion.group_p.sum() == pytest.approx(1) and len(session.opinion.group_p) == 230
    session.ask("clean")
    assert session.network is clean() and session.opinion.group_p.size == 0 and len(session.shown.pattern) == 1000


def test_a_ring_puts_a_forbidden_line_in_and_the_same_click_takes_it_out(session):
    before = session.opinion.class_p.copy()
    assert session.click(FORBIDDEN, 0, LOOK)
    assert len(session.edits.put) == 1 and not np.allclose(session.opinion.class_p, before)
    assert session.click(FORBIDDEN, 0, LOOK)
    np.testing.assert_array_equal(session.opinion.class_p, before)


def test_forbidden_lines_of_some_height_take_the_class_away(session):
    own, session.height = session.opinion.classes[0], 0.2
    for ring in range(4):
        session.click(FORBIDDEN, ring, LOOK)
    assert session.opinion.classes[0] != own
    session.undo_all()
    assert session.opinion.classes[0] == own


def test_clicks_on_the_curve_do_what_was_chosen(session):
    place = int(np.argmin(np.abs(session.shown.two_theta - 40.0)))
    assert not session.click(CURVE, place, LOOK) and not session.edits.put
    assert session.click(CURVE, place, INSERT)
    ((d, height),) = session.edits.put
    assert height == session.height and d == pytest.approx(
        session.shown.wavelength / (2 * np.sin(np.radians(20))), rel=1e-3
    )
    assert not session.click(CURVE, int(np.argmin(np.abs(session.shown.two_theta - 36.0))), DELETE), "no line is there"
    assert session.click(CURVE, place, DELETE) and not session.edits.put
    peak = int(np.nanargmax(session.shown.intensity))
    assert session.click(CURVE, peak, DELETE) and len(session.edits.taken) == 1
    session.click(CURVE, place, INSERT)
    assert session.click(PUT, 0, LOOK) and not session.edits.put


def test_edits_keep_their_place_in_the_crystal_when_the_wavelength_changes(session):
    session.click(ALLOWED, 0, LOOK)
    edits = session.edits
    session.change(wavelength=1.2)
    assert session.edits == edits and session.shown.wavelength == 1.2
    session.click(ALLOWED, 0, LOOK)
    assert not session.edits.taken


def test_what_fails_leaves_everything_as_it_was(session):
    before = dict(session.__dict__)
    with pytest.raises(ValueError):
        session.change(wavelength=0.01)
    assert session.__dict__ == before


def test_a_measured_pattern_is_asked_about_and_edited_point_by_point(measured):
    assert measured.shown.reflections is None and measured.marks.allowed.all() and len(measured.marks.d) >= 3
    measured.ask("clean")
    assert measured.network is robust(), "the other one is not for measurements"
    line = int(
        np.argmax(
            [measured.shown.intensity[np.nanargmin(np.abs(measured.shown.two_theta - a))] for a in _angles(measured)]
        )
    )
    angle, before = _angles(measured)[line], measured.opinion.class_p.copy()
    near = np.abs(measured.shown.two_theta - angle) < 0.1
    high = np.nanmax(measured.shown.intensity[near])
    assert measured.click(ALLOWED, line, LOOK)
    assert np.nanmax(measured.shown.intensity[near]) < 0.5 * high and not np.allclose(measured.opinion.class_p, before)
    measured.click(ALLOWED, line, LOOK)
    np.testing.assert_array_equal(measured.opinion.class_p, before)
    measured.height = 0.5
    empty = int(np.argmin(np.where(np.isfinite(measured.shown.intensity), measured.shown.intensity, np.inf)))
    low = measured.shown.intensity[empty]
    assert measured.click(CURVE, empty, INSERT) and measured.shown.intensity[empty] > low + 0.3


def _angles(session):
    return 2 * np.degrees(np.arcsin(session.shown.wavelength / (2 * session.marks.d)))


def test_deciding_lines_are_named_and_weighed_by_taking_them_away(session):
    deciding = session.deciding()
    assert np.all(np.diff(np.abs(deciding.effect)) <= 1e-12)
    places = [line.d for line in deciding.lines]
    first = int(np.argmin(np.abs(np.array(places) - session.marks.d[session.marks.allowed][0])))
    assert deciding.names[first] == "1 1 1"
    p1, p2 = session.opinion.classes[:2]
    odds = np.log(session.opinion.class_p[p1] / session.opinion.class_p[p2])
    session.click(ALLOWED, 0, LOOK)
    after = np.log(session.opinion.class_p[p1] / session.opinion.class_p[p2])
    assert deciding.effect[first] == pytest.approx(odds - after, abs=0.3), "cut out of points, or out of the line list"


def test_the_map_of_experiments_holds_what_clicks_would_do(session):
    deciding = session.deciding()
    found = session.line_map(deciding)
    p1, p2 = session.opinion.classes[:2]
    before = np.log(session.opinion.class_p[p1] / session.opinion.class_p[p2])
    session.click(FORBIDDEN, 1, LOOK)
    after = np.log(session.opinion.class_p[p1] / session.opinion.class_p[p2])
    assert found.value[len(deciding.lines) + 1] == pytest.approx(before - after, abs=1e-4)


def test_attribution_maps_stand_at_the_angles_that_are_shown(session):
    assert "Integrated gradients" not in methods_for(session.network) and methods_for(clean()) == METHODS
    session.change(wavelength=1.2)
    found = attribution_map(session.network, session.shown, int(session.opinion.classes[0]), "saliency")
    assert len(found.two_theta) == len(found.value) and found.value.max() > 0 and found.two_theta.max() < 70
    session.ask("clean")
    found = attribution_map(session.network, session.shown, int(session.opinion.classes[0]), "integrated_gradients")
    assert "within" in found.title
