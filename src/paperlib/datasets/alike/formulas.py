"""Entries of one space group whose formulas are alike: doped variants, found without comparing all pairs."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np

from paperlib.datasets.alike.entries import Entries
from paperlib.datasets.alike.fingerprints import N_POINTS
from paperlib.datasets.alike.joining import Bounds, Measures, pairs_within

MAX_TRACES = 16
"""Elements below the tolerance ``formula`` that an alike entry may do without: the commonest of an entry. It has to
hold the others, if there are any, too."""

ROUNDING = 1e-9
"""Added to the tolerance of formulas: a share of exactly the tolerance is within it."""


def alike_formulas(entries: Entries, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of one space group whose formulas differ by no more than ``tolerance``.

    Where two formulas are alike, elements above the tolerance in one occur in the other. Entered under its elements
    above the tolerance with any choice of the others, each meets the other under the elements that are above it in
    either.
    """
    buckets: dict[tuple[int, ...], list[tuple[int, float]]] = defaultdict(list)
    for i in np.flatnonzero(entries.usable).tolist():
        rows = slice(entries.start[i], entries.start[i + 1])
        share = dict(zip(entries.element[rows].tolist(), entries.fraction[rows].tolist(), strict=True))
        # a little more than the tolerance, so that rounding parts no pair
        traces = [e for e, x in share.items() if x <= tolerance * 1.000001]
        traces = sorted(traces, key=lambda e: -share[e])[:MAX_TRACES]
        certain = [e for e in share if e not in traces]
        for n in range(len(traces) + 1):
            for chosen in itertools.combinations(traces, n):
                # two entries without an element above the tolerance, alloys of many, meet under none
                elements = sorted([*certain, *chosen])
                buckets[int(entries.space_group[i]), *elements].append((i, share[elements[0]] if elements else 0.0))
    several = [members for _, members in sorted(buckets.items()) if len(members) > 1]
    bucket = np.repeat(np.arange(len(several)), [len(members) for members in several])
    flat = [member for members in several for member in members]
    member = np.array([i for i, _ in flat], dtype=np.int64)
    position = np.array([x for _, x in flat], dtype=np.float64)
    bounds = Bounds(formula=tolerance + ROUNDING)
    measures = measures_of(entries, np.log(entries.lengths))
    return pairs_within(bucket, member, position, bounds.formula, entries.rank, measures, bounds)


def measures_of(
    entries: Entries, logarithms: np.ndarray, row: np.ndarray | None = None, prints: np.ndarray | None = None
) -> Measures:
    """What pairs of ``entries`` are compared by, from the logarithms of their lengths (n, 7) and, where patterns are
    compared, the ``row`` (n,) of each entry in ``prints``."""
    none = np.zeros((0, 2, N_POINTS), dtype=np.float32)
    row = np.full(len(entries.usable), -1) if row is None else row
    prints = none if prints is None else prints
    return Measures(entries.start, entries.element, entries.fraction, logarithms, row, prints)
