"""The widgets in a plain process: what a kernel does when they are moved. The browser has a test of its own."""

import asyncio
import sys

import numpy as np
import pytest

pytest.importorskip("anywidget", reason="anywidget is not installed: pip install .[explore]")

from paperlib.explore import explorer as whole
from paperlib.explore import paper_figure
from paperlib.explore.cell_scene import cell_traces
from paperlib.explore.explorer import Shared
from paperlib.explore.group_panel import BY_CLASS, GroupPanel, facts_html
from paperlib.explore.later import WAIT, Later
from paperlib.explore.look import escape
from paperlib.explore.map_panel import MapPanel
from paperlib.explore.pattern_panel import PatternPanel
from paperlib.explore.pattern_plot import FORBIDDEN, PUT, Map
from paperlib.lab import paths
from tests.explore.test_loading import CIF, ROWS


@pytest.fixture
def shared(crystals):
    return Shared(crystals, 225)


@pytest.fixture
def panel(shared):
    return PatternPanel(shared)


def upload(panel, name, content):
    panel._uploaded(({"name": name, "content": memoryview(content)},))


def test_the_explorer_has_a_tab_for_each_panel_and_takes_crystals_to_the_bench(monkeypatch, crystals):
    made = {}
    kept = [
        (title, lambda shared, title=title, make=make: made.setdefault(title, make(shared)))
        for title, make in whole.PANELS
    ]
    monkeypatch.setattr(whole, "PANELS", tuple(kept))
    monkeypatch.setattr(whole, "crystals_of", lambda _source: crystals)
    tabs = whole.explorer("prototypes", 227).children[1]
    assert tabs.titles == tuple(title for title, _ in kept) and tabs.selected_index == 0
    groups, pattern, maps = made.values()
    groups.asking[1].click()
    assert tabs.selected_index == 1 and pattern.session.subject is groups.subjects[1]
    assert groups.subjects[1].name in pattern.name.value
    assert not maps.image.value
    tabs.selected_index = 2
    assert maps.image.value, "a map is drawn when its tab is opened"
    with pytest.raises(ValueError, match="give a number from 1 to 230"):
        whole.explorer("prototypes", 231)


def test_a_group_shows_its_facts_and_three_crystals(shared):
    panel = GroupPanel(shared)
    assert "h + k, h + l, k + l = 2n" in panel.facts.value and len(panel.subjects) == 3
    assert len(panel.figure.data) == 3 * (3 + 2), "edges, bonds and atoms, pattern and marks of each"
    panel.kind.value = BY_CLASS
    assert panel.chosen.value.is_class and 225 in panel.chosen.value.members
    panel.chosen.value = panel.chosen.options[-1][1]
    assert all(subject.truth in panel.chosen.value.members for subject in panel.subjects)
    assert "none: every reflection" in facts_html(whole_choice(221), np.zeros(231, dtype=int))


def whole_choice(number):
    from paperlib.explore.catalogue import Choice

    return Choice(number)


def test_sliders_clicks_and_maps_change_what_is_shown(panel):
    answer, curve = panel.answer.value, panel.figure.data[0].y.copy()
    panel.controls.sliders["noise"].value = 0.05
    assert panel.answer.value != answer and not np.array_equal(panel.figure.data[0].y, curve)
    panel.controls.sliders["noise"].value = 0.0
    assert panel.answer.value == answer
    panel._clicked(FORBIDDEN, 0)
    assert panel.answer.value != answer and len(panel.figure.data[PUT].x) == 1 and not panel.controls.undo.disabled
    panel.controls.undo.click()
    assert panel.answer.value == answer and panel.controls.undo.disabled
    title = panel.figure.layout.annotations[0].text
    panel.controls.map.value = "grad_cam"
    assert panel.figure.layout.annotations[0].text == "Grad-CAM" != title
    panel.controls.network.value = "clean"
    assert "Integrated gradients" in dict(panel.controls.map.options)


