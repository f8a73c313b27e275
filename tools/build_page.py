"""Build the web page that asks the released network: ``make page`` writes ``build/page``, a folder of static files.

1. The weights and their card are read as ``paperlib classify`` reads them; none is built on a damaged one.
2. Python for browsers and numpy for it come from npm (:data:`SOURCES`), are kept in ``build/fetched``, and are used
   only where their SHA-256 is the one written here. Nothing of them is in this repository.
3. The modules of the library that :data:`START` needs go into an archive: the page runs them, and no copy of them.
4. The page's own files (``page/``) are put beside all that.

Serve the folder by any web server; browsers run no WebAssembly of a page that is opened as a file.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, urlparse

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "src"
START = "paperlib.answers.on_a_page"
"""The module that the page calls."""
DATA = ("paperlib/symmetry/space_groups.npz",)
"""What its modules read beside themselves."""
INSTALLED = ("numpy", "paperlib")
"""Archives that the page unpacks, in order."""


@dataclass(frozen=True)
class Source:
    """A package of npm, in one version whose content is known."""

    package: str
    version: str
    sha256: str
    """Of the package's archive."""
    licence: str

    @property
    def file(self) -> str:
        """The name that npm gives its archive."""
        return f"{self.package.lstrip('@').replace('/', '-')}-{self.version}.tgz"


PYODIDE = Source(
    "pyodide",
    "0.28.3",
    "bc3accb122c2c5d840b26ce56b100a21ab94aea4fe387a5b5c072ec6a88b7a62",
    "MPL-2.0; the Python in it (3.13) is under the PSF licence",
)
NUMPY = Source(
    # a program for PDFs, and here only the box in which numpy comes: Pyodide keeps its own builds of packages elsewhere
    "@bentopdf/pymupdf-wasm",
    "0.11.16",
    "cd093f8824761031cae51a5f4f7b47e34030e7a000e09030b7871a11a52e73a0",
    "of numpy, the only part that is used: BSD-3-Clause",
)
SOURCES = (PYODIDE, NUMPY)
RUNTIME = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
"""Files of Pyodide that a page loads."""
WHEEL = "assets/numpy-2.2.5-cp313-cp313-pyodide_2025_0_wasm32.whl"
WHEEL_SHA256 = "125230b4c3ecd08803e5c43f1162e017c0718d9f253146225a705a952b9c16c2"
"""As Pyodide 0.28.0a3 lists its own build of numpy 2.2.5 (pyodide-lock.json)."""
FOLDERS_LEFT_OUT = ("numpy/random/", "numpy/f2py/", "numpy/distutils/", "/tests/", "/include/")
SUFFIXES_LEFT_OUT = (".pyi", ".pxd", ".a")
"""Parts of numpy that no answer needs."""


class PageError(Exception):
    """Why there is no page, and what to do."""


def fetched(source: Source, kept: Path, given: str = "") -> Path:
    """The archive of ``source`` in the folder ``kept``: as it lies there, else from the folder ``given`` (a path or a
    ``file://`` address), else from npm. Raises PageError where it cannot be had, or is not what it should be."""
    path = kept / source.file
    if not path.is_file():
        kept.mkdir(parents=True, exist_ok=True)
        _copied(source, path, given) if given else _packed(source, kept)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != source.sha256:
        path.unlink()
        raise PageError(
            f"{source.file} has the SHA-256 {found}, not {source.sha256}: it is not the file that this page "
            f"was written for, and was removed; run make page again, or get {source.package} {source.version} elsewhere"
        )
    return path


def _copied(source: Source, path: Path, given: str) -> None:
    folder = Path(unquote(urlparse(given).path) if given.startswith("file://") else given).expanduser()
    if not (there := folder / source.file).is_file():
        raise PageError(f"there is no {there}; put it there ('npm pack {source.package}@{source.version}' makes it)")
    shutil.copyfile(there, path)


def _packed(source: Source, kept: Path) -> None:
    what = f"{source.package}@{source.version}"
    manual = f"where npm is, run 'npm pack {what}', bring {source.file} here, and run make page SOURCES=its folder"
    if not (npm := shutil.which("npm")):
        raise PageError(
            f"npm is not installed, which fetches {what}; install Node.js (apt-get install npm); or {manual}"
        )
    print(f"fetching {what} from npm", flush=True)
    done = subprocess.run(
        [npm, "pack", what, "--silent", "--pack-destination", str(kept)], capture_output=True, text=True, check=False
    )
    if done.returncode or not (kept / source.file).is_file():
        raise PageError(f"npm did not fetch {what} ({done.stderr.strip()[-300:] or 'no reason given'}); {manual}")


