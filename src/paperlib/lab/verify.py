"""Does this machine get what was published? Every analysis again, from stored trainings, beside the published results.

Cheap stages are made again and compared with what is kept of them; trainings are not repeated: what they said is
published, and the analysis starts from there. Nothing that is published or that a profile has run is touched.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from paperlib.lab import machine, paths, provenance, runner
from paperlib.lab.locks import hold_lock
from paperlib.lab.stages import REMAKE
from paperlib.lab.store import write_table

CLOSE = 1e-6
"""Relative difference below which two numbers agree: machines differ in the last digits of floats."""

GATHERING = runner.READS_ALL
"""Notebooks that compute nothing of their own."""


@dataclass(frozen=True)
class Verified:
    """What came of one notebook on this machine."""

    stem: str
    outcome: str
    """"identical" (every byte), "agrees" (values within 1e-6), "differs", "failed"."""
    detail: str
    seconds: float
    machine: str
    cores: int
    when: str


def verify(profile: str, only: list[str] | None = None) -> list[Verified]:
    """Run the notebooks whose results ``profile`` has published again, and compare. The table is written to
    ``data/work/verify/reproduced_on.csv`` too."""
    paths.check_installation()
    hold_lock(paths.work(paths.VERIFY) / ".lock", "another check is going on")
    # apart from every other result; and cheap stages are made again, once for all notebooks
    with machine.environment({paths.INTO: paths.VERIFY, REMAKE: provenance.now()}):
        rows = _again(profile, only)
    table = pd.DataFrame([asdict(row) for row in rows])
    write_table(paths.work(paths.VERIFY) / "reproduced_on.csv", table)
    return rows


def _again(profile: str, only: list[str] | None) -> list[Verified]:
    rows = []
    for stem in paths.stems():
        published = provenance.read_manifest(paths.published_results() / stem)
        if stem in GATHERING or (only and stem not in only) or not published:
            continue
        if published["record"]["profile"] != profile:
            continue
        began = time.monotonic()
        print(f"{stem}: again", flush=True)
        try:
            outcome, detail = compare(published, runner.execute(stem, profile, {}))
        except runner.NotebookFailed as error:
            outcome, detail = "failed", str(error).splitlines()[0]
        seconds = round(time.monotonic() - began, 1)
        print(f"{stem}: {outcome} {detail}", flush=True)
        rows.append(Verified(stem, outcome, detail, seconds, machine.processor(), machine.cores(), provenance.now()))
    return rows


def compare(published: dict[str, Any], here: dict[str, Any]) -> tuple[str, str]:
    """ "identical", "agrees" or "differs", and what differs most, of two manifests of one notebook."""
    values, others = published["values"], here["values"]
    if missing := sorted(values.keys() ^ others.keys()):
        return "differs", f"the value {missing[0]} is in one of them only"
    worst = max((_distance(values[name], others[name]), name) for name in values) if values else (0.0, "")
    if worst[0] > CLOSE:
        return "differs", f"{worst[1]} by {worst[0]:.1e} of its size; {_count(values, others)} of {len(values)} values"
    files = [
        name
        for name, entry in published["outputs"].items()
        if not entry.get("timing") and entry["sha256"] != here["outputs"].get(name, {}).get("sha256")
    ]
    if not files and worst[0] == 0:
        return "identical", ""
    largest = f", values within {worst[0]:.0e}" if worst[0] else ""
    return "agrees", f"{len(files)} of {len(published['outputs'])} files differ in bytes{largest}"


def _distance(a: dict[str, Any], b: dict[str, Any]) -> float:
    """The largest relative difference of two values and their intervals; infinite where one is no number."""
    worst = 0.0
    for name in ("value", "low", "high", "n"):
        x, y = a[name], b[name]
        if x == y:
            continue
        if not (isinstance(x, (int, float)) and isinstance(y, (int, float))):
            return float("inf")
        worst = max(worst, abs(x - y) / max(abs(x), abs(y)))
    return worst


def _count(values: dict[str, Any], others: dict[str, Any]) -> int:
    return sum(_distance(values[name], others[name]) > CLOSE for name in values)


def report(rows: list[Verified]) -> str:
    """The row "reproduced on" for every notebook."""
    if not rows:
        return "nothing that this profile has published could be checked"
    head = f"reproduced on {rows[0].machine}, {sum(row.seconds for row in rows):.0f} s, {rows[0].when[:10]}"
    width = max(len(row.stem) for row in rows)
    return "\n".join([head, *(f"  {row.stem:{width}s}  {row.outcome:9s}  {row.detail}" for row in rows)])
