"""What can be chosen, held against International Tables."""

import numpy as np

from paperlib.explore.catalogue import EXAMPLES, Choice, choices, counts, examples


def test_a_group_knows_its_class_and_what_it_demands():
    diamond = Choice(227)
    assert diamond.members == (203, 227) and diamond.class_name == "F d - -"
    assert diamond.conditions == ("hkl: h + k, h + l, k + l = 2n", "0kl: k + l = 4n and k, l = 2n")
    whole = Choice(diamond.class_index, is_class=True)
    assert whole.members == diamond.members and whole.name == "F d - -" and whole.conditions == diamond.conditions
    assert Choice(221).conditions == ()
    both = Choice(Choice(143).class_index, is_class=True)
    assert both.systems == "trigonal, hexagonal" and Choice(143).systems == "trigonal"


def test_lists_hold_every_group_and_every_class_once():
    groups, classes = choices(classes=False), choices(classes=True)
    assert [one.number for _, one in groups] == list(range(1, 231)) and len(classes) == 99
    assert sorted(n for _, one in classes for n in one.members) == list(range(1, 231))
    assert len({text for text, _ in classes}) == 99


def test_examples_have_the_group_and_are_different_crystals(crystals):
    rows = examples(crystals, Choice(225))
    assert len(rows) == EXAMPLES and set(crystals.space_group[rows]) == {225}
    assert len(set(crystals.formula[rows])) == EXAMPLES
    whole = Choice(Choice(225).class_index, is_class=True)
    assert set(crystals.space_group[examples(crystals, whole)]) <= set(whole.members)
    assert examples(crystals, Choice(3)).size == 0 or 3 in crystals.space_group
    assert counts(crystals).sum() == len(crystals) and counts(crystals)[225] == np.sum(crystals.space_group == 225)