def member(archive: Path, name: str) -> bytes:
    """The content of a file in a package of npm. Raises PageError where it is not there."""
    with tarfile.open(archive) as tar:
        try:
            return tar.extractfile(f"package/{name}").read()
        except (KeyError, AttributeError) as error:
            raise PageError(f"{archive.name} holds no {name}") from error


def needed_modules(start: str = START, library: Path = LIBRARY) -> list[Path]:
    """Files of the modules that ``start`` imports as it is loaded, and those that these import, with the empty ones of
    their packages, relative to ``library``. What a function imports when it is called is not among them."""
    wanted, found = [start], set()
    while wanted:
        name = wanted.pop()
        path = Path(*name.split("."))
        file = next((f for f in (path.with_suffix(".py"), path / "__init__.py") if (library / f).is_file()), None)
        if file is None or file in found:
            continue  # a name that is imported from a module is no module
        found |= {file, *(parent / "__init__.py" for parent in file.parents if parent.name)}
        wanted += _imported(ast.parse((library / file).read_text(encoding="utf-8")))
    return sorted(found)


def _imported(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def zipped(files: Sequence[tuple[str, bytes]]) -> bytes:
    """An archive of names and contents, the same for the same ones."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def library_archive() -> bytes:
    """The library's modules and data, and what stands for compiled packages."""
    names = [path.as_posix() for path in needed_modules()] + list(DATA)
    files = [(name, (LIBRARY / name).read_bytes()) for name in names]
    stands = sorted((ROOT / "page" / "python").glob("*.py"))
    return zipped(files + [(path.name, path.read_bytes()) for path in stands])


def numpy_archive(wheel: bytes) -> bytes:
    """numpy without what no answer needs. Raises PageError for another wheel."""
    if (found := hashlib.sha256(wheel).hexdigest()) != WHEEL_SHA256:
        raise PageError(f"{WHEEL} has the SHA-256 {found}, not {WHEEL_SHA256}")
    with zipfile.ZipFile(BytesIO(wheel)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        kept = [n for n in names if not n.endswith(SUFFIXES_LEFT_OUT) and not any(f in n for f in FOLDERS_LEFT_OUT)]
        return zipped([(name, archive.read(name)) for name in kept])


def weights_of(given: str) -> Path:
    """The file of the network: ``given``, or the released one. Raises PageError where there is none, or no card beside
    it, or a damaged one."""
    sys.path.insert(0, str(LIBRARY))
    from paperlib.answers.answer import NETWORK, released_asker
    from paperlib.answers.card import read_card

    path = Path(given).expanduser() if given else ROOT / "data" / "models" / f"{NETWORK}.safetensors"
    if not path.is_file():
        raise PageError(
            f"the weights are missing: there is no {path}; train and release them (paperlib release), or name others: "
            "make page WEIGHTS=path.safetensors"
        )
    try:
        released_asker(path)
        read_card(path.with_suffix(".json"), complete=not given)
    except (OSError, ValueError) as error:
        raise PageError(str(error)) from error
    return path


def build(out: Path, kept: Path, weights: str = "", sources: str = "") -> Path:
    """Write the page to the folder ``out``, in place of what is there, and return it. Raises PageError, and leaves
    ``out`` as it was, where something is missing."""
    network = weights_of(weights)
    archives = {source: fetched(source, kept, sources) for source in SOURCES}
    made = out.with_name(f".{out.name}.part")
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(ROOT / "page", made, ignore=shutil.ignore_patterns("python", "*.md", "__pycache__"))
    (made / "pyodide").mkdir()
    for name in RUNTIME:
        (made / "pyodide" / name).write_bytes(member(archives[PYODIDE], name))
    (made / "numpy.zip").write_bytes(numpy_archive(member(archives[NUMPY], WHEEL)))
    (made / "paperlib.zip").write_bytes(library_archive())
    shutil.copyfile(network, made / network.name)
    if (card := network.with_suffix(".json")).is_file():
        shutil.copyfile(card, made / card.name)
    sums = {
        path.relative_to(made).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(made.rglob("*"))
        if path.is_file()
    }
    told = {
        "network": network.name,
        "card": card.name if card.is_file() else "",
        "archives": [f"{name}.zip" for name in INSTALLED],
        "licences": [f"{s.package} {s.version}: {s.licence}" for s in SOURCES],
        "sha256": sums,
    }
    (made / "page.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    made.rename(out)
    return out


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit status is 1 where there is no page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--weights", default="", help="a network in place of the released one (.safetensors)")
    parser.add_argument("--sources", default="", help="a folder with the archives of npm, a path or file:// address")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "page")
    given = parser.parse_args(arguments)
    try:
        out = build(given.out, ROOT / "build" / "fetched", given.weights, given.sources)
    except PageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(
        f"the page: {out} ({size / 1e6:.0f} MB); look at it by: python3 -m http.server --bind 127.0.0.1 -d {out} 8000"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
