"""The networks that are compared on reflection data: families with equally many parameters, and points on their curves.

Each family differs from the one before it in a single respect, as far as down to the networks that keep the positions;
the others are the architectures that rival studies use. With 99 classes and 1000 points all of them have within two per
cent as many parameters as the published network, 632,771.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from paperlib.learning.arms import Arm, ItemBudget
from paperlib.learning.decomposition import parts_of
from paperlib.learning.made_arms import ReflectionData

_BATCH = {"norm": "batch", "activation": "relu"}
_KEEPING = {"name": "position_resnet", "strides": (2, 2, 2, 2), "stem_stride": 2}
_MIDDLE = _KEEPING | {"channels": (16, 32, 48, 64), "hidden": 256}

FAMILIES: Mapping[str, Mapping[str, Any]] = {
    "resnet": {"name": "resnet"},
    "resnet_batch": {"name": "resnet"} | _BATCH,
    "resnet_fine": {"name": "resnet", "stem_pool": 1} | _BATCH,
    "resnet_local": {"name": "resnet", "kernels": (3, 1, 1, 1), "strides": (4, 1, 1, 1)}
    | {"channels": (64, 136, 200, 256)}
    | _BATCH,
    "position_resnet_linear": _MIDDLE | {"input": "linear"},
    "position_resnet": _MIDDLE,
    "position_resnet_coordinate": _MIDDLE | {"coordinate": True},
    "convnext": {"name": "convnext", "channels": (24, 32, 48, 64), "hidden": 216},
    "transformer": {"name": "transformer", "width": 112, "patch": 20},
    "peaks_transformer": {"name": "peaks_transformer", "width": 112, "n_peaks": 48},
    "deepsets": {"name": "deepsets", "width": 512, "hidden": 544, "n_peaks": 48},
    "mlp": {"name": "mlp", "widths": (416, 416)},
}
"""Arguments of :func:`paperlib.learning.models.build_model` by family:

- ``resnet``: as published; ``resnet_batch``: with BatchNorm and ReLU; ``resnet_fine``: without the maximum over seven
  points behind the stem as well; ``resnet_local``: no unit sees more than 201 of the 1000 points, and the maximum over
  all places is all that the classes are read from;
- ``position_resnet``: its last maps are flattened, the root of the intensity its input; ``position_resnet_linear``:
  the intensity itself; ``position_resnet_coordinate``: the position as a second channel;
- ``convnext``; ``transformer`` over patches of 20 points; ``peaks_transformer`` and ``deepsets`` over the 48 highest
  peaks; ``mlp``."""

SIZES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "resnet": {
        "small": {"name": "resnet", "channels": (16, 32, 32, 32)},
        "middle": FAMILIES["resnet"],
        "large": {"name": "resnet", "channels": (64, 128, 128, 128)},
    },
    "position_resnet": {
        "small": _KEEPING | {"channels": (8, 16, 24, 32), "hidden": 128},
        "middle": _MIDDLE,
        "large": _KEEPING | {"channels": (32, 64, 96, 128), "hidden": 512},
    },
}
"""Two families at half, once and twice the width: about 0.16, 0.63 and 2.5 million parameters."""


@dataclass(frozen=True)
class Rung:
    """A point on a curve: a network that sees so many patterns."""

    family: str
    """Of :data:`FAMILIES`."""
    items: int
    """Different patterns that it is trained on."""
    size: str = "middle"
    """"middle", or another one of :data:`SIZES`."""
    passes: int = 1
    """How often each of them is seen."""
    rate: float = 0.0
    """Learning rate where it is not that of the study."""
    seeds: tuple[int, ...] = ()
    """As in :class:`paperlib.learning.arms.Arm`."""

    @property
    def key(self) -> str:
        """Of its arm."""
        again = f"x{self.passes}" if self.passes > 1 else ""
        rate = f"_rate{1e6 * self.rate:.0f}" if self.rate else ""
        return f"{self.family}_{self.size}_{self.items}{again}{rate}"

    @property
    def network(self) -> Mapping[str, Any]:
        """Arguments of :func:`paperlib.learning.models.build_model`. Raises KeyError for a family or size that is
        none."""
        return FAMILIES[self.family] if self.size == "middle" else SIZES[self.family][self.size]

    def minus(self, other: Rung) -> dict[str, float]:
        """The terms of a paired difference, for :meth:`paperlib.learning.comparison.Scored.contrast`."""
        return {self.key: 1.0, other.key: -1.0}

    def arm(self, data: ReflectionData, lr: float, device: str = "auto", apart: bool = False) -> Arm:
        """Its arm: trained on ``data``, or on the first ``items`` of them again and again; scored over its classes and,
        with ``apart``, over the parts of its answers as well (:mod:`paperlib.learning.decomposition`)."""
        again = replace(data, n_items=self.items, repeat=True)
        stream = data if self.passes == 1 else again
        budget = ItemBudget(self.items * self.passes, self.rate or lr, device)
        scheme = data.labels.scheme
        spaces = parts_of(scheme) if apart else (scheme,)
        return Arm(self.key, data.labels, stream, budget, spaces, self.network, seeds=self.seeds)
