"""Which data a notebook would read, seen in its text and parameters."""

from paperlib.lab import fetch, inputs, parameters
from tests.conftest import write_notebook

READS = """\
run.data("paper/claims.yml")
if reference:
    run.data(reference)
both = {name: run.data(name) for name in sources}
for other in others:
    run.data(other)
files = [run.data(name) for name in registry() if name.startswith(f"{folder}/")]
unseen.data("elsewhere.csv")"""
DECLARED = 'profile = "smoke"\nreference = ""\nsources = ["a.cif", "b.cif"]\nothers = ["c.cif"]\nfolder = ""'


def test_literals_parameters_and_loops_over_parameters_are_seen(clone):
    write_notebook(clone / "notebooks" / "04_reads.ipynb", DECLARED, READS)
    registered = "".join(f"{name} {'0' * 64}\n" for name in ("fullprof/x.dat", "fullprof/y.dat", "fullprofile.dat"))
    (clone / "data" / "registry.txt").write_text(registered)
    code = parameters.read_notebook("04_reads")
    assert sorted(inputs.named(code, code.declared)) == ["a.cif", "b.cif", "c.cif", "paper/claims.yml"]
    found = inputs.named(code, code.declared | {"reference": "r.json", "folder": "fullprof", "others": []})
    assert sorted(found) == ["a.cif", "b.cif", "fullprof/x.dat", "fullprof/y.dat", "paper/claims.yml", "r.json"]


def test_the_data_of_every_laptop_notebook_are_registered(root, monkeypatch):
    monkeypatch.setenv("PAPERLIB_ROOT", str(root))
    read = parameters.read_notebook("02_simulator")
    found = inputs.named(read, parameters.profile_parameters("02_simulator", "laptop"))
    assert len(found) > 3 and "prototypes" in found
    assert not [name for name in found if name not in fetch.registry() and name != "prototypes"]


def test_what_can_be_fetched_is_no_problem(clone):
    (clone / "data" / "registry.txt").write_text(f"far.gz {'0' * 64} https://example.org/far.gz\nnear.gz {'0' * 64}\n")
    assert inputs.problem("prototypes") == inputs.problem("far.gz") == inputs.problem("data") == ""
    assert "near.gz is not on this machine" in inputs.problem("near.gz")
    assert inputs.problem("nera.gz").endswith("did you mean 'near.gz'?")
    assert "~nobody-of-this-name" in inputs.problem("~nobody-of-this-name/x.cif")
