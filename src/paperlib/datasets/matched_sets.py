"""Training sets that differ in one thing, to tell what duplicates do to a test score.

One random tenth of the entries is the test set of all. What else a usual comparison changes at once (fewer entries, no
copies of test crystals, no copies within training) is changed here one at a time:

- ``all_random``: every other entry;
- ``equal_random``: ``n`` of them, drawn at random;
- ``equal_free``: ``n`` of those that are in no group of duplicates with a test entry;
- ``single_free``: the same, but one entry of each group, which are ``n``;
- ``single_random``: one entry of each group of all others, ``n`` of these.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from paperlib.datasets.duplicates import representatives
from paperlib.datasets.splits import grouped_split
from paperlib.lab.rng import permutation


class MatchedSets(NamedTuple):
    """Numbers of entries, rising."""

    train: dict[str, np.ndarray]
    """Training sets by name, in the order above."""
    test: np.ndarray
    """The test set of all."""
    test_single: np.ndarray
    """(len(test),) bool: one test entry of each group of duplicates."""


def matched_sets(
    groups: np.ndarray, ids: np.ndarray, classes: np.ndarray, seed: int, test_share: float = 0.1
) -> MatchedSets:
    """The sets for entries with ``groups`` of duplicates (n,), different ``ids`` (n,) and ``classes`` (n,), which the
    test set is stratified by. They follow from ``seed``, ids, groups and classes, not from the order of the entries.

    Raises ValueError for a share outside (0, 1), for ids that occur twice, and where the test set is empty or leaves no
    group that it does not touch.
    """
    if not 0 < test_share < 1:
        raise ValueError(f"{test_share=} must lie between 0 and 1")
    if len(np.unique(ids)) < len(ids):
        raise ValueError(f"{len(ids) - len(np.unique(ids))} of {len(ids)} ids are repeated; give each entry its own")
    split = grouped_split(ids, (1 - test_share, 0.0, test_share), seed=seed, stratify=classes)
    others, test = split.train, split.test
    free = others[~np.isin(groups[others], groups[test])]
    if not len(test) or not len(free):
        missing = "test set is empty" if not len(test) else "groups of the test set hold all entries"
        raise ValueError(
            f"the {missing} ({len(ids)} entries, {len(np.unique(groups))} groups, {test_share=}), so that there is "
            "nothing to match; take more entries, tighter groups or another share"
        )
    single_others, single_free = (part[representatives(groups[part], ids[part])] for part in (others, free))
    n = len(single_free)
    train = {
        "all_random": others,
        "equal_random": _drawn(others, ids, n, seed),
        "equal_free": _drawn(free, ids, n, seed),
        "single_free": single_free,
        "single_random": _drawn(single_others, ids, n, seed),
    }
    single = np.zeros(len(test), dtype=bool)
    single[representatives(groups[test], ids[test])] = True
    return MatchedSets(train, test, single)


def _drawn(part: np.ndarray, ids: np.ndarray, n: int, seed: int) -> np.ndarray:
    by_name = part[np.argsort(ids[part])]
    return np.sort(by_name[permutation(seed, "datasets.matched_sets", 0, len(part))[:n]])
