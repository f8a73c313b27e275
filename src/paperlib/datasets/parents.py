"""What a derived database was made from: the parent of each entry, and what that says of its labels.

The 3DSC (Sommer et al. 2023, CC BY 4.0) is no database beside the Materials Project but one made of it: each of its
entries is a crystal of the Materials Project, the *parent*, as it is or with occupancies changed by computer so that
the formula becomes that of a superconductor of SuperCon. Cell and coordinates stay the parent's. Which entries are
variants of one crystal is therefore known, and needs no rule.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import N_SPECIES, CrystalSet
from paperlib.crystals.species import species_code, species_symbol
from paperlib.lab.results import Value
from paperlib.symmetry import extinction


class Lineage(NamedTuple):
    """Where n entries come from."""

    parent: np.ndarray
    """(n,) str: id of the crystal that the entry was made from; its own id where the source names none."""
    derived: np.ndarray
    """(n,) bool: the source names a parent."""
    doped: np.ndarray
    """(n,) bool: the source says that occupancies were changed."""
    formula: np.ndarray
    """(n,) str: the formula that the source states for a derived entry, which the occupancies only approach; empty for
    the others."""


def read_lineage(ids: np.ndarray, paths: Iterable[str | Path]) -> Lineage:
    """The lineage of entries ``ids`` (n,), from the fields ``parent``, ``doped`` and ``formula`` of files of JSON
    lines.

    Other sources (folders and archives of CIFs, the prototypes) name no parents and are passed over, and so are lines
    that are no JSON, which the reader of the crystals reports.
    """
    named: dict[str, tuple[str, bool, str]] = {}
    for path in map(Path, paths):
        if path.is_file() and path.name.lower().endswith((".jsonl", ".jsonl.gz")):
            named |= _named_parents(path)
    found = [named.get(name, (name, False, "")) for name in ids.tolist()]
    parent, doped, formula = zip(*found, strict=True) if found else ((), (), ())
    return Lineage(
        np.array(parent, dtype=np.str_),
        np.array([name in named for name in ids.tolist()], dtype=bool),
        np.array(doped, dtype=bool),
        np.array(formula, dtype=np.str_),
    )


def _named_parents(path: Path) -> dict[str, tuple[str, bool, str]]:
    named = {}
    with gzip.open(path) if path.name.lower().endswith(".gz") else open(path, "rb") as file:
        for line in file:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and isinstance(entry.get("parent"), str):
                doped, formula = entry.get("doped") is True, str(entry.get("formula", ""))
                named[str(entry.get("id"))] = entry["parent"], doped, formula
    return named


def label_noise(lineage: Lineage, space_group: np.ndarray, scheme: str = "published") -> pd.DataFrame:
    """One row for each formula of the doped entries, of n with ``space_group`` (n,), by falling ``surely_wrong``.

    The formula is that of one superconductor of SuperCon, which has one space group. Where several parents were matched
    to it, it stands in several, and at most one of them is right. Columns: ``formula``, ``entries``, ``space_groups``,
    ``classes`` (different extinction groups of ``scheme``), and ``surely_wrong``, the entries whose space group must be
    wrong even if the commonest one is right. That it is right is not known: the count is a lower bound.
    """
    rows = np.flatnonzero(lineage.doped)
    table = pd.DataFrame({"formula": lineage.formula[rows], "space_group": space_group[rows].astype(np.int64)})
    table["class_index"] = extinction.class_of_space_group(scheme)[table["space_group"].to_numpy()]
    grouped = table.groupby("formula", sort=True)
    noise = grouped.agg(
        entries=("space_group", "size"), space_groups=("space_group", "nunique"), classes=("class_index", "nunique")
    )
    commonest = table.groupby(["formula", "space_group"]).size().groupby("formula").max()
    noise["surely_wrong"] = noise["entries"] - commonest.reindex(noise.index)
    noise = noise.sort_values(["surely_wrong", "entries"], ascending=False, kind="stable")
    return noise.reset_index().astype({"surely_wrong": np.int64})


def noise_values(noise: pd.DataFrame) -> dict[str, Value]:
    """Sums over a table of :func:`label_noise` as values: ``noise_formulas``, ``noise_entries``; formulas that stand in
    several groups (``noise_several_groups``) and in several classes (``noise_several_classes``), entries
    ``noise_surely_wrong``, and their share of all doped entries, ``noise_surely_wrong_share``, where there are any."""
    entries, wrong = int(noise["entries"].sum()), int(noise["surely_wrong"].sum())
    counts = {
        "formulas": len(noise),
        "entries": entries,
        "several_groups": int((noise["space_groups"] > 1).sum()),
        "several_classes": int((noise["classes"] > 1).sum()),
        "surely_wrong": wrong,
    }
    values = {f"noise_{name}": Value(count, kind="count") for name, count in counts.items()}
    if entries:
        values["noise_surely_wrong_share"] = Value(wrong / entries, n=entries, kind="share")
    return values


def relabelled(crystals: CrystalSet, lineage: Lineage) -> tuple[int, int]:
    """Of the derived entries whose occupancies were left alone and whose parent is among ``crystals`` itself: how many
    have another space group than it has there, and how many there are."""
    group = dict(
        zip(crystals.source_id[~lineage.derived].tolist(), crystals.space_group[~lineage.derived], strict=True)
    )
    rows = [i for i in np.flatnonzero(lineage.derived & ~lineage.doped).tolist() if lineage.parent[i] in group]
    return sum(int(crystals.space_group[i]) != int(group[lineage.parent[i]]) for i in rows), len(rows)


def doping_series(crystals: CrystalSet, lineage: Lineage, dopant: str, host: str, others: Iterable[str]) -> np.ndarray:
    """Numbers of the derived entries of one parent in which ``dopant`` takes the place of ``host`` beside the
    ``others``, the further elements of all of them, and nothing else changes; by rising share of the dopant, the first
    without it.

    The longest such series, of several the one of the first parent. Of entries with one share of the dopant the first
    counts. Empty where there is none.
    """
    rest = sorted(set(others))
    found: dict[tuple[str, ...], dict[float, int]] = {}
    for i, share in _shares(crystals, {dopant, host, *rest}).items():
        if lineage.derived[i] and all(e in share for e in (host, *rest)):
            kept = [*(share[e] for e in rest), share[host] + share.get(dopant, 0.0)]
            # two decimals of a per cent: what the source rounds differs by less, what it changes by more
            series = found.setdefault((str(lineage.parent[i]), *(f"{x:.4f}" for x in kept)), {})
            series.setdefault(round(share.get(dopant, 0.0), 6), i)
    whole = sorted((-len(series), key) for key, series in found.items() if 0.0 in series and len(series) > 1)
    best = found[whole[0][1]] if whole else {}
    return np.array([best[x] for x in sorted(best)], dtype=np.int64)


def _shares(crystals: CrystalSet, elements: Iterable[str]) -> dict[int, dict[str, float]]:
    """Share of the atoms of each element, of the crystals that hold none but ``elements``."""
    codes = [species_code(symbol) for symbol in elements]
    owner = np.repeat(np.arange(len(crystals)), crystals.n_sites)
    others = np.bincount(owner, ~np.isin(crystals.species, codes), len(crystals))
    found = {}
    for i in np.flatnonzero((others == 0) & (crystals.n_sites > 0)).tolist():
        rows = slice(int(crystals.site_start[i]), int(crystals.site_start[i + 1]))
        amount = np.bincount(crystals.species[rows].astype(np.int64), crystals.occupancy[rows], N_SPECIES)
        found[i] = {species_symbol(code): float(amount[code] / amount.sum()) for code in codes if amount[code] > 0}
    return found
