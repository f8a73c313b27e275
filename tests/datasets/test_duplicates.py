"""Duplicates: planted ones are found and near-misses left, by links that obey the rule, whatever the order."""

import functools
import itertools
import warnings
from dataclasses import replace

import numpy as np
import pytest
import spglib
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.lattice_lengths import relabellings
from paperlib.crystals.shards import write_sharded
from paperlib.crystals.species import reduced_formula
from paperlib.crystals.standardise import Sites, crystal_from_sites, sites_from_structure
from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets import duplicates
from paperlib.datasets.alike import entries, structure_match
from paperlib.datasets.alike.fingerprints import FINE, fingerprints
from paperlib.datasets.alike.joining import components
from paperlib.datasets.duplicates import RULES, duplicate_links, find_duplicates, pair_agreement, representatives
from paperlib.lab.cluster import workers
from paperlib.symmetry.groups import ENANTIOMORPHIC_PAIRS
from tests.crystals.conftest import class_lengths, primitive_vectors
from tests.datasets import planted

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")

VARIANTS = {
    **{rule: (rule, {}) for rule in RULES},
    "cell, doped": ("cell", {"formula": 0.02}),
    "pattern, doped": ("pattern", {"formula": 0.02}),
}
"""Rules with tolerances that take every way through the code."""

every_variant = pytest.mark.parametrize("variant", VARIANTS)


# Planted duplicates


@functools.cache
def planted_crystals(kind):
    """The crystals of a kind, made once for all rules."""
    return planted.planted(kind)


@pytest.mark.parametrize("kind", planted.KINDS)
@pytest.mark.parametrize("rule", planted.RULES)
def test_planted_duplicates_are_found_and_near_misses_are_not(kind, rule):
    crystals, expected = planted_crystals(kind)
    name, tolerances = planted.RULES[rule]
    # StructureMatcher takes 10 ms for each crystal: it gets half of the families, and three of the six temperatures
    family = np.unique(expected["formula~group"], return_inverse=True)[1]
    chosen = np.flatnonzero((family % 2 == 0) | (rule != "structure"))
    chosen = chosen[:: 2 if (kind, rule) == ("thermal expansion", "structure") else 1]
    agreement = pair_agreement(find_duplicates(crystals[chosen], name, **tolerances), expected[rule][chosen])
    assert agreement["recall"] >= 0.99 and agreement["precision"] >= 0.99


@pytest.mark.parametrize("kind", planted.KINDS)
def test_there_are_500_families_of_each_kind_in_which_the_loosest_rule_joins_all(kind):
    _, expected = planted_crystals(kind)
    assert len(np.unique(expected["formula~group"])) == 500


# What holds for any set


@functools.cache
def groups_of(variant):
    rule, tolerances = VARIANTS[variant]
    return find_duplicates(planted.zoo(), rule, **tolerances)


@functools.cache
def links_of(variant):
    rule, tolerances = VARIANTS[variant]
    return duplicate_links(planted.zoo(), rule, **tolerances)


def id_pairs(links):
    return {frozenset(pair) for pair in zip(links.first_id, links.second_id, strict=True)}


def test_the_rules_differ_on_the_zoo():
    """Otherwise the tests below would say little."""
    assert len({len(np.unique(groups_of(variant))) for variant in VARIANTS}) >= 5
    assert all(10 < len(links_of(variant)) < len(planted.zoo()) - 10 for variant in VARIANTS)


@every_variant
def test_groups_are_numbered_in_the_order_of_first_appearance(variant):
    found, first = np.unique(groups_of(variant), return_index=True)
    np.testing.assert_array_equal(found, np.arange(len(found)))
    assert np.all(np.diff(first) > 0)


@every_variant
def test_links_are_a_spanning_forest_of_the_groups(variant):
    links, groups = links_of(variant), groups_of(variant)
    np.testing.assert_array_equal(components(len(groups), links[["first", "second"]].to_numpy()), groups)
    assert len(links) == len(groups) - len(np.unique(groups))


@every_variant
def test_links_name_their_entries(variant):
    links, crystals = links_of(variant), planted.zoo()
    for side, column in itertools.product(("first", "second"), ("id", "formula", "space_group")):
        values = getattr(crystals, "source_id" if column == "id" else column)[links[side]]
        np.testing.assert_array_equal(links[f"{side}_{column}"], values)


