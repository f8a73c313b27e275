"""Data, tests and comparisons of a study of two radiations and two programs: mixtures of kinds of patterns, patterns
that come from elsewhere as a test, and the pairs that are compared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from paperlib.datasets.combined_streams import shares
from paperlib.datasets.prepared import Prepared
from paperlib.datasets.streams import ArrayStream
from paperlib.diffraction.altered import Alteration
from paperlib.diffraction.instrument import Instrument
from paperlib.learning.arms import StoredRows, StoredTest, TestItems
from paperlib.learning.made_arms import CrystalTest
from paperlib.learning.measured_arms import MixedData
from paperlib.learning.study import Trained

OTHER_ORDER = 500_009
"""Added to the seed for each further kind of a mixture."""

Rows = Mapping[Any, np.ndarray]
"""(n,) rows of the crystals by split."""
Terms = dict[str, float]
"""Of a paired difference: arms with their test, ``arm@test``, see
:meth:`paperlib.learning.comparison.Scored.contrast`."""


@dataclass(frozen=True, eq=False)
class PartRows(StoredRows):
    """Prepared patterns as a part of :class:`paperlib.learning.measured_arms.MixedData`."""

    order: int = 0
    """Added to the seed: a part has an order of its own, so that a batch does not hold the same crystals in all."""

    def __call__(self, split: Any, seed: int) -> ArrayStream:
        """The stream of one split and seed."""
        return super().__call__(split, seed + self.order)

    def prepare(self, split: Any) -> None:
        """Nothing is to be made."""


def mixed_rows(kinds: Sequence[StoredRows]) -> MixedData:
    """Streams of several kinds of patterns in one, in equal parts: a batch is as large as one of the first kind. The
    last batch of a pass may be smaller. Raises ValueError for batches that are smaller than the number of kinds."""
    sizes = shares([1.0] * len(kinds), kinds[0].batch_size)
    parts: tuple[Any, ...] = tuple(
        PartRows(kind.prepared, kind.rows, kind.labels, size, order=OTHER_ORDER * i)
        for i, (kind, size) in enumerate(zip(kinds, sizes, strict=True))
    )
    return MixedData(parts)


@dataclass(frozen=True, eq=False)
class GivenTest:
    """Patterns that were not made by us, of ``rows`` of the crystals of ``prepared`` for each split."""

    key: str
    prepared: Prepared
    """Of the same crystals, by which they are known."""
    rows: Rows
    clusters: np.ndarray
    """(n of all,) as in :class:`paperlib.learning.arms.TestItems`."""
    patterns: Mapping[Any, np.ndarray]
    """(n, n_points) by split, in the order of its rows."""
    origin: Mapping[str, Any]
    """What made them and for which instrument, in plain values."""

    def items(self, split: Any) -> TestItems:
        """The items for one split. Raises ValueError where there are not as many patterns as rows."""
        rows, patterns = self.rows[split], self.patterns[split]
        if len(rows) != len(patterns):
            raise ValueError(f"{self.key}: split {split!r} has {len(rows)} crystals and {len(patterns)} patterns")
        groups = self.prepared.crystals.space_group[rows].astype(np.int64)
        identity = {"crystals": self.prepared.recipe(rows)["crystals"]} | dict(self.origin)
        return TestItems(patterns, groups, self.clusters[rows], identity)


def about(trained: Trained, tests: Collection[str]) -> Trained:
    """The same trainings, and only what they say about ``tests``: those about the same crystals, say, which can be
    compared in pairs. Raises KeyError for a test that the study has not."""
    if missing := sorted(set(tests) - {test for test, _ in trained.items}):
        raise KeyError(f"the study has no test {', '.join(missing)}")
    of_tests = {
        name: {key: x for key, x in getattr(trained, name).items() if key[0] in tests}
        for name in ("answers", "items", "whole")
    }
    return replace(trained, **of_tests)


AnyTest = StoredTest | CrystalTest | GivenTest


def radiation_tests(prepared: Mapping[str, Prepared], rows: Rows, clusters: np.ndarray) -> list[AnyTest]:
    """Of each kind of ``prepared`` patterns its test, called like it, and as ``<kind>_permuted`` the same crystals with
    the heights handed round among their lines."""
    tests: list[AnyTest] = [StoredTest(kind, of_kind, rows, clusters) for kind, of_kind in prepared.items()]
    permuted = Alteration(permuted=True)
    return tests + [
        CrystalTest(f"{kind}_permuted", of_kind.crystals, rows, clusters, of_kind.instrument, None, permuted)
        for kind, of_kind in prepared.items()
    ]


def program_tests(
    prepared: Mapping[str, Prepared],
    rows: Rows,
    clusters: np.ndarray,
    theirs: Mapping[str, tuple[Instrument, Rows]],
    program: str,
) -> list[AnyTest]:
    """Of each kind our patterns (``ours_<kind>``), those of the other ``program`` (``crysfml_<kind>``), and ours on its
    instrument where that is another one (``alike_<kind>``). ``theirs`` has by kind the instrument that the program was
    asked for and (n, n_points) patterns by split; where it is empty, so is the list."""
    tests: list[AnyTest] = []
    for kind, (instrument, patterns) in theirs.items():
        ours = prepared[kind]
        origin = {"program": program, "instrument": repr(instrument)}
        tests.append(StoredTest(f"ours_{kind}", ours, rows, clusters))
        if instrument != ours.instrument:
            tests.append(CrystalTest(f"alike_{kind}", ours.crystals, rows, clusters, instrument))
        tests.append(GivenTest(f"crysfml_{kind}", ours, rows, clusters, patterns, origin))
    return tests


def radiation_effects(arms: Iterable[str]) -> dict[str, Terms]:
    """The paired differences of :func:`radiation_tests`, by name.

    ``radiation``: neutrons less X-rays, each read by its own network, and ``radiation_both``, by the one trained on
    both; ``other_<kind>``: trained on the other radiation instead of that of the test; ``both_<kind>``: on both
    instead; ``permuted_<arm>_<kind>``: the heights handed round.
    """
    ways: dict[str, Terms] = {
        "radiation": {"neutron@neutron": 1, "xray@xray": -1},
        "radiation_both": {"both@neutron": 1, "both@xray": -1},
    }
    for kind, other in (("xray", "neutron"), ("neutron", "xray")):
        ways[f"other_{kind}"] = {f"{other}@{kind}": 1, f"{kind}@{kind}": -1}
        ways[f"both_{kind}"] = {f"both@{kind}": 1, f"{kind}@{kind}": -1}
        ways |= {f"permuted_{arm}_{kind}": {f"{arm}@{kind}_permuted": 1, f"{arm}@{kind}": -1} for arm in arms}
    return ways


def program_effects(tests: Iterable[AnyTest]) -> dict[str, Terms]:
    """The paired differences of :func:`program_tests`, by name, for networks trained on the kind and on both.

    ``program_<arm>_<kind>``: the other program's patterns less ours; where it has an instrument of its own,
    ``alike_<arm>_<kind>`` is the part that ours on that instrument make, ``remaining_<arm>_<kind>`` the rest.
    """
    keys, ways = [test.key for test in tests], dict[str, Terms]()
    for kind in (key.removeprefix("crysfml_") for key in keys if key.startswith("crysfml_")):
        for arm in (kind, "both"):
            ours, alike, theirs = (f"{arm}@{which}_{kind}" for which in ("ours", "alike", "crysfml"))
            ways[f"program_{arm}_{kind}"] = {theirs: 1, ours: -1}
            if f"alike_{kind}" in keys:
                ways[f"alike_{arm}_{kind}"] = {alike: 1, ours: -1}
                ways[f"remaining_{arm}_{kind}"] = {theirs: 1, alike: -1}
    return ways
