"""Damaged sources, drawn from a seed: what goes wrong with files of crystals.

``python -m tests.crystals.reading.fuzz FOLDER`` reads 500 of them and prints what broke a promise, as JSON; the test
beside it runs this in a process of its own, so that a hang or a death is seen, and the input named.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import pickle
import re
import resource
import struct
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.reading import archives, files, json_lines
from paperlib.crystals.reading.ingest import read_into_shards, skipped_entries
from paperlib.crystals.sources import Loaded, load_crystals

SEED, N_CIFS, N_LINES, N_ARCHIVES, N_SETS = 20261126, 240, 100, 100, 60
BATCH = 20
LIMIT = 200_000
"""Bytes: the limits on one entry while this runs, so that a bomb need not be large."""

HEAD = "data_{name}\n_cell_length_a {a}\n_cell_length_b {b}\n_cell_length_c {c}\n_cell_angle_alpha {al}\n"
HEAD += "_cell_angle_beta {be}\n_cell_angle_gamma {ga}\n"
ATOMS = "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
ATOMS += "_atom_site_occupancy\n_atom_site_U_iso_or_equiv\n"
CUBE = {"a": 5.64, "b": 5.64, "c": 5.64, "al": 90, "be": 90, "ga": 90}
OPERATIONS = "loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n'-x, -y, z+1/2'\n'-y, x, z+1/4'\n'y, -x, z+3/4'\n"
SEEDS = (
    HEAD.format(name="salt", **CUBE) + "_symmetry_space_group_name_H-M 'F m -3 m'\n_symmetry_Int_Tables_number 225\n"
    "_chemical_formula_sum 'Na1 Cl1'\n_cell_formula_units_Z 4\n" + ATOMS + "Na1 Na+ 0 0 0 1 .02\nCl1 Cl- .5 0 0 1 .02",
    HEAD.format(name="screw", **CUBE | {"a": 4.1, "b": 4.1}) + OPERATIONS + ATOMS
    + "Fe1 Fe 0.1 0.2 0.3 1.0 0.01\nO1 O 0.35(2) 0.41(1) 0.12 0.5 ?\n",
    HEAD.format(name="zinc", **CUBE | {"a": 3.25, "b": 3.25, "c": 5.2, "ga": 120})
    + "_symmetry_space_group_name_H-M 'P 63 m c'\n" + ATOMS
    + "Zn1 Zn 0.3333 0.6667 0 1 0.01\nO1 O 0.3333 0.6667 0.382 1 0.01\n",
    HEAD.format(name="low", a=5.1, b=6.3, c=7.7, al=81, be=96, ga=103) + "_space_group_name_Hall '-P 1'\n" + ATOMS
    + "K1 K 0.1 0.2 0.3 1 0.01\nN1 N 0.6 0.7 0.15 1 0.01\nO1 O 0.4 0.1 0.8 1 0.01\n",
)  # fmt: skip
WORDS = (
    *("1e300", "-1e300", "1e17", "nan", "NaN", "inf", "-inf", "abc", "50%", "1,0", "0", "-1", "180", "1e-300", "99999"),
    *("-32769", "1e9", "1e400", "'225'", "?", ".", "''", "0x10", "1/3", "--1", "1.2.3", "9" * 5000, "\u0663", "(5)"),
)
JUNK_NAMES = (
    *(
        "../../up.cif",
        "/absolute/x.cif",
        "a b.cif",
        "new\nline.cif",
        "tab\t.cif",
        "C:\\x.cif",
        "é.cif",
        ".cif",
        "..cif",
    ),
    *("a//b.cif", "./x.cif", "x.CIF", "con.cif", "\x1b[31mred.cif", "a" * 90 + "/" + "b" * 150 + ".cif", "x.cif/y.cif"),
)


def flipped(rng: np.random.Generator, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 12))):
        out[int(rng.integers(len(out)))] ^= 1 << int(rng.integers(8))
    return bytes(out)


def cut(rng: np.random.Generator, data: bytes) -> bytes:
    return data[: int(rng.integers(1, len(data)))]


def other_number(rng: np.random.Generator, text: str) -> str:
    numbers = list(re.finditer(r"(?<![\w.])-?\d+\.?\d*(?:\(\d+\))?(?![\w.])", text))
    chosen = numbers[int(rng.integers(len(numbers)))]
    return text[: chosen.start()] + str(rng.choice(WORDS)) + text[chosen.end() :]


def other_lines(rng: np.random.Generator, text: str) -> str:
    lines = text.splitlines()
    i, j = (int(k) for k in rng.integers(len(lines), size=2))
    kind = int(rng.integers(5))
    if kind == 0:
        lines[i], lines[j] = lines[j], lines[i]
    elif kind == 1:
        lines.insert(i, lines[j])
    elif kind == 2:
        del lines[i]
    elif kind == 3:
        tags = re.findall(r"_\w+", text)
        a, b = (str(tag) for tag in rng.choice(tags, 2))
        return text.replace(a, "\0").replace(b, a).replace("\0", b)
    else:
        lines.insert(i, str(rng.choice(["loop_", "data_x", "save_f", ";", "_cell_length_a", "'", "global_", "stop_"])))
    return "\n".join(lines)


def other_encoding(rng: np.random.Generator, text: str) -> bytes:
    text = text.replace("_cell", "# Ångström, é\n_cell", 1)
    kind = int(rng.integers(8))
    if kind < 5:
        return text.encode(("utf-16", "latin-1", "utf-8-sig", "utf-32", "cp037")[kind], errors="replace")
    if kind == 5:
        return text.replace("0", "0\0", 2).encode()
    return text.replace("\n", "\r" if kind == 6 else "\r\n").encode()


def damaged_cif(rng: np.random.Generator) -> tuple[bytes, str]:
    """A CIF and the suffix that it is to have."""
    text = str(rng.choice(SEEDS))
    if rng.random() < 0.2:
        text += str(rng.choice(SEEDS))
    for _ in range(int(rng.integers(1, 4))):
        text = (other_number, other_number, other_lines)[int(rng.integers(3))](rng, text)
    kind = int(rng.integers(10))
    data = text.encode(errors="replace")
    if kind == 0:
        data = flipped(rng, data)
    elif kind == 1:
        data = cut(rng, data)
    elif kind == 2:
        data = other_encoding(rng, text)
    elif kind == 3:
        return (cut, flipped)[int(rng.integers(2))](rng, gzip.compress(data)), ".cif.gz"
    elif kind == 4:
        return gzip.compress(data + b" " * (20 * LIMIT)), ".cif.gz"
    elif kind == 5:
        data += b"Xx" * LIMIT if rng.random() < 0.5 else rng.bytes(500)
    return data, ".cif"


def json_entry(i: int) -> dict:
    lattice, frac = (4.1 * np.eye(3)).tolist(), [[0, 0, 0], [0.5, 0.5, 0.5]]
    return {"id": f"s-{i}", "lattice": lattice, "frac": frac, "el": ["Cs", "Cl"], "sg_given": 221}


def damaged_line(rng: np.random.Generator, i: int) -> bytes:
    entry = json_entry(i)
    values = [
        None,
        True,
        "0.5",
        "50%",
        [],
        {},
        -5,
        1e300,
        10**400,
        float("nan"),
        float("inf"),
        0,
        "\ud800",
        "a\nb",
        [[1]],
    ]
    kind = int(rng.integers(9))
    field = str(rng.choice(list(entry)))
    value = values[int(rng.integers(len(values)))]
    if kind < 3:
        entry[field] = value
    elif kind == 3:
        entry[str(rng.choice(["lattice", "frac"]))][int(rng.integers(2))][int(rng.integers(3))] = value
    elif kind == 4:
        entry["lattice"] = (np.array(entry["lattice"]) * float(rng.choice([0.1, 100]))).tolist()
    elif kind == 5:
        entry["frac"][1] = [0, 0, 0.03 / 4.1]
    elif kind == 6:
        entry["frac"], entry["el"] = rng.random((5000, 3)).tolist(), ["Cl"] * 5000
    elif kind == 7:
        return b"[" * int(rng.integers(1, 100_000)) if rng.random() < 0.5 else b'{"id": "' + b"a" * LIMIT + b'"}'
    line = json.dumps(entry).encode()
    return (line, cut(rng, line), flipped(rng, line))[int(rng.integers(3))] if kind == 8 else line


def damaged_archive(rng: np.random.Generator, folder: Path, i: int) -> tuple[Path, bool]:
    """An archive with the healthy CIFs in it, and whether they must come out whatever else it holds."""
    kind = int(rng.integers(14))
    content, suffix = damaged_cif(rng)
    odd = str(rng.choice(JUNK_NAMES))
    if kind < 5:
        path = folder / f"{i}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, text in enumerate(SEEDS):
                archive.writestr(f"healthy/{number}.cif", text)
            archive.writestr(odd, content)
            link = zipfile.ZipInfo("link.cif")
            link.external_attr = 0o120777 << 16
            archive.writestr(link, "/etc/passwd")
            archive.writestr("within.zip", b"PK")
            archive.writestr("locked.cif", SEEDS[0])
            archive.writestr("bomb.cif", b" " * (20 * LIMIT))
            if kind == 1:
                archive.writestr("healthy/0.cif", SEEDS[1])
        data = path.read_bytes()
        where = data.rindex(b"locked.cif") - 46  # its entry in the central directory
        if kind == 2:
            data = data[: where + 8] + struct.pack("<H", 1) + data[where + 10 :]  # encrypted
        elif kind == 3:
            data = data[: where + 10] + struct.pack("<H", 9) + data[where + 12 :]  # Deflate64
        elif kind == 4:
            data = (cut, flipped)[int(rng.integers(2))](rng, data)
        path.write_bytes(data)
        return path, kind != 4
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=int(rng.integers(3))) as archive:

        def add(name: str, data: bytes = b"", **fields: object) -> None:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            for field, value in fields.items():
                setattr(member, field, value)
            archive.addfile(member, io.BytesIO(data))

        for number, text in enumerate(SEEDS):
            add(f"healthy/{number}.cif", text.encode())
        try:
            add(odd, content)
        except ValueError:  # too long a name for the oldest format
            add("x" + suffix, content)
        add("link.cif", type=tarfile.SYMTYPE, linkname=str(rng.choice(["link.cif", "/etc/passwd", "../../x"])))
        add("hard.cif", type=tarfile.LNKTYPE, linkname=str(rng.choice(["healthy/0.cif", "nowhere"])))
        add("pipe.cif", type=tarfile.FIFOTYPE)
        add("device.cif", type=tarfile.CHRTYPE)
        add("bomb.cif", b"\0" * (20 * LIMIT))
        add("lines.jsonl", b"{}")
        if kind == 5:
            add("claims.cif", b"", type=tarfile.XHDTYPE)
        add("healthy/last.cif", SEEDS[0].encode())
    data, whole = raw.getvalue(), kind not in (5, 6, 7, 8, 9)
    if kind == 6:
        data = cut(rng, data)
    elif kind == 7:
        at = 512 * int(rng.integers(len(data) // 512))
        data = data[:at] + flipped(rng, data[at : at + 512]) + data[at + 512 :]
    elif kind == 8:
        data = cut(rng, gzip.compress(data))
    elif kind == 9:
        data = flipped(rng, gzip.compress(data))
    elif kind == 10:
        data += b"more"
    elif kind == 11:
        data = bz2.compress(data)
    path = folder / f"{i}{'.tar.gz' if kind % 2 else '.tar'}"
    path.write_bytes(gzip.compress(data) if kind == 12 else data)
    return path, whole


class Malicious:
    """A pickle that writes a file when it is read."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        return Path.touch, (self.target,)


