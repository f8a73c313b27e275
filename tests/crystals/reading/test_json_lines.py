"""JSON lines: each value that is no crystal costs its line and is named, with the reason that is true."""

import gzip
import json

import numpy as np
import pytest

from paperlib.crystals.reading import json_lines
from paperlib.crystals.sources import read_jsonl

CELL = {"lattice": [[4.1, 0, 0], [0, 4.1, 0], [0, 0, 4.1]], "frac": [[0, 0, 0], [0.5, 0.5, 0.5]]}
GOOD = {"id": "it", "el": ["Cs", "Cl"], "sg_given": 221} | CELL

KIND, SHAPE = "field missing or of another kind", "arrays do not fit together"
BAD = {
    "coordinate as text": ({"frac": [["0", 0, 0], [0.5, 0.5, 0.5]]}, KIND),
    "coordinate in percent": ({"frac": [["50%", 0, 0], [0.5, 0.5, 0.5]]}, KIND),
    "coordinate with a comma": ({"frac": [["0,5", 0, 0], [0.5, 0.5, 0.5]]}, KIND),
    "coordinate true": ({"frac": [[True, 0, 0], [0.5, 0.5, 0.5]]}, KIND),
    "coordinate null": ({"frac": [[None, 0, 0], [0.5, 0.5, 0.5]]}, KIND),
    "coordinate not a number": ({"frac": [[float("nan"), 0, 0], [0.5, 0.5, 0.5]]}, "coordinates not finite"),
    "coordinate infinite": ({"frac": [[float("inf"), 0, 0], [0.5, 0.5, 0.5]]}, "coordinates not finite"),
    "coordinate of 1e300": ({"frac": [[1e300, 0, 0], [0.5, 0.5, 0.5]]}, "coordinates out of range"),
    "coordinate of 1e17": ({"frac": [[10**17, 0, 0], [0.5, 0.5, 0.5]]}, "coordinates out of range"),
    "integer of 400 digits": ({"frac": [[10**400, 0, 0], [0.5, 0.5, 0.5]]}, KIND),
    "ragged coordinates": ({"frac": [[0, 0], [0.5, 0.5, 0.5]]}, KIND),
    "coordinates as an object": ({"frac": {"x": 0}}, KIND),
    "one coordinate": ({"frac": 0.5}, KIND),
    "lattice in nm": ({"lattice": (0.41 * np.eye(3)).tolist()}, "cell out of proportion"),
    "lattice in pm": ({"lattice": (410 * np.eye(3)).tolist()}, "cell out of proportion"),
    "lattice of nought": ({"lattice": np.zeros((3, 3)).tolist()}, "degenerate cell"),
    "lattice of 1e300": ({"lattice": (1e300 * np.eye(3)).tolist()}, "degenerate cell"),
    "lattice not a number": ({"lattice": np.full((3, 3), np.nan).tolist()}, "lattice not finite"),
    "lattice of six numbers": ({"lattice": [[4, 4, 4, 90, 90, 90]]}, SHAPE),
    "atoms 0.03 Å apart": ({"frac": [[0, 0, 0], [0, 0, 0.03 / 4.1]]}, "atoms too close"),
    "one atom twice": ({"frac": [[0, 0, 0], [0, 0, 1]]}, "atoms too close"),
    "20,000 atoms": ({"frac": [[0, 0, 0]] * 20_000, "el": ["C"] * 20_000}, "cell too large"),
    "more atoms than places": ({"el": ["Cs"] * 3}, SHAPE),
    "element as number": ({"el": [55, 17]}, "unknown element"),
    "element that is none": ({"el": ["Cs", "Site1"]}, "unknown element"),
    "element as list": ({"el": [["Cs"], "Cl"]}, KIND),
    "occupancy as text": ({"occ": [{"Cs": "1"}, {"Cl": 1}]}, KIND),
    "occupancy not a number": ({"occ": [{"Cs": float("nan")}, {"Cl": 1}]}, "occupancy not positive"),
    "occupancy below nought": ({"occ": [{"Cs": -1}, {"Cl": 1}]}, "occupancy not positive"),
    "occupancy true": ({"occ": [{"Cs": True}, {"Cl": 1}]}, KIND),
    "group with a fraction": ({"sg_given": 221.5}, KIND),
    "group as word": ({"sg_given": "Pm-3m"}, KIND),
    "group true": ({"sg_given": True}, KIND),
    "group infinite": ({"sg_given": float("inf")}, KIND),
    "group not a number": ({"sg_given": float("nan")}, KIND),
    "id null": ({"id": None}, KIND),
    "id as list": ({"id": ["it"]}, KIND),
    "id true": ({"id": True}, KIND),
    "id of a million characters": ({"id": "a" * 10**6}, "id too long"),
}


