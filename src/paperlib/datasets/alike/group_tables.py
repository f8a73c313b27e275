"""Groups of duplicates as tables to look at: how long the chains are, and what each rule says of the same entries."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from paperlib.crystals.cell_geometry import cell_volume
from paperlib.crystals.crystal_set import N_SPECIES, CrystalSet
from paperlib.datasets.alike.entries import read_entries
from paperlib.datasets.alike.fingerprints import fingerprints


def chain_table(crystals: CrystalSet, groups: np.ndarray, most: int = 10) -> pd.DataFrame:
    """The ``most`` largest groups (n,), one row each: what single linkage has chained together.

    ``entries``; ``formulas``, how many different ones; ``first_id``, ``first_formula``, ``last_formula`` (ends of the
    chain: the entries with the smallest and the largest share of the element that varies most); ``space_group``;
    ``formula_spread``, the range of that share; ``cell_spread``, the largest relative range of the seven lengths of the
    lattice. A spread above the tolerance of the rule is a chain: its ends would not be linked by themselves.
    """
    entries = read_entries(crystals)
    found, counts = np.unique(groups, return_counts=True)
    rows = []
    for group in found[np.lexsort((found, -counts))][:most]:
        members = np.flatnonzero(groups == group)
        members = members[np.argsort(entries.rank[members])]
        shares = np.zeros((len(members), N_SPECIES))
        for row, i in enumerate(members):
            here = slice(entries.start[i], entries.start[i + 1])
            shares[row, entries.element[here]] = entries.fraction[here]
        widest = int(np.ptp(shares, axis=0).argmax())
        lengths = np.sort(entries.lengths[members], axis=1)
        rows.append(
            {
                "entries": len(members),
                "formulas": len(np.unique(entries.composition[members])),
                "space_group": int(entries.space_group[members[0]]),
                "first_id": str(crystals.source_id[members[0]]),
                "first_formula": str(entries.formula[members[shares[:, widest].argmin()]]),
                "last_formula": str(entries.formula[members[shares[:, widest].argmax()]]),
                "formula_spread": float(np.ptp(shares[:, widest])),
                "cell_spread": float(np.max(lengths.max(axis=0) / lengths.min(axis=0)) - 1),
            }
        )
    return pd.DataFrame(rows)


def telling_group(labels: Mapping[str, np.ndarray], smallest: int = 4, largest: int = 8) -> np.ndarray:
    """Numbers of the entries of the group that shows best how the rules differ.

    Among the groups of the first of ``labels`` (rules from loose to strict, each (n,)) with ``smallest`` to ``largest``
    entries: the one that most rules neither keep together nor take apart altogether, then the one with the most
    different partitions, then the first. Where no group has the size, the largest.
    """
    loosest = next(iter(labels.values()))
    found, counts = np.unique(loosest, return_counts=True)
    of_size = found[(counts >= smallest) & (counts <= largest)]
    if not len(of_size):
        return np.flatnonzero(loosest == found[counts.argmax()])
    order = np.argsort(loosest, kind="stable")
    starts = np.searchsorted(loosest[order], of_size)
    best, best_members = (-1, -1), order[:0]
    for start, size in zip(starts, counts[np.isin(found, of_size)], strict=True):
        members = order[start : start + size]
        partitions = [tuple(_letters(groups[members])) for groups in labels.values()]
        undecided = sum(1 < len(set(letters)) < len(letters) for letters in partitions)
        score = undecided, len(set(partitions))
        if score > best:
            best, best_members = score, members
    return best_members


def rule_table(crystals: CrystalSet, labels: Mapping[str, np.ndarray], members: np.ndarray) -> pd.DataFrame:
    """What each rule says of the entries ``members``: one row per entry, with id, formula, space group, a, b and c (Å)
    and the volume of the cell over its number of sites (Å³); under each rule a letter, the same for entries that it
    puts together."""
    part = crystals[members]
    cell = pd.DataFrame(part.cell[:, :3].round(3), columns=["a", "b", "c"])
    table = pd.DataFrame({"source_id": part.source_id, "formula": part.formula, "space_group": part.space_group})
    table = pd.concat([table, cell], axis=1)
    table["volume"] = cell_volume(part.cell).round(1)
    letters = {rule: _letters(groups[members]) for rule, groups in labels.items()}
    return table.assign(**letters)


def similarity_matrix(crystals: CrystalSet) -> np.ndarray:
    """(n, n): similarity of the patterns of all pairs, brought to one volume and drawn with wide lines
    (:func:`paperlib.datasets.alike.fingerprints.fingerprints`)."""
    wide = fingerprints(crystals)[:, 1]
    return wide @ wide.T


def _letters(groups: np.ndarray) -> list[str]:
    names: dict[int, str] = {}
    return [names.setdefault(int(group), chr(ord("A") + len(names) % 26)) for group in groups]
