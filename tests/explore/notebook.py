"""JupyterLab with a notebook in a headless Chromium: just what the test of the explorer needs."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.page.chromium import Browser

MINUTES = 5
"""That a busy machine may take; an idle one takes seconds."""


class Lab:
    """A JupyterLab on this machine that serves ``folder``, ended with the block."""

    def __init__(self, folder: Path, state: Path, **environment: str) -> None:
        self._folder, self._token = folder, secrets.token_hex(16)
        self._runtime = state / "runtime"
        homes = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTERLAB_SETTINGS_DIR": "lab",
            "JUPYTERLAB_WORKSPACES_DIR": "spaces",
        }
        self._environment = os.environ | {"JUPYTER_RUNTIME_DIR": str(self._runtime)} | environment
        self._environment |= {name: str(state / place) for name, place in homes.items()}

    def __enter__(self) -> Lab:
        line = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0"]
        line += [f"--ServerApp.root_dir={self._folder}", f"--IdentityProvider.token={self._token}"]
        line += ["--LabApp.news_url=None", "--ServerApp.log_level=WARN"]
        self._process = subprocess.Popen(
            line, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.url = self._told()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(60)
        shutil.rmtree(self._runtime, ignore_errors=True)

    def page(self, notebook: str) -> str:
        """The address of a notebook in JupyterLab."""
        return f"{self.url}lab/tree/{notebook}?token={self._token}&reset"

    def _told(self) -> str:
        end = time.monotonic() + 60 * MINUTES
        while time.monotonic() < end:
            for file in self._runtime.glob("jpserver-*.json"):
                url = json.loads(file.read_text() or "{}").get("url", "")
                if url and self._answers(url):
                    return url
            if self._process.poll() is not None:
                raise RuntimeError(f"JupyterLab ended with status {self._process.returncode}")
            time.sleep(0.1)
        raise TimeoutError("JupyterLab did not begin to listen")

    def _answers(self, url: str) -> bool:
        try:
            with urllib.request.urlopen(f"{url}api/status?token={self._token}", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False


def click(browser: Browser, x: float, y: float) -> None:
    """Move the mouse to a place on the page, and press and release its button."""
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    for kind in ("mousePressed", "mouseReleased"):
        browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


def click_once(browser: Browser, place: str, once: str) -> None:
    """Move the mouse to a place, the value of an expression, till another is true, and click. The place is asked for
    anew each time: what is drawn while a page comes to rest moves under the mouse, and a mouse that rests tells
    nothing."""
    end = time.monotonic() + 60 * MINUTES
    while time.monotonic() < end:
        x, y = browser.value(place)
        for beside in (3, 0):
            browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x + beside, y=y)
        time.sleep(0.3)
        if browser.value(once):
            click(browser, x, y)
            return
    raise TimeoutError(f"{once} never came true with the mouse at {place}")


def click_on(browser: Browser, element: str) -> None:
    """Bring an element, the value of an expression of JavaScript, into view, and click on its middle."""
    browser.value(f"({element}).scrollIntoView({{block: 'center'}})")
    time.sleep(0.3)
    click(browser, *middle(browser, element))


def middle(browser: Browser, element: str) -> tuple[float, float]:
    """The middle of an element on the page."""
    box: Any = browser.value(f"(r => [r.x + r.width / 2, r.y + r.height / 2])(({element}).getBoundingClientRect())")
    return box[0], box[1]


def choose(browser: Browser, button: str, file: Path, seconds: float = 60) -> None:
    """Click on a button that asks for a file, and give it one."""
    browser.call("Page.setInterceptFileChooserDialog", enabled=True)
    click_on(browser, button)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        browser.value("1")  # whatever was told is here now
        if asked := [e for e in browser.events if e["method"] == "Page.fileChooserOpened"]:
            node = asked[-1]["params"]["backendNodeId"]
            browser.call("DOM.setFileInputFiles", backendNodeId=node, files=[str(file.resolve())])
            return
        time.sleep(0.1)
    raise TimeoutError(f"{button} did not ask for a file")


def with_text(selector: str, text: str) -> str:
    """An expression for the first visible element of a selector whose text holds ``text``."""
    return (
        f"[...document.querySelectorAll({json.dumps(selector)})].find(e => "
        f"e.offsetParent !== null && e.textContent.includes({json.dumps(text)}))"
    )
