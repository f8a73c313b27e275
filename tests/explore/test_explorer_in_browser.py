"""The notebook in JupyterLab in a headless Chromium, its kernel alive: by clicks, as a user opens and uses it.

Skipped where there is no Chromium, no ``websocket-client`` (``pip install .[page]``) or no anywidget.
"""

import shutil
from urllib.parse import urlsplit

import pytest

from tests.conftest import ROOT
from tests.explore.notebook import MINUTES, Lab, choose, click_on, click_once, with_text
from tests.explore.test_loading import ROWS
from tests.page.chromium import Browser, program

SECONDS = 60 * MINUTES
ANSWER = "document.querySelector('.explore-answer')?.innerText"
PLOT = "[...document.querySelectorAll('.js-plotly-plot')].find(p => p.clientWidth > 0 && p._fullData?.length === {})"
RING = """(p => {{
    const place = p.getBoundingClientRect(), layout = p._fullLayout;
    return [place.x + layout.xaxis._offset + layout.xaxis.d2p(p._fullData[2].x[{0}]),
            place.y + layout.yaxis2._offset + layout.yaxis2.d2p(0)];
}})({1})"""
"""Where a ring of a forbidden line stands on the page."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab in a folder with nothing but a copy of the notebook, which it may save with its outputs."""
    pytest.importorskip("websocket", reason="websocket-client is not installed: pip install .[page]")
    pytest.importorskip("anywidget", reason="anywidget is not installed: pip install .[explore]")
    if not program():
        pytest.skip("no Chromium here: apt-get install chromium")
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(ROOT / "notebooks" / "21_explore.ipynb", folder)
    with Lab(folder, tmp_path_factory.mktemp("jupyter"), PAPERLIB_ROOT=str(ROOT)) as running:
        yield running


def run_all(browser):
    browser.until("!!document.querySelector('.jp-Notebook .jp-CodeCell')", SECONDS)
    # before its kernel is there, JupyterLab would ask which one to take
    browser.until("document.body.innerText.includes('Python 3 (ipykernel) | Idle')", SECONDS)
    click_on(browser, with_text(".lm-MenuBar-item", "Run"))
    entry = with_text(".lm-Menu-itemLabel", "Run All Cells")
    browser.until(f"!!({entry})", SECONDS)
    click_on(browser, entry)


def test_a_user_opens_it_asks_and_clicks_lines_in_and_out(lab, tmp_path):
    with Browser(1400, 1300) as browser:
        browser.open(lab.page("21_explore.ipynb"))
        run_all(browser)
        browser.until("document.querySelector('.explore h3')?.innerText === 'Fm-3m (225)'", SECONDS)
        # JupyterLab draws what is in view
        browser.value("document.querySelector('.explore h3').scrollIntoView({block: 'center'})")
        groups = PLOT.format(15)
        # as wide as its place, whose width a widget of ours tells it
        browser.until(f"(p => p && p._fullLayout.width !== 700 && p.clientWidth > 300)({groups})", SECONDS)
        assert browser.value(f"({groups})._fullLayout.width <= ({groups}).parentElement.clientWidth")

        ask = with_text("button.explore-ask", "NaCl")
        click_on(browser, ask)
        plot = PLOT.format(8)
        browser.until(f"(p => p?._fullData[2].x.length > 3 && p._fullLayout.width !== 700)({plot})", SECONDS)
        first = browser.until(ANSWER, SECONDS)
        assert first.startswith("F - - - (cubic)")
        # the page rests when what takes longer is there, and a click finds what stands where it was
        browser.until("document.body.innerText.includes('ln(P1/P2) lost when')", SECONDS)
        browser.value(f"({plot}).scrollIntoView({{block: 'center'}})")

        def ring_is(symbol):
            browser.until(f"({plot})._fullData[2].marker.symbol[0] === '{symbol}'", SECONDS)

        ring_is("circle-open")
        # plotly takes a click for one on what it has just labelled
        label = f"({plot}).querySelector('.hoverlayer')?.textContent.includes('forbidden')"
        click_once(browser, RING.format(0, plot), label)
        ring_is("circle")
        changed = browser.until(f"({ANSWER} !== {first!r}) && {ANSWER}", SECONDS)
        browser.until("document.body.innerText.includes('Lines that decide')", SECONDS)
        click_on(browser, with_text("button", "all lines as they were"))
        ring_is("circle-open")
        browser.until(f"{ANSWER} === {first!r}", SECONDS)
        assert changed != first

        bad = tmp_path / "bad.xy"
        bad.write_bytes(ROWS)
        choose(browser, "document.querySelector('.widget-upload')", bad)
        said = browser.until("document.querySelector('.explore-error')?.innerText", SECONDS)
        assert said.startswith("bad.xy: the file states no wavelength")
        assert browser.value(ANSWER) == first, "nothing is lost"

        asked = {urlsplit(r["url"]).hostname for r in browser.requests() if r["url"].startswith(("http", "ws"))}
        assert asked == {"127.0.0.1"}, "all of it comes from this machine"