@every_variant
@pytest.mark.parametrize("seed", [0, 1])
def test_neither_groups_nor_links_depend_on_the_order_of_the_entries(variant, seed):
    rule, tolerances = VARIANTS[variant]
    order = np.random.default_rng(seed).permutation(len(planted.zoo()))
    shuffled = planted.zoo()[order]
    assert planted.same_partition(find_duplicates(shuffled, rule, **tolerances), groups_of(variant)[order])
    assert id_pairs(duplicate_links(shuffled, rule, **tolerances)) == id_pairs(links_of(variant))


@every_variant
def test_the_same_set_gives_the_same_links_again(variant):
    rule, tolerances = VARIANTS[variant]
    assert duplicate_links(planted.zoo(), rule, **tolerances).equals(links_of(variant))


@every_variant
def test_representatives_have_no_duplicates(variant):
    rule, tolerances = VARIANTS[variant]
    crystals = planted.zoo()
    chosen = crystals[representatives(groups_of(variant), crystals.source_id)]
    assert len(chosen) == groups_of(variant).max() + 1
    np.testing.assert_array_equal(find_duplicates(chosen, rule, **tolerances), np.arange(len(chosen)))


@every_variant
def test_a_set_written_twice_gives_pairs(variant):
    rule, tolerances = VARIANTS[variant]
    crystals = planted.zoo()
    chosen = crystals[representatives(groups_of(variant), crystals.source_id)]
    copies = replace(chosen, source_id=np.char.add(chosen.source_id, " again"))
    found = find_duplicates(CrystalSet.concatenate([chosen, copies]), rule, **tolerances)
    np.testing.assert_array_equal(found, np.tile(np.arange(len(chosen)), 2))


@pytest.mark.parametrize(
    ("fine", "coarse"),
    [
        ("pattern", "cell"),
        ("cell", "formula+group"),
        ("formula+group", "formula~group"),
        ("pattern, doped", "cell, doped"),
        ("cell, doped", "formula~group"),
        ("pattern", "pattern, doped"),
    ],
)
def test_stricter_rules_only_divide_the_groups_of_looser_ones(fine, coarse):
    assert planted.refines(groups_of(fine), groups_of(coarse))
    assert not planted.refines(groups_of(coarse), groups_of(fine)) or (fine, coarse) == ("pattern", "cell")


# Links against the definition of each rule, computed without the compiled code


def shares(crystals):
    """(n, 119): share of the atoms by atomic number."""
    found = np.zeros((len(crystals), 120))
    np.add.at(found, (np.repeat(np.arange(len(crystals)), crystals.n_sites), crystals.species), crystals.occupancy)
    found[:, 1] += found[:, 119]
    return found[:, :119] / found[:, :119].sum(axis=1, keepdims=True)


def formula_differences(crystals):
    """(n, n): largest difference of the share of any element."""
    return np.abs(shares(crystals)[:, None] - shares(crystals)).max(axis=2)


def primitive_lattice(crystals, i):
    return primitive_vectors(int(crystals.space_group[i])) @ planted.lattice_of(crystals.cell[i])


def cell_differences(crystals):
    """(n, n): largest difference of ln of the shortest vectors of the parity classes, under the best relabelling."""
    logarithms = np.log([class_lengths(primitive_lattice(crystals, i)) for i in range(len(crystals))])
    relabelled = logarithms[:, relabellings()]
    return np.array([np.abs(relabelled - one).max(axis=2).min(axis=1) for one in logarithms])


def similarities(crystals, cell):
    """(n, n): products of the fingerprints, the narrow ones where cells hardly differ."""
    narrow, wide = fingerprints(crystals).astype(float).transpose(1, 0, 2)
    return np.where(cell <= FINE, narrow @ narrow.T, wide @ wide.T)


def one_hand(crystals):
    left = {right: left for left, right in ENANTIOMORPHIC_PAIRS}
    return np.array([left.get(int(number), int(number)) for number in crystals.space_group])


