"""Many independent pieces of work, here or on other machines, through Dask.

Without Dask (the optional extra ``cluster``) or with one worker, the pieces run one after the other in this process.
A worker that dies is replaced and its piece done again by another, as Dask does; a piece whose result is a file should
write it atomically and return little.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

MISSING = "{what} needs the optional extra: pip install 'paperlib[cluster]' (dask, distributed, dask-jobqueue)"


@contextmanager
def workers(where: str = "local", n: int = 1, **options: Any) -> Iterator[Any]:
    """A Dask client for :func:`done_in_any_order`, or None where the work is to be done in this process.

    ``where`` is "local" (``n`` processes on this machine; with ``n`` = 1 none is started), "slurm" (``n`` jobs, each
    with ``options`` of ``dask_jobqueue.SLURMCluster``: queue, cores, memory, walltime, ...; they need the same Python
    environment and a shared file system) or the address of a scheduler, e.g. ``tcp://node17:8786`` (its workers are
    used as they are). A script that starts local workers keeps its own work under ``if __name__ == "__main__"``.
    Raises ValueError for another place or no worker, ImportError with the remedy where Dask is not installed.
    """
    if n < 1:
        raise ValueError(f"n={n} workers can do nothing; give at least 1")
    if where not in ("local", "slurm") and "://" not in where:
        raise ValueError(f"where={where!r} must be 'local', 'slurm' or the address of a scheduler (tcp://host:port)")
    if where == "local" and n == 1:
        yield None
        return
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ImportError(MISSING.format(what="work in several processes")) from error
    with ExitStack() as stack:
        if where == "local":
            options = {"n_workers": n, "threads_per_worker": 1, "dashboard_address": ":0", **options}
            cluster: Any = stack.enter_context(LocalCluster(**options))
        elif where == "slurm":
            try:
                from dask_jobqueue import SLURMCluster
            except ImportError as error:
                raise ImportError(MISSING.format(what="SLURM")) from error
            cluster = stack.enter_context(SLURMCluster(**options))
            cluster.scale(jobs=n)
        else:
            cluster = where
        yield stack.enter_context(Client(cluster))


def done_in_any_order(
    function: Callable[..., Any], pieces: Iterable[tuple[Any, ...]], client: Any = None
) -> Iterator[tuple[int, Any]]:
    """Call ``function(*piece)`` for each of ``pieces`` and yield (number of the piece, result) as they are done.

    ``function`` must be importable on the workers. ``client`` comes from :func:`workers`; None does them here, in
    order. What a piece raises is raised here; pieces that have not begun are then cancelled. Raises
    ModuleNotFoundError where the workers lack paperlib.
    """
    if client is None:
        for number, piece in enumerate(pieces):
            yield number, function(*piece)
        return
    from distributed import as_completed

    if str(getattr(function, "__module__", "")).startswith("paperlib."):
        # a worker without paperlib would leave the pieces waiting for ever; importing it says so
        client.run(importlib.import_module, function.__module__)
    futures = [client.submit(function, *piece, pure=False) for piece in pieces]
    numbers = {future.key: number for number, future in enumerate(futures)}
    try:
        for future in as_completed(futures):
            yield numbers[future.key], future.result()
    finally:
        client.cancel(futures)
