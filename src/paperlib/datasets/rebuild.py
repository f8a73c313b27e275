"""Data sets rebuilt from their public homes: which raw files each is made of, and the steps.

Commits, checksums and steps were checked against snapshots of the repositories; lists of rows lie in ``data/recipes``.
A rebuilt set is accepted when the digest of its content is the registered one (`paperlib.lab.fetch`).
"""

from __future__ import annotations

import gzip
import json
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from paperlib.datasets.homes import patterns, structures
from paperlib.datasets.homes.raw_files import Folder, Repository, chosen_files, raw_file, raw_files, raw_folders
from paperlib.lab import fetch, paths
from paperlib.lab.content import content_digest
from paperlib.lab.store import atomic_path, write_arrays, write_table

WYCKOFF = Repository("SymmetryAdvantage/WyckoffTransformer", "507e8f147a0e87905c2574ebfbbfc9fa21c2fb09")
SUPERCONDUCTORS = Repository("aimat-lab/3DSC", "8d69ca9c94b83d387378549225d3b7c3af85ca42")
NORMAL_FORM = Repository("mcgalcode/crystal-normal-form", "4e7c6bf2d7e6914a8d973d8fff5fdcc30ad4c916")
CHEMELEON = Repository("hspark1212/chemeleon", "df4c67449265f5dfad66b1300ba438b35b9fcb7c")
DARA = Repository("CederGroupHub/dara", "621e38a700cb94fa3fbc232c0a424b8b6b711d39")
UNNAMED = Repository("AGI-init/XRDs", "94ab78472f014a43489c928c692823d7b8d179d5")
NAMED = Repository("Jason050413/PXRD-Candidate-List-Retrieval-Benchmark", "f43a3327a519e198a4b2039fd2650093a96d1a18")
SPGLIB = Repository("spglib/spglib", "0c1fca6c904a2c3a867f1c7c1128546392e5e172")
OPENCHEMISTRY = Repository("OpenChemistry/crystals", "7adea78a682c1fa793825c85e67de531005413ff")

CIFS_OF_3DSC = [
    Folder(
        SUPERCONDUCTORS,
        "superconductors_3D/data/source/MP/raw/cifs",
        7_773_705,
        "43c0bf0df7c7342ad93a9c4f1390ec304efc00a0",
    ),
    Folder(
        SUPERCONDUCTORS,
        "superconductors_3D/data/final/MP/cifs",
        14_732_029,
        "b90bbe812e6e080d06e596abe7a88a4dbddaf660",
    ),
]
CIFS_OF_NORMAL_FORM = [Folder(NORMAL_FORM, "tests/data/mp_cifs", 2_345_385, "810cd168dfb2e21a09a676eebb82a74e65cfad1f")]
POSCARS_OF_SPGLIB = [
    Folder(SPGLIB, "test/functional/python/data", 3_990_441, "43e1845288acd4e82a178993ec5b1ea4e3b5b53a")
]
TABLES = {
    "mpts_52_test": (
        WYCKOFF,
        "data/mpts_52/test.csv.gz",
        "5c082d8cd8b5398bb9971f076e2f459771e01b45b1a2d206f665bd99a1369feb",
    ),
    "mpts_52_val": (
        WYCKOFF,
        "data/mpts_52/val.csv.gz",
        "af56fcaa2ed7f36e9ec0ce95ae409c73f4c909644153c3d441c76f87a4d1c11d",
    ),
    "mp_20_biternary_test": (
        WYCKOFF,
        "data/mp_20_biternary/test.csv.gz",
        "e96144ffbad7fc61b0012456ead22d2c8f6993282a4fef584fbf906581086e02",
    ),
    "mp_20_biternary_val": (
        WYCKOFF,
        "data/mp_20_biternary/val.csv.gz",
        "f0a1743241ade50592ce24dd3efc8b5e4d4d84c6a72e827c16699e83ce254f07",
    ),
    "chemeleon_mp40_test": (
        CHEMELEON,
        "data/mp-40/test.csv",
        "67cb3a682724d40afb5bfe2fba52e4e40ddaa40c2ac955e13aebffe91db45f5b",
    ),
}
COUNTED = {
    "icsd_2025_v3": (
        DARA,
        "src/dara/data/icsd_filtered_info_2025_v3.json.gz",
        "fbd8aaccc359f27302479d23da53c91871f96fbcb0e31f662f697a6bfb4aa066",
    ),
    "cod_2024": (
        DARA,
        "src/dara/data/cod_filtered_info_2024.json.gz",
        "03599f54f03f04420523dca36cc06927b74ce0070a4a80e6d859faa38a6c5aed",
    ),
}
MATERIALS_PROJECT = "structures/mp_30587.jsonl.gz"


