"""Bruker and Siemens RAW files: the header of versions 1 to 4, and the points of 1 and 2, which geddes does not read.

Places in the files are those that xylib documents (github.com/wojdyr/xylib, after appendix B of the DIFFRAC-AT manual
and appendix A of DIFFRAC^plus XCH 5.0). Versions 3 and 4 were compared with files of instruments, 1 and 2 were not.
"""

from __future__ import annotations

import struct

import numpy as np

from paperlib.datasets.patterns_read.beam import Beam, length, lines
from paperlib.datasets.patterns_read.opened import EXPORT, Opened, PatternError
from paperlib.datasets.patterns_read.scan import Scan, several

_HEAD_1, _HEAD_2, _RANGE_2 = 156, 256, 48
_SEGMENTS_4, _HARDWARE = 61, 30


def is_raw(content: bytes) -> bool:
    """Whether it begins as a RAW file; a text whose title begins so has no zeros."""
    return content.startswith((b"RAW1.01", b"RAW4.00", b"RAW2", b"RAW ")) and 0 in content[:_HEAD_1]


def bruker_raw(source: Opened) -> Scan:
    """The first range of a RAW file. Raises PatternError for a file that ends too early or is no 2θ scan."""
    content = source.content
    version = 4 if content[3:4] == b"4" else 3 if content[3:4] == b"1" else 2 if content[3:4] == b"2" else 1
    try:
        if version > 2:
            x, y = source.points("pattern.raw")
            beam, scans = (_version_4 if version == 4 else _version_3)(content)
        else:
            x, y, beam, scans = (_version_2 if version == 2 else _version_1)(content)
    except PatternError:
        raise
    except (struct.error, ValueError) as error:
        raise source.error(
            f"a RAW file of version {version} that ends too early; copy it again, or {EXPORT}"
        ) from error
    return Scan(f"bruker raw {version}", x, y, "degrees", beam, several(scans))


def _int(content: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", content, at)[0])


def _steps(content: bytes, at: int, n: int, start: float, step: float) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(invalid="ignore"):  # bytes that are no numbers become NaN, and are counted as missing
        y = np.frombuffer(content, "<f4", n, at).astype(np.float64)
    return start + step * np.arange(n), y


def _version_1(content: bytes) -> tuple[np.ndarray, np.ndarray, Beam, int]:
    n, _, step, _, _, start = struct.unpack_from("<IffIIf", content, 4)
    alpha1, alpha2 = struct.unpack_from("<ff", content, 72)
    following = _int(content, _HEAD_1 - 4)
    x, y = _steps(content, _HEAD_1, n, _short(start), _short(step))
    return x, y, lines(length(_short(alpha1)), length(_short(alpha2))), 1 + following


def _version_2(content: bytes) -> tuple[np.ndarray, np.ndarray, Beam, int]:
    (ranges,) = struct.unpack_from("<H", content, 4)
    alpha1, alpha2, ratio = map(_short, struct.unpack_from("<fff", content, 190))
    head, n = struct.unpack_from("<HH", content, _HEAD_2)
    step, start = map(_short, struct.unpack_from("<ff", content, _HEAD_2 + 12))
    x, y = _steps(content, _HEAD_2 + max(head, _RANGE_2), n, start, step)
    return x, y, lines(length(alpha1), length(alpha2), ratio), ranges


def _short(value: float) -> float:
    """The decimal number that was meant by one of single precision: 0.02, not 0.0199999995."""
    return float(f"{value:.7g}")


def _tube(content: bytes, at: int) -> Beam:
    mean, alpha1, alpha2, _, ratio = (_short(value) for value in struct.unpack_from("<5d", content, at))
    return lines(length(alpha1), length(alpha2), ratio, length(mean))


def _version_3(content: bytes) -> tuple[Beam, int]:
    return _tube(content, 616), _int(content, 12)


def _version_4(content: bytes) -> tuple[Beam, int]:
    """The beam from the segment about the hardware, and how many of the other segments are ranges."""
    at, beam, ranges = _SEGMENTS_4, Beam(radiation="xray"), 0
    while at + 8 <= len(content):
        kind, size = struct.unpack_from("<II", content, at)
        if kind in (0, 160):
            ranges += 1
            stride, head = struct.unpack_from("<II", content, at + 136)
            at += 160 + head + _int(content, at + 88) * stride
            continue
        if kind == _HARDWARE and not ranges:
            beam = _tube(content, at + 72)
        at += max(size, 8)
    return beam, ranges
