"""Maximal subgroups: cases known by hand, what Hermann's theorem demands, and an independent search for t-subgroups."""

import numpy as np
import pytest
import spglib

from paperlib.symmetry.groups import ENANTIOMORPHIC_PAIRS, SPACE_GROUPS, operations
from paperlib.symmetry.relations import FAR, distances, maximal_subgroups, steps

# spglib announces a change of its error handling on every call.
pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")


def names(group, kind):
    rows = maximal_subgroups().query("group == @group and kind == @kind")
    return dict(zip(rows.subgroup.tolist(), rows["index"].tolist(), strict=True))


def test_subgroups_known_by_hand():
    assert names(221, "t") == {123: 3, 166: 4, 200: 2, 207: 2, 215: 2}  # Pm-3m
    assert names(225, "k") == {221: 4, 224: 4}  # Fm-3m loses its centring: Pm-3m, Pn-3m
    assert names(2, "t") == {1: 2} and names(2, "k") == {}  # P-1: all of its k-subgroups are of its type
    assert names(1, "t") == names(1, "k") == {}
    assert names(3, "k") == {4: 2, 5: 2}  # P2: every other axis a screw (P2_1), or in the corners alone (C2)
    assert names(4, "k") == {} and names(5, "k") == {3: 2, 4: 2}  # C2 has both axes


def test_distances_known_by_hand():
    def between(one, other, kinds="tk"):
        return distances(kinds)[one - 1, other - 1]

    assert between(221, 123) == between(123, 47) == 1 and between(221, 47) == 2  # Pm-3m > P4/mmm > Pmmm
    assert (
        between(225, 221) == between(225, 221, "k") == 1 and between(225, 221, "t") == 2
    )  # by a common I4/mmm or R-3m
    assert between(1, 2) == between(1, 3) == between(1, 4) == 1
    assert between(1, 47, "t") == 3  # mmm has order 8: three steps of index 2
    assert between(3, 4, "t") == 2 and between(1, 2, "k") == FAR


def test_the_graph_is_a_metric_and_joins_all_groups():
    d = distances().astype(int)
    assert np.array_equal(d, d.T) and not d.diagonal().any() and d.max() == 6
    assert all((d <= d[:, [k]] + d[[k]]).all() for k in range(0, 230, 17))
    assert np.array_equal(d == 1, sum(steps(kind) | steps(kind).T for kind in "tk") > 0)


def test_a_t_subgroup_has_a_smaller_point_group_and_a_k_subgroup_the_same():
    order = {group: len(np.unique(operations(group).rotations, axis=0)) for group in SPACE_GROUPS}
    table = maximal_subgroups()
    assert (table.group != table.subgroup).all()
    ratio = table.group.map(order) / table.subgroup.map(order)
    of_t = table.kind == "t"
    assert (ratio[of_t] == table["index"][of_t]).all() and (ratio[~of_t] == 1).all()
    one = {(min(pair), max(pair)) for pair in table[~of_t & (table["index"] > 4)][["group", "subgroup"]].to_numpy()}
    assert one <= set(ENANTIOMORPHIC_PAIRS)
    assert all(distances()[a - 1, b - 1] == 1 for a, b in ENANTIOMORPHIC_PAIRS)


@pytest.mark.parametrize("group", [14, 62, 88, 148, 167, 194, 205, 227])
def test_t_subgroups_agree_with_a_search_among_the_operations(group):
    assert set(names(group, "t")) == searched(group)


def searched(group):
    """Types of the maximal subgroups that keep all translations: maximal subgroups of the point group, with the
    operations of the space group that belong to their rotations, named by spglib."""
    rotations, translations = operations(group)
    parts = [r.tobytes() for r in rotations]
    distinct = list(dict.fromkeys(parts))
    matrix = {part: r.astype(int) for part, r in zip(parts, rotations, strict=True)}
    times = {(a, b): (matrix[a] @ matrix[b]).astype(rotations.dtype).tobytes() for a in distinct for b in distinct}

    def closed(some):
        found = set(some)
        while len(more := found | {times[a, b] for a in found for b in found}) > len(found):
            found = more
        return frozenset(found)

    generated = waiting = {frozenset([np.eye(3, dtype=rotations.dtype).tobytes()])}
    while waiting := {closed(some | {one}) for some in waiting for one in distinct if one not in some} - generated:
        generated = generated | waiting
    proper = [some for some in generated if len(some) < len(distinct)]
    maximal = [some for some in proper if not any(some < other for other in proper)]
    metric = np.diag([4.0, 5.0, 6.0])
    if group >= 75:
        metric = np.diag([4.0, 4.0, 6.0 if group < 195 else 4.0])
    if 143 <= group <= 194:
        metric = np.array([[4.0, 0, 0], [-2.0, 2.0 * np.sqrt(3), 0], [0, 0, 6.0]])
    if group < 16:
        metric[2, 0] = -1.5
    types = set()
    for some in maximal:
        rows = [i for i, part in enumerate(parts) if part in some]
        found = spglib.get_spacegroup_type_from_symmetry(rotations[rows].astype(np.intc), translations[rows], metric)
        types.add(found.number)
    return types


@pytest.mark.parametrize("kinds", ["", "x", "tkx"])
def test_other_kinds_are_refused(kinds):
    with pytest.raises(ValueError, match="kinds="):
        distances(kinds)
    with pytest.raises(ValueError, match="kind="):
        steps(kinds)
