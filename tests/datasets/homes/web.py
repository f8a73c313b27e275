"""A local server in the place of the public homes, and a small repository to rebuild into."""

import functools
import hashlib
import http.server
import io
import tarfile
import threading
import urllib.parse


class Web:
    """A folder that a server offers; ``broken`` holds paths that it answers with an error or with half the content."""

    def __init__(self, folder):
        self.folder, self.asked, self.broken = folder, [], {}

    def put(self, path, content):
        """Offer ``content``; its SHA-256."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    def put_archive(self, repository, files):
        """Offer the archive of a repository, all in one folder as the public home does it."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(f"name-{repository.commit}/{name}")
                member.size, member.mode = len(content), 0o664
                archive.addfile(member, io.BytesIO(content))
        self.put(f"{repository.name}/tar.gz/{repository.commit}", packed.getvalue())

    def start(self):
        """The server; its address is in ``address``."""
        web = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                path = urllib.parse.unquote(self.path).lstrip("/")
                web.asked.append(path)
                if web.broken.get(path) == "half":
                    content = (web.folder / path).read_bytes()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content[: len(content) // 2])
                elif path in web.broken:
                    self.send_error(web.broken[path])
                else:
                    super().do_GET()

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=self.folder))
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.address = f"http://127.0.0.1:{server.server_port}"
        return server
