"""What must be the same for every network on lists of peaks."""

import torch
from torch.nn.functional import pad

from paperlib.learning.peaks import PeakList

from .problems import N_POINTS, doublets


def peak_list(inverse_d_squared, heights):
    """One list of peaks that are all there."""
    present = torch.ones(1, len(heights), dtype=torch.bool)
    return PeakList(torch.tensor([inverse_d_squared]), torch.tensor([heights]), present)


def assert_a_set(model):
    """The order of the peaks and what stands in places without a peak change no logit; peaks and heights do. A pattern
    without a peak has finite logits and gradients."""
    model.eval()
    peaks = peak_list([0.2, 0.5, 0.31, 0.7], [1.0, 0.4, 0.2, 0.1])
    with torch.no_grad():
        logits = model.classify(peaks)
        for order in ([3, 2, 1, 0], [1, 3, 0, 2]):
            assert torch.allclose(model.classify(PeakList(*(part[:, order] for part in peaks))), logits, atol=1e-5)
        padded = PeakList(pad(peaks[0], (0, 2), value=0.4), pad(peaks[1], (0, 2), value=0.9), pad(peaks[2], (0, 2)))
        assert torch.allclose(model.classify(padded), logits, atol=1e-5)
        for changed in (([0.2, 0.5, 0.31, 0.71], [1.0, 0.4, 0.2, 0.1]), ([0.2, 0.5, 0.31, 0.7], [1.0, 0.4, 0.2, 0.3])):
            assert not torch.allclose(model.classify(peak_list(*changed)), logits, atol=1e-4)
        patterns = torch.from_numpy(doublets(4, 0)[0])
        together = model(patterns)
        assert torch.allclose(together[1:2], model(patterns[1:2]), atol=1e-5)
    model.train()
    model.zero_grad()
    model(torch.cat([patterns, torch.zeros(1, N_POINTS)])).square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
