"""The commands ``paperlib data home …``: what they print, where they put it, and how they end."""

import math

import pytest

from paperlib import cli
from paperlib.datasets.measured_sets import load_measured
from paperlib.lab import asking, paths
from paperlib.lab.asking import Manners
from tests.crystals.reading.test_cif import GOOD
from tests.datasets.homes.packed import RRUFF, zipped
from tests.lab.homes_server import Server


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A server as the mirror of all homes, and an empty repository."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "MP_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    monkeypatch.setattr(paths, "check_installation", lambda: None)
    monkeypatch.setattr(asking, "Manners", lambda rate: Manners(rate and math.inf, retries=0))
    there = Server()
    monkeypatch.setenv("PAPERLIB_MIRROR", there.address)
    yield there
    there.close()


def run(*words):
    return cli.main(["data", "home", *words])


def test_rruff_says_that_it_holds_the_examination_and_what_was_left_out(home, tmp_path, capsys):
    for name, files in RRUFF.items():
        home.content[f"/zipped_data_files/powder/{name}"] = zipped(files)
    assert run("rruff") == 0
    said = capsys.readouterr()
    path = tmp_path / "data/raw/homes/rruff/XY_RAW.npz"
    assert str(path) in said.out and "2 measured patterns" in said.out and len(load_measured(path)) == 2
    assert "examination" in said.err and "left out, calculated, not measured: 2, such as Computite__" in said.err


def test_cod_by_ids_a_list_and_a_query(home, tmp_path, capsys):
    home.content["/cod/result?format=csv&el1=Na"] = b"file,a\n1000003,5.6\n"
    home.content |= {f"/cod/100000{k}.cif": GOOD.encode() for k in (1, 2, 3)}
    (tmp_path / "ids.csv").write_text('file,a\n"1000002",5\n1000009,6\n\n')
    ids, to = ("--ids", str(tmp_path / "ids.csv")), ("--to", str(tmp_path / "c"))
    assert run("cod", "1000001", *ids, "--where", "el1=Na", *to) == 1
    said = capsys.readouterr()
    assert "3 fetched, 0 here before, of 4" in said.out
    assert "left out, not on the server: 1, such as 1000009" in said.err
    assert len(list((tmp_path / "c").glob("*.cif"))) == 3
    assert run("cod", "1000001", *to) == 0
    assert "0 fetched, 1 here before, of 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, says",
    [
        (["cod"], "no ids: give some, --ids FILE, or --where"),
        (["cod", "--where", "Na"], "expected NAME=VALUE after --where, as el1=Na; got Na"),
        (["cod", "1000001", "--rate", "0"], "a positive number of requests a second"),
        (["mp"], "no ids: give some, as mp-149"),
        (["mp", "mp-149"], "MP_API_KEY"),
        (["opxrd"], "put it at"),
        (["informedxrd"], "fetch the files of https://huggingface.co/datasets/informedxrd/informedxrd-benchmarks"),
        (["rruff"], "the server no longer offers this file. Without a network"),
        (["rruff", "--more", "All"], "RRUFF has no All"),
    ],
)
def test_what_is_missing_is_said_in_a_line(home, capsys, words, says):
    assert run(*words) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert says in line