def test_an_upload_that_fails_is_said_and_nothing_is_lost(panel):
    subject, answer = panel.session.subject, panel.answer.value
    upload(panel, "<b>.xy", ROWS)
    assert "states no wavelength" in panel.message.value and "&lt;b&gt;.xy" in panel.message.value
    assert panel.session.subject is subject and panel.answer.value == answer
    panel.controls.beam.value = "one"
    upload(panel, "a.xy", ROWS)
    assert "the wavelength is &#x27;one&#x27;" in panel.message.value
    assert panel.session.subject is subject
    panel.controls.beam.value = ""
    upload(panel, "salt.cif", CIF.encode())
    assert panel.message.value == "" and panel.session.subject.truth == 225


def test_sliders_rest_for_a_measurement(panel):
    panel.controls.test.value = panel.controls.test.options[5][1]
    assert panel.session.subject.measured is not None
    assert all(slider.disabled for slider in panel.controls.sliders.values()) and panel.controls.network.disabled


def test_the_figure_for_a_paper_holds_what_is_shown_and_replaces_none(panel, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "work", lambda folder: tmp_path / folder)
    panel.controls.export.click()
    panel.controls.export.click()
    files = sorted(path.name for path in (tmp_path / "explore").iterdir())
    assert len(files) == 4 and {name.rpartition(".")[2] for name in files} == {"pdf", "png"}
    assert "written" in panel.controls.written.value
    figure = paper_figure.draw(panel.session, Map(title="nothing"))
    curve = figure.axes[0].lines[0]
    np.testing.assert_allclose(curve.get_ydata() ** 2, np.clip(panel.session.shown.intensity, 0, None), atol=1e-6)
    assert figure.axes[0].get_title(loc="left") == panel.session.subject.name


def test_atoms_on_faces_are_repeated_and_metals_are_not_bonded(salt, crystal_called):
    edges, bonded, atoms = cell_traces(salt.crystal, "scene")
    assert len(atoms.x) == 27 and np.isfinite(edges.x).sum() == 24 and np.isfinite(bonded.x).sum() == 2 * 54
    copper = cell_traces(crystal_called("Cu", 225).crystal, "scene")
    assert len(copper[2].x) == 14 and len(copper[1].x) == 0


def test_of_many_calls_the_last_is_done_when_the_hand_rests():
    done = []

    async def hand():
        later = Later()
        for i in range(5):
            later(lambda i=i: done.append(i))
        assert not done
        await asyncio.sleep(3 * WAIT)

    asyncio.run(hand())
    assert done == [4]
    Later()(lambda: done.append(5))
    assert done == [4, 5], "at once where no loop runs"


def test_names_of_files_cannot_become_markup():
    assert escape("<script>") == "&lt;script&gt;" and "rfc3987_syntax" not in {
        k for k, v in sys.modules.items() if v is None
    }


def test_a_figure_is_told_whole_until_the_browser_has_drawn_it(panel):
    panel.controls.sliders["noise"].value = 0.05
    np.testing.assert_array_equal(panel.figure._widget_data[0]["y"], panel.figure.data[0].y)
    panel._fitted.width = 612  # as the browser says
    assert panel.figure.layout.width == 612
    panel.controls.sliders["noise"].value = 0.0
    assert not np.array_equal(panel.figure._widget_data[0]["y"], panel.figure.data[0].y), "told as changes from now on"


def test_every_class_and_group_with_a_map_can_be_looked_at(shared, monkeypatch, tmp_path):
    panel = MapPanel(shared)
    assert not panel.image.value and not panel.chosen.options, "nothing is drawn before it is looked at"
    panel.opened()
    assert bytes(panel.image.value).startswith(b"\x89PNG") and len(panel.chosen.options) > 80
    first = bytes(panel.image.value)
    panel.chosen.value = "F - - - (cubic)"
    trained = bytes(panel.image.value)
    panel.network.value = True
    assert len({first, trained, bytes(panel.image.value)}) == 3
    panel.kind.value = "space group"
    assert panel.chosen.value == "Fm-3m" and len(panel.chosen.options) > 170
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    panel.kind.value = "extinction class"
    assert "no published maps" in panel.message.value and not bytes(panel.image.value)
