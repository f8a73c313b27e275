"""Raw files of public homes: checked, kept, gone on with; and what is said when they cannot be had."""

import hashlib
import shutil
import subprocess
import tarfile

import pytest

from paperlib.datasets.homes import raw_files
from paperlib.datasets.homes.raw_files import Folder, Repository, chosen_files, raw_file, raw_folders, tree_id
from paperlib.lab.fetch import ChecksumError

HOME = Repository("someone/crystals", "c0ffee")
FILES = {"deep/cifs/a(1).cif": b"data_a\n", "deep/cifs/b.cif": b"data_b\n", "deep/README": b"no structure\n"}


def kept(web):
    """Files under their final names: a part of one may lie beside."""
    files = (path.name for path in (web.repository / "data" / "raw").rglob("*") if path.is_file())
    return sorted(name for name in files if not name.endswith((".part", ".part.json", ".lock")))


def folder_of(tmp_path, **change):
    """The folder of FILES as git names it."""
    place = tmp_path / "as it should be"
    for name, content in FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    cifs = place / "deep" / "cifs"
    return Folder(HOME, "deep/cifs", change.get("size", 14), change.get("tree", tree_id(cifs)))


def test_the_public_addresses_are_those_of_the_repositories(monkeypatch):
    monkeypatch.delenv("PAPERLIB_MIRROR", raising=False)
    assert HOME.url("a/b (1).cif") == "https://raw.githubusercontent.com/someone/crystals/c0ffee/a/b%20%281%29.cif"
    assert HOME.archive_url() == "https://codeload.github.com/someone/crystals/tar.gz/c0ffee"


def test_the_name_of_a_folder_is_the_one_that_git_gives(tmp_path):
    for name in ("b.cif", "a/x", "a.cif", "a/y/z", "ab"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "ab").chmod(0o755)
    found = tree_id(tmp_path)

    def git(*words):
        return subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("add", ".")
    assert found == git("write-tree")


def test_the_archive_at_hand_has_the_name_that_the_recipe_states(data_folder, tmp_path):
    from paperlib.datasets.rebuild import POSCARS_OF_SPGLIB

    with tarfile.open(data_folder / "structures/spglib_poscars_785.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    (expected,) = POSCARS_OF_SPGLIB
    assert tree_id(tmp_path) == expected.tree
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) == expected.size


def test_a_file_is_fetched_once_and_again_when_it_was_damaged(web):
    sha256 = web.put("someone/crystals/c0ffee/a (1).csv", b"1,2\n")
    path = raw_file(HOME, "a (1).csv", sha256)
    assert path.read_bytes() == b"1,2\n" and web.repository in path.parents
    raw_file(HOME, "a (1).csv", sha256)
    assert web.asked == ["someone/crystals/c0ffee/a (1).csv"]
    path.write_bytes(b"1,")
    assert raw_file(HOME, "a (1).csv", sha256).read_bytes() == b"1,2\n"


@pytest.mark.parametrize(
    "fault, error, says",
    [
        (404, FileNotFoundError, "404 .*no longer offers"),
        (503, ConnectionError, "does not answer.*503.*run this again"),
        ("half", ConnectionError, "does not answer"),
        ("other", ChecksumError, "sha256 .*nothing of it is kept"),
    ],
)
def test_a_file_that_cannot_be_had_is_named_and_leaves_nothing(web, fault, error, says):
    sha256 = web.put("someone/crystals/c0ffee/a.csv", b"1,2\n" * 1000)
    if fault == "other":
        web.put("someone/crystals/c0ffee/a.csv", b"3,4\n")
    else:
        web.broken["someone/crystals/c0ffee/a.csv"] = fault
    with pytest.raises(error, match=says) as raised:
        raw_file(HOME, "a.csv", sha256)
    assert "someone/crystals/c0ffee/a.csv" in str(raised.value) and kept(web) == []
    assert len(web.asked) == (2 if error is ConnectionError else 1), "only what may pass is asked for again"


