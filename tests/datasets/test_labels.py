"""Labels: the class of every space group, fine answers made coarse, and what absences allow."""

import json
import pickle

import numpy as np
import pytest
from scipy.special import logsumexp

from paperlib.datasets.labels import SCHEMES, Labels
from paperlib.symmetry.extinction import SCHEMES as CLASSES
from paperlib.symmetry.extinction import class_members, class_top_k_ceiling, top_k_ceiling

GROUPS = np.arange(1, 231)
COARSER = [("published", "absences"), ("absences", "crystal_family"), ("crystal_system", "crystal_family")]


def log_probabilities(n, n_classes, seed=0):
    logits = np.random.default_rng(seed).normal(scale=3, size=(n, n_classes))
    return logits - logsumexp(logits, axis=1, keepdims=True)


@pytest.mark.parametrize("scheme, n", [*zip(SCHEMES, (230, 97, 99, 101, 6), strict=True)])
def test_every_class_has_a_name_and_a_group(scheme, n):
    labels = Labels(scheme)
    assert len(labels) == len(set(labels.names)) == n
    classes = labels.of(GROUPS)
    assert classes.dtype == np.int64 and sorted(set(classes.tolist())) == list(range(n))


def test_names_stand_at_the_class_of_their_groups():
    groups, absences = Labels("space_group"), Labels("absences")
    assert [groups.names[i] for i in groups.of([14, 225])] == ["P21/c", "Fm-3m"]
    assert absences.names[absences.of([14])[0]] == "P 1 21/c 1"
    assert absences.names[absences.of([19])[0]] == "P 21 21 21"


@pytest.mark.parametrize("scheme", CLASSES)
def test_groups_share_a_class_exactly_where_the_symmetry_says_so(scheme):
    classes = Labels(scheme).of(GROUPS)
    for number in GROUPS:
        assert tuple(GROUPS[classes == classes[number - 1]]) == class_members(int(number), scheme)


@pytest.mark.parametrize("kind", [np.int16, np.int64, np.uint8])
def test_the_kind_of_whole_number_does_not_matter(kind):
    numbers = np.array([1, 62, 127, 230], dtype=kind)
    assert Labels("space_group").of(numbers).tolist() == [0, 61, 126, 229]
    assert Labels("space_group").of([]).shape == (0,)


@pytest.mark.parametrize(
    "numbers, message",
    [([1, 0], "space group 0 in row 1"), ([231], "231 in row 0"), ([1.0], "whole numbers"), ([[1]], "whole numbers")],
)
def test_what_is_no_space_group_is_refused(numbers, message):
    with pytest.raises(ValueError, match=message):
        Labels("absences").of(numbers)


def test_an_unknown_scheme_is_refused():
    with pytest.raises(ValueError, match=r"'laue'.*space_group, absences, published, crystal_system"):
        Labels("laue")


@pytest.mark.parametrize("fine, to", [("space_group", s) for s in SCHEMES] + COARSER)
def test_collapsing_adds_the_probabilities_of_the_members(fine, to):
    log_p = log_probabilities(7, len(Labels(fine)))
    made = Labels(fine).collapse(log_p.astype(np.float32), to)
    expected = np.zeros((7, len(Labels(to))))
    # one group stands for each fine class, whose groups all lie in one coarse class
    groups = [int(GROUPS[Labels(fine).of(GROUPS) == i][0]) for i in range(len(Labels(fine)))]
    for i, c in enumerate(Labels(to).of(groups)):
        expected[:, c] += np.exp(log_p[:, i])
    assert made.dtype == np.float64
    np.testing.assert_allclose(np.exp(made), expected, rtol=1e-5)


def test_collapsing_keeps_probabilities_that_vanish_without_logarithms():
    log_p = np.full((2, 230), -2000.0)
    log_p[:, 0] = 0
    log_p[1, 3] = -np.inf
    made = Labels("space_group").collapse(log_p, Labels("absences"))
    p3, p4 = Labels("absences").of([3, 4])
    members = len(class_members(3))
    assert made[0, p3] == pytest.approx(-2000 + np.log(members))
    assert np.isfinite(made[0]).all() and made[1, p4] == pytest.approx(-2000)  # 11 is left of the class of 4


