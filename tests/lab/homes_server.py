"""A server on this machine in the place of a public home: it knows ranges, and misbehaves on demand."""

import http.server
import threading
import urllib.parse


class Server:
    """Content by path (with its query); ``faults`` holds, by path, what the next answers do instead.

    A fault is a status, a pair of status and headers, or ("cut", n): the line breaks after n bytes. ``ranges`` False
    makes it a server that knows none. ``asked`` notes path and headers of every request.
    """

    def __init__(self):
        self.content, self.faults, self.asked, self.ranges, self.tag = {}, {}, [], True, '"1"'
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        """End the server."""
        self._server.shutdown()
        self._server.server_close()

    def paths(self):
        """What was asked for, in order."""
        return [path for path, _ in self.asked]

    def _handler(self):
        there = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                path = urllib.parse.unquote(self.path)
                there.asked.append((path, self.headers))
                faults = there.faults.get(path, [])
                fault = faults.pop(0) if faults else None
                if path not in there.content:
                    fault = 404
                if isinstance(fault, int):
                    fault = (fault, {})
                if fault is not None and fault[0] != "cut":
                    self.send_response(fault[0])
                    for name, value in fault[1].items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                content, start = there.content[path], 0
                if there.ranges and (wanted := self.headers.get("Range")):
                    if self.headers.get("If-Range", there.tag) == there.tag:
                        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start and start >= len(content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
                if there.tag:
                    self.send_header("ETag", there.tag)
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                self.wfile.write(content[start : start + fault[1]] if fault else content[start:])
                if fault:
                    self.close_connection = True

        return Handler
