"""What several networks are made of: norms, inputs, dropout, and clear words about sizes that make no network."""

import pytest
import torch

from paperlib.learning import parts
from paperlib.learning.parts import GROUPS, NORMS, Dropout, transformed


@pytest.mark.parametrize("shape", [(64, 32, 1, 50), (7, 3, 1, 1), (5, 5, 1, 13)])
@pytest.mark.parametrize("p", [0.05, 0.5])
def test_dropout_drops_its_share_and_scales_the_rest(shape, p):
    torch.manual_seed(0)
    x = torch.ones(shape).to(memory_format=torch.channels_last).requires_grad_()
    passes = [Dropout(p)(x) for _ in range(20)]
    for out in passes:
        assert out.shape == x.shape and out.is_contiguous(memory_format=torch.channels_last)
        kept = out != 0
        assert torch.allclose(out[kept], torch.tensor(1 / (1 - p)))
        assert torch.equal(torch.autograd.grad(out.sum(), x)[0], out)
    n = x.numel() * len(passes)
    share = sum(int((out == 0).sum()) for out in passes) / n
    assert abs(share - p) < 5 * (p * (1 - p) / n) ** 0.5
    assert not torch.equal(passes[0], passes[1])
    assert torch.equal(Dropout(p).eval()(x), x)


@pytest.mark.parametrize("norm, axes", [("layer", (1, 2)), ("batch", (0, 3)), ("group", (2, 4))])
def test_what_a_norm_averages_over(norm, axes):
    x = 3 + 2 * torch.randn(6, 16, 1, 50, generator=torch.Generator().manual_seed(0))
    out = NORMS[norm](16)(x.contiguous(memory_format=torch.channels_last))
    if norm == "group":
        out = out.reshape(6, GROUPS, 2, 1, 50)
    assert torch.allclose(out.mean(axes), torch.zeros(()), atol=1e-5)
    assert torch.allclose(out.var(axes, unbiased=False), torch.ones(()), atol=1e-3)


def test_the_root_of_the_intensity_has_a_finite_slope_everywhere():
    x = torch.tensor([[-0.1, 0.0, 1e-4, 0.25, 1.0]]).requires_grad_()
    root = transformed(x, 5, "square_root")
    assert torch.allclose(root, torch.tensor([[0.0, 0.0, 0.01, 0.5, 1.0]]), atol=2e-4)
    assert root[0, :2].abs().max() < 1e-10, "nothing stays nothing"
    slope = torch.autograd.grad(root.sum(), x)[0][0]
    assert torch.isfinite(slope).all() and slope[0] == 0 and slope[3] == pytest.approx(1.0, abs=1e-3)
    assert transformed(x, 5, "linear") is x


@pytest.mark.parametrize("kind", parts.INPUTS)
def test_another_sampling_is_refused(kind):
    with pytest.raises(ValueError, match=r"\(n, 5\), got \(2, 4\)"):
        transformed(torch.ones(2, 4), 5, kind)


@pytest.mark.parametrize(
    "check, message",
    [
        (lambda: parts.check_classes(1), "two classes, got n_classes=1"),
        (lambda: parts.check_norm("instance", (8,)), "norm among layer, batch, group: got 'instance'"),
        (lambda: parts.check_norm("group", (8, 12)), r"multiples of 8 channels, got \(8, 12\)"),
        (lambda: parts.check_dropout(1.0), r"\[0, 1\): dropout=1.0"),
        (lambda: parts.check_dropout(float("nan")), "dropout=nan"),
        (lambda: parts.check_choice("head", "mean", ("max", "flat")), "head among max, flat: got 'mean'"),
    ],
)
def test_what_makes_no_network(check, message):
    with pytest.raises(ValueError, match=message):
        check()