def bring(name: str) -> Path:
    """The path of a registered file that lies on this machine, is downloaded, or is rebuilt under ``data/raw``.

    Raises FileNotFoundError where no public home has it, ConnectionError where a server does not answer (what has been
    fetched is kept: run again), and ChecksumError for raw files that changed and for a set that comes out otherwise
    than registered; that set is kept under another name, which the message gives.
    """
    entry = fetch.registry().get(name)
    if entry is None or name not in RECIPES or fetch.at_hand(name):
        return fetch.fetch(name)
    target = paths.root() / "data" / "raw" / name
    other = target.with_name(f"rebuilt_{target.name}")
    RECIPES[name](other)
    if content_digest(other) != entry.content:
        raise fetch.ChecksumError(
            f"{name} was rebuilt, but holds something else than the registered file, most likely because of other "
            "versions of spglib, pymatgen or numpy than constraints.txt names. It is kept as "
            f"{other.relative_to(paths.root())} and can be used as a set of your own under that path"
        )
    other.replace(target)
    return target


def bring_all(names: Iterable[str]) -> int:
    """Bring files one after the other, with a line for each; what cannot be had is said, and the next is tried.

    ``names`` are registered ones, or "all" for those that a public home offers or that can be rebuilt; of the others it
    says that they are missing. 0 if all that was asked for is here in the end, 1 otherwise.
    """
    wanted, entries = list(names), fetch.registry()
    if "all" in wanted:
        wanted = [name for name, entry in entries.items() if entry.url or entry.content]
        if others := fetch.missing(entries.keys() - wanted):
            print(f"note: no public home has {', '.join(sorted(others))}", file=sys.stderr)
    for name in wanted:
        try:
            print(f"{name}: {bring(name)}", flush=True)
        except (OSError, fetch.ChecksumError) as error:
            print(f"error: {'' if name in str(error) else f'{name}: '}{error}", file=sys.stderr)
    left = fetch.missing(wanted)
    print(f"{len(wanted) - len(left)} of {len(wanted)} files are here")
    return 1 if left else 0


def listing(entries: dict[str, fetch.Entry]) -> list[str]:
    """One line for each registered file: its name, whether it is here, and where it can be had."""
    width = max(map(len, entries), default=0)
    return [
        f"{name:{width}}  {'here' if fetch.at_hand(name) else 'missing':7}  {_origin(name, entry)}"
        for name, entry in entries.items()
    ]


def _origin(name: str, entry: fetch.Entry) -> str:
    if entry.url:
        return f"downloaded from {'/'.join(urlsplit(entry.url).path.split('/')[1:3])}"
    return "rebuilt from public files" if name in RECIPES else "no public home: computed for this paper"


def _materials_project(target: Path) -> None:
    tables = {source: raw_file(*where) for source, where in TABLES.items()}
    source, _ = raw_folders(CIFS_OF_3DSC)
    (normal_form,) = raw_folders(CIFS_OF_NORMAL_FORM)
    folders = {"3dsc_mp": source, "cnf_mp": normal_form}
    _write_lines(target, structures.materials_project(tables, folders, _list("mp_30587_tail_order.csv")))


def _doped(target: Path) -> None:
    _write_lines(target, structures.doped_superconductors(raw_folders(CIFS_OF_3DSC)[1]))


