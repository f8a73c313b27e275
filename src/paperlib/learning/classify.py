"""What the released networks say about crystals, or about patterns on their instrument."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
from torch import Tensor

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.datasets.labels import Labels
from paperlib.diffraction.instrument import CU_KALPHA
from paperlib.diffraction.simulate import powder_patterns, validate
from paperlib.lab.metrics import ranks
from paperlib.lab.results import Results
from paperlib.learning.prediction import predict
from paperlib.learning.released import load_released, released_models
from paperlib.learning.weights import Released
from paperlib.symmetry.extinction import class_of_space_group, class_symbols
from paperlib.symmetry.groups import symbol

NETWORKS = {"class": "06_labels-direct_seed0", "group": "06_labels-space_group_seed0"}
"""The released networks by what they answer: the extinction class, and the space group."""
SCHEMES = {"class": "published", "group": "space_group"}
INSTRUMENT = CU_KALPHA
"""The diffractometer whose patterns the released networks were trained on."""
TOP = 5
_CELL = ("a", "b", "c", "alpha", "beta", "gamma")


def classify(crystals: CrystalSet) -> pd.DataFrame:
    """What the released networks say about simulated patterns of ``crystals``; one row each, in order.

    ``source_id``, ``formula``, the cell (Å, degrees), ``space_group`` (the number that the crystal has), its
    ``symbol`` and the symbol of its ``extinction_class``; then the columns of :func:`answers`; and ``no_pattern``, the
    reason why a crystal has no pattern on :data:`INSTRUMENT` (its answers are empty), else "".
    """
    table = pd.DataFrame({"source_id": crystals.source_id.astype(str), "formula": crystals.formula.astype(str)})
    table[list(_CELL)] = crystals.cell
    table["space_group"] = crystals.space_group.astype(np.int64)
    table["symbol"] = [symbol(int(number)) for number in crystals.space_group]
    symbols, class_of = class_symbols(SCHEMES["class"]), class_of_space_group(SCHEMES["class"])
    table["extinction_class"] = [symbols[class_of[number]] for number in crystals.space_group]
    bad = dict(validate(crystals, INSTRUMENT))
    good = np.array([i for i in range(len(crystals)) if i not in bad], dtype=np.int64)
    answered = answers(powder_patterns(crystals[good], INSTRUMENT), table["space_group"].to_numpy()[good])
    table = table.join(answered.set_index(good))
    return table.assign(no_pattern=[bad.get(i, "") for i in range(len(table))])


def answers(patterns: np.ndarray | Tensor, space_group: np.ndarray | None = None) -> pd.DataFrame:
    """The best answers of the released networks about (n, 1000) ``patterns`` on :data:`INSTRUMENT`, scaled to a maximum
    of 1; one row each.

    For the extinction class: ``class_1`` … ``class_5`` (symbols, the most probable first), ``class_p1`` … ``class_p5``
    (0-1), and where the true ``space_group`` (n,) is given ``class_rank``, the place of the true class, 1 for the most
    probable. For the space group the same, as ``group_…``. Raises ValueError for patterns of another length.
    """
    columns: dict[str, np.ndarray] = {}
    if patterns.shape[1] != INSTRUMENT.n_points:
        raise ValueError(f"patterns of {patterns.shape[1]} points; the released networks read {INSTRUMENT.n_points}")
    for kind, scheme in SCHEMES.items():
        labels = Labels(scheme)
        log_p = predict(_network(kind).model, patterns).log_probabilities
        best = np.argsort(-log_p, axis=1, kind="stable")[:, :TOP]
        names, p = np.array(labels.names, dtype=object)[best], np.exp(np.take_along_axis(log_p, best, 1))
        columns |= {f"{kind}_{k + 1}": names[:, k] for k in range(TOP)}
        columns |= {f"{kind}_p{k + 1}": p[:, k].astype(np.float64) for k in range(TOP)}
        if space_group is not None:
            columns[f"{kind}_rank"] = ranks(log_p, labels.of(space_group)) + 1
    return pd.DataFrame(columns)


def about_networks() -> str:
    """What the released networks are, in a few lines: profile, training set, instrument, published scores with 95 %
    intervals, and what they are not for. Scores are left out where no result of their study is published."""
    register = released_models().set_index("file")
    rows = {kind: register.loc[f"{name}.safetensors"] for kind, name in NETWORKS.items()}
    stem, results = str(rows["class"]["stem"]), Results.published()
    low, high = INSTRUMENT.two_theta
    lines = [
        f"Two networks released by {stem}: one-dimensional ResNets, trained on clean simulated patterns (X-rays, "
        f"{INSTRUMENT.wavelength:g} Å, {low:g}–{high:g}°, {INSTRUMENT.n_points} points).",
    ]
    if results.has(stem):
        manifest = results.manifest(stem)
        lines.append(
            f"Profile {manifest['record']['profile']}: {results.value(f'{stem}/n_train').value:,} structures of "
            f"{manifest['identity']['parameters']['source']}; scores on {results.value(f'{stem}/n_test').value:,} "
            "others:"
        )
        scores = results.table(stem, "scores")
        for kind, what in (("class", "extinction class (99)"), ("group", "space group (230)")):
            lines.append(f"  {what}: {_score(scores, rows[kind], kind, 1)}, {_score(scores, rows[kind], kind, TOP)}")
    lines.append(
        "Not for measured patterns yet: they have seen no noise, background, texture, shift or second phase.\n"
        "Probabilities follow how often a class occurs in the training set, which may hold the crystal itself."
    )
    return "\n".join(lines)


def _score(scores: pd.DataFrame, network: pd.Series, kind: str, k: int) -> str:
    """The published score of one network, in words."""
    own = scores[(scores["arm"] == network["arm"]) & (scores["space"] == SCHEMES[kind]) & (scores["split"] == 0)]
    row = own[(own["seed"] == network["seed"]) & (own["k"] == k)].iloc[0]
    value, low, high = (f"{100 * row[name]:.1f}" for name in ("value", "low", "high"))
    return f"{'right first' if k == 1 else f'among the first {k}'} in {value} % ({low}–{high})"


@functools.cache
def _network(kind: str) -> Released:
    return load_released(NETWORKS[kind], SCHEMES[kind], INSTRUMENT.n_points)
