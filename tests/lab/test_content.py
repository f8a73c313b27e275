"""The digest of what a file holds: the same for the same entries, another for any other."""

import gzip
import io
import json
import tarfile

import numpy as np
import pytest

from paperlib.lab.content import content_digest

ENTRY = {"id": "mp-1", "frac": [[0.0, 0.5, 0.333333]], "nat": 1, "doped": True, "sg": None, "el": ["Å"]}


def lines(path, *entries, level=9, **options):
    text = "".join(json.dumps(entry, **options) + "\n" for entry in entries)
    path.write_bytes(gzip.compress(text.encode(), level, mtime=level))
    return content_digest(path)


def test_json_lines_are_known_by_their_entries(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    known = lines(path, ENTRY, {"id": "mp-2"})
    other = {**dict(reversed(ENTRY.items())), "frac": [[-0.0, 0.5, 0.3333330000001]], "nat": 1.0}
    assert (
        lines(path, other, {"id": "mp-2"}, level=1, indent=None, separators=(" , ", ": "), ensure_ascii=False) == known
    )
    for change in (
        *({"frac": [[0.0, 0.5, 0.333334]]}, {"nat": 2}, {"doped": 1}, {"sg": 0}, {"el": ["A"]}),
        *({"id": "mp-3"}, {"frac": [0.0, 0.5, 0.333333]}, {"more": None}),
    ):
        assert lines(path, ENTRY | change, {"id": "mp-2"}) != known, change
    assert lines(path, {"id": "mp-2"}, ENTRY) != known, "the order is part of a set"
    assert lines(path, ENTRY) != known


def test_tables_are_known_by_their_cells(tmp_path):
    path = tmp_path / "a.csv"
    found = []
    for text in ("sg,n\n1,2\n", 'sg, "n"\r\n1,2', "sg,n\n1,3\n", "sg,n\n12\n", "sg,n\n1,2\n3,4\n"):
        path.write_text(text.replace(', "n"', ',"n"'), newline="")
        found.append(content_digest(path))
    assert found[0] == found[1] and len(set(found)) == 4


def test_arrays_are_known_by_names_shapes_and_values(tmp_path):
    path = tmp_path / "a.npz"

    def digest(**arrays):
        np.savez(path, **arrays)
        return content_digest(path)

    nan = np.float32("nan")
    known = digest(x=np.array([0.0, 1.25, nan], np.float32), n=np.arange(4, dtype=np.int16), t=np.array(["Å", "b"]))
    same = {"n": np.arange(4), "t": np.array(["Å", "b", "ccc"])[:2], "x": np.array([-0.0, 1.25000001, -nan])}
    np.savez_compressed(path, **same)
    assert content_digest(path) == known
    for change in ({"x": np.array([0, 1.2502, nan])}, {"n": np.arange(4).reshape(2, 2)}, {"t": np.array(["Å", "c"])}):
        assert digest(**same | change) != known, change
    assert digest(**same, y=np.zeros(1)) != known


def test_nothing_is_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([{"an": "object"}], dtype=object))
    with pytest.raises(ValueError, match=r"a\.npz is damaged: .*allow_pickle"):
        content_digest(tmp_path / "a.npz")


def test_archives_are_known_by_their_files(tmp_path):
    path = tmp_path / "a.tar.gz"

    def digest(*members, time=0):
        with tarfile.open(path, "w:gz") as archive:
            for name, content in members:
                member = tarfile.TarInfo(name)
                member.size, member.mtime = len(content), time
                archive.addfile(member, io.BytesIO(content))
        return content_digest(path)

    known = digest(("a/1", b"one"), ("b", b"two"))
    assert digest(("./b", b"two"), ("a/1", b"one"), time=9) == known
    assert len({known, digest(("a/1", b"one")), digest(("a/1", b"two"), ("b", b"one"))}) == 3


@pytest.mark.parametrize(
    "name, content",
    [
        ("a.jsonl.gz", gzip.compress(b'{"id": 1}\n' * 99)[:-9]),
        ("a.jsonl.gz", b'{"id": 1}\n'),
        ("a.jsonl.gz", gzip.compress(b'{"id": 1')),
        ("a.jsonl.gz", gzip.compress(b'{"x": 1e400}')),
        ("a.jsonl.gz", gzip.compress(b"[" * 100_000)),
        ("a.npz", b"PK\x03\x04"),
        ("a.tar.gz", gzip.compress(b"x" * 600)),
        ("a.csv", b"\xff\xfe\x00"),
        ("a.txt", b"text"),
    ],
    # a name by the content would hold the second in which it was compressed, another one for each worker
    ids=["cut", "plain", "half", "infinite", "deep", "zip", "tar", "csv", "text"],
)
def test_a_damaged_file_and_another_kind_are_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        content_digest(tmp_path / name)
