"""What became of every entry of a source: read, read with a remark, or refused and why; as a table, a text, a CSV."""

from __future__ import annotations

import textwrap
from collections import Counter

import pandas as pd

from paperlib.crystals.sources import Loaded
from paperlib.symmetry.extinction import class_of_space_group, class_symbols
from paperlib.symmetry.groups import symbol

WIDTH = 110
"""Characters of a line on the screen."""

READ, REMARKED, REFUSED, ABOUT = "read", "read with a remark", "refused", "about the source"
"""Outcomes. The last one is a remark on no crystal, such as the number of files that are no CIFs."""

OTHER_GROUP = "another space group than declared"

_EDGES = ("a", "b", "c", "alpha", "beta", "gamma")


def outcomes(loaded: Loaded) -> pd.DataFrame:
    """One row per entry (a block of a CIF, a line), in the order of their names, and per remark on the source.

    Columns: ``entry``, ``outcome`` (:data:`READ`, :data:`REMARKED`, :data:`REFUSED`, :data:`ABOUT`), ``formula``,
    ``declared`` and ``found`` (space-group numbers), ``symbol``, ``extinction_class`` (of the published scheme), ``a``
    … ``gamma`` (Å, degrees; of the standard cell), ``reason`` (why it was refused, or the kinds of its remarks) and
    ``detail``. Cells that do not apply are missing.
    """
    crystals = loaded.crystals
    names, classes = class_symbols("published"), class_of_space_group("published")
    remarks: dict[str, list[tuple[str, str]]] = {}
    for remark in loaded.remarks:
        remarks.setdefault(remark.name, []).append((remark.kind, remark.detail))
    rows = []
    for i, (entry, declared) in enumerate(zip(crystals.source_id, loaded.declared_space_group, strict=True)):
        found = int(crystals.space_group[i])
        said = list(remarks.get(str(entry), []))
        if declared not in (0, found):
            said.append((OTHER_GROUP, f"{declared} {symbol(int(declared))} declared, {found} {symbol(found)} found"))
        row = {"entry": str(entry), "outcome": REMARKED if said else READ, "formula": str(crystals.formula[i])}
        row |= {"declared": int(declared) or pd.NA, "found": found, "symbol": symbol(found)}
        row |= {"extinction_class": names[classes[found]], **dict(zip(_EDGES, crystals.cell[i].round(5), strict=True))}
        rows.append(row | _texts(said))
    rows += [{"entry": s.name, "outcome": REFUSED, **_texts([(s.reason, s.detail)])} for s in loaded.skipped]
    own = set(crystals.source_id.tolist())
    rows += [
        {"entry": name, "outcome": ABOUT, **_texts([one])}
        for name, said in remarks.items()
        if name not in own
        for one in said
    ]
    columns = ["entry", "outcome", "formula", "declared", "found", "symbol", "extinction_class", *_EDGES]
    table = pd.DataFrame(rows, columns=[*columns, "reason", "detail"])
    table[["declared", "found"]] = table[["declared", "found"]].astype("Int64")
    return table.sort_values("entry", kind="stable", ignore_index=True)


def _texts(said: list[tuple[str, str]]) -> dict[str, str]:
    """The columns ``reason`` and ``detail`` of one row; several details each say what they belong to."""
    details = [detail for _, detail in said] if len(said) == 1 else [f"{kind}: {detail}" for kind, detail in said]
    return {"reason": "; ".join(kind for kind, _ in said), "detail": "; ".join(details)}


def screen(table: pd.DataFrame, limit: int = 40) -> str:
    """A table of :func:`outcomes` as text of at most 110 columns: what needs attention last, where a terminal stops, no
    more than ``limit`` entries of each outcome, and how many are not shown."""
    lines = [_line("entry", "formula", "decl.", "found", "class", "a b c (Å) α β γ (°)")]
    for outcome in (READ, REMARKED, REFUSED, ABOUT):
        part = table[table.outcome == outcome]
        if not len(part):
            continue
        lines += ["", f"{outcome}: {len(part):,}"]
        for row in part.head(limit).itertuples(index=False):
            if outcome in (READ, REMARKED):
                cell = " ".join(f"{getattr(row, edge):.4g}" for edge in _EDGES)
                declared = "" if pd.isna(row.declared) else str(row.declared)
                found = f"{row.found} {row.symbol}"
                lines.append(_line(row.entry, row.formula, declared, found, row.extinction_class, cell))
            else:
                lines.append(_fit(row.entry, WIDTH))
            if row.reason:
                several = "; " in row.reason
                note = row.detail if several else f"{row.reason}: {row.detail}".removesuffix(": ")
                lines += textwrap.wrap(
                    note, WIDTH, initial_indent="    ", subsequent_indent="    ", max_lines=3, placeholder=" …"
                )
        if len(part) > limit:
            lines.append(f"… and {len(part) - limit:,} more that are not shown here")
    return "\n".join(lines)


def _line(entry: str, formula: str, declared: str, found: str, extinction: str, cell: str) -> str:
    parts = ((entry, 22), (formula, 13), (declared, 5), (found, 12), (extinction, 15))
    return _fit("  ".join(f"{_fit(text, width):<{width}}" for text, width in parts) + "  " + cell, WIDTH).rstrip()


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def brief(loaded: Loaded, limit: int = 10) -> str:
    """A few lines: how many entries were read, refused and remarked on, for which reasons, and the first ``limit``
    crystals whose source declares another space group than was found."""
    summary, differing = loaded.summary(), loaded.disagreements()
    lines = [f"{summary['read']:,} entries: {summary['kept']:,} read, {len(loaded.skipped):,} refused"]
    for title, counts in (("refused", summary["skipped"]), ("remark", summary["remarks"])):
        lines += [f"    {title}: {kind}: {n:,}" for kind, n in Counter(counts).most_common()]
    lines.append(f"{len(differing):,} of {summary['declared']:,} declare another space group than the one found")
    for row in differing.head(limit).itertuples(index=False):
        groups = f"{row.declared} {symbol(int(row.declared))} declared, {row.found} {symbol(int(row.found))} found"
        lines.append(_fit(f"    {row.source_id} ({row.formula}): {groups}", WIDTH))
    if len(differing) > limit:
        lines.append(f"    … and {len(differing) - limit:,} more (Loaded.disagreements lists all)")
    return "\n".join(lines)
