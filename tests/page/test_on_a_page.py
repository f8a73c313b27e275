"""What the page calls says what ``paperlib classify`` says, and its readers read what geddes reads."""

import importlib.util
import json
import subprocess
import sys

import geddes
import numpy as np
import pytest

from paperlib.answers import written
from paperlib.answers.answer import ask
from paperlib.answers.on_a_page import answered, facts
from paperlib.datasets.measured import read_pattern
from tests.conftest import ROOT
from tests.datasets import pattern_files as made


def stand_in(name):
    spec = importlib.util.spec_from_file_location(f"page_{name}", ROOT / "page" / "python" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_answer_is_that_of_the_library(asker, files):
    told = json.loads(answered(asker, files[0].read_bytes(), "p0.xy", 1.5406, cell="5.64 5.64 5.64 90 90 90"))
    alone = ask(asker, read_pattern(files[0], 1.5406), "p0.xy", np.array([5.64, 5.64, 5.64, 90, 90, 90]))
    shown = told.pop("shown")
    assert told == json.loads(json.dumps(written.as_object(alone)))
    assert len(shown["pattern"]) == len(alone.pattern) and max(p for p in shown["pattern"] if p is not None) == 1
    assert len(shown["line_places"]) == len(told["lines"]) > 3
    assert told["lines"][0]["reflections"] is not None and shown["format"] == "text"
    assert (
        json.loads(facts(asker))["symbols"]["225"] == "Fm-3m" and "fresh weights" in json.loads(facts(asker))["limits"]
    )


@pytest.mark.parametrize(
    ("content", "name", "given", "says"),
    [
        (b"5 1\n6 2\n" * 5, "a.xy", (), "a.xy: the file states no wavelength; give it in the field above"),
        (b"", "b.xy", (1.54,), "b.xy: an empty file"),
        (b"5 1\n6 2\n" * 5, "../../c.xy", (0.154,), "give it in Å: 1.54"),
        (b"5 1\n", "d.xy", (1.54, "", "1 2"), "the cell is '1 2'"),
        (b"RAW1.01" + bytes(2000), "e.raw", (1.54,), "e.raw: "),
    ],
)
def test_what_cannot_be_read_is_named_with_its_remedy(asker, content, name, given, says):
    told = json.loads(answered(asker, content, name, *given))
    assert set(told) == {"file", "error"} and says in told["error"] and "tmp" not in told["error"]


@pytest.mark.parametrize("kind", ["xrdml", "rasx"])
def test_formats_of_instruments_are_read_as_geddes_reads_them(kind, tmp_path):
    file = tmp_path / f"pattern.{kind}"
    if kind == "rasx":
        made.rasx(file)
    else:
        file.write_text(made.xrdml())
    content = file.read_bytes()
    ours, theirs = (read.read_bytes(content, file.name) for read in (stand_in("geddes"), geddes))
    np.testing.assert_allclose(ours.x, theirs.x, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(ours.y, theirs.y)
    with pytest.raises(ValueError):
        stand_in("geddes").read_bytes(content[: len(content) // 3], file.name)


@pytest.mark.parametrize("name", ["panalytical.xrdml", "panalytical_mixture_GeO2-ZnO.xrdml", "rigaku.rasx"])
def test_files_of_instruments_are_read_as_geddes_reads_them(data_folder, name):
    content = (data_folder / "vendor" / name).read_bytes()
    ours, theirs = (read.read_bytes(content, name) for read in (stand_in("geddes"), geddes))
    np.testing.assert_allclose(ours.x, theirs.x, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(ours.y, theirs.y)


def test_other_formats_are_refused_in_words_where_packages_are_missing(weights, tmp_path):
    """In a Python that has numpy and the archive's modules alone, as a browser has."""
    (tmp_path / "a.raw").write_bytes(made.raw_4() if isinstance(made.raw_4(), bytes) else made.raw_4().encode())
    (tmp_path / "b.cif").write_text(made.pdcif())
    (tmp_path / "c.xrdml").write_text(made.xrdml())
    code = (
        "import sys, json\n"
        f"sys.path[:0] = [{str(ROOT / 'page' / 'python')!r}, {str(ROOT / 'src')!r}]\n"
        "for name in ('torch', 'tqdm', 'safetensors', 'scipy', 'pandas', 'matplotlib'): sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from paperlib.answers.answer import released_asker\n"
        "from paperlib.answers.on_a_page import answered\n"
        f"asker = released_asker({str(weights)!r})\n"
        "for name in ('a.raw', 'b.cif', 'c.xrdml'):\n"
        "    print(json.loads(answered(asker, Path(name).read_bytes(), name)).get('error', 'answered'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=tmp_path)
    raw, cif, xrdml = done.stdout.splitlines() or [done.stderr] * 3
    assert raw.startswith("a.raw: ") and "this page reads text with columns" in raw
    assert cif.startswith("b.cif: ") and "this page reads text with columns" in cif
    assert xrdml == "answered"
