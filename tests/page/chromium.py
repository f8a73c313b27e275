"""A headless Chromium, driven by its DevTools protocol: just what the test of the page needs."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def program() -> str:
    """The path of a Chromium, "" where none is installed."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), "")


class Browser:
    """One page in a Chromium of its own, which is closed with the block."""

    def __init__(self, width: int = 1000, height: int = 1400) -> None:
        self.events: list[dict[str, Any]] = []
        """Of the page and of its workers, in order."""
        self._size, self._count, self._answers = (width, height), 0, {}

    def __enter__(self) -> Browser:
        from websocket import create_connection

        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        width, height = self._size
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        options += ["--remote-debugging-port=0", "--remote-allow-origins=*", "--disable-background-networking"]
        options += [f"--user-data-dir={self._folder.name}", f"--window-size={width},{height}", "about:blank"]
        self._process = subprocess.Popen([program(), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port, path = self._told()
        self._socket = create_connection(f"ws://127.0.0.1:{port}{path}", timeout=60)
        target = self._send("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self._send("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session = attached["sessionId"]
        self.call("Page.enable")
        self.call("Network.enable")
        self.call("Runtime.enable")
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **metrics)
        # requests of the worker are seen by a session of its own
        self.call("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=True, flatten=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.terminate()
        self._process.wait(30)
        self._folder.cleanup()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a method of the protocol."""
        return self._send(method, parameters, self._session)

    def open(self, url: str) -> None:
        """Go to ``url``; the page may still be loading afterwards."""
        self.call("Page.navigate", url=url)

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript is on the page. Raises RuntimeError where it throws."""
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise RuntimeError(json.dumps(done["exceptionDetails"]))
        return done["result"].get("value")

    def until(self, expression: str, seconds: float = 120) -> Any:
        """Wait until an expression is true, and return it. Raises TimeoutError, with the text of the page."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := self.value(expression):
                return found
            time.sleep(0.1)
        raise TimeoutError(
            f"{expression} is not true after {seconds:g} s; the page: {self.value('document.body.innerText')}"
        )

    def drop(self, file: Path, selector: str) -> None:
        """Drag a file from outside onto an element and let it go."""
        box = self.value(f"(r => [r.x + r.width / 2, r.y + r.height / 2])({_box(selector)})")
        data = {"items": [], "files": [str(file.resolve())], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=box[0], y=box[1], data=data)

    def picture(self, path: Path) -> Path:
        """Write the whole page as a PNG."""
        made = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(b64decode(made["data"]))
        return path

    def requests(self) -> list[dict[str, Any]]:
        """What was asked of the network so far, by the page and its workers."""
        self.value("1")  # whatever was sent before is here now
        return [e["params"]["request"] for e in self.events if e["method"] == "Network.requestWillBeSent"]

    def _told(self, seconds: float = 60) -> tuple[str, str]:
        """Port and path at which the browser listens."""
        file, end = Path(self._folder.name) / "DevToolsActivePort", time.monotonic() + seconds
        while time.monotonic() < end:
            if file.is_file() and len(lines := file.read_text().split()) == 2:
                return lines[0], lines[1]
            if self._process.poll() is not None:
                raise RuntimeError(f"{program()} ended with status {self._process.returncode}")
            time.sleep(0.1)
        raise TimeoutError(f"{program()} did not begin to listen in {seconds:g} s")

    def _send(self, method: str, parameters: dict[str, Any], session: str = "") -> dict[str, Any]:
        number = self._post(method, parameters, session)
        while number not in self._answers:
            self._receive()
        answer = self._answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def _post(self, method: str, parameters: dict[str, Any], session: str) -> int:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        return self._count

    def _receive(self) -> None:
        message = json.loads(self._socket.recv())
        if "id" in message:
            self._answers[message["id"]] = message
            return
        self.events.append(message)
        if message["method"] == "Target.attachedToTarget" and message["params"]["waitingForDebugger"]:
            worker = message["params"]["sessionId"]
            for method in ("Network.enable", "Runtime.enable", "Runtime.runIfWaitingForDebugger"):
                self._post(method, {}, worker)


def _box(selector: str) -> str:
    return f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
