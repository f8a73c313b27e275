import numpy as np
import pytest
import torch
from scipy import stats

from paperlib.diffraction.noise import EXACT_BELOW, normal_quantile, poisson_quantile, uniforms

MEANS = [0.0, 0.02, 0.7, 3.0, 9.99, EXACT_BELOW, 10.01, 14.0, 60.0, 1e3, 2.5e5]


def _draws(mean, n=200_000):
    u = uniforms(5, "test", torch.arange(n // 1000), 1000).flatten()
    return u, poisson_quantile(u, torch.full_like(u, mean))


@pytest.mark.parametrize("mean", MEANS)
def test_poisson_mean_and_variance(mean):
    _, k = _draws(mean)
    # four standard errors; the variance of the sample variance is (μ4 - σ⁴) / n with μ4 = λ + 3 λ²
    n = len(k)
    assert float(k.mean()) == pytest.approx(mean, abs=4 * np.sqrt(mean / n) + 1e-12)
    assert float(k.var()) == pytest.approx(mean, abs=4 * np.sqrt((mean + 2 * mean**2) / n) + 1e-12)
    assert bool(torch.all((k >= 0) & (k == k.round())))


@pytest.mark.parametrize("mean", MEANS)
def test_poisson_quantiles_are_those_of_scipy(mean):
    u, k = _draws(mean, 50_000)
    expected = stats.poisson.ppf(u.numpy(), mean)
    wrong = np.mean(k.numpy() != expected)
    assert np.abs(k.numpy() - expected).max() <= 1
    assert wrong == 0 if mean < EXACT_BELOW or mean >= 1000 else wrong < 1e-3


@pytest.mark.parametrize("mean", [0.7, 9.99, 10.01, 60.0])
def test_poisson_frequencies_pass_a_chi_square_test(mean):
    _, k = _draws(mean)
    values = np.arange(stats.poisson.ppf(1e-4, mean), stats.poisson.isf(1e-4, mean) + 1)
    share = stats.poisson.pmf(values, mean)
    found = np.array([(k.numpy() == v).sum() for v in values])
    rest = len(k) - found.sum()
    chosen = share * len(k) > 5
    found = np.append(found[chosen], rest + found[~chosen].sum())
    share = np.append(share[chosen], 1 - share[chosen].sum())
    assert stats.chisquare(found, share * len(k)).pvalue > 1e-3


def test_the_switch_between_the_two_ways_does_not_show():
    u = uniforms(6, "switch", torch.arange(100), 1000).flatten()
    below, above = (poisson_quantile(u, torch.full_like(u, EXACT_BELOW + x)) for x in (-1e-9, 1e-9))
    assert float((below != above).double().mean()) < 1e-3
    # a higher mean never gives a smaller number, nor does a higher uniform
    means = torch.linspace(0.01, 40, 400, dtype=torch.float64)
    k = poisson_quantile(*torch.broadcast_tensors(torch.linspace(0.001, 0.999, 97).double()[:, None], means))
    assert bool(torch.all(k.diff(dim=0) >= 0))
    assert bool(torch.all(k[:, means >= EXACT_BELOW].diff(dim=1) >= 0))
    assert bool(torch.all(k[:, means < EXACT_BELOW].diff(dim=1) >= 0))


@pytest.mark.parametrize("mean", [0.5, 10.0, 1e9])
def test_the_rarest_words_give_finite_numbers(mean):
    u = torch.tensor([2.0**-33, 1 - 2.0**-33], dtype=torch.float64)
    k = poisson_quantile(u, torch.full_like(u, mean))
    assert np.abs(k.numpy() - stats.poisson.ppf(u.numpy(), mean)).max() <= 1


def test_normal_numbers_are_normal():
    x = normal_quantile(uniforms(7, "normal", torch.arange(50), 1000)).flatten().numpy()
    assert stats.kstest(x, "norm").pvalue > 1e-3


def test_words_belong_to_item_and_point():
    items = torch.tensor([3, 0, 2**40])
    u = uniforms(1, "stream", items, 7)
    assert torch.equal(uniforms(1, "stream", items[1:], 7), u[1:])
    assert torch.equal(uniforms(1, "stream", items, 3), u[:, :3])
    assert not torch.equal(uniforms(2, "stream", items, 7), u)
    assert len(torch.unique(uniforms(1, "stream", torch.arange(100), 100))) == 10_000


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_words_are_the_same_on_a_gpu():
    items = torch.arange(100)
    assert torch.equal(uniforms(1, "stream", items.cuda(), 1000).cpu(), uniforms(1, "stream", items, 1000))