def linked(crystals, rule, tolerances):
    """(n, n) bool: the definition of a rule for all pairs."""
    tolerance = {**RULES[rule], **tolerances}
    found = one_hand(crystals)[:, None] == one_hand(crystals)
    if tolerance.get("formula", 0.0) > 0:
        found &= formula_differences(crystals) <= tolerance["formula"] + 1e-9
    else:
        found &= crystals.formula[:, None] == crystals.formula
    if "cell" in tolerance:
        cell = cell_differences(crystals)
        found &= cell <= np.log1p(tolerance["cell"])
    if "similarity" in tolerance:
        found &= similarities(crystals, cell) >= tolerance["similarity"]
    return found


def closed(links):
    """Groups of single linkage."""
    for k in range(len(links)):
        links = links | (links[:, k, None] & links[k])
    return links.argmax(axis=1)


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if variant != "structure"])
def test_groups_are_the_closure_of_the_definition_over_all_pairs(variant):
    rule, tolerances = VARIANTS[variant]
    assert planted.same_partition(groups_of(variant), closed(linked(planted.zoo(), rule, tolerances)))


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if variant != "structure"])
def test_each_link_obeys_its_rule_by_itself_and_says_by_how_much(variant):
    rule, tolerances = VARIANTS[variant]
    crystals, links = planted.zoo(), links_of(variant)
    pair = links["first"].to_numpy(), links["second"].to_numpy()
    assert linked(crystals, rule, tolerances)[pair].all()
    tolerance, cell = {**RULES[rule], **tolerances}, cell_differences(crystals)
    expected = {
        "formula_difference": formula_differences(crystals) if tolerance.get("formula", 0.0) > 0 else None,
        "cell_difference": cell if "cell" in tolerance else None,
        "similarity": similarities(crystals, cell) if "similarity" in tolerance else None,
    }
    for column, values in expected.items():
        if values is None:
            assert links[column].isna().all()
        else:
            np.testing.assert_allclose(links[column], values[pair], atol=2e-6)


def test_linked_cells_have_the_niggli_edges_and_the_volume_of_one_another():
    crystals, links = planted.zoo(), links_of("cell")
    for i, j in links[["first", "second"]].to_numpy():
        one, other = (Lattice(spglib.niggli_reduce(primitive_lattice(crystals, k))) for k in (i, j))
        np.testing.assert_allclose(one.abc, other.abc, rtol=0.0101)
        assert one.volume == pytest.approx(other.volume, rel=0.05)


def test_each_link_of_the_rule_structure_is_a_fit():
    crystals, links, matcher = planted.zoo(), links_of("structure"), StructureMatcher()
    structures = crystals.to_structures()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i, j in links[["first", "second"]].to_numpy():
            assert matcher.fit(structures[i], structures[j]) or matcher.fit(structures[j], structures[i])


@st.composite
def small_sets(draw):
    """Crystals of two sites, with cells and compositions on ladders of small steps, so that chains are common."""
    made = []
    for k in range(draw(st.integers(1, 10))):
        number = draw(st.sampled_from([47, 123, 139]))
        edges = [4.0 * 1.004 ** draw(st.integers(0, 6)) for _ in range(2)] + [4.7 * 1.004 ** draw(st.integers(0, 6))]
        edges[1] = edges[1] if number == 47 else edges[0]
        first = {11: 1.0 - (x := draw(st.sampled_from([0.0, 0.01, 0.02, 0.04, 0.06, 0.5]))), **({19: x} if x else {})}
        sites = [((0, 0, 0), first), ((0.5, 0.5, 0.5), {draw(st.sampled_from([17, 35])): 1.0})]
        if number == 139:
            sites = [
                ((0, 0, 0), first),
                ((0.5, 0.5, 0.5), first),
                ((0, 0, 0.5), sites[1][1]),
                ((0.5, 0.5, 0), sites[1][1]),
            ]
        rows = [(place, code, amount) for place, site in sites for code, amount in site.items()]
        places, codes, amounts = zip(*rows, strict=True)
        made.append(
            CrystalSet(
                cell=np.array([[*edges, 90, 90, 90]], float),
                space_group=np.array([number], dtype=np.int16),
                standard=np.array([True]),
                site_start=np.array([0, len(rows)]),
                frac=np.array(places, float),
                species=np.array(codes, dtype=np.int16),
                occupancy=np.array(amounts),
                b_iso=np.zeros(len(rows)),
                formula=np.array([reduced_formula([site for _, site in sites])]),
                source_id=np.array([f"entry {k}"]),
            )
        )
    return CrystalSet.concatenate([CrystalSet.empty(), *made])


