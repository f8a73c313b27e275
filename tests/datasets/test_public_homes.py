"""RRUFF, opXRD and InformedXRD on a server of this machine: what comes, what goes on, what is refused."""

import hashlib
import json
import math

import nbformat
import numpy as np
import pytest

from paperlib.datasets.homes.informedxrd import DATASET
from paperlib.datasets.measured_sets import load_measured
from paperlib.datasets.public_homes import bring_informedxrd, bring_opxrd, bring_rruff
from paperlib.lab.asking import CHUNK, Manners
from paperlib.lab.fetch import ChecksumError
from tests.conftest import ROOT
from tests.datasets.homes.packed import OPXRD, RRUFF, zipped
from tests.lab.homes_server import Server

QUICK = Manners(rate=math.inf, retries=0)


@pytest.fixture
def home(monkeypatch):
    """The server, as the mirror of all homes."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    there = Server()
    monkeypatch.setenv("PAPERLIB_MIRROR", there.address)
    yield there
    there.close()


@pytest.fixture
def rruff(home):
    for name, files in RRUFF.items():
        home.content[f"/zipped_data_files/powder/{name}"] = zipped(files)
    return home


def reasons(came):
    return {left.name.split("__")[0]: left.reason for left in came.left_out}


def test_rruff_brings_what_was_measured(rruff, tmp_path):
    came = bring_rruff(tmp_path / "rruff", manners=QUICK)
    found = load_measured(came.paths[0])
    assert came.patterns == len(found) == 2
    other, first = found.pattern(0), found.pattern(1)
    assert (first.name, first.source_id, first.space_group, first.wavelength) == ("Testite", "R900001-1", 14, 1.541838)
    assert (other.name, other.source_id, other.space_group, other.wavelength) == ("Otherite", "R900002-1", 225, 0.7107)
    assert first.intensity.tolist() == list(range(12)) and other.intensity.tolist() == list(range(0, 40, 2))
    assert np.allclose(first.two_theta, 5 + 0.01 * np.arange(12), atol=1e-5)
    assert reasons(came) == {
        "Computite": "calculated, not measured",
        "Crystalite": "calculated, not measured",
        "Silentite": "does not say whether it was measured",
        "Shortite": "fewer than 10 points",
        "../../Escapite": "a name that leads out of the archive",
    }
    assert len((tmp_path / "rruff" / "XY_RAW.left_out.csv").read_text().splitlines()) == 6
    assert [path.name for path in tmp_path.iterdir()] == ["rruff"], "nothing is written elsewhere"


def test_rruff_is_asked_once_and_goes_on_where_it_broke_off(rruff, tmp_path):
    url = "/zipped_data_files/powder/XY_RAW.zip"
    filler = np.random.default_rng(0).bytes(3 * CHUNK)
    rruff.content[url] = zipped(RRUFF["XY_RAW.zip"] | {"picture.png": filler})
    rruff.faults[url] = [("cut", CHUNK)]
    with pytest.raises(ConnectionError, match=r"what came is kept.*put it at .*XY_RAW\.zip"):
        bring_rruff(tmp_path, manners=QUICK)
    assert bring_rruff(tmp_path, manners=QUICK).patterns == 2
    assert rruff.asked[1][1]["Range"] == f"bytes={CHUNK}-"
    rruff.asked.clear()
    assert bring_rruff(tmp_path, manners=QUICK).patterns == 2 and rruff.asked == []
    (tmp_path / "DIF.zip").write_bytes(b"another")
    with pytest.raises(ChecksumError, match=r"DIF\.zip has changed since it came: SHA-256 .* recorded"):
        bring_rruff(tmp_path, manners=QUICK)


def test_rruff_from_a_folder_with_other_archives(tmp_path):
    for name, files in (RRUFF | {"Refinement_Data.zip": {}}).items():
        (tmp_path / name).write_bytes(zipped(files))
    came = bring_rruff(tmp_path / "here", more=["Refinement_Data"], home=tmp_path.as_uri(), manners=QUICK)
    assert [path.name for path in came.paths] == ["XY_RAW.npz", "XY_RAW.zip", "DIF.zip", "Refinement_Data.zip"]
    with pytest.raises(ValueError, match=r"RRUFF has no Everything; patterns are in"):
        bring_rruff(tmp_path / "here", more=["Everything"])
    with pytest.raises(ValueError, match="RRUFF has no DIF"):
        bring_rruff(tmp_path / "here", profile="DIF")


def test_archives_without_one_measured_pattern_are_an_error(rruff, tmp_path):
    rruff.content["/zipped_data_files/powder/XY_RAW.zip"] = zipped({"a.txt": "<html>"})
    with pytest.raises(ValueError, match=r"no measured pattern for XY_RAW\.npz: all 1 files are left out.*a\.txt"):
        bring_rruff(tmp_path, manners=QUICK)
    assert not (tmp_path / "XY_RAW.npz").exists()


@pytest.fixture
def zenodo(home):
    content = zipped(OPXRD)
    stated = {"key": "opxrd.zip", "size": len(content), "checksum": f"md5:{hashlib.md5(content).hexdigest()}"}
    home.record = {"id": 77, "doi": "10.5281/zenodo.77", "files": [stated, {**stated, "key": "opxrd_in_situ.zip"}]}
    home.content["/api/records/14254270"] = json.dumps(home.record).encode()
    for name in ("opxrd", "opxrd_in_situ"):
        home.content[f"/api/records/77/files/{name}.zip/content"] = content
    return home


def test_opxrd_brings_what_was_measured(zenodo, tmp_path):
    came = bring_opxrd(tmp_path, manners=QUICK)
    found = load_measured(tmp_path / "opxrd.npz")
    assert came.paths == (tmp_path / "opxrd.npz",) and came.patterns == len(found) == 3
    names = ["CNRS/pattern_0", "CNRS/pattern_1", "USC/pattern_0"]
    assert found.source_id.tolist() == [f"opxrd/{name}" for name in names]
    assert found.space_group.tolist() == [225, 0, 0] and found.name.tolist() == ["Na4 Cl4", "", ""]
    assert np.array_equal(found.wavelength, [1.54056, 0.5, np.nan], equal_nan=True)
    assert found.pattern(0).two_theta.tolist() == list(range(10, 21))
    assert {left.name[-6]: left.reason for left in came.left_out} == {
        "1": "simulated, not measured",
        "2": "no JSON",
        "3": "columns of unequal length",
        "4": "columns of unequal length",
    }
    assert json.loads((tmp_path / "record.json").read_text()) == zenodo.record
    zenodo.asked.clear()
    assert bring_opxrd(tmp_path, manners=QUICK).patterns == 3 and zenodo.asked == []
    assert bring_opxrd(tmp_path, in_situ=True, manners=QUICK).patterns == 6


def test_opxrd_with_a_wrong_checksum_is_not_kept(zenodo, tmp_path):
    zenodo.content["/api/records/77/files/opxrd.zip/content"] = zipped(OPXRD | {"x.json": "{}"})
    with pytest.raises(ChecksumError, match=r"opxrd\.zip from .* is not the file .*md5 .*, expected .*Run this again"):
        bring_opxrd(tmp_path, manners=QUICK)
    assert list(tmp_path.glob("[!.]*")) == []


def test_opxrd_says_what_zenodo_says(zenodo, tmp_path):
    zenodo.content["/api/records/5"] = b"<html>"
    with pytest.raises(ValueError, match="did not answer with a record of Zenodo but with b'<html>'"):
        bring_opxrd(tmp_path, record="5", manners=QUICK)
    zenodo.content["/api/records/6"] = json.dumps({"id": 6, "files": []}).encode()
    with pytest.raises(FileNotFoundError, match=r"record 6 of Zenodo holds .*no opxrd\.zip"):
        bring_opxrd(tmp_path, record="6", manners=QUICK)


def test_opxrd_without_a_network_takes_what_was_put_there_by_hand(tmp_path):
    with pytest.raises(ConnectionError, match=r"fetch opxrd\.zip from https://doi\.org/.* put it at .*opxrd\.zip"):
        bring_opxrd(tmp_path, home="http://127.0.0.1:9", manners=QUICK)
    (tmp_path / "opxrd.zip").write_bytes(zipped(OPXRD))
    assert bring_opxrd(tmp_path, home="http://127.0.0.1:9", manners=QUICK).patterns == 3


FILES = {"README.md": b"frozen", "rruff_473/patterns.parquet": b"large" * 100, "rruff_325/labels (1).csv": b"1,2"}


@pytest.fixture
def hugging_face(home):
    def stated(name, content):
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        large = {"lfs": {"sha256": hashlib.sha256(content).hexdigest()}} if name.endswith(".parquet") else {}
        return {"rfilename": name, "size": len(content), "blobId": blob, **large}

    siblings = [stated(name, content) for name, content in FILES.items()] + [stated("../../escaped", b"out")]
    listing = json.dumps({"sha": "c0ffee", "siblings": siblings}).encode()
    home.content[f"/api/datasets/{DATASET}/revision/main?blobs=true"] = listing
    for name, content in FILES.items():
        home.content[f"/datasets/{DATASET}/resolve/c0ffee/{name}"] = content
    return home


def test_informedxrd_brings_the_files_as_they_are(hugging_face, tmp_path):
    folder = tmp_path / "deep" / "informedxrd"
    came = bring_informedxrd(folder, manners=QUICK)
    assert {path.relative_to(folder).as_posix(): path.read_bytes() for path in came.paths} == FILES
    assert [(left.name, left.reason) for left in came.left_out] == [
        ("../../escaped", "a name that leads out of the folder")
    ]
    assert not list(tmp_path.rglob("escaped")) and json.loads((folder / "listing.json").read_text())["sha"] == "c0ffee"
    hugging_face.asked.clear()
    bring_informedxrd(folder, manners=QUICK)
    assert len(hugging_face.asked) == 1, "the listing alone"


def test_informedxrd_goes_on_after_a_bad_file_and_brings_what_is_asked_for(hugging_face, tmp_path):
    place = f"/datasets/{DATASET}/resolve/c0ffee/"
    hugging_face.content[f"{place}README.md"] = b"thawed"
    del hugging_face.content[f"{place}rruff_325/labels (1).csv"]
    came = bring_informedxrd(tmp_path, manners=QUICK)
    assert [path.name for path in came.paths] == ["patterns.parquet"]
    (_, wrong, missing) = came.left_out
    assert wrong.name == "README.md" and "git " in wrong.reason and not (tmp_path / "README.md").exists()
    assert missing.name == "rruff_325/labels (1).csv" and "404" in missing.reason
    only = bring_informedxrd(tmp_path / "only", only="rruff_473/*", manners=QUICK)
    assert [path.name for path in only.paths] == ["patterns.parquet"] and only.left_out == ()
    hugging_face.content[f"/api/datasets/{DATASET}/revision/main?blobs=true"] = b'{"error": "no such"}'
    with pytest.raises(ValueError, match="did not answer with a listing"):
        bring_informedxrd(tmp_path, manners=QUICK)


def test_no_notebook_reads_what_holds_the_examination():
    """Neither the functions nor the folders of homes that hold patterns of the examination."""
    banned = ("public_homes", "homes/rruff", "homes/informedxrd", "XY_RAW", "XY_Processed")
    files = [*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "notebooks" / "params").rglob("*.yml")]
    assert len(files) > 30
    for path in files:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".ipynb":
            cells = nbformat.reads(text, as_version=4).cells
            text = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        assert not [word for word in banned if word in text], path.name
