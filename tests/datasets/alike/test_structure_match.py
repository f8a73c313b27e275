"""Structure matching against plain use of pymatgen's matcher: every pair, both ways, nothing reduced beforehand."""

import gzip
import itertools
import json
import warnings
from collections import defaultdict

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.sources import load_crystals
from paperlib.crystals.standardise import Sites, crystal_from_sites, sites_from_structure
from paperlib.datasets.alike.joining import components
from paperlib.datasets.alike.structure_match import matching_pairs
from paperlib.datasets.duplicates import RULES, find_duplicates, pair_agreement
from tests.datasets import planted

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")


def groups_by_plain_fits(crystals):
    """``fit`` of all pairs of the same elements, in either order, closed transitively, and how many pairs fit;
    other pairs differ in composition, and ``fit`` looks no further."""
    matcher, structures = StructureMatcher(), crystals.to_structures()
    alike = defaultdict(list)
    for i, structure in enumerate(structures):
        alike[structure.chemical_system].append(i)
    label = np.arange(len(crystals))
    n_fits = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i, j in itertools.chain.from_iterable(itertools.combinations(group, 2) for group in alike.values()):
            if any(matcher.fit(structures[a], structures[b]) for a, b in ((i, j), (j, i))):
                n_fits += 1
                label[label == label[j]] = label[i]
    return label, n_fits


def test_prototypes_with_their_copies_are_grouped_as_plain_fits_group_them():
    """Polymorphs of the embedded library, each once more in another setting and once more strained by up to 2 %."""
    library = load_crystals("prototypes").crystals
    _, code, counts = np.unique(library.formula, return_inverse=True, return_counts=True)
    chosen = library[np.flatnonzero((counts[code] > 1) & (library.n_sites <= 10))]
    rng, copies = np.random.default_rng(0), []
    for crystal, structure in zip(planted.each(chosen), chosen.to_structures(), strict=True):
        name = str(crystal.source_id[0])
        given = sites_from_structure(structure, name)
        copies.append(crystal_from_sites(planted.other_basis(given, rng, f"{name} setting"), standardise=False))
        strained = planted.sites_of(crystal, f"{name} strained", planted.strained_cell(crystal, rng, 0.02))
        copies.append(crystal_from_sites(strained, standardise=False))
    crystals = CrystalSet.concatenate([chosen, *copies])
    expected, n_fits = groups_by_plain_fits(crystals)
    assert len(chosen) > 20 and n_fits >= 3 * len(chosen) and len(np.unique(expected)) > 0.6 * len(chosen)
    assert pair_agreement(find_duplicates(crystals, "structure"), expected)["f1"] >= 0.99


def shares(entry):
    """What an entry of a database is made of, whatever its cell."""
    amounts = defaultdict(float)
    for site in entry["occ"]:
        for symbol, amount in site.items():
            amounts[symbol] += amount
    return tuple(sorted((symbol, round(amount / sum(amounts.values()), 3)) for symbol, amount in amounts.items()))


def test_the_most_repeated_formulas_of_a_database_are_grouped_as_plain_fits_group_them(data_folder, tmp_path):
    entries = defaultdict(list)
    with gzip.open(data_folder / "structures/3dsc_10904.jsonl.gz", "rt") as lines:
        for line in lines:
            entry = json.loads(line)
            if entry["nat"] <= 10:
                entries[shares(entry)].append(line)
    chosen = [group[:8] for group in sorted(entries.values(), key=len, reverse=True)[:14]]
    (tmp_path / "chosen.jsonl").write_text("".join(itertools.chain.from_iterable(chosen)))
    crystals = load_crystals(tmp_path / "chosen.jsonl", workers=1).crystals
    expected, n_fits = groups_by_plain_fits(crystals)
    assert len(crystals) > 100 and n_fits > 10
    assert pair_agreement(find_duplicates(crystals, "structure"), expected)["f1"] >= 0.99


def matched(crystals, groups=None):
    groups = [np.arange(len(crystals))] if groups is None else groups
    return matching_pairs(crystals, groups, dict(RULES["structure"]))


def test_only_crystals_of_one_group_are_compared_and_no_pair_is_one_too_many():
    crystals = CrystalSet.concatenate(planted.rock_salt(str(k)) for k in range(6))
    pairs, failed = matched(crystals, [np.array([4, 0, 5]), np.array([2, 3])])
    assert planted.same_partition(components(6, pairs), np.array([0, 1, 2, 2, 0, 0]))
    assert len(pairs) == 3 and failed == []
    assert matched(crystals, [])[0].shape == (0, 2)


def stretched(name, ratio, *codes):
    """A tetragonal cell with c/a = ``ratio`` and atoms of two elements, or of one, at corner and centre."""
    lattice = np.diag([4.0, 4.0, 4.0 * ratio])
    return crystal_from_sites(Sites(name, lattice, np.array([[0] * 3, [0.5] * 3]), [{code: 1.0} for code in codes]))


def test_a_chain_of_fits_is_joined_by_as_few_pairs_as_needed():
    """c/a from 1 to 1.7 in steps of 20 %: the ends do not fit one another."""
    crystals = CrystalSet.concatenate(stretched(f"step {k}", 1.2**k, 55, 17) for k in range(4))
    pairs, _ = matched(crystals)
    assert components(4, pairs).tolist() == [0] * 4 and len(pairs) == 3
    assert len(matched(crystals[[0, 3]])[0]) == 0


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_a_fit_one_way_is_enough_whichever_comes_first(names):
    """Body-centred indium with c/a of 1.2 and of 1.4: the matcher is not symmetric near its tolerances."""
    crystals = CrystalSet.concatenate(
        stretched(name, ratio, 49, 49) for name, ratio in zip(names, (1.2, 1.4), strict=True)
    )
    first, second = crystals.to_structures()
    assert sorted(StructureMatcher().fit(*pair) for pair in ((first, second), (second, first))) == [False, True]
    for order in ([0, 1], [1, 0]):
        assert len(matched(crystals[order])[0]) == 1
        assert find_duplicates(crystals[order], "structure").tolist() == [0, 0]


def test_crystals_that_pymatgen_cannot_reduce_are_named_and_compared_with_none(monkeypatch):
    crystals = CrystalSet.concatenate(
        planted.rock_salt(name, 5.6 if name != "odd" else 5.7) for name in ("a", "odd", "b")
    )
    reduce = Structure.get_reduced_structure

    def refuse(structure, *args, **kwargs):
        if structure.lattice.a > 5.65:
            raise ArithmeticError("no Niggli cell after 100 steps")
        return reduce(structure, *args, **kwargs)

    monkeypatch.setattr(Structure, "get_reduced_structure", refuse)
    pairs, failed = matched(crystals)
    assert pairs.tolist() == [[0, 2]]
    assert failed == [(1, "pymatgen cannot reduce the cell: no Niggli cell after 100 steps")]
    with pytest.warns(UserWarning, match=r"1 of 3 entries cannot be compared.*odd: pymatgen cannot reduce the cell"):
        assert find_duplicates(crystals, "structure").tolist() == [0, 1, 0]
