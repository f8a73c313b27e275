"""Noise behind a norm: in proportion where a norm is over many positions, magnified by a LayerNorm."""

import numpy as np
import pytest

from paperlib.learning.norm_response import noise_response

from .problems import gaussian

PEAKS = np.maximum(gaussian(np.linspace(20, 70, 20)), gaussian(np.linspace(140, 90, 20)))
PATTERNS = np.where(PEAKS > 1e-8, PEAKS, 0).astype(np.float32)


def response(norm, noise):
    return noise_response(norm, PATTERNS, noise)


def test_norms_over_positions_leave_noise_in_proportion():
    for norm in ("batch", "group"):
        assert response(norm, 1e-3) == pytest.approx(10 * response(norm, 1e-4), rel=0.05)
        assert response(norm, 1e-4) < 1e-3


def test_a_layer_norm_magnifies_faint_noise_until_it_is_as_large_as_a_line():
    assert response("layer", 1e-4) > 20 * response("batch", 1e-4)
    assert response("layer", 1e-1) > 0.8


def test_patterns_without_an_empty_stretch_are_refused():
    with pytest.raises(ValueError, match="is empty"):
        noise_response("layer", PATTERNS + 0.01, 1e-4)
