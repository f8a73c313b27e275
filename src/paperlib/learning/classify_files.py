"""Files of crystals in, answers of the released networks out: what ``paperlib classify`` prints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from paperlib.crystals.sources import Loaded, load_crystals
from paperlib.lab.display import counted, one_line
from paperlib.learning.classify import TOP, classify
from paperlib.symmetry.extinction import class_members
from paperlib.symmetry.groups import symbol


@dataclass(frozen=True, eq=False)
class Classified:
    """What became of some files of crystals."""

    table: pd.DataFrame
    """One row per crystal that was read: ``file``, ``declared`` (the space group number that the file states, 0 for
    none), ``remarks`` of the reader, and the columns of :func:`paperlib.learning.classify.classify`."""
    refused: pd.DataFrame
    """``file``, ``name`` and ``reason``: entries that could not be read."""

    def __repr__(self) -> str:
        return one_line("Classified", counted(len(self.table), "crystal"), f"{len(self.refused):,} entries refused")


def classify_files(sources: Sequence[str | Path]) -> Classified:
    """Read each of ``sources`` (see :func:`paperlib.crystals.sources.load_crystals`; ``~`` is the home) and ask the
    released networks. What cannot be read is named with its reason, and the rest goes on."""
    parts, refused = [], []
    for source in sources:
        try:
            loaded = load_crystals(_path(source))
        except (OSError, ValueError, RuntimeError) as error:
            refused.append((str(source), Path(source).name, str(error)))
            continue
        refused += [(str(source), s.name, f"{s.reason}: {s.detail}".removesuffix(": ")) for s in loaded.skipped]
        parts.append(_described(str(source), loaded))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"file": [], "no_pattern": []})
    return Classified(table, pd.DataFrame(refused, columns=["file", "name", "reason"]))


def as_text(classified: Classified) -> str:
    """A few lines per crystal, then what was refused and why."""
    blocks = [_block(row) for _, row in classified.table.iterrows()]
    if len(classified.refused):
        lines = [f"  {row.name}: {row.reason}" for row in classified.refused.itertuples(index=False)]
        blocks.append(f"not read ({len(lines)}):\n" + "\n".join(lines))
    return "\n\n".join([*blocks, _in_short(classified)])


def _path(source: str | Path) -> str:
    return str(source) if str(source) == "prototypes" else str(Path(source).expanduser())


def _described(source: str, loaded: Loaded) -> pd.DataFrame:
    table = classify(loaded.crystals)
    remarks = defaultdict(list)
    for remark in loaded.remarks:
        remarks[remark.name].append(f"{remark.kind}: {remark.detail}".removesuffix(": "))
    table.insert(0, "file", source)
    table.insert(table.columns.get_loc("space_group"), "declared", loaded.declared_space_group.astype(np.int64))
    return table.assign(remarks=["; ".join(remarks[name]) for name in table["source_id"]])


def _block(row: pd.Series) -> str:
    lengths = ", ".join(f"{name} {row[name]:.4g}" for name in ("a", "b", "c"))
    angles = ", ".join(f"{name} {row[key]:.4g}°" for name, key in zip("αβγ", ("alpha", "beta", "gamma"), strict=True))
    number, declared = int(row["space_group"]), int(row["declared"])
    stated = "as the file states" if declared == number else f"the file states {_group(declared)}"
    members = class_members(number, "published")
    lines = [
        f"{row['source_id']}: {row['formula']}, {lengths} Å, {angles}",
        f"  space group      {_group(number)}; {stated if declared else 'the file states none'}",
        f"  extinction class {row['extinction_class']}, {len(members)} space group{'s' * (len(members) > 1)}",
    ]
    lines += [f"  remark           {row['remarks']}"] if row["remarks"] else []
    if row["no_pattern"]:
        return "\n".join([*lines, f"  no answer: {row['no_pattern']}"])
    lines += [f"  network, class   {_listed(row, 'class')}", f"  network, group   {_listed(row, 'group')}"]
    return "\n".join(lines)


def _listed(row: pd.Series, kind: str) -> str:
    """The five answers of a network, the true one marked, and where it stands if it is none of them."""
    rank = int(row[f"{kind}_rank"])
    texts = [f"{'*' * (k == rank)}{row[f'{kind}_{k}']} {100 * row[f'{kind}_p{k}']:.1f} %" for k in range(1, TOP + 1)]
    return ", ".join(texts) + (f" (the true one stands at place {rank})" if rank > TOP else "")


def _group(number: int) -> str:
    return f"{symbol(number)} (No. {number})"


def _in_short(classified: Classified) -> str:
    asked = classified.table[classified.table["no_pattern"] == ""]
    dark = len(classified.table) - len(asked)
    counts = f"{len(classified.table)} read, {len(classified.refused)} not read"
    scores: list[str] = []
    counts += f", {dark} without a pattern on this instrument" if dark else ""
    if not len(asked):
        return counts
    for kind, what in (("class", "extinction class"), ("group", "space group")):
        first, among = (asked[f"{kind}_rank"] == 1).sum(), (asked[f"{kind}_rank"] <= TOP).sum()
        scores.append(f"true {what} (*) first for {first} of {len(asked)}, among the five for {among}")
    return "\n".join([counts, *scores])