def damaged_set(rng: np.random.Generator, folder: Path, i: int, crystals: CrystalSet) -> Path:
    path = folder / f"{i}.npz"
    crystals.save(path)
    kind = int(rng.integers(5))
    if kind < 2:
        path.write_bytes((cut, flipped)[kind](rng, path.read_bytes()))
        return path
    with np.load(path) as archive:
        arrays = dict(archive)
    name = str(rng.choice(list(arrays)))
    array = arrays[name]
    bad = Malicious(folder.parent / "outside" / "owned")
    choices = [array.astype(str), array[:1], np.zeros(0), np.full(array.shape, np.nan), np.array([bad], dtype=object)]
    choices += [np.full(array.shape, 1e300), np.full(array.shape, -7), array[None], np.full(array.shape, 2**40), bad]
    choice = choices[int(rng.integers(len(choices)))]
    if choice is bad:
        path.write_bytes(pickle.dumps(bad))
        return path
    arrays[name] = choice
    (np.savez_compressed if kind == 4 else np.savez)(path, **arrays)
    return path


def digests(crystals: CrystalSet) -> dict[str, bytes]:
    """By name: all that is known of a crystal, and nothing of what it stands among."""
    out = {}
    for i in range(len(crystals)):
        one = crystals[i]
        parts = (one.cell, one.space_group, one.frac, one.species, one.occupancy, one.b_iso)
        out[str(one.source_id[0])] = b"".join(part.tobytes() for part in parts)
    return out