def test_many_files_go_on_where_they_were_interrupted(web):
    checksums = {f"n/{n}.npy": web.put(f"someone/crystals/c0ffee/n/{n}.npy", b"%d" % n) for n in range(5)}
    web.broken["someone/crystals/c0ffee/n/3.npy"] = 503
    with pytest.raises(ConnectionError, match=r"3 of 5 files of patterns are there"):
        raw_files.raw_files(HOME, checksums, "patterns")
    assert kept(web) == ["0.npy", "1.npy", "2.npy"]
    web.broken.clear()
    web.asked.clear()
    paths = raw_files.raw_files(HOME, checksums, "patterns")
    assert [path.read_bytes() for path in paths] == [b"0", b"1", b"2", b"3", b"4"]
    assert [path[-5:] for path in web.asked] == ["3.npy", "4.npy"]


def test_a_folder_comes_out_of_one_archive_and_is_kept(web, tmp_path):
    web.put_archive(HOME, FILES)
    (place,) = raw_folders([folder_of(tmp_path)])
    assert kept(web) == ["a(1).cif", "b.cif"] and (place / "b.cif").read_bytes() == b"data_b\n"
    raw_folders([folder_of(tmp_path)])
    assert len(web.asked) == 1
    (place / "b.cif").write_bytes(b"data_c\n")
    raw_folders([folder_of(tmp_path)])
    assert (place / "b.cif").read_bytes() == b"data_b\n"


@pytest.mark.parametrize(
    "change, says", [({"tree": "0" * 40}, "git tree .* expected 000000000000"), ({"size": 13}, "holds more")]
)
def test_a_folder_with_another_content_is_refused_and_not_kept(web, tmp_path, change, says):
    web.put_archive(HOME, FILES)
    with pytest.raises(ChecksumError, match=says):
        raw_folders([folder_of(tmp_path, **change)])
    assert "archive.tar.gz" not in kept(web) and "b.cif" not in kept(web)


def test_an_archive_that_is_cut_short_is_said_to_be(web, tmp_path):
    web.put_archive(HOME, FILES)
    archive = web.folder / HOME.name / "tar.gz" / HOME.commit
    archive.write_bytes(archive.read_bytes()[:-60])
    with pytest.raises(ConnectionError, match="damaged or cut short"):
        raw_folders([folder_of(tmp_path)])
    assert "archive.tar.gz" not in kept(web)


def test_nothing_of_an_archive_is_written_elsewhere(web, tmp_path):
    web.put_archive(HOME, FILES | {"deep/cifs/../../../../../../../escaped.cif": b"data_e\n"})
    raw_folders([folder_of(tmp_path)])
    assert not list(tmp_path.rglob("escaped.cif"))


def test_chosen_files_of_an_archive_are_known_by_their_checksums(web):
    web.put_archive(HOME, FILES)
    wanted = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items() if name.endswith(".cif")}
    assert [path.read_bytes() for path in chosen_files(HOME, wanted, 14)] == [b"data_a\n", b"data_b\n"]
    assert kept(web) == ["a(1).cif", "b.cif"]
    chosen_files(HOME, wanted, 14)
    assert len(web.asked) == 1
    with pytest.raises(ChecksumError, match=r"deep/cifs/b\.cif in .* is not the file"):
        chosen_files(HOME, wanted | {"deep/cifs/b.cif": "0" * 64}, 14)


def test_a_folder_on_a_disk_stands_in_too(web, tmp_path, monkeypatch):
    sha256 = web.put("someone/crystals/c0ffee/a.csv", b"1,2\n")
    monkeypatch.setenv("PAPERLIB_MIRROR", web.folder.as_uri())
    assert raw_file(HOME, "a.csv", sha256).read_bytes() == b"1,2\n" and web.asked == []
    shutil.rmtree(web.folder)
    with pytest.raises(FileNotFoundError, match="there is no file://"):
        raw_file(HOME, "b.csv", sha256)
