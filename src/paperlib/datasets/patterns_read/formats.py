"""Which reader a file needs, by its content: names of files lie, and two makers write ``.raw``."""

from __future__ import annotations

from paperlib.datasets.patterns_read import vendor_text
from paperlib.datasets.patterns_read.bruker_raw import bruker_raw, is_raw
from paperlib.datasets.patterns_read.columns import columns
from paperlib.datasets.patterns_read.opened import EXPORT, Opened
from paperlib.datasets.patterns_read.powder_cif import POWDER, powder_cif
from paperlib.datasets.patterns_read.scan import Scan
from paperlib.datasets.patterns_read.vendor_xml import xrdml, zipped

_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf")

_BY_PATTERN = (
    (vendor_text.RAS, vendor_text.ras),
    (vendor_text.UXD, vendor_text.uxd),
    (vendor_text.GSAS, vendor_text.gsas),
    (POWDER, powder_cif),
)


def scan_of(source: Opened) -> Scan:
    """The first scan of the file. Raises PatternError where it is of no kind that is known, or damaged."""
    if source.content.startswith(b"PK\x03\x04"):
        return zipped(source)
    if source.content.startswith(_PACKED):
        raise source.error("a packed file; unpack it first")
    if is_raw(source.content):
        return bruker_raw(source)
    text = source.text.lstrip()
    if text.startswith("<"):
        if "<xrdMeasurements" in text[:10_000]:
            return xrdml(source)
        raise source.error(f"XML of a kind that is not known here; {EXPORT}")
    return next((read for pattern, read in _BY_PATTERN if pattern.search(text)), columns)(source)
