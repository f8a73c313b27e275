"""Make a virtual environment that was copied or moved with its folder run here.

Its scripts and ``activate`` hold the path of the first folder, so that they would start that one's Python, with that
one's library. The installation that follows in the Makefile sets the link to the library itself.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path


def adopt(environment: Path) -> None:
    """Write the path of ``environment`` into its scripts in place of the one that it was made at."""
    settings = environment / "pyvenv.cfg"
    if not settings.is_file():
        return  # of another kind, such as conda's
    text = settings.read_text()
    made = re.search(r"^command = .* (/.+)$", text, flags=re.MULTILINE)
    here = str(environment.absolute())
    if made is None or made.group(1) == here:
        return
    there = re.compile(re.escape(made.group(1).encode()) + rb"(?![\w.-])")
    for script in (environment / "bin").iterdir():
        if script.is_file() and not script.is_symlink() and b"\0" not in (content := script.read_bytes()):
            script.write_bytes(there.sub(here.encode(), content))
    settings.write_text(text.replace(made.group(0), made.group(0).removesuffix(made.group(1)) + here))


if __name__ == "__main__":
    adopt(Path(sys.argv[1]))
