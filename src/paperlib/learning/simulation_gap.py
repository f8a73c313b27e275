"""What tells simulated patterns from measured ones: simple features of a pattern, and how well they separate the two.

A simulation that a classifier tells from measurements teaches a network to read the simulation. The area under the
receiver operating characteristic (AUC) of a classifier that has never seen the specimen says how far there is to go
(0.5: not to be told apart), and the AUC of each feature alone says what gives the simulation away.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from scipy.ndimage import uniform_filter1d
from scipy.signal import find_peaks, peak_widths
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from paperlib.diffraction.baseline import above_baseline, is_measured

HEIGHTS = (0.3, 0.1, 0.03)
"""Peaks are counted that stand out by at least so much of the highest."""
WIDE_ANGLES = 50.0
"""Degrees 2θ from which on intensity counts as that of wide angles."""
SURROUNDINGS = 0.8
"""Degrees 2θ."""
N_FOLDS = 5

FEATURES = {
    "coverage": "share of the range that was measured",
    "noise": "noise between peaks, standard deviation in units of the maximum, logarithm",
    "noise_correlation": "correlation of the noise at neighbouring points",
    "background": "median of the pattern in units of the maximum",
    "width": "median width at half height of the stronger peaks, degrees, logarithm",
    "narrowest": "width of the narrowest of them, degrees, logarithm",
    "peaks_30": "number of peaks that stand out by 30 % of the highest",
    "peaks_10": "by 10 %",
    "peaks_3": "by 3 %",
    "first_peak": "angle of the first peak of 10 %, degrees",
    "wide_angles": f"share of the intensity above the baseline beyond {WIDE_ANGLES:g}°",
}
"""What is measured of a pattern."""


def features_of(patterns: np.ndarray, two_theta: np.ndarray) -> pd.DataFrame:
    """:data:`FEATURES` of (n, n_points) ``patterns`` of maximum 1 at ``two_theta`` (n_points,) degrees, one row each.
    A pattern without a peak has NaN for what is measured of peaks."""
    step = float(two_theta[1] - two_theta[0])
    some = torch.from_numpy(np.asarray(patterns, dtype=np.float32))
    there, above = is_measured(some).numpy(), above_baseline(some, step).numpy()
    rows = [_features(*row, two_theta, step) for row in zip(patterns, above, there, strict=True)]
    return pd.DataFrame(rows, columns=list(FEATURES))


def _features(
    pattern: np.ndarray, above: np.ndarray, there: np.ndarray, two_theta: np.ndarray, step: float
) -> dict[str, float]:
    found = {"coverage": float(there.mean()), "background": float(np.median(pattern[there]))}
    steps = np.diff(above)
    # between peaks: chosen by the mean of the surroundings, as a choice by the points would choose among the noise
    around = uniform_filter1d(above, round(SURROUNDINGS / step) // 2 * 2 + 1)
    low = (around < np.median(around[there])) & there
    quiet = low[1:] & low[:-1]
    found["noise"] = np.log10(np.median(np.abs(steps[quiet])) / 0.954 + 1e-6) if quiet.sum() > 10 else np.nan
    both = quiet[1:] & quiet[:-1]
    pairs = steps[1:][both], steps[:-1][both]
    # neighbours that are independent have differences correlated by -1/2
    varied = both.sum() > 10 and min(p.std() for p in pairs) > 0
    found["noise_correlation"] = float(np.corrcoef(*pairs)[0, 1]) if varied else np.nan
    for height in HEIGHTS:
        peaks, _ = find_peaks(above, prominence=height)
        found[f"peaks_{100 * height:.0f}"] = float(len(peaks))
        if height == HEIGHTS[1]:
            widths = np.log10(peak_widths(above, peaks)[0] * step + 1e-6)
            found["width"], found["narrowest"] = (np.median(widths), widths.min()) if len(peaks) else (np.nan, np.nan)
            found["first_peak"] = float(two_theta[peaks[0]]) if len(peaks) else np.nan
    positive = above.clip(min=0)
    found["wide_angles"] = float(positive[two_theta >= WIDE_ANGLES].sum() / max(positive.sum(), 1e-9))
    return found


def told_apart(
    simulated: pd.DataFrame | np.ndarray, measured: pd.DataFrame | np.ndarray, clusters: tuple[np.ndarray, np.ndarray]
) -> float:
    """The AUC of gradient-boosted trees that tell rows of ``simulated`` from rows of ``measured`` features, each row
    judged by trees that have seen none of its cluster; ``clusters`` (n,) of both."""
    both = np.concatenate([np.asarray(simulated, dtype=np.float64), np.asarray(measured, dtype=np.float64)])
    truth = np.repeat([0, 1], [len(simulated), len(measured)])
    names = np.concatenate([np.char.add("s", clusters[0].astype(str)), np.char.add("m", clusters[1].astype(str))])
    trees = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.1, class_weight="balanced", random_state=0)
    says = cross_val_predict(trees, both, truth, groups=names, cv=GroupKFold(N_FOLDS), method="predict_proba")
    return float(roc_auc_score(truth, says[:, 1]))


def gap_table(simulated: pd.DataFrame, measured: pd.DataFrame, clusters: tuple[np.ndarray, np.ndarray]) -> pd.DataFrame:
    """``feature``, ``auc`` (of the feature alone, 0.5 to 1, whichever side is larger), and its 10th, 50th and 90th
    percentile in simulated and measured patterns; the first row, ``all``, is :func:`told_apart`."""
    rows = [{"feature": "all", "auc": told_apart(simulated, measured, clusters)}]
    truth = np.repeat([0, 1], [len(simulated), len(measured)])
    for name in simulated.columns:
        values = np.concatenate([simulated[name], measured[name]])
        known = np.isfinite(values)
        auc = roc_auc_score(truth[known], values[known])
        row = {"feature": name, "auc": max(auc, 1 - auc)}
        for kind, column in (("simulated", simulated[name]), ("measured", measured[name])):
            row |= {f"{kind}_{q}": float(np.nanpercentile(column, q)) for q in (10, 50, 90)}
        rows.append(row)
    return pd.DataFrame(rows)
