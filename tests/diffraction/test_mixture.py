import numpy as np

from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.mixture import balanced_mixture
from paperlib.diffraction.problems import crystal_problems
from paperlib.diffraction.reflections import powder_reflections
from paperlib.diffraction.scattering import scattering_table


def test_balance_size_and_tail():
    """What the speed figures say of the crystals that they were measured on."""
    mixture = balanced_mixture(8)
    assert np.bincount(mixture.space_group, minlength=231)[1:].tolist() == [8] * 230
    assert 25 < mixture.n_sites.mean() < 35
    assert mixture.n_sites.max() > 300


def test_crystals_are_sound_and_have_their_symmetry():
    """Symmetry used or not, the total intensity is the same: the operations of the group map the crystal on itself."""
    mixture = balanced_mixture(1, seed=2)
    assert crystal_problems(mixture, Instrument(), scattering_table("xray")) == []
    small = mixture[np.flatnonzero(mixture.n_sites < 40)]
    totals = []
    for standard in (True, False):
        crystals = small.__class__(**{**vars(small), "standard": np.full(len(small), standard)})
        lines = powder_reflections(crystals, Instrument())
        totals.append(np.bincount(lines.crystal, lines.intensity, len(small)))
    np.testing.assert_allclose(totals[0], totals[1], rtol=1e-9)


def test_the_seed_decides():
    first, again, other = balanced_mixture(1, 3), balanced_mixture(1, 3), balanced_mixture(1, 4)
    assert np.array_equal(first.frac, again.frac) and np.array_equal(first.cell, again.cell)
    assert first.frac.shape != other.frac.shape or not np.array_equal(first.frac, other.frac)