def _histograms(target: Path) -> None:
    counts = {}
    for name, where in COUNTED.items():
        with gzip.open(raw_file(*where), "rt", encoding="utf-8") as file:
            counts[name] = Counter(row[2] for rows in json.load(file).values() for row in rows)
    with gzip.open(bring(MATERIALS_PROJECT), "rt", encoding="utf-8") as file:
        # the wider tolerance: what is published counts groups as the Materials Project assigns them
        counts["mp_30587"] = Counter(json.loads(line)["sg_0.1"] for line in file)
    groups = range(1, 231)
    columns = {name: [found[group] for group in groups] for name, found in counts.items()}
    write_table(target, pd.DataFrame({"sg": groups, **columns}))


def _unnamed_patterns(target: Path) -> None:
    rows = pd.read_csv(_list("rruff_open_rows.csv"))
    names = [f"Data/Generated/XRDs_RRUFF/{index}.npy" for index in rows["index"]]
    files = raw_files(UNNAMED, dict(zip(names, rows["sha256"], strict=True)), "RRUFF patterns")
    write_arrays(target, patterns.unnamed(files, rows["index"]))


def _named_patterns(target: Path) -> None:
    rows = _named_rows()
    files = raw_files(NAMED, _of_each(rows, "xy"), "named RRUFF patterns")
    texts = {name: rows[name].to_numpy(str) for name in ("name", "rruff_id", "formula")}
    write_arrays(target, patterns.named(files) | texts | {"space_group": rows["space_group"].to_numpy(np.int16)})


def _named_cifs(target: Path) -> None:
    files = raw_files(NAMED, _of_each(_named_rows(), "cif"), "CIFs of named RRUFF patterns")
    _write_archive(target, ((path.name, path) for path in files))


def _spglib_poscars(target: Path) -> None:
    (folder,) = raw_folders(POSCARS_OF_SPGLIB)
    _write_archive(target, ((str(p.relative_to(folder)), p) for p in sorted(folder.rglob("*")) if p.is_file()))


def _openchemistry(target: Path) -> None:
    rows = pd.read_csv(_list("openchemistry_files.csv"))
    checksums = dict(zip(rows["path"], rows["sha256"], strict=True))
    files = chosen_files(OPENCHEMISTRY, checksums, int(rows["size"].sum()))
    _write_archive(target, zip(checksums, files, strict=True))


RECIPES: dict[str, Callable[[Path], None]] = {
    MATERIALS_PROJECT: _materials_project,
    "structures/3dsc_10904.jsonl.gz": _doped,
    "structures/openchemistry_cifs_524.tar.gz": _openchemistry,
    "structures/spglib_poscars_785.tar.gz": _spglib_poscars,
    "statistics/space_group_histograms.csv": _histograms,
    "patterns/rruff_open.npz": _unnamed_patterns,
    "patterns/rruff_named_open.npz": _named_patterns,
    "patterns/rruff_named_open_cifs.tar.gz": _named_cifs,
}
"""How each set is rebuilt; the function writes the set to the path that it is given."""


def _named_rows() -> pd.DataFrame:
    # one of the formulas could read as a missing number
    return pd.read_csv(_list("rruff_named_open_rows.csv"), keep_default_na=False)


def _of_each(rows: pd.DataFrame, kind: str) -> dict[str, str]:
    names = (f"application_samples/real_spectra/{name}/{name}.{kind}" for name in rows["name"])
    return dict(zip(names, rows[f"{kind}_sha256"], strict=True))


def _list(name: str) -> Path:
    return paths.root() / "data" / "recipes" / name


def _write_lines(target: Path, entries: Iterable[structures.Entry]) -> None:
    with atomic_path(target) as partial, gzip.GzipFile(partial, "wb", mtime=0) as file:
        for entry in entries:
            file.write((json.dumps(entry, separators=(",", ":")) + "\n").encode())


def _write_archive(target: Path, files: Iterable[tuple[str, Path]]) -> None:
    with atomic_path(target) as partial, gzip.GzipFile(partial, "wb", mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, path in files:
                member = tarfile.TarInfo(name)
                member.size = path.stat().st_size
                with open(path, "rb") as source:
                    archive.addfile(member, source)
