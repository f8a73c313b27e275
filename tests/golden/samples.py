"""What the golden samples are made of: a few numbers of every stage whose work is kept by its version."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.sources import load_crystals
from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets import generated_streams
from paperlib.datasets.generated_streams import CrystalStream, IdealStream
from paperlib.datasets.labels import Labels
from paperlib.diffraction.instrument import CU_KALPHA, Instrument
from paperlib.diffraction.laboratory import LABORATORY, LABORATORY_INSTRUMENT
from paperlib.diffraction.simulate import powder_patterns
from paperlib.lab import rng
from paperlib.lab.stages import declared
from paperlib.learning.family_maps import RANDOM
from paperlib.learning.family_stage import family_effects
from paperlib.learning.models import build_model
from paperlib.learning.training import TRAINING
from paperlib.learning.trial_worlds import TrialWorld

from .compare import FOLDER
from .training import networks, training

WITHOUT_STAGE = {
    "draws": 1,
    "random_crystals": 1,
    "streams": generated_streams.VERSION,
    "networks": TRAINING.version,
}
"""Versions of what is no stage of :mod:`paperlib.lab.stages`."""


class Sample(NamedTuple):
    """How a sample is made anew, and how closely it must agree."""

    make: Callable[[], Mapping[str, np.ndarray]]
    tolerance: float
    """Share of the largest magnitude of an array by which its floats may differ."""


def version_of(name: str) -> int:
    """The version that the numbers of sample ``name`` belong to: that of the stage of this name, if there is one."""
    stage = declared().get(name)
    return WITHOUT_STAGE[name] if stage is None else stage.version


def draws() -> dict[str, np.ndarray]:
    """Counter-based random numbers, with small, large and neighbouring item numbers."""
    items = np.array([0, 1, 2, 1000, 2**31, 2**40 + 7])
    return {
        "integers": rng.integers(1, "golden", items, 6),
        "uniform": rng.uniform(20, "golden", items, 3),
        "paired_uniform": rng.paired_uniform(3, "golden", items, np.array([0, 3, 3, 9, 100, 2**20])),
        "permutation": np.stack([rng.permutation(4, "golden", epoch, 50) for epoch in range(3)]),
    }


def crystals() -> dict[str, np.ndarray]:
    """Eight crystals as they are read, of the prototypes that come with pymatgen."""
    read = load_crystals("prototypes")
    return _columns(read.crystals[np.arange(0, 288, 36)]) | {"declared": read.declared_space_group[::36]}


def random_crystals_of_many_groups() -> dict[str, np.ndarray]:
    """24 random crystals: 23 of space groups from 1 to 221 in steps of ten, and one of a large item number."""
    return _columns(random_crystals(np.arange(1, 231, 10), seed=7)) | {
        "later": random_crystals([14], seed=7, first=10**6).cell
    }


def patterns() -> dict[str, np.ndarray]:
    """Patterns of the 16 crystals of ``inputs.npz``, which is never written anew, so that what is read or drawn today
    does not move them: every other one a prototype, with displacements and partly occupied sites added."""
    held = CrystalSet.load(FOLDER / "inputs.npz")
    neutrons = Instrument(radiation="neutron", wavelength=1.5403, two_theta=(10, 120), n_points=1200, eta=0.3)
    return {
        "plain": powder_patterns(held[:8], CU_KALPHA).numpy(),
        "doublet_and_tails": powder_patterns(held[8:12], LABORATORY_INSTRUMENT).numpy()[:, ::3],
        "neutrons": powder_patterns(held[12:14], neutrons).numpy(),
        "anomalous": powder_patterns(held[14:], dataclasses.replace(CU_KALPHA, anomalous=True)).numpy(),
    }


def streams() -> dict[str, np.ndarray]:
    """The second batches of reflection data of both families, and of the crystals of ``inputs.npz`` with the
    imperfections of a laboratory."""
    held, labels = CrystalSet.load(FOLDER / "inputs.npz"), Labels("absences")
    made = {
        "line": IdealStream(labels, CU_KALPHA, 6, 1000, seed=11).batch(1),
        "laue": IdealStream(labels, CU_KALPHA, 6, 1000, seed=11, balance="classes", family="laue").batch(1),
        "laboratory": CrystalStream(held, labels, LABORATORY_INSTRUMENT, 4, 11, LABORATORY).batch(1),
    }
    every = {"line": 1, "laue": 1, "laboratory": 3}
    return {f"{name}_patterns": x.numpy()[:, :: every[name]] for name, (x, _) in made.items()} | {
        f"{name}_targets": y.numpy() for name, (_, y) in made.items()
    }


def family_effects_of_few() -> dict[str, np.ndarray]:
    """What families of three crystals of ``inputs.npz`` say to two small networks. The tolerance is out of reach, so
    that the number of steps is the same on every machine."""
    held = CrystalSet.load(FOLDER / "inputs.npz")
    few = held[np.flatnonzero(held.standard)[[0, 2, 5]]]
    small = {"channels": (8, 8), "kernels": (5, 5), "strides": (4, 4), "blocks": 1}
    models = {
        f"class{ending}": build_model("resnet", 5, 1000, seed=i, **small) for i, ending in enumerate(("", RANDOM))
    }
    targets = dict.fromkeys(models, np.array([0, 4, 2]))
    world = TrialWorld(few, Instrument(n_points=1000))
    numbers = {"most": 10, "tolerance": 1e-12, "max_steps": 16}
    effects, _ = family_effects(models, targets, world, np.array([0, 1]), **numbers)
    return {name: effects[name].to_numpy() for name in effects.columns.drop("kind")}


def _columns(chosen: CrystalSet) -> dict[str, np.ndarray]:
    return {field.name: getattr(chosen, field.name) for field in dataclasses.fields(chosen)}


SAMPLES: dict[str, Sample] = {
    "draws": Sample(draws, 0.0),
    "crystals": Sample(crystals, 1e-7),
    "random_crystals": Sample(random_crystals_of_many_groups, 1e-9),
    "patterns": Sample(patterns, 1e-5),
    "streams": Sample(streams, 1e-5),
    "training": Sample(training, 1e-5),
    "networks": Sample(networks, 1e-5),
    "family effects": Sample(family_effects_of_few, 1e-3),
}
"""By the name of the stage. A new stage with a version gets an entry here, and its file from ``tests.golden.write``."""