def read(folder, *lines):
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    (folder / "set.jsonl").write_bytes(b"\n".join(texts))
    return read_jsonl(folder / "set.jsonl")


def test_a_value_that_is_no_crystal_costs_its_line(tmp_path):
    lines = [GOOD | change for change, _ in BAD.values()]
    found = read(tmp_path, GOOD | {"id": "first"}, *lines, GOOD | {"id": "last"})
    assert found.crystals.source_id.tolist() == ["first", "last"]
    assert dict(zip(BAD, [entry.reason for entry in found.skipped], strict=True)) == {k: r for k, (_, r) in BAD.items()}
    details = dict(zip(BAD, [entry.detail for entry in found.skipped], strict=True))
    assert "'50%'" in details["coordinate in percent"] and "20,000 sites" in details["20,000 atoms"]
    assert "0.030 Å" in details["atoms 0.03 Å apart"] and "'Pm-3m'" in details["group as word"]


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"id": "it", ',
        b"\xff\xfe",
        json.dumps(GOOD).encode("utf-16"),
        b"9" * 5000,
        b'"it"',
        b"[]",
        b"7",
        b"null",
    ],
)
def test_a_line_that_is_no_object_is_named_by_its_number(tmp_path, line):
    found = read(tmp_path, GOOD, line.replace(b"\n", b""), GOOD | {"id": "last"})
    assert found.crystals.source_id.tolist() == ["it", "last"]
    assert found.skipped[0].name == "set.jsonl:2" and found.skipped[0].reason in ("not valid JSON", KIND)


@pytest.mark.parametrize("number", [-5, 231, 99_999, 10**9, -32769, 1e20, "-7"])
def test_a_group_that_there_is_not_is_remarked_on_and_counts_as_none(tmp_path, number):
    found = read(tmp_path, GOOD | {"sg_given": number})
    assert found.declared_space_group.tolist() == [0] and found.summary()["declared"] == 0
    (remark,) = found.remarks
    assert (remark.name, remark.kind) == ("it", "declared group impossible") and "1 to 230" in remark.detail


def test_names_that_no_table_can_hold_are_escaped(tmp_path):
    names = ["\ud800", "a\nb", "\x1b[31m", "a\0b", "ü ok"]
    found = read(tmp_path, *(GOOD | {"id": name} for name in names))
    assert found.crystals.source_id.tolist() == ["\\ud800", "a\\nb", "\\x1b[31m", "a\\x00b", "ü ok"]


def test_the_id_of_the_line_before_is_remarked_on(tmp_path):
    found = read(tmp_path, GOOD, GOOD, GOOD | {"id": "other"}, GOOD)
    assert [(r.name, r.kind, r.detail) for r in found.remarks] == [
        ("it", "id used more than once", "3 crystals are called this")
    ]


def test_lines_that_are_too_long_are_passed_over_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(json_lines, "MAX_LINE", 2000)
    long = json.dumps(GOOD | {"note": "x" * 100_000}).encode()
    found = read(tmp_path, GOOD, long, GOOD | {"id": "last"}, long)
    assert found.crystals.source_id.tolist() == ["it", "last"]
    assert [(e.name, e.reason) for e in found.skipped] == [
        ("set.jsonl:2", "entry too large"),
        ("set.jsonl:4", "entry too large"),
    ]
    (tmp_path / "bomb.jsonl.gz").write_bytes(gzip.compress(b" " * 10**7))
    (entry,) = read_jsonl(tmp_path / "bomb.jsonl.gz").skipped
    assert (entry.name, entry.reason) == ("bomb.jsonl.gz:1", "entry too large")
