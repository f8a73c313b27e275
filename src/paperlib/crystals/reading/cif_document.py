"""The blocks of a CIF and what stands in them, in the spellings of all dictionaries, whatever the encoding.

gemmi parses. Tags are compared in lower case and in the old style: the dotted names of DDLm and mmCIF
(``_atom_site.fract_x``) mean the same as ``_atom_site_fract_x``.
"""

from __future__ import annotations

import codecs
import itertools
import re
from collections import Counter
from collections.abc import Iterator

import gemmi

from paperlib.crystals.standardise import BadCrystalError

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_HEADER = re.compile(r"data_(\S*)", re.IGNORECASE)

UNKNOWN = ("", "?", ".")
"""Values that say nothing: not known, and not applicable."""


class Items:
    """The items of one block by tag (lower case, old style)."""

    def __init__(self, block: gemmi.cif.Block) -> None:
        self.name = block.name.strip()
        self._columns: dict[str, tuple[gemmi.cif.Loop | str, int]] = {}
        self.repeated: set[str] = set()
        """Tags that stand in the block more than once."""
        for item in block:
            if item.pair is not None:
                self._add(item.pair[0], item.pair[1], 0)
            elif item.loop is not None:
                for number, tag in enumerate(item.loop.tags):
                    self._add(tag, item.loop, number)

    def _add(self, tag: str, values: gemmi.cif.Loop | str, number: int) -> None:
        tag = tag.lower().replace(".", "_")
        if tag in self._columns:
            self.repeated.add(tag)
        self._columns.setdefault(tag, (values, number))

    def column(self, *tags: str) -> list[str]:
        """All values of the first of these tags that stands here, unquoted, an empty text as ``?``; none where none
        of the tags does."""
        for tag in tags:
            if tag in self._columns:
                values, number = self._columns[tag]
                raw = [values] if isinstance(values, str) else values.values[number :: values.width()]
                return [gemmi.cif.as_string(value).strip() or "?" if value not in UNKNOWN else value for value in raw]
        return []

    def text(self, *tags: str) -> str:
        """The first value among these tags that says something, else the empty text."""
        return next((value for tag in tags for value in self.column(tag)[:1] if value not in UNKNOWN), "")


def blocks(name: str, content: bytes) -> Iterator[tuple[str, Items] | BadCrystalError]:
    """Every block with a name of its own, or what is wrong with it.

    The crystal of a file with one block is called ``name``; the caller adds the name of the block where there are
    several. A second block of one name is called ``block(2)``. One that cannot be parsed leaves the others as they
    are.
    """
    try:
        text = _decoded(content)
    except UnicodeError as error:
        yield BadCrystalError(name, "not a valid CIF", str(error))
        return
    pieces = [text]
    try:
        # level 0: a block or a tag that stands twice is our business, and no reason to lose the others
        found = list(gemmi.cif.read_string(text, 0))
    except (ValueError, RuntimeError) as error:
        pieces = _pieces(text)
        if len(pieces) < 2:
            yield BadCrystalError(name, "not a valid CIF", str(error))
            return
        found = None
    seen: Counter[str] = Counter()
    for number, piece in enumerate(found or pieces):
        if isinstance(piece, str):
            header = _HEADER.match(piece)
            label = header[1] if header else str(number)
            try:
                (block,) = gemmi.cif.read_string(piece, 0)
            except (ValueError, RuntimeError) as error:
                seen[label] += 1
                yield BadCrystalError(f"{name}#{_numbered(label, seen)}", "not a valid CIF", str(error))
                continue
        else:
            block = piece
        items = Items(block)
        seen[items.name] += 1
        yield _numbered(items.name, seen), items


def _numbered(label: str, seen: Counter[str]) -> str:
    return label if seen[label] == 1 else f"{label}({seen[label]})"


def _decoded(content: bytes) -> str:
    """The text of a file, by its byte order mark, as UTF-8, or else in the old Western encoding, with plain line
    ends, minus signs and blanks. Raises UnicodeError for binary content."""
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "")
    if encoding:
        text = content.decode(encoding)
    else:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
    if "\0" in text:
        raise UnicodeError("binary content, or UTF-16 without its mark; save it as text in UTF-8")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.translate({0x2212: "-", 0x2013: "-", 0xA0: " "})


def _pieces(text: str) -> list[str]:
    """The text cut before every block header; one inside a text field (between lines that begin with ;) is none."""
    starts, position, inside = [], 0, False
    for line in text.splitlines(keepends=True):
        if line.startswith(";"):
            inside = not inside
        elif not inside and _HEADER.match(line):
            starts.append(position)
        position += len(line)
    return [text[start:end] for start, end in itertools.pairwise([*starts, len(text)])]
