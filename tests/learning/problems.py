"""Problems that tiny networks learn in seconds, and the sizes of these networks."""

import numpy as np

from paperlib.learning.models import build_model

N_POINTS = 160
TINY = {"channels": (16, 16), "kernels": (5, 5), "strides": (2, 2), "stem_kernel": 7, "stem_pool": 3, "blocks": 1}

SMALL = {
    "resnet": TINY,
    "position_resnet": {
        "channels": (8, 16),
        "strides": (1, 2),
        "kernel": 3,
        "stem_kernel": 5,
        "stem_stride": 2,
        "hidden": 12,
    },
    "convnext": {
        "channels": (8, 16),
        "strides": (1, 2),
        "blocks": (1, 2),
        "kernel": 3,
        "stem_kernel": 5,
        "stem_stride": 2,
        "hidden": 12,
    },
    "transformer": {"patch": 4, "width": 16, "depth": 2, "heads": 2, "expansion": 2},
    "peaks_transformer": {"width": 16, "depth": 2, "heads": 2, "expansion": 2, "n_peaks": 6, "n_frequencies": 8},
    "deepsets": {"width": 32, "hidden": 24, "n_peaks": 6, "n_frequencies": 8},
    "mlp": {"widths": (24, 16)},
}
"""Sizes by architecture, for :func:`small_model`."""


def gaussian(centre, width=1.2):
    """(n, N_POINTS) peaks of height 1."""
    return np.exp(-0.5 * ((np.arange(N_POINTS) - np.asarray(centre)[:, None]) / width) ** 2)


def doublets(n, seed):
    """Patterns with a broad hump and either one peak (class 0) or two, 9 points apart (class 1), anywhere;
    returns patterns, classes and where the peak or the middle of the two is."""
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % 2
    where = rng.uniform(25, N_POINTS - 25, n)
    half = np.where(classes == 1, 4.5, 0.0)
    peaks = np.maximum(gaussian(where - half), gaussian(where + half))
    hump = 0.8 * gaussian(rng.uniform(20, N_POINTS - 20, n), width=12.0)
    return (peaks + hump).astype(np.float32), classes, where


def tiny_model(n_classes=2, seed=0, n_points=N_POINTS, **size):
    return build_model("resnet", n_classes, n_points, seed=seed, **(TINY | size))


def halves(n, seed):
    """Patterns with one peak, left (class 0) or right (class 1) of the middle, and a broad hump that is lower; returns
    patterns and classes."""
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % 2
    where = rng.uniform(5, N_POINTS / 2 - 5, n) + N_POINTS / 2 * classes
    hump = 0.5 * gaussian(rng.uniform(20, N_POINTS - 20, n), width=12.0)
    return (gaussian(where) + hump).astype(np.float32), classes


def small_model(name, n_classes=2, n_points=N_POINTS, seed=0, **size):
    return build_model(name, n_classes, n_points, seed=seed, **(SMALL[name] | size))