class Trial:
    """Reads inputs and keeps what broke a promise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[tuple[str, str]] = []
        self.readings = 0
        self.log = open(folder / "log.txt", "w", buffering=1)

    def read(self, path: Path, note: str = "") -> Loaded | None:
        """One reading; the only errors allowed name the path."""
        self.readings += 1
        self.log.write(f"{path.name} {note}\n")
        try:
            loaded = load_crystals(path, workers=1)
        except (ValueError, FileNotFoundError) as error:
            if str(path) not in str(error) or type(error) not in (ValueError, FileNotFoundError):
                self.faults.append((path.name, f"bare {type(error).__name__}: {str(error)[:200]}"))
            return None
        except BaseException as error:
            self.faults.append((path.name, f"run ended by {type(error).__name__}: {str(error)[:200]}"))
            return None
        for entry in loaded.skipped:
            if entry.reason.startswith("reader failed"):
                self.faults.append((path.name, f"{entry.name}: {entry.reason}: {entry.detail[:200]}"))
        return loaded

    def healthy(self, name: str, there: dict[str, bytes], expected: dict[str, bytes]) -> None:
        """The neighbours came out, and the same."""
        missing = [k for k in expected if k not in there]
        changed = [k for k in expected if k in there and there[k] != expected[k]]
        if missing or changed:
            self.faults.append((name, f"healthy neighbours missing {missing}, changed {changed}"))


def main(folder: Path) -> None:
    """Read everything and print the faults."""
    resource.setrlimit(resource.RLIMIT_AS, (12 * 2**30,) * 2)
    files.MAX_ENTRY = archives.MAX_ENTRY = json_lines.MAX_LINE = LIMIT
    inputs, outside = folder / "inputs", folder / "outside"
    for made in (inputs, outside, folder / "healthy"):
        made.mkdir()
    trial = Trial(folder)
    for number, text in enumerate(SEEDS):
        (folder / "healthy" / f"{number}.cif").write_text(text)
    alone = trial.read(folder / "healthy")
    assert alone is not None and len(alone.crystals) == len(SEEDS), "the seeds are sound"
    expected = {f"healthy/{name}": digest for name, digest in digests(alone.crystals).items()}

    for start in range(0, N_CIFS, BATCH):
        batch = inputs / f"batch {start}"
        (batch / "healthy").mkdir(parents=True)
        for number, text in enumerate(SEEDS):
            (batch / "healthy" / f"{number}.cif").write_text(text)
        for i in range(start, start + BATCH):
            content, suffix = damaged_cif(np.random.default_rng([SEED, 1, i]))
            (batch / f"c{i}{suffix}").write_bytes(content)
            trial.read(batch / f"c{i}{suffix}")
        (batch / "broken.cif").symlink_to(outside / "nowhere.cif")
        (batch / "round").symlink_to(batch)
        if (loaded := trial.read(batch)) is not None:
            trial.healthy(batch.name, digests(loaded.crystals), expected)
            named = {entry.name for entry in loaded.skipped}
            if not {"broken", "round"} <= named:
                trial.faults.append((batch.name, f"links not mentioned: {sorted(named)}"))
            if start % 80 == 0:
                made = read_into_shards(batch, folder / "target" / str(start), shard_size=7, workers=1)
                if digests(made[:]) != digests(loaded.crystals) or len(skipped_entries(made)) != len(loaded.skipped):
                    trial.faults.append((batch.name, "shards hold something else"))

    whole = json.dumps(json_entry(10**6)).encode()
    for start in range(0, N_LINES, BATCH):
        lines = [damaged_line(np.random.default_rng([SEED, 2, i]), i) for i in range(start, start + BATCH)]
        for i, line in enumerate(lines, start):
            (inputs / f"j{i}.jsonl").write_bytes(line)
            trial.read(inputs / f"j{i}.jsonl", str(line[:80]))
        path = inputs / f"j{start}.all.jsonl"
        path.write_bytes(b"\n".join([whole, *lines, whole.replace(b"1000000", b"1000001")]) + b"\n")
        if (loaded := trial.read(path)) is not None:
            trial.healthy(path.name, {k: b"" for k in digests(loaded.crystals)}, {"s-1000000": b"", "s-1000001": b""})

    for i in range(N_ARCHIVES):
        path, sound = damaged_archive(np.random.default_rng([SEED, 3, i]), inputs, i)
        if (loaded := trial.read(path)) is None:
            if sound:
                trial.faults.append((path.name, "a sound archive is refused as a whole"))
        elif sound:
            there = digests(loaded.crystals)
            twice = {remark.name for remark in loaded.remarks if remark.kind == "id used more than once"}
            trial.healthy(path.name, there, {k: v for k, v in expected.items() if k not in twice})
            if not {"link", "bomb"} <= {entry.name for entry in loaded.skipped}:
                trial.faults.append((path.name, "links and bombs are not mentioned"))
        elif not set(expected) <= set(digests(loaded.crystals)) and not loaded.skipped + loaded.remarks:
            trial.faults.append((path.name, "entries are missing and nothing says so"))

    for i in range(N_SETS):
        trial.read(damaged_set(np.random.default_rng([SEED, 4, i]), inputs, i, alone.crystals))

    n = N_CIFS + N_LINES + N_ARCHIVES + N_SETS
    print(json.dumps({"inputs": n, "readings": trial.readings, "faults": trial.faults}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
