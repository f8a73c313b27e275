"""How the error falls with the number of training patterns: a fitted law, and how sure its numbers are.

    error(N) = c + (e₀ - c) / (1 + (N / N½)^b)

It begins at the error e₀ of an answer by chance and falls, once N is well above N½, as a power of N:
a N^-b + c with a = (e₀ - c) N½^b. The plain power law grows beyond all bounds where a network has learnt nothing yet,
which is where several of ours begin; the two are the same where both hold. c is what is left with patterns without
end: no less than what the ceiling leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import t

from paperlib.lab import rng

_EXPONENTS = (0.05, 4.0)
"""Between which the exponent is sought: neither a curve that never falls nor one that falls at once."""
_STARTS = (0.3, 0.6, 1.0, 2.0)
"""Exponents to start from; the one with the smallest deviations is taken."""


@dataclass(frozen=True)
class ScalingLaw:
    """A fitted law; see the head of the module."""

    chance: float
    """e₀, a share."""
    floor: float
    """c, a share."""
    half: float
    """N½, in patterns: where half of what can be learnt is learnt."""
    exponent: float
    """b."""

    def __call__(self, items: np.ndarray) -> np.ndarray:
        """(n,) errors, as shares, after so many different training patterns (n,)."""
        return self.floor + (self.chance - self.floor) / (1 + (np.asarray(items) / self.half) ** self.exponent)


def fit_law(
    items: Sequence[int], errors: np.ndarray, chance: float, least: float, near: ScalingLaw | None = None
) -> ScalingLaw:
    """The law with the smallest squared deviations of ln(error) from ``errors`` (n,), shares, at ``items`` (n,).

    ``least`` bounds the floor from below; ``near`` is a law to start from, where a good one is known. Raises ValueError
    for fewer than three numbers of patterns, which three numbers of the law would follow whatever they are, and for
    errors outside (0, 1].
    """
    n, errors = np.asarray(items, dtype=float), np.asarray(errors, dtype=float)
    if len(np.unique(n)) < 3 or n.shape != errors.shape:
        raise ValueError(f"a law needs errors at three numbers of patterns or more, one for each: {items=}, {errors=}")
    if not ((errors > 0) & (errors <= 1)).all():
        raise ValueError(f"errors are shares above 0: {errors=}")
    # a floor above the best score that was reached would be refuted by it
    highest = max(min(errors.min(), chance) * (1 - 1e-3), least + 1e-6)
    low = np.log([n.min() / 1e3, _EXPONENTS[0], least])
    high = np.log([n.max() * 1e3, _EXPONENTS[1], highest])

    def deviations(numbers: np.ndarray) -> np.ndarray:
        half, exponent, floor = np.exp(numbers)
        return np.log(ScalingLaw(chance, floor, half, exponent)(n)) - np.log(errors)

    middle = float(np.exp(np.log(n).mean()))
    starts = [(middle, exponent, least + 0.1 * (highest - least)) for exponent in _STARTS]
    if near is not None:
        starts = [(near.half, near.exponent, near.floor)]
    inside = 1e-3 * (high - low)
    fits = [
        least_squares(deviations, np.clip(np.log(start), low + inside, high - inside), bounds=(low, high), ftol=1e-6)
        for start in starts
    ]
    half, exponent, floor = np.exp(min(fits, key=lambda fit: fit.cost).x)
    return ScalingLaw(chance, float(floor), float(half), float(exponent))


def drawn_laws(
    items: Sequence[int],
    wrong: np.ndarray,
    chance: float,
    least: float,
    spread: float = 0.0,
    freedom: int = 1,
    draws: int = 200,
    seed: int = 0,
) -> list[ScalingLaw]:
    """Laws fitted to ``draws`` repetitions of what would differ if somebody did it again.

    ``wrong`` (n, items of the test) is 1 where an answer is wrong, one training for each of ``items`` (n,). A
    repetition draws the test items anew (with replacement, the same for all trainings), and each training anew:
    ln(error) moves by ``spread`` times a number from Student's t with the ``freedom`` that the spread is known with.
    """
    n_trainings, n_items = wrong.shape
    fitted = fit_law(items, np.maximum(wrong.mean(1), 0.5 / n_items), chance, least)
    laws = []
    for i in range(draws):
        drawn = (rng.uniform(seed, "scaling law/items", np.array([i]), n_items)[0] * n_items).astype(int)
        counts = np.bincount(drawn, minlength=n_items)
        # a test item that was drawn right everywhere leaves no error of zero, which has no logarithm
        errors = np.maximum(wrong @ counts, 0.5) / n_items
        chances = rng.uniform(seed, "scaling law/trainings", np.array([i]), n_trainings)[0]
        moved = errors * np.exp(spread * t.ppf(np.clip(chances, 1e-6, 1 - 1e-6), freedom))
        laws.append(fit_law(items, np.minimum(moved, 1.0), chance, least, near=fitted))
    return laws


def training_spread(pairs: Sequence[Sequence[float]]) -> tuple[float, int]:
    """The standard deviation of ln(error) between trainings that differ in their seed alone, and its degrees of
    freedom; ``pairs`` holds, for each kind of training, the errors of its repetitions. (0, 1) where none was repeated:
    nothing is known of it then."""
    logs = [np.log(errors) for errors in pairs if len(errors) > 1]
    freedom = sum(len(x) - 1 for x in logs)
    if not freedom:
        return 0.0, 1
    return float(np.sqrt(sum(((x - x.mean()) ** 2).sum() for x in logs) / freedom)), freedom
