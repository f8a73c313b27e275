"""A study that trains in a second: two arms with tiny networks on made-up patterns, and a run that only keeps files."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.datasets.labels import Labels
from paperlib.datasets.prepared import Prepared, item_digests
from paperlib.diffraction.instrument import Instrument
from paperlib.lab.run import Paused
from paperlib.learning.arms import Arm, Passes, StoredRows, StoredTest

from .problems import N_POINTS, TINY, doublets

N = 64
TRAIN = {0: np.arange(40), 1: np.arange(8, 48)}
TEST = {0: np.arange(40, 64), 1: np.r_[0:8, 48:60]}
STEM = "06_labels"
MODEL = {"name": "resnet"} | TINY


class KeepingRun:
    """What a study needs of a run; its outputs lie in ``folder``."""

    def __init__(self, folder: Path, stem: str = STEM) -> None:
        self.folder, self.stem = folder, stem
        self.released: list[str] = []
        self.values: dict[str, Any] = {}
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def file(self, name: str, publish: bool = True, release: bool = False) -> Path:
        """A path to write an output to."""
        assert publish != release
        self.released += [name] * release
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        return self.folder / name

    def table(self, name: str, table: pd.DataFrame, timing: bool = False) -> pd.DataFrame:
        """Write a table."""
        table.to_csv(self.folder / f"{name}.csv", index=False)
        return table

    def value(self, name: str, value: Any, **more: Any) -> None:
        """Keep a number."""
        self.values[name] = value

    timing = value

    def pause(self, message: str) -> None:
        """Stop at a time limit."""
        raise Paused(message)

    def publish(self, root: Path) -> None:
        """Put the outputs where a clone has them."""
        target, models = root / "data" / "results" / self.stem, root / "data" / "models"
        shutil.copytree(self.folder, target, ignore=shutil.ignore_patterns("*.safetensors"))
        models.mkdir(parents=True)
        for name in self.released:
            shutil.copyfile(self.folder / name, models / f"{self.stem}-{name}")


def prepared(folder: Path, seed: int = 0, **changes: Any) -> Prepared:
    """64 made-up crystals of three space groups with one extinction class and one with another; one peak or two in
    their pattern tells the classes apart."""
    patterns, classes, _ = doublets(N, seed)
    groups = np.where(classes == 1, 17, np.resize([16, 25, 47], N))
    crystals = CrystalSet(
        cell=np.c_[np.linspace(4, 9, N), np.full((N, 2), 7.0), np.full((N, 3), 90.0)],
        space_group=groups.astype(np.int16),
        standard=np.ones(N, bool),
        site_start=np.arange(N + 1),
        frac=np.zeros((N, 3)),
        species=np.full(N, 26, np.int16),
        occupancy=np.ones(N),
        b_iso=np.zeros(N),
        formula=np.full(N, "Fe"),
        source_id=np.arange(N).astype(str),
    )
    path = folder / f"patterns-{seed}.npy"
    if not path.exists():
        np.save(path, patterns)
    instrument = Instrument(two_theta=(20, 50), n_points=N_POINTS)
    made = Prepared(crystals, np.load(path, mmap_mode="r"), (), instrument, item_digests(crystals), path)
    return dataclasses.replace(made, **changes)


def arms(data: Prepared, passes: int = 2, batch_size: int = 16, release: bool = True, **values: Any) -> list[Arm]:
    """One arm with the labels of extinction classes, and one with those of space groups that is scored in both."""
    spaces = {"absences": ("absences",), "space_group": ("space_group", "absences")}
    more = {"config": Passes(passes, 3e-3, "cpu"), "model": MODEL, "release": release} | values
    return [
        Arm(key, Labels(scheme), StoredRows(data, TRAIN, Labels(scheme), batch_size), spaces=spaces[scheme], **more)
        for key, scheme in (("direct", "absences"), ("by_group", "space_group"))
    ]


def asked(data: Prepared, key: str = "test", rows: dict[int, np.ndarray] | None = None) -> StoredTest:
    """Test items in clusters of two."""
    return StoredTest(key, data, rows or TEST, np.arange(N) // 2)
