import numpy as np
import pytest
import torch
from scipy import stats

from paperlib.diffraction.draws import LOW_INDEX_AXES, draw
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.laboratory import LABORATORY

EVERYTHING = LABORATORY


def _same(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_nothing_is_wrong_by_default():
    nothing = Imperfections()
    names = ["zero_shift", "displacement", "texture", "crystallite_size", "microstrain", "background", "hump"]
    names += ["second_phase", "counts", "gaussian_noise", "detector_start", "detector_end", "detector_step"]
    assert not any(nothing.has(name) for name in names)
    assert EVERYTHING.has("zero_shift") and EVERYTHING.has("texture") and not EVERYTHING.has("second_phase")
    drawn = draw(nothing, 1, [0, 7])
    assert drawn.texture.tolist() == [1, 1]
    assert drawn.zero_shift.tolist() == drawn.counts.tolist() == drawn.crystallite_size.tolist() == [0, 0]
    assert drawn.detector_end.tolist() == [180, 180]


def test_a_single_number_is_always_that_number():
    drawn = draw(Imperfections(zero_shift=0.02, counts=1234, texture=0.7, texture_axis=(1, 0, 2)), 3, range(50))
    assert set(drawn.zero_shift.tolist()) == {0.02}
    assert set(drawn.counts.tolist()) == {1234.0}
    assert set(drawn.texture.tolist()) == {0.7}
    assert torch.equal(drawn.texture_axis, torch.tensor([[1, 0, 2]] * 50))


def test_draws_fill_their_ranges_evenly_or_in_the_logarithm():
    ranges = Imperfections(zero_shift=(-0.1, 0.3), counts=(100, 1e6), texture=(0.5, 2), crystallite_size=(5, 500))
    drawn = draw(ranges, 4, range(5000))
    uniform = {"zero_shift": (drawn.zero_shift + 0.1) / 0.4, "counts": torch.log(drawn.counts / 100) / np.log(1e4)}
    uniform |= {"texture": torch.log(2 * drawn.texture) / np.log(4)}
    uniform |= {"size": torch.log(drawn.crystallite_size / 5) / np.log(100)}
    for numbers in uniform.values():
        assert stats.kstest(numbers.numpy(), "uniform").pvalue > 1e-3
    # parameters are independent of each other
    table = np.stack([numbers.numpy() for numbers in uniform.values()])
    assert np.abs(np.corrcoef(table) - np.eye(len(table))).max() < 0.06


def test_every_low_index_axis_occurs():
    axes = draw(Imperfections(texture=0.5), 5, range(1000)).texture_axis
    counts = [int((axes == torch.tensor(axis)).all(1).sum()) for axis in LOW_INDEX_AXES]
    assert sum(counts) == 1000
    assert stats.chisquare(counts).pvalue > 1e-3


def test_draws_depend_on_seed_and_item_alone():
    items = np.array([5, 0, 2**33, 77])
    drawn = draw(EVERYTHING, 11, items)
    assert _same(drawn, draw(EVERYTHING, 11, torch.from_numpy(items)))
    assert _same([column[2:3] for column in drawn], draw(EVERYTHING, 11, [2**33]))
    assert not torch.equal(drawn.zero_shift, draw(EVERYTHING, 12, items).zero_shift)
    assert len(torch.unique(draw(EVERYTHING, 11, range(1000)).zero_shift)) == 1000


def test_one_effect_does_not_change_the_draws_of_another():
    alone = draw(Imperfections(counts=(100, 1000)), 11, range(9))
    among = draw(
        Imperfections(counts=(100, 1000), texture=(0.5, 2), zero_shift=(-1, 1), background_order=2), 11, range(9)
    )
    assert torch.equal(alone.counts, among.counts)


@pytest.mark.parametrize("order", [0, 1, 5, 12])
def test_backgrounds_are_never_negative(order):
    drawn = draw(Imperfections(background=(0.1, 0.2), background_order=order), 6, range(2000))
    values = np.polynomial.chebyshev.chebval(np.linspace(-1, 1, 101), drawn.background.numpy().T)
    assert drawn.background.shape == (2000, order + 1)
    assert values.min() >= -1e-12
    assert np.all(drawn.background[:, 0].numpy() >= 0.1)
    flat = draw(Imperfections(background=0.1, background_variation=0, background_order=order), 6, range(3))
    assert bool(torch.all(flat.background[:, 1:] == 0))


def test_no_items_no_draws():
    assert all(len(column) == 0 for column in draw(EVERYTHING, 1, []))


@pytest.mark.parametrize("items", [[0.5], [[0, 1]], [True]])
def test_items_are_whole_numbers(items):
    with pytest.raises(ValueError, match=r"items must be \(n,\) whole numbers"):
        draw(EVERYTHING, 1, items)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_draws_on_a_gpu():
    cpu, gpu = (draw(EVERYTHING, 1, range(1000), device) for device in ("cpu", "cuda"))
    assert torch.equal(cpu.zero_shift, gpu.zero_shift.cpu())
    assert torch.equal(cpu.texture_axis, gpu.texture_axis.cpu())
    for a, b in zip(cpu, gpu, strict=True):
        assert torch.allclose(a.double(), b.cpu().double(), rtol=1e-12, atol=0)
