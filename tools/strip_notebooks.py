"""Notebooks as git holds them: without outputs, counts and what programs note in them.

With files, cleans these where they are; without, cleans what it reads and writes it, as a filter of git. It reads the
file itself: nbformat takes four seconds to be imported, and git asks again for every notebook that was run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
"""What papermill and JupyterLab need to know, the same whichever program saved the notebook."""


def stripped(text: str) -> str:
    """The text of a notebook without what running it adds; anything else as it is."""
    try:
        book = json.loads(text)
        cells = [_stripped_cell(cell) for cell in book["cells"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return text  # a merge that is not resolved, for example
    kept = {"nbformat": book["nbformat"], "nbformat_minor": book["nbformat_minor"], "metadata": METADATA}
    kept["cells"] = [cell for cell in cells if "".join(cell["source"]).strip()]
    return json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _stripped_cell(cell: dict[str, Any]) -> dict[str, Any]:
    source = "".join(cell["source"])
    kept = {name: cell[name] for name in ("attachments", "cell_type", "id") if name in cell}
    kept |= {"source": source.splitlines(keepends=True)}
    kept["metadata"] = {"tags": tags} if (tags := cell["metadata"].get("tags")) else {}
    return kept | ({"execution_count": None, "outputs": []} if cell["cell_type"] == "code" else {})


def main(files: list[str]) -> None:
    """Clean ``files``, or standard input."""
    for name in files:
        text = Path(name).read_text(encoding="utf-8")
        if (clean := stripped(text)) != text:
            Path(name).write_text(clean, encoding="utf-8")
    if not files:
        sys.stdout.buffer.write(stripped(sys.stdin.buffer.read().decode("utf-8")).encode("utf-8"))


if __name__ == "__main__":
    main(sys.argv[1:])