formula_tolerances = st.sampled_from([0.0, 0.003, 0.005, 0.01, 0.02, 0.2])
cell_tolerances = st.sampled_from([0.0, 0.001, 0.005, 0.01, 0.02])


@settings(max_examples=60, deadline=None)
@given(small_sets(), formula_tolerances, cell_tolerances, st.sampled_from([0.9, 0.99, 0.9975, 0.9999]), st.randoms())
def test_any_set_is_grouped_by_the_definition_in_any_order(crystals, formula, cell, similarity, random):
    given = {"formula": formula, "cell": cell, "similarity": similarity}
    order = np.array(random.sample(range(len(crystals)), len(crystals)), dtype=int)
    for rule in ("formula~group", "formula+group", "cell", "pattern"):
        tolerances = {name: given[name] for name in RULES[rule]}
        groups = find_duplicates(crystals, rule, **tolerances)
        if rule == "formula~group" and formula == 0:
            expected = linked(crystals, "formula+group", {})
        else:
            expected = linked(crystals, rule, tolerances)
        assert planted.same_partition(groups, closed(expected)), rule
        assert planted.same_partition(find_duplicates(crystals[order], rule, **tolerances), groups[order]), rule


@settings(max_examples=30, deadline=None)
@given(small_sets())
def test_the_rules_are_nested_on_any_set(crystals):
    loose_to_strict = [
        find_duplicates(crystals, rule) for rule in ("formula~group", "formula+group", "cell", "pattern")
    ]
    for coarse, fine in itertools.pairwise(loose_to_strict):
        assert planted.refines(fine, coarse)


# Cases by hand


@pytest.mark.parametrize("rule", RULES)
def test_the_22_enantiomorphic_groups_count_as_11(rule):
    numbers = [number for pair in ENANTIOMORPHIC_PAIRS for number in pair]
    crystals = random_crystals(numbers, 5, elements=("Si", "Ba"), n_species=(2, 2), max_atoms=60)
    mirrored = [
        crystal_from_sites(planted.sites_of(crystal, f"{crystal.source_id[0]} mirrored", frac=-crystal.frac))
        for crystal in planted.each(crystals)
    ]
    together = CrystalSet.concatenate([crystals, *mirrored])
    other_hand = {a: b for pair in ENANTIOMORPHIC_PAIRS for a, b in (pair, pair[::-1])}
    assert together.space_group[22:].tolist() == [other_hand[number] for number in numbers]
    groups = find_duplicates(together, rule)
    np.testing.assert_array_equal(groups[:22], groups[22:])
    assert len(np.unique(entries.read_entries(together).space_group)) == 11


def rhombohedral(name, c, z):
    """One position, mixed as in phase-change alloys, in R-3m: A7 (two atoms in the primitive cell), or one atom."""
    lattice = np.array([(2, 1, 1), (-1, 1, 1), (-1, -2, 1)]) / 3 @ Lattice.hexagonal(4.3, c).matrix
    occupant = {47: 0.05, 49: 0.05, 51: 0.6, 52: 0.3}
    frac = np.array([[z] * 3, [-z] * 3] if z else [[0.0] * 3])
    return crystal_from_sites(Sites(name, lattice, frac, [occupant] * len(frac)))


def test_one_formula_and_group_is_no_sign_of_one_cell():
    """Four entries of one alloy in group 166, with c of 11.25, 11.28, 11.58 and 5.81 Å: the last two are others."""
    crystals = CrystalSet.concatenate(
        rhombohedral(f"c = {c}", c, z) for c, z in ((11.25, 0.233), (11.28, 0.234), (11.58, 0.235), (5.81, 0))
    )
    assert crystals.space_group.tolist() == [166] * 4 and len(set(crystals.formula.tolist())) == 1
    np.testing.assert_allclose(crystals.cell[:, 2], [11.25, 11.28, 11.58, 5.81], rtol=1e-6)
    assert find_duplicates(crystals, "formula+group").tolist() == [0, 0, 0, 0]
    assert find_duplicates(crystals, "cell").tolist() == [0, 0, 1, 2]
    assert find_duplicates(crystals, "pattern").tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize("rule", RULES)