@pytest.mark.parametrize(
    "fine, to", [("published", "space_group"), ("absences", "published"), ("published", "crystal_system")]
)
def test_a_class_is_never_cut(fine, to):
    with pytest.raises(ValueError, match=f"{fine} does not collapse to {to}: the class 'P"):
        Labels(fine).collapse(log_probabilities(1, len(Labels(fine))), to)


def test_families_are_those_of_the_lattice():
    families = Labels("crystal_family")
    assert families.names == ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "hexagonal", "cubic")
    assert families.of([2, 15, 74, 142, 143, 167, 194, 195]).tolist() == [0, 1, 2, 3, 4, 4, 4, 5]
    assert families.ceiling(1) == pytest.approx(1), "a pattern that shows its absences shows its family"
    assert Labels("space_group").ceiling(1, "crystal_family") == pytest.approx(6 / 230)


def test_what_is_left_once_the_family_is_known():
    labels, groups = Labels("published"), [1, 62, 221]
    log_p = log_probabilities(3, 99)
    told = labels.given(log_p.astype(np.float32), "crystal_family", groups)
    family = labels.classes_in(Labels("crystal_family"))
    for row, own in enumerate(Labels("crystal_family").of(groups)):
        inside = family == own
        expected = np.exp(log_p[row, inside]) / np.exp(log_p[row, inside]).sum()
        np.testing.assert_allclose(np.exp(told[row, inside]), expected, rtol=1e-5)
        assert np.isfinite(told).all() and (told[row, ~inside] < -1e29).all()
    assert told[0, labels.of([1])[0]] == pytest.approx(0), "there is one triclinic class"
    # however improbable the family was
    log_p[1, family == 2] -= 2000
    assert np.exp(labels.given(log_p, "crystal_family", groups)[1]).sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="does not collapse to space_group"):
        labels.given(log_p, "space_group", groups)
    with pytest.raises(ValueError, match="one space group per row"):
        labels.given(log_p, "crystal_family", groups[:2])


def test_what_is_no_distribution_is_refused():
    labels, log_p = Labels("space_group"), log_probabilities(3, 230)
    with pytest.raises(ValueError, match=r"\(n, 230\)"):
        labels.collapse(log_p[:, 1:], "absences")
    with pytest.raises(ValueError, match="row 0 is no distribution"):
        labels.collapse(np.exp(log_p), "absences")
    log_p[2, 5] = np.nan
    with pytest.raises(ValueError, match="row 2 is no distribution"):
        labels.collapse(log_p, "absences")


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("scheme", CLASSES)
def test_ceilings_are_those_of_the_symmetry(k, scheme):
    assert Labels("space_group").ceiling(k, seen=scheme) == pytest.approx(top_k_ceiling(k, scheme), abs=1e-12)
    assert Labels(scheme).ceiling(k) == pytest.approx(class_top_k_ceiling(k, scheme), abs=1e-12)
    assert Labels(scheme).ceiling(k, seen=Labels("space_group")) == pytest.approx(1, abs=1e-12)


def test_the_published_ceiling_in_numbers():
    assert 100 * Labels("space_group").ceiling(1, seen="published") == pytest.approx(43.0, abs=0.05)
    assert 100 * Labels("published").ceiling(1) == pytest.approx(97.98, abs=0.005)


def test_frequencies_that_the_model_knows_raise_the_ceiling():
    # 3 and 6 share a class, 225 stands alone in this set; of the first class the commoner group is named
    space_groups = [3, 3, 3, 6, 225]
    assert Labels("space_group").ceiling(1, space_groups=space_groups) == pytest.approx(4 / 5)
    assert Labels("space_group").ceiling(2, space_groups=space_groups) == pytest.approx(1)
    assert Labels("absences").ceiling(1, space_groups=space_groups) == pytest.approx(1)


def test_ceilings_of_nothing_are_refused():
    with pytest.raises(ValueError, match="got 0"):
        Labels("absences").ceiling(0)
    with pytest.raises(ValueError, match="no data"):
        Labels("absences").ceiling(1, space_groups=[])


def test_labels_of_one_scheme_are_one_thing():
    identities = [Labels(scheme).identity() for scheme in SCHEMES]
    assert len({i["sha256"] for i in identities}) == len(SCHEMES)
    assert json.loads(json.dumps(identities)) == identities
    copy = pickle.loads(pickle.dumps(Labels("published")))
    assert copy == Labels("published") and copy.identity() == identities[2] and copy != Labels("absences")
