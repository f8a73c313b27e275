"""Downloads from a server on this machine, from a folder, and from an injected client."""

from __future__ import annotations

import gzip
import math
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from pymatgen.core import Lattice, Structure

from paperlib.crystals.reading import download
from paperlib.crystals.reading.download import cod_cifs, cod_ids, materials_project
from paperlib.crystals.sources import read_cifs, read_jsonl
from paperlib.lab.asking import Manners
from tests.crystals.reading.test_cif import GOOD
from tests.lab.homes_server import Server

QUICK = Manners(rate=math.inf, retries=0)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        self.server.asked.append(self.path)


@pytest.fixture
def cod(tmp_path):
    """A folder with two CIFs and an HTML page, and a server that shows it."""
    folder = tmp_path / "cod"
    folder.mkdir()
    for identifier in (1000001, 1000002):
        (folder / f"{identifier}.cif").write_text(GOOD)
    (folder / "1000003.cif").write_text("<html>maintenance</html>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield SimpleNamespace(folder=folder, asked=server.asked, url=f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


IDS = [1000001, "1000002", 1000002, 1000003, 1000004, "abc", "../../x"]


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_good_ids_arrive_and_the_others_are_named(tmp_path, cod, scheme):
    base = cod.url if scheme == "http" else cod.folder.as_uri()
    result = cod_cifs(IDS, tmp_path / "here", base_url=base + "/", manners=QUICK)
    assert result.fetched == ("1000001", "1000002") and result.already_there == ()
    assert {entry.name: entry.reason for entry in result.failed} == {
        "abc": "not a COD id",
        "../../x": "not a COD id",
        "1000003": "answer is not a CIF",
        "1000004": "not on the server",
    }
    names = sorted(path.name for path in (tmp_path / "here").glob("[!.]*"))
    assert names == ["1000001.cif", "1000002.cif", "SHA256SUMS"]
    assert read_cifs(tmp_path / "here").crystals.space_group.tolist() == [221, 221]


def test_files_already_there_are_not_asked_for_again_and_damaged_ones_are(tmp_path, cod):
    cod_cifs([1000001], tmp_path, base_url=cod.url, manners=QUICK)
    (tmp_path / "1000002.cif").write_text("")
    cod.asked.clear()
    result = cod_cifs([1000001, 1000002], tmp_path, base_url=cod.url, manners=QUICK)
    assert result.already_there == ("1000001",) and result.fetched == ("1000002",)
    assert cod.asked == ["/1000002.cif"]
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["1000001.cif: OK", "1000002.cif: OK"]
    (tmp_path / "1000001.cif").write_text(GOOD.replace("Na", "Li"))
    assert cod_cifs([1000001], tmp_path, base_url=cod.url, manners=QUICK).fetched == ("1000001",)
    assert (tmp_path / "1000001.cif").read_text() == GOOD, "what changed since it came is fetched again"


def test_a_file_that_was_put_there_by_hand_is_taken(tmp_path, cod):
    (tmp_path / "1000009.cif").write_text(GOOD)
    assert cod_cifs([1000009], tmp_path, base_url=cod.url, manners=QUICK).already_there == ("1000009",)
    assert cod.asked == []


@pytest.fixture
def home(monkeypatch):
    """A home of crystals that misbehaves on demand, as the mirror of all homes."""
    there = Server()
    monkeypatch.setenv("PAPERLIB_MIRROR", there.address)
    yield there
    there.close()


TABLE = b'file,a,sg\r\n1000001,5.64,"F m -3 m"\r\n1000002,4.1,"P m -3 m"\r\n'


def test_ids_come_from_a_query(home):
    home.content["/cod/result?format=csv&el1=Na&strictmax=2"] = TABLE
    assert cod_ids({"el1": "Na", "strictmax": "2", "format": "zip"}, manners=QUICK) == ["1000001", "1000002"]
    with pytest.raises(ValueError, match="say what to look for"):
        cod_ids({})
    home.content["/cod/result?format=csv&el1=Zz"] = b"<html>no"
    with pytest.raises(ValueError, match=r"did not answer with a table of entries but with '<html>no'"):
        cod_ids({"el1": "Zz"}, manners=QUICK)
    home.content["/cod/result?format=csv&el1=He"] = TABLE[:11]
    assert cod_ids({"el1": "He"}, manners=QUICK) == []


def test_one_refused_id_is_reported_and_the_batch_goes_on(home, tmp_path):
    ids = [1000001, 1000002, 1000003, 1000004]
    home.content = {f"/cod/{i}.cif": GOOD.encode() for i in ids if i != 1000003}
    home.faults["/cod/1000002.cif"] = [500]
    result = cod_cifs(ids, tmp_path, manners=QUICK)
    assert result.fetched == ("1000001", "1000004")
    assert [(entry.name, entry.reason) for entry in result.failed] == [
        ("1000002", "refused by the server"),
        ("1000003", "not on the server"),
    ]
    home.asked.clear()
    assert cod_cifs(ids, tmp_path, manners=QUICK).fetched == ("1000002",)
    assert home.paths() == ["/cod/1000002.cif", "/cod/1000003.cif"]


def test_a_server_that_refuses_everything_is_left_alone(home, tmp_path):
    ids = range(1000001, 1000009)
    home.content = {f"/cod/{i}.cif": GOOD.encode() for i in ids}
    home.faults = {f"/cod/{i}.cif": [503] for i in list(ids)[1:]}
    with pytest.raises(ConnectionError, match=r"does not answer for 1000004 .*1 files fetched so far are kept"):
        cod_cifs(ids, tmp_path, manners=QUICK)
    assert len(home.asked) == 4


def test_a_server_that_does_not_answer_is_an_error_that_names_it(tmp_path, cod, monkeypatch):
    monkeypatch.setattr(download, "RETRIES", 0)
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1:9 does not answer for 1000001 .*run the same call again"):
        cod_cifs([1000001], tmp_path / "here", base_url="http://127.0.0.1:9")
    assert list((tmp_path / "here").glob("[!.]*")) == []


class Client:
    """The part of MPRester that the download uses, over two entries; it breaks at the id ``mp-666``."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
        alloy = Structure(Lattice.cubic(3), [{"Fe": 0.5, "Al": 0.5}], [[0, 0, 0]])
        self.known = {"mp-1": (salt, 225), "mp-2": (alloy, 221)}
        self.materials = SimpleNamespace(summary=self)

    def search(self, material_ids: list[str], fields: list[str]) -> list[SimpleNamespace]:
        self.asked.append(material_ids)
        if "mp-666" in material_ids:
            raise TimeoutError("the line is down")
        known = [(i, *self.known[i]) for i in reversed(material_ids) if i in self.known]
        documents = [
            SimpleNamespace(
                material_id=identifier,
                formula_pretty=structure.reduced_formula,
                structure=structure,
                symmetry=SimpleNamespace(number=number),
                energy_above_hull=0.0,
                theoretical=False,
            )
            for identifier, structure, number in known
        ]
        assert all(hasattr(document, field) for document in documents for field in fields)
        return documents


@pytest.mark.parametrize("name", ["mp.jsonl", "mp.jsonl.gz"])
def test_materials_project_entries_are_what_read_jsonl_reads(tmp_path, name):
    result = materials_project(["mp-1", "mp-99", "mp-2"], "key", tmp_path / name, client=Client())
    assert set(result.fetched) == {"mp-1", "mp-2"}
    assert [(entry.name, entry.reason) for entry in result.failed] == [("mp-99", "not in the Materials Project")]
    loaded = read_jsonl(tmp_path / name)
    assert loaded.crystals.source_id.tolist() == ["mp-1", "mp-2"]
    assert loaded.crystals.space_group.tolist() == loaded.declared_space_group.tolist() == [225, 221]
    assert loaded.crystals.occupancy[-2:].tolist() == [0.5, 0.5]


def test_an_interrupted_download_goes_on_and_gives_the_same_bytes(tmp_path):
    client, path = Client(), tmp_path / "mp.jsonl.gz"
    with pytest.raises(TimeoutError):
        materials_project(["mp-1", "mp-666", "mp-2"], "key", path, client=client, batch=1)
    client.asked.clear()
    result = materials_project(["mp-1", "mp-2"], "key", path, client=client, batch=1)
    assert result.already_there == ("mp-1",) and client.asked == [["mp-2"]]
    materials_project(["mp-1", "mp-2"], "key", tmp_path / "at_once.jsonl.gz", client=client)
    assert path.read_bytes() == (tmp_path / "at_once.jsonl.gz").read_bytes()


def test_what_is_missing_is_said_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mp_api.client", None)
    with pytest.raises(ImportError, match="pip install mp-api"):
        materials_project(["mp-1"], "key", tmp_path / "mp.jsonl")
    with pytest.raises(ValueError, match=r"materialsproject\.org/api"):
        materials_project(["mp-1"], "", tmp_path / "mp.jsonl")
    with pytest.raises(ValueError, match=r"must end in \.jsonl"):
        materials_project(["mp-1"], "key", tmp_path / "mp.csv", client=Client())
    (tmp_path / "mp.jsonl.gz").write_bytes(gzip.compress(b"{}")[:-4])
    with pytest.raises(ValueError, match=r"mp\.jsonl\.gz is damaged .*delete it"):
        materials_project(["mp-1"], "key", tmp_path / "mp.jsonl.gz", client=Client())