def test_deuterium_and_hydrogen_count_as_one(rule):
    crystals = CrystalSet.concatenate(
        planted.rock_salt(symbol, edge, "Li", symbol) for symbol, edge in (("H", 4.08), ("D", 4.07))
    )
    assert find_duplicates(crystals, rule).tolist() == [0, 0]


@pytest.mark.parametrize("rule", RULES)
def test_formulas_are_compared_by_their_ratios_and_not_by_their_text(rule):
    """La0.8Sn2 is La2Sn5: two descriptions of a partly vacant place; La0.79Sn2 is another composition."""
    made = [
        crystal_from_sites(Sites(str(share), np.eye(3) * 4.0, np.array([[0] * 3, [0.5] * 3]), [{57: share}, {50: 1.0}]))
        for share in (0.8, 0.8, 0.79)
    ]
    crystals = CrystalSet.concatenate(made)
    texts = np.array(["La0.8Sn2", "La2Sn5", "La0.79Sn2"])
    expected = [0, 0, 0] if rule == "formula~group" else [0, 0, 1]
    assert find_duplicates(replace(crystals, formula=texts), rule).tolist() == expected


def test_a_chain_joins_ends_that_the_rule_would_not_link():
    chain = CrystalSet.concatenate(planted.rock_salt(f"step {k}", 5.6 * 1.008**k) for k in range(5))
    assert find_duplicates(chain, "cell").tolist() == [0] * 5
    assert find_duplicates(chain[[0, 2, 4]], "cell").tolist() == [0, 1, 2]


def test_a_difference_of_exactly_the_tolerance_is_within_it():
    """0.98 and 1.00 of the atoms differ by a little more than 0.02 in the numbers of the machine."""
    lattice = Lattice.cubic(3.6).matrix
    pure, doped = ({28: 1.0}, {28: 0.98, 29: 0.02})
    crystals = CrystalSet.concatenate(
        crystal_from_sites(Sites(str(site), lattice, np.zeros((1, 3)), [site])) for site in (pure, doped)
    )
    for rule in ("formula~group", "cell", "pattern"):
        assert find_duplicates(crystals, rule, formula=0.02).tolist() == [0, 0], rule
        assert find_duplicates(crystals, rule, formula=0.0199).tolist() == [0, 1], rule


def test_an_element_may_be_above_the_tolerance_in_one_entry_and_below_in_the_other():
    """2.5 % and 1 % of potassium in rock salt, of all atoms."""
    salts = ({11: 0.95, 19: 0.05}, {11: 0.98, 19: 0.02})
    crystals = CrystalSet.concatenate(
        crystal_from_sites(Sites(str(site), np.eye(3) * 4.0, np.array([[0] * 3, [0.5] * 3]), [site, {17: 1.0}]))
        for site in salts
    )
    assert find_duplicates(crystals, "formula~group", formula=0.02).tolist() == [0, 0]
    assert find_duplicates(crystals, "formula~group", formula=0.014).tolist() == [0, 1]


def test_alloys_without_a_common_element_are_alike_within_a_large_tolerance():
    alloys = [{code: 0.2 for code in range(first, first + 5)} for first in (24, 40)]
    crystals = CrystalSet.concatenate(
        crystal_from_sites(Sites(str(site), Lattice.cubic(3.6).matrix, np.zeros((1, 3)), [site])) for site in alloys
    )
    assert find_duplicates(crystals, "formula~group", formula=0.2).tolist() == [0, 0]


@pytest.mark.parametrize(("rule", "standard"), [("structure", True), ("cell", False)])
def test_occupancies_that_exceed_1_by_rounding_end_no_run(rule, standard):
    made = CrystalSet.concatenate([planted.rock_salt("a"), planted.rock_salt("b")])
    rounded = replace(made, occupancy=np.full(16, 1.0005), standard=np.full(2, standard))
    assert find_duplicates(rounded, rule).tolist() == [0, 0]


# Where crystals come from and who does the work


