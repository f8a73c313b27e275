"""Work on Dask workers: results, errors, and workers that die."""

import os
import sys

import pytest

from paperlib.lab.cluster import done_in_any_order, workers

# Workers import what they run, and the tests are not a package of theirs: the functions are Python's own.
DIE_ONCE = """
import os, pathlib
mark = pathlib.Path({mark!r})
if not mark.exists():
    mark.touch()
    os._exit(9)
"""


def test_one_worker_is_this_process_and_keeps_the_order():
    with workers("local", 1) as client:
        assert client is None
        assert list(done_in_any_order(pow, [(3, 2), (1, 2), (2, 2)], client)) == [(0, 9), (1, 1), (2, 4)]


def test_one_worker_needs_no_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with workers("local", 1) as client:
        assert dict(done_in_any_order(pow, [(3, 2)], client)) == {0: 9}
    with pytest.raises(ImportError, match=r"optional extra: pip install 'paperlib\[cluster\]'"), workers("local", 2):
        pass


@pytest.mark.parametrize(("where", "n"), [("local", 0), ("kubernetes", 2)])
def test_other_places_are_refused(where, n):
    with pytest.raises(ValueError, match=r"at least 1|must be 'local'"), workers(where, n):
        pass


def test_an_error_in_this_process_is_raised():
    with pytest.raises(ValueError, match="invalid literal"):
        list(done_in_any_order(int, [("seven",)]))


@pytest.fixture(scope="module")
def client():
    pytest.importorskip("distributed", reason="the optional extra 'cluster' is not installed")
    with workers("local", 2) as client:
        yield client


def test_pieces_run_in_other_processes(client):
    done = dict(done_in_any_order(pow, [(i, 2) for i in range(20)], client))
    assert done == {i: i**2 for i in range(20)}
    pids = {pid for _, pid in done_in_any_order(os.getpid, [()] * 20, client)}
    assert os.getpid() not in pids and 1 <= len(pids) <= 2


def test_an_error_on_a_worker_is_raised_here(client):
    with pytest.raises(ValueError, match="invalid literal"):
        list(done_in_any_order(int, [("1",), ("one",)], client))


def test_a_worker_that_dies_is_replaced_and_its_piece_done_again(client, tmp_path):
    mark = tmp_path / "died"
    pieces = [("",), (DIE_ONCE.format(mark=str(mark)),), ("",), ("",)]
    assert dict(done_in_any_order(exec, pieces, client)) == dict.fromkeys(range(4))
    assert mark.exists()


def test_a_scheduler_is_found_by_its_address(client):
    with workers(client.scheduler.address) as other:
        assert dict(done_in_any_order(pow, [(5, 2)], other)) == {0: 25}


def test_slurm_asks_for_jobs(monkeypatch):
    jobqueue = pytest.importorskip("dask_jobqueue", reason="the optional extra 'cluster' is not installed")
    cluster = jobqueue.SLURMCluster(queue="long", cores=1, memory="2GB", walltime="01:00:00")
    script = cluster.job_script()
    cluster.close()
    assert "#SBATCH -p long" in script and "#SBATCH -t 01:00:00" in script
