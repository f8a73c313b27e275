"""The README does what it says."""

import re

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def examples():
    return re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_example_of_patterns_runs(examples):
    """Each pattern call of the example is checked for its shape and for numbers that make sense."""
    (example,) = (text for text in examples if "powder_patterns" in text)
    calls = [line for line in example.splitlines() if "_patterns(" in line]
    assert len(calls) == 3
    names: dict = {}
    exec("\n".join(line for line in example.splitlines() if line not in calls), names)
    shapes = [(8, 4096), (8, 4251), (3, 1000)]
    for call, shape in zip(calls, shapes, strict=True):
        patterns = eval(call.partition("#")[0], names)
        assert tuple(patterns.shape) == shape, call
        assert float(patterns.max()) == 1.0 and bool(patterns.isfinite().all())


def test_the_example_of_duplicates_runs(examples, tmp_path, monkeypatch, capsys):
    """On a folder of CIFs with one structure in two settings and a doped one."""
    (example,) = (text for text in examples if "find_duplicates" in text)
    folder = tmp_path / "path/to/my_cifs"
    folder.mkdir(parents=True)
    salt = Structure.from_spacegroup(225, Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    doped = salt.copy()
    doped.replace_species({"Na": {"Na": 0.98, "K": 0.02}})
    rutile = Structure.from_spacegroup(136, Lattice.tetragonal(4.6, 2.96), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]])
    for name, structure in (
        ("a", salt),
        ("b", salt.get_primitive_structure()),
        ("c", doped),
        *((f"d{k}", rutile.copy().apply_strain(0.02 * k)) for k in range(12)),
    ):
        structure.to(str(folder / f"{name}.cif"))
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(example, names)
    assert names["groups"].tolist() == [0, 0, 0, *range(1, 13)]
    assert names["links"][["first_id", "second_id"]].to_numpy().tolist() == [["a", "b"]]
    assert sorted(np.concatenate(names["split"]).tolist()) == list(range(15))
    assert len({side for side, part in enumerate(names["split"]) for i in part if i < 3}) == 1
    assert re.search(r"near\s+0\s", capsys.readouterr().out)


def test_the_example_of_random_crystals_runs(examples, tmp_path, monkeypatch):
    """With a smaller number, in a folder of its own, on the two workers that it names."""
    (example,) = (text for text in examples if "random_crystal_set" in text)
    smaller = example.replace("n=1_230_000", "n=690, shard_size=230")
    assert smaller != example
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(smaller, names)
    assert set(names["three"].space_group.tolist()) == {62}
    assert set(np.unique(names["three"].species).tolist()) <= {8, 13, 14, 20}
    assert len(names["many"]) == 690 and (tmp_path / "data/raw/random/index.csv").is_file()