@every_variant
def test_a_set_in_shards_gives_what_the_set_in_memory_gives(variant, tmp_path, monkeypatch):
    rule, tolerances = VARIANTS[variant]
    stored = write_sharded(tmp_path, planted.zoo(), {"kind": "zoo"}, shard_size=37)
    monkeypatch.setattr(entries, "CHUNK", 50)
    monkeypatch.setattr(duplicates, "_PIECE", 16)
    monkeypatch.setattr(structure_match, "PIECE", 11)
    monkeypatch.setattr(structure_match, "GATHERED", 30)
    np.testing.assert_array_equal(find_duplicates(stored, rule, **tolerances), groups_of(variant))
    assert duplicate_links(stored, rule, **tolerances).equals(links_of(variant))


@every_variant
def test_crystals_kept_as_given_are_found_equal_to_their_standardised_copies(variant):
    rule, tolerances = VARIANTS[variant]
    crystals = planted.zoo()
    chosen = crystals[representatives(groups_of(variant), crystals.source_id)]
    rng = np.random.default_rng(11)
    given = [sites_from_structure(structure, "") for structure in chosen.to_structures()]
    moved = [planted.other_basis(sites, rng, f"raw {k}") for k, sites in enumerate(given)]
    raw = CrystalSet.concatenate(crystal_from_sites(sites, standardise=False) for sites in moved)
    assert not raw.standard.any()
    found = find_duplicates(CrystalSet.concatenate([raw, chosen]), rule, **tolerances)
    np.testing.assert_array_equal(found[: len(raw)], found[len(raw) :])
    if (
        rule == "structure"
    ):  # whether pymatgen fits a pair near its tolerances depends on the cells that they are given in
        assert len(np.unique(found)) >= 0.95 * len(raw)
    else:
        assert len(np.unique(found)) == len(raw)


@pytest.fixture(scope="module")
def client():
    pytest.importorskip("distributed", reason="the optional extra 'cluster' is not installed")
    with workers("local", 2) as client:
        yield client


@pytest.mark.parametrize("variant", ["formula~group", "cell", "pattern", "structure"])
def test_dask_workers_give_what_this_process_gives(variant, client, monkeypatch):
    rule, tolerances = VARIANTS[variant]
    monkeypatch.setattr(duplicates, "_PIECE", 20)
    monkeypatch.setattr(structure_match, "PIECE", 20)
    np.testing.assert_array_equal(find_duplicates(planted.zoo(), rule, client=client, **tolerances), groups_of(variant))


# What is refused


@pytest.mark.parametrize(
    ("rule", "tolerances", "message"),
    [
        ("formula group", {}, r"rule='formula group' is unknown; choose one of formula~group, formula\+group, cell"),
        ("cell", {"similarity": 0.9}, "rule 'cell' has no tolerance 'similarity'; it has cell, formula"),
        ("formula+group", {"formula": 0.1}, "rule 'formula\\+group' has no tolerance 'formula'; it has none"),
        ("cell", {"cell": -0.01}, "tolerance cell=-0.01 of rule 'cell' is not between 0 and 1"),
        ("cell", {"cell": float("nan")}, "tolerance cell=nan of rule 'cell'"),
        ("pattern", {"similarity": 1.01}, "tolerance similarity=1.01 of rule 'pattern'.*0.9975 is usual"),
        ("formula~group", {"formula": 0.21}, "tolerance formula=0.21 .* is not between 0 and 0.2"),
        ("structure", {"angle_tol": 91}, "tolerance angle_tol=91 .* is not between 0 and 90"),
    ],
)
@pytest.mark.parametrize("function", [find_duplicates, duplicate_links])
def test_unknown_rules_and_tolerances_are_refused_by_name(function, rule, tolerances, message):
    with pytest.raises(ValueError, match=message):
        function(CrystalSet.empty(), rule, **tolerances)


@every_variant
def test_an_empty_set_has_no_groups_and_no_links(variant):
    rule, tolerances = VARIANTS[variant]
    assert find_duplicates(CrystalSet.empty(), rule, **tolerances).shape == (0,)
    links = duplicate_links(CrystalSet.empty(), rule, **tolerances)
    assert len(links) == 0 and list(links.columns) == list(links_of(variant).columns)


@every_variant
def test_one_crystal_is_one_group(variant):
    rule, tolerances = VARIANTS[variant]
    assert find_duplicates(planted.zoo()[:1], rule, **tolerances).tolist() == [0]
