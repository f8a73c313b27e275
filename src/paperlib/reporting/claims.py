"""The claims of the paper, each a comparison of computed numbers, judged on whatever results there are.

``paper/claims.yml`` is a list of entries ``id``, ``text``, ``notebook`` and ``compare``. A comparison is
``key [value|low|high] OP (key [value|low|high] | number)`` with OP one of ``< <= > >= ==``; several are
joined by ``and``. Comparing the low end of one interval with the high end of another says that they part.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from paperlib.lab import paths
from paperlib.lab.results import MissingResultError, Results

OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}
FIELDS = ("value", "low", "high")

_SIDE = r"(?:[0-9]{2}_\w+/\w+(?:\s+(?:value|low|high))?|[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)"
_COMPARISON = re.compile(rf"\s*({_SIDE})\s*(<=|>=|==|<|>)\s*({_SIDE})\s*")


class ClaimError(ValueError):
    """A claim that does not follow the grammar, or that lacks a part."""


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a field of a value, or a plain number (``key`` is then empty)."""

    key: str
    field: str = "value"
    number: float = 0.0

    def read(self, results: Results) -> float:
        """The number. Raises MissingResultError where it has not been computed or has no interval."""
        if not self.key:
            return self.number
        found = getattr(results.value(self.key), self.field)
        if found is None or isinstance(found, str):
            raise MissingResultError(f"{self.key} has no {self.field} that could be compared")
        return float(found)

    def show(self, number: float, kind: str) -> str:
        """The number as its kind is read, with where it comes from: evidence for a reader."""
        unit = {"share": " %", "points": " points"}.get(kind)
        shown = f"{100 * number:.3g}{unit}" if unit else f"{number:.4g}"
        field = "" if self.field == "value" else f" {self.field}"
        return f"{self.key}{field} = {shown}" if self.key else shown


@dataclass(frozen=True)
class Comparison:
    """Two sides and the operator between them."""

    left: Side
    operator: str
    right: Side

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the values that are compared: one or two."""
        return tuple(side.key for side in (self.left, self.right) if side.key)


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper with the comparisons that it rests on."""

    id: str
    text: str
    notebook: str
    comparisons: tuple[Comparison, ...]


def parse_comparisons(text: str, claim: str) -> tuple[Comparison, ...]:
    """Read ``a < b and c >= 0.5``. Raises ClaimError, naming the claim, where it breaks the grammar."""
    comparisons = []
    for part in re.split(r"\band\b", text):
        match = _COMPARISON.fullmatch(part)
        if match is None:
            raise ClaimError(
                f"claim {claim!r}: cannot read {part.strip()!r}; write `stem/name [value|low|high] OP "
                f"stem/name [value|low|high]` or a number, OP one of {' '.join(OPERATORS)}"
            )
        left, symbol, right = match.groups()
        comparisons.append(Comparison(_side(left), symbol, _side(right)))
        if not comparisons[-1].keys:
            raise ClaimError(f"claim {claim!r}: {part.strip()!r} compares two typed numbers")
    return tuple(comparisons)


def _side(text: str) -> Side:
    if "/" not in text:
        return Side("", number=float(text))
    key, *rest = text.split()
    return Side(key, rest[0]) if rest else Side(key)


def read_claims(path: Path | None = None) -> list[Claim]:
    """The claims in ``path`` (``paper/claims.yml`` by default). Raises ClaimError, naming the claim."""
    path = path or paths.root() / "paper" / "claims.yml"
    claims: list[Claim] = []
    for number, entry in enumerate(yaml.safe_load(path.read_text(encoding="utf-8")) or [], start=1):
        if not isinstance(entry, dict) or set(entry) != {"id", "text", "notebook", "compare"}:
            raise ClaimError(f"{path.name}, entry {number}: needs exactly id, text, notebook and compare: {entry!r}")
        if any(claim.id == entry["id"] for claim in claims):
            raise ClaimError(f"{path.name}: the id {entry['id']!r} occurs twice")
        comparisons = parse_comparisons(str(entry["compare"]), entry["id"])
        claims.append(Claim(entry["id"], " ".join(entry["text"].split()), entry["notebook"], comparisons))
    return claims


def evaluate(results: Results, path: Path | None = None) -> pd.DataFrame:
    """Every claim against the results: columns id, claim, notebook, holds, evidence.

    ``holds`` is "yes", "no" or "not computed"; ``evidence`` shows the numbers on both sides with the n of the
    estimates. Raises ClaimError for a malformed claim.
    """
    rows = []
    for claim in read_claims(path):
        try:
            holds, evidence = _judge(claim, results)
        except MissingResultError as error:
            holds, evidence = "not computed", str(error)
        rows.append((claim.id, claim.text, claim.notebook, holds, evidence))
    return pd.DataFrame(rows, columns=["id", "claim", "notebook", "holds", "evidence"])


def _judge(claim: Claim, results: Results) -> tuple[str, str]:
    holds, evidence = True, []
    for comparison in claim.comparisons:
        left, right = comparison.left.read(results), comparison.right.read(results)
        true = OPERATORS[comparison.operator](left, right)
        values = [results.value(key) for key in comparison.keys]
        # a plain number is of the kind of the value that it is compared with
        kind = values[0].kind
        shown = [side.show(x, kind) for side, x in ((comparison.left, left), (comparison.right, right))]
        sides = f" {comparison.operator} ".join(shown)
        counts = {value.n for value in values if value.n is not None}
        items = f", n = {min(counts)}" if counts else ""
        evidence.append(f"{sides} ({'true' if true else 'false'}{items})")
        holds &= true
    return ("yes" if holds else "no"), "; ".join(evidence)
