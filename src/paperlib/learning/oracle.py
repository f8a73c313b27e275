"""The classical rival that is given the cell: it ranks extinction classes by what the allowed and forbidden lines show.

A network has to find the lattice before it can see which of its lines are missing. Programs for the determination of
space groups (ExtSym: Markvardsen, David, Johnson and Shankland, Acta Cryst. A57 (2001) 47; Markvardsen et al., J. Appl.
Cryst. 41 (2008) 1177) are given the cell, and weigh the extinction symbols by probability. So does this one, on
patterns whose instrument is known:

1. The *cell* is the conventional one, in Å and degrees, exact. Its metric says which crystal family it is; the classes
   of that family are the candidates. It does not say more: an orthorhombic cell is read with its axes in all six
   orders and a monoclinic one in its three cell choices, each order as probable as the other, so that the standard
   setting of the true group gives nothing away; and every centring is tried in it.
2. A *class* says which lines there are. Line j has the known position, profile and Lorentz factor, together φ_j(2θ),
   and a height h_j of which nothing is known but its range, uniform from 5 to 1000 in reflection data
   (:data:`paperlib.diffraction.ideal.HEIGHTS`). The pattern is y = s Σ_allowed h_j φ_j + ε with an unknown scale s,
   for its maximum is 1, and ε of standard deviation ``noise``, the limit of what can be detected.
3. The *evidence* for a class is the integral over all heights. With the uniform distribution replaced by the normal one
   of equal mean μ and variance v it is a normal density (Rasmussen and Williams, Gaussian Processes for Machine
   Learning, MIT Press 2006, eq. 2.30, with a mean):

       p(y | class, s) = N(y; s μ Σ φ_j, s² v Σ φ_j φ_jᵀ + noise² I),

   whose covariance has a band as narrow as a peak, so that overlap of any degree costs no more than none. The scale is
   integrated out numerically, with density 1 / s.

What this does to a line: where a forbidden line stands alone and shows, nothing explains it, and its (y / noise)² is
the end of the class. Where an allowed line does not show, the class loses the factor that the density near 0 has
against a peak as wide as the noise, about s √v φ_j / noise: the factor of Occam, 10⁴ to 10⁵ for a clean pattern, and
none for a line that the noise could hide. Where two lines overlap, only their sum is seen, and counts.

What is not modelled: background, impurities, errors of cell or profile, texture, Kα doublets, Lorentzian tails.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from paperlib.datasets.labels import IMPOSSIBLE, Labels
from paperlib.diffraction.ideal import HEIGHTS
from paperlib.diffraction.instrument import Instrument
from paperlib.learning.oracle_kernels import log_evidences
from paperlib.learning.oracle_lines import Lines, family_of_cell, hypotheses, lattice_lines

NOISE = 1e-6
"""Of the maximum of a pattern: what patterns in single precision can be trusted to."""

MARGIN = 40.0
"""Hypotheses that are less probable than the best one by more than exp(this) are not looked at closely."""

REASONS = ("right", "same absences", "same lines in the range", "overlap or noise", "another family")
"""What :func:`reasons` can say."""

_SPREAD = (HEIGHTS[1] - HEIGHTS[0]) / np.sqrt(12) / np.mean(HEIGHTS)
"""Standard deviation of a height over its mean."""

_ABSENCES = Labels("absences")


def read_absences(
    patterns: np.ndarray,
    cells: np.ndarray,
    instrument: Instrument,
    labels: Labels,
    noise: float = NOISE,
    prior: np.ndarray | None = None,
) -> np.ndarray:
    """(n, len(labels)) float64 log-probabilities of the classes of ``labels`` for ``patterns`` (n, n_points) of known
    ``cells`` (n, 6; Å and degrees, standard axes: unique axis b or c, hexagonal axes for trigonal groups).

    ``noise`` is in units of the maximum of a pattern; ``prior`` (len(labels),) are probabilities of the classes before
    anything is seen, by default equal. Classes of another family than that of the cell have
    :data:`paperlib.datasets.labels.IMPOSSIBLE`; classes with the same absences share what they have by the prior.

    Raises ValueError for shapes that do not fit, for a pattern without a positive maximum, for labels whose classes mix
    absences, and for an instrument with Lorentzian tails or a doublet.
    """
    patterns, cells = np.asarray(patterns), np.asarray(cells, dtype=np.float64)
    _check(patterns, cells, instrument)
    prior = np.full(len(labels), 1 / len(labels)) if prior is None else np.asarray(prior, dtype=np.float64)
    if prior.shape != (len(labels),) or not (np.isfinite(prior).all() and (prior > 0).all()):
        raise ValueError(f"give one positive probability for each of {len(labels)} classes, got {prior.shape=}")
    absences_of = labels.classes_in(_ABSENCES)
    log_p = np.full((len(cells), len(_ABSENCES)), IMPOSSIBLE)
    for row, of_lines, lines in _each(cells, instrument):
        pattern = patterns[row] / patterns[row].max()
        log_p[row] = _evidence_of_classes(of_lines, lines, pattern.astype(np.float64), instrument, noise)
    log_p = log_p[:, absences_of] + np.log(prior)
    log_p -= log_p.max(axis=1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    return np.maximum(log_p, IMPOSSIBLE)


def reasons(
    answer: np.ndarray, space_group: np.ndarray, cells: np.ndarray, instrument: Instrument, labels: Labels
) -> np.ndarray:
    """(n,) which of :data:`REASONS` stands behind each first ``answer`` (n,), a class of ``labels``, about items of
    ``space_group`` (n,) with ``cells`` (n, 6), whoever gave it.

    "same absences": only the heights could tell the classes apart, which reflection data do not. "same lines in the
    range": in this cell and range both classes, in one choice of axes each, allow the same lines. "overlap or noise":
    the lines differ, but were not told apart. "another family": the lattice was not recognised.
    """
    truth, absences_of = labels.of(space_group), labels.classes_in(_ABSENCES)
    found = np.full(len(truth), "another family", dtype="<U24")
    for row, family, lines in _each(np.asarray(cells, dtype=np.float64), instrument):
        of_family = hypotheses(family)
        seen = of_family.heights[:, lines.code]
        true, said = (seen[of_family.extinction_class == absences_of[x]] for x in (truth[row], answer[row]))
        if truth[row] == answer[row]:
            found[row] = "right"
        elif absences_of[truth[row]] == absences_of[answer[row]]:
            found[row] = "same absences"
        elif np.any(np.all(true[:, None] == said[None], axis=2)):
            found[row] = "same lines in the range"
        elif len(said):
            found[row] = "overlap or noise"
    return found


def _each(cells: np.ndarray, instrument: Instrument) -> Iterator[tuple[int, str, Lines]]:
    """Row, crystal family and lines of each of ``cells``, family by family."""
    families = family_of_cell(cells)
    for family in np.unique(families).tolist():
        rows = np.flatnonzero(families == family)
        for chunk, lines in lattice_lines(family, cells[rows], instrument):
            for i, row in enumerate(rows[chunk].tolist()):
                part = slice(*lines.start[i : i + 2])
                yield row, family, Lines(np.array([0, part.stop - part.start]), *(column[part] for column in lines[1:]))


def _evidence_of_classes(
    family: str, lines: Lines, pattern: np.ndarray, instrument: Instrument, noise: float
) -> np.ndarray:
    """(97,) log-evidence of each class of "absences": of its choices of axes, the mean."""
    of_family = hypotheses(family)
    theta = np.radians(instrument.grid() / 2)
    # undoes the Lorentz factor, so that the scale follows from all lines alike
    weight = np.sin(2 * theta) * np.sin(theta)
    evidence = np.empty(len(of_family.extinction_class))
    allowed = of_family.heights[:, lines.code]
    log_evidences(pattern, lines.first, lines.profile, allowed, weight, _SPREAD, noise, MARGIN, evidence)
    found = np.full(len(_ABSENCES), IMPOSSIBLE)
    for index in np.unique(of_family.extinction_class):
        choices = evidence[of_family.extinction_class == index]
        found[index] = np.logaddexp.reduce(choices) - np.log(len(choices))
    return found


def _check(patterns: np.ndarray, cells: np.ndarray, instrument: Instrument) -> None:
    if patterns.shape != (len(cells), instrument.n_points) or cells.ndim != 2 or cells.shape[1] != 6:
        raise ValueError(
            f"give (n, {instrument.n_points}) patterns and (n, 6) cells, got {patterns.shape=}, {cells.shape=}"
        )
    if instrument.has_tails or instrument.second_wavelength:
        raise ValueError("the lines have to be Gaussians of one wavelength: eta, lorentzian and second_wavelength 0")
    highest = patterns.max(axis=1, initial=-np.inf)
    if (wrong := np.flatnonzero(~(np.isfinite(highest) & (highest > 0)))).size:
        raise ValueError(f"pattern {wrong[0]} has the maximum {highest[wrong[0]]}; leave it out")
