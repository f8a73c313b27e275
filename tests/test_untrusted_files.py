"""Files from anywhere are data: no loader of the library runs what is in them."""

import ast
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.lab import parameters
from paperlib.learning.checkpoint import CheckpointError, load_checkpoint
from paperlib.learning.weights import load_weights
from tests.conftest import ROOT, write_notebook

MODULES = sorted((ROOT / "src" / "paperlib").rglob("*.py")) + sorted((ROOT / "tools").glob("*.py"))
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "jsonpickle"}
FORBIDDEN_CALLS = {"yaml.load", "yaml.unsafe_load", "yaml.full_load", "joblib.load", "pd.read_pickle", "eval", "exec"}


def dangers(text: str) -> list[str]:
    """What in a module could run the content of a file."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            found += [name for name in names if name.split(".")[0] in FORBIDDEN_IMPORTS]
        elif isinstance(node, ast.Call):
            name, words = ast.unparse(node.func), {w.arg: ast.unparse(w.value) for w in node.keywords}
            if name in FORBIDDEN_CALLS:
                found.append(name)
            if name == "torch.load" and words.get("weights_only") != "True":
                found.append("torch.load without weights_only=True")
            if words.get("allow_pickle", "False") != "False":
                found.append(f"{name} with allow_pickle")
            if name.endswith(("extractall", "extract")) and words.get("filter") != "'data'":
                found.append(f"{name} without filter='data'")
    return found


def test_no_module_could_run_what_is_in_a_file():
    assert {str(path.relative_to(ROOT)): found for path in MODULES if (found := dangers(path.read_text()))} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from dill import load",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text)",
        "eval(text)",
        "tar.extractall(folder)",
    ],
)
def test_the_search_finds_what_it_looks_for(line):
    assert dangers(line)


class Malicious:
    """A pickle that writes a file when it is read."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


def test_a_file_that_would_run_code_is_refused(tmp_path, monkeypatch):
    target, bad = tmp_path / "owned", tmp_path / "bad"
    pickle.loads(pickle.dumps(Malicious(target)))
    assert target.exists(), "the file is as dangerous as it should be"
    target.unlink()
    bad.mkdir()
    np.savez(bad / "set.npz", cell=np.array([Malicious(target)], dtype=object))
    torch.save(Malicious(target), bad / "last.pt")
    (bad / "w.safetensors").write_bytes(pickle.dumps(Malicious(target)))
    recipe = f"n: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{target}']]\n"
    write_notebook(tmp_path / "notebooks" / "01_it.ipynb", "n = 1", "print(n)")
    (tmp_path / "notebooks" / "params" / "laptop").mkdir(parents=True)
    (tmp_path / "notebooks" / "params" / "laptop" / "01_it.yml").write_text(recipe)
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    with pytest.raises(ValueError, match=r"set\.npz is not a complete CrystalSet"):
        CrystalSet.load(bad / "set.npz")
    with pytest.raises(ValueError, match=r"w\.safetensors"):
        load_weights(bad / "w.safetensors")
    with pytest.raises(CheckpointError, match=r"last\.pt"):
        load_checkpoint(bad, {})
    with pytest.raises(yaml.YAMLError, match="could not determine a constructor"):
        parameters.profile_parameters("01_it", "laptop")
    assert not target.exists()
