"""XML from anywhere, plain or zipped: nothing is expanded, and depth, number and size are bounded."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

from paperlib.datasets.patterns_read.opened import EXPORT, MAX_BYTES, Opened, PatternError, decoded

MAX_DEPTH = 128
MAX_ELEMENTS = 2_000_000
"""A scan of a million points that stores each in an element has about so many; they take half a gigabyte."""

MAX_MEMBERS = 10_000


def root_of(source: Opened, content: bytes, name: str = "the file") -> ElementTree.Element:
    """The root of a document, tags without their namespaces. Raises PatternError for what is not well-formed, and for
    a document type or an entity, with which a small document can grow without end or read other files."""
    text = decoded(content)
    if text is None:
        raise source.error(f"{name} is no text; {EXPORT}")
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise source.error(f"{name} declares a document type or an entity, which no diffractometer does; {EXPORT}")
    parser, depth, n = ElementTree.XMLPullParser(("start", "end")), 0, 0
    root: ElementTree.Element = None
    try:
        for start in range(0, len(text), 2**16):
            parser.feed(text[start : start + 2**16])
            for event, element in parser.read_events():
                if event == "end":
                    depth -= 1
                    continue
                root = element if root is None else root  # an element without children is false
                element.tag = element.tag.rpartition("}")[2]
                depth, n = depth + 1, n + 1
                if depth > MAX_DEPTH or n > MAX_ELEMENTS:
                    raise source.error(f"{name} has more or deeper elements than a powder pattern needs; {EXPORT}")
        parser.close()
    except ElementTree.ParseError as error:
        raise source.error(f"{name} is no complete XML ({error}); copy or export it again") from error
    return root


class Archive:
    """A zipped file of a diffractometer, whose members were all read once: they are whole, and as long as they say."""

    def __init__(self, source: Opened) -> None:
        self.source = source
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(source.content))
            members = self._zip.infolist()
            total = sum(member.file_size for member in members)
            if total > MAX_BYTES or len(members) > MAX_MEMBERS:
                raise source.error(
                    f"unpacked it has {len(members)} members with {total / 2**20:,.0f} MiB, more than the "
                    f"{MAX_BYTES // 2**20} MiB that a powder pattern needs at most; {EXPORT}"
                )
            # of two members with one name another program may read the other one
            damaged = self._zip.testzip() if len({member.filename for member in members}) == len(members) else "a name"
        except PatternError:
            raise
        except Exception as error:  # whatever the structure of a damaged file makes zipfile stumble on
            raise source.error(f"the zipped file is damaged ({error}); copy it again, or {EXPORT}") from error
        if damaged is not None:
            raise source.error(f"{damaged} in the zipped file is damaged; copy it again, or {EXPORT}")
        self.names = [member.filename for member in members]

    def documents(self, *ends: str) -> Iterator[ElementTree.Element]:
        """The roots of the XML members whose names end so, in the order of ``ends``, then of the archive."""
        for end in ends:
            for name in self.names:
                if name.lower().endswith(end.lower()):
                    yield root_of(self.source, self._zip.read(name), name)


def text_of(root: ElementTree.Element, tag: str) -> str:
    """The text of the first element of that name, "" without one."""
    return (next((element.text for element in root.iter(tag)), "") or "").strip()
