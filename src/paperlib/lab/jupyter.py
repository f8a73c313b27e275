"""An extension of the Jupyter server that ``make lab`` starts: a notebook that was only run is no change for git.

The filter of ``.gitattributes`` keeps outputs out of git. But ``git status`` goes by the size of a file where it can,
and calls every notebook changed that was saved with outputs, until git is asked to look at its content again.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any


def look_again(notebook: Path) -> None:
    """Have git note the size and time of a file whose content, as git would store it, is what the index holds. Nothing
    is staged, and nothing happens outside a git checkout."""
    git = ["git", "-C", str(notebook.parent)]
    known = subprocess.run([*git, "ls-files", "--error-unmatch", "--", notebook.name], capture_output=True)
    if known.returncode == 0 and subprocess.run([*git, "diff", "--quiet", "--", notebook.name]).returncode == 0:
        # another git command may hold the index: the next time the notebook is saved will do
        subprocess.run([*git, "add", "--", notebook.name], capture_output=True)


def _after_saving(model: dict[str, Any], os_path: str, **_: Any) -> None:
    if model["type"] == "notebook":
        try:
            look_again(Path(os_path))
        except OSError:
            pass  # no git on this machine


def _load_jupyter_server_extension(server: Any) -> None:
    server.contents_manager.register_post_save_hook(_after_saving)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "paperlib.lab.jupyter"}]
