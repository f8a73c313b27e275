"""Write docs/modules.md: one sentence per module, the first of its docstring."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "paperlib"
PAGE = ROOT / "docs" / "modules.md"

STREET = ("lab", "symmetry", "crystals", "diffraction", "datasets", "learning", "reporting", "answers", "explore")
HEAD = """# Modules

Written by `make modules` from the first sentences of the docstrings; do not edit. A room imports only rooms to its
left (symmetry → crystals → diffraction → datasets → learning) and lab; reporting imports lab and symmetry; answers
imports all but crystals and learning, and loads no torch; explore, the interactive notebook, stands above all of them.
The modules of a wing are used by their own room only.
"""


def first_sentence(path: Path) -> str:
    """The first sentence of a module's docstring, in one line."""
    paragraph = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n\n")[0]
    sentence, stop, _ = re.sub(r":\w+:`", "`", " ".join(paragraph.split())).partition(". ")
    return sentence + "." if stop else sentence


def page() -> str:
    """The whole page: what stands above the street, then room by room, wings after the modules in front of them."""
    parts = [HEAD, "## Above the street\n", *_entries(SOURCE)]
    for room in STREET:
        parts += [f"\n## {room}\n", *_entries(SOURCE / room)]
        for wing in sorted(path.parent for path in (SOURCE / room).glob("*/__init__.py")):
            parts += [f"\n### {room}/{wing.name}, a wing\n", *_entries(wing)]
    return "\n".join(parts) + "\n"


def _entries(folder: Path) -> list[str]:
    files = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
    return [f"- [`{path.stem}`](../{path.relative_to(ROOT)}): {first_sentence(path)}" for path in files]


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
