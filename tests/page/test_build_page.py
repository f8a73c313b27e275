"""The page is built from what is pinned, or not at all; none of this needs a network."""

import hashlib
import importlib.util
import io
import json
import sys
import tarfile
import zipfile

import pytest

from tests.conftest import ROOT


@pytest.fixture
def tool(monkeypatch):
    spec = importlib.util.spec_from_file_location("build_page", ROOT / "tools" / "build_page.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "build_page", module)  # dataclasses look for their module
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: pytest.fail("npm was asked"))
    return module


def packed(path, files):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def sources(tool, tmp_path, monkeypatch):
    """A folder with small archives under the names of npm's, whose checksums are the pinned ones."""
    folder = tmp_path / "with a space"
    folder.mkdir()
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in (
            "numpy/__init__.py",
            "numpy/a.cpython-313.so",
            "numpy/random/x.py",
            "numpy/lib/tests/t.py",
            "b.pyi",
        ):
            archive.writestr(name, name)
    monkeypatch.setattr(tool, "WHEEL_SHA256", hashlib.sha256(wheel.getvalue()).hexdigest())
    contents = {"PYODIDE": dict.fromkeys(tool.RUNTIME, b"js"), "NUMPY": {tool.WHEEL: wheel.getvalue()}}
    for name, files in contents.items():
        old = getattr(tool, name)
        made = tool.Source(old.package, old.version, packed(folder / old.file, files), old.licence)
        monkeypatch.setattr(tool, name, made)
    monkeypatch.setattr(tool, "SOURCES", (tool.PYODIDE, tool.NUMPY))
    return folder


@pytest.mark.parametrize("how", ["path", "address"])
def test_a_page_is_built_from_a_folder_or_a_file_address(tool, sources, weights, tmp_path, how):
    out, kept = tmp_path / "page", tmp_path / "fetched"
    given = str(sources) if how == "path" else sources.as_uri()
    assert tool.build(out, kept, str(weights), given) == out
    told = json.loads((out / "page.json").read_text())
    assert told["network"] == weights.name and told["card"] == f"{weights.stem}.json"
    assert (out / weights.name).read_bytes() == weights.read_bytes()
    assert {"index.html", "page.js", "worker.js", "page.css", "pyodide/pyodide.js", "numpy.zip"} <= told[
        "sha256"
    ].keys()
    assert all(hashlib.sha256((out / n).read_bytes()).hexdigest() == s for n, s in told["sha256"].items())
    with zipfile.ZipFile(out / "numpy.zip") as archive:
        assert archive.namelist() == ["numpy/__init__.py", "numpy/a.cpython-313.so"]
    with zipfile.ZipFile(out / "paperlib.zip") as archive:
        names = set(archive.namelist())
    assert {"paperlib/answers/on_a_page.py", "paperlib/symmetry/space_groups.npz", "geddes.py", "gemmi.py"} <= names
    assert not (out / "python").exists()
    # again, from what was kept, with the same result
    before = (out / "page.json").read_bytes()
    tool.build(out, kept, str(weights))
    assert (out / "page.json").read_bytes() == before


def test_an_archive_that_is_not_the_pinned_one_is_refused(tool, sources, weights, tmp_path):
    kept = tmp_path / "fetched"
    (sources / tool.PYODIDE.file).write_bytes(b"something else")
    with pytest.raises(tool.PageError, match=r"pyodide-.*\.tgz has the SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}"):
        tool.build(tmp_path / "page", kept, str(weights), str(sources))
    assert not (tmp_path / "page").exists() and not (kept / tool.PYODIDE.file).exists()


def test_another_wheel_in_a_pinned_archive_is_refused(tool):
    with pytest.raises(tool.PageError, match="SHA-256"):
        tool.numpy_archive(b"no wheel")


def test_an_archive_that_is_missing_is_named_with_the_way_to_get_it(tool, sources, tmp_path, monkeypatch):
    (sources / tool.NUMPY.file).unlink()
    with pytest.raises(tool.PageError, match=rf"no .*{tool.NUMPY.file}; .*npm pack"):
        tool.fetched(tool.NUMPY, tmp_path, str(sources))
    monkeypatch.setattr(tool.shutil, "which", lambda _: None)
    with pytest.raises(tool.PageError, match=r"npm is not installed.*SOURCES"):
        tool.fetched(tool.NUMPY, tmp_path)


def test_without_weights_there_is_no_page_and_what_was_there_stays(tool, sources, tmp_path, capsys):
    out = tmp_path / "page"
    out.mkdir()
    (out / "index.html").write_text("old")
    missing = tmp_path / "none.safetensors"
    assert tool.main(["--weights", str(missing), "--sources", str(sources), "--out", str(out)]) == 1
    says = capsys.readouterr().err
    assert "weights are missing" in says and str(missing) in says and "WEIGHTS=" in says
    (tmp_path / "bad.safetensors").write_bytes(b"12345678")
    assert tool.main(["--weights", str(tmp_path / "bad.safetensors"), "--out", str(out)]) == 1
    assert "bad.safetensors" in capsys.readouterr().err
    assert (out / "index.html").read_text() == "old"


def test_the_page_holds_the_modules_that_it_imports_and_none_that_a_browser_lacks(tool):
    names = {path.as_posix() for path in tool.needed_modules()}
    assert "paperlib/answers/answer.py" in names and "paperlib/__init__.py" in names
    assert not {"paperlib/lab/progress.py", "paperlib/answers/picture.py", "paperlib/diffraction/simulate.py"} & names


def test_nothing_third_party_is_in_the_page_folder_and_it_names_no_other_place():
    for path in (ROOT / "page").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert len(text) < 20_000 and "https://" not in text
            assert text.count("http://") == text.count("http://localhost:8000")
