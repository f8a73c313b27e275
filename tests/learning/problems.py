"""A problem that a tiny ResNet learns in seconds."""

import numpy as np

from paperlib.learning.models import build_model

N_POINTS = 160
TINY = {"channels": (16, 16), "kernels": (5, 5), "strides": (2, 2), "stem_kernel": 7, "stem_pool": 3, "blocks": 1}


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
