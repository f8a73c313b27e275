"""Our structure factors against those of cctbx, structure by structure."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd

from paperlib.crystals.sources import read_jsonl
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.reflections import powder_reflections

D_MIN = 1.2
"""Å; the reference lists end there."""

MERGED = 1e-5
"""Relative spacing below which the reference lists count two lines as one."""


def cctbx_deviations(path: str | Path) -> pd.DataFrame:
    """Deviations from the line lists in ``reference/cctbx_lines_per_sg.jsonl.gz``: one row per structure.

    The cell is taken as given (not standardised), with all displacement parameters zero. Columns:
    source_id, space_group, lines, d_deviation (largest relative difference in spacing of a line that both
    have), xray_deviation and neutron_deviation (largest difference in Σ|F|², in units of the strongest line,
    a line that only one has included). Raises ValueError where a structure of the file cannot be read.
    """
    loaded = read_jsonl(path, standardise=False)
    if loaded.skipped:
        raise ValueError(f"{path}: {loaded.skipped[0].name} cannot be read ({loaded.skipped[0].reason})")
    crystals = loaded.crystals
    with gzip.open(path, "rt", encoding="utf-8") as file:
        theirs = [np.array(json.loads(line)["lines_d_Ix_In"]) for line in file]
    ours = {}
    for radiation in ("xray", "neutron"):
        short = Instrument(radiation=radiation, wavelength=0.7, two_theta=(0.2, 34.5), anomalous=False)
        ours[radiation] = powder_reflections(crystals, short)
    rows = []
    for i, lines in enumerate(theirs):
        row = {"source_id": crystals.source_id[i], "space_group": int(crystals.space_group[i]), "lines": len(lines)}
        for column, (radiation, found) in enumerate(ours.items(), start=1):
            part = slice(int(found.start[i]), int(found.start[i + 1]))
            d = found.d[part].numpy()
            sums = (found.multiplicity[part] * found.f_squared[part]).numpy()
            d_deviation, deviation = _deviation(d, sums, lines[:, 0], lines[:, column])
            row[f"{radiation}_deviation"] = deviation
            row["d_deviation"] = max(row.get("d_deviation", 0.0), d_deviation)
        rows.append(row)
    return pd.DataFrame(rows)


def _deviation(d: np.ndarray, sums: np.ndarray, d_ref: np.ndarray, sums_ref: np.ndarray) -> tuple[float, float]:
    """Largest relative difference in spacing, and in summed |F|² as a share of the strongest line."""
    pooled = np.concatenate([d, d_ref])
    order = np.argsort(-pooled, kind="stable")
    gaps = -np.diff(pooled[order]) / pooled[order][:-1]
    cluster = np.empty(len(pooled), dtype=np.int64)
    cluster[order] = np.concatenate([[0], np.cumsum(gaps > MERGED)])
    own, other = cluster[: len(d)], cluster[len(d) :]
    n = int(cluster.max()) + 1
    totals = np.bincount(own, sums, n), np.bincount(other, sums_ref, n)
    strongest = totals[1].max()
    # a line right at the end of the range may stand on the other side of it in the other program
    lightest = np.full(n, np.inf)
    np.minimum.at(lightest, cluster, pooled)
    inside = lightest > D_MIN * (1 + 2 * MERGED)
    both = inside & (np.bincount(own, minlength=n) > 0) & (np.bincount(other, minlength=n) > 0)
    seen = both & (totals[1] > 1e-6 * strongest)
    centre = [np.bincount(c, x, n)[seen] / np.bincount(c, minlength=n)[seen] for c, x in ((own, d), (other, d_ref))]
    d_deviation = float(np.abs(centre[0] / centre[1] - 1).max(initial=0.0))
    return d_deviation, float((np.abs(totals[0] - totals[1])[inside] / strongest).max(initial=0.0))
