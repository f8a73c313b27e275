"""Every recipe from raw files on a local server to a set that counts as the registered one."""

import csv
import gzip
import io
import json
import tarfile

import numpy as np
import pytest

from paperlib import cli
from paperlib.datasets import rebuild
from paperlib.datasets.homes.raw_files import Folder, tree_id
from paperlib.lab import fetch, provenance
from paperlib.lab.content import content_digest
from paperlib.lab.fetch import ChecksumError
from paperlib.lab.store import sha256_of
from tests.datasets.homes.cifs import DOPED, p1
from tests.datasets.homes.test_patterns import npy

SALT, CAESIUM = p1(5.64, ["Na"] * 4 + ["Cl"] * 4, "face-centred"), p1(4.12, ["Cs", "Cl"], "primitive")
DOPED_NAME = "Ag0.02Ge2Pd1.98Sr1-MP-mp-978986-synth_doped"
MP, HISTOGRAMS = "structures/mp_30587.jsonl.gz", "statistics/space_group_histograms.csv"


def table(rows, **columns):
    """A CSV with CIF texts; the values of other columns are the same in each row."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["material_id", "cif", *columns])
    writer.writerows([identifier, cif, *columns.values()] for identifier, cif in rows)
    return text.getvalue().encode()


def offer_table(web, monkeypatch, source, content):
    repository, path, _ = rebuild.TABLES[source]
    content = gzip.compress(content) if path.endswith(".gz") else content
    sha256 = web.put(f"{repository.name}/{repository.commit}/{path}", content)
    monkeypatch.setitem(rebuild.TABLES, source, (repository, path, sha256))


def offer_folders(web, monkeypatch, attribute, *contents):
    """Archives of small stand-ins, whose names as git gives them take the place of the true ones."""
    files, folders = {}, []
    for folder, content in zip(getattr(rebuild, attribute), contents, strict=True):
        place = web.repository.parent / "stand-ins" / folder.path
        for name, text in content.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text)
            files[f"{folder.path}/{name}"] = text.encode()
        size = sum(len(text) for text in content.values())
        folders.append(Folder(folder.repository, folder.path, size, tree_id(place)))
    web.put_archive(folders[0].repository, files | {"README.md": b"besides"})
    monkeypatch.setattr(rebuild, attribute, folders)


def write_list(web, name, rows):
    with open(web.repository / "data" / "recipes" / name, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def register(web, name, write, sha256="0" * 64):
    """Register what ``write`` writes, under the checksum of other bytes."""
    expected = web.repository.parent / "expected" / name
    expected.parent.mkdir(parents=True, exist_ok=True)
    write(expected)
    with open(web.repository / "data" / "registry.txt", "a") as file:
        file.write(f"{name} {sha256} content:{content_digest(expected)}\n")
    return expected


def entry(source, identifier, caesium=False, **more):
    """What the recipe says of one of the two structures, written out by hand."""
    shared = {"source": source, "id": identifier, "mpid": identifier, **more}
    if caesium:
        own = {"formula": "ClCs", "nat": 2, "nprim": 2, "vpa": round(4.12**3 / 2, 4), "el": ["Cs", "Cl"]}
        own |= {"sg_0.01": 221, "sg_0.1": 221, "frac": [[0, 0, 0], [0.5, 0.5, 0.5]]}
        return shared | own | {"lattice": [[4.12, 0, 0], [0, 4.12, 0], [0, 0, 4.12]]}
    own = {"formula": "ClNa", "nat": 8, "nprim": 2, "vpa": round(5.64**3 / 8, 4), "el": ["Na"] * 4 + ["Cl"] * 4}
    half = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    own |= {"sg_0.01": 225, "sg_0.1": 225, "frac": [*half, [0.5, 0.5, 0.5], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]}
    return shared | own | {"lattice": [[5.64, 0, 0], [0, 5.64, 0], [0, 0, 5.64]]}


@pytest.fixture
def materials_project(web, monkeypatch):
    split = {"energy_above_hull": "0.0", "theoretical": "False", "year": "2004"}
    binary = {"e_above_hull": "0.1", "spacegroup.number": "225"}
    offer_table(web, monkeypatch, "mpts_52_test", table([("mp-1", SALT), ("mp-2", CAESIUM)], **split))
    offer_table(web, monkeypatch, "mpts_52_val", table([("mp-3", SALT)], **split))
    offer_table(web, monkeypatch, "mp_20_biternary_test", table([("mp-1", SALT), ("mp-4", SALT)], **binary))
    offer_table(web, monkeypatch, "mp_20_biternary_val", table([("mp-5", SALT)], **binary))
    last = {"energy_above_hull": "0.2", "space_group_number": "221"}
    offer_table(web, monkeypatch, "chemeleon_mp40_test", table([("mp-8", CAESIUM), ("mp-9", CAESIUM)], **last))
    offer_folders(
        web, monkeypatch, "CIFS_OF_3DSC", {"mp-6.cif": SALT, "mp-7.cif": CAESIUM}, {f"{DOPED_NAME}.cif": DOPED}
    )
    offer_folders(web, monkeypatch, "CIFS_OF_NORMAL_FORM", {"mp-8.cif": CAESIUM, "mp-1.cif": SALT})
    order = [("3dsc_mp", "mp-7"), ("3dsc_mp", "mp-6"), ("cnf_mp", "mp-8")]
    write_list(web, "mp_30587_tail_order.csv", [{"source": source, "id": identifier} for source, identifier in order])
    split = {"e_hull": "0.0", "theoretical": "False", "year": "2004", "sg_given": None}
    binary = {"e_hull": "0.1", "theoretical": None, "year": None, "sg_given": "225"}
    entries = [
        *(entry("mpts_52_test", "mp-1", **split), entry("mpts_52_test", "mp-2", caesium=True, **split)),
        *(entry("mpts_52_val", "mp-3", **split), entry("mp_20_biternary_test", "mp-4", **binary)),
        *(entry("mp_20_biternary_val", "mp-5", **binary), entry("3dsc_mp", "mp-7", caesium=True)),
        *(entry("3dsc_mp", "mp-6"), entry("cnf_mp", "mp-8", caesium=True)),
        entry("chemeleon_mp40_test", "mp-9", caesium=True, e_hull="0.2", sg_given="221"),
    ]
    lines = "".join(json.dumps(line, indent=None, separators=(" ,", ": ")) + "\n" for line in entries)
    register(web, MP, lambda path: path.write_bytes(gzip.compress(lines.encode(), 1)), "ab" * 32)
    return web


def test_the_structures_are_rebuilt_and_count_as_the_registered_ones(materials_project, capsys):
    assert fetch.missing([MP]) == [MP]
    with pytest.raises(FileNotFoundError, match=f"`paperlib data fetch {MP}` brings it"):
        fetch.fetch(MP)
    assert cli.main(["data", "fetch", MP]) == 0
    path = fetch.fetch(MP)
    assert (
        path == materials_project.repository / "data" / "raw" / MP
        and "1 of 1 files are here" in capsys.readouterr().out
    )
    assert fetch.missing([MP]) == [] and sha256_of(path) != "ab" * 32
    assert provenance.data_hash(path) == "ab" * 32, "it enters results as the registered file does"
    asked = len(materials_project.asked)
    assert rebuild.bring(MP) == path and len(materials_project.asked) == asked


def test_a_set_that_comes_out_otherwise_is_not_taken_for_the_registered_one(materials_project, monkeypatch):
    monkeypatch.setattr(rebuild.structures, "_space_groups", lambda cell: {"sg_0.01": 1, "sg_0.1": 1})
    monkeypatch.setattr(
        rebuild.structures, "_in_parallel", lambda function, calls, what: (function(*call) for call in calls)
    )
    with pytest.raises(ChecksumError, match=r"versions of spglib.*data/raw/structures/rebuilt_mp_30587\.jsonl\.gz"):
        rebuild.bring(MP)
    assert fetch.missing([MP]) == [MP]
    other = materials_project.repository / "data/raw/structures/rebuilt_mp_30587.jsonl.gz"
    assert provenance.data_hash(other) == sha256_of(other)
    other.rename(other.with_name("mp_30587.jsonl.gz"))
    with pytest.raises(ChecksumError, match="another content"):
        fetch.fetch(MP)


def test_a_server_that_stops_answering_keeps_what_was_fetched(materials_project, capsys):
    path = next(iter(materials_project.folder.glob("hspark1212/**/test.csv"))).relative_to(materials_project.folder)
    materials_project.broken[str(path)] = 503
    assert cli.main(["data", "fetch", MP]) == 1
    said = capsys.readouterr()
    assert "503" in said.err and "run this again" in said.err and "0 of 1 files are here" in said.out
    materials_project.broken.clear()
    materials_project.asked.clear()
    assert cli.main(["data", "fetch", MP]) == 0
    assert not [path for path in materials_project.asked if "WyckoffTransformer" in path]


def test_doped_structures(materials_project):
    name = "structures/3dsc_10904.jsonl.gz"

    def write(path):
        line = {"source": "3dsc_sc", "id": DOPED_NAME, "formula": "Ag0.02Ge2Pd1.98Sr1", "parent": "mp-978986"}
        line |= {"doped": True, "nat": 5, "sg_0.01": 139, "sg_0.1": 139}
        line["lattice"] = [[4.127164, -0.0, -1.633501], [-0.646527, 4.07621, -1.633501], [0, 0, 6.030548]]
        ge = [[0.37057, 0.37057, 0.74114], [0.62943, 0.62943, 0.25886]]
        line |= {"frac": [[0, 0, 0], *ge, [0.25, 0.75, 0.5], [0.75, 0.25, 0.5]]}
        line["occ"] = [{"Sr": 1}, {"Ge": 1}, {"Ge": 1}, {"Pd": 0.99, "Ag": 0.01}, {"Ag": 0.01, "Pd": 0.99}]
        path.write_bytes(gzip.compress(json.dumps(line).encode()))

    register(materials_project, name, write)
    assert rebuild.bring(name).is_file()


def test_histograms_count_dara_and_the_rebuilt_structures(materials_project, monkeypatch):
    shown = {"Na-Cl": [["NaCl", 1, 225, 0.0], ["NaCl", 1, 225, None]], "Cs-Cl": [["CsCl", 2, 221, 0.1]]}
    for name, (repository, path, _) in rebuild.COUNTED.items():
        content = gzip.compress(json.dumps(shown if name == "cod_2024" else {}).encode())
        sha256 = materials_project.put(f"{repository.name}/{repository.commit}/{path}", content)
        monkeypatch.setitem(rebuild.COUNTED, name, (repository, path, sha256))
    counts = {221: "0,1,4", 225: "0,2,5"}
    lines = ["sg,icsd_2025_v3,cod_2024,mp_30587", *(f"{group},{counts.get(group, '0,0,0')}" for group in range(1, 231))]
    register(materials_project, HISTOGRAMS, lambda path: path.write_text("\r\n".join(lines) + "\r\n"))
    assert rebuild.bring(HISTOGRAMS).read_text().splitlines() == lines


def test_unnamed_patterns_take_the_listed_rows_only_and_run_nothing(web):
    repository, trap = rebuild.UNNAMED, web.repository.parent / "trap"
    counts, rows = np.arange(8500) % 900, []
    for index, group in ((3, 14), (8, 225)):
        path = f"{repository.name}/{repository.commit}/Data/Generated/XRDs_RRUFF/{index}.npy"
        sha256 = web.put(path, npy(trap, counts + index, group - 1))
        rows.append({"index": index, "space_group": group, "size": 34531, "sha256": sha256})
    write_list(web, "rruff_open_rows.csv", rows)
    name = "patterns/rruff_open.npz"
    arrays = {
        "two_theta": np.linspace(5, 89.99, 8500, dtype=np.float32),
        "space_group": np.array([14, 225], np.int16),
        "intensity": np.array([counts + 3, counts + 8], np.uint16),
        "index": np.array([3, 8], np.int16),
    }
    register(web, name, lambda path: np.savez(path, **arrays))
    path = rebuild.bring(name)
    assert not trap.exists() and sorted(asked[-5:] for asked in web.asked) == ["3.npy", "8.npy"]
    with np.load(path, allow_pickle=False) as stored:
        assert np.array_equal(stored["intensity"], arrays["intensity"]) and stored["intensity"].dtype == np.uint16


def test_named_patterns_and_their_structures(web):
    repository = rebuild.NAMED
    place = f"{repository.name}/{repository.commit}/application_samples/real_spectra/NaN(O)_225/NaN(O)_225"
    xy = b"5.00 1\n5.01 2\n" + b"5.02 4\n"
    row = {"name": "NaN(O)_225", "rruff_id": "R1", "formula": "NaN", "space_group": 225}
    row |= {"xy_size": len(xy), "xy_sha256": web.put(f"{place}.xy", xy)}
    row |= {"cif_size": len(SALT), "cif_sha256": web.put(f"{place}.cif", SALT.encode())}
    write_list(web, "rruff_named_open_rows.csv", [row])
    intensity = np.full((1, 8501), np.nan, np.float32)
    intensity[0, :3] = 1, 2, 4
    arrays = {
        **{"intensity": intensity, "two_theta": np.linspace(5, 90, 8501, dtype=np.float32)},
        **{"name": np.array(["NaN(O)_225"]), "rruff_id": np.array(["R1"]), "formula": np.array(["NaN"])},
        "space_group": np.array([225], np.int16),
    }
    register(web, "patterns/rruff_named_open.npz", lambda path: np.savez(path, **arrays))

    def write(path):
        with tarfile.open(path, "w:gz") as archive:
            member = tarfile.TarInfo("NaN(O)_225.cif")
            member.size, member.mtime = len(SALT), 1_700_000_000
            archive.addfile(member, io.BytesIO(SALT.encode()))

    register(web, "patterns/rruff_named_open_cifs.tar.gz", write)
    assert cli.main(["data", "fetch", "all"]) == 0


def test_archives_of_folders_and_of_chosen_files(web, monkeypatch, capsys):
    offer_folders(web, monkeypatch, "POSCARS_OF_SPGLIB", {"cubic/POSCAR-225": "salt\n", "layer/POSCAR-1": "one\n"})
    web.put_archive(rebuild.OPENCHEMISTRY, {"halides/NaCl.cif": SALT.encode(), "halides/NaCl.png": b"picture"})
    sha256 = web.put("unused", SALT.encode())
    write_list(web, "openchemistry_files.csv", [{"path": "halides/NaCl.cif", "size": len(SALT), "sha256": sha256}])

    def write(members):
        def into(path):
            with tarfile.open(path, "w:gz") as archive:
                for name, text in members.items():
                    member = tarfile.TarInfo(name)
                    member.size = len(text)
                    archive.addfile(member, io.BytesIO(text.encode()))

        return into

    poscars = {"layer/POSCAR-1": "one\n", "cubic/POSCAR-225": "salt\n"}
    register(web, "structures/spglib_poscars_785.tar.gz", write(poscars))
    register(web, "structures/openchemistry_cifs_524.tar.gz", write({"halides/NaCl.cif": SALT}))
    with open(web.repository / "data" / "registry.txt", "a") as file:
        file.write(f"own.npz {'2' * 64}\n")
    assert cli.main(["data", "fetch", "all"]) == 0
    said = capsys.readouterr()
    assert "2 of 2 files are here" in said.out and "no public home has own.npz" in said.err


def test_the_list_says_what_is_here_and_where_the_rest_comes_from(web, capsys):
    register(web, MP, lambda path: path.write_bytes(gzip.compress(b"{}\n")))
    with open(web.repository / "data" / "registry.txt", "a") as file:
        file.write(
            f"a.sub {'1' * 64} https://raw.githubusercontent.com/someone/else/c0ffee/a.sub\nown.npz {'2' * 64}\n"
        )
    (web.repository / "data" / "raw").mkdir()
    (web.repository / "data" / "raw" / "own.npz").write_bytes(b"")
    assert cli.main(["data", "list"]) == 0
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        [MP, "missing", "rebuilt from public files"],
        ["a.sub", "missing", "downloaded from someone/else"],
        ["own.npz", "here", "no public home: computed for this paper"],
    ]
    assert cli.main(["data", "fetch", "nothing.npz"]) == 1
    assert "nothing.npz is not in data/registry.txt; `paperlib data list`" in capsys.readouterr().err
    assert cli.main(["data", "fetch"]) == 1


def test_every_recipe_is_registered_and_every_registered_content_has_a_recipe(root):
    entries = fetch.registry(root / "data" / "registry.txt")
    assert {name for name, entry in entries.items() if entry.content} == rebuild.RECIPES.keys()


def test_the_data_at_hand_hold_what_is_registered(root, data_folder):
    entries = fetch.registry(root / "data" / "registry.txt")
    for name in rebuild.RECIPES.keys() - {MP, "structures/3dsc_10904.jsonl.gz"}:
        assert content_digest(data_folder / name) == entries[name].content, name
