"""The page in a headless Chromium: a file is dropped on it, and it says what ``paperlib classify`` says of that file.

Skipped where there is no Chromium, no ``websocket-client`` (``pip install .[page]``) or nothing to build the page from:
neither ``build/fetched`` nor npm.
"""

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading

import pytest

from paperlib.cli import main
from paperlib.lab import paths
from tests.conftest import ROOT
from tests.page.chromium import Browser, program

MINUTES = 10
"""That a busy machine may take; an idle one takes ten seconds."""
READY = "document.getElementById('status')?.textContent.startsWith('Ready')"
OVER = "['answer', 'error'].some(id => !document.getElementById(id).hidden)"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Nothing."""


@pytest.fixture(scope="module")
def page(weights, tmp_path_factory):
    """The address of the page, with a network of fresh weights."""
    pytest.importorskip("websocket", reason="websocket-client is not installed: pip install .[page]")
    if not program():
        pytest.skip("no Chromium here: apt-get install chromium")
    kept = list((ROOT / "build" / "fetched").glob("*.tgz"))
    if len(kept) < 2 and not shutil.which("npm"):
        pytest.skip("nothing to build the page from: no npm, and nothing in build/fetched")
    out = tmp_path_factory.mktemp("built") / "page"
    tool = [sys.executable, str(ROOT / "tools" / "build_page.py"), "--weights", str(weights), "--out", str(out)]
    done = subprocess.run(tool, capture_output=True, text=True, timeout=300)
    if done.returncode and "npm did not fetch" in done.stderr:
        pytest.skip(f"no network: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(out)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def classified(weights, file, monkeypatch, *options):
    """What the command says of a file, as JSON."""
    out = file.with_suffix(".answers.json")
    monkeypatch.setenv("PAPERLIB_ROOT", str(weights.parents[2]))
    monkeypatch.setattr(paths, "check_installation", lambda: None)
    assert main(["classify", str(file), "--json", str(out), *options]) == 0
    return json.loads(out.read_text())[0]


def agree(shown, told):
    assert [p["symbol"] for p in shown["predictions"][:5]] == [p["symbol"] for p in told["predictions"][:5]]
    for one, other in zip(shown["predictions"], told["predictions"], strict=True):
        assert one["probability"] == pytest.approx(other["probability"], abs=1e-4)
    assert shown["warnings"] == told["warnings"] and shown["known"] == told["known"]
    assert len(shown["lines"]) == len(told["lines"])
    assert shown["lines"][0]["effect"] == pytest.approx(told["lines"][0]["effect"], abs=1e-3)


def test_a_dropped_file_is_answered_as_in_the_terminal_and_nothing_is_sent(page, weights, files, monkeypatch, tmp_path):
    real = os.environ.get("PAPERLIB_DATA")
    vendor = (ROOT / real / "vendor" / "panalytical.xrdml") if real else None
    if vendor and vendor.is_file():
        file, options, wavelength = tmp_path / vendor.name, (), ""
        shutil.copyfile(vendor, file)
    else:
        file, options, wavelength = files[0], ("--wavelength", "1.5406"), "1.5406"
    told = classified(weights, file, monkeypatch, *options)
    with Browser() as browser:
        browser.open(page)
        browser.until(READY, 60 * MINUTES)
        asked = len(browser.requests())
        assert asked >= 12, "requests of page and worker are seen"

        bad = tmp_path / "bad.xy"
        bad.write_text("".join(f"{5 + 0.02 * i:.2f} {100 + i % 7}\n" for i in range(2000)))
        browser.drop(bad, "#place")
        browser.until(OVER, 60 * MINUTES)
        error = browser.value("document.getElementById('error').innerText")
        assert error == "bad.xy: the file states no wavelength; give it in the field above (Å; Cu Kα1 alone has " + (
            "1.5406, Cu Kα1 and Kα2 together 1.5418)"
        )
        assert browser.value("document.activeElement.id") == "wavelength"

        browser.value(f"document.getElementById('wavelength').value = '{wavelength}'")
        browser.drop(file, "#place")
        browser.until("!document.getElementById('answer').hidden", 60 * MINUTES)
        assert browser.value("document.getElementById('error').hidden")
        heading = browser.value("document.getElementById('found').innerText")
        best = told["predictions"][0]
        assert heading == (f"{best['symbol']}: {100 * best['probability']:.1f} %" if told["known"] else "I do not know")
        first = browser.value("document.querySelector('#classes tbody tr').innerText")
        assert best["symbol"] in first and f"({best['space_groups'][0]})" in first
        assert browser.value("document.querySelectorAll('#plot .pattern').length") >= 1
        assert browser.value("document.querySelectorAll('#lines tbody tr').length") == min(8, len(told["lines"]))
        requests = browser.requests()
        agree(browser.value("current"), told)

        assert len(requests) == asked, f"asked of the network after the start: {requests[asked:]}"
        assert all(r["method"] == "GET" and r["url"].startswith((page, "data:")) for r in requests)
        thrown = [e for e in browser.events if e["method"] == "Runtime.exceptionThrown"]
        assert not thrown
